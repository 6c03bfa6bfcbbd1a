//! The printed texts, run for real.

use covet_drivers::Result;
use covet_drivers::catalog::{Column, ColumnType, Index, Table};
use covet_drivers::contract::{Command, Connection, Flow, Outcome, Reuse, Row};
use covet_drivers::mysql::MySqlDialect;
use covet_drivers::render::print;
use covet_drivers::sql::{
    Assignment, BinaryOp, Conflict, Count, Delete, Function, Insert, Join, Many, Node, Nulls, OnConflict, Order, Ref,
    Select, Statement, Update,
};
use covet_drivers::value::Value;

use crate::mysql::{number, on_mysql, text};

async fn run(conn: &mut dyn Connection, statement: &Statement) -> Result<(Outcome, Vec<String>)> {
    let printed = print(statement, &MySqlDialect)?;
    let values = printed.values()?;
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        let mut line = Vec::new();
        for index in 0..row.len() {
            line.push(match row.value(index, &ColumnType::Other("".into()))?.to_owned() {
                Value::Null => "NULL".to_owned(),
                Value::Int(n) => n.to_string(),
                Value::Text(text) => text,
                other => panic!("{other:?}"),
            });
        }
        rows.push(line.join(","));
        Ok(Flow::Continue)
    };
    let done = conn.run(Command { sql: &printed.sql, args: &values, reuse: Reuse::Keep }, &mut sink).await?;
    Ok((done, rows))
}

async fn table(conn: &mut dyn Connection) {
    let text = |name: &str, fold| Column {
        case_insensitive: fold,
        nullable: true,
        ..Column::new(name, ColumnType::Text { max_len: Some(40) })
    };
    let table = Table {
        name: "od`d".into(),
        primary_key: vec!["id".into()],
        columns: vec![
            Column { auto: true, ..Column::new("id", ColumnType::I64) },
            text("na\"me", false),
            text("nick", true),
            Column { nullable: true, ..Column::new("n", ColumnType::I64) },
        ],
        indexes: vec![Index::new("odd_key", ["na\"me"], true)],
        ..Table::default()
    };
    crate::mysql::ddl::create(conn, &[table]).await;
}

fn insert(rows: Vec<Vec<Node>>) -> Insert {
    Insert { table: "od`d", columns: vec!["na\"me", "nick", "n"].into(), rows, conflict: None, returning: Many::EMPTY }
}

fn row(name: &str, nick: &str, n: Option<i64>) -> Vec<Node> {
    vec![Node::Value(text(name)), Node::Value(text(nick)), Node::Value(n.map_or(Value::Null, Value::Int))]
}

fn select(filter: Option<Node>, order: Vec<Order>) -> Statement {
    let mut select = Select::new("od`d", vec![Node::column("na\"me")]);
    select.filter = filter;
    select.order = order.into();
    select.into()
}

fn by(name: &'static str, descending: bool, nulls: Option<Nulls>) -> Order {
    Order { node: Node::column(name), descending, nulls, nullable: true }
}

#[test]
fn text_is_compared_by_code_point_unless_case_is_said_not_to_matter() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        table(conn).await;
        let names = ["a", "A", "a ", "á", "Z", "_%!", "ÀB"];
        let rows = names
            .iter()
            .enumerate()
            .map(|(index, name)| row(name, if index == 0 { "Nick" } else { name }, None))
            .collect();
        run(conn, &insert(rows).into()).await.unwrap();
        let (_, sorted) = run(conn, &select(None, vec![by("na\"me", false, None)])).await.unwrap();
        assert_eq!(sorted, ["A", "Z", "_%!", "a", "a ", "ÀB", "á"]);
        let eq = |column, value: &str| Node::binary(BinaryOp::Eq, Node::column(column), Node::Value(text(value)));
        let found = async |conn: &mut dyn Connection, node| {
            run(conn, &select(Some(node), vec![by("na\"me", false, None)])).await.unwrap().1
        };
        assert_eq!(found(conn, eq("na\"me", "a")).await, ["a"]);
        assert_eq!(found(conn, eq("nick", "NICK")).await, ["a"]);
        assert_eq!(found(conn, eq("nick", "z")).await, ["Z"]);
        assert_eq!(found(conn, eq("nick", "A")).await, ["A"], "neither accents nor blanks are folded");
        let like = |column, pattern: &str, fold| Node::Like {
            operands: Ref::new([Node::column(column), Node::Value(text(pattern))]),
            fold,
        };
        assert_eq!(found(conn, like("na\"me", "a%", false)).await, ["a", "a "]);
        assert_eq!(found(conn, like("na\"me", "a%", true)).await, ["A", "a", "a "]);
        assert_eq!(found(conn, like("na\"me", "àb", true)).await, ["ÀB"]);
        assert_eq!(found(conn, like("na\"me", "!_!%!!", false)).await, ["_%!"]);
        assert_eq!(found(conn, like("na\"me", "_", false)).await, ["A", "Z", "a", "á"]);
        assert_eq!(found(conn, like("nick", "nic%", false)).await, ["a"]);
    });
}

