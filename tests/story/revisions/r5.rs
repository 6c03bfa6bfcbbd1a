//! The fifth revision: a table goes, a foreign key goes, a unique and a foreign key to itself come.

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
    pub(crate) name: String,
    #[covet(max_len = 100, unique)]
    pub(crate) email: Option<String>,
    pub(crate) rating: i64,
    pub(crate) bio: String,
    #[covet(default = Role::Reader)]
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
pub(crate) struct Review {
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
    let mentor = Author::create().name("Fay").rating(2).bio("x").slug("fay").email("fay@x").exec(db).await?;
    let author = Author::create().name("Flo").rating(2).bio("x").slug("flo").mentor_id(mentor.id).exec(db).await?;
    let book = Book::create().author_id(author.id).title("F").pages(6).price(Decimal::TWO).exec(db).await?;
    Review::create().book_id(book.id).stars(3).text("F").exec(db).await?;
    Ok(())
}
