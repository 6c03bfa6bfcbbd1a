//! An attribute that is near no known one.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(primary)]
    pub email: String,
}

fn main() {}
