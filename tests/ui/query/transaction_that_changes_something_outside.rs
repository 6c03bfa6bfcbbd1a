use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f(db: &Db) {
    let mut n = 0;
    let _ = db
        .transaction(async |tx| {
            n += 1;
            Post::query().count(tx).await
        })
        .await;
}

fn main() {}
