//! A has-many that no column of the other model is about.

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
    pub author_id: i64,
}

fn main() {}
