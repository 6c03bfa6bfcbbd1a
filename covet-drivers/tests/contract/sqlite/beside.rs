//! What a schema has no word for is told, each by kind, name and table; schemas there are none.

use covet_drivers::ErrorKind;

use super::{memory, open};

#[tokio::test]
async fn what_no_model_says_is_told() {
    let backend = open("sqlite::memory:").unwrap();
    let mut db = memory().await;
    assert_eq!(backend.introspect().unmodelled(&mut *db, &[]).await.unwrap(), []);
    db.script(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT; CREATE VIEW v AS SELECT 1 AS x;
         CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t WHERE id < 0; END;
         CREATE VIRTUAL TABLE f USING fts5(words);
         CREATE INDEX sorted ON t (a COLLATE RTRIM);
         CREATE TABLE loose (id INTEGER PRIMARY KEY); CREATE TABLE \"a.b\" (id INTEGER PRIMARY KEY);
         CREATE TABLE _covet_migrations (id TEXT)",
    )
    .await
    .unwrap();
    let found = backend.introspect().unmodelled(&mut *db, &[]).await.unwrap();
    assert!(found.is_sorted());
    let told: Vec<String> = found
        .iter()
        .map(|one| format!("{} {} of {}", one.kind, one.name, one.table.as_deref().unwrap_or("-")))
        .collect();
    for wanted in [
        "view v of -",
        "trigger g of t",
        "virtual table f of -",
        "index with a collation sorted of t",
        "table that is not STRICT loose of loose",
        "table that is not STRICT a.b of \"a.b\"",
    ] {
        assert!(told.iter().any(|one| one == wanted), "{wanted} is none of {told:?}");
    }
    // Its shadows are all that is left.
    let rest = told.iter().filter(|one| !one.starts_with("shadow table f_")).count();
    assert_eq!(rest, 6, "{told:?}");
}

#[tokio::test]
async fn a_schema_is_refused_by_name() {
    let backend = open("sqlite::memory:").unwrap();
    let mut db = memory().await;
    let schemas = ["billing".to_owned()];
    for error in [
        backend.introspect().read(&mut *db, &schemas).await.unwrap_err(),
        backend.introspect().unmodelled(&mut *db, &schemas).await.unwrap_err(),
    ] {
        let told = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(told.contains("the schema billing") && told.contains("no schemas"), "{told}");
    }
}
