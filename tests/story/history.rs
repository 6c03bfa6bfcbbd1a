//! The history: what it keeps, what it refuses, how it is mended, and how long a run waits for locks.

use std::time::{Duration, Instant};

use covet_orm::ErrorKind;
use covet_orm::drivers::catalog::Schema;
use covet_orm::drivers::contract::Connection;
use covet_orm::migrate::{Goal, Standing};
use covet_orm::schema::hash;
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Words, on, on_each};

on_each! {
    a_history_of_the_first_version_is_read_and_upgraded
    each_file_of_an_applied_migration_is_held_to_it
    an_edit_is_accepted
    the_last_one_is_run_again
    what_is_there_is_a_baseline
    what_is_declared_is_a_part_of_a_baseline
    a_migration_is_marked_without_a_run
    a_way_back_with_a_statement_on_its_own
    a_statement_nobody_knows_is_asked_about
    guards_come_before_the_first_change
    a_lock_is_not_waited_for_for_ever
    a_lock_that_goes_lets_the_run_on
    a_run_with_nothing_pending_takes_no_lock
    a_thousand_applied
}

fn edit(place: &Place, migration: &std::path::Path, way: &str, text: impl FnOnce(&str) -> String) {
    let file = place.file(migration, way);
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text(&good)).unwrap();
}

/// The columns that the first version lacked are taken away, and with them its version.
async fn a_history_of_the_first_version_is_read_and_upgraded(place: &Place) {
    place.make(&schema("a{id auto}"), &[]).unwrap();
    place.up().await.unwrap();
    for column in ["parents", "down_checksum", "plan_checksum", "statement", "doubt", "replaced_by", "progress"] {
        place.sql(&format!("ALTER TABLE _covet_migrations DROP COLUMN {column}")).await;
    }
    place.sql("DELETE FROM _covet_migrations WHERE id = '*'").await;
    assert_eq!(place.standings().await, [Standing::Applied]);
    assert_eq!(place.up().await.unwrap(), 0);
    place.make(&schema("a{id auto} b{id auto}"), &[]).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM _covet_migrations WHERE plan_checksum IS NOT NULL").await, 1);
    assert_eq!(place.number("SELECT steps_done FROM _covet_migrations WHERE id = '*'").await, 3);
    // The second version lacked these.
    for column in ["progress", "replaced_by"] {
        // The read has SQLite notice that the table was changed on another connection, which `ALTER` alone does not.
        let read = "SELECT count(*) FROM _covet_migrations";
        place.sql(&format!("{read}; ALTER TABLE _covet_migrations DROP COLUMN {column}")).await;
    }
    place.sql("UPDATE _covet_migrations SET steps_done = 2 WHERE id = '*'").await;
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
    place.make(&schema("a{id auto} b{id auto} c{id auto}"), &[]).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM _covet_migrations WHERE progress IS NULL").await, 4);
    place.sql("UPDATE _covet_migrations SET steps_done = 99 WHERE id = '*'").await;
    let error = place.up().await.unwrap_err();
    assert!(error.to_string().contains("version 99") && error.help().unwrap().contains("newer"), "{error}");
}

async fn each_file_of_an_applied_migration_is_held_to_it(place: &Place) {
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let name = place.kind.name();
    let files = [format!("up.{name}.sql"), format!("down.{name}.sql"), "plan.toml".to_owned()];
    for file in files {
        let path = path.join(&file);
        let good = std::fs::read_to_string(&path).unwrap();
        let comment = if file.ends_with("toml") { "# note" } else { "-- note" };
        std::fs::write(&path, good.replace('\n', "\r\n")).unwrap();
        assert_eq!(place.up().await.unwrap(), 0);
        std::fs::write(&path, format!("{comment}\n{good}")).unwrap();
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains(&file) && error.contains("edited after it was applied"), "{error}");
        let status = place.migrator().status(&place.db).await.unwrap();
        assert_eq!(status[0].standing, Standing::Edited);
        assert!(status[0].detail.as_ref().unwrap().contains(&file), "{status:?}");
        std::fs::write(&path, good).unwrap();
    }
}

