//! Every path that takes or gives a value of a column, for a column of any type.

use std::fmt::Debug;

use covet_drivers::value::Field;
use covet_orm::query::{Column, Insert};
use covet_orm::{Error, ErrorKind, Model};
use covet_tests::{Outcome, TestDb};
use futures_util::TryStreamExt as _;

use super::models::Edge;
use super::values::Values;

/// A column of the wide model.
pub(super) struct OfEdge<T> {
    pub(super) column: Column<Edge, Option<T>>,
    pub(super) get: fn(&Edge) -> &Option<T>,
    pub(super) set: fn(&mut Edge, Option<T>),
}

/// Floats are the same when they look the same: NaN is, and −0.0 is not 0.0.
pub(super) fn same<T: Debug>(found: &T, wanted: &T) -> bool {
    format!("{found:?}") == format!("{wanted:?}")
}

/// The error names kind, model and field, and no value.
#[track_caller]
pub(super) fn assert_refused(path: &str, result: Result<(), Error>, wanted: (ErrorKind, &str, &str)) {
    let (kind, model, field) = wanted;
    let Err(error) = result else { panic!("{model}.{field}, {path}: was not refused") };
    let found = (error.kind(), error.model(), error.field());
    assert_eq!(found, (kind, Some(model), Some(field)), "{model}.{field}, {path}: {error} {error:?}");
}

fn new<T: Field>(field: &OfEdge<T>, value: Option<T>) -> Insert<Edge> {
    Insert::new().given::<Option<T>>(field.column.meta(), value)
}

fn new_at<T: Field>(field: &OfEdge<T>, id: i64, value: Option<T>) -> Insert<Edge> {
    new(field, value).given::<i64>(Edge::id.meta(), id)
}

/// What the column holds comes back from every path, and what it refuses is refused by every path.
pub(super) async fn check<T>(db: &TestDb, field: &OfEdge<T>, values: Values<T>) -> Outcome
where
    T: Field + Clone + Debug,
{
    for (put, wanted) in &values.held {
        written(db, field, put, wanted).await?;
    }
    read(db, field, &values.held).await?;
    let home = new(field, None).exec(db).await?;
    for (kind, value) in values.refused.iter().chain(&values.unwritable) {
        let wanted = (*kind, "Edge", field.column.meta().field);
        for (path, result) in writes(db, field, &home, value).await {
            assert_refused(path, result, wanted);
        }
    }
    for (kind, value) in &values.refused {
        let wanted = (*kind, "Edge", field.column.meta().field);
        for (path, result) in questions(db, field, value).await {
            assert_refused(path, result.map(drop), wanted);
        }
    }
    for (_, value) in &values.unwritable {
        for (path, result) in questions(db, field, value).await {
            assert_eq!(result.unwrap_or_else(|error| panic!("{path}: {error}")), 0, "{path} found a row");
        }
    }
    let rows = Edge::query().all(db).await?;
    assert_eq!(rows, [home], "nothing was written");
    Edge::query().delete().exec(db).await?;
    Ok(())
}

