//! A has-many by a column that the other model has not.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(by = autor_id)]
    pub posts: HasMany<Post>,
}

#[derive(Model)]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub author_id: i64,
}

fn main() {}
