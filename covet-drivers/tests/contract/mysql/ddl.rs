//! Schemas: made, read back, changed and changed back.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{
    Action, Change, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Schema,
    Table,
};
use covet_drivers::contract::{Connection, Ddl, Introspect, Step};
use covet_drivers::mysql::{MySqlDdl, MySqlIntrospect};
use covet_drivers::value::Value;

use crate::mysql::{exec, number, on_mysql};

/// Makes tables with everything that belongs to them.
pub(crate) async fn create(conn: &mut dyn Connection, tables: &[Table]) {
    let mut after = Schema::of(tables.to_vec());
    after.sort();
    MySqlDdl.check(&after).unwrap();
    let steps = MySqlDdl.plan(&creation(&after), &Schema::default(), &after).unwrap();
    apply(conn, &steps).await.unwrap();
}

fn creation(schema: &Schema) -> Vec<Change> {
    let mut changes: Vec<Change> =
        schema.tables.iter().map(|table| Change::CreateTable { table: table.clone() }).collect();
    for table in &schema.tables {
        for index in &table.indexes {
            changes.push(Change::AddIndex { table: table.name.clone(), index: index.clone() });
        }
    }
    for table in &schema.tables {
        for key in &table.foreign_keys {
            changes.push(Change::AddForeignKey { table: table.name.clone(), foreign_key: key.clone() });
        }
    }
    changes
}

/// Runs steps as the runner does; a guard that finds rows ends the run with what it found.
async fn apply(conn: &mut dyn Connection, steps: &[Step]) -> Result<(), String> {
    for step in steps {
        if step.guard {
            let found = number(conn, &step.sql).await;
            if found > 0 {
                return Err(format!("{found}: {}", step.note));
            }
        } else {
            conn.script(&step.sql).await.map_err(|error| format!("{}: {error:?}", step.sql))?;
        }
    }
    Ok(())
}

async fn read(conn: &mut dyn Connection) -> Schema {
    MySqlIntrospect.read(conn, &[]).await.unwrap()
}

fn text(max_len: u32) -> ColumnType {
    ColumnType::Text { max_len: Some(max_len) }
}

fn nullable(name: &str, ty: ColumnType) -> Column {
    Column { nullable: true, ..Column::new(name, ty) }
}

fn with(name: &str, ty: ColumnType, default: ColumnDefault) -> Column {
    Column { default: Some(default), ..Column::new(name, ty) }
}

fn kind(labels: &[&str]) -> ColumnType {
    let labels: Vec<_> = labels.iter().map(|label| (*label).to_owned().into()).collect();
    ColumnType::Enum(EnumType { name: "kind".into(), labels: labels.into() })
}

fn index(name: &str, columns: &[&str], unique: bool) -> Index {
    Index::new(name, columns.iter().copied(), unique)
}

fn key(name: &str, column: &str, target: &str, on_delete: Action, on_update: Action) -> ForeignKey {
    ForeignKey {
        name: name.into(),
        columns: vec![column.into()],
        target: target.into(),
        target_columns: vec!["id".into()],
        on_delete,
        on_update,
        ..ForeignKey::default()
    }
}

fn table(name: &str, columns: Vec<Column>) -> Table {
    let id = Column { auto: true, ..Column::new("id", ColumnType::I64) };
    Table {
        name: name.into(),
        primary_key: vec!["id".into()],
        columns: [vec![id], columns].concat(),
        ..Table::default()
    }
}

