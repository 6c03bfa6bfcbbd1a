//! An index over a misspelt column.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(unique(email, citty))]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub email: String,
    pub city: String,
}

fn main() {}
