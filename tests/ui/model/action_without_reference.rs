//! An action without what it is about.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(on_delete = cascade)]
    pub boss_id: i64,
}

fn main() {}
