//! The texts that the dialect prints, run for real.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::Connection;
use covet_drivers::render::print;
use covet_drivers::sql::{
    Assignment, BinaryOp, Conflict, Count, Function, Insert, Many, Node, Nulls, OnConflict, Order, Ref, Select,
    Statement, Update,
};
use covet_drivers::value::Value;

use super::{kind, memory, open, rows, run};

const TEXT: ColumnType = ColumnType::Text { max_len: None };

async fn query(db: &mut dyn Connection, statement: impl Into<Statement>, types: &[ColumnType]) -> Vec<Vec<Value>> {
    let statement = statement.into();
    let backend = open("sqlite::memory:").unwrap();
    let printed = print(&statement, backend.dialect()).unwrap();
    let values: Vec<Value> = printed.values().unwrap().into_iter().cloned().collect();
    rows(db, &printed.sql, &values, types).await.unwrap()
}

async fn words(db: &mut dyn Connection, pattern: &str, fold: bool) -> Vec<String> {
    let operands = Ref::new([Node::column("w"), Node::Value(Value::Text(pattern.into()))]);
    let mut select = Select::new("t", vec![Node::column("w")]);
    select.filter = Some(Node::Like { operands, fold });
    select.order = vec![Order { node: Node::column("n"), descending: false, nulls: None, nullable: false }].into();
    let found = query(db, select, &[TEXT]).await;
    found.into_iter().flatten().map(|v| if let Value::Text(v) = v { v } else { panic!("{v:?}") }).collect()
}

async fn filled(list: &[&str]) -> Box<dyn Connection> {
    let mut db = memory().await;
    db.script("CREATE TABLE t (n INTEGER PRIMARY KEY AUTOINCREMENT, w TEXT COLLATE covet_nocase) STRICT")
        .await
        .unwrap();
    for word in list {
        run(&mut *db, "INSERT INTO t (w) VALUES (?1)", &[Value::Text((*word).into())]).await.unwrap();
    }
    db
}

#[tokio::test]
async fn like_with_and_without_case() {
    let mut db = filled(&["Ärger", "ärger", "100%", "100x", "a_b", "a!b", "aXb", "Straße", "[ab]", "a\\b"]).await;
    assert_eq!(words(&mut *db, "Ä%", false).await, ["Ärger"]);
    assert_eq!(words(&mut *db, "Ä%", true).await, ["Ärger", "ärger"]);
    assert_eq!(words(&mut *db, "_rger", false).await, ["Ärger", "ärger"]);
    assert_eq!(words(&mut *db, "100!%", false).await, ["100%"]);
    assert_eq!(words(&mut *db, "A!_B", true).await, ["a_b"]);
    assert_eq!(words(&mut *db, "a!!b", false).await, ["a!b"]);
    assert_eq!(words(&mut *db, "%RASSE", true).await, Vec::<String>::new());
    assert_eq!(words(&mut *db, "[%", false).await, ["[ab]"]);
    assert_eq!(words(&mut *db, "a\\%", false).await, ["a\\b"]);
}

#[tokio::test]
async fn case_insensitive_columns_compare_without_case_only() {
    let mut db = filled(&["ÄB", "äb", "ab", "äb ", "Zz", "aa"]).await;
    let count = "SELECT count(*) FROM t WHERE w = ?1";
    let found = rows(&mut *db, count, &[Value::Text("äB".into())], &[ColumnType::I64]).await.unwrap();
    assert!(found == [[Value::Int(2)]]);
    assert_eq!(
        super::texts(&mut *db, "SELECT w FROM t ORDER BY w, n", &[]).await,
        ["aa", "ab", "Zz", "ÄB", "äb", "äb "]
    );
    assert!(kind(db.script("CREATE UNIQUE INDEX u ON t (w)").await) == Some(ErrorKind::Unique));
}

#[tokio::test]
async fn order_limit_and_offset() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (2), (NULL), (1), (3)").await.unwrap();
    let n = Value::Int;
    for (descending, nulls, limit, offset, want) in [
        (false, None, None, None, vec![Value::Null, n(1), n(2), n(3)]),
        (true, None, None, None, vec![n(3), n(2), n(1), Value::Null]),
        (false, Some(Nulls::Last), Some(2), Some(2), vec![n(3), Value::Null]),
        (true, Some(Nulls::First), Some(2), None, vec![Value::Null, n(3)]),
        (false, None, None, Some(3), vec![n(3)]),
        (false, None, Some(0), None, vec![]),
    ] {
        let mut select = Select::new("t", vec![Node::column("a")]);
        select.order = vec![Order { node: Node::column("a"), descending, nulls, nullable: true }].into();
        select.limit = limit.map(Count::Fixed);
        select.offset = offset.map(|offset| Count::Bound(Node::Value(Value::Int(offset))));
        let found: Vec<Value> = query(&mut *db, select, &[ColumnType::I64]).await.into_iter().flatten().collect();
        assert!(found == want, "{descending} {nulls:?} {limit:?} {offset:?}");
    }
}

