//! The second revision: columns, an index, a composite unique and a label come.

use covet_orm::prelude::*;
use covet_orm::{Db, Result};
use rust_decimal::Decimal;

#[derive(DbEnum, Clone, Copy, Debug)]
pub(crate) enum Role {
    Reader,
    Editor,
    Admin,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 40, index)]
    pub(crate) name: String,
    #[covet(max_len = 100)]
    pub(crate) email: Option<String>,
    pub(crate) rating: i32,
    pub(crate) bio: Option<String>,
    #[covet(default = Role::Reader)]
    pub(crate) role: Role,
    #[covet(max_len = 2, index)]
    pub(crate) country: Option<String>,
    #[covet(default = 0)]
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
    pub(crate) pages: i32,
    #[covet(decimal(10, 2))]
    pub(crate) price: Decimal,
    #[covet(default = false)]
    pub(crate) published: bool,
    #[covet(max_len = 20)]
    pub(crate) isbn: Option<String>,
}

pub(crate) async fn fill(db: &Db) -> Result<()> {
    let author = Author::create().name("Cy").rating(1).country("DE").slug("cy").role(Role::Editor).exec(db).await?;
    assert_eq!(author.visits, 0);
    Book::create().author_id(author.id).title("C").pages(3).price(Decimal::ONE).exec(db).await?;
    Ok(())
}