/// The paths that write, one after the other on one row.
async fn written<T>(db: &TestDb, field: &OfEdge<T>, put: &T, wanted: &T) -> Outcome
where
    T: Field + Clone + Debug,
{
    let (column, some) = (field.column, || Some(put.clone()));
    let holds = |path: &str, row: &Edge| {
        let found = (field.get)(row).as_ref();
        assert!(found.is_some_and(|found| same(found, wanted)), "{path}: {found:?} and not {wanted:?}");
    };
    let empty = |path: &str, row: &Edge| {
        let found = (field.get)(row);
        assert!(found.is_none(), "{path}: {found:?} and not NULL");
    };
    let mut row = new(field, some()).exec(db).await?;
    holds("create", &row);
    let this = || Edge::query().filter(Edge::id.eq(row.id));
    let found = async || Edge::find(row.id).one(db).await;
    holds("find", &found().await?);
    let sent = |row: &Edge| {
        // The row in hand has what was sent, which a database may store in a plainer form (0.0 for −0.0).
        let found = (field.get)(row).as_ref();
        assert!(found.is_some_and(|found| same(found, wanted) || same(found, put)), "update in hand: {found:?}");
    };
    let mut in_hand = found().await?;
    in_hand.update().set(column, None).exec(db).await?;
    empty("update to NULL, in hand", &in_hand);
    empty("update to NULL", &found().await?);
    in_hand.update().set(column, some()).exec(db).await?;
    sent(&in_hand);
    holds("update", &found().await?);
    assert_eq!(this().update().set(column, None).exec(db).await?, 1);
    empty("query update to NULL", &found().await?);
    assert_eq!(this().update().set(column, some()).exec(db).await?, 1);
    holds("query update", &found().await?);
    empty("upsert to NULL", &new_at(field, row.id, None).on_conflict(Edge::id).update().exec(db).await?);
    holds("upsert", &new_at(field, row.id, some()).on_conflict(Edge::id).update().exec(db).await?);
    let id = || Insert::new().given::<i64>(Edge::id.meta(), row.id);
    empty("upsert, set to NULL", &id().on_conflict(Edge::id).set(column, None).exec(db).await?);
    holds("upsert, set", &id().on_conflict(Edge::id).set(column, some()).exec(db).await?);
    assert_eq!(this().filter(column.is_null()).count(db).await?, 0);
    let id = row.id;
    let found = async || Edge::find(id).one(db).await;
    (field.set)(&mut row, None);
    row.save(db).await?;
    empty("save of NULL", &found().await?);
    assert_eq!(Edge::query().filter(Edge::id.eq(id) & column.is_null()).count(db).await?, 1);
    (field.set)(&mut row, some());
    row.save(db).await?;
    holds("save", &found().await?);
    assert_eq!(Edge::query().filter(Edge::id.eq(id)).delete().exec(db).await?, 1);
    Ok(())
}

/// The paths that read, over all values at once, and those that ask for a value.
async fn read<T>(db: &TestDb, field: &OfEdge<T>, held: &[(T, T)]) -> Outcome
where
    T: Field + Clone + Debug,
{
    let column = field.column;
    let rows = || held.iter().map(|(put, _)| new(field, Some(put.clone()))).chain([new(field, None)]);
    let wanted: Vec<Option<T>> = held.iter().map(|(_, wanted)| Some(wanted.clone())).chain([None]).collect();
    let are =
        |path: &str, found: Vec<Option<T>>| assert!(same(&found, &wanted), "{path}: {found:?} and not {wanted:?}");
    let fields = |rows: Vec<Edge>| -> Vec<Option<T>> { rows.iter().map(|row| (field.get)(row).clone()).collect() };
    assert_eq!(Edge::insert_many(rows()).exec(db).await?, wanted.len() as u64);
    let ordered = || Edge::query().order_by(Edge::id.asc());
    are("all", fields(ordered().all(db).await?));
    let structs = ordered().all(db).await?;
    Edge::query().delete().exec(db).await?;
    assert_eq!(Edge::insert_all(&structs).exec(db).await?, wanted.len() as u64);
    are("insert_all", fields(ordered().all(db).await?));
    Edge::query().delete().exec(db).await?;
    let made = Edge::insert_many(rows()).returning(db).await?;
    let ids: Vec<i64> = made.iter().map(|row| row.id).collect();
    are("insert_many, returning", fields(made));
    are("all", fields(ordered().all(db).await?));
    are("select", ordered().select(column).all(db).await?);
    are(
        "select of two",
        ordered().select((Edge::id, column)).all(db).await?.into_iter().map(|(_, value)| value).collect(),
    );
    are("stream", fields(ordered().stream(db).try_collect().await?));
    are("select, stream", ordered().select(column).stream(db).try_collect().await?);
    for ((put, wanted), id) in held.iter().zip(&ids) {
        let like = held.iter().zip(&ids).filter(|((_, other), _)| same(other, wanted)).count();
        let one = |condition| async move { Edge::query().filter(condition).select(Edge::id).all(db).await };
        for (path, condition) in [
            ("eq", column.eq(put.clone())),
            ("is_in", column.is_in([put.clone()])),
            ("between", column.between(put.clone(), put.clone())),
            ("not ne", !column.ne(put.clone()) & column.is_not_null()),
        ] {
            let found = one(condition).await?;
            assert!(found.contains(id), "{path} {wanted:?} found {found:?} and not {id}");
            // −0.0 and 0.0 are equal and do not look it.
            assert!(found.len() == like || format!("{put:?}").contains("0.0"), "{path} {wanted:?} found {found:?}");
        }
        // The text of each question is another one: in a list of two, and after its own answer is gone.
        let all = one(column.is_in(held.iter().map(|(put, _)| put.clone()))).await?;
        assert_eq!(all.len(), held.len());
    }
    let by_id = |mut rows: Vec<Edge>| {
        rows.sort_by_key(|row| row.id);
        fields(rows)
    };
    if db.capabilities().returning_on_update {
        let unchanged = Edge::query().update().set(Edge::short, Edge::short);
        are("update, returning", by_id(unchanged.returning(db).await?));
    }
    are("delete, returning", by_id(Edge::query().delete().returning(db).await?));
    Ok(())
}

