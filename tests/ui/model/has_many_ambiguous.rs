//! A has-many that two columns of the other model could be.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub posts: HasMany<Post>,
}

#[derive(Model)]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub author_id: i64,
    #[covet(references = User)]
    pub editor_id: i64,
}

fn main() {}
