//! What MySQL and MariaDB could not hold as asked.

use crate::catalog::{
    Action, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Index, ObjectKind, Schema, Table, Timing,
};
use crate::error::{Error, Result};
use crate::mysql::ddl::keys::set_default;
use crate::mysql::defaults::default;
use crate::mysql::dialect::NAME;
use crate::mysql::types::{MAX_VARCHAR, native};

/// The most bytes of an InnoDB index, and of a row without its long texts.
const MAX_KEY: u64 = 3_072;
const MAX_ROW: u64 = 65_535;

const NOT_HERE: &str = "give its text for the databases alone that have such a thing: `= { postgres = \"…\" }`";

pub(crate) fn check(schema: &Schema) -> Result<()> {
    for table in &schema.tables {
        name(&table.name)?;
        for column in &table.columns {
            self::column(table, column)?;
        }
        let row: u64 = table.columns.iter().map(|column| bytes(&column.ty).unwrap_or(12)).sum();
        if row > MAX_ROW {
            return Err(no(format_args!("rows of up to {row} bytes in {}, more than {MAX_ROW}", table.name))
                .with_table(&table.name)
                .with_help("give its long texts no limit, or one above 16383"));
        }
        key(table, "the primary key", &table.primary_key)?;
        for index in &table.indexes {
            name(&index.name)?;
            self::index(table, index)?;
            key(table, &index.name, &index.column_names())?;
        }
        for check in &table.checks {
            name(&check.name)?;
            written(&check.expression, &format!("the check {} of {}", check.name, table.name))?;
            unnumbered(table, &check.expression, &format!("the check {} of {}", check.name, table.name))?;
        }
        comment(table.comment.as_deref(), &table.name, 2_048)?;
        foreign_keys(schema, table)?;
    }
    for object in schema.objects.iter().filter(|object| object.definition.on(NAME).is_some()) {
        name(&object.name)?;
        if object.kind == ObjectKind::Extension {
            return Err(no(format_args!("the extension {}", object.name)).with_help(NOT_HERE));
        }
    }
    Ok(())
}

fn name(name: &str) -> Result<()> {
    // The server counts 64 characters; Covet's own names keep to 63 bytes, as PostgreSQL does.
    if name.len() > 63 || name.is_empty() || name.ends_with(' ') || name.contains('\0') {
        return Err(no(format_args!("the name `{name}`")).with_help("a name has 1 to 63 bytes and no blank at its end"));
    }
    Ok(())
}

fn column(table: &Table, column: &Column) -> Result<()> {
    name(&column.name)?;
    let place = format!("{}.{}", table.name, column.name);
    let at = |error: Error| error.with_table(&table.name).with_column(&column.name);
    if column.auto && (column.ty.integer_range().is_none() || table.primary_key != [column.name.clone()]) {
        return Err(at(no(format_args!("a numbered column {place} that is not an integer and the whole primary key"))));
    }
    if column.auto && column.default.is_some() {
        return Err(at(no(format_args!("a default on the numbered column {place}"))));
    }
    match &column.ty {
        ColumnType::Decimal { precision, scale }
            if *precision == 0 || *precision > 38 || scale > precision || *scale > 30 =>
        {
            return Err(at(no(format_args!("decimal({precision}, {scale}) in {place}"))
                .with_help("the precision is 1 to 38, the scale at most the precision and 30")));
        }
        ColumnType::Text { max_len: Some(0) } => {
            return Err(at(no(format_args!("a text of no characters in {place}"))));
        }
        ColumnType::Enum(ty) => {
            if ty.labels.is_empty() || ty.labels.len() > 65_535 {
                return Err(at(no(format_args!("an enum of {} labels in {place}", ty.labels.len()))));
            }
            if let Some(label) = ty.labels.iter().find(|label| label.chars().any(|c| c > '\u{ffff}')) {
                // Where the server keeps its schema there is a question mark for each of them.
                return Err(at(no(format_args!("the enum label `{label}` in {place}"))
                    .with_help("the characters of a label are at most U+FFFF")));
            }
            if let Some(label) = ty.labels.iter().find(|label| label.ends_with(' ') || label.chars().count() > 255) {
                return Err(at(no(format_args!("the enum label `{label}` in {place}"))
                    .with_help("a label has at most 255 characters and no blank at its end")));
            }
            if ty.name.contains(['\\', '\0', '[']) {
                return Err(at(no(format_args!("an enum name with a backslash or a bracket in {place}"))));
            }
        }
        _ => {}
    }
    if column.case_insensitive && !column.ty.is_text() {
        return Err(at(no(format_args!("comparison without case in {place}, which is no text"))));
    }
    comment(column.comment.as_deref(), &place, 1_000).map_err(at)?;
    if let Some(generated) = &column.generated {
        written(&generated.expression, &format!("the generated column {place}")).map_err(at)?;
        unnumbered(table, &generated.expression, &format!("the generated column {place}")).map_err(at)?;
        if column.auto || column.default.is_some() {
            return Err(at(no(format_args!("the generated column {place} that is numbered or has a default"))));
        }
        if table.primary_key.contains(&column.name) {
            // MySQL would take one that is stored.
            return Err(at(no(format_args!("a primary key over the generated column {place}"))));
        }
    }
    if let Some(ColumnDefault::Expression(expression)) = &column.default {
        written(expression, &format!("the default of {place}")).map_err(at)?;
    }
    if let Some(value) = &column.default {
        if matches!((value, &column.ty), (ColumnDefault::Text(text), ColumnType::Enum(ty)) if !ty.labels.contains(text))
        {
            return Err(at(no(format_args!("a default of {place} that is none of its labels"))));
        }
        default(value, &column.ty, &place).map_err(at)?;
    }
    Ok(())
}

