//! Generated columns that are something else as well.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    #[covet(generated = "")]
    pub age: Option<i32>,
}

#[derive(Model)]
pub struct Both {
    #[covet(key)]
    pub id: i64,
    #[covet(generated = "1", generated_virtual = "2")]
    pub age: Option<i32>,
}

#[derive(Model)]
pub struct Default {
    #[covet(key)]
    pub id: i64,
    #[covet(generated = "1", default = 2)]
    pub age: i32,
}

#[derive(Model)]
pub struct Version {
    #[covet(key)]
    pub id: i64,
    #[covet(version, generated = "1")]
    pub age: i32,
}

#[derive(Model)]
pub struct Key {
    #[covet(key, generated = "1")]
    pub id: i64,
}

#[derive(Model)]
#[covet(generated = "1")]
pub struct Struct {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

fn main() {}
