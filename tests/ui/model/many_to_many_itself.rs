//! A many-to-many with itself, without its columns.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub friends: ManyToMany<User, Friendship>,
}

#[derive(Model)]
pub struct Friendship {
    #[covet(key, references = User)]
    pub one_id: i64,
    #[covet(key, references = User)]
    pub other_id: i64,
}

fn main() {}
