//! Names of constraints that no database keeps, or of nothing.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Alone {
    #[covet(key)]
    pub id: i64,
    #[covet(constraint = "a")]
    pub age: i64,
}

#[derive(Model)]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Self, constraint = "")]
    pub age: i64,
}

#[derive(Model)]
pub struct Long {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Self, constraint = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    pub age: i64,
}

#[derive(Model)]
#[covet(index(age, name = ""))]
pub struct Index {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(check(sql("age > 0"), name = ""))]
pub struct Check {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(age, name = old))]
pub struct Word {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

fn main() {}
