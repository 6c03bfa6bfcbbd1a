//! The sixth revision: a column and a table get other names, a default becomes the new label.

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
    #[covet(max_len = 100, unique)]
    pub(crate) email: Option<String>,
    pub(crate) rating: i64,
    pub(crate) bio: String,
    #[covet(default = Role::Admin)]
    pub(crate) role: Role,
    #[covet(max_len = 2, index)]
    pub(crate) country: Option<String>,
    #[covet(default = 1)]
    pub(crate) visits: i32,
    #[covet(max_len = 60)]
    pub(crate) slug: String,
    #[covet(references = Author, on_delete = set_null)]
    pub(crate) mentor_id: Option<i64>,
}

#[derive(Model, Clone, Debug)]
#[covet(unique(author_id, title))]
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
    let author = Author::create().full_name("Gil").rating(2).bio("x").slug("gil").exec(db).await?;
    assert!(matches!(author.role, Role::Admin));
    // The label must be gone before the way back to the first revision.
    Author::query().filter(Author::id.eq(author.id)).update().set(Author::role, Role::Editor).exec(db).await?;
    let book = Book::create().author_id(author.id).title("G").pages(7).price(Decimal::TWO).exec(db).await?;
    Opinion::create().book_id(book.id).stars(2).text("G").exec(db).await?;
    Ok(())
}
