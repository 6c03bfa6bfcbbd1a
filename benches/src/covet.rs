//! Covet's side, the same on every database.

use covet_orm::migrate::create_tables;
use covet_orm::prelude::*;
use covet_orm::{DbOptions, models};

use crate::case::{Side, in_tasks};
use crate::model::{Author, Person, Post, Written, rows};
use crate::{AUTHORS, CONNECTIONS, POSTS, ROWS, Result};

pub(crate) struct Covet(Db);

/// Creates the tables and the rows that are read.
pub(crate) async fn prepare(url: &str) -> Result<()> {
    let db = Db::connect(url).await?;
    create_tables(&db, &models![Person, Written, Author, Post]).await?;
    // Numbered here: a server that numbers many rows at once may leave numbers out.
    let people = rows(ROWS).into_iter().zip(1..).map(|(row, id)| {
        Person::create()
            .id(id)
            .name(row.name)
            .email(row.email)
            .age(row.age)
            .score(row.score)
            .active(row.active)
            .visits(row.visits)
            .note(row.note)
    });
    Person::insert_many(people).exec(&db).await?;
    for n in 0..AUTHORS {
        let author = Author::create().name(format!("Author {n}")).exec(&db).await?;
        let posts = (0..POSTS).map(|n| Post::create().author_id(author.id).title(format!("Title {n}")));
        Post::insert_many(posts).exec(&db).await?;
    }
    Ok(())
}

impl Covet {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        Ok(Covet(Db::connect_with(url, DbOptions::new().max_connections(CONNECTIONS)).await?))
    }
}

impl Side for Covet {
    async fn clear(&mut self) -> Result<()> {
        Written::query().delete().exec(&self.0).await?;
        Ok(())
    }

    async fn find(&mut self, id: i64) -> Result<Person> {
        Ok(Person::find(id).one(&self.0).await?)
    }

    async fn insert(&mut self, row: &Written) -> Result<Person> {
        let written = Written::create()
            .name(row.name.as_str())
            .email(row.email.as_str())
            .age(row.age)
            .score(row.score)
            .active(row.active)
            .visits(row.visits)
            .note(row.note.clone())
            .exec(&self.0)
            .await?;
        Ok(written.into())
    }

    async fn insert_many(&mut self, rows: &[Written]) -> Result<()> {
        Written::insert_all(rows).exec(&self.0).await?;
        Ok(())
    }

    async fn scan(&mut self) -> Result<Vec<Person>> {
        Ok(Person::query().all(&self.0).await?)
    }

    async fn eager(&mut self) -> Result<usize> {
        let authors = Author::query().include(Author::posts).all(&self.0).await?;
        let mut posts = 0;
        for author in &authors {
            posts += author.posts.get()?.len();
        }
        Ok(posts)
    }

    async fn cycle(&mut self) -> Result<()> {
        drop(self.0.acquire().await?);
        Ok(())
    }

    async fn fill(&mut self) -> Result<()> {
        let mut leases = Vec::new();
        for _ in 0..CONNECTIONS {
            leases.push(self.0.acquire().await?);
        }
        Ok(())
    }

    async fn contend(&mut self, times: usize) -> Result<()> {
        in_tasks(times, |times| {
            let db = self.0.clone();
            async move {
                for _ in 0..times {
                    let lease = db.acquire().await?;
                    tokio::task::yield_now().await;
                    drop(lease);
                }
                Ok(())
            }
        })
        .await
    }
}
