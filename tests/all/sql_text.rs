//! The SQL of statement trees, in the words of each database. No server takes part.

use covet_drivers::contract::adapter_for;
use covet_drivers::render::{Dialect, print};
use covet_drivers::sql::{
    Assignment, BinaryOp, Conflict, Count, Delete, Function, Insert, Join, Many, Node, Nulls, OnConflict, Order, Ref,
    Select, Statement, Update,
};
use covet_drivers::value::Value;
use covet_orm::ErrorKind;

fn dialects() -> [(&'static str, &'static dyn Dialect); 3] {
    ["postgres://u@h/d", "mysql://u@h/d", "sqlite::memory:"].map(|url| {
        let url: covet_drivers::contract::ConnectUrl = url.parse().unwrap();
        let backend = adapter_for(url.scheme()).unwrap().open(&url).unwrap();
        (backend.dialect().name(), backend.dialect())
    })
}

/// What each dialect prints, with the number of values bound.
fn texts(statement: impl Into<Statement>) -> [(String, usize); 3] {
    let statement = statement.into();
    dialects().map(|(_, dialect)| match print(&statement, dialect) {
        Ok(printed) => (printed.sql, printed.slots.len()),
        Err(error) => (format!("{:?}: {error}", error.kind()), 0),
    })
}

fn all_print(statement: impl Into<Statement>, postgres: &str, mysql: &str, sqlite: &str) {
    let [a, b, c] = texts(statement);
    assert_eq!((a.0.as_str(), b.0.as_str(), c.0.as_str()), (postgres, mysql, sqlite));
}

fn column(name: &'static str) -> Node {
    Node::column(name)
}

fn int(n: i64) -> Node {
    Node::Value(Value::Int(n))
}

fn eq(left: Node, right: Node) -> Node {
    Node::binary(BinaryOp::Eq, left, right)
}

fn select(filter: Node) -> Select {
    Select { filter: Some(filter), ..Select::new("t", vec![column("a")]) }
}

#[test]
fn a_plain_select() {
    let mut statement = select(eq(column("a"), int(1)).and(Node::binary(BinaryOp::Gt, column("b"), int(2))));
    statement.limit = Some(Count::Fixed(3));
    statement.offset = Some(Count::Bound(int(4)));
    all_print(
        statement,
        r#"SELECT "a" FROM "t" WHERE "a" = $1 AND "b" > $2 LIMIT 3 OFFSET $3"#,
        "SELECT `a` FROM `t` WHERE `a` = ? AND `b` > ? LIMIT 3 OFFSET ?",
        r#"SELECT "a" FROM "t" WHERE "a" = ?1 AND "b" > ?2 LIMIT 3 OFFSET ?3"#,
    );
}

#[test]
fn an_offset_without_a_limit() {
    let mut statement = Select::new("t", vec![column("a")]);
    statement.offset = Some(Count::Fixed(4));
    all_print(
        statement,
        r#"SELECT "a" FROM "t" OFFSET 4"#,
        "SELECT `a` FROM `t` LIMIT 18446744073709551615 OFFSET 4",
        r#"SELECT "a" FROM "t" LIMIT -1 OFFSET 4"#,
    );
}

