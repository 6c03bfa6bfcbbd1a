//! A newtype around two values.

use covet_orm::prelude::*;

#[derive(DbNewtype)]
pub struct Point(i32, i32);

fn main() {}
