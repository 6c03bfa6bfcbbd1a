use covet_tests::models::*;

fn f() {
    let _ = Tag::find_by_name(5);
}

fn main() {}
