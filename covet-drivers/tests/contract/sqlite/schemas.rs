//! Schemas: written, read back equal, changed forth and back.

use covet_drivers::catalog::{
    Action, Change, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Schema,
    Table, Term,
};
use covet_drivers::contract::Connection;
use covet_drivers::{ErrorKind, Result};

use super::{kind, memory, number, open, run, texts};

pub(super) fn column(name: &str, ty: ColumnType) -> Column {
    Column::new(name, ty)
}

pub(super) fn nullable(name: &str, ty: ColumnType) -> Column {
    Column { nullable: true, ..Column::new(name, ty) }
}

pub(super) fn with(column: Column, default: ColumnDefault) -> Column {
    Column { default: Some(default), ..column }
}

pub(super) fn auto() -> Column {
    Column { auto: true, ..Column::new("id", ColumnType::I64) }
}

pub(super) fn table(name: &str, columns: Vec<Column>) -> Table {
    let has_id = columns.iter().any(|column| column.name == "id");
    let primary_key = if has_id { vec!["id".into()] } else { vec![] };
    Table { name: name.into(), primary_key, columns, ..Table::default() }
}

pub(super) fn index(name: &str, columns: &[&str], unique: bool) -> Index {
    Index::new(name, columns.iter().copied(), unique)
}

pub(super) fn key(name: &str, column: &str, target: &str, on_delete: Action) -> ForeignKey {
    ForeignKey {
        name: name.into(),
        columns: vec![column.into()],
        target: target.into(),
        target_columns: vec!["id".into()],
        on_delete,
        on_update: Action::NoAction,
        ..ForeignKey::default()
    }
}

pub(super) fn text(max_len: Option<u32>) -> ColumnType {
    ColumnType::Text { max_len }
}

pub(super) fn mood(labels: &[&str]) -> EnumType {
    EnumType { name: "mood".into(), labels: labels.iter().map(|l| (*l).to_owned().into()).collect() }
}

/// The changes that make a schema from nothing.
pub(super) fn creation(schema: &Schema) -> Vec<Change> {
    let tables = schema.tables.iter().map(|table| Change::CreateTable { table: table.clone() });
    let indexes = schema.tables.iter().flat_map(|table| {
        table.indexes.iter().map(|index| Change::AddIndex { table: table.name.clone(), index: index.clone() })
    });
    let keys = schema.tables.iter().flat_map(|table| {
        table
            .foreign_keys
            .iter()
            .map(|key| Change::AddForeignKey { table: table.name.clone(), foreign_key: key.clone() })
    });
    tables.chain(indexes).chain(keys).collect()
}

/// Runs a plan as a migration runner does; the note of the guard that stopped it is the error.
pub(super) async fn migrate(
    db: &mut dyn Connection,
    changes: &[Change],
    before: &Schema,
    after: &Schema,
) -> Result<Result<(), String>> {
    let backend = open("sqlite::memory:").unwrap();
    let steps = backend.ddl().plan(changes, before, after)?;
    db.begin_migration().await?;
    for step in steps {
        assert!(!step.alone);
        if step.guard {
            let count = number(db, &step.sql).await;
            if count > 0 {
                db.rollback_migration().await?;
                return Ok(Err(format!("{count} {}", step.note)));
            }
        } else if let Err(error) = db.script(&step.sql).await {
            db.rollback_migration().await?;
            return Err(error);
        }
    }
    db.commit_migration().await?;
    Ok(Ok(()))
}

pub(super) async fn read(db: &mut dyn Connection) -> Schema {
    open("sqlite::memory:").unwrap().introspect().read(db, &[]).await.unwrap()
}

pub(super) async fn create(db: &mut dyn Connection, schema: &Schema) {
    let backend = open("sqlite::memory:").unwrap();
    backend.ddl().check(schema).unwrap();
    migrate(db, &creation(schema), &Schema::default(), schema).await.unwrap().unwrap();
}

