//! An attribute of the struct at a column.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(table = "users")]
    pub email: String,
}

fn main() {}
