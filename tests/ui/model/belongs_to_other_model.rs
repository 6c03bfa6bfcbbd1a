//! A belongs-to whose foreign key points elsewhere.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Team {
    #[covet(key)]
    pub id: i64,
}

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Team)]
    pub boss_id: i64,
    pub boss: BelongsTo<User>,
}

fn main() {}
