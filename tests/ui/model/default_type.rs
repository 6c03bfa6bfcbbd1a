//! A default of another type.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(default = true)]
    pub email: String,
}

fn main() {}