/// A table with every type and every kind of default, and two that point at it and at each other.
fn rich() -> Schema {
    let types = [
        ColumnType::Bool,
        ColumnType::I8,
        ColumnType::I16,
        ColumnType::I32,
        ColumnType::I64,
        ColumnType::U8,
        ColumnType::U16,
        ColumnType::U32,
        ColumnType::U64,
        ColumnType::F32,
        ColumnType::F64,
        ColumnType::Text { max_len: None },
        text(20),
        text(20_000),
        ColumnType::Bytes,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::DateTime,
        ColumnType::Timestamp,
        ColumnType::Uuid,
        ColumnType::Decimal { precision: 38, scale: 10 },
        ColumnType::Json,
        kind(&["a", "it's", "back\\slash", "com,ma", "é"]),
    ];
    let mut columns = Vec::new();
    for (number, ty) in types.into_iter().enumerate() {
        columns.push(Column::new(format!("c{number}"), ty.clone()));
        columns.push(nullable(&format!("n{number}"), ty));
    }
    let odd = "it's a \\ \"`%\n日";
    columns.extend([
        with("d_bool", ColumnType::Bool, ColumnDefault::Bool(true)),
        with("d_int", ColumnType::I64, ColumnDefault::Int(-5)),
        with("d_u", ColumnType::U64, ColumnDefault::Int(7)),
        with("d_dec", ColumnType::Decimal { precision: 10, scale: 2 }, ColumnDefault::Number("-1.50".into())),
        with("d_f", ColumnType::F64, ColumnDefault::Number("1.5".into())),
        with("d_text", ColumnType::Text { max_len: None }, ColumnDefault::Text(odd.to_owned().into())),
        with("d_short", text(40), ColumnDefault::Text(odd.to_owned().into())),
        with("d_empty", text(9), ColumnDefault::Text("".into())),
        with("d_null", text(9), ColumnDefault::Text("NULL".into())),
        with("d_enum", kind(&["x", "back\\slash"]), ColumnDefault::Text("back\\slash".into())),
        with("d_now", ColumnType::Timestamp, ColumnDefault::Now),
        with("d_dt", ColumnType::DateTime, ColumnDefault::Now),
        with("d_day", ColumnType::Date, ColumnDefault::Now),
        with("d_time", ColumnType::Time, ColumnDefault::Now),
        with("d_uuid", ColumnType::Uuid, ColumnDefault::Text("00010203-0405-0607-0809-0a5c2722fffe".into())),
        with("d_bytes", ColumnType::Bytes, ColumnDefault::Text(odd.to_owned().into())),
        with("d_json", ColumnType::Json, ColumnDefault::Text("{}".into())),
        Column { case_insensitive: true, ..Column::new("fold", text(30)) },
    ]);
    let mut every = table("every", columns);
    every.indexes = vec![
        index("every_fold_key", &["fold"], true),
        index("every_two_idx", &["n3", "c12"], false),
        index("every_uuid_key", &["c19"], true),
    ];
    let mut child = table(
        "child",
        vec![
            nullable("a", ColumnType::I64),
            nullable("b", ColumnType::I64),
            nullable("d", ColumnType::I64),
            Column::new("e", ColumnType::I64),
        ],
    );
    child.foreign_keys = vec![
        key("child_a_fkey", "a", "every", Action::SetNull, Action::Cascade),
        key("child_b_fkey", "b", "child", Action::NoAction, Action::NoAction),
        key("child_d_fkey", "d", "every", Action::Cascade, Action::Restrict),
        key("child_e_fkey", "e", "every", Action::Restrict, Action::NoAction),
    ];
    child.indexes = vec![index("child_d_e_idx", &["d", "e"], false)];
    let mut hostile = table(
        "a`b\"c'd\\e;--",
        vec![
            nullable("select", ColumnType::I32),
            nullable("x`y'z\\", text(20_000)),
            nullable("naïve 日", ColumnType::Json),
        ],
    );
    hostile.indexes = vec![index("i`x'\\", &["select"], false)];
    let mut join = Table {
        primary_key: vec!["b".into(), "a".into()],
        columns: vec![Column::new("a", ColumnType::I64), Column::new("b", text(20))],
        ..table("join", vec![])
    };
    join.foreign_keys = vec![key("join_a_fkey", "a", "every", Action::Cascade, Action::NoAction)];
    let mut schema = Schema::of(vec![every, child, hostile, join]);
    schema.sort();
    schema
}

