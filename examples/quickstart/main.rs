//! The main job of Covet in one program: `cargo run --example quickstart [URL]`.
//!
//! Without a URL it runs on an SQLite file of its own; with `postgres://…` or `mysql://…` the same
//! program does the same there. Each step prints what it found, the SQL that ran, and how long it took.

mod models;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, Error, ErrorKind, Event, Result};
use futures_util::TryStreamExt as _;

use crate::models::{Post, PostTag, Role, Tag, User};

#[tokio::main]
async fn main() -> Result<()> {
    covet_orm::tool!(); // lets `cargo covet` see the models

    let folder = std::env::temp_dir().join(format!("covet-quickstart-{}", std::process::id()));
    let url = match std::env::args().nth(1) {
        Some(url) => url,
        None => {
            std::fs::create_dir_all(&folder)
                .map_err(|error| Error::new(ErrorKind::Io, "no folder for the database").with_source(error))?;
            format!("sqlite://{}", folder.join("blog.db").display())
        }
    };
    let options =
        DbOptions::new().observe(|event: &Event<'_>| println!("      {:>9.1?}  {}", event.duration, event.sql));
    let db = Db::connect_with(&url, options).await?;
    eprintln!("connected to {} {}", db.server().product, db.server().version);

    let result = run(&db).await;
    db.close();
    // The folder exists only when the database is ours.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

async fn run(db: &Db) -> Result<()> {
    step("Apply the migrations that `cargo covet migrate make` wrote from the models");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/quickstart/migrations");
    for migration in covet_orm::migrate::Migrator::from_dir(folder)?.up(db).await?.done {
        println!("  applied {}", migration.id);
    }

    step("Start empty");
    User::query().delete().exec(db).await?;
    Tag::query().delete().exec(db).await?;

    step("Create users, posts and tags");
    let ann = User::create().email("ann@example.org").name("Ann").role(Role::Editor).exec(db).await?;
    let bob = User::create().email("bob@example.org").active(false).exec(db).await?;
    println!("  {} is {:?}, {} is {:?}", ann.email, ann.role, bob.email, bob.role);
    let posts = Post::insert_many([
        Post::create().author_id(ann.id).title("Hello").published(true).views(3),
        Post::create().author_id(ann.id).title("100% Rust").published(true),
        Post::create().author_id(bob.id).title("From Bob").published(true),
        Post::create().author_id(ann.id).title("Draft"),
    ])
    .returning(db)
    .await?;
    let rust = Tag::create().name("rust").exec(db).await?;
    let orm = Tag::create().name("orm").exec(db).await?;

    step("Link posts with tags");
    let linked =
        Post::tags.of(&posts[0]).link([&rust, &orm], db).await? + Post::tags.of(&posts[1]).link([&rust], db).await?;
    println!("  {linked} links");

    step("Query with typed filters, through a relation, with related rows");
    let found = Post::query()
        .filter(Post::published.eq(true) & Post::author.at(User::active).eq(true))
        .include(Post::author)
        .include(Post::tags)
        .order_by(Post::title.asc())
        .all(db)
        .await?;
    for post in &found {
        let tags: Vec<&str> = post.tags.get()?.iter().map(|tag| tag.name.as_str()).collect();
        println!("  {:10} by {:4} tagged {tags:?}", post.title, post.author.get()?.name.as_deref().unwrap_or("?"));
    }

    step("Text in a pattern means itself");
    let percent = Post::query().filter(Post::title.contains("0%")).select((Post::title, Post::views)).all(db).await?;
    println!("  {percent:?}");

    step("Load the posts of the users");
    let users = User::query().include(User::posts).order_by(User::email.asc()).all(db).await?;
    for user in &users {
        println!("  {} wrote {}", user.email, user.posts.get()?.len());
    }
    let unloaded = found[0].author.get()?.posts.get();
    println!("  what was not loaded says so: {}", unloaded.err().map(|error| error.to_string()).unwrap_or_default());

    step("A transaction with a savepoint that rolls back");
    let first = posts[0].id;
    db.transaction(async |tx| {
        Post::query().filter(Post::id.eq(first)).update().set(Post::views, Post::views + 1).exec(tx).await?;
        let undone = tx
            .transaction(async |savepoint| {
                Post::query().update().set(Post::views, 0).exec(savepoint).await?;
                User::create().email("ann@example.org").exec(savepoint).await // taken
            })
            .await;
        println!("  the savepoint says: {}", undone.err().map(|error| error.kind().name()).unwrap_or("nothing"));
        Ok(())
    })
    .await?;
    println!("  views are {}", Post::find(first).one(db).await?.views);

    step("Stream rows");
    let mut rows = Post::query().order_by(Post::title.asc()).stream(db);
    while let Some(post) = rows.try_next().await? {
        println!("  {} ({} views)", post.title, post.views);
    }
    drop(rows);

    step("Count what is left after deleting a user with everything of theirs");
    ann.delete(db).await?;
    println!(
        "  {} users, {} posts, {} links",
        User::query().count(db).await?,
        Post::query().count(db).await?,
        PostTag::query().count(db).await?
    );
    Ok(())
}

fn step(what: &str) {
    println!("\n{what}");
}
