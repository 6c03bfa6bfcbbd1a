//! Former names that are none.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(table = "people", renamed_from = "people")]
pub struct Same {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(renamed_from = "")]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(renamed_from = "a", renamed_from = "b")]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(renamed_from = people)]
pub struct Word {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(rename_from = "people")]
pub struct Misspelt {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
pub struct SameColumn {
    #[covet(key)]
    pub id: i64,
    #[covet(renamed_from = "age")]
    pub age: i32,
}

#[derive(Model)]
#[covet(comment = "two of one")]
pub struct Both {
    #[covet(key)]
    pub id: i64,
    #[covet(renamed_from = "years")]
    pub age: i32,
    #[covet(renamed_from = "years")]
    pub old: i32,
}

#[derive(Model)]
pub struct Relation {
    #[covet(key)]
    pub id: i64,
    #[covet(renamed_from = "many")]
    pub all: HasMany<Relation>,
    #[covet(references = Self)]
    pub relation_id: i64,
}

#[derive(DbEnum)]
pub enum Role {
    #[covet(renamed_from = "reader")]
    Reader,
    #[covet(renamed_from = "reader")]
    Guest,
    #[covet(renamed_from = "boss")]
    Owner,
    #[covet(renamed_from = "boss")]
    Chief,
}

#[derive(DbEnum)]
#[covet(renamed_from = "rank")]
pub enum Rank {
    First,
}

fn main() {}
