//! Relations.

use std::sync::atomic::{AtomicU64, Ordering};

use covet_orm::prelude::*;
use covet_tests::models::{Email, Post, Tag, User};

use crate::cancellation::acts::{Scene, acts};

/// Two posts of one author, and two tags.
async fn related(scene: &Scene) -> covet_orm::Result<(Vec<Post>, Vec<Tag>)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let on = &scene.db;
    let author = User::create().email(Email(format!("{number}@x"))).exec(on).await?;
    let posts = (0..2).map(|n| Post::create().author_id(author.id).title(format!("{number} {n}")));
    let posts = Post::insert_many(posts).returning(on).await?;
    let tags = (0..2).map(|n| Tag::create().name(format!("{number} {n}")));
    Ok((posts, Tag::insert_many(tags).returning(on).await?))
}

acts! {
    include calls ["query/select.rs::all"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        related(&scene).await?;
        scene.line.start().await;
        Post::query().limit(2).include(Post::author).include(Post::tags).all(&scene.db).await.map(drop)
    }

    load calls ["relation/handle.rs::load"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let (mut posts, _) = related(&scene).await?;
        scene.line.start().await;
        Post::author.load(&mut posts[0], &scene.db).await
    }

    load_all calls ["relation/handle.rs::load_all"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let (mut posts, _) = related(&scene).await?;
        scene.line.start().await;
        Post::tags.load_all(&mut posts, &scene.db).await
    }

    linked calls ["relation/handle.rs::all"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let (posts, _) = related(&scene).await?;
        scene.line.start().await;
        Post::tags.of(&posts[0]).all(&scene.db).await.map(drop)
    }

    link calls ["relation/handle.rs::link"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let (posts, tags) = related(&scene).await?;
        scene.line.start().await;
        Post::tags.of(&posts[0]).link(&tags, &scene.db).await.map(drop)
    }

    unlink calls ["relation/handle.rs::unlink"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let (posts, tags) = related(&scene).await?;
        Post::tags.of(&posts[0]).link(&tags, &scene.db).await?;
        scene.line.start().await;
        Post::tags.of(&posts[0]).unlink(&tags, &scene.db).await.map(drop)
    }
}
