//! A model with a parameter.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Page<T> {
    #[covet(key)]
    pub id: i64,
    pub body: T,
}

fn main() {}
