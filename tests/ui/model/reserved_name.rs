//! A column that hides a function of the model.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Job {
    #[covet(key)]
    pub id: i64,
    pub query: String,
}

fn main() {}
