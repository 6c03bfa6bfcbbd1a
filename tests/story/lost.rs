//! What a run leaves behind that did not come to its end, and what a script does that the runner has to know of.

use std::time::Duration;

use covet_orm::migrate::{Goal, Standing};
use covet_orm::{Db, DbOptions, ErrorKind};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, id, on, on_each};

on_each! {
    only_the_runner_ends_transactions
    settings_end_with_their_migration
    what_a_session_had_is_missed
    a_history_that_knows_too_little
    the_last_one_is_not_undone_in_vain
}

const CALLS: &str = "calls{id auto; n i32?}";

/// A migration that runs this, and its id.
fn script(place: &Place, to: &str, text: &str) -> String {
    let path = place.make(&schema(to), &[]).unwrap().unwrap();
    std::fs::write(place.file(&path, "up"), text).unwrap();
    id(&path)
}

async fn calls(place: &Place) -> i64 {
    place.number("SELECT count(*) FROM calls").await
}

/// The migration stopped, and nobody knows whether its only statement took effect; a person says that it did.
async fn is_in_doubt(place: &Place, id: &str) {
    let error = place.up().await.unwrap_err();
    assert!(error.to_string().contains("cannot be known"), "{error}");
    assert!(error.help().unwrap().contains("--done"), "{error:?}");
    place.migrator().statement_is_done(&place.db, id, 1).await.unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
}

/// What would have been changed by then would stay without a note.
async fn only_the_runner_ends_transactions(place: &Place) {
    let path = place.make(&schema(CALLS), &[]).unwrap().unwrap();
    for way in ["up", "down"] {
        let file = place.file(&path, way);
        let good = std::fs::read_to_string(&file).unwrap();
        for word in ["COMMIT", "BEGIN", "ROLLBACK", "-- covet:alone\nSTART TRANSACTION", "SET autocommit = 0"] {
            std::fs::write(&file, format!("{good}\n{word};\n")).unwrap();
            let error = place.up().await.unwrap_err();
            assert!(error.to_string().contains("begins or ends a transaction"), "{error}");
            assert!(error.help().unwrap().contains("covet:alone"), "{error:?}");
            assert_eq!(place.standings().await, [Standing::Pending]);
        }
        std::fs::write(&file, good).unwrap();
    }
    assert_eq!(place.up().await.unwrap(), 1);
    place.sql("UPDATE _covet_migrations SET down_sql = 'DROP TABLE calls; COMMIT' WHERE id <> '*'").await;
    assert!(place.down(Goal::All).await.unwrap_err().to_string().contains("begins or ends"));
    assert_eq!((place.standings().await, calls(place).await), (vec![Standing::Applied], 0));
}

/// What a script sets of the session is no matter of the next one.
async fn settings_end_with_their_migration(place: &Place) {
    let (set, insert) = match place.kind {
        Kind::Postgres => ("CREATE SCHEMA elsewhere;\nSET search_path = elsewhere", "INSERT INTO calls (n) VALUES (1)"),
        Kind::Mysql => (
            "SET SESSION auto_increment_offset = 7, SESSION auto_increment_increment = 9",
            "INSERT INTO calls (n) VALUES (1)",
        ),
        Kind::Sqlite => (
            "PRAGMA cell_size_check = ON",
            "INSERT INTO calls (n) SELECT 1 FROM pragma_cell_size_check WHERE cell_size_check = 0",
        ),
    };
    for (to, more) in [(CALLS.to_owned(), set), (format!("{CALLS} b{{id auto}}"), insert)] {
        let path = place.make(&schema(&to), &[]).unwrap().unwrap();
        let file = place.file(&path, "up");
        let good = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{good}\n{more};\n")).unwrap();
    }
    assert_eq!(place.up().await.unwrap(), 2);
    assert_eq!((calls(place).await, place.number("SELECT max(id) FROM calls").await), (1, 1));
    assert_eq!(place.number("SELECT count(*) FROM b").await, 0);
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
}

