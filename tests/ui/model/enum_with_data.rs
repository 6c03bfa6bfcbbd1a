//! An enum whose variant holds data.

use covet_orm::prelude::*;

#[derive(DbEnum)]
pub enum Role {
    Reader,
    Editor(i64),
}

fn main() {}
