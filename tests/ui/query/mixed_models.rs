use covet_tests::models::*;

fn f() {
    let _ = Post::published.eq(true) & User::active.eq(true);
}

fn main() {}
