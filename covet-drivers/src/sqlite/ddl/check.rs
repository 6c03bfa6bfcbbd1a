//! What a schema asks for that SQLite could not hold as asked.

use std::collections::BTreeSet;

use crate::catalog::{
    Action, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Index, ObjectKind, Over, Schema, Table,
};
use crate::error::{Error, Result};
use crate::sqlite::ddl::literal::{self, unsupported};
use crate::sqlite::dialect::NAME;
use crate::value::Decimal;

/// Checks a schema.
pub(super) fn check(schema: &Schema) -> Result<()> {
    // Tables and indexes share one name space, and case makes no difference in it.
    let mut names = BTreeSet::new();
    for table in &schema.tables {
        let indexes = table.indexes.iter().map(|index| index.name.as_str());
        for name in std::iter::once(table.name.as_str()).chain(indexes) {
            check_name(&table.name, name)?;
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(unsupported(format_args!("two tables or indexes whose names differ only in case: {name}"))
                    .with_table(&table.name));
            }
        }
        check_table(table)?;
        for key in &table.foreign_keys {
            check_foreign_key(schema, table, key)?;
        }
    }
    for object in schema.objects.iter().filter(|object| object.definition.on(NAME).is_some()) {
        let (name, kind) = (&object.name, object.kind);
        check_name(name, name)?;
        if matches!(kind, ObjectKind::Extension | ObjectKind::Function) {
            return Err(unsupported(format_args!("the {} {name}", kind.word()))
                .with_help("give its text for the databases alone that have such a thing: `= { postgres = \"…\" }`"));
        }
        if kind == ObjectKind::View && !names.insert(name.to_ascii_lowercase()) {
            return Err(unsupported(format_args!("a view and a table or index of one name: {name}")));
        }
    }
    Ok(())
}

fn check_name(table: &str, name: &str) -> Result<()> {
    let what = if name.is_empty() {
        "an empty name"
    } else if name.contains('\0') {
        "a name with a NUL in it"
    } else if name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_")) {
        "a name that begins with sqlite_"
    } else {
        return Ok(());
    };
    Err(unsupported(format_args!("{what} ({name})")).with_table(table))
}

fn check_table(table: &Table) -> Result<()> {
    let place = &table.name;
    if table.columns.is_empty() {
        return Err(unsupported(format_args!("table {place} without columns")).with_table(place));
    }
    let mut names = BTreeSet::new();
    for column in &table.columns {
        check_name(place, &column.name)?;
        if !names.insert(column.name.to_ascii_lowercase()) {
            let what = format!("two columns of {place} whose names differ only in case: {}", column.name);
            return Err(unsupported(what).with_table(place).with_column(&column.name));
        }
        check_column(table, column)?;
    }
    for check in &table.checks {
        check_name(place, &check.name)?;
        written(&check.expression, &format!("the check {} of {place}", check.name)).map_err(|e| e.with_table(place))?;
    }
    for index in &table.indexes {
        check_index(index).map_err(|error| error.with_table(place))?;
    }
    let used = table.indexes.iter().flat_map(Index::columns).map(str::to_owned).collect::<Vec<_>>();
    let used = table.primary_key.iter().chain(&used);
    for name in used.chain(table.foreign_keys.iter().flat_map(|key| &key.columns)) {
        if table.column(name).is_none() {
            let what = format!("a key or index of {place} over the column {name}, which it does not have");
            return Err(unsupported(what).with_table(place).with_column(name));
        }
    }
    Ok(())
}

fn check_index(index: &Index) -> Result<()> {
    let what = format!("the index {}", index.name);
    if let Some(class) = index.terms.iter().find_map(|term| term.class.as_ref()) {
        return Err(unsupported(format_args!("{what} with the operator class {class}")));
    }
    if index.method.is_some() {
        return Err(unsupported(format_args!("{what}, which is to be no B-tree")));
    }
    if !index.include.is_empty() {
        return Err(unsupported(format_args!("{what} with columns that it only includes"))
            .with_help("put them behind its columns"));
    }
    if index.nulls_agree {
        return Err(unsupported(format_args!("{what}, in which NULLs are to agree")));
    }
    let expressions = index.terms.iter().filter_map(|term| match &term.over {
        Over::Expression(expression) => Some(expression),
        Over::Column(_) => None,
    });
    expressions.chain(&index.condition).try_for_each(|expression| written(expression, &what))
}