fn rich() -> Schema {
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let mut everything = table(
        "every\"thing",
        vec![
            auto(),
            with(column("flag", ColumnType::Bool), ColumnDefault::Bool(true)),
            with(column("tiny", ColumnType::I8), ColumnDefault::Int(-128)),
            column("small", ColumnType::I16),
            column("int", ColumnType::I32),
            nullable("big", ColumnType::I64),
            column("utiny", ColumnType::U8),
            column("usmall", ColumnType::U16),
            column("uint", ColumnType::U32),
            column("ubig", ColumnType::U64),
            column("single", ColumnType::F32),
            with(column("double", ColumnType::F64), ColumnDefault::Number("-1.5e10".into())),
            with(column("text", text(None)), ColumnDefault::Text("it's \"x\"\n\\ ); --".into())),
            Column { case_insensitive: true, ..nullable("select", text(Some(20))) },
            nullable("bytes", ColumnType::Bytes),
            with(column("date", ColumnType::Date), ColumnDefault::Now),
            with(column("time", ColumnType::Time), ColumnDefault::Text("12:00:00.000000".into())),
            with(column("datetime", ColumnType::DateTime), ColumnDefault::Now),
            with(column("timestamp", ColumnType::Timestamp), ColumnDefault::Now),
            with(column("uuid", ColumnType::Uuid), ColumnDefault::Text("00112233-4455-6677-8899-aabbccddeeff".into())),
            with(column("price", decimal(10, 2)), ColumnDefault::Number("1.50".into())),
            with(column("wide", decimal(38, 4)), ColumnDefault::Number("-0.0001".into())),
            with(column("json", ColumnType::Json), ColumnDefault::Text("{}".into())),
            with(column("mood", ColumnType::Enum(mood(&["so so", "it's"]))), ColumnDefault::Text("it's".into())),
        ],
    );
    everything.indexes = vec![index("a`b", &["select"], true), index("price and date", &["price", "date"], false)];
    let mut link = table("link", vec![column("a", ColumnType::I64), column("b", ColumnType::I64)]);
    link.primary_key = vec!["b".into(), "a".into()];
    link.indexes = vec![index("link_a_idx", &["a"], false)];
    link.foreign_keys = vec![
        key("link_a_fkey", "a", "every\"thing", Action::Cascade),
        ForeignKey { on_update: Action::SetDefault, ..key("link_b_fkey", "b", "naïve table", Action::Restrict) },
    ];
    let mut naive = table("naïve table", vec![column("id", ColumnType::I64), nullable("parent", ColumnType::I64)]);
    naive.foreign_keys = vec![key("naïve_fkey", "parent", "naïve table", Action::SetNull)];
    let mut schema = Schema::of(vec![everything, link, naive]);
    schema.sort();
    schema
}

#[tokio::test]
async fn a_rich_schema_is_read_back_as_it_was_written() {
    let mut db = memory().await;
    let schema = rich();
    create(&mut *db, &schema).await;
    let found = read(&mut *db).await;
    for (found, wanted) in found.tables.iter().zip(&schema.tables) {
        for (found, wanted) in found.columns.iter().zip(&wanted.columns) {
            assert_eq!(found, wanted);
        }
    }
    assert_eq!(found, schema);
    // The defaults are values of their types.
    run(
        &mut *db,
        "INSERT INTO \"every\"\"thing\" (small, int, utiny, usmall, uint, ubig, single) VALUES (1, 1, 1, 1, 1, 1, 1)",
        &[],
    )
    .await
    .unwrap();
    let types: Vec<ColumnType> = schema
        .tables
        .iter()
        .find(|t| t.name.starts_with("every"))
        .unwrap()
        .columns
        .iter()
        .map(|c| c.ty.clone())
        .collect();
    super::rows(&mut *db, "SELECT * FROM \"every\"\"thing\"", &[], &types).await.unwrap();
}

#[tokio::test]
async fn others_schemas_are_read_too() {
    let mut db = memory().await;
    db.script(
        "CREATE TABLE a (x integer primary key, y VARCHAR(10) DEFAULT 'q', z UNIQUE, g INT AS (x + 1)) WITHOUT ROWID;
         CREATE TABLE b (x INT REFERENCES a, UNIQUE (x));
         CREATE INDEX part ON b (x) WHERE x > 1; CREATE INDEX expr ON b (x + 1); CREATE INDEX down ON b (x DESC);
         CREATE VIEW v AS SELECT * FROM a; CREATE TABLE c AS SELECT 1 AS one; CREATE VIRTUAL TABLE f USING fts5(t);
         CREATE TABLE _covet_migrations (id TEXT)",
    )
    .await
    .unwrap();
    let found = read(&mut *db).await;
    let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let a = &found.tables[0];
    assert_eq!(a.primary_key, ["x"]);
    assert_eq!(a.columns[1].ty, ColumnType::Text { max_len: None });
    let generated = Generated { expression: Expression::new("x + 1"), stored: false };
    assert_eq!((&a.columns[3].ty, &a.columns[3].generated), (&ColumnType::I64, &Some(generated)));
    assert_eq!(a.indexes.len(), 1);
    let b = &found.tables[1];
    assert_eq!((b.foreign_keys[0].name.as_str(), &b.foreign_keys[0].target_columns), ("b_x_fkey", &vec!["x".into()]));
    let down = Term { descending: true, ..Term::column("x") };
    let expr = Term::expression(Expression::new("x + 1"));
    let with = |name: &str, term: Term| Index { terms: vec![term], ..Index::new(name, [""; 0], false) };
    let part = Index { condition: Some(Expression::new("x > 1")), ..with("part", Term::column("x")) };
    let unique = Index::new("b_x_key", ["x"], true);
    assert_eq!(b.indexes, [unique, with("down", down), with("expr", expr), part]);
}

