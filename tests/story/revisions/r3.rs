//! The third revision: types widen, NULL is forbidden, a default changes.

use covet_orm::prelude::*;
use covet_orm::{Db, Result};
use rust_decimal::Decimal;

pub(crate) use crate::revisions::r2::Role;

#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 80, index)]
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
    #[covet(max_len = 20)]
    pub(crate) isbn: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "shelves")]
pub(crate) struct Shelf {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(unique, max_len = 50)]
    pub(crate) name: String,
    #[covet(index)]
    pub(crate) floor: Option<i16>,
}

pub(crate) async fn fill(db: &Db) -> Result<()> {
    let author = Author::create().name("Di").rating(2).bio("").slug("di").exec(db).await?;
    assert_eq!(author.visits, 1);
    Book::create().author_id(author.id).title("D").pages(4).price(Decimal::TEN).exec(db).await?;
    Shelf::create().name("D").floor(3_i16).exec(db).await?;
    Ok(())
}
