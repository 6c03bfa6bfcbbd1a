//! A greatest length of a type that only rustc knows.

use covet_orm::prelude::*;

#[derive(DbEnum, Clone)]
pub enum Role {
    Reader,
}

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len = 10)]
    pub role: Role,
}

fn main() {}
