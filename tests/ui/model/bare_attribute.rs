//! An attribute without its parentheses.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet]
    pub email: String,
}

fn main() {}
