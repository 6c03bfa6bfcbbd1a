//! The fourth revision: a column, an index and a unique go, a foreign key changes, tables come.

use covet_orm::prelude::*;
use covet_orm::{Db, Result};
use rust_decimal::Decimal;

pub(crate) use crate::revisions::r2::Role;

#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 80)]
    pub(crate) name: String,
    #[covet(max_len = 100)]
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
    #[covet(references = Shelf, on_delete = set_null, index)]
    pub(crate) shelf_id: Option<i64>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Review {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = Book, on_delete = restrict, on_update = cascade)]
    pub(crate) book_id: i64,
    pub(crate) stars: i16,
    pub(crate) text: String,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "shelves")]
pub(crate) struct Shelf {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 50)]
    pub(crate) name: String,
    #[covet(index)]
    pub(crate) floor: Option<i16>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Tag {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(unique, max_len = 50)]
    pub(crate) name: String,
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
    let shelf = Shelf::create().name("E").exec(db).await?;
    let author = Author::create().name("Ed").rating(2).bio("x").slug("ed").exec(db).await?;
    let book = Book::create().author_id(author.id).title("E").pages(5).price(Decimal::TEN).shelf_id(shelf.id);
    let book = book.exec(db).await?;
    Review::create().book_id(book.id).stars(4).text("E").exec(db).await?;
    for name in ["", "ä", "c"] {
        let tag = Tag::create().name(name).exec(db).await?;
        BookTag::create().book_id(book.id).tag_id(tag.id).exec(db).await?;
    }
    Ok(())
}