/// A variable with what was read, or a temporary table: what relies on it is not run without it.
async fn what_a_session_had_is_missed(place: &Place) {
    let (had, insert) = match place.kind {
        Kind::Mysql => ("SET @m := (SELECT COUNT(*) FROM calls)", "INSERT INTO calls (n) VALUES (@m)"),
        _ => ("-- covet:alone\nCREATE TEMP TABLE had AS SELECT 1 AS n", "INSERT INTO calls (n) SELECT n FROM had"),
    };
    place.make(&schema(CALLS), &[]).unwrap();
    place.up().await.unwrap();
    let id = script(
        place,
        &format!("{CALLS} b{{id auto}}"),
        &format!("{had};\nINSERT INTO nowhere VALUES (1);\n{insert};\n"),
    );
    assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
    place.sql("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)").await;
    let error = place.up().await.unwrap_err();
    assert!(error.to_string().contains("behind statement 1") && error.help().unwrap().contains("--done"), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM nowhere").await, 0);
    for number in [2, 3] {
        place.migrator().statement_is_done(&place.db, &id, number).await.unwrap();
    }
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(calls(place).await, 0);
}

/// Somebody wrote into it by hand.
async fn a_history_that_knows_too_little(place: &Place) {
    script(
        place,
        CALLS,
        "-- covet:alone\nCREATE TABLE calls (id INTEGER PRIMARY KEY, n INTEGER);\nINSERT INTO nowhere VALUES (1);\n",
    );
    assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
    place.sql("UPDATE _covet_migrations SET step_hashes = '' WHERE id <> '*'").await;
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("1 statements") && error.contains("knows only 0"), "{error}");
}

/// What stops the way forth is found before the way back is gone.
async fn the_last_one_is_not_undone_in_vain(place: &Place) {
    let first = place.make(&schema(CALLS), &[]).unwrap().unwrap();
    place.make(&schema(&format!("{CALLS} b{{id auto; n i32}}")), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO b (n) VALUES (1)").await;
    let file = place.file(&first, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}-- edited\n")).unwrap();
    let error = place.migrator().redo(&place.db).await.unwrap_err().to_string();
    assert!(error.contains("edited after it was applied"), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM b").await, 1);
    std::fs::write(&file, good).unwrap();
    assert_eq!(place.migrator().redo(&place.db).await.unwrap().done.len(), 1);
    assert_eq!(place.number("SELECT count(*) FROM b").await, 0);
}

/// A procedure that changes something and then waits in vain for a lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_procedure_is_called_once() {
    for kind in [Kind::Postgres, Kind::Mysql] {
        on(kind, async |place| {
            place.make(&schema(CALLS), &[]).unwrap();
            place.up().await.unwrap();
            place
                .sql(match kind {
                    Kind::Mysql => {
                        "CREATE PROCEDURE p() BEGIN INSERT INTO calls (n) VALUES (1); \
                         SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'locked'; END"
                    }
                    _ => {
                        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO calls (n) VALUES (1); COMMIT; \
                         RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END $$"
                    }
                })
                .await;
            let id = script(place, &format!("{CALLS} b{{id auto}}"), "-- covet:alone\nCALL p();\n");
            let migrator = place.migrator().lock_timeout(Duration::from_secs(1), 3);
            let error = migrator.up(&place.db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            assert!(!error.to_string().contains("tried"), "{error}");
            assert_eq!(calls(place).await, 1);
            is_in_doubt(place, &id).await;
            assert_eq!(calls(place).await, 1);
        })
        .await;
    }
}

/// What was done is noted, although the first note meets a lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_is_written_again() {
    for kind in [Kind::Postgres, Kind::Mysql] {
        on(kind, async |place| {
            place.make(&schema(CALLS), &[]).unwrap();
            place.up().await.unwrap();
            let statement = match kind {
                Kind::Mysql => {
                    place.sql("CREATE PROCEDURE p() INSERT INTO calls (n) VALUES (1)").await;
                    place
                        .sql(
                            "CREATE TRIGGER refuses BEFORE UPDATE ON _covet_migrations FOR EACH ROW BEGIN \
                             IF NEW.steps_done = 1 AND @refused IS NULL THEN SET @refused = 1; \
                             SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'locked'; END IF; END",
                        )
                        .await;
                    "CALL p()"
                }
                _ => {
                    place
                        .sql(
                            "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                             IF NEW.steps_done = 1 AND nextval('tries') = 1 THEN \
                             RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END IF; RETURN NEW; END $$; \
                             CREATE TRIGGER refuses BEFORE UPDATE ON _covet_migrations FOR EACH ROW EXECUTE FUNCTION refuse()",
                        )
                        .await;
                    "INSERT INTO calls (n) VALUES (1)"
                }
            };
            script(place, &format!("{CALLS} b{{id auto}}"), &format!("-- covet:alone\n{statement};\n"));
            assert_eq!(place.up().await.unwrap(), 1);
            assert_eq!(calls(place).await, 1);
        })
        .await;
    }
}

/// The note would be a part of what somebody else commits, or rolls back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_left_open() {
    on(Kind::Mysql, async |place| {
        place.make(&schema(CALLS), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("CREATE PROCEDURE p() BEGIN START TRANSACTION; INSERT INTO calls (n) VALUES (1); END").await;
        let id = script(place, &format!("{CALLS} b{{id auto}}"), "CALL p();\n");
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("left a transaction open"), "{error}");
        assert_eq!(calls(place).await, 0);
        is_in_doubt(place, &id).await;
    })
    .await;
}

