//! Printed statements, run for real.

use covet_drivers::catalog::{Column, ColumnType};
use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row};
use covet_drivers::postgres::PostgresDialect;
use covet_drivers::render::print;
use covet_drivers::sql::{
    Assignment, BinaryOp, Conflict, Count, Delete, Function, Insert, Join, Many, Node, Nulls, OnConflict, Order, Ref,
    Select, Statement, Update,
};
use covet_drivers::value::Value;

use crate::postgres::types::{TEXT, make};
use crate::postgres::{Place, number, run};

async fn texts(c: &mut dyn Connection, statement: impl Into<Statement>) -> Vec<String> {
    let statement = statement.into();
    let printed = print(&statement, &PostgresDialect).unwrap();
    let args = printed.values().unwrap();
    let mut found = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        found.push(row.get::<Option<String>>(0, &TEXT)?.unwrap_or_else(|| "NULL".into()));
        Ok(Flow::Continue)
    };
    let command = Command { sql: &printed.sql, args: &args, reuse: Reuse::Keep };
    c.run(command, &mut sink).await.unwrap_or_else(|error| panic!("{}: {error}", printed.sql));
    found
}

fn of(text: &str) -> Node {
    Node::Value(Value::Text(text.into()))
}

fn select(filter: Option<Node>) -> Select {
    let order = Order { node: Node::column("c"), descending: false, nulls: None, nullable: true };
    Select { filter, order: vec![order].into(), ..Select::new("t", vec![Node::column("c")]) }
}

fn like(pattern: &str, fold: bool) -> Node {
    Node::Like { operands: Ref::new([Node::column("c"), of(pattern)]), fold }
}

#[tokio::test]
async fn like_order_limit_and_conflict() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    for case_insensitive in [false, true] {
        run(c, "DROP TABLE IF EXISTS t", &[]).await.unwrap();
        make(c, "t", Column { nullable: true, case_insensitive, ..Column::new("c", TEXT) }).await;
        for text in ["Ärger", "ärger", "a_b", "a!b", "50%", "\\"] {
            run(c, "INSERT INTO t VALUES ($1)", &[Value::Text(text.into())]).await.unwrap();
        }
        run(c, "INSERT INTO t VALUES (NULL)", &[]).await.unwrap();
        assert_eq!(texts(c, select(Some(like("är%", false)))).await, ["ärger"]);
        assert_eq!(texts(c, select(Some(like("ÄR%", true)))).await.len(), 2);
        assert_eq!(texts(c, select(Some(like("a!_b", false)))).await, ["a_b"]);
        assert_eq!(texts(c, select(Some(like("a!!b", true)))).await, ["a!b"]);
        assert_eq!(texts(c, select(Some(like("%!%", false)))).await, ["50%"]);
        assert_eq!(texts(c, select(Some(like("\\", false)))).await, ["\\"]);
        let equal = Node::binary(BinaryOp::Eq, Node::column("c"), of("ÄRGER"));
        assert_eq!(texts(c, select(Some(equal))).await.len(), if case_insensitive { 2 } else { 0 });
        assert_eq!(texts(c, select(None)).await[0], "NULL");
    }
    let limited = Select {
        limit: Some(Count::Bound(Node::Value(Value::Int(2)))),
        offset: Some(Count::Fixed(1)),
        order: vec![Order { node: Node::column("c"), descending: true, nulls: Some(Nulls::First), nullable: true }]
            .into(),
        ..Select::new("t", vec![Node::column("c")])
    };
    assert_eq!(texts(c, limited).await.len(), 2);
    let count = Select::new("t", vec![Node::Call(Function::Count, Many::EMPTY)]);
    let printed = Statement::from(count);
    assert_eq!(number(c, &print(&printed, &PostgresDialect).unwrap().sql).await, 7);
}

