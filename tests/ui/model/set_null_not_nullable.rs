//! `set_null` on a column that cannot be NULL.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User, on_delete = set_null)]
    pub boss_id: i64,
}

fn main() {}
