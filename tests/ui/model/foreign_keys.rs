//! Foreign keys of several columns that do not come out even.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(foreign_key())]
pub struct Nothing {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, b))]
pub struct Nowhere {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, b, references = Self(id)))]
pub struct Lengths {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, c, references = Self(id, a)))]
pub struct Unknown {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, references = Self(id), on_delte = cascade))]
pub struct Part {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, references = Self(id), on_delete = cascad))]
pub struct Action {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, references = Self(id), on_delete = set_null))]
pub struct Null {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
#[covet(foreign_key(a, references = Self(id), name = ""))]
pub struct Name {
    #[covet(key)]
    pub id: i64,
    pub a: i64,
    pub b: i64,
}

#[derive(Model)]
pub struct Column {
    #[covet(key)]
    pub id: i64,
    #[covet(foreign_key(age, references = Self(id)))]
    pub age: i64,
}

fn main() {}
