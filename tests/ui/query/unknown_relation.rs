use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().include(Post::autor);
}

fn main() {}
