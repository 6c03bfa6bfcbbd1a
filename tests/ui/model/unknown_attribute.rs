//! A misspelt attribute.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(uniqe)]
    pub email: String,
}

fn main() {}
