//! The last revision: uniques go, the foreign key comes back, NULL is allowed, a time comes.

use chrono::{DateTime, Utc};
use covet_orm::prelude::*;
use covet_orm::{Db, Result};
use rust_decimal::Decimal;

pub(crate) use crate::revisions::r2::Role;
pub(crate) use crate::revisions::r4::Tag;

#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 80)]
    pub(crate) full_name: String,
    #[covet(max_len = 100)]
    pub(crate) email: Option<String>,
    pub(crate) rating: i64,
    pub(crate) bio: String,
    #[covet(default = Role::Admin)]
    pub(crate) role: Role,
    #[covet(max_len = 2, index)]
    pub(crate) country: Option<String>,
    pub(crate) visits: i32,
    #[covet(max_len = 60)]
    pub(crate) slug: Option<String>,
    #[covet(references = Author, on_delete = set_null)]
    pub(crate) mentor_id: Option<i64>,
    #[covet(default = now)]
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Book {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = Author, on_delete = cascade, index)]
    pub(crate) author_id: i64,
    #[covet(max_len = 100)]
    pub(crate) title: String,
    pub(crate) pages: i64,
    #[covet(decimal(12, 4))]
    pub(crate) price: Decimal,
    #[covet(default = false)]
    pub(crate) published: bool,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Opinion {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = Book, on_delete = cascade, index)]
    pub(crate) book_id: i64,
    pub(crate) stars: i16,
    pub(crate) text: String,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "book_tags")]
pub(crate) struct BookTag {
    #[covet(key, references = Book, on_delete = cascade)]
    pub(crate) book_id: i64,
    #[covet(key, references = Tag, on_delete = cascade, index)]
    pub(crate) tag_id: i64,
}

pub(crate) async fn fill(db: &Db) -> Result<()> {
    let author = Author::create().full_name("Hal").rating(2).bio("x").slug("hal").visits(1).role(Role::Reader);
    let author = author.exec(db).await?;
    let book = Book::create().author_id(author.id).title("H").pages(8).price(Decimal::TWO).exec(db).await?;
    Opinion::create().book_id(book.id).stars(1).text("H").exec(db).await?;
    Ok(())
}