#[test]
fn what_is_made_is_what_is_read() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let expected = rich();
        // The texts mean the same in a session that takes a backslash for itself.
        let mut other = db.connect().await;
        other.script("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')").await.unwrap();
        create(other.as_mut(), &expected.tables).await;
        assert_eq!(read(conn).await, expected);
        for table in ["join", "child", "every"] {
            conn.script(&format!("DROP TABLE `{table}`")).await.unwrap();
        }
        conn.script("DROP TABLE `a``b\"c'd\\e;--`").await.unwrap();
        create(conn, &expected.tables).await;
        conn.script("CREATE TABLE _covet_migrations (id INT); CREATE VIEW v AS SELECT 1 AS one").await.unwrap();
        let found = read(conn).await;
        for (a, b) in expected.tables.iter().zip(&found.tables) {
            for (a, b) in a.columns.iter().zip(&b.columns) {
                assert_eq!(a, b);
            }
        }
        assert_eq!(found, expected);
        // The collation holds whatever the database's default is.
        let odd = number(conn, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> '_covet_migrations' AND COLLATION_NAME NOT LIKE 'utf8mb4%'").await;
        assert_eq!(odd, 0);
        let all = number(conn, "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'child' AND INDEX_NAME LIKE '%fkey'").await;
        assert_eq!(all, 3, "the key that a declared index serves has no index of its own");
    });
}

/// Makes the change and takes it back, and reads the schema after each.
async fn there_and_back(conn: &mut dyn Connection, before: &Schema, there: &[Change], back: &[Change], after: &Schema) {
    MySqlDdl.check(after).unwrap();
    let steps = MySqlDdl.plan(there, before, after).unwrap();
    apply(conn, &steps).await.unwrap_or_else(|error| panic!("{there:?}\n{steps:#?}\n{error}"));
    assert_eq!(read(conn).await, *after, "{there:?}\n{steps:#?}");
    let steps = MySqlDdl.plan(back, after, before).unwrap();
    apply(conn, &steps).await.unwrap_or_else(|error| panic!("{back:?}\n{steps:#?}\n{error}"));
    assert_eq!(read(conn).await, *before, "{back:?}\n{steps:#?}");
}

fn base() -> Schema {
    let mut p = table(
        "p",
        vec![
            nullable("name", text(20)),
            nullable("long", text(20_000)),
            Column::new("n", ColumnType::I32),
            nullable("j", ColumnType::Json),
            with("k", kind(&["a", "b"]), ColumnDefault::Text("a".into())),
            nullable("at", ColumnType::DateTime),
        ],
    );
    p.indexes = vec![index("p_name_idx", &["name"], false)];
    let mut c = table("c", vec![nullable("p", ColumnType::I64), nullable("q", ColumnType::I64)]);
    c.foreign_keys = vec![key("c_p_fkey", "p", "p", Action::Cascade, Action::NoAction)];
    let mut schema = Schema::of(vec![p, c]);
    schema.sort();
    schema
}

fn edit(schema: &Schema, table: &str, edit: impl FnOnce(&mut Table)) -> Schema {
    let mut schema = schema.clone();
    edit(schema.tables.iter_mut().find(|known| known.name == table).unwrap());
    schema.sort();
    schema
}

