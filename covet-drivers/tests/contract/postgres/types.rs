//! Schemas made for tests.

use covet_drivers::catalog::{
    Action, Change, Column, ColumnDefault, ColumnType, EnumType, ForeignKey, Index, Schema, Table,
};
use covet_drivers::contract::{Connection, Ddl, Introspect, Step};
use covet_drivers::postgres::{PostgresDdl, PostgresIntrospect};

use crate::postgres::number;

/// A table with this one column.
pub(super) async fn make(connection: &mut dyn Connection, name: &str, column: Column) {
    let table = Table { columns: vec![column], ..empty(name) };
    let mut changes = Vec::new();
    if let Some(ty) = table.columns[0].ty.as_enum() {
        changes.push(Change::CreateEnum { ty: ty.clone() });
    }
    changes.push(Change::CreateTable { table: table.clone() });
    apply(connection, &changes, &Schema::default(), &Schema::of(vec![table])).await;
}

pub(super) fn empty(name: &str) -> Table {
    Table { name: name.into(), ..Table::default() }
}

/// Runs the steps of the changes as a runner would.
pub(super) async fn apply(connection: &mut dyn Connection, changes: &[Change], before: &Schema, after: &Schema) {
    try_apply(connection, changes, before, after).await.unwrap();
}

/// As [`apply`]; a guard that finds rows is an error with its note.
pub(super) async fn try_apply(
    connection: &mut dyn Connection,
    changes: &[Change],
    before: &Schema,
    after: &Schema,
) -> Result<(), String> {
    let steps = PostgresDdl.plan(changes, before, after).map_err(|error| error.to_string())?;
    connection.begin_migration().await.unwrap();
    for Step { sql, note, alone, guard, .. } in steps {
        if alone {
            connection.commit_migration().await.unwrap();
            connection.script(&sql).await.map_err(|error| format!("{sql}: {error}"))?;
            connection.begin_migration().await.unwrap();
        } else if guard {
            let found = number(connection, &sql).await;
            if found > 0 {
                connection.rollback_migration().await.unwrap();
                return Err(format!("{found} {note}"));
            }
        } else if let Err(error) = connection.script(&sql).await {
            connection.rollback_migration().await.unwrap();
            return Err(format!("{sql}: {error}"));
        }
    }
    connection.commit_migration().await.map_err(|error| error.to_string())
}

pub(super) async fn introspect(connection: &mut dyn Connection) -> Schema {
    PostgresIntrospect.read(connection, &[]).await.unwrap()
}

/// The changes that make a whole schema.
pub(super) fn creation(schema: &Schema) -> Vec<Change> {
    let mut changes: Vec<Change> = schema.enums().into_iter().map(|ty| Change::CreateEnum { ty: ty.clone() }).collect();
    changes.extend(schema.tables.iter().map(|table| Change::CreateTable { table: table.clone() }));
    for table in &schema.tables {
        let name = || table.name.clone();
        changes.extend(table.indexes.iter().map(|index| Change::AddIndex { table: name(), index: index.clone() }));
    }
    for table in &schema.tables {
        let keys = table.foreign_keys.iter();
        changes.extend(keys.map(|key| Change::AddForeignKey { table: table.name.clone(), foreign_key: key.clone() }));
    }
    changes
}

pub(super) fn mood(labels: &[&'static str]) -> EnumType {
    EnumType { name: "mo\"od".into(), labels: labels.iter().map(|label| (*label).into()).collect::<Vec<_>>().into() }
}

pub(super) const TEXT: ColumnType = ColumnType::Text { max_len: None };

fn with(name: &str, ty: ColumnType, default: ColumnDefault) -> Column {
    Column { default: Some(default), ..Column::new(name, ty) }
}

/// A schema with everything that can be asked for, and names that need quotes.
pub(super) fn rich() -> Schema {
    let hostile = "na\"ïve; DROP TABLE x --";
    let users = Table {
        primary_key: vec!["id".into()],
        columns: vec![
            Column { auto: true, ..Column::new("id", ColumnType::I64) },
            Column { case_insensitive: true, ..Column::new("email", ColumnType::Text { max_len: Some(200) }) },
            Column { nullable: true, ..Column::new("select", TEXT) },
            with("mood", ColumnType::Enum(mood(&["fine", "it's", "back\\slash"])), ColumnDefault::Text("it's".into())),
            with("joined", ColumnType::Timestamp, ColumnDefault::Now),
            with("seen", ColumnType::DateTime, ColumnDefault::Now),
            with("day", ColumnType::Date, ColumnDefault::Now),
            with("hour", ColumnType::Time, ColumnDefault::Now),
            with("a", ColumnType::I8, ColumnDefault::Int(-5)),
            with("b", ColumnType::I16, ColumnDefault::Int(7)),
            with("c", ColumnType::I32, ColumnDefault::Int(0)),
            with("d", ColumnType::I64, ColumnDefault::Int(-3_000_000_000)),
            Column::new("e", ColumnType::U8),
            Column::new("f", ColumnType::U16),
            with("g", ColumnType::U32, ColumnDefault::Int(4_294_967_295)),
            Column::new("h", ColumnType::U64),
            with("i", ColumnType::F32, ColumnDefault::Number("0.5".into())),
            with("j", ColumnType::F64, ColumnDefault::Number("-1.5".into())),
            with("k", ColumnType::Decimal { precision: 10, scale: 2 }, ColumnDefault::Number("1.50".into())),
            with("l", ColumnType::Bool, ColumnDefault::Bool(true)),
            with("m", ColumnType::Text { max_len: Some(20) }, ColumnDefault::Text("a\\b'c\n%日".into())),
            with("n", TEXT, ColumnDefault::Text(String::new().into())),
            Column::new("o", ColumnType::Bytes),
            Column::new("p", ColumnType::Uuid),
            Column { nullable: true, ..Column::new("q", ColumnType::Json) },
        ],
        indexes: vec![
            Index::new("users_email_key", ["email"], true),
            Index::new("users_select_a_idx", ["select", "a"], false),
        ],
        ..empty("users")
    };
    let posts = Table {
        primary_key: vec!["b".into(), "a\"".into()],
        columns: vec![
            Column::new("a\"", ColumnType::I32),
            Column::new("b", ColumnType::U8),
            Column::new("author", ColumnType::I64),
            Column { nullable: true, ..Column::new("editor", ColumnType::I64) },
        ],
        foreign_keys: vec![
            ForeignKey {
                name: "posts_author_fkey".into(),
                columns: vec!["author".into()],
                target: "users".into(),
                target_columns: vec!["id".into()],
                on_delete: Action::Cascade,
                on_update: Action::NoAction,
                ..ForeignKey::default()
            },
            ForeignKey {
                name: "posts_editor_fkey".into(),
                columns: vec!["editor".into()],
                target: "users".into(),
                target_columns: vec!["id".into()],
                on_delete: Action::SetNull,
                on_update: Action::Restrict,
                ..ForeignKey::default()
            },
        ],
        ..empty(hostile)
    };
    let mut schema = Schema::of(vec![users, posts]);
    schema.sort();
    schema
}
