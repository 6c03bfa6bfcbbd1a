//! The part of a live schema that models are answerable for.
//!
//! A table that no model has, and what no model can say of one that has a model, are none of Covet's affairs: no
//! migration touches them, and no comparison takes them for a difference.

use covet_drivers::catalog::{ColumnDefault, ColumnType, Schema, Table};

use crate::schema::sayable::{Unsayable, unsayable};

/// Something of a live schema that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unmanaged {
    /// The table.
    pub(crate) table: String,
    /// What it is, in words: `column users.ip`.
    pub(crate) object: String,
    /// Why.
    pub(crate) why: String,
}

/// The live schema without what is left alone, and that; both schemas tell numbers in one way afterwards.
pub(crate) fn managed(live: &mut Schema, wanted: &mut Schema) -> Vec<Unmanaged> {
    let mut reasons = unsayable(live);
    let mut left = Vec::new();
    live.tables.retain_mut(|table| {
        let reasons = reasons.remove(&table.name).unwrap_or_default();
        match wanted.table(&table.name) {
            Some(wanted) => {
                keep(table, wanted, &reasons, &mut left);
                true
            }
            None => {
                left.push(Unmanaged {
                    table: table.name.clone(),
                    object: format!("table {}", table.name),
                    why: reasons.table.unwrap_or_else(|| "no model has it".to_owned()),
                });
                false
            }
        }
    });
    one_way_of_numbers(live);
    one_way_of_numbers(wanted);
    left.sort();
    left
}

/// Takes out of a table what a model cannot say and does not ask for.
fn keep(table: &mut Table, wanted: &Table, reasons: &Unsayable, left: &mut Vec<Unmanaged>) {
    let name = table.name.clone();
    let mut leave = |object: String, why: &String| {
        left.push(Unmanaged { table: name.clone(), object, why: why.clone() });
        false
    };
    table.columns.retain(|column| match reasons.columns.get(&column.name) {
        Some(why) if wanted.column(&column.name).is_none() => leave(format!("column {name}.{}", column.name), why),
        _ => true,
    });
    table.indexes.retain(|index| match reasons.indexes.get(&index.name) {
        Some(why) if !wanted.indexes.iter().any(|other| other.name == index.name) => {
            leave(format!("index {} on {name}", index.name), why)
        }
        _ => true,
    });
    table.foreign_keys.retain(|key| match reasons.foreign_keys.get(&key.name) {
        Some(why) if !wanted.foreign_keys.iter().any(|other| other.name == key.name) => {
            leave(format!("foreign key {} on {name}", key.name), why)
        }
        _ => true,
    });
    table.checks.retain(|check| match reasons.checks.get(&check.name) {
        Some(why) if !wanted.checks.iter().any(|other| other.name == check.name) => {
            leave(format!("check {} on {name}", check.name), why)
        }
        _ => true,
    });
}

/// Databases tell a default of 1 as `1`, `1.0` or `1.00`.
fn one_way_of_numbers(schema: &mut Schema) {
    for column in schema.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if !matches!(column.ty, ColumnType::Decimal { .. } | ColumnType::F32 | ColumnType::F64) {
            continue;
        }
        let text = match &column.default {
            Some(ColumnDefault::Int(number)) => number.to_string(),
            Some(ColumnDefault::Number(text)) => text.to_string(),
            _ => continue,
        };
        let float = match &column.ty {
            ColumnType::F32 => text.parse::<f32>().ok().map(|number| number.to_string()),
            ColumnType::F64 => text.parse::<f64>().ok().map(|number| number.to_string()),
            _ => None,
        };
        let plain = float.unwrap_or_else(|| match text.contains('.') && !text.contains(['e', 'E']) {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        });
        column.default = Some(ColumnDefault::Number(plain.into()));
    }
}
