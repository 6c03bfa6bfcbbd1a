use covet_orm::prelude::*;

pub struct Author;

#[derive(Model)]
pub struct Book {
    #[covet(key)]
    pub id: i64,
    pub author_id: i64,
    pub author: BelongsTo<Author>,
}

fn main() {}
