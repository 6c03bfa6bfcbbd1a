//! Checks that say nothing, are called alike, or are written otherwise.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    #[covet(check = "")]
    pub age: i32,
}

#[derive(Model)]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    #[covet(check = "age > 0", check = "age < 9")]
    pub age: i32,
}

#[derive(Model)]
pub struct Number {
    #[covet(key)]
    pub id: i64,
    #[covet(check = 3)]
    pub age: i32,
}

#[derive(Model)]
pub struct Misspelt {
    #[covet(key)]
    pub id: i64,
    #[covet(chek = "age > 0")]
    pub age: i32,
}

#[derive(Model)]
#[covet(check(sql("age > 0")))]
pub struct Nameless {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(check(sql("age > 0"), nam = "old"))]
pub struct Part {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(check(old = "age > 9", old = "age > 8"))]
pub struct Alike {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(check(age = "age > 1"))]
pub struct AsColumn {
    #[covet(key)]
    pub id: i64,
    #[covet(check = "age > 0")]
    pub age: i32,
}

fn main() {}
