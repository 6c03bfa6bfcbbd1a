use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f(db: &Db) {
    let _ = Post::create().title("x").on_conflict(Post::id).update().exec(db).await;
}

fn main() {}
