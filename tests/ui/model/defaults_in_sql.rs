//! Defaults in SQL that are none.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    #[covet(default_sql = " ")]
    pub age: i32,
}

#[derive(Model)]
pub struct Both {
    #[covet(key)]
    pub id: i64,
    #[covet(default = 1, default_sql = "1")]
    pub age: i32,
}

#[derive(Model)]
pub struct Number {
    #[covet(key)]
    pub id: i64,
    #[covet(default_sql = 1)]
    pub age: i32,
}

#[derive(Model)]
pub struct Each {
    #[covet(key)]
    pub id: i64,
    #[covet(default_sql())]
    pub age: i32,
}

#[derive(Model)]
pub struct Misspelt {
    #[covet(key)]
    pub id: i64,
    #[covet(default_sq = "1")]
    pub age: i32,
}

#[derive(Model)]
#[covet(default_sql = "1")]
pub struct Struct {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

fn main() {}
