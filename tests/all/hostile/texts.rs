//! Every SQL text that a database is sent, written down.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use covet_orm::{Db, DbOptions, Event};
use covet_tests::{Kind, TestDb};

/// A database that is watched.
pub(super) struct Watched {
    db: Db,
    kind: Kind,
}

impl Watched {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl Deref for Watched {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// The texts so far, each once.
#[derive(Clone, Default)]
pub(super) struct Texts(Arc<Mutex<BTreeSet<String>>>);

impl Texts {
    /// The same database, watched.
    pub(super) async fn watch(db: &TestDb) -> covet_orm::Result<(Watched, Texts)> {
        let texts = Texts::default();
        let theirs = texts.clone();
        let observer = move |event: &Event<'_>| {
            let mut texts = theirs.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !texts.contains(event.sql) {
                texts.insert(event.sql.to_owned());
            }
        };
        let options = DbOptions::new().max_connections(2).observe(observer);
        // Ten thousand commits need not outlive a power loss.
        let url = if db.kind() == Kind::Sqlite { format!("{}?synchronous=off", db.url()) } else { db.url().to_owned() };
        Ok((Watched { db: Db::connect_with(&url, options).await?, kind: db.kind() }, texts))
    }

    /// Gives them away, and begins anew.
    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// No text has come that was not known, and none has a mark.
    pub(super) fn are_among(&self, known: &BTreeSet<String>) {
        let texts = self.take();
        assert!(!texts.is_empty());
        for text in texts {
            assert!(!text.contains("mark"), "a value in a text: {text}");
            assert!(known.contains(&text), "a text that depends on a value: {text}");
        }
    }
}