type Attempt<T> = (&'static str, Result<T, Error>);

async fn writes<T>(db: &TestDb, field: &OfEdge<T>, home: &Edge, value: &T) -> Vec<Attempt<()>>
where
    T: Field + Clone + Debug,
{
    let (column, some) = (field.column, || Some(value.clone()));
    let many = |inserts: Vec<Insert<Edge>>| Edge::insert_many(inserts);
    let this = || Edge::query().filter(Edge::id.eq(home.id));
    let id = || Insert::new().given::<i64>(Edge::id.meta(), home.id);
    let mut row = home.clone();
    let mut saved = home.clone();
    (field.set)(&mut saved, some());
    let attempts = vec![
        ("create", new(field, some()).exec(db).await.map(drop)),
        ("insert_many", many(vec![new(field, None), new(field, some())]).exec(db).await.map(drop)),
        ("insert_many, returning", many(vec![new(field, some())]).returning(db).await.map(drop)),
        ("update", row.update().set(column, some()).exec(db).await),
        ("query update", this().update().set(column, some()).exec(db).await.map(drop)),
        ("upsert", new_at(field, home.id, some()).on_conflict(Edge::id).update().exec(db).await.map(drop)),
        ("upsert, set", id().on_conflict(Edge::id).set(column, some()).exec(db).await.map(drop)),
        ("save", saved.save(db).await),
        ("insert_all", Edge::insert_all([home, &saved]).exec(db).await.map(drop)),
    ];
    assert_eq!(row, *home, "the row in hand is as it was");
    attempts
}

/// Each with the number of rows that it gave.
async fn questions<T>(db: &TestDb, field: &OfEdge<T>, value: &T) -> Vec<Attempt<u64>>
where
    T: Field + Clone + Debug,
{
    let (column, some) = (field.column, || value.clone());
    let whose = |condition| Edge::query().filter(condition);
    let number = |rows: Vec<Edge>| rows.len() as u64;
    let exists = whose(column.between(some(), some())).exists(db).await.map(u64::from);
    let first = whose(column.is_in([some()])).first(db).await.map(|row| u64::from(row.is_some()));
    let update = whose(column.eq(some())).update().set(Edge::text, "x".to_owned()).exec(db).await;
    let picked = whose(column.eq(some())).select(column).all(db).await.map(|values| values.len() as u64);
    let streamed = whose(column.eq(some())).stream(db).try_collect().await.map(number);
    let picked_stream = whose(column.eq(some())).select(Edge::id).stream(db).try_collect::<Vec<_>>().await;
    vec![
        ("eq, all", whose(column.eq(some())).all(db).await.map(number)),
        ("gt and lt, count", whose(column.gt(some()) & column.lt(some())).count(db).await),
        ("is_in, first", first),
        ("not_in, count", whose(column.not_in([some()])).count(db).await),
        ("between, exists", exists),
        ("select", picked),
        ("stream", streamed),
        ("select, stream", picked_stream.map(|ids| ids.len() as u64)),
        ("delete", whose(column.eq(some())).delete().exec(db).await),
        ("update where", update),
    ]
}