#[test]
fn columns_change_and_change_back() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let before = base();
        create(conn, &before.tables).await;
        exec(conn, "INSERT INTO p (n, name) VALUES (1, '7'), (2, '8')", &[]).await.unwrap();
        exec(conn, "INSERT INTO c (p) VALUES (1), (2), (NULL)", &[]).await.unwrap();
        let column = |name: &str| before.table("p").unwrap().column(name).unwrap().clone();
        let alter = |before: &Column, after: &Column, backfill| Change::AlterColumn {
            table: "p".into(),
            before: before.clone(),
            after: after.clone(),
            backfill,
        };
        // The type, nullability, default or collation of one column, there and back.
        let name = column("name");
        let folded = Column { case_insensitive: true, ..name.clone() };
        for (from, to, fill) in [
            (column("n"), Column::new("n", ColumnType::I64), None),
            (column("n"), Column::new("n", ColumnType::U8), None),
            (column("n"), Column::new("n", ColumnType::Decimal { precision: 12, scale: 2 }), None),
            (column("n"), Column::new("n", text(12)), None),
            (column("n"), nullable("n", ColumnType::I32), None),
            (column("n"), with("n", ColumnType::I32, ColumnDefault::Int(5)), None),
            (name.clone(), folded, None),
            (name.clone(), nullable("name", text(5)), None),
            (name.clone(), nullable("name", text(20_001)), None),
            (name.clone(), nullable("name", ColumnType::I16), None),
            (name.clone(), Column::new("name", text(20)), Some(ColumnDefault::Text("x".into()))),
            (column("long"), nullable("long", ColumnType::Text { max_len: None }), None),
            (column("long"), nullable("long", text(30_000)), None),
            (column("j"), nullable("j", ColumnType::Text { max_len: None }), None),
            (column("k"), with("k", ColumnType::Text { max_len: Some(9) }, ColumnDefault::Text("it's".into())), None),
            (column("at"), nullable("at", ColumnType::Timestamp), None),
            (column("at"), nullable("at", ColumnType::Date), None),
            (column("at"), Column::new("at", ColumnType::DateTime), Some(ColumnDefault::Now)),
        ] {
            if from.name == "name" && !matches!(to.ty, ColumnType::Text { max_len: Some(0..=16_383) } | ColumnType::I16)
            {
                // A key on a long text is no key.
                let after = edit(&before, "p", |p| p.columns[1] = to.clone());
                assert_eq!(MySqlDdl.check(&after).unwrap_err().kind(), ErrorKind::Unsupported);
                continue;
            }
            let after = edit(&before, "p", |p| *p.columns.iter_mut().find(|c| c.name == to.name).unwrap() = to.clone());
            there_and_back(conn, &before, &[alter(&from, &to, fill)], &[alter(&to, &from, None)], &after).await;
        }
        // An enum that gets and loses a label.
        let (EnumNow(one), EnumNow(two)) = (EnumNow::of(&column("k").ty), EnumNow::of(&kind(&["b", "x", "a"])));
        let after = edit(&before, "p", |p| p.columns[5].ty = kind(&["b", "x", "a"]));
        there_and_back(
            conn,
            &before,
            &[Change::AlterEnum { before: one.clone(), after: two.clone(), map: vec![] }],
            &[Change::AlterEnum { before: two, after: one, map: vec![] }],
            &after,
        )
        .await;
        // Columns that come and go.
        for (new, backfill) in [
            (nullable("z", ColumnType::I32), None),
            (Column::new("z", ColumnType::I32), Some(ColumnDefault::Int(42))),
            (Column::new("z", text(20_000)), Some(ColumnDefault::Text("it's \\".into()))),
            (with("z", ColumnType::Timestamp, ColumnDefault::Now), None),
            (Column::new("z", kind(&["q", "a"])), Some(ColumnDefault::Text("a".into()))),
            (Column::new("z", ColumnType::Json), Some(ColumnDefault::Text("[]".into()))),
            (
                Column::new("z", ColumnType::Uuid),
                Some(ColumnDefault::Text("00000000-0000-0000-0000-000000000001".into())),
            ),
        ] {
            let after = edit(&before, "p", |p| p.columns.push(new.clone()));
            let there = Change::AddColumn { table: "p".into(), column: new.clone(), backfill };
            there_and_back(conn, &before, &[there], &[Change::DropColumn { table: "p".into(), column: new }], &after)
                .await;
        }
        assert_eq!(number(conn, "SELECT COUNT(*) FROM p WHERE name IN ('7', '8')").await, 2, "rows are kept");
        // Columns and tables that change their names.
        let rename =
            |from: &str, to: &str| Change::RenameColumn { table: "p".into(), from: from.into(), to: to.into() };
        for name in ["long", "j", "id", "name"] {
            let after = Schema {
                tables: edit(&before, "p", |p| {
                    p.rename_column(name, "other");
                })
                .tables
                .into_iter()
                .map(|mut table| {
                    for key in &mut table.foreign_keys {
                        key.target_columns.iter_mut().filter(|c| *c == name).for_each(|c| *c = "other".into());
                    }
                    table
                })
                .collect(),
                objects: Vec::new(),
            };
            there_and_back(conn, &before, &[rename(name, "other")], &[rename("other", name)], &after).await;
        }
        let mut after = edit(&before, "p", |p| p.name = "parents".into());
        after.tables.iter_mut().flat_map(|t| &mut t.foreign_keys).for_each(|key| key.target = "parents".into());
        let rename = |from: &str, to: &str| Change::RenameTable { from: from.into(), to: to.into() };
        there_and_back(conn, &before, &[rename("p", "parents")], &[rename("parents", "p")], &after).await;
        assert_eq!(number(conn, "SELECT COUNT(*) FROM c WHERE p IS NOT NULL").await, 2);
    });
}

