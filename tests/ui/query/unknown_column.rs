use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().filter(Post::titel.eq("x"));
}

fn main() {}
