//! Migrations: every change forth and back, and what must never happen to the rows meanwhile.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{
    Action, Change, Check, Column, ColumnDefault, ColumnType, Expression, Object, Schema, Table,
};
use covet_drivers::contract::{Connection, ConnectionState};
use covet_drivers::value::Value;

use super::schemas::{auto, column, create, index, key, migrate, mood, nullable, read, table, text, with};
use super::{Place, kind, memory, number, open, rows, run, texts};

/// Parents with two rows, children with five that go with their parents.
fn family() -> Schema {
    let mut parent = table("p", vec![auto(), nullable("name", text(Some(20)))]);
    parent.indexes = vec![index("p_name_idx", &["name"], false)];
    let mut child = table("c", vec![auto(), column("pid", ColumnType::I64), nullable("n", ColumnType::I32)]);
    child.foreign_keys = vec![key("c_pid_fkey", "pid", "p", Action::Cascade)];
    child.indexes = vec![index("c_n_key", &["n"], true), index("c_pid_idx", &["pid"], false)];
    Schema::of(vec![child, parent])
}

async fn filled() -> Box<dyn Connection> {
    let mut db = memory().await;
    create(&mut *db, &family()).await;
    db.script(
        "INSERT INTO p (name) VALUES ('a'), ('b');
         INSERT INTO c (pid, n) VALUES (1, 1), (1, 2), (1, 3), (2, 4), (2, NULL)",
    )
    .await
    .unwrap();
    db
}

fn edited(name: &str, edit: impl FnOnce(&mut Table)) -> Schema {
    let mut schema = family();
    edit(schema.tables.iter_mut().find(|table| table.name == name).unwrap());
    schema.sort();
    schema
}

