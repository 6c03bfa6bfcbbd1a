//! Two fields that are one column.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub email: String,
    #[covet(column = "email")]
    pub address: String,
}

fn main() {}
