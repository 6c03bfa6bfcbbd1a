//! Rows by chance: extremes, NULLs, empty texts, quotes; children that point at their parents.

use std::collections::BTreeMap;
use std::fmt::Write;

use covet_orm::drivers::catalog::{Column, ColumnType, Schema, Table};
use covet_orm::drivers::value::{Decimal, Value};
use covet_tests::Kind;

use crate::place::quote;
use crate::random::make::Maker;

/// A row, as it is inserted.
#[derive(Clone)]
pub(crate) struct Insert {
    pub(crate) table: String,
    pub(crate) cells: Vec<(String, Value)>,
}

impl Insert {
    pub(crate) fn sql(&self, kind: Kind) -> String {
        let names: Vec<String> = self.cells.iter().map(|(name, _)| quote(kind.name(), name)).collect();
        let marks: Vec<String> = (1..=names.len())
            .map(|number| if kind == Kind::Postgres { format!("${number}") } else { "?".to_owned() })
            .collect();
        let table = quote(kind.name(), &self.table);
        format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "))
    }

    /// The row for people.
    pub(crate) fn show(&self) -> String {
        let mut out = format!("{}:", self.table);
        for (name, value) in &self.cells {
            let _ = write!(out, " {name}={}", show(value));
        }
        out
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) | Value::Time(value) | Value::DateTime(value) | Value::Timestamp(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Float32(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) | Value::Json(value) => format!("{value:?}"),
        Value::Label(value) => format!("{value:?}"),
        Value::Bytes(value) => format!("{value:?}"),
        Value::Date(value) => value.to_string(),
        Value::Uuid(value) => format!("{value:?}"),
        Value::Decimal(value) => value.to_string(),
    }
}

