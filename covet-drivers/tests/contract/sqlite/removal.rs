//! Removing a database that somebody has open: seen whatever the URL says about the log.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{ConnectUrl, Others, TransactionOptions, adapter_for};

use crate::sqlite::{Place, number, run};

async fn remove(place: &Place, parameters: &str) -> covet_drivers::Result<bool> {
    let url: ConnectUrl = format!("sqlite://{}/test.db?{parameters}", place.folder.display()).parse()?;
    adapter_for(url.scheme())?.admin().expect("SQLite has one").remove(&url, Others::Stay).await
}

#[tokio::test]
async fn a_file_that_others_have_open_stays() {
    let place = Place::new();
    let mut other = place.connect().await;
    run(other.as_mut(), "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT", &[]).await.unwrap();
    for parameters in ["", "journal_mode=wal", "journal_mode=truncate", "mode=rw", "mode=rwc"] {
        let error = remove(&place, parameters).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{parameters}: {error}");
        assert!(error.to_string().contains("is in use by another process"), "{error}");
    }
    assert_eq!(number(other.as_mut(), "SELECT count(*) FROM t").await, 0);
    let error = remove(&place, "mode=ro").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    other.close().await.unwrap();
    assert!(remove(&place, "journal_mode=wal").await.unwrap());
    assert!(std::fs::read_dir(&place.folder).unwrap().next().is_none());
    assert!(!remove(&place, "").await.unwrap());
}

#[tokio::test]
async fn a_file_without_a_log_stays_while_others_are_in_a_transaction() {
    let place = Place::with("journal_mode=delete");
    let mut other = place.connect().await;
    run(other.as_mut(), "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT", &[]).await.unwrap();
    other.begin(&TransactionOptions::default()).await.unwrap();
    run(other.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    for parameters in ["journal_mode=delete&busy_timeout=20", "busy_timeout=20"] {
        let error = remove(&place, parameters).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{parameters}: {error}");
    }
    other.commit().await.unwrap();
    assert!(remove(&place, "journal_mode=delete").await.unwrap());
}
