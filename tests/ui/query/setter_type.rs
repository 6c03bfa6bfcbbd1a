use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::create().title(5);
}

fn main() {}