#[test]
fn orders_limits_and_subqueries() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        table(conn).await;
        run(conn, &insert(vec![row("a", "", Some(1)), row("b", "", None), row("c", "", Some(3))]).into())
            .await
            .unwrap();
        for (descending, nulls, expected) in [
            (false, None, ["b", "a", "c"]),
            (true, None, ["c", "a", "b"]),
            (false, Some(Nulls::Last), ["a", "c", "b"]),
            (true, Some(Nulls::First), ["b", "c", "a"]),
        ] {
            let (_, rows) = run(conn, &select(None, vec![by("n", descending, nulls)])).await.unwrap();
            assert_eq!(rows, expected, "{descending} {nulls:?}");
        }
        let mut page = Select::new("od`d", vec![Node::column("na\"me")]);
        page.order = vec![by("na\"me", false, None)].into();
        page.offset = Some(Count::Bound(Node::Value(Value::UInt(1))));
        assert_eq!(run(conn, &page.clone().into()).await.unwrap().1, ["b", "c"]);
        page.limit = Some(Count::Fixed(1));
        assert_eq!(run(conn, &page.clone().into()).await.unwrap().1, ["b"]);
        page.limit = Some(Count::Bound(Node::Value(Value::Int(1))));
        assert_eq!(run(conn, &page.into()).await.unwrap().1, ["b"]);
        let mut sub = Select::new("od`d", vec![]);
        sub.filter = Some(Node::binary(BinaryOp::Lt, Node::column("n"), Node::Column { up: 1, source: 0, name: "n" }));
        let (_, rows) = run(conn, &select(Some(Node::Exists(Ref::new(sub.clone()))), vec![])).await.unwrap();
        assert_eq!(rows, ["c"]);
        let mut joined = Select::new("od`d", vec![Node::Call(Function::Count, Many::EMPTY)]);
        joined.joins = vec![Join {
            table: "od`d",
            on: Node::binary(BinaryOp::Eq, Node::column("n"), Node::Column { up: 0, source: 1, name: "n" }),
        }]
        .into();
        assert_eq!(run(conn, &joined.into()).await.unwrap().1, ["2"]);
        let none = Node::In(Ref::new(Node::column("n")), Many::EMPTY);
        assert!(run(conn, &select(Some(none.clone()), vec![])).await.unwrap().1.is_empty());
        assert_eq!(run(conn, &select(Some(none.negated()), vec![])).await.unwrap().1.len(), 3);
        let own = Delete { table: "od`d", filter: Some(Node::Exists(Ref::new(sub))), returning: Many::EMPTY };
        assert!(print(&own.into(), &MySqlDialect).is_err());
        let update = Update {
            table: "od`d",
            set: vec![Assignment {
                column: "n",
                value: Node::binary(BinaryOp::Add, Node::column("n"), Node::Value(Value::Int(1))),
            }]
            .into(),
            filter: Some(Node::binary(BinaryOp::Ge, Node::column("n"), Node::Value(Value::Int(1)))),
            returning: Many::EMPTY,
        };
        assert_eq!(run(conn, &update.into()).await.unwrap().0.affected, 2);
        let shift = Update {
            table: "od`d",
            set: vec![
                Assignment { column: "nick", value: Node::column("na\"me") },
                Assignment { column: "n", value: Node::column("id") },
                Assignment { column: "id", value: Node::binary(BinaryOp::Add, Node::column("id"), Node::column("n")) },
            ]
            .into(),
            filter: Some(Node::binary(BinaryOp::Eq, Node::column("na\"me"), Node::Value(text("c")))),
            returning: Many::EMPTY,
        };
        let statement: Statement = shift.clone().into();
        let error = print(&statement, &MySqlDialect).unwrap_err();
        assert!(error.to_string().contains("(id, n)"), "{error}");
        let shift = Update { set: shift.set.iter().take(2).cloned().collect(), ..shift };
        run(conn, &shift.into()).await.unwrap();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM `od``d` WHERE n = id AND nick = 'C'").await, 1);
        let mut locked = Select::new("od`d", vec![Node::column("na\"me")]);
        locked.lock = true;
        locked.limit = Some(Count::Fixed(1));
        assert_eq!(run(conn, &locked.into()).await.unwrap().1.len(), 1);
        let now = Select::new(
            "od`d",
            vec![Node::binary(
                BinaryOp::Le,
                Node::Call(Function::Now, Many::EMPTY),
                Node::Call(Function::Now, Many::EMPTY),
            )],
        );
        assert_eq!(run(conn, &now.into()).await.unwrap().1, ["1", "1", "1"]);
    });
}

