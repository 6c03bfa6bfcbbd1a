//! A belongs-to whose foreign key may be NULL.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub boss_id: Option<i64>,
    pub boss: BelongsTo<User>,
}

fn main() {}
