//! From models to the schema that they ask for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use covet_drivers::catalog::{
    Action, Check, Column, ColumnType, EnumType, ForeignKey, Index, Schema, Table, Term, constraint_name,
};
use covet_drivers::{Error, ErrorKind, Result};

use crate::model::{CheckName, ColumnMeta, ForeignKeyMeta, IndexMeta, ModelMeta, References, TermMeta};
use crate::schema::Models;

/// The schema that the models and the objects beside them ask for, sorted: the order of the models does not matter.
///
/// # Errors
/// `Migration`, naming model and field: two models on one table, two columns or indexes of one
/// name, two enums of one name with other labels, and foreign keys whose target is not among the
/// models, is not unique, or is of another type.
pub fn schema_of(models: &Models) -> Result<Schema> {
    let objects = models.objects()?;
    let models = models.with_tables()?;
    let tables = models.iter().map(|model| table(model, &models)).collect::<Result<_>>()?;
    let mut schema = Schema { tables, objects };
    schema.sort();
    schema.find_reads();
    one_meaning_of_each_enum(&models)?;
    Ok(schema)
}

fn table(model: &'static ModelMeta, all: &[&'static ModelMeta]) -> Result<Table> {
    let mut seen: BTreeMap<&str, &ColumnMeta> = BTreeMap::new();
    for column in model.columns {
        if let Some(first) = seen.insert(column.column, column) {
            return Err(column.at(Error::new(
                ErrorKind::Migration,
                format!("the field {} has the column {} already", first.field, column.column),
            )
            .with_help("give one of them another name with `#[covet(column = \"…\")]`")));
        }
    }
    let mut foreign_keys = Vec::new();
    for column in model.columns {
        if let Some(references) = column.references {
            foreign_keys.push(column.place(foreign_key(model, column, references, all))?);
        }
    }
    for key in model.more.map(|more| more.foreign_keys).unwrap_or_default() {
        foreign_keys.push(compound(model, key, all).map_err(|error| error.with_model(model.name))?);
    }
    Ok(Table {
        primary_key: model.key_columns().map(|column| column.column.to_owned()).collect(),
        columns: model.columns.iter().map(column).collect(),
        indexes: indexes(model)?,
        foreign_keys,
        checks: checks(model)?,
        comment: model.more.and_then(|more| more.comment).map(str::to_owned),
        ..Table::new(model.table)
    })
}

/// The checks of the columns and of the whole table.
fn checks(model: &ModelMeta) -> Result<Vec<Check>> {
    let of_columns =
        model.columns.iter().filter_map(|column| Some((CheckName::Word(column.column), column.more?.check.as_ref()?)));
    let of_table = model.more.map(|more| more.checks).unwrap_or_default();
    let mut checks: Vec<Check> = Vec::new();
    for (name, expression) in of_columns.chain(of_table.iter().map(|(name, expression)| (*name, expression))) {
        let (said, name) = match name {
            CheckName::Word(word) => (word, constraint_name(model.table, &[word], "ck")),
            CheckName::Whole(name) => (name, name.to_owned()),
        };
        let check = Check { name, expression: expression.clone() };
        if checks.iter().any(|other| other.name == check.name) {
            return Err(Error::new(ErrorKind::Migration, format!("two checks are called {said}"))
                .with_model(model.name)
                .with_help("give the check of the struct another name than that of a column with a check"));
        }
        checks.push(check);
    }
    Ok(checks)
}

fn column(meta: &ColumnMeta) -> Column {
    Column {
        nullable: meta.nullable,
        default: meta.default.cloned(),
        auto: meta.auto,
        case_insensitive: meta.case_insensitive,
        generated: meta.more.and_then(|more| more.generated.clone()),
        comment: meta.more.and_then(|more| more.comment).map(str::to_owned),
        ..Column::new(meta.column, meta.ty.clone())
    }
}

fn indexes(model: &ModelMeta) -> Result<Vec<Index>> {
    let mut indexes: Vec<Index> = Vec::new();
    for meta in model.indexes {
        let index = index(model, meta)?;
        if let Some(other) = indexes.iter().find(|other| other.name == index.name) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("two indexes are called {}: on {} and on {}", index.name, columns(other), columns(&index)),
            )
            .with_model(model.name)
            .with_help("leave one away, or give it a name of its own"));
        }
        indexes.push(index);
    }
    Ok(indexes)
}

fn index(model: &ModelMeta, meta: &IndexMeta) -> Result<Index> {
    let columns: Vec<&str> = meta
        .columns
        .iter()
        .map(|position| {
            model.columns.get(*position).map(|column| column.column).ok_or_else(|| {
                Error::new(ErrorKind::Migration, format!("an index names column {position}, which there is not"))
                    .with_model(model.name)
            })
        })
        .collect::<Result<_>>()?;
    let name = match meta.name {
        Some(name) => name.to_owned(),
        None => constraint_name(model.table, &columns, if meta.unique { "key" } else { "idx" }),
    };
    let mut index = Index::new(name, columns, meta.unique);
    if let Some(more) = meta.more {
        let named = |position: &usize| model.columns.get(*position).map(|column| column.column.to_owned());
        index.terms = more
            .terms
            .iter()
            .filter_map(|term| match term {
                TermMeta::Column(position, descending) => {
                    let class =
                        more.classes.iter().find(|(at, _)| at == position).map(|(_, class)| (*class).to_owned());
                    Some(Term { descending: *descending, class, ..Term::column(named(position)?) })
                }
                TermMeta::Expression(expression) => Some(Term::expression(expression.clone())),
            })
            .collect();
        index.condition.clone_from(&more.condition);
        index.include = more.include.iter().filter_map(named).collect();
        index.method = more.method.map(str::to_owned);
        index.nulls_agree = more.nulls_agree;
    }
    Ok(index)
}

