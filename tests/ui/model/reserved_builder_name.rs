//! A column that hides a function of the builder.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Job {
    #[covet(key)]
    pub id: i64,
    pub exec: String,
}

fn main() {}