struct EnumNow(EnumType);

impl EnumNow {
    fn of(ty: &ColumnType) -> Self {
        EnumNow(ty.as_enum().unwrap().clone())
    }
}

#[test]
fn keys_change_and_change_back() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let before = base();
        create(conn, &before.tables).await;
        exec(conn, "INSERT INTO p (n, name) VALUES (1, 'x')", &[]).await.unwrap();
        exec(conn, "INSERT INTO c (p) VALUES (1)", &[]).await.unwrap();
        let add_index = |table: &str, index: &Index| Change::AddIndex { table: table.into(), index: index.clone() };
        let drop_index = |table: &str, index: &Index| Change::DropIndex { table: table.into(), index: index.clone() };
        let add_key = |key: &ForeignKey| Change::AddForeignKey { table: "c".into(), foreign_key: key.clone() };
        let drop_key = |key: &ForeignKey| Change::DropForeignKey { table: "c".into(), foreign_key: key.clone() };
        for (name, new) in [
            ("p", index("p_n_key", &["n"], true)),
            ("c", index("c_p_idx", &["p"], false)),
            ("c", index("c_p_q_key", &["p", "q"], true)),
        ] {
            let after = edit(&before, name, |t| t.indexes.push(new.clone()));
            there_and_back(conn, &before, &[add_index(name, &new)], &[drop_index(name, &new)], &after).await;
        }
        let old = before.table("c").unwrap().foreign_keys[0].clone();
        let other = key("c_p_fkey", "p", "p", Action::SetNull, Action::Cascade);
        let after = edit(&before, "c", |c| c.foreign_keys = vec![other.clone()]);
        there_and_back(conn, &before, &[drop_key(&old), add_key(&other)], &[drop_key(&other), add_key(&old)], &after)
            .await;
        let after = edit(&before, "c", |c| c.foreign_keys.clear());
        there_and_back(conn, &before, &[drop_key(&old)], &[add_key(&old)], &after).await;
        let left = number(
            conn,
            "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'c'",
        )
        .await;
        assert_eq!(left, 2, "the primary key and the one behind the foreign key");
        // Both ends of a foreign key change their type, in one plan.
        let id = |ty: ColumnType| Column { auto: true, ..Column::new("id", ty) };
        let after = edit(&edit(&before, "p", |p| p.columns[0] = id(ColumnType::I32)), "c", |c| {
            c.columns[1] = nullable("p", ColumnType::I32)
        });
        let alter = |table: &str, before: Column, after: Column| Change::AlterColumn {
            table: table.into(),
            before,
            after,
            backfill: None,
        };
        let there = [
            alter("p", id(ColumnType::I64), id(ColumnType::I32)),
            alter("c", nullable("p", ColumnType::I64), nullable("p", ColumnType::I32)),
        ];
        let back = [
            alter("c", nullable("p", ColumnType::I32), nullable("p", ColumnType::I64)),
            alter("p", id(ColumnType::I32), id(ColumnType::I64)),
        ];
        there_and_back(conn, &before, &there, &back, &after).await;
        // Everything goes and comes.
        let mut gone = vec![drop_key(&old)];
        gone.extend(before.tables.iter().map(|table| Change::DropTable { table: table.clone() }));
        there_and_back(conn, &before, &gone, &creation(&before), &Schema::default()).await;
    });
}

