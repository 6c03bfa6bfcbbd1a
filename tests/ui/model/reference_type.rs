//! A foreign key of another type than the key.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub boss_id: String,
}

fn main() {}
