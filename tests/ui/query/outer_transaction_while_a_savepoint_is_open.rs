use covet_orm::prelude::*;
use covet_tests::models::*;

async fn f(tx: &mut Tx<'_>) -> covet_orm::Result<()> {
    let savepoint = tx.begin().await?;
    Post::query().count(tx).await?;
    savepoint.commit().await
}

fn main() {}
