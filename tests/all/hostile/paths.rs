//! The paths that take a value.

use covet_orm::prelude::*;
use covet_orm::{ErrorKind, Result};
use covet_tests::Kind;
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::models::{Scroll, ScrollSeal, Seal};
use super::texts::Watched;

/// The most of a pattern that SQLite takes, in bytes.
const LONGEST_PATTERN: usize = 50_000;

/// A database, and a row in it to be changed.
pub(super) struct Place<'a> {
    db: &'a Watched,
    home: Scroll,
}

/// The part of a text that a bounded column takes.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

/// As a pattern that means itself.
fn literally(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// JSON with the text in every place that JSON has.
fn document(text: &str) -> serde_json::Value {
    json!({ text: [text, { "k": text }], "n": text })
}

impl<'a> Place<'a> {
    pub(super) async fn new(db: &'a Watched) -> Result<Self> {
        Ok(Place { db, home: Scroll::create().text("home").exec(db).await? })
    }

    /// Many strings in each statement.
    pub(super) async fn heap(&self, strings: &[String]) -> Result<()> {
        let db = self.db;
        let new = |text: &String| Scroll::create().text(text).note(text).json(document(text));
        assert_eq!(Scroll::insert_many(strings.iter().map(new)).exec(db).await?, strings.len() as u64);
        let rows = || Scroll::query().filter(Scroll::id.ne(self.home.id)).order_by(Scroll::id.asc());
        let found = rows().all(db).await?;
        same(strings, found.iter().map(|row| &row.text));
        same(strings, found.iter().filter_map(|row| row.note.as_ref()));
        assert!(found.iter().zip(strings).all(|(row, text)| row.json.as_ref() == Some(&document(text))));
        same(strings, &rows().select(Scroll::text).all(db).await?);
        same(strings, &rows().stream(db).map_ok(|row| row.text).try_collect::<Vec<_>>().await?);
        assert_eq!(rows_but(self.home.id).delete().exec(db).await?, strings.len() as u64);
        assert_eq!(Scroll::insert_all(&found).exec(db).await?, strings.len() as u64);
        let again = rows().all(db).await?;
        same(strings, again.iter().map(|row| &row.text));
        assert!(again.iter().zip(&found).all(|(row, was)| row.note == was.note && row.json == was.json));
        let among = Scroll::query().filter(Scroll::text.is_in(strings)).count(db).await?;
        assert_eq!(among, strings.len() as u64, "is_in");
        let none = Scroll::query().filter(Scroll::text.not_in(strings)).select(Scroll::id).all(db).await?;
        assert_eq!(none, [self.home.id], "not_in");
        let any = Expr::any(strings.iter().map(|text| Scroll::text.eq(text) & Scroll::note.eq(text)));
        assert_eq!(Scroll::query().filter(any).count(db).await?, strings.len() as u64, "any");
        assert_eq!(rows_but(self.home.id).delete().exec(db).await?, strings.len() as u64);
        let made = Scroll::insert_many(strings.iter().take(50).map(new)).returning(db).await?;
        same(&strings[..strings.len().min(50)], made.iter().map(|row| &row.text));
        rows_but(self.home.id).delete().exec(db).await?;
        Ok(())
    }

    /// Every path, for one string.
    pub(super) async fn each(&self, text: &str) -> Result<()> {
        for path in 0..PATHS {
            self.one(path, text).await?;
        }
        Ok(())
    }

    /// One path, for one string.
    pub(super) async fn one(&self, path: usize, text: &str) -> Result<()> {
        match path % PATHS {
            0 => self.created(text).await,
            1 => self.updated(text).await,
            2 => self.upserted(text).await,
            3 => self.found(text).await,
            4 => self.asked(text).await,
            5 => self.matched(text).await,
            6 => self.related(text).await,
            _ => self.linked(text).await,
        }
    }

    async fn created(&self, text: &str) -> Result<()> {
        let made = Scroll::create().text(text).note(text).json(document(text)).exec(self.db).await?;
        let found = Scroll::find(made.id).one(self.db).await?;
        assert_eq!(made, found);
        assert_eq!((found.text.as_str(), found.note.as_deref(), found.json), (text, Some(text), Some(document(text))));
        made.delete(self.db).await
    }

    async fn updated(&self, text: &str) -> Result<()> {
        let db = self.db;
        let mut row = self.home.clone();
        let has = async || -> Result<()> {
            assert_eq!(Scroll::find(row_id(&self.home)).one(db).await?.text, text);
            this(&self.home).update().set(Scroll::text, "between").set(Scroll::note, None).exec(db).await.map(drop)
        };
        row.update().set(Scroll::text, text).set(Scroll::json, document(text)).exec(db).await?;
        assert_eq!(row.text, text);
        has().await?;
        this(&row).update().set(Scroll::text, text.to_owned()).exec(db).await?;
        has().await?;
        row.note = Some(text.to_owned());
        row.save(db).await?;
        assert_eq!(Scroll::find(row.id).one(db).await?, row);
        has().await
    }

    async fn upserted(&self, text: &str) -> Result<()> {
        let db = self.db;
        let (name, other) = (short(text), short(&format!("!{text}")));
        let upsert = || Seal::create().name(&name).on_conflict(Seal::name);
        assert_eq!(upsert().update().exec(db).await?.name, name);
        assert_eq!(upsert().set(Seal::folded, Some(other.clone())).exec(db).await?.folded, Some(other.clone()));
        let seal = Seal::create().name(&name).folded(&name).on_conflict(Seal::name).update().exec(db).await?;
        assert_eq!((seal.name.as_str(), seal.folded.as_ref()), (name.as_str(), Some(&name)));
        seal.delete(db).await
    }

    async fn found(&self, text: &str) -> Result<()> {
        let db = self.db;
        let name = short(text);
        let mut seal = Seal::create().name(&name).motto(&name).exec(db).await?;
        assert_eq!(Seal::find(name.as_str()).one(db).await?, seal);
        assert!(Seal::find(name.as_str()).exists(db).await?);
        assert_eq!(Seal::find_by_motto(&name).one(db).await?, seal);
        let renamed = short(&format!("{text}'"));
        let renamed = if renamed == name { "renamed".to_owned() } else { renamed };
        seal.update().set(Seal::name, &renamed).exec(db).await?;
        assert_eq!(Seal::find(name.as_str()).optional(db).await?, None);
        assert_eq!(Seal::find(renamed.as_str()).one(db).await?, seal);
        seal.delete(db).await
    }

    async fn asked(&self, text: &str) -> Result<()> {
        let db = self.db;
        let made = Scroll::create().text(text).note(text).exec(db).await?;
        let ids = async |condition: Expr<Scroll, bool>| {
            let condition = condition & Scroll::id.ne(self.home.id);
            Scroll::query().filter(condition).select(Scroll::id).all(db).await
        };
        for condition in [
            Scroll::text.eq(text),
            !Scroll::text.ne(text),
            Scroll::text.ge(text) & Scroll::text.le(text),
            Scroll::text.between(text, text),
            Scroll::text.is_in([text]),
            Scroll::note.eq(text),
        ] {
            assert_eq!(ids(condition).await?, [made.id]);
        }
        assert!(ids(Scroll::text.ne(text) | Scroll::text.lt(text) | Scroll::text.gt(text)).await?.is_empty());
        assert_eq!(Scroll::query().filter(Scroll::text.eq(text)).update().set(Scroll::note, text).exec(db).await?, 1);
        assert_eq!(Scroll::query().filter(Scroll::text.eq(text)).delete().exec(db).await?, 1);
        Ok(())
    }

    async fn matched(&self, text: &str) -> Result<()> {
        let db = self.db;
        let made = Scroll::create().text(text).note("a haystack that is none").exec(db).await?;
        let pattern = literally(text);
        for (condition, grows) in [
            (Scroll::text.contains(text), 2),
            (Scroll::text.starts_with(text), 1),
            (Scroll::text.ends_with(text), 1),
            (Scroll::text.like(&pattern), 0),
        ] {
            let found = Scroll::query().filter(Scroll::id.eq(made.id) & condition).count(db).await;
            if db.kind() == Kind::Sqlite && pattern.len() + grows > LONGEST_PATTERN {
                assert_eq!(found.unwrap_err().kind(), ErrorKind::OutOfRange);
                continue;
            }
            assert_eq!(found?, 1, "{text:?} is like itself");
            if text.len() > 30 {
                let other = Scroll::query().filter(Scroll::id.eq(made.id) & Scroll::note.contains(text));
                assert_eq!(other.count(db).await?, 0);
            }
        }
        made.delete(db).await
    }

    async fn related(&self, text: &str) -> Result<()> {
        let db = self.db;
        let name = short(text);
        let mut seal = Seal::create().name(&name).exec(db).await?;
        let made = Scroll::create().text(text).seal_name(&name).exec(db).await?;
        let found = Scroll::query().filter(Scroll::id.eq(made.id)).include(Scroll::seal).one(db).await?;
        assert_eq!(found.seal.get()?.map(|seal| seal.name.as_str()), Some(name.as_str()));
        Seal::scrolls.load(&mut seal, db).await?;
        assert_eq!(seal.scrolls.get()?.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), [text]);
        assert_eq!(Seal::scrolls.of(&seal).one(db).await?.id, made.id);
        let through = Scroll::query().filter(Scroll::seal.at(Seal::name).eq(&name)).select(Scroll::id).all(db).await?;
        assert_eq!(through, [made.id]);
        assert!(Seal::query().filter(Seal::scrolls.any(Scroll::text.eq(text))).exists(db).await?);
        made.delete(db).await?;
        seal.delete(db).await
    }

    async fn linked(&self, text: &str) -> Result<()> {
        let db = self.db;
        let name = short(text);
        let seal = Seal::create().name(&name).exec(db).await?;
        let mut scroll = Scroll::create().text(text).exec(db).await?;
        let links = Scroll::seals;
        assert_eq!(links.of(&scroll).link([&seal], db).await?, 1);
        assert_eq!(links.of(&scroll).link([&seal], db).await?, 0, "it is there");
        links.load(&mut scroll, db).await?;
        assert_eq!(scroll.seals.get()?, std::slice::from_ref(&seal));
        assert_eq!(ScrollSeal::find((scroll.id, name)).one(db).await?.scroll_id, scroll.id);
        assert_eq!(links.of(&scroll).unlink([&seal], db).await?, 1);
        scroll.delete(db).await?;
        seal.delete(db).await
    }

    /// A text with a NUL, where there is none.
    pub(super) async fn refuses(&self, text: &str) -> Result<()> {
        let db = self.db;
        let mut row = self.home.clone();
        let many = Scroll::insert_many([Scroll::create().text("a"), Scroll::create().text(text)]);
        let update = row.update().set(Scroll::text, text).exec(db).await;
        let mut saved = self.home.clone();
        text.clone_into(&mut saved.text);
        for result in [
            Scroll::create().text(text).exec(db).await.map(drop),
            many.exec(db).await.map(drop),
            update,
            saved.save(db).await,
            this(&row).update().set(Scroll::text, text).exec(db).await.map(drop),
            Scroll::query().filter(Scroll::text.eq(text)).count(db).await.map(drop),
            Scroll::query().filter(Scroll::text.contains(text)).count(db).await.map(drop),
            Scroll::query().filter(Scroll::text.starts_with(text)).count(db).await.map(drop),
            Scroll::query().filter(Scroll::text.like(text)).count(db).await.map(drop),
        ] {
            let error = result.unwrap_err();
            let found = (error.kind(), error.model(), error.field());
            assert_eq!(found, (ErrorKind::InvalidInput, Some("Scroll"), Some("text")), "{error}");
        }
        assert_eq!(Scroll::query().all(db).await?, std::slice::from_ref(&self.home));
        Ok(())
    }
}

const PATHS: usize = 8;

fn row_id(row: &Scroll) -> i64 {
    row.id
}

fn this(row: &Scroll) -> covet_orm::query::Query<Scroll> {
    Scroll::query().filter(Scroll::id.eq(row.id))
}

fn rows_but(id: i64) -> covet_orm::query::Query<Scroll> {
    Scroll::query().filter(Scroll::id.ne(id))
}

/// Byte for byte, and said briefly if not.
#[track_caller]
fn same<'t>(wanted: &[String], found: impl IntoIterator<Item = &'t String>) {
    let mut count = 0;
    for (found, wanted) in found.into_iter().zip(wanted) {
        assert!(found.as_bytes() == wanted.as_bytes(), "{found:?} and not {wanted:?}");
        count += 1;
    }
    assert_eq!(count, wanted.len());
}
