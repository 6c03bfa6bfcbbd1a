//! Notifications beside what else a session does: they are sent with their transaction or not at all.

use std::future::poll_fn;
use std::time::Duration;

use covet_drivers::ErrorKind;
use covet_drivers::contract::Listener;

use crate::postgres::proxy::Ear;
use crate::postgres::{Place, kind, open, run};
use covet_drivers::value::Value;

const NOTIFY: &str = "SELECT pg_notify($1, $2)";

async fn next(heard: &mut dyn Listener) -> Option<String> {
    let next = poll_fn(|context| heard.poll_next(context));
    tokio::time::timeout(Duration::from_millis(300), next).await.ok().map(|told| told.unwrap().payload)
}

/// A read-only transaction may notify, so the guard of a session does not hold it back when BEGIN has failed.
#[tokio::test]
async fn a_notification_waits_for_begin() {
    let Some(place) = Place::new().await else { return };
    let ear = Ear::new();
    let url = place.by_proxy(crate::postgres::proxy::Behaviour::Overheard(ear), "").await;
    let backend = open(&url).unwrap();
    let channels = ["c".to_owned()];
    let mut heard = backend.notifications().unwrap().listen(&channels).await.unwrap();
    let mut connection = backend.connect().await.unwrap();
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int)").await.unwrap();
    c.reset().await.unwrap();
    let (channel, payload) = (Value::Text("c".into()), Value::Text("p".into()));
    let say = [channel, payload];
    // The statement is prepared, and BEGIN has come to fly ahead of writes.
    run(c, NOTIFY, &say).await.unwrap();
    assert_eq!(next(heard.as_mut()).await.as_deref(), Some("p"));
    ear.said();
    let mut guarded = false;
    for _ in 0..100 {
        c.begin(&Default::default()).await.unwrap();
        run(c, r#"INSERT INTO "t" ("id") VALUES ($1)"#, &[Value::Int(1)]).await.unwrap();
        c.commit().await.unwrap();
        guarded = ear.said().contains("BEGIN READ WRITE");
        if guarded {
            break;
        }
    }
    assert!(guarded);
    ear.misspell(Some(("BEGIN", "BEGUN")));
    for _ in 0..2 {
        c.begin(&Default::default()).await.unwrap();
        assert_eq!(kind(run(c, NOTIFY, &say).await), Some(ErrorKind::Syntax));
        c.rollback().await.unwrap();
    }
    assert_eq!(next(heard.as_mut()).await, None);
    ear.misspell(None);
    c.begin(&Default::default()).await.unwrap();
    run(c, NOTIFY, &say).await.unwrap();
    assert_eq!(next(heard.as_mut()).await, None);
    c.commit().await.unwrap();
    assert_eq!(next(heard.as_mut()).await.as_deref(), Some("p"));
    assert!(!c.is_dirty());
}

#[tokio::test]
async fn a_session_that_listens_is_opened_in_time_or_not() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let backend = open(&format!("postgres://x@127.0.0.1:{port}/x?connect_timeout=1")).unwrap();
    let channels = ["c".to_owned()];
    let listening = backend.notifications().unwrap().listen(&channels).await;
    assert_eq!(kind(listening), Some(ErrorKind::Unreachable));
}
