//! What a rebuild of a table takes along: triggers, views, indexes and all that no model can say.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{Action, Change, Check, ColumnType, Expression, Object, Schema};
use covet_drivers::contract::ConnectionState;

use super::migrations::{alter, edited, family, filled};
use super::schemas::{auto, column, key, migrate, nullable, read, table, text};
use super::{kind, memory, number, open, run, texts};

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