/// As [`ran_long_ago`] has it, and `status` says it.
pub(crate) const LONG_AGO: (Option<&str>, Option<&str>) = (Some("2020-01-02 03:04:05"), Some("2020-01-02 03:04:06"));

/// Whatever was run was run long ago.
pub(crate) async fn ran_long_ago(place: &Place) {
    let (begin, end) = ("2020-01-02 03:04:05.000000", "2020-01-02 03:04:06.000000");
    let utc = if place.kind == Kind::Postgres { "+00" } else { "" };
    let set = format!("started_at = '{begin}{utc}', finished_at = '{end}{utc}'");
    place.sql(&format!("UPDATE _covet_migrations SET {set} WHERE id <> '*'")).await;
}

async fn an_edit_is_accepted(place: &Place) {
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    let id = place.migrator().folder().migrations()[0].id().to_owned();
    let error = place.migrator().accept(&place.db, &id).await.unwrap_err();
    assert!(error.to_string().contains("is not applied"), "{error}");
    place.up().await.unwrap();
    edit(place, &path, "up", |good| format!("{good}-- note\n"));
    edit(place, &path, "down", |good| format!("{good}\nCREATE TABLE witness (id INTEGER PRIMARY KEY);\n"));
    let error = place.up().await.unwrap_err();
    assert!(error.help().unwrap().contains("repair --accept"), "{error}");
    ran_long_ago(place).await;
    place.migrator().accept(&place.db, &id).await.unwrap();
    assert_eq!(place.standings().await, [Standing::Applied]);
    let status = place.migrator().status(&place.db).await.unwrap();
    assert_eq!((status[0].started_at.as_deref(), status[0].finished_at.as_deref()), LONG_AGO, "nothing was run");
    assert_eq!(place.up().await.unwrap(), 0);
    place.down(Goal::All).await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM witness").await, 0);
}

