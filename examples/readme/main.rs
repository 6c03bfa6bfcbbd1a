//! The README's program, so that it is compiled.

use covet_orm::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(unique, max_len = 320)]
    pub email: String,
    #[covet(default = true)]
    pub active: bool,
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User, on_delete = cascade, index)]
    pub author_id: i64,
    pub title: String,
    pub author: BelongsTo<User>,
}

async fn demo() -> covet_orm::Result<()> {
    let db = Db::connect("sqlite://blog.db").await?; // or postgres://…, mysql://…
    let ann = User::create().email("ann@example.org").exec(&db).await?;
    // INSERT INTO "users" ("email") VALUES (?) RETURNING "id", "email", "active"
    let posts = Post::query()
        .filter(Post::title.contains("Rust") & Post::author.at(User::active).eq(true))
        .include(Post::author)
        .all(&db)
        .await?;
    // SELECT … FROM "posts" AS t0 WHERE t0."title" LIKE ? … AND EXISTS (SELECT 1 FROM "users" AS t1 WHERE …)
    db.transaction(async |tx| {
        Post::create().author_id(ann.id).title("Hello").exec(tx).await?;
        User::query().filter(User::id.eq(ann.id)).update().set(User::active, false).exec(tx).await
    })
    .await?;
    println!("{} posts", posts.len());
    Ok(())
}

#[tokio::main]
async fn main() -> covet_orm::Result<()> {
    let _ = demo; // compiled, not run: it would write a file here
    Ok(())
}