/// There, and back, with the schema read each time and the children counted.
async fn there_and_back(there: &[Change], back: &[Change], after: &Schema) {
    let mut db = filled().await;
    let before = read(&mut *db).await;
    assert_eq!(before, family());
    migrate(&mut *db, there, &before, after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, *after);
    migrate(&mut *db, back, after, &before).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, before);
    assert_eq!(number(&mut *db, "SELECT count(*) * 10 + sum(pid) FROM c").await, 57);
    assert_eq!(number(&mut *db, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
    assert_eq!(number(&mut *db, "SELECT legacy_alter_table FROM pragma_legacy_alter_table").await, 0);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM temp.sqlite_schema").await, 0);
    assert_eq!(texts(&mut *db, "PRAGMA integrity_check", &[]).await, ["ok"]);
}

fn alter(table: &str, before: Column, after: Column) -> Change {
    Change::AlterColumn { table: table.into(), before, after, backfill: None }
}

#[tokio::test]
async fn tables_come_and_go_and_change_their_names() {
    let mut other = table("other", vec![auto(), column("pid", ColumnType::I64)]);
    other.foreign_keys = vec![key("other_pid_fkey", "pid", "p", Action::NoAction)];
    let mut after = family();
    after.tables.push(other.clone());
    after.sort();
    let bare = Table { foreign_keys: vec![], ..other.clone() };
    let foreign_key = other.foreign_keys[0].clone();
    there_and_back(
        &[
            Change::CreateTable { table: bare.clone() },
            Change::AddForeignKey { table: "other".into(), foreign_key: foreign_key.clone() },
        ],
        &[Change::DropForeignKey { table: "other".into(), foreign_key }, Change::DropTable { table: bare }],
        &after,
    )
    .await;

    for to in ["parents", "P"] {
        let mut after = family();
        for table in &mut after.tables {
            table.foreign_keys.iter_mut().for_each(|key| key.target = to.into());
            if table.name == "p" {
                table.name = to.into();
            }
        }
        after.sort();
        there_and_back(
            &[Change::RenameTable { from: "p".into(), to: to.into() }],
            &[Change::RenameTable { from: to.into(), to: "p".into() }],
            &after,
        )
        .await;
    }
}

#[tokio::test]
async fn columns_come_and_go() {
    for added in [
        nullable("x", ColumnType::I8),
        with(nullable("x", text(Some(5))), ColumnDefault::Text("it's".into())),
        with(column("x", ColumnType::Bool), ColumnDefault::Bool(false)),
        with(column("x", ColumnType::Timestamp), ColumnDefault::Now),
        with(column("x", ColumnType::Enum(mood(&["a", "b"]))), ColumnDefault::Text("b".into())),
    ] {
        let after = edited("p", |table| table.columns.push(added.clone()));
        let there = Change::AddColumn { table: "p".into(), column: added.clone(), backfill: None };
        there_and_back(&[there], &[Change::DropColumn { table: "p".into(), column: added }], &after).await;
    }
    // A key that goes with its column.
    let extra = nullable("q", ColumnType::I64);
    let q = key("c_q_fkey", "q", "p", Action::SetNull);
    let q_index = index("c_q_idx", &["q"], false);
    let after = edited("c", |table| {
        table.columns.push(extra.clone());
        table.foreign_keys.push(q.clone());
        table.indexes.push(q_index.clone());
    });
    let c = || String::from("c");
    there_and_back(
        &[
            Change::AddColumn { table: c(), column: extra.clone(), backfill: None },
            Change::AddIndex { table: c(), index: q_index.clone() },
            Change::AddForeignKey { table: c(), foreign_key: q.clone() },
        ],
        &[
            Change::DropForeignKey { table: c(), foreign_key: q },
            Change::DropIndex { table: c(), index: q_index },
            Change::DropColumn { table: c(), column: extra },
        ],
        &after,
    )
    .await;
}

#[tokio::test]
async fn columns_change_their_names_and_everything_follows() {
    let after = {
        let mut after = edited("p", |table| {
            table.columns[0].name = "pid".into();
            table.primary_key = vec!["pid".into()];
        });
        after.tables[0].foreign_keys[0].target_columns = vec!["pid".into()];
        after
    };
    let rename = |from: &str, to: &str| Change::RenameColumn { table: "p".into(), from: from.into(), to: to.into() };
    there_and_back(&[rename("id", "pid")], &[rename("pid", "id")], &after).await;
    let after = edited("p", |table| {
        table.rename_column("name", "Name");
    });
    there_and_back(&[rename("name", "Name")], &[rename("Name", "name")], &after).await;
}

#[tokio::test]
async fn columns_change_type_nullability_default_and_collation() {
    let name = nullable("name", text(Some(20)));
    for after_name in [
        nullable("name", text(None)),
        nullable("name", text(Some(1))),
        column("name", text(Some(20))),
        with(name.clone(), ColumnDefault::Text("x".into())),
        Column { case_insensitive: true, ..name.clone() },
        nullable("name", ColumnType::Enum(mood(&["b", "a"]))),
    ] {
        let after = edited("p", |table| table.columns[1] = after_name.clone());
        there_and_back(
            &[alter("p", name.clone(), after_name.clone())],
            &[alter("p", after_name, name.clone())],
            &after,
        )
        .await;
    }
    let n = nullable("n", ColumnType::I32);
    for ty in [
        ColumnType::I64,
        ColumnType::U8,
        ColumnType::F64,
        ColumnType::F32,
        ColumnType::Decimal { precision: 9, scale: 2 },
        text(None),
        text(Some(1)),
    ] {
        let after_n = nullable("n", ty.clone());
        let after = edited("c", |table| table.columns[2] = after_n.clone());
        there_and_back(&[alter("c", n.clone(), after_n.clone())], &[alter("c", after_n, n.clone())], &after).await;
    }
}

#[tokio::test]
async fn keys_and_indexes_come_and_go() {
    let old = family().tables[0].foreign_keys[0].clone();
    let new = key("c_pid_fkey", "pid", "p", Action::Restrict);
    let after = edited("c", |table| table.foreign_keys = vec![new.clone()]);
    let swap = |drop, add| {
        [
            Change::DropForeignKey { table: "c".into(), foreign_key: drop },
            Change::AddForeignKey { table: "c".into(), foreign_key: add },
        ]
    };
    there_and_back(&swap(old.clone(), new.clone()), &swap(new, old), &after).await;
    let (plain, unique) = (index("c_n_key", &["n"], true), index("c_n_key", &["n", "pid"], false));
    let after = edited("c", |table| table.indexes[0] = unique.clone());
    let swap = |drop, add| {
        [Change::DropIndex { table: "c".into(), index: drop }, Change::AddIndex { table: "c".into(), index: add }]
    };
    there_and_back(&swap(plain.clone(), unique.clone()), &swap(unique, plain), &after).await;
}

#[tokio::test]
async fn everything_about_one_table_at_once_is_one_rebuild() {
    let p = || String::from("p");
    let extra = column("extra", ColumnType::I16);
    let changes = [
        Change::DropIndex { table: p(), index: index("p_name_idx", &["name"], false) },
        Change::RenameColumn { table: p(), from: "name".into(), to: "title".into() },
        alter("p", nullable("title", text(Some(20))), column("title", text(None))),
        Change::AddColumn { table: p(), column: extra.clone(), backfill: Some(ColumnDefault::Int(7)) },
        // The name of a column that was renamed is free for another.
        Change::AddColumn { table: p(), column: nullable("name", ColumnType::I64), backfill: None },
        Change::RenameTable { from: p(), to: "q".into() },
        Change::AddIndex { table: "q".into(), index: index("q_title_key", &["title"], true) },
    ];
    let mut after = family();
    after.tables[0].foreign_keys[0].target = "q".into();
    let q = &mut after.tables[1];
    q.name = "q".into();
    q.columns = vec![auto(), column("title", text(None)), extra, nullable("name", ColumnType::I64)];
    q.indexes = vec![index("q_title_key", &["title"], true)];
    let mut db = filled().await;
    let backend = super::open("sqlite::memory:").unwrap();
    let steps = backend.ddl().plan(&changes, &family(), &after).unwrap();
    assert_eq!(steps.iter().filter(|step| step.sql.starts_with("CREATE TABLE")).count(), 1);
    migrate(&mut *db, &changes, &family(), &after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, after);
    assert_eq!(texts(&mut *db, "SELECT id || title || extra || (name IS NULL) FROM q", &[]).await, ["1a71", "2b71"]);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM c").await, 5);
    assert_eq!(kind(run(&mut *db, "INSERT INTO c (pid) VALUES (99)", &[]).await), Some(ErrorKind::ForeignKey));
}

#[tokio::test]
async fn a_name_that_changes_hands_takes_the_right_values_along() {
    // `name` goes, and `note` gets its name; the table is rebuilt for another reason.
    let p = || String::from("p");
    let note = nullable("note", text(None));
    let start = edited("p", |table| {
        table.columns.push(note.clone());
        table.indexes.clear();
    });
    let mut db = memory().await;
    create(&mut *db, &start).await;
    db.script("INSERT INTO p (name, note) VALUES ('old', 'new')").await.unwrap();
    let changes = [
        Change::DropColumn { table: p(), column: nullable("name", text(Some(20))) },
        Change::RenameColumn { table: p(), from: "note".into(), to: "name".into() },
        alter("p", nullable("name", text(None)), column("name", text(Some(30)))),
    ];
    let after = edited("p", |table| {
        table.columns = vec![auto(), column("name", text(Some(30)))];
        table.indexes.clear();
    });
    migrate(&mut *db, &changes, &start, &after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, after);
    assert_eq!(texts(&mut *db, "SELECT name FROM p", &[]).await, ["new"]);
}

#[tokio::test]
async fn rows_that_do_not_fit_stop_the_migration_before_anything_changed() {
    let name = nullable("name", text(Some(20)));
    let n = nullable("n", ColumnType::I32);
    let add = |column: Column| Change::AddColumn { table: "p".into(), column, backfill: None };
    let cases: Vec<(&str, Change, &str)> = vec![
        (
            "UPDATE p SET name = 'toolong'",
            alter("p", name.clone(), nullable("name", text(Some(3)))),
            "2 values of p.name",
        ),
        (
            "UPDATE p SET name = NULL WHERE id = 1",
            alter("p", name.clone(), column("name", text(Some(20)))),
            "1 values of p.name are NULL",
        ),
        ("", alter("p", name.clone(), nullable("name", ColumnType::I32)), "2 values of p.name do not fit i32"),
        ("UPDATE p SET name = '007'", alter("p", name.clone(), nullable("name", ColumnType::I32)), "2 values"),
        ("UPDATE p SET name = '3000000000'", alter("p", name.clone(), nullable("name", ColumnType::I32)), "2 values"),
        ("", alter("p", name.clone(), nullable("name", ColumnType::Json)), "2 values"),
        ("UPDATE p SET name = '2023-02-31'", alter("p", name.clone(), nullable("name", ColumnType::Date)), "2 values"),
        ("", alter("p", name.clone(), nullable("name", ColumnType::Uuid)), "2 values"),
        ("", alter("p", name.clone(), nullable("name", ColumnType::Enum(mood(&["a"])))), "1 values"),
        ("UPDATE c SET n = 300 WHERE n = 1", alter("c", n.clone(), nullable("n", ColumnType::U8)), "1 values of c.n"),
        ("UPDATE c SET n = -1 WHERE n = 1", alter("c", n.clone(), nullable("n", ColumnType::U32)), "1 values"),
        ("", alter("c", n.clone(), nullable("n", ColumnType::Bool)), "3 values"),
        ("UPDATE c SET n = 16777217 WHERE n = 1", alter("c", n.clone(), nullable("n", ColumnType::F32)), "1 values"),
        (
            "UPDATE c SET n = 100 WHERE n = 1",
            alter("c", n.clone(), nullable("n", ColumnType::Decimal { precision: 3, scale: 1 })),
            "1 values",
        ),
        ("", add(column("x", ColumnType::I32)), "2 rows of p have no value for the new column p.x"),
        (
            "PRAGMA foreign_keys = OFF; UPDATE c SET n = 99 WHERE n = 4; PRAGMA foreign_keys = ON",
            Change::AddForeignKey { table: "c".into(), foreign_key: key("c_n_fkey", "n", "p", Action::NoAction) },
            "2 rows of c point at rows of p",
        ),
    ];
    for (spoil, change, want) in cases {
        let mut db = filled().await;
        db.script(spoil).await.unwrap();
        let before = read(&mut *db).await;
        let stopped = migrate(&mut *db, std::slice::from_ref(&change), &before, &before).await.unwrap().unwrap_err();
        assert!(stopped.starts_with(want), "{stopped}: {change:?}");
        assert_eq!(read(&mut *db).await, before);
        assert_eq!(db.state(), ConnectionState::Idle);
        assert_eq!(number(&mut *db, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
        assert_eq!(number(&mut *db, "SELECT count(*) FROM c").await, 5);
    }
}

#[tokio::test]
async fn conversions_give_the_same_value_in_the_new_type() {
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let cases: Vec<(ColumnType, ColumnType, &str, &str)> = vec![
        (text(None), ColumnType::I64, "'-12'", "-12"),
        (ColumnType::I32, text(None), "-12", "'-12'"),
        (ColumnType::Bool, text(None), "1", "'true'"),
        (ColumnType::F64, ColumnType::I16, "-3.0", "-3"),
        (ColumnType::I32, decimal(9, 2), "-12", "-1200"),
        (decimal(9, 2), ColumnType::I32, "-1200", "-12"),
        (decimal(9, 2), decimal(12, 4), "-105", "-10500"),
        (decimal(9, 4), decimal(9, 2), "-10500", "-105"),
        (decimal(9, 2), text(None), "-5", "'-0.05'"),
        (decimal(9, 0), text(None), "5", "'5'"),
        (decimal(18, 2), decimal(21, 3), "-105", "'-999999999999999998949'"),
        (decimal(18, 2), decimal(21, 3), "105", "'0000000000000000001050'"),
        (decimal(19, 2), decimal(21, 3), "'09999999999999999999'", "'0099999999999999999990'"),
        (decimal(19, 2), decimal(21, 3), "'-0000000000000000000'", "'-900000000000000000009'"),
        (text(None), ColumnType::Uuid, "'00112233-4455-6677-8899-aabbccddeeff'", "x'00112233445566778899aabbccddeeff'"),
        (ColumnType::Uuid, text(None), "x'00112233445566778899aabbccddeeff'", "'00112233-4455-6677-8899-aabbccddeeff'"),
        (ColumnType::Date, ColumnType::Timestamp, "'2024-02-29'", "'2024-02-29 00:00:00.000000'"),
        (ColumnType::DateTime, ColumnType::Date, "'2024-02-29 00:00:00.000000'", "'2024-02-29'"),
        (ColumnType::DateTime, ColumnType::Timestamp, "'2024-02-29 01:02:03.000004'", "'2024-02-29 01:02:03.000004'"),
        (text(None), ColumnType::Time, "'01:02:03.000004'", "'01:02:03.000004'"),
        (text(None), ColumnType::Bytes, "'é'", "x'c3a9'"),
    ];
    for (from, to, value, want) in cases {
        let what = format!("{from} to {to}: {value}");
        let (before, after) = (nullable("v", from), nullable("v", to));
        let schema = |column: &Column| Schema::of(vec![table("t", vec![auto(), column.clone()])]);
        let mut db = memory().await;
        create(&mut *db, &schema(&before)).await;
        db.script(&format!("INSERT INTO t (v) VALUES ({value}), (NULL)")).await.unwrap();
        let change = alter("t", before.clone(), after.clone());
        migrate(&mut *db, &[change], &schema(&before), &schema(&after)).await.unwrap().expect(&what);
        let sql = format!("SELECT count(*) FROM t WHERE v IS {want} OR (id = 2 AND v IS NULL)");
        let quoted = texts(&mut *db, "SELECT quote(v) FROM t WHERE id = 1", &[]).await;
        assert_eq!(number(&mut *db, &sql).await, 2, "{what} became {quoted:?}");
        assert_eq!(read(&mut *db).await, schema(&after));
    }
    let backend = super::open("sqlite::memory:").unwrap();
    for (from, to) in [
        (ColumnType::F64, text(None)),
        (ColumnType::F64, ColumnType::F32),
        (ColumnType::Bytes, text(None)),
        (text(None), ColumnType::Bool),
        (decimal(20, 2), decimal(19, 2)),
        (ColumnType::Uuid, ColumnType::I64),
    ] {
        let change = alter("p", nullable("name", from), nullable("name", to));
        let before = edited("p", |table| {
            if let Change::AlterColumn { before, .. } = &change {
                table.columns[1] = before.clone();
            }
        });
        assert_eq!(
            kind(backend.ddl().plan(std::slice::from_ref(&change), &before, &before)),
            Some(ErrorKind::Unsupported),
            "{change:?}"
        );
    }
}

#[tokio::test]
async fn nulls_are_filled_only_with_what_was_chosen() {
    let mut db = filled().await;
    let (before, after_n) =
        (nullable("n", ColumnType::I32), with(column("n", ColumnType::I32), ColumnDefault::Int(30)));
    let after = edited("c", |table| table.columns[2] = after_n.clone());
    let change =
        |backfill| Change::AlterColumn { table: "c".into(), before: before.clone(), after: after_n.clone(), backfill };
    let stopped = migrate(&mut *db, &[change(None)], &family(), &after).await.unwrap().unwrap_err();
    assert!(stopped.starts_with("1 values of c.n are NULL"), "{stopped}");
    migrate(&mut *db, &[change(Some(ColumnDefault::Int(31)))], &family(), &after).await.unwrap().unwrap();
    assert_eq!(number(&mut *db, "SELECT sum(n) FROM c").await, 1 + 2 + 3 + 4 + 31);
    assert_eq!(read(&mut *db).await, after);
}

#[tokio::test]
async fn enums_get_and_lose_labels() {
    let schema = |labels: &[&str]| {
        let mood = with(column("mood", ColumnType::Enum(mood(labels))), ColumnDefault::Text("a".into()));
        Schema::of(vec![table("t", vec![auto(), mood])])
    };
    let (two, three) = (schema(&["a", "b"]), schema(&["x", "b", "a"]));
    let mut db = memory().await;
    create(&mut *db, &two).await;
    db.script("INSERT INTO t (mood) VALUES ('a'), ('b')").await.unwrap();
    let change = |before, after| Change::AlterEnum { before: mood(before), after: mood(after), map: vec![] };
    migrate(&mut *db, &[change(&["a", "b"], &["x", "b", "a"])], &two, &three).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, three);
    db.script("INSERT INTO t (mood) VALUES ('x')").await.unwrap();
    let back = change(&["x", "b", "a"], &["a", "b"]);
    let stopped = migrate(&mut *db, std::slice::from_ref(&back), &three, &two).await.unwrap().unwrap_err();
    assert!(stopped.starts_with("1 values of t.mood"), "{stopped}");
    db.script("DELETE FROM t WHERE mood = 'x'").await.unwrap();
    migrate(&mut *db, &[back], &three, &two).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, two);
}

#[tokio::test]
async fn numbers_of_deleted_rows_do_not_come_again() {
    let mut db = filled().await;
    db.script("INSERT INTO p (name) VALUES ('c'); DELETE FROM p WHERE name = 'c'").await.unwrap();
    let after = edited("p", |table| table.columns[1] = nullable("name", text(None)));
    migrate(&mut *db, &[alter("p", nullable("name", text(Some(20))), nullable("name", text(None)))], &family(), &after)
        .await
        .unwrap()
        .unwrap();
    run(&mut *db, "INSERT INTO p (name) VALUES ('d')", &[]).await.unwrap();
    assert_eq!(number(&mut *db, "SELECT id FROM p WHERE name = 'd'").await, 4);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM sqlite_sequence WHERE name LIKE '%covet%'").await, 0);
}

#[tokio::test]
async fn triggers_views_and_foreign_indexes_survive_a_rebuild() {
    let mut db = filled().await;
    let trigger = "CREATE TRIGGER log_p AFTER INSERT ON p BEGIN INSERT INTO log VALUES ('p;' || new.name); END";
    db.script(&format!(
        "CREATE TABLE log (t TEXT); {trigger};
         CREATE TRIGGER from_c AFTER INSERT ON c BEGIN UPDATE p SET name = 'touched' WHERE id = new.pid; END;
         CREATE VIEW v AS SELECT name FROM p; CREATE INDEX part ON p (name) WHERE name > 'a'"
    ))
    .await
    .unwrap();
    let before = read(&mut *db).await;
    let mut after = before.clone();
    after.tables.iter_mut().find(|table| table.name == "p").unwrap().columns[1] = column("name", text(Some(30)));
    let change = alter("p", nullable("name", text(Some(20))), column("name", text(Some(30))));
    migrate(&mut *db, &[change], &before, &after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, after);
    assert_eq!(texts(&mut *db, "SELECT sql FROM sqlite_schema WHERE name = 'log_p'", &[]).await, [trigger]);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM sqlite_schema WHERE name = 'part'").await, 1);
    run(&mut *db, "INSERT INTO p (name) VALUES ('z')", &[]).await.unwrap();
    run(&mut *db, "INSERT INTO c (pid) VALUES (1)", &[]).await.unwrap();
    assert_eq!(texts(&mut *db, "SELECT t FROM log", &[]).await, ["p;z"]);
    assert_eq!(texts(&mut *db, "SELECT name FROM v ORDER BY 1", &[]).await, ["b", "touched", "z"]);
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_not_lost_by_a_rebuild() {
    for (spoil, want) in [
        ("ALTER TABLE p ADD COLUMN secret TEXT", "1 columns of p are not in the schema"),
        ("ALTER TABLE p ADD COLUMN name2 INTEGER CHECK (name2 > 4)", "1 "),
    ] {
        let mut db = filled().await;
        db.script(spoil).await.unwrap();
        let after = edited("p", |table| table.columns[1] = nullable("name", text(None)));
        let change = alter("p", nullable("name", text(Some(20))), nullable("name", text(None)));
        let stopped = migrate(&mut *db, &[change], &family(), &after).await.unwrap().unwrap_err();
        assert!(stopped.starts_with(want), "{stopped}");
    }
    // A condition without a name is kept, and has one from then on.
    let mut db = memory().await;
    db.script("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, a INTEGER CHECK(a\n>\n4)) STRICT")
        .await
        .unwrap();
    let before = read(&mut *db).await;
    let change = alter("t", nullable("a", ColumnType::I64), nullable("a", ColumnType::I32));
    let mut after = before.clone();
    after.tables[0].columns[1].ty = ColumnType::I32;
    migrate(&mut *db, &[change], &before, &after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, after);
    assert_eq!(kind(run(&mut *db, "INSERT INTO t (a) VALUES (4)", &[]).await), Some(ErrorKind::Check));
}

/// What `db pull` leaves out of the models, because they have no word for it.
#[tokio::test]
async fn what_no_model_can_say_is_not_lost_by_a_rebuild() {
    const FOREIGN: &str = "1 columns of p have a foreign key that is not in the schema";
    let p = |name: &str, rest: &str, behind: &str| {
        format!(
            "DROP TABLE p; CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY, name TEXT CHECK (length(name) <= 20){name}\
             {rest}) STRICT{behind}; CREATE INDEX p_name_idx ON p (name); INSERT INTO p (name) VALUES ('a'), ('b')"
        )
    };
    for (spoil, want) in [
        (p(" REFERENCES nowhere", "", ""), FOREIGN),
        (p("", ", FOREIGN KEY (name) REFERENCES Other (Name)", ""), FOREIGN),
        (p(" UNIQUE ON\n\t  CONFLICT\nREPLACE", "", ""), "1 p has a ON CONFLICT that is not in the schema"),
        (p("", "", ", WITHOUT ROWID").replace("(name) VALUES ('a'), ('b')", "VALUES (1, 'a')"), "1 p is WITHOUT ROWID"),
    ] {
        let mut db = filled().await;
        db.script(&format!("PRAGMA foreign_keys = OFF; {spoil}")).await.unwrap();
        let mut before = family();
        before.tables.iter_mut().find(|table| table.name == "p").unwrap().columns[0].auto = false;
        let after = edited("p", |table| {
            table.columns[0].auto = false;
            table.columns[1] = nullable("name", text(None));
        });
        let change = alter("p", nullable("name", text(Some(20))), nullable("name", text(None)));
        let found = texts(&mut *db, "SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name", &[]).await;
        let stopped = migrate(&mut *db, &[change], &before, &after).await.unwrap().unwrap_err();
        assert!(stopped.starts_with(want), "{stopped}");
        assert_eq!(texts(&mut *db, "SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name", &[]).await, found);
    }
}

/// A foreign key is known under whatever names its column and its target have when the table is rebuilt, and however it
/// is written.
#[tokio::test]
async fn foreign_keys_are_known_by_their_new_names() {
    let mut tree = table("tree", vec![auto(), nullable("up", ColumnType::I64), nullable("n", ColumnType::I32)]);
    tree.foreign_keys = vec![key("tree_up_fkey", "up", "tree", Action::SetNull)];
    let before = Schema { tables: [family().tables, vec![tree]].concat(), ..Schema::default() };
    let mut db = memory().await;
    db.script(
        "CREATE TABLE p (id INTEGER NOT NULL CONSTRAINT p_pkey PRIMARY KEY AUTOINCREMENT,
             name TEXT CONSTRAINT p_name_check CHECK (length(name) <= 20)) STRICT;
         CREATE INDEX p_name_idx ON p (name);
         CREATE TABLE c (id INTEGER NOT NULL CONSTRAINT c_pkey PRIMARY KEY AUTOINCREMENT,
             pid INTEGER NOT NULL CONSTRAINT c_pid_fkey REFERENCES P ON DELETE CASCADE, n INTEGER) STRICT;
         CREATE UNIQUE INDEX c_n_key ON c (n); CREATE INDEX c_pid_idx ON c (pid);
         CREATE TABLE tree (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, up INTEGER REFERENCES Tree (Id)
             ON DELETE SET NULL, n INTEGER) STRICT;
         INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 1, 1); INSERT INTO tree VALUES (1, NULL, 1), (2, 1, 1)",
    )
    .await
    .unwrap();
    let changes = [
        Change::RenameTable { from: "p".into(), to: "q".into() },
        Change::RenameTable { from: "tree".into(), to: "wood".into() },
        Change::RenameColumn { table: "q".into(), from: "id".into(), to: "number".into() },
        Change::RenameColumn { table: "c".into(), from: "pid".into(), to: "q_number".into() },
        Change::RenameColumn { table: "wood".into(), from: "id".into(), to: "number".into() },
        Change::RenameColumn { table: "wood".into(), from: "up".into(), to: "above".into() },
        alter("c", nullable("n", ColumnType::I32), nullable("n", ColumnType::I64)),
        alter("wood", nullable("n", ColumnType::I32), nullable("n", ColumnType::I64)),
    ];
    migrate(&mut *db, &changes, &before, &before).await.unwrap().unwrap();
    let keys = "SELECT m.name || '.' || k.\"from\" || ' ' || k.\"table\" || '.' || k.\"to\" || ' ' || k.on_delete \
        FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table' ORDER BY 1";
    let found = texts(&mut *db, keys, &[]).await;
    assert_eq!(found, ["c.q_number q.number CASCADE", "wood.above wood.number SET NULL"]);
}

