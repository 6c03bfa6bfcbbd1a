//! How transactions are opened: what travels with BEGIN, and that nothing takes effect when BEGIN fails.

use std::time::Duration;

use covet_drivers::ErrorKind;
use covet_drivers::contract::{
    Command, Connection, ConnectionState as State, Flow, Isolation, Reuse, Row, TransactionOptions,
};
use covet_drivers::value::Value;

use crate::postgres::proxy::{Behaviour, Ear};
use crate::postgres::{Place, kind, number, open, run, text};

const INSERT: &str = r#"INSERT INTO "t" ("id") VALUES ($1)"#;
const READ: &str = r#"SELECT "id" FROM "t""#;
const COUNT: &str = "SELECT count(*) FROM t";
const GUARD: &str = "default_transaction_read_only = on";
const LIFT: &str = "RESET default_transaction_read_only";

/// A database with a table, a connection that is overheard, and another that is not.
async fn scene(parameters: &str) -> Option<(Place, &'static Ear, Box<dyn Connection>, Box<dyn Connection>)> {
    let place = Place::new().await?;
    let mut other = place.connect().await;
    other.script("CREATE TABLE t (id int); INSERT INTO t VALUES (0)").await.unwrap();
    let ear = Ear::new();
    let url = place.by_proxy(Behaviour::Overheard(ear), parameters).await;
    let connection = open(&url).unwrap().connect().await.unwrap();
    ear.said();
    Some((place, ear, connection, other))
}

async fn put(c: &mut dyn Connection, id: i64) -> covet_drivers::Result<()> {
    run(c, INSERT, &[Value::Int(id)]).await.map(drop)
}

async fn transaction(c: &mut dyn Connection, id: i64) {
    c.begin(&Default::default()).await.unwrap();
    put(c, id).await.unwrap();
    c.commit().await.unwrap();
}

/// Transactions until BEGIN flies ahead of a write.
async fn guarded(c: &mut dyn Connection, ear: &Ear) {
    ear.said();
    for _ in 0..100 {
        transaction(c, 100).await;
        if ear.said().contains(GUARD) {
            transaction(c, 100).await;
            assert!(ear.said().contains("BEGIN READ WRITE"));
            return;
        }
    }
    panic!("the guard is never set");
}

/// Counts the rows that a read gives, whatever comes of it.
async fn read(c: &mut dyn Connection) -> (u32, Option<ErrorKind>) {
    let mut seen = 0;
    let mut sink = |_: &mut Row<'_>| {
        seen += 1;
        Ok(Flow::Continue)
    };
    let result = c.run(Command { sql: READ, args: &[], reuse: Reuse::Keep }, &mut sink).await;
    (seen, kind(result))
}

#[tokio::test]
async fn an_empty_transaction_says_nothing() {
    let Some((_place, ear, mut connection, _)) = scene("").await else { return };
    let c = connection.as_mut();
    c.begin(&Default::default()).await.unwrap();
    assert_eq!(c.state(), State::InTransaction);
    assert!(c.begin(&Default::default()).await.is_err(), "a transaction in a transaction");
    c.commit().await.unwrap();
    assert_eq!(c.state(), State::Idle);
    assert_eq!(kind(c.commit().await), Some(ErrorKind::TransactionClosed));
    c.begin(&Default::default()).await.unwrap();
    c.rollback().await.unwrap();
    assert_eq!((c.state(), ear.said()), (State::Idle, String::new()));
    // A reset forgets a BEGIN that was not sent.
    c.begin(&Default::default()).await.unwrap();
    c.reset().await.unwrap();
    assert_eq!((c.state(), number(c, COUNT).await), (State::Idle, 1));
    assert!(!ear.said().contains("BEGIN"));
}

