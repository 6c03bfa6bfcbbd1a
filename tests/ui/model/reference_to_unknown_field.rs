//! A foreign key to a column that is not there.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User::emial)]
    pub boss: String,
    pub email: String,
}

fn main() {}