/// Rows of a table without transactions do not go back with the note.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_stay_are_changed_once() {
    on(Kind::Mysql, async |place| {
        place.make(&schema(CALLS), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("CREATE TABLE stays (n INT) ENGINE=MyISAM; INSERT INTO stays VALUES (0)").await;
        place
            .sql(
                "CREATE TRIGGER refuses BEFORE UPDATE ON _covet_migrations FOR EACH ROW BEGIN \
                 IF NEW.steps_done = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF; END",
            )
            .await;
        let id = script(place, &format!("{CALLS} b{{id auto}}"), "UPDATE stays SET n = n + 1;\n");
        assert!(place.up().await.is_err());
        place.sql("DROP TRIGGER refuses").await;
        is_in_doubt(place, &id).await;
        assert_eq!(place.number("SELECT n FROM stays").await, 1);
    })
    .await;
}

/// Whether a table is there is asked where it was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_come_before_questions() {
    on(Kind::Postgres, async |place| {
        let create = "CREATE TABLE inner_one (id INTEGER)";
        script(
            place,
            CALLS,
            &format!(
                "CREATE SCHEMA s;\n-- covet:alone\nSET search_path = s;\n-- covet:alone\n{create};\n\
                 INSERT INTO public.nowhere VALUES (1);\n"
            ),
        );
        assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::UndefinedTable);
        // As if it had been killed behind its third statement.
        place
            .sql(&format!(
                "UPDATE _covet_migrations SET state = 'running', steps_done = 2, error = NULL, doubt = 'probe', \
                 statement = '{create}' WHERE id <> '*'"
            ))
            .await;
        place.sql("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)").await;
        assert_eq!(place.up().await.unwrap(), 1);
        assert_eq!(place.number("SELECT count(*) FROM s.inner_one").await, 0);
    })
    .await;
}

/// Each schema has a history of its own, whatever else is in the search path.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_has_its_own_history() {
    on(Kind::Postgres, async |place| {
        place.make(&schema(CALLS), &[]).unwrap();
        assert_eq!(place.up().await.unwrap(), 1);
        place.sql("CREATE SCHEMA tenant").await;
        let sign = if place.url.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{sign}search_path=tenant,public", place.url.url);
        let db = Db::connect_with(&url, DbOptions::new().max_connections(1)).await.unwrap();
        assert_eq!(place.migrator().status(&db).await.unwrap()[0].standing, Standing::Pending);
        assert_eq!(place.migrator().up(&db).await.unwrap().done.len(), 1);
        assert_eq!(place.number("SELECT count(*) FROM tenant.calls").await, 0);
        // The way back drops what is there, and not what lies behind it.
        assert_eq!(place.migrator().down(&db, Goal::All).await.unwrap().done.len(), 1);
        assert_eq!(place.standings().await, [Standing::Applied]);
        assert_eq!(calls(place).await, 0);
        db.close();
    })
    .await;
}

/// Rows that pointed nowhere before a table got another name do so afterwards, and are no fault of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_orphans_do_not_stop_a_rename() {
    on(Kind::Sqlite, async |place| {
        place.make(&schema("p{id auto} c{id auto; p_id i64 ->p.id}"), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("PRAGMA foreign_keys = OFF; INSERT INTO c (p_id) VALUES (9), (8); PRAGMA foreign_keys = ON").await;
        let path = place.make(&schema("p{id auto} d{id auto; p_id i64 ->p.id}"), &["rename table c to d"]);
        std::fs::write(place.file(&path.unwrap().unwrap(), "up"), "ALTER TABLE c RENAME TO d;\n").unwrap();
        assert_eq!(place.up().await.unwrap(), 1);
        let path = place.make(&schema("p{id auto} d{id auto; p_id i64 ->p.id} e{id auto}"), &[]).unwrap().unwrap();
        let file = place.file(&path, "up");
        let good = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{good}\nINSERT INTO d (p_id) VALUES (7);\n")).unwrap();
        assert_eq!(place.up().await.unwrap_err().kind(), ErrorKind::ForeignKey);
    })
    .await;
}
