//! Hostile strings go through every path that takes a value, come back byte for byte, and no SQL text knows them.
//!
//! The proof that values never become SQL: everything is done with harmless strings first, and the texts that
//! the database is sent then are all that it is ever sent. Beside it, strings between marks of which no text
//! may have one.

mod defaults;
mod models;
mod paths;
mod places;
mod strings;
mod texts;

use covet_tests::{Kind, on_each_database};

use paths::Place;
use texts::Texts;

/// How many strings go through each path that takes one string at a time; the others go through in heaps,
/// and through one such path each.
const HEAP: usize = 500;

/// Harmless, and of each kind that is asked for in another way: short, long, empty, without an end.
const HARMLESS: [&str; 4] = ["harmless", "harmless and long, as a sentence is", "", "\u{10ffff}"];

/// What a database cannot have in a text is refused, and is another test's affair.
fn storable(kind: Kind, strings: Vec<String>) -> Vec<String> {
    strings.into_iter().filter(|text| kind == Kind::Mysql || !text.contains('\0')).collect()
}

/// Strings with which nothing can go wrong, as many as there are of the others. Two of them make other
/// texts by what they are: the empty beginning, and the beginning that has no end.
fn harmless(count: usize) -> Vec<String> {
    let mut strings: Vec<String> = (0..count.saturating_sub(2)).map(|n| format!("harmless {n}")).collect();
    strings.extend(["", "\u{10ffff}"].map(str::to_owned));
    strings
}

/// Between marks that nothing else has.
fn marked(strings: &[String]) -> Vec<String> {
    strings.iter().enumerate().map(|(n, text)| format!("mark<{n:05}{text}{n:05}>mark")).collect()
}

on_each_database! {
    async fn listed_strings_on_every_path(db: &TestDb) -> Outcome {
        let (db, texts) = Texts::watch(db).await?;
        let mut strings = storable(db.kind(), strings::listed());
        assert!(strings.len() > 550, "{} strings", strings.len());
        let place = Place::new(&db).await?;
        place.heap(&harmless(strings.len())).await?;
        for text in HARMLESS {
            place.each(text).await?;
        }
        let known = texts.take();
        assert!(known.len() > 40, "{known:?}");
        strings.extend(marked(&strings[..100]));
        for text in &strings {
            place.each(text).await.map_err(|error| format!("{text:?}: {error}"))?;
        }
        strings.truncate(strings.len() - 100);
        place.heap(&strings).await?;
        texts.are_among(&known);
        Ok(())
    }

    async fn generated_strings_in_heaps_and_one_by_one(db: &TestDb) -> Outcome {
        let (db, texts) = Texts::watch(db).await?;
        let strings = storable(db.kind(), strings::generated(10_000));
        assert!(strings.len() > 9_000, "{} strings", strings.len());
        let place = Place::new(&db).await?;
        place.heap(&harmless(HEAP)).await?;
        place.heap(&harmless(strings.len() % HEAP)).await?;
        for text in HARMLESS {
            place.each(text).await?;
        }
        let known = texts.take();
        for heap in strings.chunks(HEAP) {
            place.heap(heap).await?;
        }
        for (n, text) in strings.iter().enumerate() {
            place.one(n, text).await.map_err(|error| format!("{text:?}: {error}"))?;
        }
        texts.are_among(&known);
        for (n, text) in marked(&strings[..1_000]).iter().enumerate() {
            place.one(n, text).await?;
        }
        texts.are_among(&known);
        Ok(())
    }

    async fn a_nul_is_refused_by_name_where_text_has_none(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Mysql {
            return Ok(()); // its text has them
        }
        let (db, _) = Texts::watch(db).await?;
        let place = Place::new(&db).await?;
        for text in strings::generated(10_000).iter().filter(|text| text.contains('\0')).take(100) {
            place.refuses(text).await?;
        }
        Ok(())
    }
}
