//! An attribute that is given twice.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(unique, max_len = 20, unique)]
    pub email: String,
}

fn main() {}