#[test]
fn guards_find_the_rows_that_do_not_fit() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let columns = vec![
            nullable("i", ColumnType::I64),
            nullable("t", ColumnType::Text { max_len: None }),
            nullable("d", ColumnType::Decimal { precision: 10, scale: 4 }),
            nullable("f", ColumnType::F64),
            nullable("at", ColumnType::DateTime),
            nullable("k", kind(&["a", "b"])),
        ];
        let before = Schema::of(vec![table("t", columns.clone())]);
        create(conn, &before.tables).await;
        let find = |name: &str| columns.iter().find(|c| c.name == name).unwrap().clone();
        for (name, to, fits, does_not) in [
            ("i", ColumnType::I32, "2147483647", "2147483648"),
            ("i", ColumnType::U32, "0", "-1"),
            ("i", ColumnType::Bool, "1", "2"),
            ("i", ColumnType::F64, "9007199254740992", "9007199254740993"),
            ("i", text(3), "999", "-999"),
            ("i", ColumnType::Decimal { precision: 4, scale: 2 }, "99", "100"),
            ("t", text(3), "'日本語'", "'abcd'"),
            ("t", text(20_000), "'abcd'", "REPEAT('é', 20001)"),
            ("t", ColumnType::I32, "'-7'", "'x'"),
            ("t", ColumnType::I32, "'2147483647'", "'2147483648'"),
            ("t", ColumnType::I32, "'7'", "' 7'"),
            ("t", ColumnType::I32, "'7'", "''"),
            ("t", ColumnType::Bool, "'1'", "'true'"),
            ("t", ColumnType::Decimal { precision: 6, scale: 2 }, "'1234.56'", "'1.234'"),
            ("t", ColumnType::F64, "'1.5e3'", "'1.5x'"),
            ("t", ColumnType::Date, "'2024-02-29'", "'2023-02-29'"),
            ("t", ColumnType::Date, "'2024-02-29'", "'20240229'"),
            ("t", ColumnType::DateTime, "'2024-02-29 23:59:59.123456'", "'2024-02-29 24:00:00'"),
            ("t", ColumnType::Time, "'23:59:59'", "'24:00:00'"),
            ("t", ColumnType::Json, "'{}'", "'nope'"),
            ("t", kind(&["a", "it's"]), "'it''s'", "'A'"),
            ("d", ColumnType::Decimal { precision: 10, scale: 2 }, "1.2300", "1.2355"),
            ("d", ColumnType::Decimal { precision: 6, scale: 4 }, "99.9999", "100"),
            ("d", ColumnType::I8, "127", "127.5"),
            ("f", ColumnType::I32, "2", "2.7"),
            ("at", ColumnType::Date, "'2024-01-01'", "'2024-01-01 00:00:01'"),
            ("k", kind(&["b", "c"]), "'b'", "'a'"),
        ] {
            let after = nullable(name, to);
            let change =
                Change::AlterColumn { table: "t".into(), before: find(name), after: after.clone(), backfill: None };
            let schema =
                edit(&before, "t", |t| *t.columns.iter_mut().find(|c| c.name == name).unwrap() = after.clone());
            let steps = MySqlDdl.plan(std::slice::from_ref(&change), &before, &schema).unwrap();
            exec(conn, &format!("INSERT INTO t ({name}) VALUES ({fits}), (NULL), ({does_not})"), &[]).await.unwrap();
            let found = apply(conn, &steps).await.expect_err(&format!("{name} to {} with {does_not}", after.ty));
            assert!(found.starts_with("1: t."), "{name} to {} with {does_not}: {found}\n{steps:#?}", after.ty);
            assert_eq!(read(conn).await, before);
            exec(conn, "DELETE FROM t WHERE id = (SELECT MAX(id) FROM (SELECT id FROM t) x)", &[]).await.unwrap();
            apply(conn, &steps).await.unwrap_or_else(|error| panic!("{name} to {} with {fits}: {error}", after.ty));
            assert_eq!(read(conn).await, schema);
            conn.script("DROP TABLE t").await.unwrap();
            create(conn, &before.tables).await;
        }
        // NULL, and a new column without a value.
        exec(conn, "INSERT INTO t (i) VALUES (NULL)", &[]).await.unwrap();
        let to = Column::new("i", ColumnType::I64);
        let change = Change::AlterColumn { table: "t".into(), before: find("i"), after: to, backfill: None };
        let found = apply(conn, &MySqlDdl.plan(&[change], &before, &before).unwrap()).await.unwrap_err();
        assert!(found.contains("t.i holds NULL"), "{found}");
        let new = Change::AddColumn { table: "t".into(), column: Column::new("z", ColumnType::I32), backfill: None };
        let found =
            apply(conn, &MySqlDdl.plan(std::slice::from_ref(&new), &before, &before).unwrap()).await.unwrap_err();
        assert!(found.starts_with("1: t has rows"), "{found}");
        exec(conn, "DELETE FROM t", &[]).await.unwrap();
        apply(conn, &MySqlDdl.plan(&[new], &before, &before).unwrap()).await.unwrap();
    });
}

