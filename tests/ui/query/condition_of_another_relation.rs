use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().filter(Post::author.is(Tag::name.eq("x")));
}

fn main() {}
