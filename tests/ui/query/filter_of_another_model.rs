use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().filter(User::active.eq(true));
}

fn main() {}
