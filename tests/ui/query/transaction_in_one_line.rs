use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f(db: &Db, log: &mut Vec<u64>) {
    let _ = db.transaction(async |tx| Ok(log.push(Post::query().count(tx).await?))).await;
}

fn main() {}
