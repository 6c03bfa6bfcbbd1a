//! A struct that is a model.

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Fields, FieldsNamed, LitStr, Type, Visibility};

use crate::attr::{CheckAttr, CheckName, ModelAttr};
use crate::errors::Errors;
use crate::model::{Column, ForeignKey, Index, Relation, hints, identifier, plain, plural, qualified, snake, special};

/// A model.
pub(crate) struct Model {
    /// The struct.
    pub(crate) ident: Ident,
    /// Its name without `r#`.
    pub(crate) name: String,
    /// Its visibility.
    pub(crate) vis: Visibility,
    /// The table, behind its schema where one is said.
    pub(crate) table: String,
    /// The columns, in the order of the fields.
    pub(crate) columns: Vec<Column>,
    /// The relations, in the order of the fields.
    pub(crate) relations: Vec<Relation>,
    /// The key's columns, as positions.
    pub(crate) key: Vec<usize>,
    /// The indexes.
    pub(crate) indexes: Vec<Index>,
    /// What must hold for each row, by name.
    pub(crate) checks: Vec<CheckAttr>,
    /// Foreign keys of several columns.
    pub(crate) foreign_keys: Vec<ForeignKey>,
    /// What its owner says about the table.
    pub(crate) comment: Option<LitStr>,
    /// What the table was called before.
    pub(crate) renamed_from: Option<LitStr>,
    /// The version column.
    pub(crate) version: Option<usize>,
    /// The columns of `timestamps`.
    pub(crate) timestamps: [Option<usize>; 2],
    /// The types of relation fields without all their parameters: rustc has the say there, for it knows
    /// whose type it is.
    pub(crate) lacking: Vec<Type>,
    /// Whether mistakes were found: then the code only has to keep rustc from reporting them again.
    pub(crate) softened: bool,
}

impl Model {
    /// Reads the item; `None` when it is no struct with named fields, which has been reported.
    pub(crate) fn read(item: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let fields = named_fields(item, errors)?;
        let attr = ModelAttr::read(&item.attrs, errors);
        let name = plain(&item.ident);
        let table = match attr.table.get() {
            Some(given) => identifier(given.value(), given, "a table's name", errors),
            None => identifier(plural(&snake(&name)), &item.ident, "a table's name", errors),
        };
        let table = qualified(attr.schema.get(), &table, errors);
        let mut columns = Vec::new();
        let mut relations = Vec::new();
        let mut lacking = Vec::new();
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            if let Some(relation) = Relation::read(field, ident, &item.ident, errors) {
                relations.push(relation);
            } else if Relation::is_meant(field) {
                lacking.push(field.ty.clone());
            } else {
                columns.push(Column::read(field, ident, &item.ident, errors));
            }
        }
        for relation in &mut relations {
            relation.find_key(&columns, errors);
        }
        let key = special::key(&mut columns);
        let version = special::version(&mut columns);
        let timestamps = special::timestamps(&attr.timestamps, &columns, errors);
        special::required(&mut columns, timestamps);
        let indexes = Index::all(&attr.indexes, &columns, &relations, errors);
        for check in &attr.checks {
            if let CheckName::Whole(name) = &check.name {
                identifier(name.value(), name, "a check's name", errors);
            }
        }
        let foreign_keys = ForeignKey::all(&attr.foreign_keys, &item.ident, &columns, &relations, errors);
        let renamed_from = hints::of_table(&attr.renamed_from, &table, errors);
        hints::of_columns(&columns, errors);
        Some(Model {
            ident: item.ident.clone(),
            name,
            vis: item.vis.clone(),
            table,
            columns,
            relations,
            key,
            indexes,
            checks: attr.checks,
            foreign_keys,
            comment: attr.comment.get().cloned(),
            renamed_from,
            version,
            timestamps,
            lacking,
            softened: false,
        })
    }
}

fn named_fields<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Option<&'a FieldsNamed> {
    let fields = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields,
            _ => {
                errors.at_with_help(
                    &item.ident,
                    format!("`{}` has no named fields, and a model's columns are named", item.ident),
                    "for a type around one value, derive `DbNewtype`",
                );
                return None;
            }
        },
        Data::Enum(_) => {
            errors.at_with_help(
                &item.ident,
                format!("`{}` is an enum, and a model is a struct", item.ident),
                "for a column that holds one of a list of labels, derive `DbEnum`",
            );
            return None;
        }
        Data::Union(_) => {
            errors.at(&item.ident, format!("`{}` is a union, and a model is a struct", item.ident));
            return None;
        }
    };
    if !item.generics.params.is_empty() {
        errors.at(&item.generics.params, format!("`{}` stands for one table: it cannot have parameters", item.ident));
        return None;
    }
    Some(fields)
}
