//! Two variants with one label.

use covet_orm::prelude::*;

#[derive(DbEnum)]
pub enum Role {
    Reader,
    #[covet(rename = "reader")]
    Guest,
}

fn main() {}