#[test]
fn inserts_and_upserts() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        table(conn).await;
        let empty =
            Insert { table: "od`d", columns: Many::EMPTY, rows: vec![vec![]], conflict: None, returning: Many::EMPTY };
        assert_eq!(run(conn, &empty.into()).await.unwrap().0.affected, 1);
        let default = insert(vec![vec![Node::Value(text("d")), Node::Default, Node::Default]]);
        run(conn, &default.into()).await.unwrap();
        let upsert = |rows, action| {
            Insert { conflict: Some(Conflict { target: vec!["na\"me"].into(), action }), ..insert(rows) }.into()
        };
        let sum = || {
            OnConflict::Update(
                vec![Assignment {
                    column: "n",
                    value: Node::binary(BinaryOp::Add, Node::column("n"), Node::Excluded("n")),
                }]
                .into(),
            )
        };
        for (rows, action, affected, total) in [
            (vec![row("x", "", Some(1))], sum(), 1, 1),
            (vec![row("x", "", Some(1))], sum(), 1, 2),
            (vec![row("x", "", Some(0))], sum(), 1, 2),
            (vec![row("x", "", Some(9))], OnConflict::Nothing, 0, 2),
            (vec![row("y", "", Some(9))], OnConflict::Nothing, 1, 11),
            (vec![row("x", "", Some(1)), row("y", "", Some(1)), row("z", "", Some(1))], sum(), 3, 14),
            (vec![row("x", "", Some(1)), row("y", "", Some(1)), row("w", "", Some(1))], OnConflict::Nothing, 3, 15),
        ] {
            let statement: Statement = upsert(rows, action);
            let (done, _) = run(conn, &statement).await.unwrap();
            assert_eq!(number(conn, "SELECT SUM(n) FROM `od``d`").await, total, "{statement:?}");
            assert_eq!(done.affected, affected, "{statement:?}");
        }
        if conn.capabilities().returning_on_insert {
            let give = Insert {
                returning: vec!["na\"me", "n"].into(),
                ..insert(vec![row("r", "", Some(1)), row("s", "", None)])
            };
            assert_eq!(run(conn, &give.into()).await.unwrap().1, ["r,1", "s,NULL"]);
        }
        if conn.capabilities().returning_on_insert {
            // With RETURNING the server does not tell that a row was kept: it gives it back.
            for (name, action) in
                [("r", sum()), ("new", sum()), ("r", OnConflict::Nothing), ("newer", OnConflict::Nothing)]
            {
                let give = Insert {
                    returning: vec!["na\"me"].into(),
                    conflict: Some(Conflict { target: vec!["na\"me"].into(), action }),
                    ..insert(vec![row(name, "", Some(1))])
                };
                let (done, rows) = run(conn, &give.into()).await.unwrap();
                assert_eq!((done.affected, rows), (1, vec![name.to_owned()]));
            }
        }
        if conn.capabilities().returning_on_delete {
            let gone = Delete {
                table: "od`d",
                filter: Some(Node::binary(BinaryOp::Eq, Node::column("na\"me"), Node::Value(text("r")))),
                returning: vec!["na\"me"].into(),
            };
            let (done, rows) = run(conn, &gone.into()).await.unwrap();
            assert_eq!((done.affected, rows), (1, vec!["r".to_owned()]));
        }
    });
}
