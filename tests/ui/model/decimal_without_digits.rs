//! A decimal without its number of digits.

use covet_orm::prelude::*;

use rust_decimal::Decimal;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    pub price: Decimal,
}

fn main() {}
