//! Several mistakes at once: each is reported.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    pub id: i64,
    #[covet(uniqe)]
    pub email: String,
    #[covet(default = "x")]
    pub age: i32,
}

fn main() {}
