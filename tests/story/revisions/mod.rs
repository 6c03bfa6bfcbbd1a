//! A small library, in seven revisions: the models of each, what was decided, and what becomes of
//! the rows.

mod r1;
mod r2;
mod r3;
mod r4;
mod r5;
mod r6;
mod r7;

use std::pin::Pin;

use covet_orm::schema::Models;
use covet_orm::{Db, Result, models};

use crate::rows::Edit;

/// A revision of the project.
pub(crate) struct Revision {
    pub(crate) name: &'static str,
    pub(crate) models: Models,
    pub(crate) decisions: &'static [&'static str],
    /// What becomes of the rows that the revision before has left.
    pub(crate) edits: &'static [Edit],
    /// Rows, inserted by the models of the revision.
    pub(crate) fill: fn(&Db) -> Filling<'_>,
}

type Filling<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// All of them, the first first.
pub(crate) fn all() -> Vec<Revision> {
    vec![
        Revision {
            name: "r1",
            models: models![r1::Author, r1::Book, r1::Review, r1::Shelf],
            decisions: &[],
            edits: &[
                Edit::NewTable("authors"),
                Edit::NewTable("books"),
                Edit::NewTable("reviews"),
                Edit::NewTable("shelves"),
            ],
            fill: |db| Box::pin(r1::fill(db)),
        },
        Revision {
            name: "r2: columns, an index, a composite unique and a label come",
            models: models![r2::Author, r2::Book, r1::Review, r1::Shelf],
            decisions: &["backfill authors.slug with 'it''s \"unknown\" – ünbekannt'"],
            edits: &[
                Edit::AddColumn("authors", "country", None),
                Edit::AddColumn("authors", "visits", Some("0")),
                Edit::AddColumn("authors", "slug", Some("it's \"unknown\" – ünbekannt")),
            ],
            fill: |db| Box::pin(r2::fill(db)),
        },
        Revision {
            name: "r3: types widen, NULL is forbidden, a default changes",
            models: models![r3::Author, r3::Book, r1::Review, r3::Shelf],
            decisions: &["backfill authors.bio with 'nothing is known'"],
            edits: &[Edit::Fill("authors", "bio", "nothing is known"), Edit::AddColumn("shelves", "floor", None)],
            fill: |db| Box::pin(r3::fill(db)),
        },
        Revision {
            name: "r4: a column, an index and a unique go, a foreign key changes, tables come",
            models: models![r4::Author, r4::Book, r4::Review, r4::Shelf, r4::Tag, r4::BookTag],
            decisions: &["drop column books.isbn"],
            edits: &[
                Edit::DropColumn("books", "isbn"),
                Edit::AddColumn("books", "shelf_id", None),
                Edit::NewTable("tags"),
                Edit::NewTable("book_tags"),
            ],
            fill: |db| Box::pin(r4::fill(db)),
        },
        Revision {
            name: "r5: a table goes, a foreign key goes, a unique and a foreign key to itself come",
            models: models![r5::Author, r5::Book, r5::Review, r5::Tag, r5::BookTag],
            decisions: &["drop table shelves", "drop column books.shelf_id"],
            edits: &[
                Edit::DropTable("shelves"),
                Edit::DropColumn("books", "shelf_id"),
                Edit::AddColumn("authors", "mentor_id", None),
            ],
            fill: |db| Box::pin(r5::fill(db)),
        },
        Revision {
            name: "r6: a column and a table get other names, a default becomes the new label",
            models: models![r6::Author, r6::Book, r6::Opinion, r6::Tag, r6::BookTag],
            decisions: &["rename column authors.name to full_name", "rename table reviews to opinions"],
            edits: &[Edit::RenameColumn("authors", "name", "full_name"), Edit::RenameTable("reviews", "opinions")],
            fill: |db| Box::pin(r6::fill(db)),
        },
        Revision {
            name: "r7: uniques go, the foreign key comes back, NULL is allowed, a time comes",
            models: models![r7::Author, r7::Book, r7::Opinion, r7::Tag, r7::BookTag],
            decisions: &[],
            edits: &[Edit::AddNow("authors", "created_at")],
            fill: |db| Box::pin(r7::fill(db)),
        },
    ]
}
