//! A many-to-many without the model between.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub friends: ManyToMany<User>,
}

fn main() {}