#[tokio::test]
async fn what_sqlite_cannot_hold_is_refused() {
    let backend = open("sqlite::memory:").unwrap();
    let refused = |tables: Vec<Table>| kind(backend.ddl().check(&Schema::of(tables)));
    let t = || table("t", vec![auto()]);
    let with_column = |column: Column| {
        let mut t = t();
        t.columns.push(column);
        vec![t]
    };
    assert_eq!(refused(vec![t()]), None);
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    for column in [
        column("d", decimal(39, 0)),
        column("d", decimal(2, 3)),
        column("ID", ColumnType::I64),
        column("", ColumnType::I64),
        column("e", ColumnType::Enum(mood(&[]))),
        column("o", ColumnType::Other("money".into())),
        Column { case_insensitive: true, ..column("b", ColumnType::Bytes) },
        Column { auto: true, ..column("b", ColumnType::I64) },
    ] {
        assert_eq!(refused(with_column(column.clone())), Some(ErrorKind::Unsupported), "{column:?}");
    }
    for column in [
        with(column("d", ColumnType::I8), ColumnDefault::Int(128)),
        with(column("d", ColumnType::Bytes), ColumnDefault::Text("x".into())),
        with(column("d", decimal(3, 1)), ColumnDefault::Number("1.25".into())),
        with(column("d", text(None)), ColumnDefault::Now),
        with(column("d", ColumnType::Enum(mood(&["a"]))), ColumnDefault::Text("b".into())),
    ] {
        assert_eq!(refused(with_column(column.clone())), Some(ErrorKind::InvalidInput), "{column:?}");
    }
    assert_eq!(refused(vec![t(), table("T", vec![auto()])]), Some(ErrorKind::Unsupported));
    assert_eq!(refused(vec![table("sqlite_x", vec![auto()])]), Some(ErrorKind::Unsupported));
    let child = |column: Column, key: ForeignKey| {
        let mut child = table("u", vec![auto(), column]);
        child.foreign_keys = vec![key];
        vec![t(), child]
    };
    let good = key("k", "t", "t", Action::Cascade);
    assert_eq!(refused(child(column("t", ColumnType::I64), good.clone())), None);
    for (column, key) in [
        (column("t", ColumnType::I32), good.clone()),
        (column("t", ColumnType::I64), key("k", "t", "t", Action::SetNull)),
        (column("t", ColumnType::I64), key("k", "t", "nowhere", Action::Cascade)),
        (column("t", ColumnType::I64), ForeignKey { target: "u".into(), target_columns: vec!["t".into()], ..good }),
    ] {
        assert_eq!(refused(child(column, key.clone())), Some(ErrorKind::Unsupported), "{key:?}");
    }
}

#[tokio::test]
async fn names_and_texts_that_want_out_of_their_quotes_stay_in() {
    let evil = "x\"; DROP TABLE t; --";
    let label = "'); DROP TABLE t; --";
    let mut t = table(
        evil,
        vec![
            auto(),
            with(
                column(evil, ColumnType::Enum(EnumType { name: label.into(), labels: vec![label.into()].into() })),
                ColumnDefault::Text(label.into()),
            ),
        ],
    );
    t.indexes = vec![index("i\"; DROP TABLE t; --", &[evil], true)];
    let schema = Schema::of(vec![t]);
    let mut db = memory().await;
    db.script("CREATE TABLE t (a)").await.unwrap();
    create(&mut *db, &schema).await;
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 0);
    db.script("DROP TABLE t").await.unwrap();
    assert_eq!(read(&mut *db).await, schema);
    assert_eq!(
        texts(&mut *db, "SELECT type FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY 1", &[]).await,
        ["index", "table"]
    );
}