#[test]
fn and_or_not_keep_their_meaning() {
    let (a, b, c) = (eq(column("a"), int(1)), eq(column("b"), int(2)), eq(column("c"), int(3)));
    let [postgres, ..] = texts(select(a.clone().or(b.clone()).and(c.clone())));
    assert!(postgres.0.ends_with(r#"WHERE ("a" = $1 OR "b" = $2) AND "c" = $3"#), "{}", postgres.0);
    let [postgres, ..] = texts(select(a.clone().and(b.clone()).or(c.clone())));
    assert!(postgres.0.ends_with(r#"WHERE ("a" = $1 AND "b" = $2) OR "c" = $3"#), "{}", postgres.0);
    let [postgres, ..] = texts(select(a.clone().or(b).negated().and(c)));
    assert!(postgres.0.ends_with(r#"WHERE NOT ("a" = $1 OR "b" = $2) AND "c" = $3"#), "{}", postgres.0);
    let [postgres, ..] = texts(select(Node::All(Many::from(vec![Node::Any(Many::from(vec![a]))]))));
    assert!(postgres.0.ends_with(r#"WHERE "a" = $1"#), "{}", postgres.0);
}

#[test]
fn empty_lists_are_constants() {
    let among = |list: Vec<Node>| Node::In(Ref::new(column("a")), list.into());
    all_print(
        select(among(Vec::new())),
        r#"SELECT "a" FROM "t" WHERE FALSE"#,
        "SELECT `a` FROM `t` WHERE FALSE",
        r#"SELECT "a" FROM "t" WHERE 0"#,
    );
    let [postgres, ..] = texts(select(among(vec![int(1), int(2)]).negated()));
    assert!(postgres.0.ends_with(r#"WHERE NOT ("a" IN ($1, $2))"#), "{}", postgres.0);
    let [postgres, ..] = texts(select(Node::All(Many::EMPTY)));
    assert!(postgres.0.ends_with("WHERE TRUE"), "{}", postgres.0);
}

#[test]
fn null_has_its_place_in_an_order() {
    let order = |descending, nulls| Order { node: column("a"), descending, nulls, nullable: true };
    for (term, postgres, mysql, sqlite) in [
        (order(false, None), r#""a" NULLS FIRST"#, "`a`", r#""a""#),
        (order(true, None), r#""a" DESC NULLS LAST"#, "`a` DESC", r#""a" DESC"#),
        (order(false, Some(Nulls::Last)), r#""a""#, "`a` IS NULL, `a`", r#""a" NULLS LAST"#),
        (order(true, Some(Nulls::First)), r#""a" DESC"#, "`a` IS NULL DESC, `a` DESC", r#""a" DESC NULLS FIRST"#),
    ] {
        let mut statement = Select::new("t", vec![column("a")]);
        statement.order = vec![term].into();
        all_print(
            statement,
            &format!(r#"SELECT "a" FROM "t" ORDER BY {postgres}"#),
            &format!("SELECT `a` FROM `t` ORDER BY {mysql}"),
            &format!(r#"SELECT "a" FROM "t" ORDER BY {sqlite}"#),
        );
    }
}

#[test]
fn a_subquery_gives_every_table_a_name() {
    let mut inner = Select::new("users", Many::EMPTY);
    inner.filter =
        Some(eq(column("id"), Node::Column { up: 1, source: 0, name: "author_id" }).and(eq(column("active"), int(1))));
    let exists = Node::Exists(Ref::new(inner));
    all_print(
        select(exists.clone()),
        r#"SELECT t0."a" FROM "t" AS t0 WHERE EXISTS (SELECT 1 FROM "users" AS t1 WHERE t1."id" = t0."author_id" AND t1."active" = $1)"#,
        "SELECT t0.`a` FROM `t` AS t0 WHERE EXISTS (SELECT 1 FROM `users` AS t1 WHERE t1.`id` = t0.`author_id` AND t1.`active` = ?)",
        r#"SELECT t0."a" FROM "t" AS t0 WHERE EXISTS (SELECT 1 FROM "users" AS t1 WHERE t1."id" = t0."author_id" AND t1."active" = ?1)"#,
    );
    let delete = Delete { table: "posts", filter: Some(exists), returning: Many::EMPTY };
    all_print(
        delete,
        r#"DELETE FROM "posts" WHERE EXISTS (SELECT 1 FROM "users" AS t0 WHERE t0."id" = "posts"."author_id" AND t0."active" = $1)"#,
        "DELETE FROM `posts` WHERE EXISTS (SELECT 1 FROM `users` AS t0 WHERE t0.`id` = `posts`.`author_id` AND t0.`active` = ?)",
        r#"DELETE FROM "posts" WHERE EXISTS (SELECT 1 FROM "users" AS t0 WHERE t0."id" = "posts"."author_id" AND t0."active" = ?1)"#,
    );
}

#[test]
fn joins_count_their_tables() {
    let second = |name| Node::Column { up: 0, source: 1, name };
    let mut statement = Select::new("t", vec![column("a"), second("b")]);
    statement.joins = vec![Join { table: "u", on: eq(second("t_id"), column("id")) }].into();
    let [postgres, ..] = texts(statement);
    assert_eq!(postgres.0, r#"SELECT t0."a", t1."b" FROM "t" AS t0 JOIN "u" AS t1 ON t1."t_id" = t0."id""#);
}

#[test]
fn inserts_and_upserts() {
    let insert = |conflict, returning: Vec<&'static str>| Insert {
        table: "t",
        columns: vec!["a", "b"].into(),
        rows: vec![vec![int(1), int(2)], vec![int(3), Node::Call(Function::Now, Many::EMPTY)]],
        conflict,
        returning: returning.into(),
    };
    let [postgres, mysql, sqlite] = texts(insert(None, vec!["a"]));
    assert_eq!(postgres, (r#"INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, now()) RETURNING "a""#.to_owned(), 3));
    assert!(mysql.0.starts_with("INSERT INTO `t` (`a`, `b`) VALUES (?, ?), (?, "), "{}", mysql.0);
    assert!(sqlite.0.contains("strftime"), "{}", sqlite.0);
    let set = vec![Assignment { column: "b", value: Node::binary(BinaryOp::Add, column("b"), Node::Excluded("b")) }];
    let conflict = Conflict { target: vec!["a"].into(), action: OnConflict::Update(set.into()) };
    let [postgres, mysql, sqlite] = texts(insert(Some(conflict), Vec::new()));
    assert!(postgres.0.ends_with(r#"ON CONFLICT ("a") DO UPDATE SET "b" = "t"."b" + EXCLUDED."b""#), "{}", postgres.0);
    assert!(mysql.0.ends_with("ON DUPLICATE KEY UPDATE `b` = `t`.`b` + VALUES(`b`)"), "{}", mysql.0);
    assert!(sqlite.0.ends_with(r#"ON CONFLICT ("a") DO UPDATE SET "b" = "t"."b" + EXCLUDED."b""#), "{}", sqlite.0);
    let empty = |rows: usize| Insert {
        table: "t",
        columns: Many::EMPTY,
        rows: vec![Vec::new(); rows],
        conflict: None,
        returning: Many::EMPTY,
    };
    all_print(
        empty(1),
        r#"INSERT INTO "t" DEFAULT VALUES"#,
        "INSERT INTO `t` () VALUES ()",
        r#"INSERT INTO "t" DEFAULT VALUES"#,
    );
    assert!(texts(empty(2)).iter().all(|(text, _)| text.starts_with("Unsupported")));
}

#[test]
fn updates() {
    let set = vec![
        Assignment { column: "n", value: Node::binary(BinaryOp::Add, column("n"), Node::Literal(1)) },
        Assignment { column: "m", value: int(2) },
    ];
    let update =
        Update { table: "t", set: set.into(), filter: Some(eq(column("id"), int(3))), returning: vec!["n"].into() };
    let [postgres, mysql, sqlite] = texts(update);
    assert_eq!(postgres, (r#"UPDATE "t" SET "n" = "n" + 1, "m" = $1 WHERE "id" = $2 RETURNING "n""#.to_owned(), 2));
    assert!(mysql.0.starts_with("UPDATE `t` SET `n` = `n` + 1, `m` = ? WHERE `id` = ?"), "{}", mysql.0);
    assert!(sqlite.0.starts_with(r#"UPDATE "t" SET "n" = "n" + 1, "m" = ?1 WHERE "id" = ?2"#), "{}", sqlite.0);
}

#[test]
fn any_name_is_one_identifier() {
    for name in ["order", "a b", "a\"b", "a`b", "a'b", "a;b", "ä", "--", "a\\b", "$1", "?"] {
        let name: &'static str = name;
        for (database, dialect) in dialects() {
            let mut out = String::new();
            dialect.identifier(name, &mut out);
            let quote = out.chars().next().unwrap();
            let inner = &out[1..out.len() - 1];
            assert!(out.ends_with(quote) && (quote == '"' || quote == '`'), "{database}: {out}");
            assert_eq!(inner.replace(&format!("{quote}{quote}"), &quote.to_string()), name, "{database}: {out}");
            assert!(!inner.replace(&format!("{quote}{quote}"), "").contains(quote), "{database}: {out}");
        }
    }
}

#[test]
fn a_refused_value_is_the_statements_error() {
    let error = covet_orm::Error::new(ErrorKind::OutOfRange, "too large").with_model("M").with_field("f");
    let statement: Statement = select(eq(column("a"), Node::Refused(std::sync::Arc::new(error)))).into();
    for (_, dialect) in dialects() {
        let error = print(&statement, dialect).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::OutOfRange, "M.f: too large"));
    }
}

#[test]
fn arguments_are_given_at_the_call() {
    let statement: Statement = select(eq(column("a"), Node::Arg(1)).and(eq(column("b"), Node::Arg(0)))).into();
    let printed = print(&statement, dialects()[0].1).unwrap();
    let values = [Value::Int(10), Value::Int(20)];
    assert_eq!(printed.bind(&values).unwrap(), [&values[1], &values[0]]);
    assert_eq!(printed.values().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn the_text_depends_on_the_shape_alone() {
    let texts_of =
        |text: &str| texts(select(eq(column("a"), Node::Value(Value::Text(text.into()))))).map(|(sql, _)| sql);
    let shape = texts_of("");
    for value in ["x", "'", "\"", "'; DROP TABLE t; --", "\\", "$1", "?", "\0"] {
        assert_eq!(texts_of(value), shape);
    }
}

#[test]
fn a_long_chain_is_written_in_halves() {
    let chain = Node::Any((0..1_000).map(|n| eq(column("a"), int(n))).collect());
    let [(postgres, bound), ..] = texts(select(chain));
    assert_eq!(bound, 1_000);
    assert_eq!(postgres.matches(" OR ").count(), 999);
    assert_eq!(postgres.matches('(').count(), postgres.matches(')').count());
}
