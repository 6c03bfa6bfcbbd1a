//! A misspelt action.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User, on_delete = casacde)]
    pub boss_id: i64,
}

fn main() {}
