//! A model that is an enum.

use covet_orm::prelude::*;

#[derive(Model)]
pub enum Role {
    Reader,
}

fn main() {}
