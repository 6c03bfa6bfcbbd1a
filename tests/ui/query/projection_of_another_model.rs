use covet_orm::prelude::*;
use covet_tests::models::*;

fn f() {
    let _ = Post::query().select((Post::title, User::email));
}

fn main() {}