#[test]
fn what_cannot_be_held_is_refused() {
    let refused = |schema: Schema, word: &str| {
        let error = MySqlDdl.check(&schema).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(word), "{error}");
    };
    MySqlDdl.check(&base()).unwrap();
    MySqlDdl.check(&rich()).unwrap();
    let p = |change: fn(&mut Table)| edit(&base(), "p", change);
    let c = |change: fn(&mut Table)| edit(&base(), "c", change);
    refused(p(|p| p.indexes.push(index("x", &["long"], false))), "key on p.long");
    refused(p(|p| p.indexes.push(index("x", &["j"], true))), "key on p.j");
    refused(
        p(|p| {
            p.columns.push(Column::new("w", text(1000)));
            p.indexes.push(index("x", &["w"], true));
        }),
        "3072",
    );
    refused(p(|p| p.columns.extend([Column::new("w", text(9_000)), Column::new("v", text(9_000))])), "65535");
    refused(p(|p| p.columns.push(Column { auto: true, ..Column::new("w", ColumnType::I64) })), "numbered");
    refused(p(|p| p.columns.push(Column::new("w", ColumnType::Decimal { precision: 39, scale: 2 }))), "decimal(39, 2)");
    refused(p(|p| p.columns.push(Column::new("x".repeat(64), ColumnType::I64))), "name");
    refused(p(|p| p.columns.push(Column::new("w", kind(&["a", "b "])))), "label");
    refused(p(|p| p.columns.push(with("w", ColumnType::I64, ColumnDefault::Now))), "now");
    refused(p(|p| p.columns.push(with("w", kind(&["a"]), ColumnDefault::Text("b".into())))), "labels");
    refused(c(|c| c.foreign_keys[0].on_delete = Action::SetDefault), "SET DEFAULT");
    refused(
        c(|c| {
            c.columns[1].nullable = false;
            c.foreign_keys[0].on_delete = Action::SetNull;
        }),
        "SET NULL",
    );
    refused(c(|c| c.columns[1].ty = ColumnType::I32), "(i32) to p.id (i64)");
    refused(c(|c| c.foreign_keys[0].target_columns = vec!["n".into()]), "(i64) to p.n (i32)");
    let mut other = c(|c| c.foreign_keys[0].target_columns = vec!["n".into()]);
    other.tables.iter_mut().flat_map(|t| &mut t.columns).filter(|c| c.name == "n").for_each(|c| c.ty = ColumnType::I64);
    refused(other, "not unique");
}

