//! A belongs-to without a foreign key.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub boss: BelongsTo<User>,
}

fn main() {}
