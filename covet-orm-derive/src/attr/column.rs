//! The attributes of a column.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, LitInt, LitStr, Path};

use crate::attr::{Item, Once, Sql, items};
use crate::errors::Errors;
use crate::names::{self, Place};

/// What stands at a column.
#[derive(Default)]
pub(crate) struct ColumnAttr {
    pub(crate) key: Once<()>,
    pub(crate) column: Once<LitStr>,
    pub(crate) unique: Once<()>,
    pub(crate) index: Once<()>,
    pub(crate) default: Once<Expr>,
    pub(crate) max_len: Once<u32>,
    pub(crate) decimal: Once<(u8, u8)>,
    pub(crate) references: Once<Target>,
    pub(crate) on_delete: Once<Ident>,
    pub(crate) on_update: Once<Ident>,
    pub(crate) version: Once<()>,
    pub(crate) case_insensitive: Once<()>,
    pub(crate) auto: Once<bool>,
    pub(crate) check: Once<Sql>,
    pub(crate) generated: Once<Sql>,
    pub(crate) generated_virtual: Once<Sql>,
    pub(crate) default_sql: Once<Sql>,
    pub(crate) comment: Once<LitStr>,
    pub(crate) deferrable: Once<()>,
    pub(crate) deferred: Once<()>,
    pub(crate) constraint: Once<LitStr>,
    pub(crate) renamed_from: Once<LitStr>,
    pub(crate) backfill: Once<Expr>,
}

impl ColumnAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = ColumnAttr::default();
        for item in items(attrs, errors) {
            attr.item(&item, errors);
        }
        attr
    }

    fn item(&mut self, item: &Item, errors: &mut Errors) {
        match item {
            _ if item.is(names::KEY) => self.key.set(item, item.flag(names::KEY, errors), errors),
            _ if item.is(names::COLUMN) => self.column.set(item, item.value(names::COLUMN, errors), errors),
            _ if item.is(names::UNIQUE) => self.unique.set(item, item.flag(names::UNIQUE, errors), errors),
            _ if item.is(names::INDEX) => self.index.set(item, item.flag(names::INDEX, errors), errors),
            _ if item.is(names::DEFAULT) => self.default.set(item, item.value(names::DEFAULT, errors), errors),
            _ if item.is(names::MAX_LEN) => self.max_len.set(item, max_len(item, errors), errors),
            _ if item.is(names::DECIMAL) => self.decimal.set(item, decimal(item, errors), errors),
            _ if item.is(names::REFERENCES) => self.references.set(item, item.value(names::REFERENCES, errors), errors),
            _ if item.is(names::ON_DELETE) => self.on_delete.set(item, action(item, names::ON_DELETE, errors), errors),
            _ if item.is(names::ON_UPDATE) => self.on_update.set(item, action(item, names::ON_UPDATE, errors), errors),
            _ if item.is(names::VERSION) => self.version.set(item, item.flag(names::VERSION, errors), errors),
            _ if item.is(names::CASE_INSENSITIVE) => {
                self.case_insensitive.set(item, item.flag(names::CASE_INSENSITIVE, errors), errors);
            }
            _ if item.is(names::AUTO) => self.auto.set(item, item.switch(names::AUTO, errors), errors),
            _ if item.is(names::CHECK) => self.check.set(item, Sql::read(item, names::CHECK, errors), errors),
            _ if item.is(names::GENERATED) => {
                self.generated.set(item, Sql::read(item, names::GENERATED, errors), errors);
            }
            _ if item.is(names::GENERATED_VIRTUAL) => {
                self.generated_virtual.set(item, Sql::read(item, names::GENERATED_VIRTUAL, errors), errors);
            }
            _ if item.is(names::DEFAULT_SQL) => {
                self.default_sql.set(item, Sql::read(item, names::DEFAULT_SQL, errors), errors);
            }
            _ if item.is(names::COMMENT) => self.comment.set(item, item.text(names::COMMENT, errors), errors),
            _ if item.is(names::DEFERRABLE) => self.deferrable.set(item, item.flag(names::DEFERRABLE, errors), errors),
            _ if item.is(names::DEFERRED) => self.deferred.set(item, item.flag(names::DEFERRED, errors), errors),
            _ if item.is(names::CONSTRAINT) => {
                self.constraint.set(item, item.value(names::CONSTRAINT, errors), errors);
            }
            _ if item.is(names::RENAMED_FROM) => {
                self.renamed_from.set(item, item.value(names::RENAMED_FROM, errors), errors);
            }
            _ if item.is(names::BACKFILL) => self.backfill.set(item, item.value(names::BACKFILL, errors), errors),
            _ => item.misplaced(Place::Column, errors),
        }
    }
}

/// What a foreign key points at: a model, or a column of a model.
pub(crate) struct Target {
    /// The model.
    pub(crate) model: Path,
    /// The field, when it is not the key.
    pub(crate) field: Option<Ident>,
}

impl Parse for Target {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut model = input.call(Path::parse_mod_style)?;
        // Types begin with a capital and fields do not: that tells `shop::User` from `User::code`.
        let last_is_field = model.segments.len() > 1
            && model
                .segments
                .last()
                .is_some_and(|last| last.ident.to_string().starts_with(|c: char| !c.is_uppercase()));
        let mut field = None;
        if last_is_field {
            field = model.segments.pop().map(|last| last.ident);
            model.segments.pop_punct();
        }
        Ok(Target { model, field })
    }
}

impl quote::ToTokens for Target {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        let Target { model, field } = self;
        tokens.extend(quote::quote!(#model #field));
    }
}

fn max_len(item: &Item, errors: &mut Errors) -> Option<u32> {
    let value: LitInt = item.value(names::MAX_LEN, errors)?;
    let read = value.base10_parse::<u32>().ok().filter(|n| *n > 0);
    if read.is_none() {
        errors.at(value, "`max_len` is a number of characters from 1 to 4294967295");
    }
    read
}

fn decimal(item: &Item, errors: &mut Errors) -> Option<(u8, u8)> {
    let numbers: Vec<LitInt> = item.list(names::DECIMAL, errors)?;
    let [precision, scale] = numbers.as_slice() else {
        item.malformed(names::DECIMAL, errors);
        return None;
    };
    let Some(digits) = precision.base10_parse::<u8>().ok().filter(|n| (1..=38).contains(n)) else {
        errors.at(precision, "a decimal has from 1 to 38 digits");
        return None;
    };
    let Some(fraction) = scale.base10_parse::<u8>().ok().filter(|n| *n <= digits) else {
        errors.at(scale, format!("of {digits} digits at most {digits} can stand after the point"));
        return None;
    };
    Some((digits, fraction))
}

/// What a foreign key does.
pub(super) fn action(item: &Item, word: names::Word, errors: &mut Errors) -> Option<Ident> {
    let action: Ident = item.value(word, errors)?;
    if names::ACTIONS.iter().any(|(known, _)| action == known) {
        return Some(action);
    }
    let known = names::ACTIONS.iter().map(|(known, _)| *known);
    errors.unknown(&action, format!("`{action}` is nothing that a foreign key can do"), known);
    None
}
