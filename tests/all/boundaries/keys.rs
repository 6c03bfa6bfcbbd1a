//! Columns that can be keys: found by a unique index, pointed at, loaded through a relation.

use std::fmt::Debug;

use covet_drivers::value::Field;
use covet_orm::query::{Column, Find, Insert};
use covet_orm::relation::ToOne;
use covet_orm::{Error, Model};
use covet_tests::{Outcome, TestDb};

use super::models::{EdgeKey, EdgeLink};
use super::paths::{assert_refused, same};
use super::values::Values;

/// A unique column and the column that points at it.
pub(super) struct Key<T> {
    pub(super) column: Column<EdgeKey, Option<T>>,
    pub(super) get: fn(&EdgeKey) -> &Option<T>,
    pub(super) find: fn(T) -> Find<EdgeKey>,
    pub(super) link: Column<EdgeLink, Option<T>>,
    pub(super) set: fn(&mut EdgeLink, Option<T>),
    pub(super) related: ToOne<EdgeLink, EdgeKey>,
    pub(super) loaded: fn(&EdgeLink) -> Result<Option<i64>, Error>,
}

/// Every value that is held finds its row, on every path that takes a key; every other is refused.
pub(super) async fn check<T>(db: &TestDb, key: &Key<T>, values: Values<T>) -> Outcome
where
    T: Field + Clone + Debug,
{
    let (column, link, related) = (key.column, key.link, key.related);
    let row = |value: &T| Insert::<EdgeKey>::new().given::<Option<T>>(column.meta(), Some(value.clone()));
    let pointing = |value: Option<T>| Insert::<EdgeLink>::new().given::<Option<T>>(link.meta(), value);
    let rows = EdgeKey::insert_many(values.held.iter().map(|(put, _)| row(put))).returning(db).await?;
    for ((put, wanted), row) in values.held.iter().zip(&rows) {
        let found = (key.find)(put.clone()).one(db).await?;
        assert_eq!(found.id, row.id, "find by {put:?}");
        assert!((key.get)(&found).as_ref().is_some_and(|found| same(found, wanted)), "{put:?}");
        assert!((key.find)(put.clone()).exists(db).await?);
        assert_eq!((key.find)(put.clone()).query().count(db).await?, 1);
    }
    EdgeLink::insert_many(values.held.iter().map(|(put, _)| pointing(Some(put.clone()))).chain([pointing(None)]))
        .exec(db)
        .await?;
    let links = EdgeLink::query().order_by(EdgeLink::id.asc()).include(related).all(db).await?;
    let loaded = links.iter().map(|link| (key.loaded)(link)).collect::<Result<Vec<_>, _>>()?;
    let wanted: Vec<Option<i64>> = rows.iter().map(|row| Some(row.id)).chain([None]).collect();
    assert_eq!(loaded, wanted, "loaded");
    for ((put, _), (row, link)) in values.held.iter().zip(rows.iter().zip(&links)) {
        let through = EdgeLink::query().filter(related.at(column).eq(put.clone())).select(EdgeLink::id).all(db).await?;
        assert_eq!(through, [link.id], "{put:?}");
        assert_eq!(related.of(link).one(db).await?.id, row.id);
    }
    let name = column.meta().field;
    for (kind, value) in &values.refused {
        let mut link = links.last().cloned().unwrap_or_else(|| panic!("there is a row"));
        (key.set)(&mut link, Some(value.clone()));
        let by_key = (key.find)(value.clone());
        let through = EdgeLink::query().filter(related.at(column).eq(value.clone())).all(db).await;
        for (path, model, result) in [
            ("create", "EdgeKey", row(value).exec(db).await.map(drop)),
            ("find by", "EdgeKey", by_key.optional(db).await.map(drop)),
            ("find by, exists", "EdgeKey", (key.find)(value.clone()).exists(db).await.map(drop)),
            ("find by, as a query", "EdgeKey", (key.find)(value.clone()).query().all(db).await.map(drop)),
            ("through a relation", "EdgeKey", through.map(drop)),
            ("pointing", "EdgeLink", pointing(Some(value.clone())).exec(db).await.map(drop)),
        ] {
            assert_refused(path, result, (*kind, model, name));
        }
        for (path, result) in
            [("load", related.load(&mut link.clone(), db).await), ("of", related.of(&link).all(db).await.map(drop))]
        {
            // Either end may be named: what no database can hold is refused where it comes from.
            let own = result.as_ref().is_err_and(|error| error.model() == Some("EdgeLink"));
            assert_refused(path, result, (*kind, if own { "EdgeLink" } else { "EdgeKey" }, name));
        }
    }
    EdgeLink::query().delete().exec(db).await?;
    EdgeKey::query().delete().exec(db).await?;
    Ok(())
}
