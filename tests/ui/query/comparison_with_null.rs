use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().filter(Post::editor_id.eq(None));
}

fn main() {}
