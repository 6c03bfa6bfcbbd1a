//! A default that does not fit a type that only rustc knows.

use covet_orm::prelude::*;

#[derive(DbNewtype, Clone)]
pub struct Points(i32);

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(default = true)]
    pub points: Points,
}

fn main() {}
