//! A default of another enum.

use covet_orm::prelude::*;

#[derive(DbEnum, Clone)]
pub enum Role {
    Reader,
}

#[derive(DbEnum, Clone)]
pub enum Colour {
    Red,
}

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(default = Colour::Red)]
    pub role: Role,
}

fn main() {}
