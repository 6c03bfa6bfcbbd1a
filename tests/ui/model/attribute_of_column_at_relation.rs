//! An attribute of a column at a relation.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User)]
    pub boss_id: i64,
    #[covet(unique)]
    pub boss: BelongsTo<User>,
}

fn main() {}
