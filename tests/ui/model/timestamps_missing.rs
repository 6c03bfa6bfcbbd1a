//! Timestamps without their fields.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(timestamps)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub email: String,
}

fn main() {}
