use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Account::query().update().set(Account::balance, Account::balance * 2);
}

fn main() {}
