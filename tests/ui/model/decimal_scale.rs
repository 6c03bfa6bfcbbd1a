//! More digits after the point than there are.

use covet_orm::prelude::*;

use rust_decimal::Decimal;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(decimal(4, 6))]
    pub price: Decimal,
}

fn main() {}
