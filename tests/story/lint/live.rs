//! Rules that ask a running server.

use covet_orm::Db;
use covet_orm::drivers::catalog::Schema;
use covet_orm::drivers::lint::{Check, Rebuild, Scene};
use covet_orm::lint::{lint_live, rules_of};
use covet_orm::migrate::{Folder, Target};
use covet_tests::Kind;

use crate::lint::{Bench, ids};
use crate::place::Place;

async fn found(bench: &Bench, db: &Db) -> Vec<&'static str> {
    let folder = Folder::read(bench.dir.path()).unwrap();
    ids(&lint_live(&folder, db, 1).await.unwrap())
}

/// PG03, and PG22 on a server that does not have the fault.
#[tokio::test]
async fn postgres_has_an_index_that_is_not_valid() {
    let Some(place) = Place::new(Kind::Postgres).await else { return };
    let bench = Bench::new();
    bench.script("postgres", "-- covet:alone\nCREATE INDEX CONCURRENTLY i ON users (age)");
    place.sql("CREATE TABLE t (a int)").await;
    place.sql("INSERT INTO t VALUES (1), (1)").await;
    assert_eq!(found(&bench, &place.db).await, [] as [&str; 0]);
    assert!(place.try_sql("CREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a)").await.is_err());
    assert_eq!(found(&bench, &place.db).await, ["PG03"]);
    place.end().await;
}

/// SL12 and SL16
#[tokio::test]
async fn sqlite_rebuilds_what_is_big() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let bench = Bench::of("a{id auto; n i32?}", "a{id auto; n i32 =0}", &["no nulls in a.n"]);
    place.sql("CREATE TABLE a (id integer PRIMARY KEY, n integer)").await;
    let fill = |count: u32| {
        format!(
            "INSERT INTO a (n) WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < {count}) SELECT i FROM c"
        )
    };
    place.sql(&fill(99_999)).await;
    assert_eq!(found(&bench, &place.db).await, [] as [&str; 0]);
    place.sql(&fill(1)).await;
    assert_eq!(found(&bench, &place.db).await, ["SL12"]);
    assert_eq!(place.number("SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
}

/// Within a transaction every SQLite ignores the pragma, as some hosts do always.
#[tokio::test]
async fn sqlite_may_ignore_the_pragma() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let target = Target::named("sqlite").unwrap();
    let rule = rules_of(&target).unwrap().iter().find(|rule| rule.id == "SL16").unwrap();
    let Check::Live(look) = rule.check else { panic!() };
    let nothing = Schema::default();
    let mut scene = Scene::new(Vec::new(), &nothing, &nothing);
    scene.rebuilds.push(Rebuild { table: "a".into(), under: "b".into(), create: 0, fill: 1, drop: 2, rename: 3 });
    let mut lease = place.db.acquire().await.unwrap();
    assert_eq!(look(&mut *lease, &scene).await.unwrap(), []);
    lease.script("BEGIN").await.unwrap();
    assert_eq!(look(&mut *lease, &scene).await.unwrap().len(), 1);
    lease.script("ROLLBACK").await.unwrap();
}
