//! The attributes of a model's struct.

use proc_macro2::Ident;
use syn::{Attribute, LitStr};

use crate::attr::column::action;
use crate::attr::{Fields, Item, Once, Sql, filled, items};
use crate::errors::Errors;
use crate::names::{self, Place};

/// What stands at the struct.
#[derive(Default)]
pub(crate) struct ModelAttr {
    pub(crate) table: Once<LitStr>,
    pub(crate) schema: Once<LitStr>,
    pub(crate) timestamps: Once<Timestamps>,
    pub(crate) indexes: Vec<IndexAttr>,
    pub(crate) checks: Vec<CheckAttr>,
    pub(crate) foreign_keys: Vec<ForeignKeyAttr>,
    pub(crate) comment: Once<LitStr>,
    pub(crate) renamed_from: Once<LitStr>,
}

/// The fields that `timestamps` is about, where they are named.
#[derive(Default)]
pub(crate) struct Timestamps {
    pub(crate) created: Once<Ident>,
    pub(crate) updated: Once<Ident>,
}

/// `unique(a, b)` or `index(a, desc(b), sql("lower(c)"), where = "…", include(d), using = "gin", opclass(a = "…"), name = "…")`
pub(crate) struct IndexAttr {
    pub(crate) word: Ident,
    pub(crate) unique: bool,
    pub(crate) terms: Vec<IndexTerm>,
    pub(crate) name: Once<LitStr>,
    pub(crate) condition: Once<Sql>,
    pub(crate) include: Once<Vec<Ident>>,
    pub(crate) using: Once<LitStr>,
    /// Columns and their operator classes.
    pub(crate) classes: Once<Vec<(Ident, LitStr)>>,
    pub(crate) nulls_agree: Once<()>,
}

/// A term of an index.
pub(crate) enum IndexTerm {
    /// A column, and whether its greatest value stands first.
    Field(Ident, bool),
    /// An expression.
    Sql(Sql),
}

/// `check(adult = "age >= 18")` or `check(sql("age >= 18"), name = "adults")`
pub(crate) struct CheckAttr {
    pub(crate) name: CheckName,
    pub(crate) sql: Sql,
}

/// How a check is called.
pub(crate) enum CheckName {
    /// By a word, which becomes a part of the name in the database.
    Word(Ident),
    /// As the database calls it.
    Whole(LitStr),
}

/// `foreign_key(a, b, references = Model(x, y), on_delete = cascade, name = "…")`
pub(crate) struct ForeignKeyAttr {
    pub(crate) word: Ident,
    pub(crate) fields: Vec<Ident>,
    pub(crate) references: Fields,
    pub(crate) on_delete: Once<Ident>,
    pub(crate) on_update: Once<Ident>,
    pub(crate) deferrable: Once<()>,
    pub(crate) deferred: Once<()>,
    pub(crate) name: Once<LitStr>,
}

impl ModelAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = ModelAttr::default();
        for item in &items(attrs, errors) {
            match item {
                _ if item.is(names::TABLE) => attr.table.set(item, item.value(names::TABLE, errors), errors),
                _ if item.is(names::SCHEMA) => attr.schema.set(item, item.value(names::SCHEMA, errors), errors),
                _ if item.is(names::TIMESTAMPS) => attr.timestamps.set(item, timestamps(item, errors), errors),
                _ if item.is(names::UNIQUE_LIST) => attr.indexes.extend(index(item, names::UNIQUE_LIST, errors)),
                _ if item.is(names::INDEX_LIST) => attr.indexes.extend(index(item, names::INDEX_LIST, errors)),
                _ if item.is(names::CHECKS) => attr.checks.extend(checks(item, errors)),
                _ if item.is(names::FOREIGN_KEY) => attr.foreign_keys.extend(foreign_key(item, errors)),
                _ if item.is(names::COMMENT) => attr.comment.set(item, item.text(names::COMMENT, errors), errors),
                _ if item.is(names::RENAMED_FROM) => {
                    attr.renamed_from.set(item, item.value(names::RENAMED_FROM, errors), errors);
                }
                _ => item.misplaced(Place::Model, errors),
            }
        }
        attr
    }
}

fn timestamps(item: &Item, errors: &mut Errors) -> Option<Timestamps> {
    let mut read = Timestamps::default();
    if item.is_bare() {
        return Some(read);
    }
    for part in &item.nested(names::TIMESTAMPS, errors)? {
        match part {
            _ if part.is(names::CREATED) => read.created.set(part, part.value(names::CREATED, errors), errors),
            _ if part.is(names::UPDATED) => read.updated.set(part, part.value(names::UPDATED, errors), errors),
            _ => {
                part.no_part_of(&item.word, &[names::CREATED, names::UPDATED], errors);
            }
        }
    }
    Some(read)
}