#[tokio::test]
async fn upserts_updates_and_subqueries() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int PRIMARY KEY, c text DEFAULT 'given' COLLATE \"C\", n int DEFAULT 0)")
        .await
        .unwrap();
    let row = |id: i64, text: Node| vec![Node::Value(Value::Int(id)), text];
    let insert = |rows: Vec<Vec<Node>>, action: Option<OnConflict>| Insert {
        table: "t",
        columns: Many::Static(&["id", "c"]),
        rows,
        conflict: action.map(|action| Conflict { target: Many::Static(&["id"]), action }),
        returning: Many::Static(&["c"]),
    };
    assert_eq!(texts(c, insert(vec![row(1, of("a")), row(2, Node::Default)], None)).await, ["a", "given"]);
    assert_eq!(texts(c, insert(vec![row(1, of("b"))], Some(OnConflict::Nothing))).await.len(), 0);
    let one = Node::Value(Value::Int(1));
    let set = vec![
        Assignment { column: "c", value: Node::Excluded("c") },
        Assignment { column: "n", value: Node::binary(BinaryOp::Add, Node::column("n"), one) },
    ];
    let upsert = insert(vec![row(1, of("b")), row(3, of("c"))], Some(OnConflict::Update(set.into())));
    assert_eq!(texts(c, upsert).await, ["b", "c"]);
    assert_eq!(number(c, "SELECT n FROM t WHERE id = 1").await, 1);
    let nothing = Insert {
        table: "d",
        columns: Many::EMPTY,
        rows: vec![Vec::new()],
        conflict: None,
        returning: Many::Static(&["c"]),
    };
    c.script("CREATE TABLE d (c text DEFAULT 'alone')").await.unwrap();
    assert_eq!(texts(c, nothing).await, ["alone"]);
    // A row of its own table that is larger.
    let outer = Node::Column { up: 1, source: 0, name: "id" };
    let larger = Node::binary(BinaryOp::Gt, Node::column("id"), outer);
    let exists = Node::Exists(Ref::new(Select { filter: Some(larger), ..Select::new("t", Vec::new()) }));
    let on = Node::binary(BinaryOp::Eq, Node::column("id"), Node::Column { up: 0, source: 1, name: "id" });
    let joined = Select {
        joins: vec![Join { table: "t", on }].into(),
        filter: Some(exists.clone()),
        ..Select::new("t", vec![Node::column("c")])
    };
    assert_eq!(texts(c, joined).await.len(), 2);
    let update = Update {
        table: "t",
        set: vec![Assignment { column: "c", value: of("smaller") }].into(),
        filter: Some(exists),
        returning: Many::Static(&["c"]),
    };
    assert_eq!(texts(c, update).await, ["smaller", "smaller"]);
    let ids = vec![Node::Value(Value::Int(1)), Node::Value(Value::Int(3))];
    let delete = Delete {
        table: "t",
        filter: Some(Node::In(Ref::new(Node::column("id")), ids.into()).negated()),
        returning: Many::Static(&["c"]),
    };
    assert_eq!(texts(c, delete).await, ["smaller"]);
    let later = Node::binary(BinaryOp::Le, Node::Call(Function::Now, Many::EMPTY), Node::Value(Value::Timestamp(0)));
    assert_eq!(texts(c, Select { filter: Some(later), ..Select::new("t", vec![Node::column("c")]) }).await.len(), 0);
    assert_eq!(number(c, "SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn like_without_fold_uses_an_index() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    make(c, "t", Column::new("c", ColumnType::Text { max_len: Some(50) })).await;
    c.script("CREATE INDEX t_c_idx ON t (c); SET enable_seqscan = off").await.unwrap();
    let statement = Statement::from(select(Some(like("abc%", false))));
    let printed = print(&statement, &PostgresDialect).unwrap();
    let sql = format!("EXPLAIN {}", printed.sql.replace("$1", "'abc%'"));
    let plan = crate::postgres::rows(c, &sql, &[], &[TEXT]).await.unwrap();
    let uses = plan.iter().flatten().any(|line| matches!(line, Value::Text(line) if line.contains("Index Cond")));
    assert!(uses, "{sql}");
}
