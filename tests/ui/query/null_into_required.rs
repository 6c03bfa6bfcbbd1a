use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().update().set(Post::views, None);
}

fn main() {}
