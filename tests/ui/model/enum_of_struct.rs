//! An enum that is a struct.

use covet_orm::prelude::*;

#[derive(DbEnum)]
pub struct Role;

fn main() {}
