use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().update().set(Post::author_id, Post::editor_id);
}

fn main() {}
