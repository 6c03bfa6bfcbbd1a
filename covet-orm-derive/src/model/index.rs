//! Indexes, from single fields and from lists.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use crate::attr::{IndexAttr, IndexTerm, Sql};
use crate::errors::Errors;
use crate::model::{Column, Relation, identifier, plain};
use crate::names;

/// An index.
pub(crate) struct Index {
    /// The name, where the user gave one.
    pub(crate) name: Option<String>,
    /// The columns, as positions.
    pub(crate) columns: Vec<usize>,
    /// Whether it is unique.
    pub(crate) unique: bool,
    /// What else there is to say of it.
    pub(crate) more: Option<More>,
    /// Where the user asked for it.
    pub(crate) tokens: TokenStream,
}

/// What few indexes have.
pub(crate) struct More {
    /// What it is over, in order.
    pub(crate) terms: Vec<Term>,
    /// Which rows are in it.
    pub(crate) condition: Option<Sql>,
    /// Columns that it only includes.
    pub(crate) include: Vec<usize>,
    /// How it is built.
    pub(crate) method: Option<String>,
    /// Whether NULLs agree in it.
    pub(crate) nulls_agree: bool,
    /// The operator classes of columns, as positions.
    pub(crate) classes: Vec<(usize, String)>,
}

/// A term of an index.
pub(crate) enum Term {
    /// A column, and whether its greatest value stands first.
    Column(usize, bool),
    /// An expression.
    Expression(Sql),
}

impl Index {
    /// Whether it finds at most one row for values of its columns.
    pub(crate) fn finds_one(&self) -> bool {
        let plain =
            |more: &More| more.condition.is_none() && more.terms.iter().all(|term| matches!(term, Term::Column(..)));
        self.unique && self.more.as_ref().is_none_or(plain)
    }
}

impl Index {
    /// Those of single columns, then the lists, in the user's order.
    pub(super) fn all(
        lists: &[IndexAttr],
        columns: &[Column],
        relations: &[Relation],
        errors: &mut Errors,
    ) -> Vec<Index> {
        let mut indexes = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let unique = column.attr.unique.word();
            // Both together have been reported; the unique one stays.
            if let Some(word) = unique.or(column.attr.index.word()) {
                let tokens = word.to_token_stream();
                indexes.push(Index { name: None, columns: vec![at], unique: unique.is_some(), more: None, tokens });
            }
        }
        for list in lists {
            let mut terms = Vec::new();
            for term in &list.terms {
                match term {
                    IndexTerm::Field(field, _) if is_misplaced(field, list, columns) => errors.at_with_help(
                        field,
                        format!("`{field}` is said of an index that is not unique"),
                        "in a unique one two NULLs clash by it; in this one nothing clashes",
                    ),
                    IndexTerm::Field(field, descending) => {
                        let at = position(field, columns, relations, errors);
                        terms.extend(at.map(|at| Term::Column(at, *descending)));
                    }
                    IndexTerm::Sql(sql) => terms.push(Term::Expression(sql.clone())),
                }
            }
            let fields = list.include.get().map(Vec::as_slice).unwrap_or_default();
            let include: Vec<usize> =
                fields.iter().filter_map(|field| position(field, columns, relations, errors)).collect();
            if terms.len() < list.terms.len() || include.len() < fields.len() {
                continue;
            }
            let mut classes = Vec::new();
            for (field, class) in list.classes.get().map(Vec::as_slice).unwrap_or_default() {
                let Some(at) = position(field, columns, relations, errors) else { continue };
                if terms.iter().any(|term| matches!(term, Term::Column(column, _) if *column == at)) {
                    classes.push((at, class.value()));
                } else {
                    errors.at(field, format!("`{field}` has an operator class and is not in this index"));
                }
            }
            let positions: Vec<usize> = terms
                .iter()
                .filter_map(|term| match term {
                    Term::Column(at, _) => Some(*at),
                    Term::Expression(_) => None,
                })
                .collect();
            let more = More {
                condition: list.condition.get().cloned(),
                include,
                method: list.using.get().map(syn::LitStr::value),
                nulls_agree: list.nulls_agree.is_given(),
                classes,
                terms,
            };
            let plain = more.terms.iter().all(|term| matches!(term, Term::Column(_, false)));
            let plain = plain && more.condition.is_none() && more.include.is_empty();
            let more =
                (!plain || more.method.is_some() || more.nulls_agree || !more.classes.is_empty()).then_some(more);
            let name = list.name.get().map(|name| identifier(name.value(), name, "an index's name", errors));
            if name.is_none() && positions.len() < list.terms.len() {
                errors.at_with_help(
                    &list.word,
                    "an index over an expression needs a name",
                    "write `name = \"…\"` in it",
                );
                continue;
            }
            let tokens = list.word.to_token_stream();
            indexes.push(Index { name, columns: positions, unique: list.unique, more, tokens });
        }
        indexes
    }
}

/// Whether it is a word for unique indexes, and no column.
fn is_misplaced(field: &Ident, list: &IndexAttr, columns: &[Column]) -> bool {
    !list.unique && field == names::NULLS_AGREE.text && columns.iter().all(|column| column.name != plain(field))
}

/// The position of a column that an index or a foreign key names.
pub(super) fn position(
    field: &Ident,
    columns: &[Column],
    relations: &[Relation],
    errors: &mut Errors,
) -> Option<usize> {
    let name = plain(field);
    let found = columns.iter().position(|column| column.name == name);
    if found.is_none() {
        match relations.iter().any(|relation| relation.name == name) {
            true => errors.at(field, format!("`{name}` is a relation: an index is over columns")),
            false => {
                let known = columns.iter().map(|column| column.name.as_str());
                errors.unknown(field, format!("there is no column `{name}`"), known);
            }
        }
    }
    found
}
