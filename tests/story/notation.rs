//! Schemas in a line: `users{id auto; email text(200) uq; bio text?} posts{id auto; user_id i64 ->users.id cascade ix}`.
//!
//! A column is its name, its type (`?` allows NULL; `auto` is a numbered key) and words: `pk`, `uq`,
//! `ix`, `ci`, `=default`, `->table.column`, an action on delete, and `on:` an action on update. A
//! table may add `pk(a,b)`, `uq(a,b)`, `ix(a,b)` and `ix:name(a,b)`. `~` stands for a blank.

use covet_orm::drivers::catalog::{
    Action, Column, ColumnDefault, ColumnType, EnumType, ForeignKey, Index, Schema, Table, constraint_name,
};

pub(crate) fn schema(text: &str) -> Schema {
    let tables = text.split_inclusive('}').filter(|part| !part.trim().is_empty());
    let mut schema = Schema { tables: tables.map(|part| table(part.trim())).collect() };
    schema.sort();
    schema
}

fn table(text: &str) -> Table {
    let (name, body) = text.strip_suffix('}').unwrap().split_once('{').unwrap();
    let (primary_key, columns, indexes, foreign_keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut table = Table { name: plain(name), primary_key, columns, indexes, foreign_keys };
    for item in body.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        if item.contains(' ') { column(&mut table, item) } else { key(&mut table, item) }
    }
    table
}

fn key(table: &mut Table, item: &str) {
    let (word, columns) = item.strip_suffix(')').unwrap().split_once('(').unwrap();
    let columns: Vec<String> = columns.split(',').map(plain).collect();
    let (word, name) = word.split_once(':').map_or((word, None), |(word, name)| (word, Some(plain(name))));
    match word {
        "pk" => table.primary_key = columns,
        _ => index(table, columns, word == "uq", name),
    }
}

fn index(table: &mut Table, columns: Vec<String>, unique: bool, name: Option<String>) {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let name = name.unwrap_or_else(|| constraint_name(&table.name, &names, if unique { "key" } else { "idx" }));
    table.indexes.push(Index { name, columns, unique });
}

fn column(table: &mut Table, item: &str) {
    let mut words = item.split_whitespace();
    let (name, ty) = (plain(words.next().unwrap()), words.next().unwrap());
    let (ty, nullable) = ty.strip_suffix('?').map_or((ty, false), |ty| (ty, true));
    let auto = ty == "auto";
    let mut column = Column { nullable, auto, ..Column::new(name.clone(), of(if auto { "i64" } else { ty })) };
    if auto {
        table.primary_key = vec![name.clone()];
    }
    for word in words {
        let action = |word: &str| match word {
            "cascade" => Action::Cascade,
            "restrict" => Action::Restrict,
            "setnull" => Action::SetNull,
            "setdefault" => Action::SetDefault,
            other => panic!("{other}"),
        };
        match word {
            "pk" => table.primary_key = vec![name.clone()],
            "uq" | "ix" => index(table, vec![name.clone()], word == "uq", None),
            "ci" => column.case_insensitive = true,
            _ => {
                if let Some(value) = word.strip_prefix('=') {
                    column.default = Some(value_of(&plain(value)));
                } else if let Some((target, other)) = word.strip_prefix("->").and_then(|at| at.split_once('.')) {
                    table.foreign_keys.push(ForeignKey {
                        name: constraint_name(&table.name, &[&name], "fkey"),
                        columns: vec![name.clone()],
                        target: plain(target),
                        target_columns: vec![plain(other)],
                        on_delete: Action::NoAction,
                        on_update: Action::NoAction,
                    });
                } else {
                    let key = table.foreign_keys.last_mut().unwrap();
                    match word.strip_prefix("on:") {
                        Some(word) => key.on_update = action(word),
                        None => key.on_delete = action(word),
                    }
                }
            }
        }
    }
    table.columns.push(column);
}

fn of(text: &str) -> ColumnType {
    let (word, inside) = text.strip_suffix(')').and_then(|text| text.split_once('(')).unwrap_or((text, ""));
    let parts: Vec<&str> = inside.split(',').collect();
    match word {
        "bool" => ColumnType::Bool,
        "i16" => ColumnType::I16,
        "i32" => ColumnType::I32,
        "i64" => ColumnType::I64,
        "f64" => ColumnType::F64,
        "json" => ColumnType::Json,
        "bytes" => ColumnType::Bytes,
        "datetime" => ColumnType::DateTime,
        "timestamp" => ColumnType::Timestamp,
        "text" => ColumnType::Text { max_len: inside.parse().ok() },
        "decimal" => ColumnType::Decimal { precision: parts[0].parse().unwrap(), scale: parts[1].parse().unwrap() },
        "enum" => ColumnType::Enum(EnumType {
            name: plain(parts[0]).into(),
            labels: parts[1..].iter().map(|label| plain(label).into()).collect(),
        }),
        other => panic!("{other}"),
    }
}

fn value_of(text: &str) -> ColumnDefault {
    match text {
        "now" => ColumnDefault::Now,
        "true" | "false" => ColumnDefault::Bool(text == "true"),
        _ => match (text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')), text.parse()) {
            (Some(inside), _) => ColumnDefault::Text(inside.to_owned().into()),
            (None, Ok(number)) => ColumnDefault::Int(number),
            (None, Err(_)) => ColumnDefault::Number(text.to_owned().into()),
        },
    }
}

fn plain(name: &str) -> String {
    name.replace('~', " ")
}
