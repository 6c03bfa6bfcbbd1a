use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().order_by(Post::title);
}

fn main() {}
