//! A newtype around an `Option`.

use covet_orm::prelude::*;

#[derive(DbNewtype)]
pub struct Name(Option<String>);

fn main() {}
