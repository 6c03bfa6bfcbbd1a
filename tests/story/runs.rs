//! Runs that fail, that meet others, and that are killed.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use covet_orm::migrate::{Goal, Standing};
use covet_orm::prelude::*;
use covet_orm::schema::schema_of;
use covet_orm::{ErrorKind, models};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Words, by_name, number, on_each};
use crate::tool;

mod one {
    use covet_orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct User {
        #[covet(key)]
        pub(crate) id: i64,
        #[covet(unique, max_len = 50)]
        pub(crate) email: String,
        pub(crate) age: Option<i32>,
    }
}

/// The account of a user: another name in Rust, other words, another order; the same table.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(table = "users")]
struct Account {
    /// What they write to.
    #[covet(unique, max_len = 50)]
    email: String,
    #[covet(column = "age")]
    years: Option<i32>,
    #[covet(key)]
    id: i64,
}

#[tokio::test]
async fn t11_c41_what_only_rust_sees_is_no_change() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    place.make(&schema_of(&models![one::User]).unwrap(), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let account = schema_of(&models![Account]).unwrap();
    assert!(place.make(&account, &[]).unwrap().is_none());
    let user = one::User::create().email("a@x").age(7).exec(&place.db).await.unwrap();
    assert_eq!(Account::find(user.id).one(&place.db).await.unwrap().years, Some(7));
}

#[test]
fn t25_two_models_on_one_table_are_named() {
    let error = schema_of(&models![one::User, Account]).unwrap_err().to_string();
    assert!(error.contains("one::User") && error.contains("runs::Account") && error.contains("users"), "{error}");
}

#[tokio::test]
async fn x23_models_that_are_missing_are_asked_about() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let both = schema("a{id auto} b{id auto} c{id auto}");
    place.make(&both, &[]).unwrap();
    let error = place.make(&schema("a{id auto}"), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decision);
    assert!(error.to_string().contains("b, c"), "{error}");
    let error = place.make(&schema_of(&models![]).unwrap(), &["drop table a"]).unwrap_err();
    assert!(error.to_string().contains("all 3 tables would be dropped"), "{error}");
}

on_each! { x01_a_statement_fails x03_a_rebuild_fails x05_applied_files_are_edited x11_four_at_once x12_a_run_is_killed }

/// The third of four statements fails: nothing is left where that can be, else what is done is known.
async fn x01_a_statement_fails(place: &Place) {
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    let file = place.file(&path, "up");
    let script = "CREATE TABLE a (id INTEGER PRIMARY KEY);\nCREATE TABLE b (id INTEGER PRIMARY KEY);\n\
        ALTER TABLE missing ADD COLUMN x INTEGER;\nCREATE TABLE c (id INTEGER PRIMARY KEY);\n";
    std::fs::write(&file, script).unwrap();
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("(initial)") && error.contains("statement 3 of 4 failed"), "{error}");
    let tables = place.shape(Words::Covets).await.schema.tables.len();
    if place.kind == Kind::Mysql {
        assert_eq!((place.standings().await, tables), (vec![Standing::Unfinished { done: 2, total: 4 }], 2));
        std::fs::write(&file, script.replace("TABLE a ", "TABLE aa ")).unwrap();
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("statement 1 was edited after it was done"), "{error}");
        let error = place.down(Goal::All).await.unwrap_err().to_string();
        assert!(error.contains("half-way, 2 of 4"), "{error}");
    } else {
        assert_eq!((place.standings().await, tables), (vec![Standing::Pending], 0));
    }
    std::fs::write(&file, script.replace("missing", "a")).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.shape(Words::Covets).await.schema.tables.len(), 3);
}