#[tokio::test]
async fn a_savepoint_and_a_script_are_one_message_with_begin() {
    let Some((_place, ear, mut connection, _)) = scene("").await else { return };
    let c = connection.as_mut();
    c.begin(&TransactionOptions {
        isolation: Some(Isolation::Serializable),
        read_only: false,
        ..TransactionOptions::DEFAULT
    })
    .await
    .unwrap();
    c.savepoint(1).await.unwrap();
    assert!(ear.said().contains("BEGIN ISOLATION LEVEL SERIALIZABLE; SAVEPOINT covet_1"));
    put(c, 1).await.unwrap();
    c.rollback_to(1).await.unwrap();
    put(c, 2).await.unwrap();
    assert_eq!(text(c, "SELECT current_setting('transaction_isolation')").await, "serializable");
    c.commit().await.unwrap();
    assert_eq!(number(c, COUNT).await, 2);
    ear.said();
    c.begin(&Default::default()).await.unwrap();
    c.script("INSERT INTO t VALUES (3); INSERT INTO t VALUES (4)").await.unwrap();
    assert!(ear.said().contains("BEGIN; INSERT INTO t VALUES (3); INSERT"));
    c.rollback().await.unwrap();
    assert_eq!(number(c, COUNT).await, 2);
    // Without a savepoint there is nothing to go back to.
    c.begin(&Default::default()).await.unwrap();
    assert!(c.rollback_to(1).await.is_err());
    c.rollback().await.unwrap();
    assert_eq!(c.state(), State::Idle);
}

#[tokio::test]
async fn a_lock_is_taken_in_a_transaction_that_is_not_open_yet() {
    let Some((_place, _, mut connection, _)) = scene("").await else { return };
    connection.begin(&Default::default()).await.unwrap();
    connection.lock("a", Duration::ZERO).await.unwrap();
    put(connection.as_mut(), 1).await.unwrap();
    connection.rollback().await.unwrap();
    connection.unlock("a").await.unwrap();
    assert_eq!(number(connection.as_mut(), COUNT).await, 1);
}

#[tokio::test]
async fn nothing_takes_effect_when_begin_fails() {
    let Some((_place, ear, mut connection, mut other)) = scene("").await else { return };
    let c = connection.as_mut();
    guarded(c, ear).await;
    let rows = number(other.as_mut(), COUNT).await;
    let (seen, failed) = read(c).await;
    assert_eq!((i64::from(seen), failed), (rows, None));
    let raw = Command { sql: "INSERT INTO t VALUES (7)", args: &[], reuse: Reuse::Once };
    ear.misspell(Some(("BEGIN", "BEGUN")));
    for way in 0..7 {
        c.begin(&Default::default()).await.unwrap();
        let failed = match way {
            // Flies behind BEGIN, runs, and its rows are kept from the sink.
            0 => {
                let (seen, failed) = read(c).await;
                assert_eq!(seen, 0, "rows of a read outside its transaction");
                failed
            }
            // Flies behind BEGIN, and the guard has the server refuse it.
            1 => kind(put(c, 7).await),
            // Is prepared in the flight of BEGIN, and not sent.
            2 => kind(run(c, "INSERT INTO t (id) VALUES (7)", &[]).await),
            3 => kind(c.savepoint(1).await),
            4 => kind(c.lock("a", Duration::ZERO).await),
            5 => kind(c.script("INSERT INTO t VALUES (7)").await),
            _ => kind(c.run(raw, &mut ()).await),
        };
        assert_eq!((failed, c.state()), (Some(ErrorKind::Syntax), State::Failed), "way {way}");
        // What was begun is not forgotten: no statement of it may run by itself.
        assert_eq!(kind(put(c, 7).await), Some(ErrorKind::TransactionClosed));
        if way % 2 == 0 {
            assert_eq!(kind(c.commit().await), Some(ErrorKind::TransactionClosed));
        } else {
            c.rollback().await.unwrap();
        }
        assert_eq!((c.state(), number(other.as_mut(), COUNT).await), (State::Idle, rows), "way {way}");
    }
    // In a session with traces of raw text BEGIN is waited for.
    assert!(c.is_dirty());
    c.begin(&Default::default()).await.unwrap();
    assert_eq!(kind(put(c, 7).await), Some(ErrorKind::Syntax));
    c.rollback().await.unwrap();
    ear.misspell(None);
    transaction(c, 8).await;
    put(c, 9).await.unwrap();
    assert_eq!(number(other.as_mut(), COUNT).await, rows + 2);
}