fn index(table: &Table, index: &Index) -> Result<()> {
    let refuse =
        |what: &str| no(format_args!("{what} (the index {} of {})", index.name, table.name)).with_table(&table.name);
    if index.condition.is_some() {
        return Err(refuse("an index of some rows").with_help("index a generated column that is NULL for the others"));
    }
    if index.terms.iter().any(|term| term.as_column().is_none()) {
        return Err(refuse("an index over an expression").with_help("make it a generated column, and index that"));
    }
    if let Some(class) = index.terms.iter().find_map(|term| term.class.as_ref()) {
        return Err(refuse(&format!("an index with the operator class {class}")));
    }
    if index.method.is_some() {
        return Err(refuse("an index of another kind than a B-tree"));
    }
    if !index.include.is_empty() {
        return Err(refuse("columns that an index only includes").with_help("put them behind its columns"));
    }
    if index.nulls_agree {
        return Err(refuse("a unique index in which NULLs agree"));
    }
    Ok(())
}

/// There must be a text of it for this database.
fn written(expression: &Expression, what: &str) -> Result<()> {
    match expression.on(NAME) {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err(no(format_args!("{what}: there is no expression for it"))
            .with_help(format!("write one text for all databases, or one named {NAME}"))),
    }
}

/// The number of a row is not known yet when such an expression is looked at.
fn unnumbered(table: &Table, expression: &Expression, what: &str) -> Result<()> {
    match table.columns.iter().find(|column| column.auto && expression.mentions(&column.name)) {
        None => Ok(()),
        Some(column) => {
            Err(no(format_args!("{what}, which reads the numbered column {}", column.name)).with_table(&table.name))
        }
    }
}

/// A comment cannot be written in hexadecimal, and what a backslash in it means is up to the session.
fn comment(text: Option<&str>, place: &str, most: usize) -> Result<()> {
    match text {
        Some(text) if text.contains(['\\', '\0']) => Err(no(format_args!("a comment with a backslash on {place}"))),
        Some(text) if text.chars().count() > most => {
            Err(no(format_args!("a comment of more than {most} characters on {place}")))
        }
        _ => Ok(()),
    }
}

fn key(table: &Table, what: &str, columns: &[String]) -> Result<()> {
    let mut total = 0;
    for name in columns {
        let Some(column) = table.column(name) else { continue };
        let place = format!("{}.{name}", table.name);
        match bytes(&column.ty) {
            Some(bytes) => total += bytes,
            None => {
                return Err(no(format_args!("a key on {place}, which is an unbounded {}", column.ty))
                    .with_table(&table.name)
                    .with_column(name)
                    .with_help("give the text a length, such as #[covet(max_len = 191)]"));
            }
        }
    }
    if total > MAX_KEY {
        return Err(no(format_args!("{what} of {}, which takes {total} bytes, more than {MAX_KEY}", table.name))
            .with_table(&table.name)
            .with_help("a character counts 4 bytes: shorten the texts of the key"));
    }
    Ok(())
}

