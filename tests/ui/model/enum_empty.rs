//! An enum without variants.

use covet_orm::prelude::*;

#[derive(DbEnum)]
pub enum Role {}

fn main() {}
