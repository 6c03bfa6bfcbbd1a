use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f(db: Db) {
    let _ = Post::query().all(db).await;
}

fn main() {}