/// There must be a text of it for this database.
fn written(expression: &Expression, what: &str) -> Result<()> {
    match expression.on(NAME) {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err(unsupported(format_args!("{what}: there is no expression for it"))
            .with_help(format!("write one text for all databases, or one named {NAME}"))),
    }
}

fn check_column(table: &Table, column: &Column) -> Result<()> {
    let place = format!("{}.{}", table.name, column.name);
    let refuse = |what: String| -> Error { unsupported(what).with_table(&table.name).with_column(&column.name) };
    if column.auto {
        if table.primary_key != [column.name.clone()] {
            return Err(refuse(format!("the automatic number {place} outside a primary key of this one column")));
        }
        if column.ty.integer_range().is_none() {
            return Err(refuse(format!("the automatic number {place} of type {}", column.ty)));
        }
        if column.nullable || column.default.is_some() {
            return Err(refuse(format!("the automatic number {place} that is nullable or has a default")));
        }
    }
    if column.case_insensitive && !column.ty.is_text() {
        return Err(refuse(format!("comparing {place} without case: it is of type {}", column.ty)));
    }
    match &column.ty {
        ColumnType::Decimal { precision, scale }
            if *precision == 0 || *precision > Decimal::MAX_PRECISION || scale > precision =>
        {
            return Err(refuse(format!("{place} of type {}", column.ty))
                .with_help("a decimal has 1 to 38 digits, and not more of them after the point"));
        }
        ColumnType::Enum(ty) if ty.labels.is_empty() || ty.name.is_empty() => {
            return Err(refuse(format!("{place} of an enum without a name or without labels")));
        }
        ColumnType::Other(name) => return Err(refuse(format!("{place} of the unknown type {name}"))),
        _ => {}
    }
    if let Some(generated) = &column.generated {
        written(&generated.expression, &format!("the generated column {place}"))?;
        if column.auto || column.default.is_some() {
            return Err(refuse(format!("the generated column {place} that is numbered or has a default")));
        }
        if table.primary_key.contains(&column.name) {
            return Err(refuse(format!("a primary key over the generated column {place}")));
        }
    }
    if let Some(ColumnDefault::Expression(expression)) = &column.default {
        written(expression, &format!("the default of {place}"))?;
        let text = Expression::new(expression.on(NAME).unwrap_or_default().to_owned());
        if let Some(other) = table.columns.iter().find(|other| text.mentions(&other.name)) {
            return Err(refuse(format!("the default of {place} that reads the column {}", other.name))
                .with_help("generate the column, or give the value with the row"));
        }
    }
    if let Some(default) = &column.default {
        literal::default(&table.name, column, default)?;
    }
    Ok(())
}

fn check_foreign_key(schema: &Schema, table: &Table, key: &ForeignKey) -> Result<()> {
    let refuse = |what: String| -> Error { unsupported(what).with_table(&table.name).with_constraint(&key.name) };
    let target = schema
        .table(&key.target)
        .ok_or_else(|| refuse(format!("a foreign key of {} to {}, which is no table", table.name, key.target)))?;
    let places = format!("the foreign key {} of {} to {}", key.name, table.name, key.target);
    if key.columns.len() != key.target_columns.len() || key.columns.is_empty() {
        return Err(refuse(format!("{places} with {} columns for {}", key.columns.len(), key.target_columns.len())));
    }
    if !target.is_unique(&key.target_columns) {
        return Err(refuse(format!("{places} over columns that are neither its primary key nor unique")));
    }
    for (name, target_name) in key.columns.iter().zip(&key.target_columns) {
        let (Some(column), Some(target_column)) = (table.column(name), target.column(target_name)) else {
            return Err(refuse(format!("{places} over a column that does not exist: {name} or {target_name}")));
        };
        if column.ty != target_column.ty || column.case_insensitive != target_column.case_insensitive {
            return Err(refuse(format!("{places} whose types differ: {} and {}", column.ty, target_column.ty))
                .with_column(name));
        }
        if !column.nullable && [key.on_delete, key.on_update].contains(&Action::SetNull) {
            return Err(
                refuse(format!("{places} that sets {name} to NULL, which the column does not allow")).with_column(name)
            );
        }
    }
    Ok(())
}
