use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Tag::create().name("x").on_conflict(User::email);
}

fn main() {}
