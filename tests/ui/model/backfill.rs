//! What rows cannot be filled with.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct Nullable {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = 1)]
    pub age: Option<i32>,
}

#[derive(Model)]
pub struct Text {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = "x")]
    pub age: i32,
}

#[derive(Model)]
pub struct Range {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = 300)]
    pub age: u8,
}

#[derive(Model)]
pub struct Long {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len = 2, backfill = "abc")]
    pub age: String,
}

#[derive(Model)]
pub struct Generated {
    #[covet(key)]
    pub id: i64,
    #[covet(generated = "1", backfill = 2)]
    pub age: i32,
}

#[derive(Model)]
pub struct Id {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = "x")]
    pub age: uuid::Uuid,
}

#[derive(Model)]
pub struct Made {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = uuid)]
    pub age: String,
}

#[derive(Model)]
pub struct Day {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = "2020-01-01")]
    pub age: chrono::NaiveDate,
}

#[derive(Model)]
pub struct Today {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = now)]
    pub age: chrono::NaiveDate,
}

#[derive(Model)]
pub struct Twice {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = 1, backfill = 2)]
    pub age: i32,
}

#[derive(Model)]
pub struct Sum {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = 1 + 1)]
    pub age: i32,
}

#[derive(Model)]
pub struct Bare {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill)]
    pub age: i32,
}

#[derive(Model)]
#[covet(backfill = 1)]
pub struct Struct {
    #[covet(key)]
    pub id: i64,
    pub age: i32,
}

#[derive(Model)]
pub struct Key {
    #[covet(key, backfill = 1)]
    pub id: i64,
}

#[derive(DbNewtype)]
pub struct Age(i32);

#[derive(Model)]
pub struct Newtype {
    #[covet(key)]
    pub id: i64,
    #[covet(backfill = "x")]
    pub age: Age,
}

fn main() {}
