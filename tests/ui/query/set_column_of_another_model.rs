use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().update().set(User::visits, 1);
}

fn main() {}
