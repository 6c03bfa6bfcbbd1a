//! The story: every revision forth, back and forth again, then all the way back, and forth at once.

use covet_orm::drivers::catalog::Schema;
use covet_orm::migrate::{Goal, Standing};
use covet_orm::schema::schema_of;
use covet_tests::Kind;

use crate::place::{Place, Shape, Words, by_name};
use crate::revisions::{self, Revision};
use crate::rows::{back, blur, forth};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    story(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    story(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql() {
    story(Kind::Mysql).await;
}

async fn story(kind: Kind) {
    let Some(place) = Place::new(kind).await else { return };
    let Some(other) = Place::new(kind).await else { return };
    let revisions = revisions::all();
    let mut shapes = vec![place.shape(Words::Own).await];
    assert_eq!(shapes[0].schema, Schema::default());
    for (number, revision) in revisions.iter().enumerate() {
        let wanted = schema_of(&revision.models).unwrap();
        shapes.push(other.fresh(&wanted).await);
        assert_eq!(shapes[number + 1].schema, by_name(&wanted), "{kind:?} {}: what a new database has", revision.name);
        one(&place, revision, &wanted, &shapes[number], &shapes[number + 1]).await;
        (revision.fill)(&place.db).await.unwrap_or_else(|error| panic!("{kind:?} {}: {error}", revision.name));
    }
    for (number, revision) in revisions.iter().enumerate().rev() {
        let undone = place.down(Goal::Count(1)).await;
        assert_eq!(undone.unwrap_or_else(|error| panic!("{kind:?} back from {}: {error}", revision.name)), 1);
        same(&place, &shapes[number], &format!("back from {}", revision.name)).await;
    }
    assert_eq!(place.standings().await, [Standing::Pending; 7]);
    assert_eq!(place.up().await.unwrap(), revisions.len());
    same(&place, shapes.last().unwrap(), "forth at once").await;
    let third = place.migrator().status(&place.db).await.unwrap().remove(2).id;
    assert_eq!(place.down(Goal::To(&third)).await.unwrap(), 4);
    same(&place, &shapes[3], "back to the third").await;
    let some = place.migrator().up_to(&place.db, Goal::Count(2)).await.unwrap();
    assert_eq!(some.done.len(), 2);
    same(&place, &shapes[5], "forth by two").await;
    assert_eq!(place.up().await.unwrap(), 2);
    assert_eq!(place.down(Goal::All).await.unwrap(), revisions.len());
    same(&place, &shapes[0], "back at once").await;
    place.end().await;
    other.end().await;
}

/// One revision: forth, back, and forth again.
async fn one(place: &Place, revision: &Revision, wanted: &Schema, before: &Shape, after: &Shape) {
    let name = revision.name;
    let told = |what: &str| format!("{:?} {name}: {what}", place.kind);
    let rows = place.rows().await;
    let made = place.make(wanted, revision.decisions).unwrap_or_else(|error| panic!("{}: {error}", told("make")));
    assert!(made.is_some());
    assert_eq!(place.up().await.unwrap_or_else(|error| panic!("{}: {error}", told("up"))), 1);
    same(place, after, &told("forth")).await;
    let mut found = place.rows().await;
    blur(&mut found, revision.edits);
    assert_eq!(found, forth(rows.clone(), revision.edits), "{}", told("the rows"));
    assert!(place.make(wanted, &[]).unwrap().is_none(), "{}", told("made twice"));

    assert_eq!(place.down(Goal::Count(1)).await.unwrap_or_else(|error| panic!("{}: {error}", told("down"))), 1);
    same(place, before, &told("back")).await;
    let rows = back(rows, revision.edits);
    assert_eq!(place.rows().await, rows, "{}", told("the rows that are back"));

    assert_eq!(place.up().await.unwrap_or_else(|error| panic!("{}: {error}", told("up again"))), 1);
    same(place, after, &told("forth again")).await;
    let mut found = place.rows().await;
    blur(&mut found, revision.edits);
    assert_eq!(found, forth(rows, revision.edits), "{}", told("the rows, forth again"));
    assert_eq!(place.up().await.unwrap(), 0);
}

/// The database is as a new one would be.
async fn same(place: &Place, wanted: &Shape, told: &str) {
    let found = place.shape(Words::Own).await;
    assert!(found.dump.is_some() && wanted.dump.is_some());
    found.is(wanted, told);
}
