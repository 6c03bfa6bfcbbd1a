//! Each change in its parts, forth, back and forth again, with rows: it leads where it leads without `--online`.

use covet_orm::ErrorKind;
use covet_orm::migrate::{Goal, Part};
use covet_tests::Kind;

use crate::notation::schema;
use crate::online::{ABLE, ALL, Change};
use crate::place::{Place, Words, on_each, quote};

on_each! { each_change_leads_where_it_should }

async fn each_change_leads_where_it_should(place: &Place) {
    for change in ALL {
        place.wipe().await;
        one(place, change, &[place.kind]).await;
        // Parts that are there for the sake of another database.
        if place.kind == Kind::Sqlite {
            place.wipe().await;
            one(place, change, &[Kind::Postgres, Kind::Sqlite]).await;
        }
    }
}

/// `[name]` as the database quotes it.
fn written(kind: Kind, sql: &str) -> String {
    let mut out = String::new();
    for part in sql.split('[') {
        match part.split_once(']') {
            Some((name, rest)) => out.push_str(&format!("{}{rest}", quote(kind.name(), name))),
            None => out.push_str(part),
        }
    }
    out
}

async fn one(place: &Place, change: &Change, kinds: &[Kind]) {
    let told = format!("{} on {} of {kinds:?}", change.id, place.kind.name());
    let after = schema(change.after);
    let wanted = place.fresh(&after).await;
    place.make_online(kinds, &schema(change.before), &[]).unwrap();
    place.up().await.unwrap_or_else(|error| panic!("{told}: {error}"));
    for sql in change.rows {
        place.sql(&written(place.kind, sql)).await;
    }
    let (shape, rows) = (place.shape(Words::Own).await, place.rows().await);
    let made = place.make_online(kinds, &after, change.decide);
    if let Some((_, why)) = change.refused.iter().find(|(kind, _)| kinds.contains(kind)) {
        let error = made.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{told}: {error}");
        assert!(error.to_string().contains(why) && error.help().is_some(), "{told}: {error}");
        return;
    }
    let made = made.unwrap_or_else(|error| panic!("{told}: {error}"));
    let parts: Vec<Part> = made.iter().map(|(part, _)| *part).collect();
    let able = kinds.iter().any(|kind| ABLE.contains(kind));
    assert_eq!(parts, if able { change.parts } else { &[Part::Whole] }, "{told}");
    assert!(place.make_online(kinds, &after, &[]).unwrap().is_empty(), "{told}: made twice");

    // The parts one by one, as they are released.
    for (part, path) in &made {
        let up = std::fs::read_to_string(place.file(path, "up")).unwrap();
        let ran = place.migrator().up_to(&place.db, Goal::Count(1)).await;
        assert_eq!(ran.unwrap_or_else(|error| panic!("{told}: {part:?}: {error}\n{up}")).done.len(), 1);
    }
    place.shape(Words::Own).await.is(&wanted, &format!("{told}: forth"));
    for (sql, number) in change.holds {
        assert_eq!(place.number(&written(place.kind, sql)).await, *number, "{told}: {sql}");
    }
    let back = place.down(Goal::Count(made.len())).await;
    assert_eq!(back.unwrap_or_else(|error| panic!("{told}: back: {error}")), made.len());
    place.shape(Words::Own).await.is(&shape, &format!("{told}: back"));
    let found = place.rows().await;
    for (table, rows) in &rows {
        assert_eq!(rows.len(), found.get(table).map_or(0, Vec::len), "{told}: the rows of {table}");
    }
    let again = place.up().await;
    assert_eq!(again.unwrap_or_else(|error| panic!("{told}: forth again: {error}")), made.len());
    place.shape(Words::Own).await.is(&wanted, &format!("{told}: forth again"));
}