#[test]
fn a_first_primary_key_is_made() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let full = Schema::of(vec![table("t", vec![nullable("n", ColumnType::I32)])]);
        let bare = edit(&full, "t", |t| {
            t.primary_key.clear();
            t.columns.remove(0);
        });
        create(conn, &bare.tables).await;
        exec(conn, "INSERT INTO t VALUES (7), (8)", &[]).await.unwrap();
        let id = full.tables[0].columns[0].clone();
        let change = Change::AddColumn { table: "t".into(), column: id, backfill: None };
        apply(conn, &MySqlDdl.plan(&[change], &bare, &full).unwrap()).await.unwrap();
        assert_eq!(number(conn, "SELECT SUM(id) FROM t").await, 3, "rows that exist are numbered");
    });
}

#[test]
fn defaults_are_what_they_say() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let every = rich().table("every").unwrap().clone();
        let columns = every.columns.into_iter().filter(|c| c.default.is_some() || c.auto).collect();
        create(conn, &[Table { columns, indexes: vec![], ..table("every", vec![]) }]).await;
        exec(conn, "INSERT INTO every () VALUES ()", &[]).await.unwrap();
        let odd = "it's a \\ \"`%\n日";
        let fits = "SELECT COUNT(*) FROM every WHERE d_text = ? AND d_short = ? AND d_bytes = ? AND d_null = 'NULL' \
                    AND d_empty = '' AND d_enum = ? AND d_uuid = ? AND d_bool AND d_int = -5 AND d_dec = -1.5 \
                    AND ABS(TIMESTAMPDIFF(SECOND, d_now, UTC_TIMESTAMP())) < 60 AND d_now = d_dt AND DATE(d_now) = d_day";
        let odd = Value::Text(odd.into());
        let uuid = Value::Uuid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x5c, 0x27, 0x22, 0xff, 0xfe]);
        let args = [odd.clone(), odd.clone(), odd, Value::Label("back\\slash".into()), uuid];
        let rows = crate::mysql::query(conn, fits, &args, &[ColumnType::I64]).await.unwrap();
        assert!(rows == [[Value::Int(1)]]);
    });
}

#[test]
fn tables_made_by_others_are_read() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script(
            "CREATE TABLE old (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, a TINYTEXT, b VARCHAR(9) CHARACTER SET latin1, \
             c MEDIUMINT, d TIMESTAMP NULL, e SET('x', 'y'), f INT GENERATED ALWAYS AS (c + 1) STORED, g VARCHAR(9) DEFAULT (UUID()), \
             h ENUM('p', 'q'), i VARCHAR(200) COLLATE utf8mb4_unicode_ci, KEY ak (a(5)), KEY ik (i), FULLTEXT KEY ft (i)) \
             CHARACTER SET utf8mb4",
        )
        .await
        .unwrap();
        let schema = read(conn).await;
        let old = schema.table("old").unwrap();
        let other = |name: &str| matches!(&old.column(name).unwrap().ty, ColumnType::Other(text) if !text.is_empty());
        for name in ["a", "b", "c", "d", "e"] {
            assert!(other(name), "{name}: {}", old.column(name).unwrap().ty);
        }
        assert_eq!(old.column("id").unwrap(), &Column { auto: true, ..Column::new("id", ColumnType::U32) });
        let default = Some(ColumnDefault::Expression(Expression::new("uuid()")));
        assert_eq!(old.column("g").unwrap().default, default);
        let f = old.column("f").unwrap();
        let generated = Generated { expression: Expression::new("`c` + 1"), stored: true };
        assert_eq!((&f.ty, &f.generated), (&ColumnType::I32, &Some(generated)));
        assert!(matches!(&old.column("h").unwrap().ty, ColumnType::Enum(ty) if ty.name == "old_h_enum"));
        assert!(old.column("i").unwrap().case_insensitive);
        assert_eq!(old.indexes, [index("ik", &["i"], false)]);
    });
}