/// The bytes of a value in a row or key, about; `None` for what lies outside the row and cannot be a key.
fn bytes(ty: &ColumnType) -> Option<u64> {
    Some(match ty {
        ColumnType::Text { max_len: Some(n) } if *n <= MAX_VARCHAR => u64::from(*n) * 4 + 2,
        ColumnType::Text { .. } | ColumnType::Bytes | ColumnType::Json => return None,
        ColumnType::Uuid | ColumnType::Decimal { .. } => 18,
        _ => 8,
    })
}

/// What reads a column that a foreign key writes does not hear of it, and the server refuses such a thing. A key that
/// takes whole rows away writes nothing (MySQL refuses that as well beside a stored column, and says so).
fn unread(table: &Table, key: &ForeignKey) -> Result<()> {
    let reads = |expression: &Expression| key.columns.iter().any(|column| expression.mentions(column));
    if let Some(check) = table.checks.iter().find(|check| reads(&check.expression)) {
        let what = format!("the check {} of columns that the foreign key {} writes", check.name, key.name);
        return Err(no(what).with_help("let the foreign key do nothing by itself, or take the check away"));
    }
    let stored = |column: &&Column| column.generated.as_ref().is_some_and(|g| g.stored && reads(&g.expression));
    match table.columns.iter().find(stored) {
        None => Ok(()),
        Some(column) => {
            let what = format!(
                "the stored column {}.{} made of columns that the foreign key {} writes",
                table.name, column.name, key.name
            );
            Err(no(what).with_help("let the foreign key do nothing by itself, or make the column `generated_virtual`"))
        }
    }
}

fn foreign_keys(schema: &Schema, table: &Table) -> Result<()> {
    for key in &table.foreign_keys {
        name(&key.name)?;
        if key.timing != Timing::Immediate {
            return Err(no(format_args!("the foreign key {} that can wait for the end of the transaction", key.name))
                .with_table(&table.name)
                .with_constraint(&key.name));
        }
        if key.on_delete == Action::SetDefault || key.on_update == Action::SetDefault {
            return Err(set_default(&key.name));
        }
        let named = |error: Error| error.with_table(&table.name).with_constraint(&key.name);
        let sets_null = key.on_delete == Action::SetNull || key.on_update == Action::SetNull;
        if sets_null || key.on_update == Action::Cascade {
            unread(table, key).map_err(named)?;
        }
        for (column, target_column) in key.columns.iter().zip(&key.target_columns) {
            let (Some(own), Some(other)) =
                (table.column(column), schema.table(&key.target).and_then(|target| target.column(target_column)))
            else {
                continue;
            };
            if sets_null && !own.nullable {
                return Err(named(no(format_args!("SET NULL on {}.{column}, which allows no NULL", table.name))));
            }
            let both_varchar = native(&own.ty).starts_with("varchar") && native(&other.ty).starts_with("varchar");
            let same = native(&own.ty) == native(&other.ty) || both_varchar;
            if !same || own.case_insensitive != other.case_insensitive {
                return Err(named(no(format_args!(
                    "a foreign key from {}.{column} ({}) to {}.{target_column} ({})",
                    table.name, own.ty, key.target, other.ty
                )))
                .with_help("give both columns the same type"));
            }
        }
        if let Some(target) = schema.table(&key.target) {
            let leads = |index: &Index| index.keeps_unique(&key.target_columns) && index.leads(&key.target_columns);
            if target.primary_key != key.target_columns && !target.indexes.iter().any(leads) {
                return Err(named(no(format_args!(
                    "a foreign key from {} to columns of {} that are not unique together",
                    table.name, target.name
                )))
                .with_help("point at the primary key, or make the target unique"));
            }
        }
    }
    Ok(())
}

#[cold]
fn no(construct: impl std::fmt::Display) -> Error {
    Error::unsupported(construct, "mysql")
}
