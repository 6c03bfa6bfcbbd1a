//! A text that the database shall number.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key, auto)]
    pub code: String,
}

fn main() {}