#[tokio::test]
async fn a_declared_trigger_comes_again_with_the_rebuild_itself() {
    let trigger = Object::trigger("log", "p", Expression::new("AFTER INSERT ON p BEGIN DELETE FROM c; END"));
    let before = Schema { objects: vec![trigger], ..family() };
    let check = Check { name: "p_ck".into(), expression: Expression::new("name <> ''") };
    let mut after = before.clone();
    after.tables.iter_mut().find(|table| table.name == "p").unwrap().checks.push(check.clone());
    let add = Change::AddCheck { table: "p".into(), check: check.clone() };
    let sql = |changes: &[Change], before: &Schema, after: &Schema| {
        let steps = open("sqlite::memory:").unwrap().ddl().plan(changes, before, after).unwrap();
        steps.into_iter().map(|step| step.sql).collect::<Vec<_>>()
    };
    let steps = sql(std::slice::from_ref(&add), &before, &after);
    let made = "CREATE TRIGGER \"log\" AFTER INSERT ON p BEGIN DELETE FROM c; END";
    assert_eq!(steps.iter().filter(|sql| *sql == made).count(), 1, "{steps:?}");
    // One that steps aside anyway is not made twice, and none is made for the table of another.
    let aside = [
        Change::DropObject { object: before.objects[0].clone() },
        add.clone(),
        Change::CreateObject { object: before.objects[0].clone() },
    ];
    let steps = sql(&aside, &before, &after);
    assert_eq!(steps.iter().filter(|sql| *sql == made).count(), 1, "{steps:?}");
    let wider = alter("c", nullable("n", ColumnType::I32), nullable("n", ColumnType::I64));
    assert!(!sql(&[wider], &before, &before).contains(&made.to_owned()));

    let mut db = filled().await;
    db.script(&format!("{made}; CREATE TRIGGER more AFTER DELETE ON p BEGIN DELETE FROM c; END")).await.unwrap();
    migrate(&mut *db, &[add], &before, &after).await.unwrap().unwrap();
    let names = texts(&mut *db, "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1", &[]).await;
    assert_eq!(names, ["log", "more"]);
}

