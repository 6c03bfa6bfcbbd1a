//! An optional belongs-to whose foreign key is never NULL.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub boss_id: i64,
    pub boss: BelongsTo<Option<User>>,
}

fn main() {}