#[tokio::test]
async fn a_guard_that_is_not_confirmed_is_not_relied_on() {
    let Some((_place, ear, mut connection, mut other)) = scene("").await else { return };
    let c = connection.as_mut();
    transaction(c, 1).await;
    ear.misspell(Some((GUARD, "defoult_transaction_read_only = on")));
    transaction(c, 2).await;
    transaction(c, 3).await;
    ear.misspell(Some(("BEGIN", "BEGUN")));
    c.begin(&Default::default()).await.unwrap();
    assert_eq!(kind(put(c, 7).await), Some(ErrorKind::Syntax));
    c.rollback().await.unwrap();
    assert_eq!(number(other.as_mut(), COUNT).await, 4);
    ear.misspell(None);
    put(c, 4).await.unwrap();
    transaction(c, 5).await;
    assert_eq!(number(other.as_mut(), COUNT).await, 6);
}

#[tokio::test]
async fn the_guard_is_lifted_for_whatever_has_no_transaction() {
    let Some((_place, ear, mut connection, mut other)) = scene("").await else { return };
    other.script("CREATE SEQUENCE s; CREATE VIEW v AS SELECT nextval('s') AS n FROM t").await.unwrap();
    let c = connection.as_mut();
    for way in 0..7 {
        c.reset().await.unwrap();
        guarded(c, ear).await;
        let before = number(other.as_mut(), COUNT).await;
        let lifted = match way {
            0 => {
                put(c, 1).await.unwrap();
                true
            }
            1 => {
                c.script("INSERT INTO t VALUES (1)").await.unwrap();
                true
            }
            2 => {
                run(c, "UPDATE t SET id = 1 WHERE id = 0", &[]).await.unwrap();
                true
            }
            3 => {
                run(c, "SELECT id FROM t FOR UPDATE", &[]).await.unwrap();
                true
            }
            4 => {
                run(c, "SELECT nextval('s')", &[]).await.unwrap();
                true
            }
            // It looks as if it only read.
            5 => {
                run(c, "SELECT n FROM v", &[]).await.unwrap();
                true
            }
            _ => {
                assert_eq!(i64::from(read(c).await.0), before);
                false
            }
        };
        assert_eq!(ear.said().contains(LIFT), lifted, "way {way}");
        let more = i64::from(way < 2);
        assert_eq!((c.state(), number(other.as_mut(), COUNT).await), (State::Idle, before + more), "way {way}");
    }
    // A reset takes it away too.
    c.reset().await.unwrap();
    put(c, 1).await.unwrap();
    assert!(!ear.said().contains(LIFT));
}

#[tokio::test]
async fn a_guard_that_cannot_be_lifted_lets_nothing_through() {
    let Some((_place, ear, mut connection, mut other)) = scene("").await else { return };
    let c = connection.as_mut();
    guarded(c, ear).await;
    let rows = number(other.as_mut(), COUNT).await;
    ear.misspell(Some(("RESET", "RESAT")));
    for way in 0..3 {
        let failed = match way {
            0 => kind(put(c, 7).await),
            1 => kind(run(c, "INSERT INTO t (id) VALUES (7)", &[]).await),
            _ => kind(c.script("INSERT INTO t VALUES (7)").await),
        };
        let found = (failed, c.state(), number(other.as_mut(), COUNT).await);
        assert_eq!(found, (Some(ErrorKind::Syntax), State::Idle, rows), "way {way}");
    }
    ear.misspell(None);
    put(c, 7).await.unwrap();
    assert_eq!(number(other.as_mut(), COUNT).await, rows + 1);
}

