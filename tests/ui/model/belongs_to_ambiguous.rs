//! A belongs-to with two foreign keys to choose from.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub first_id: i64,
    #[covet(references = User)]
    pub second_id: i64,
    pub boss: BelongsTo<User>,
}

fn main() {}
