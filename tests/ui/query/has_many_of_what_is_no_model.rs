use covet_orm::prelude::*;

pub struct Book;

#[derive(Model)]
pub struct Author {
    #[covet(key)]
    pub id: i64,
    pub books: HasMany<Book>,
}

fn main() {}
