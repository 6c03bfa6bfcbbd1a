//! A model without field names.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User(i64);

fn main() {}
