//! A model that is a union.

use covet_orm::prelude::*;

#[derive(Model)]
pub union Number {
    pub whole: i64,
    pub part: f64,
}

fn main() {}
