//! A newtype with an attribute.

use covet_orm::prelude::*;

#[derive(DbNewtype)]
#[covet(name = "name")]
pub struct Name(String);

fn main() {}
