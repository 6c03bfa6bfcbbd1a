//! Two indexes over the same columns.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(index(email))]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(unique)]
    pub email: String,
}

fn main() {}
