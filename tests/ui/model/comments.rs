//! Comments that say nothing, or stand where nothing keeps them.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    #[covet(comment = "")]
    pub age: i32,
}

#[derive(Model)]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    #[covet(comment = "a", comment = "b")]
    pub age: i32,
}

#[derive(Model)]
#[covet(comment)]
pub struct Bare {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(comment = "  ")]
pub struct Nothing {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
pub struct Relation {
    #[covet(key)]
    pub id: i64,
    #[covet(comment = "theirs")]
    pub all: HasMany<Relation>,
    #[covet(references = Self)]
    pub relation_id: i64,
}

fn main() {}
