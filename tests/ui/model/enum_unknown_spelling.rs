//! A spelling of labels that is not known.

use covet_orm::prelude::*;

#[derive(DbEnum)]
#[covet(rename_all = "kebab")]
pub enum Role {
    Reader,
}

fn main() {}