/// A rebuild waits for renames that come later: a trigger that it parks would not follow them.
#[tokio::test]
async fn a_trigger_follows_a_rename_behind_the_rebuild() {
    let mut db = filled().await;
    db.script(
        "CREATE TABLE log (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, n INTEGER) STRICT;
         CREATE TRIGGER own AFTER INSERT ON c BEGIN INSERT INTO log (n) VALUES (NEW.n); END",
    )
    .await
    .unwrap();
    let before = read(&mut *db).await;
    let mut after = before.clone();
    after.tables.iter_mut().find(|table| table.name == "log").unwrap().name = "journal".into();
    after.tables.iter_mut().find(|table| table.name == "c").unwrap().columns[2].ty = ColumnType::I64;
    let changes = [
        alter("c", nullable("n", ColumnType::I32), nullable("n", ColumnType::I64)),
        Change::RenameTable { from: "log".into(), to: "journal".into() },
        Change::RenameColumn { table: "journal".into(), from: "n".into(), to: "number".into() },
    ];
    migrate(&mut *db, &changes, &before, &after).await.unwrap().unwrap();
    run(&mut *db, "INSERT INTO c (pid, n) VALUES (1, 70)", &[]).await.unwrap();
    assert_eq!(number(&mut *db, "SELECT number FROM journal").await, 70);
}

