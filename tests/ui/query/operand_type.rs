use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().filter(Post::title.eq(5));
}

fn main() {}
