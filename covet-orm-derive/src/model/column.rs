//! A field that is a column.

use proc_macro2::Ident;
use syn::{Attribute, Expr, Field, Path, Type, Visibility};

use crate::attr::{ColumnAttr, Once};
use crate::errors::Errors;
use crate::model::foreign_key::{own, timing, variant};
use crate::model::types::{option, without_self};
use crate::model::{DefaultValue, Kind, hints, identifier, plain};
use crate::names;

/// A column.
pub(crate) struct Column {
    /// The field.
    pub(crate) ident: Ident,
    /// The field's name without `r#`.
    pub(crate) name: String,
    /// The name in the database.
    pub(crate) column: String,
    /// The field's visibility.
    pub(crate) vis: Visibility,
    /// The field's own documentation.
    pub(crate) docs: Vec<Attribute>,
    /// The field's type.
    pub(crate) ty: Type,
    /// The same without `Option`.
    pub(crate) inner: Type,
    /// Whether the type is an `Option`.
    pub(crate) optional: bool,
    /// What the macro knows of `inner`.
    pub(crate) kind: Kind,
    /// What an insert that does not name it gets.
    pub(crate) default: Option<DefaultValue>,
    /// What rows that exist get, where they need a value.
    pub(crate) backfill: Option<DefaultValue>,
    /// Whether the database numbers it.
    pub(crate) auto: bool,
    /// Whether Covet makes a new UUID for it.
    pub(crate) new_uuid: bool,
    /// What it points at.
    pub(crate) references: Option<Reference>,
    /// Whether an insert has to name it.
    pub(crate) required: bool,
    /// What the user wrote, for the rules and their errors.
    pub(crate) attr: ColumnAttr,
}

/// What a foreign key points at, and what it does.
pub(crate) struct Reference {
    /// The model.
    pub(crate) model: Path,
    /// The field, when it is not the key.
    pub(crate) field: Option<Ident>,
    /// The variant of `Action`.
    pub(crate) on_delete: &'static str,
    /// The variant of `Action`.
    pub(crate) on_update: &'static str,
    /// The variant of `Timing`.
    pub(crate) timing: &'static str,
    /// The name in the database, where the user gave one.
    pub(crate) constraint: Option<String>,
}

impl Column {
    /// Reads a field of the struct `model`.
    pub(super) fn read(field: &Field, ident: &Ident, model: &Ident, errors: &mut Errors) -> Self {
        let attr = ColumnAttr::read(&field.attrs, errors);
        let ty = without_self(&field.ty, model);
        let inner = option(&ty).unwrap_or(&ty).clone();
        let kind = Kind::of(&inner);
        let name = plain(ident);
        let column = match attr.column.get() {
            Some(given) => identifier(given.value(), given, "a column's name", errors),
            None => identifier(name.clone(), ident, "a column's name", errors),
        };
        let decimal = attr.decimal.get().copied();
        let default =
            attr.default.get().and_then(|expr| DefaultValue::read(names::DEFAULT, expr, kind, decimal, errors));
        let backfill = hints::backfill(&name, &attr, &ty, kind, errors);
        let column = Column {
            ident: ident.clone(),
            name,
            column,
            vis: field.vis.clone(),
            docs: docs(&field.attrs),
            optional: option(&ty).is_some(),
            ty,
            inner,
            kind,
            default,
            backfill,
            auto: false,
            new_uuid: false,
            references: reference(&attr, model, errors),
            required: false,
            attr,
        };
        column.check(errors);
        column
    }

    /// The rules over one column's attributes and type.
    fn check(&self, errors: &mut Errors) {
        let Column { attr, name, kind, .. } = self;
        self.only_for(&attr.max_len, kind.is(Kind::Text), "text", errors);
        self.only_for(&attr.case_insensitive, kind.is(Kind::Text), "text", errors);
        self.only_for(&attr.decimal, kind.is(Kind::Decimal), "a `Decimal`", errors);
        self.only_for(&attr.version, kind.is_int(), "an integer", errors);
        if *kind == Kind::Decimal && !attr.decimal.is_given() {
            errors.at_with_help(
                &self.ty,
                format!("`{name}` needs a number of digits"),
                "`#[covet(decimal(10, 2))]` keeps ten digits, two of them after the point",
            );
        }
        if let (Some(DefaultValue::Text(text)), Some(max)) = (&self.default, attr.max_len.get())
            && text.chars().count() > *max as usize
        {
            errors.at(attr.default.get(), format!("the default is longer than `max_len = {max}`"));
        }
        let generated = [attr.generated.word(), attr.generated_virtual.word()];
        if let [Some(_), Some(second)] = generated {
            errors.at(second, "a column is generated in one way");
        }
        if let Some(word) = generated.into_iter().flatten().next() {
            let others = [attr.default.word(), attr.default_sql.word(), attr.version.word(), attr.key.word()];
            for other in others.into_iter().flatten() {
                errors.at(quote::quote!(#word #other), format!("`{name}` is generated: leave out `{other}`"));
            }
        }
        if let (Some(first), Some(second)) = (attr.default.word(), attr.default_sql.word()) {
            errors.at(quote::quote!(#first #second), "a column has one default");
        }
        if let (Some(first), Some(second)) = (attr.unique.word(), attr.index.word()) {
            errors.at(quote::quote!(#first #second), "`unique` makes an index already: leave out `index`");
        }
    }

    /// The attribute is given only where the type allows it, as far as the macro can tell.
    fn only_for<T>(&self, attribute: &Once<T>, fits: Option<bool>, what: &str, errors: &mut Errors) {
        if let (Some(word), Some(false)) = (attribute.word(), fits) {
            errors.at(word, format!("`{word}` is for {what}, and `{}` is not", self.name));
        }
    }
}

/// The documentation among the attributes.
pub(super) fn docs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect()
}

fn reference(attr: &ColumnAttr, model: &Ident, errors: &mut Errors) -> Option<Reference> {
    if !attr.references.is_given() {
        let words = [&attr.on_delete, &attr.on_update].map(Once::word);
        for word in
            words.into_iter().chain([attr.deferrable.word(), attr.deferred.word(), attr.constraint.word()]).flatten()
        {
            errors.at(word, format!("`{word}` needs `references = …` beside it"));
        }
    }
    let target = attr.references.get()?;
    Some(Reference {
        model: own(&target.model, model),
        field: target.field.clone(),
        on_delete: variant(&attr.on_delete),
        on_update: variant(&attr.on_update),
        timing: timing(attr.deferrable.is_given(), attr.deferred.is_given()),
        constraint: attr.constraint.get().map(|name| identifier(name.value(), name, "a foreign key's name", errors)),
    })
}

impl Column {
    /// Whether the database makes its value from other columns.
    pub(crate) fn is_generated(&self) -> bool {
        self.attr.generated.is_given() || self.attr.generated_virtual.is_given()
    }

    /// The default as the user wrote it.
    pub(crate) fn default_tokens(&self) -> Option<&Expr> {
        self.attr.default.get()
    }
}
