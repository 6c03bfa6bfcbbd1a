//! Migrations: every change forth and back, and what must never happen to the rows meanwhile.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{Action, Change, Column, ColumnDefault, ColumnType, Schema, Table};
use covet_drivers::contract::{Connection, ConnectionState};
use covet_drivers::value::Value;

use super::schemas::{auto, column, create, index, key, migrate, mood, nullable, read, table, text, with};
use super::{Place, kind, memory, number, rows, run, texts};

/// Parents with two rows, children with five that go with their parents.
pub(super) fn family() -> Schema {
    let mut parent = table("p", vec![auto(), nullable("name", text(Some(20)))]);
    parent.indexes = vec![index("p_name_idx", &["name"], false)];
    let mut child = table("c", vec![auto(), column("pid", ColumnType::I64), nullable("n", ColumnType::I32)]);
    child.foreign_keys = vec![key("c_pid_fkey", "pid", "p", Action::Cascade)];
    child.indexes = vec![index("c_n_key", &["n"], true), index("c_pid_idx", &["pid"], false)];
    Schema::of(vec![child, parent])
}

pub(super) async fn filled() -> Box<dyn Connection> {
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

pub(super) fn edited(name: &str, edit: impl FnOnce(&mut Table)) -> Schema {
    let mut schema = family();
    edit(schema.tables.iter_mut().find(|table| table.name == name).unwrap());
    schema.sort();
    schema
}

/// There, and back, with the schema read each time and the children counted.
pub(super) async fn there_and_back(there: &[Change], back: &[Change], after: &Schema) {
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

pub(super) fn alter(table: &str, before: Column, after: Column) -> Change {
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
            "2 rows of c (n) point at rows of p",
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