fn index(item: &Item, word: names::Word, errors: &mut Errors) -> Option<IndexAttr> {
    let unique = word.text == names::UNIQUE.text;
    let mut index = IndexAttr {
        word: item.word.clone(),
        unique,
        terms: Vec::new(),
        name: Once::default(),
        condition: Once::default(),
        include: Once::default(),
        using: Once::default(),
        classes: Once::default(),
        nulls_agree: Once::default(),
    };
    for part in &item.nested(word, errors)? {
        match part {
            _ if part.is_bare() && part.is(names::NULLS_AGREE) && unique => {
                index.nulls_agree.set(part, Some(()), errors);
            }
            _ if part.is_bare() => index.terms.push(IndexTerm::Field(part.word.clone(), false)),
            _ if part.is(names::INDEX_NAME) => {
                index.name.set(part, part.value(names::INDEX_NAME, errors), errors);
            }
            _ if part.is(names::WHERE) => index.condition.set(part, Sql::read(part, names::WHERE, errors), errors),
            _ if part.is(names::INCLUDE) => index.include.set(part, part.list(names::INCLUDE, errors), errors),
            _ if part.is(names::USING) => index.using.set(part, part.text(names::USING, errors), errors),
            _ if part.is(names::OPCLASS) && part.begins_with_group() => {
                index.classes.set(part, classes(part, errors), errors);
            }
            _ if part.is(names::DESCENDING) => {
                let fields: Vec<Ident> = part.list(names::DESCENDING, errors)?;
                index.terms.extend(fields.into_iter().map(|field| IndexTerm::Field(field, true)));
            }
            _ if part.is(names::SQL) => index.terms.push(IndexTerm::Sql(expression(part, errors)?)),
            _ => {
                part.no_part_of(&item.word, names::PARTS_OF_INDEX, errors);
                return None;
            }
        }
    }
    if index.terms.is_empty() {
        item.malformed(word, errors);
        return None;
    }
    Some(index)
}

/// `opclass(name = "text_pattern_ops")`
fn classes(part: &Item, errors: &mut Errors) -> Option<Vec<(Ident, LitStr)>> {
    let inner = part.nested(names::OPCLASS, errors)?;
    let classes = inner.iter().filter_map(|one| {
        let class = one.value::<LitStr>(names::OPCLASS, errors).and_then(|class| filled(class, errors))?;
        Some((one.word.clone(), class))
    });
    Some(classes.collect())
}

/// `sql("lower(email)")` or `sql(postgres = "…", sqlite = "…")`
fn expression(part: &Item, errors: &mut Errors) -> Option<Sql> {
    if let Some(texts) = part.texts() {
        let [text] = texts.as_slice() else {
            part.malformed(names::SQL, errors);
            return None;
        };
        return Some(Sql::Same(filled(text.clone(), errors)?));
    }
    Sql::read(part, names::SQL, errors)
}

fn checks(item: &Item, errors: &mut Errors) -> Vec<CheckAttr> {
    let parts = item.nested(names::CHECKS, errors).unwrap_or_default();
    if parts.iter().any(|part| part.is(names::SQL) && part.begins_with_group()) {
        return named_check(item, &parts, errors).into_iter().collect();
    }
    let mut checks = Vec::new();
    for part in parts {
        let sql = part.value::<LitStr>(names::CHECKS, errors).and_then(|sql| filled(sql, errors));
        checks.extend(sql.map(|sql| CheckAttr { name: CheckName::Word(part.word.clone()), sql: Sql::Same(sql) }));
    }
    checks
}

/// `check(sql("age >= 18"), name = "adults")`
fn named_check(item: &Item, parts: &[Item], errors: &mut Errors) -> Option<CheckAttr> {
    let (mut sql, mut name) = (Once::default(), Once::default());
    for part in parts {
        match part {
            _ if part.is(names::SQL) => sql.set(part, expression(part, errors), errors),
            _ if part.is(names::CHECK_NAME) => name.set(part, part.value(names::CHECK_NAME, errors), errors),
            _ => {
                part.no_part_of(&item.word, names::PARTS_OF_CHECK, errors);
                return None;
            }
        }
    }
    if !name.is_given() {
        item.malformed(names::CHECKS, errors);
    }
    Some(CheckAttr { name: CheckName::Whole(name.take()?), sql: sql.take()? })
}

fn foreign_key(item: &Item, errors: &mut Errors) -> Option<ForeignKeyAttr> {
    let mut fields = Vec::new();
    let mut references: Once<Fields> = Once::default();
    let (mut on_delete, mut on_update) = (Once::default(), Once::default());
    let (mut deferrable, mut deferred) = (Once::default(), Once::default());
    let mut name = Once::default();
    for part in &item.nested(names::FOREIGN_KEY, errors)? {
        match part {
            _ if part.is(names::DEFERRABLE) => deferrable.set(part, part.flag(names::DEFERRABLE, errors), errors),
            _ if part.is(names::DEFERRED) => deferred.set(part, part.flag(names::DEFERRED, errors), errors),
            _ if part.is_bare() => fields.push(part.word.clone()),
            _ if part.is(names::REFERENCES) => {
                references.set(part, part.value(names::FOREIGN_KEY, errors), errors);
            }
            _ if part.is(names::ON_DELETE) => on_delete.set(part, action(part, names::ON_DELETE, errors), errors),
            _ if part.is(names::ON_UPDATE) => on_update.set(part, action(part, names::ON_UPDATE, errors), errors),
            _ if part.is(names::KEY_NAME) => name.set(part, part.value(names::KEY_NAME, errors), errors),
            _ => {
                part.no_part_of(&item.word, names::PARTS_OF_FOREIGN_KEY, errors);
                return None;
            }
        }
    }
    let Some(references) = references.take() else {
        item.malformed(names::FOREIGN_KEY, errors);
        return None;
    };
    if fields.len() != references.fields.len() {
        let (here, there) = (fields.len(), references.fields.len());
        errors.at(&item.word, format!("{here} columns cannot point at {there}"));
        return None;
    }
    Some(ForeignKeyAttr {
        word: item.word.clone(),
        fields,
        references,
        on_delete,
        on_update,
        deferrable,
        deferred,
        name,
    })
}
