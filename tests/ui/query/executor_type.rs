use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f() {
    let _ = Post::query().all("sqlite::memory:").await;
}

fn main() {}
