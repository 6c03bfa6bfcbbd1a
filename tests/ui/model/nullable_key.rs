//! A key that may be NULL.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: Option<i64>,
}

fn main() {}