fn columns(index: &Index) -> String {
    index.columns().collect::<Vec<_>>().join(", ")
}

fn foreign_key(
    model: &ModelMeta,
    column: &ColumnMeta,
    references: &References,
    all: &[&'static ModelMeta],
) -> Result<ForeignKey> {
    let (table, field) = (references.table, references.field);
    let target = all.iter().find(|other| other.table == table).ok_or_else(|| {
        Error::new(ErrorKind::Migration, format!("points at the table {table}, but no model of that table is known"))
            .with_help("add that model to the list, or see to it that its module is linked into the program")
    })?;
    let theirs = target.columns.iter().find(|other| other.field == field).ok_or_else(|| {
        Error::new(ErrorKind::Migration, format!("points at {}.{field}, which is no column", target.name))
    })?;
    if !target.is_unique(&[theirs.index]) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("points at {}.{}, which is not unique", target.name, theirs.field),
        )
        .with_help("only a key or a column with `#[covet(unique)]` can be pointed at"));
    }
    if column.ty != theirs.ty || column.case_insensitive != theirs.case_insensitive {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("is {} and points at {}.{}, which is {}", kind(column), target.name, theirs.field, kind(theirs)),
        )
        .with_help("both must be of one type"));
    }
    if [references.on_delete, references.on_update].contains(&Action::SetNull) && !column.nullable {
        return Err(Error::new(ErrorKind::Migration, "is to be set to NULL, but does not allow NULL")
            .with_help("make the field an Option, or choose another action"));
    }
    Ok(ForeignKey {
        name: references.name.map_or_else(|| constraint_name(model.table, &[column.column], "fkey"), str::to_owned),
        columns: vec![column.column.to_owned()],
        target: table.to_owned(),
        target_columns: vec![theirs.column.to_owned()],
        on_delete: references.on_delete,
        on_update: references.on_update,
        timing: references.timing,
    })
}

/// A foreign key of several columns.
fn compound(model: &ModelMeta, key: &ForeignKeyMeta, all: &[&'static ModelMeta]) -> Result<ForeignKey> {
    let wrong = |text: String| Error::new(ErrorKind::Migration, format!("a foreign key {text}"));
    let target = all.iter().find(|other| other.table == key.table).ok_or_else(|| {
        wrong(format!("points at the table {}, but no model of that table is known", key.table))
            .with_help("add that model to the list, or see to it that its module is linked into the program")
    })?;
    let mut pairs = Vec::new();
    for (position, field) in key.columns.iter().zip(key.fields) {
        let theirs = target.columns.iter().find(|other| other.field == *field);
        let (Some(own), Some(theirs)) = (model.columns.get(*position), theirs) else {
            return Err(wrong(format!("points at {}.{field}, which is no column", target.name)));
        };
        if own.ty != theirs.ty || own.case_insensitive != theirs.case_insensitive {
            let (a, b) = (kind(own), kind(theirs));
            let text = format!("points from {}, which is {a}, to {}.{field}, which is {b}", own.field, target.name);
            return Err(wrong(text).with_help("both must be of one type"));
        }
        pairs.push((own, theirs));
    }
    if !target.is_unique(&pairs.iter().map(|(_, theirs)| theirs.index).collect::<Vec<_>>()) {
        let text = format!("points at {} ({}), which are not unique together", target.name, key.fields.join(", "));
        return Err(wrong(text).with_help("only a key or columns of `unique(…)` can be pointed at"));
    }
    let columns: Vec<&str> = pairs.iter().map(|(own, _)| own.column).collect();
    Ok(ForeignKey {
        name: key.name.map_or_else(|| constraint_name(model.table, &columns, "fkey"), str::to_owned),
        columns: columns.into_iter().map(str::to_owned).collect(),
        target: key.table.to_owned(),
        target_columns: pairs.iter().map(|(_, theirs)| theirs.column.to_owned()).collect(),
        on_delete: key.on_delete,
        on_update: key.on_update,
        timing: key.timing,
    })
}

fn kind(column: &ColumnMeta) -> Cow<'static, str> {
    if column.case_insensitive { format!("{} without case", column.ty).into() } else { column.ty.to_string().into() }
}

/// Two columns may share an enum, but then they must mean the same.
fn one_meaning_of_each_enum(models: &[&'static ModelMeta]) -> Result<()> {
    let mut seen: BTreeMap<&str, (&EnumType, &ColumnMeta)> = BTreeMap::new();
    for column in models.iter().flat_map(|model| model.columns) {
        let ColumnType::Enum(ty) = &column.ty else { continue };
        let (first, other) = *seen.entry(&ty.name).or_insert((ty, column));
        if first.labels != ty.labels {
            return Err(column.at(Error::new(
                ErrorKind::Migration,
                format!("the enum {} has other labels than in {}.{}", ty.name, other.model, other.field),
            )
            .with_help("give one of them another name with `#[covet(name = \"…\")]`")));
        }
    }
    Ok(())
}
