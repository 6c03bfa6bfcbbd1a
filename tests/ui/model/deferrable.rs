//! What is checked later without anything to check.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Alone {
    #[covet(key)]
    pub id: i64,
    #[covet(deferrable)]
    pub age: i64,
}

#[derive(Model)]
pub struct Value {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Self, deferrable = true)]
    pub age: i64,
}

#[derive(Model)]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Self, deferred, deferred)]
    pub age: i64,
}

#[derive(Model)]
pub struct Misspelt {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Self, deferable)]
    pub age: i64,
}

#[derive(Model)]
#[covet(deferrable)]
pub struct Struct {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

fn main() {}
