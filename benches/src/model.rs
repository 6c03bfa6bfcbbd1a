//! The tables, as models, and the rows that are written.

use covet_orm::prelude::*;

/// A row of the scan and of the find.
#[derive(Clone, Debug, Model)]
#[covet(table = "people")]
pub(crate) struct Person {
    #[covet(key, auto)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i32,
    pub(crate) score: f64,
    pub(crate) active: bool,
    pub(crate) visits: i64,
    pub(crate) note: Option<String>,
}

/// A row of the inserts, in a table of its own that may grow.
#[derive(Clone, Debug, Model)]
#[covet(table = "written")]
pub(crate) struct Written {
    #[covet(key, auto)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i32,
    pub(crate) score: f64,
    pub(crate) active: bool,
    pub(crate) visits: i64,
    pub(crate) note: Option<String>,
}

impl From<Written> for Person {
    fn from(row: Written) -> Self {
        let Written { id, name, email, age, score, active, visits, note } = row;
        Person { id, name, email, age, score, active, visits, note }
    }
}

/// Who wrote the posts.
#[derive(Debug, Model)]
#[covet(table = "authors")]
pub(crate) struct Author {
    #[covet(key, auto)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) posts: HasMany<Post>,
}

/// What they wrote.
#[derive(Debug, Model)]
#[covet(table = "posts")]
pub(crate) struct Post {
    #[covet(key, auto)]
    pub(crate) id: i64,
    #[covet(references = Author, index)]
    pub(crate) author_id: i64,
    pub(crate) title: String,
    pub(crate) author: BelongsTo<Author>,
}

/// So many rows, every third without a note.
pub(crate) fn rows(count: usize) -> Vec<Written> {
    (0..count)
        .map(|n| Written {
            // The database numbers them.
            id: 0,
            name: format!("Person number {n}"),
            email: format!("person.{n}@example.org"),
            age: i32::try_from(n % 90).unwrap_or_default(),
            score: f64::from(u32::try_from(n).unwrap_or_default()) * 0.5,
            active: n % 2 == 0,
            visits: i64::try_from(n).unwrap_or_default() * 1000,
            note: (n % 3 != 0).then(|| format!("note of row {n}")),
        })
        .collect()
}
