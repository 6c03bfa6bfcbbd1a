use covet_tests::models::*;

fn f() {
    let _ = Post::author.at(Tag::name);
}

fn main() {}