/// What it is about may come with a later migration.
#[tokio::test]
async fn a_new_trigger_may_come_before_its_table() {
    let mut db = filled().await;
    db.begin_migration().await.unwrap();
    db.script("CREATE TRIGGER early AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES (NEW.name); END").await.unwrap();
    db.commit_migration().await.unwrap();
    db.begin_migration().await.unwrap();
    db.script("CREATE TABLE log (a TEXT)").await.unwrap();
    db.commit_migration().await.unwrap();
    // From here on it is one that can run.
    db.begin_migration().await.unwrap();
    db.script("DROP TABLE log").await.unwrap();
    let error = db.commit_migration().await.unwrap_err();
    assert!(error.to_string().contains("the trigger early "), "{error}");
}

#[tokio::test]
async fn a_migration_that_breaks_a_trigger_is_rolled_back() {
    let mut db = filled().await;
    let triggers = "
        CREATE TABLE log (a TEXT, b TEXT); CREATE VIEW v AS SELECT name FROM p;
        CREATE TRIGGER fine AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES (NEW.name); END;
        CREATE TRIGGER odd AFTER INSERT ON p BEGIN INSERT INTO log (b) VALUES (NEW.name); END;
        CREATE TRIGGER instead INSTEAD OF UPDATE ON v BEGIN UPDATE p SET name = NEW.name; END;
        CREATE TRIGGER of_n AFTER UPDATE OF n ON c BEGIN DELETE FROM log WHERE b = OLD.n; END";
    db.script(triggers).await.unwrap();
    let count = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
    for (change, name) in [
        ("ALTER TABLE log DROP COLUMN b", "of_n"),
        ("DROP TRIGGER of_n; ALTER TABLE log DROP COLUMN b", "odd"),
        ("DROP TABLE log", "of_n"),
    ] {
        db.begin_migration().await.unwrap();
        db.script(change).await.unwrap();
        let error = db.commit_migration().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Migration);
        let said = error.to_string();
        assert!(said.contains("could not run any more: ") && error.help().is_some(), "{said}");
        assert!(said.contains(&format!("the trigger {name} ")), "{change}: {said}");
        assert_eq!((db.state(), number(&mut *db, count).await), (ConnectionState::Idle, 4));
    }
    // One that could not run before is no fault of the migration, nor is one that is made anew behind the change.
    db.script("DROP TRIGGER of_n; CREATE TRIGGER broken AFTER DELETE ON p BEGIN DELETE FROM nowhere; END")
        .await
        .unwrap();
    db.begin_migration().await.unwrap();
    db.script(
        "DROP TRIGGER odd; DROP TABLE log; CREATE TABLE log (a TEXT);
         CREATE TRIGGER odd AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES ('odd'); END",
    )
    .await
    .unwrap();
    db.commit_migration().await.unwrap();
    assert_eq!(number(&mut *db, count).await, 4);
}

