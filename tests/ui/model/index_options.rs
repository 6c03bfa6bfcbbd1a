//! Options of indexes that are misspelt, twice there, or empty.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(index(age, wher = "age > 0"))]
pub struct Part {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(age, where = ""))]
pub struct Empty {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(age, where = "age > 0", where = "age > 1"))]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(age, include(nam)))]
pub struct Include {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
    pub name: String,
}

#[derive(Model)]
#[covet(index(age, using = ""))]
pub struct Method {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(desc(agee)))]
pub struct Descending {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(sql("age + 1")))]
pub struct Nameless {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(sql("age", "id"), name = "x"))]
pub struct Sql {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
#[covet(index(age, nulls_agree))]
pub struct Agree {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
pub struct Column {
    #[covet(key)]
    pub id: i64,
    #[covet(include(id))]
    pub age: i32,
}

fn main() {}