#[tokio::test]
async fn what_raw_text_sets_is_left_to_it() {
    let Some((_place, ear, mut connection, mut other)) = scene("").await else { return };
    let c = connection.as_mut();
    for commits in [true, false] {
        guarded(c, ear).await;
        c.begin(&Default::default()).await.unwrap();
        put(c, 1).await.unwrap();
        c.script("SET default_transaction_read_only = on").await.unwrap();
        if commits {
            c.commit().await.unwrap();
            assert_eq!(kind(put(c, 2).await), Some(ErrorKind::ReadOnly), "the borrower's own setting");
        } else {
            c.rollback().await.unwrap();
            put(c, 2).await.unwrap();
        }
        c.reset().await.unwrap();
    }
    // Text that ends the transaction and goes on is not held up by the guard.
    guarded(c, ear).await;
    c.begin(&Default::default()).await.unwrap();
    put(c, 3).await.unwrap();
    c.script("COMMIT; INSERT INTO t VALUES (4)").await.unwrap();
    assert_eq!(c.state(), State::Idle);
    put(c, 5).await.unwrap();
    assert_eq!(number(other.as_mut(), "SELECT count(*) FROM t WHERE id IN (3, 4, 5)").await, 3);
}

#[tokio::test]
async fn options_are_honoured_in_a_guarded_session() {
    let Some((_place, ear, mut connection, _)) = scene("").await else { return };
    let c = connection.as_mut();
    guarded(c, ear).await;
    c.begin(&TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT }).await.unwrap();
    assert_eq!(kind(put(c, 1).await), Some(ErrorKind::ReadOnly));
    c.rollback().await.unwrap();
    c.begin(&TransactionOptions {
        isolation: Some(Isolation::RepeatableRead),
        read_only: false,
        ..TransactionOptions::DEFAULT
    })
    .await
    .unwrap();
    put(c, 1).await.unwrap();
    assert_eq!(text(c, "SELECT current_setting('transaction_isolation')").await, "repeatable read");
    c.commit().await.unwrap();
    let said = ear.said();
    assert!(said.contains("BEGIN READ ONLY") && said.contains("BEGIN READ WRITE ISOLATION LEVEL REPEATABLE READ"));
}

#[tokio::test]
async fn where_reading_is_the_default_it_stays_so() {
    let Some((place, _, _, mut other)) = scene("").await else { return };
    other.script(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", place.name)).await.unwrap();
    let ear = Ear::new();
    let url = place.by_proxy(Behaviour::Overheard(ear), "").await;
    let mut connection = open(&url).unwrap().connect().await.unwrap();
    let c = connection.as_mut();
    ear.said();
    assert_eq!(kind(put(c, 1).await), Some(ErrorKind::ReadOnly));
    for _ in 0..5 {
        c.begin(&Default::default()).await.unwrap();
        assert_eq!(read(c).await, (1, None));
        assert_eq!(kind(put(c, 1).await), Some(ErrorKind::ReadOnly));
        c.rollback().await.unwrap();
        c.begin(&Default::default()).await.unwrap();
        assert_eq!(kind(put(c, 1).await), Some(ErrorKind::ReadOnly));
        c.rollback().await.unwrap();
    }
    let said = ear.said();
    assert!(!said.contains("READ WRITE") && !said.contains("default_transaction"), "{said}");
}

#[tokio::test]
async fn behind_a_pooler_no_setting_is_left_in_a_session() {
    let Some((_place, ear, mut connection, _)) = scene("statement_cache_size=0").await else { return };
    let c = connection.as_mut();
    for id in 0..5 {
        transaction(c, id).await;
    }
    ear.misspell(Some(("BEGIN", "BEGUN")));
    c.begin(&Default::default()).await.unwrap();
    assert_eq!(kind(put(c, 7).await), Some(ErrorKind::Syntax));
    c.rollback().await.unwrap();
    let said = ear.said();
    assert!(said.contains("BEGIN") && !said.contains("READ WRITE") && !said.contains("default_transaction"), "{said}");
    ear.misspell(None);
    assert_eq!(number(c, COUNT).await, 6);
}
