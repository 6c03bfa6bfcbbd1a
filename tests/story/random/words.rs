//! Expressions by chance, in each database's own SQL.

use covet_orm::drivers::catalog::{Column, ColumnType, Table};
use covet_tests::Kind;
use covet_tests::chance::Chance;

use crate::random::make::Maker;

/// Types between which an expression keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Bool,
    Integer,
    Float,
    Decimal,
    Text,
    Enum,
    Time,
    Bytes,
    Uuid,
    Json,
}

pub(crate) fn family(ty: &ColumnType) -> Family {
    match ty {
        ColumnType::Bool => Family::Bool,
        ColumnType::F32 | ColumnType::F64 => Family::Float,
        ColumnType::Decimal { .. } => Family::Decimal,
        ColumnType::Text { .. } => Family::Text,
        ColumnType::Enum(_) => Family::Enum,
        ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp => Family::Time,
        ColumnType::Bytes => Family::Bytes,
        ColumnType::Uuid => Family::Uuid,
        ColumnType::Json | ColumnType::Other(_) => Family::Json,
        _ => Family::Integer,
    }
}

/// A column of the table.
pub(crate) fn column_of<'t>(
    chance: &mut Chance,
    table: &'t Table,
    fits: impl Fn(&Column) -> bool,
) -> Option<&'t Column> {
    let columns: Vec<&Column> = table.columns.iter().filter(|column| fits(column)).collect();
    if columns.is_empty() { None } else { Some(columns[chance.below(columns.len())]) }
}

/// Something that may hold for a row.
pub(crate) fn condition(maker: &mut Maker<'_>, table: &Table, fits: impl Fn(&Column) -> bool) -> Option<String> {
    let column = column_of(&mut maker.chance, table, &fits)?;
    let other = column_of(&mut maker.chance, table, &fits)?;
    let (c, d) = (maker.said(&column.name), maker.said(&other.name));
    let length = if maker.kind == Kind::Mysql { "CHAR_LENGTH" } else { "length" };
    let mut choices = vec![format!("{c} IS NOT NULL OR {d} IS NOT NULL"), format!("({c} IS NULL) OR 1 = 1")];
    match family(&column.ty) {
        Family::Integer => choices.extend([
            format!("{c} <> 42"),
            format!("{c} > -30000 AND {c} < 30000"),
            format!("{c} >= 0 OR {d} IS NULL"),
        ]),
        Family::Text => choices.extend([
            format!("{c} <> 'it''s'"),
            format!("{length}({c}) < 250"),
            format!("{c} IN ('a', '', 'X') OR {length}({c}) <> 3"),
        ]),
        Family::Bool => choices.push(format!("{c} OR NOT {c}")),
        Family::Enum if maker.kind != Kind::Postgres => choices.push(format!("{c} <> 'zzz'")),
        _ => {}
    }
    Some(maker.chance.pick(&choices).clone())
}

/// A term of an index.
pub(crate) fn term(maker: &mut Maker<'_>, table: &Table) -> Option<String> {
    let column = column_of(&mut maker.chance, table, |column| {
        matches!(family(&column.ty), Family::Integer | Family::Text | Family::Bool)
    })?;
    let c = maker.said(&column.name);
    Some(match family(&column.ty) {
        Family::Integer => format!("coalesce({c}, 0)"),
        Family::Text => format!("lower({c})"),
        _ => format!("NOT {c}"),
    })
}

/// A default in SQL.
pub(crate) fn expression_default(kind: Kind, ty: &ColumnType) -> Option<&'static str> {
    Some(match (ty, kind) {
        (ty, _) if ty.integer_range().is_some() => "1 + 1",
        (ColumnType::Bool, _) => "1 = 1",
        (ColumnType::F64, _) => "1.5 * 2",
        (ColumnType::Text { max_len }, _) if max_len.is_none_or(|most| most >= 2) => "lower('AB')",
        (ColumnType::Uuid, Kind::Postgres) => "gen_random_uuid()",
        (ColumnType::Uuid, Kind::Sqlite) => "randomblob(16)",
        (ColumnType::Date, Kind::Postgres) => "DATE '2020-02-29'",
        (ColumnType::Date, Kind::Sqlite) => "date('2020-02-29')",
        (ColumnType::Bytes, Kind::Postgres) => "decode('00ff', 'hex')",
        (ColumnType::Bytes, Kind::Sqlite) => "x'00ff'",
        (ColumnType::Json, Kind::Postgres) => "'[1]'::jsonb",
        (ColumnType::Json, Kind::Sqlite) => "json('[1]')",
        _ => return None,
    })
}
