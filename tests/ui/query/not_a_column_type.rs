//! A field whose type no column can have.

use covet_orm::prelude::*;

#[derive(Clone)]
pub struct Address;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub address: Address,
}

fn main() {}