async fn the_last_one_is_run_again(place: &Place) {
    place.make(&schema("a{id auto}"), &[]).unwrap();
    assert!(place.migrator().redo(&place.db).await.is_err());
    place.up().await.unwrap();
    place.make(&schema("a{id auto} b{id auto; n i32}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO b (n) VALUES (1)").await;
    let shape = place.shape(Words::Own).await;
    assert_eq!(place.migrator().redo(&place.db).await.unwrap().done.len(), 1);
    assert_eq!(place.shape(Words::Own).await, shape);
    assert_eq!(place.number("SELECT count(*) FROM b").await, 0);
    let path = place.make(&schema("a{id auto} b{id auto; n i32} c{id auto}"), &[]).unwrap().unwrap();
    edit(place, &path, "down", |_| "-- covet:irreversible it was long ago\n".to_owned());
    place.up().await.unwrap();
    let error = place.migrator().redo(&place.db).await.unwrap_err().to_string();
    assert!(error.contains("it was long ago"), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM c").await, 0);
}

/// X15: a database that was made by hand.
async fn what_is_there_is_a_baseline(place: &Place) {
    let all = "a{id auto; n i32} b{id auto; a_id i64 ->a.id ix}";
    place.make(&schema("a{id auto; n i32}"), &[]).unwrap();
    place.make(&schema(all), &[]).unwrap();
    let up = place.migrator().plan_up(&place.db, Goal::All).await.unwrap();
    let error = place.migrator().baseline(&place.db, None).await.unwrap_err().to_string();
    assert!(error.contains("table a") && error.contains("table b"), "{error}");
    assert_eq!(place.number(tables(place.kind)).await, 0);
    place.sql(&up[0].sql).await;
    let error = place.migrator().baseline(&place.db, None).await.unwrap_err().to_string();
    assert!(error.contains("table b") && !error.contains("table a"), "{error}");
    let report = place.migrator().baseline(&place.db, Some(&up[0].id)).await.unwrap();
    assert_eq!(report.done.len(), 1);
    assert_eq!(place.standings().await, [Standing::Baseline, Standing::Pending]);
    assert!(place.migrator().baseline(&place.db, None).await.unwrap_err().to_string().contains("already"));
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.down(Goal::All).await.unwrap(), 1);
    let error = place.down(Goal::Count(1)).await.unwrap_err().to_string();
    assert!(error.contains("baseline"), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM a").await, 0);
}

/// X15: a view that is declared beside the models is a part of what was there.
async fn what_is_declared_is_a_part_of_a_baseline(place: &Place) {
    place.make(&schema("a{id auto; n i32} view large{SELECT id FROM a WHERE n > 9}"), &[]).unwrap();
    let up = place.migrator().plan_up(&place.db, Goal::All).await.unwrap();
    let (table, view) = up[0].sql.split_at(up[0].sql.find("CREATE VIEW").unwrap());
    place.sql(table).await;
    let error = place.migrator().baseline(&place.db, None).await.unwrap_err().to_string();
    assert!(error.contains("create view large") && !error.contains("table a"), "{error}");
    place.sql(view).await;
    assert_eq!(place.migrator().baseline(&place.db, None).await.unwrap().done.len(), 1);
}

fn tables(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
        Kind::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
        Kind::Mysql => "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    }
}

async fn a_migration_is_marked_without_a_run(place: &Place) {
    place.make(&schema("a{id auto}"), &[]).unwrap();
    let migrator = place.migrator();
    let id = migrator.folder().migrations()[0].id().to_owned();
    assert!(migrator.mark(&place.db, &id, false).await.unwrap_err().to_string().contains("not applied already"));
    assert!(migrator.mark(&place.db, "initial", true).await.unwrap_err().to_string().contains(&id));
    migrator.mark(&place.db, &id, true).await.unwrap();
    assert_eq!(place.standings().await, [Standing::Applied]);
    assert_eq!(place.up().await.unwrap(), 0);
    assert_eq!(place.number(tables(place.kind)).await, 1);
    migrator.mark(&place.db, &id, false).await.unwrap();
    assert_eq!(place.standings().await, [Standing::Pending]);
    assert_eq!(place.up().await.unwrap(), 1);
}

/// A rebuild on the way back takes no row of a child along, although one statement of it stands alone.
async fn a_way_back_with_a_statement_on_its_own(place: &Place) {
    let (before, after) = (
        "p{id auto; a i32?} c{id auto; p_id i64 ->p.id cascade}",
        "p{id auto; a i32} c{id auto; p_id i64 ->p.id cascade}",
    );
    place.make(&schema(before), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO p (a) VALUES (1), (2)").await;
    place.sql("INSERT INTO c (p_id) VALUES (1), (2), (2)").await;
    let (shape, rows) = (place.shape(Words::Covets).await, place.rows().await);
    let path = place.make(&schema(after), &["no nulls in p.a"]).unwrap().unwrap();
    let alone = match place.kind {
        Kind::Sqlite => "CREATE TABLE beside (id INTEGER PRIMARY KEY)",
        Kind::Postgres => "CREATE INDEX CONCURRENTLY beside ON p (a)",
        Kind::Mysql => "CREATE TABLE beside (id BIGINT PRIMARY KEY)",
    };
    edit(place, &path, "down", |good| format!("{good}\n-- covet:alone\n{alone};\n\nINSERT INTO nowhere VALUES (1);\n"));
    place.up().await.unwrap();
    // It fails behind the part that is whole, and goes on there.
    assert_eq!(place.down(Goal::Count(1)).await.unwrap_err().kind(), ErrorKind::UndefinedTable);
    assert_eq!(place.rows().await.get("c"), rows.get("c"));
    assert!(matches!(place.standings().await[1], Standing::Reverting { .. }));
    place.sql("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)").await;
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    place.sql("DROP TABLE nowhere").await;
    place.sql(if place.kind == Kind::Postgres { "DROP INDEX beside" } else { "DROP TABLE beside" }).await;
    assert_eq!(place.shape(Words::Covets).await, shape);
    assert_eq!(place.rows().await, rows);
}

/// The run was lost in a statement that only a person can judge.
async fn a_statement_nobody_knows_is_asked_about(place: &Place) {
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    let id = place.migrator().folder().migrations()[0].id().to_owned();
    let insert = "INSERT INTO a VALUES (1)";
    edit(place, &path, "up", |_| {
        format!(
            "CREATE TABLE a (id INTEGER PRIMARY KEY);\n-- covet:alone\n{insert};\nCREATE TABLE b (id INTEGER PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n"
        )
    });
    assert!(place.up().await.is_err());
    // As if it had been killed in its second statement.
    let lost = format!(
        "UPDATE _covet_migrations SET state = 'running', steps_done = 1, error = NULL, doubt = 'unknown', statement = '{insert}' WHERE id <> '*'"
    );
    place.sql("DROP TABLE IF EXISTS b").await;
    for (done, rows) in [(true, 1), (false, 2)] {
        place.sql(&lost).await;
        let error = place.up().await.unwrap_err();
        assert!(error.to_string().contains("statement 2") && error.to_string().contains(insert), "{error}");
        assert!(error.help().unwrap().contains("--done") && error.help().unwrap().contains("--redo"), "{error:?}");
        let status = place.migrator().status(&place.db).await.unwrap();
        assert!(status[0].detail.as_ref().unwrap().contains("not known"), "{status:?}");
        assert!(place.migrator().statement_is_done(&place.db, &id, 3).await.is_err());
        if done {
            place.migrator().statement_is_done(&place.db, &id, 2).await.unwrap();
        } else {
            place.sql("UPDATE a SET id = 5").await;
            place.migrator().statement_is_not_done(&place.db, &id, 2).await.unwrap();
        }
        assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
        assert_eq!(place.number("SELECT count(*) FROM a").await, rows);
        place.sql("DROP TABLE IF EXISTS b").await;
    }
}

/// A guard that stands behind a change of rows is asked before it, where that change has no part in its answer.
async fn guards_come_before_the_first_change(place: &Place) {
    let before = "a{id auto; n i32?} b{id auto; n i32?}";
    place.make(&schema(before), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO a (n) VALUES (NULL)").await;
    place.sql("INSERT INTO b (n) VALUES (NULL)").await;
    let rows = place.rows().await;
    let path = place.make(&schema("a{id auto; n i32} b{id auto; n i32}"), &["backfill a.n with 1", "no nulls in b.n"]);
    let path = path.unwrap().unwrap();
    edit(place, &path, "up", |good| format!("UPDATE a SET n = 7;\n\n{good}"));
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("1 row"), "{error}");
    assert_eq!(place.rows().await, rows);
    place.sql("UPDATE b SET n = 3").await;
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT n FROM a").await, 7);
}

/// Somebody holds the table.
async fn held(place: &Place) -> Box<dyn Connection> {
    let mut other = place.db.backend().connect().await.unwrap();
    match place.kind {
        Kind::Postgres => other.script("BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE").await.unwrap(),
        Kind::Mysql => other.script("START TRANSACTION; SELECT * FROM a").await.unwrap(),
        Kind::Sqlite => other.script("BEGIN IMMEDIATE").await.unwrap(),
    }
    other
}

async fn locked_up(place: &Place) {
    place.make(&schema("a{id auto}"), &[]).unwrap();
    place.up().await.unwrap();
    place.make(&schema("a{id auto; n i32?}"), &[]).unwrap();
}

async fn a_lock_is_not_waited_for_for_ever(place: &Place) {
    locked_up(place).await;
    let other = held(place).await;
    let begin = Instant::now();
    let wait = Duration::from_secs(1);
    let migrator = place.migrator().lock_timeout(wait, 2).lock_wait(wait);
    let error = migrator.up(&place.db).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
    if place.kind != Kind::Sqlite {
        assert!(error.to_string().contains("tried 2 times"), "{error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    other.close().await.unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
}

async fn a_lock_that_goes_lets_the_run_on(place: &Place) {
    locked_up(place).await;
    let other = held(place).await;
    let migrator = place.migrator().lock_timeout(Duration::from_secs(1), 10);
    let free = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        other.close().await.unwrap();
    };
    let (ran, ()) = tokio::join!(migrator.up(&place.db), free);
    assert_eq!(ran.unwrap().done.len(), 1);
}

/// X25: whoever finds nothing to do waits for nobody.
async fn a_run_with_nothing_pending_takes_no_lock(place: &Place) {
    place.make(&schema("a{id auto}"), &[]).unwrap();
    place.up().await.unwrap();
    let mut other = place.db.backend().connect().await.unwrap();
    other.lock("covet_migrations", Duration::from_secs(1)).await.unwrap();
    let migrator = place.migrator().lock_wait(Duration::ZERO);
    assert!(migrator.up(&place.db).await.unwrap().done.is_empty());
    place.make(&schema("a{id auto} b{id auto}"), &[]).unwrap();
    let error = place.migrator().lock_wait(Duration::ZERO).up(&place.db).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
    other.close().await.unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
}

/// What a failed build leaves behind is no index, and goes before the next attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_index_is_built_again() {
    on(Kind::Postgres, async |place| {
        place.make(&schema("a{id auto; n i32?}"), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("INSERT INTO a (n) VALUES (1), (1)").await;
        let path = place.make(&schema("a{id auto; n i32?} b{id auto}"), &[]).unwrap().unwrap();
        edit(place, &path, "up", |good| {
            format!("{good}\n-- covet:alone\nCREATE UNIQUE INDEX CONCURRENTLY a_n ON a (n);\n")
        });
        let index = |valid| {
            format!("SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('a_n') AND indisvalid = {valid}")
        };
        for _ in 0..2 {
            assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::Unique);
            assert_eq!(place.number(&index(false)).await, 1);
        }
        place.sql("UPDATE a SET n = id").await;
        assert_eq!(place.up().await.unwrap(), 1);
        assert_eq!((place.number(&index(true)).await, place.number(&index(false)).await), (1, 0));
    })
    .await;
}

/// A run that goes on has another session, and its statements rely on what earlier ones have set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_session_are_made_again() {
    on(Kind::Mysql, async |place| {
        place.make(&schema("p{id auto} c{id auto; p_id i64 ->p.id}"), &[]).unwrap();
        place.up().await.unwrap();
        let path = place.make(&schema("p{id auto} c{id auto; p_id i64 ->p.id} d{id auto}"), &[]).unwrap().unwrap();
        edit(place, &path, "up", |good| {
            format!("{good}\nSET foreign_key_checks = 0;\nINSERT INTO nowhere VALUES (1);\nINSERT INTO c (p_id) VALUES (9);\n")
        });
        assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
        place.sql("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)").await;
        assert_eq!(place.up().await.unwrap(), 1);
        assert_eq!(place.number("SELECT count(*) FROM c").await, 1);
    })
    .await;
}

/// How long it takes to see that nothing is to be done, where a thousand migrations are applied; it is printed.
async fn a_thousand_applied(place: &Place) {
    let tables = Schema::default();
    let mut parents = String::new();
    for number in 0..1000 {
        let id = format!("20260101T000000Z_{number:04}");
        let path = place.migrations().join(format!("{id}_nothing"));
        std::fs::create_dir_all(&path).unwrap();
        let plan = format!(
            "id = \"{id}\"\nname = \"nothing\"\nparents = [{parents}]\ntool = \"0\"\nschema = \"{}\"\n",
            hash(&tables).unwrap()
        );
        std::fs::write(path.join("plan.toml"), plan).unwrap();
        std::fs::write(path.join("schema.toml"), "").unwrap();
        for way in ["up", "down"] {
            std::fs::write(place.file(&path, way), format!("-- {number}\nSELECT 1;\n")).unwrap();
        }
        parents = format!("\"{id}\"");
    }
    assert_eq!(place.up().await.unwrap(), 1000);
    let begin = Instant::now();
    let status = place.migrator().status(&place.db).await.unwrap();
    let status_took = begin.elapsed();
    assert!(status.len() == 1000 && status.iter().all(|status| status.standing == Standing::Applied));
    let begin = Instant::now();
    assert_eq!(place.up().await.unwrap(), 0);
    let up_took = begin.elapsed();
    println!("{}: status {status_took:?}, up with nothing pending {up_took:?}", place.kind.name());
    // A program that is built for release takes a tenth, on a machine that does nothing else.
    assert!(status_took < Duration::from_secs(6) && up_took < Duration::from_secs(6), "{status_took:?}, {up_took:?}");
}