/// A connection that does not watch foreign keys is left so, and no row goes.
#[tokio::test]
async fn f19_foreign_keys_are_left_as_they_were() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    place.make(&schema("p{id auto; a i32?} c{id auto; p_id i64 ->p.id cascade}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO p (a) VALUES (1), (2)").await;
    place.sql("INSERT INTO c (p_id) VALUES (1), (2), (2)").await;
    place.make(&schema("p{id auto; a i32} c{id auto; p_id i64 ->p.id cascade}"), &["no nulls in p.a"]).unwrap();
    let joint = if place.url.url.contains('?') { '&' } else { '?' };
    let unwatched = Db::connect(&format!("{}{joint}foreign_keys=off", place.url.url)).await.unwrap();
    assert_eq!(place.migrator().up(&unwatched).await.unwrap().done.len(), 1);
    assert_eq!(number(&unwatched, "SELECT foreign_keys FROM pragma_foreign_keys").await, 0);
    assert_eq!(place.number("SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
    assert_eq!(place.number("SELECT count(*) FROM c").await, 3);
}

/// A statement after the change of a table fails, and the table is as it was.
async fn x03_a_rebuild_fails(place: &Place) {
    place.make(&schema("p{id auto; a i32?} c{id auto; p_id i64 ->p.id cascade}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO p (a) VALUES (1), (2)").await;
    place.sql("INSERT INTO c (p_id) VALUES (1), (2), (2)").await;
    let (shape, rows) = (place.shape(Words::Own).await, place.rows().await);
    let path = place.make(&schema("p{id auto; a i32 =5} c{id auto; p_id i64 ->p.id cascade}"), &["no nulls in p.a"]);
    let file = place.file(&path.unwrap().unwrap(), "up");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}\nINSERT INTO nowhere VALUES (1);\n")).unwrap();
    assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
    assert_eq!(place.rows().await, rows);
    if place.kind != Kind::Mysql {
        assert_eq!(place.shape(Words::Own).await, shape);
        assert_eq!(place.standings().await, [Standing::Applied, Standing::Pending]);
    }
    if place.kind == Kind::Sqlite {
        assert_eq!(place.number("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%covet_new%'").await, 0);
        assert_eq!(place.number("SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
        assert!(place.try_sql("INSERT INTO c (p_id) VALUES (9)").await.is_err());
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.rows().await, rows);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    assert_eq!(place.shape(Words::Own).await, shape);
}

/// Line ends and a byte order mark do not count; a comment does, and so does the past of a folder.
async fn x05_applied_files_are_edited(place: &Place) {
    let users = schema("users{id auto; email text(20) uq}");
    let path = place.make(&users, &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let file = place.file(&path, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    for same in
        [good.replace('\n', "\r\n"), format!("\u{feff}{good}"), format!("{good}\n\n"), good.trim_end().to_owned()]
    {
        std::fs::write(&file, same).unwrap();
        assert_eq!(place.up().await.unwrap(), 0);
        assert_eq!(place.standings().await, [Standing::Applied]);
    }
    for other in [format!("{good}-- note\n"), good.replace("20", "30"), String::new()] {
        std::fs::write(&file, other).unwrap();
        let error = place.up().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Migration);
        assert!(error.to_string().contains("edited after it was applied"), "{error}");
        assert_eq!(place.standings().await, [Standing::Edited]);
    }
    std::fs::write(&file, &good).unwrap();
    let snapshot = path.join("schema.toml");
    let text = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, text.replace("20", "30")).unwrap();
    let error = place.make(&users, &[]).unwrap_err().to_string();
    assert!(error.contains("schema.toml") && error.contains("edited"), "{error}");
    std::fs::write(&snapshot, text).unwrap();
    assert!(place.make(&users, &[]).unwrap().is_none());
    assert_eq!(place.shape(Words::Covets).await.schema, by_name(&users));
}

/// Four processes at once: one works, the others wait and find nothing to do.
async fn x11_four_at_once(place: &Place) {
    slow(place, 1);
    let runs: Vec<Child> = (0..4).map(|_| spawn(place)).collect();
    let (mut applied, mut idle) = (0, 0);
    for run in runs {
        let said = tool::said(&run.wait_with_output().unwrap());
        said.is(0, &[]);
        applied += usize::from(said.out.contains("applied"));
        idle += usize::from(said.out.contains("nothing to apply"));
    }
    assert_eq!(applied, 1);
    assert!(idle <= 3);
    assert_eq!(place.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(place.standings().await, [Standing::Applied]);
}

/// The process that works is killed; the next one goes on without help.
async fn x12_a_run_is_killed(place: &Place) {
    // A server goes on with the statement that it has, and keeps the lock so long.
    let (file, script) = slow(place, if place.kind == Kind::Sqlite { 60 } else { 3 });
    let mut run = spawn(place);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    run.kill().unwrap();
    run.wait().unwrap();
    assert_ne!(place.standings().await, [Standing::Applied]);
    std::fs::write(&file, script).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(place.standings().await, [Standing::Applied]);
}

/// A migration that takes some seconds in its middle: the file, and its text without them.
fn slow(place: &Place, seconds: u32) -> (PathBuf, String) {
    let path = place.make(&schema("users{id auto; email text(20)}"), &[]).unwrap().unwrap();
    let file = place.file(&path, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    let wait = match place.kind {
        Kind::Postgres => format!("SELECT pg_sleep({seconds})"),
        Kind::Mysql => format!("DO SLEEP({seconds})"),
        Kind::Sqlite => format!(
            "CREATE TEMP TABLE spent AS WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
             SELECT max(i) AS i FROM n",
            u64::from(seconds) * 3_000_000
        ),
    };
    let insert = "INSERT INTO users (email) VALUES ('once');\n";
    std::fs::write(&file, format!("{good}\n{wait};\n\n{insert}")).unwrap();
    std::fs::write(place.dir.path().join("covet.toml"), format!("databases = [\"{}\"]\n", place.kind.name())).unwrap();
    (file, format!("{good}\n{insert}"))
}

fn spawn(place: &Place) -> Child {
    let mut command = tool::command(place.dir.path(), &["migrate", "up", "--url", &place.url.url]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