impl Maker<'_> {
    /// Rows for the tables; not each of them will fit.
    pub(crate) fn rows(&mut self, schema: &Schema) -> Vec<Insert> {
        let mut rows: Vec<Insert> = Vec::new();
        let mut known: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        // Twice, so that children find parents whatever their order.
        for _ in 0..2 {
            for table in parents_first(schema) {
                for _ in 0..self.chance.below(4) {
                    let row = self.row(table, &rows, &known);
                    known.entry(&table.name).or_default().push(rows.len());
                    rows.push(row);
                }
            }
        }
        rows
    }

    fn row(&mut self, table: &Table, rows: &[Insert], known: &BTreeMap<&str, Vec<usize>>) -> Insert {
        let mut cells: BTreeMap<&str, Value> = BTreeMap::new();
        for column in table.columns.iter().filter(|column| column.generated.is_none()) {
            let value = if column.auto { Value::Int(self.number_of_a_row()) } else { self.value(column) };
            cells.insert(&column.name, value);
        }
        for key in &table.foreign_keys {
            let nullable = key.columns.iter().all(|name| table.column(name).is_some_and(|column| column.nullable));
            let parents = known.get(key.target.as_str()).map_or(&[][..], Vec::as_slice);
            let parent = if parents.is_empty() { None } else { Some(&rows[*self.chance.pick(parents)]) };
            for (own, theirs) in key.columns.iter().zip(&key.target_columns) {
                let value = match parent.filter(|_| !nullable || self.chance.percent(80)) {
                    Some(parent) => {
                        parent.cells.iter().find(|(name, _)| name == theirs).map(|(_, value)| value.clone())
                    }
                    None if nullable => Some(Value::Null),
                    // A row may point at itself.
                    None if key.target == table.name => cells.get(theirs.as_str()).cloned(),
                    None => None,
                };
                if let Some(value) = value {
                    cells.insert(own, value);
                }
            }
        }
        let cells = cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Insert { table: table.name.clone(), cells }
    }

    fn number_of_a_row(&mut self) -> i64 {
        i64::try_from(1 + self.chance.below(100)).unwrap()
    }

    fn value(&mut self, column: &Column) -> Value {
        if column.nullable && self.percent(30) {
            return Value::Null;
        }
        let mysql = self.kind == Kind::Mysql;
        match &column.ty {
            ColumnType::Bool => Value::Bool(self.percent(50)),
            ColumnType::F32 => Value::Float32(*self.chance.pick(&[0.0, 1.5, -0.25, 3.0e7, 1.0e-7])),
            ColumnType::F64 => Value::Float(*self.chance.pick(&[0.0, 1.0, -1.5, 1.0e15, 1.0e300, 0.1])),
            ColumnType::Text { max_len } => Value::Text(self.text(max_len.map(|most| most as usize))),
            ColumnType::Bytes => Value::Bytes(self.chance.pick(&[vec![], vec![0, 255, 39], vec![7; 16]]).clone()),
            ColumnType::Date => Value::Date(*self.chance.pick(&[0, 20_000, -719_162, 2_932_896, -1])),
            ColumnType::Time => Value::Time(*self.chance.pick(&[0, 86_399_999_999, 3_600_000_000, 1])),
            ColumnType::DateTime => Value::DateTime(self.moment()),
            ColumnType::Timestamp => Value::Timestamp(self.moment()),
            ColumnType::Uuid => Value::Uuid(*self.chance.pick(&[[0; 16], [255; 16], [1; 16], *b"0123456789abcdef"])),
            ColumnType::Decimal { precision, scale } => {
                let most = 10_i128.pow(u32::from(*precision)) - 1;
                let one = 10_i128.pow(u32::from(*scale));
                let mantissa = *self.chance.pick(&[0, 1, -1, most, -most, if one > most { 5 } else { one }]);
                Value::Decimal(Decimal::new(mantissa, *precision, *scale).unwrap())
            }
            ColumnType::Json => Value::Json(
                (*self.chance.pick(&["{}", "[1, 2]", "\"it's\"", "null", "{\"a\": {\"b\": \"ü\"}}"])).to_owned(),
            ),
            ColumnType::Enum(ty) => Value::Label(self.chance.pick(&ty.labels).clone()),
            ColumnType::Other(_) => Value::Null,
            ty => {
                let (low, high) = ty.integer_range().unwrap();
                let high = if mysql { high } else { high.min(i64::MAX.into()) };
                let extreme = self.percent(15);
                let number = if extreme {
                    *self.chance.pick(&[-1, low, high])
                } else {
                    *self.chance.pick(&[0, 1, 2, 3, 42, 100])
                };
                match i64::try_from(number.clamp(low, high)) {
                    Ok(number) => Value::Int(number),
                    Err(_) => Value::UInt(u64::try_from(high).unwrap()),
                }
            }
        }
    }

    fn moment(&mut self) -> i64 {
        const DAY: i64 = 86_400_000_000;
        let moments = [0, 20_000 * DAY, 1_700_000_000_123_456, -719_162 * DAY, 2_932_897 * DAY - 1];
        *self.chance.pick(&moments)
    }

    fn text(&mut self, most: Option<usize>) -> String {
        let texts =
            ["", "a", "it's", "say \"x\"", "ünï→😀", "a b ", "0", "1", "-5", "007", "true", "2020-02-29", "A", "b\\n"];
        let text = *self.chance.pick(&texts);
        match most {
            // As long as can be.
            Some(most) if most <= 300 && self.percent(10) => "ü".repeat(most),
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        }
    }
}

/// The tables, each behind those that it points at as far as that can be.
fn parents_first(schema: &Schema) -> Vec<&Table> {
    let mut left: Vec<&Table> = schema.tables.iter().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |table: &Table| {
            table.foreign_keys.iter().any(|key| key.target != table.name && left.iter().any(|t| t.name == key.target))
        };
        let at = left.iter().position(|table| !waits(table)).unwrap_or(0);
        order.push(left.remove(at));
    }
    order
}
