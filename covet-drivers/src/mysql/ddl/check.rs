//! What MySQL and MariaDB could not hold as asked.

use crate::catalog::{Action, Column, ColumnDefault, ColumnType, Schema, Table};
use crate::error::{Error, Result};
use crate::mysql::ddl::keys::set_default;
use crate::mysql::defaults::default;
use crate::mysql::types::{MAX_VARCHAR, native};

/// The most bytes of an InnoDB index, and of a row without its long texts.
const MAX_KEY: u64 = 3_072;
const MAX_ROW: u64 = 65_535;

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
            key(table, &index.name, &index.columns)?;
        }
        foreign_keys(schema, table)?;
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
            if ty.name.contains(['\\', '\0']) {
                return Err(at(no(format_args!("an enum name with a backslash in {place}"))));
            }
        }
        _ => {}
    }
    if column.case_insensitive && !column.ty.is_text() {
        return Err(at(no(format_args!("comparison without case in {place}, which is no text"))));
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

fn foreign_keys(schema: &Schema, table: &Table) -> Result<()> {
    for key in &table.foreign_keys {
        name(&key.name)?;
        if key.on_delete == Action::SetDefault || key.on_update == Action::SetDefault {
            return Err(set_default(&key.name));
        }
        let named = |error: Error| error.with_table(&table.name).with_constraint(&key.name);
        let sets_null = key.on_delete == Action::SetNull || key.on_update == Action::SetNull;
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
            let same = |columns: &[String]| columns == key.target_columns;
            if !same(&target.primary_key) && !target.indexes.iter().any(|index| index.unique && same(&index.columns)) {
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
