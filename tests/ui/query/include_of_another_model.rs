use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().include(User::posts);
}

fn main() {}