fn insert(rows: Vec<Vec<Node>>, conflict: Option<Conflict>) -> Insert {
    Insert { table: "t", columns: vec!["k", "v"].into(), rows, conflict, returning: vec!["k", "v"].into() }
}

#[tokio::test]
async fn upserts_change_or_keep_and_return_what_they_did() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER) STRICT; INSERT INTO t VALUES (1, 10)").await.unwrap();
    let types = [ColumnType::I64, ColumnType::I64];
    let int = |v| Node::Value(Value::Int(v));
    let target: Many<&'static str> = vec!["k"].into();
    let sum = Node::binary(BinaryOp::Add, Node::column("v"), Node::Excluded("v"));
    let update = OnConflict::Update(vec![Assignment { column: "v", value: sum }].into());
    let statement = insert(
        vec![vec![int(1), int(5)], vec![int(2), int(7)]],
        Some(Conflict { target: target.clone(), action: update }),
    );
    let found = query(&mut *db, statement, &types).await;
    assert!(found == [[Value::Int(1), Value::Int(15)], [Value::Int(2), Value::Int(7)]]);
    let statement = insert(vec![vec![int(1), int(0)]], Some(Conflict { target, action: OnConflict::Nothing }));
    assert!(query(&mut *db, statement, &types).await.is_empty());
    let update = Update {
        table: "t",
        set: vec![Assignment { column: "v", value: Node::binary(BinaryOp::Mul, Node::column("v"), int(2)) }].into(),
        filter: Some(Node::Truth(true)),
        returning: vec!["v"].into(),
    };
    assert!(query(&mut *db, update, &types[..1]).await == [[Value::Int(30)], [Value::Int(14)]]);
}

#[tokio::test]
async fn empty_inserts_and_what_a_row_cannot_say() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT, v INTEGER DEFAULT 4) STRICT").await.unwrap();
    let empty = Insert {
        table: "t",
        columns: Many::EMPTY,
        rows: vec![vec![]],
        conflict: None,
        returning: vec!["k", "v"].into(),
    };
    let types = [ColumnType::I64, ColumnType::I64];
    assert!(query(&mut *db, empty, &types).await == [[Value::Int(1), Value::Int(4)]]);
    let statement: Statement = insert(vec![vec![Node::Value(Value::Int(9)), Node::Default]], None).into();
    let backend = open("sqlite::memory:").unwrap();
    assert_eq!(kind(print(&statement, backend.dialect())), Some(ErrorKind::Unsupported));
}

#[tokio::test]
async fn subqueries_see_the_outer_row_and_their_own_table() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (k INTEGER, v INTEGER); INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)").await.unwrap();
    let up = |up, name| Node::Column { up, source: 0, name };
    let mut inner = Select::new("t", vec![]);
    inner.filter = Some(Node::binary(BinaryOp::Eq, up(0, "v"), up(1, "v")).and(Node::binary(
        BinaryOp::Lt,
        up(0, "k"),
        up(1, "k"),
    )));
    let delete = covet_drivers::sql::Delete {
        table: "t",
        filter: Some(Node::Exists(Ref::new(inner))),
        returning: vec!["k"].into(),
    };
    assert!(query(&mut *db, delete, &[ColumnType::I64]).await == [[Value::Int(2)]]);
}

#[tokio::test]
async fn now_is_a_timestamp() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").await.unwrap();
    let select = Select::new("t", vec![Node::Call(Function::Now, Many::EMPTY)]);
    let found = query(&mut *db, select, &[ColumnType::Timestamp]).await;
    let Value::Timestamp(now) = found[0][0] else { panic!("{found:?}") };
    let here = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    assert!(i64::try_from(here).unwrap().abs_diff(now) < 5_000_000, "{now}");
}

#[tokio::test]
async fn how_a_pattern_is_looked_up() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (n INTEGER PRIMARY KEY, w TEXT, x TEXT); CREATE INDEX t_w_idx ON t (w)").await.unwrap();
    let plan = async |db: &mut dyn Connection, filter: &str, values: &[Value]| {
        let sql = format!("EXPLAIN QUERY PLAN SELECT x FROM t WHERE {filter}");
        let types = [ColumnType::I64, ColumnType::I64, ColumnType::I64, TEXT];
        rows(db, &sql, values, &types).await.unwrap().into_iter().map(|mut row| row.pop().unwrap()).collect::<Vec<_>>()
    };
    let uses_index = |plan: &[Value]| matches!(plan, [Value::Text(text)] if text.contains("USING INDEX t_w_idx"));
    let pattern = [Value::Text("ab%".into())];
    assert!(uses_index(&plan(&mut *db, "w LIKE 'ab%' ESCAPE '!'", &[]).await));
    // A plan does not depend on bound values (QPSG), and so a bound pattern is looked for in all rows …
    assert!(!uses_index(&plan(&mut *db, "w LIKE ?1 ESCAPE '!'", &pattern).await));
    // … unless a range says where.
    assert!(uses_index(&plan(&mut *db, "w LIKE ?1 ESCAPE '!' AND w >= 'ab' AND w < 'ac'", &pattern).await));
}