#[tokio::test]
async fn a_migration_that_leaves_rows_pointing_nowhere_is_rolled_back() {
    let mut db = filled().await;
    db.begin_migration().await.unwrap();
    db.script("DELETE FROM p WHERE id = 1").await.unwrap();
    let error = db.commit_migration().await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::ForeignKey, Some("c")));
    assert_eq!(db.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM p").await, 2);
    // What pointed nowhere before is nothing that the migration did.
    db.script("PRAGMA foreign_keys = OFF; DELETE FROM p WHERE id = 1; PRAGMA foreign_keys = ON").await.unwrap();
    db.begin_migration().await.unwrap();
    db.script("CREATE TABLE x (a)").await.unwrap();
    db.commit_migration().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM x").await, 0);
}

#[tokio::test]
async fn migrations_of_two_runners_wait_for_each_other() {
    let place = Place::new();
    let (mut one, mut two) = (place.connect().await, place.elsewhere("busy_timeout=100").connect().await.unwrap());
    one.lock("covet", std::time::Duration::from_secs(1)).await.unwrap();
    one.begin_migration().await.unwrap();
    assert_eq!(kind(two.begin_migration().await), Some(ErrorKind::LockTimeout));
    assert_eq!(number(&mut *two, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
    one.script("CREATE TABLE t (a)").await.unwrap();
    one.commit_migration().await.unwrap();
    one.unlock("covet").await.unwrap();
    two.begin_migration().await.unwrap();
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 0);
    two.rollback_migration().await.unwrap();
    assert_eq!(number(&mut *two, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
}

#[tokio::test]
async fn a_key_column_that_comes_or_goes() {
    let plain = Table { primary_key: vec![], ..table("t", vec![nullable("a", ColumnType::I64)]) };
    let keyed = table("t", vec![nullable("a", ColumnType::I64), auto()]);
    let (before, after) = (Schema::of(vec![plain]), Schema::of(vec![keyed]));
    let mut db = memory().await;
    create(&mut *db, &before).await;
    db.script("INSERT INTO t VALUES (5), (6)").await.unwrap();
    let add = Change::AddColumn { table: "t".into(), column: auto(), backfill: None };
    migrate(&mut *db, &[add], &before, &after).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, after);
    let found = rows(&mut *db, "SELECT id FROM t ORDER BY a", &[], &[ColumnType::I64]).await.unwrap();
    assert!(found == [[Value::Int(1)], [Value::Int(2)]]);
    let drop = Change::DropColumn { table: "t".into(), column: auto() };
    migrate(&mut *db, &[drop], &after, &before).await.unwrap().unwrap();
    assert_eq!(read(&mut *db).await, before);
}
