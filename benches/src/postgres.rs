//! tokio-postgres under deadpool, with cached statements.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{NoTls, Row};

use crate::case::{Side, in_tasks};
use crate::model::{Person, Written};
use crate::{CONNECTIONS, Result};

pub(crate) struct Raw {
    pool: Pool,
    /// With the deadlines that Covet's pool has.
    timed: Pool,
}

struct Author {
    id: i64,
    name: String,
    posts: Vec<Post>,
}

struct Post {
    id: i64,
    author_id: i64,
    title: String,
}

impl Raw {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let config: tokio_postgres::Config = url.parse()?;
        let pool = || {
            let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            Pool::builder(Manager::from_config(config.clone(), NoTls, recycling)).max_size(CONNECTIONS)
        };
        let timed = pool()
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(30)))
            .create_timeout(Some(Duration::from_secs(30)))
            .recycle_timeout(Some(Duration::from_secs(5)));
        Ok(Raw { pool: pool().build()?, timed: timed.build()? })
    }
}

fn person(row: &Row) -> Result<Person> {
    Ok(Person {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        age: row.try_get(3)?,
        score: row.try_get(4)?,
        active: row.try_get(5)?,
        visits: row.try_get(6)?,
        note: row.try_get(7)?,
    })
}

const COPY: &str = "COPY written (name, email, age, score, active, visits, note) FROM STDIN (FORMAT BINARY)";
const INSERT: &str = "INSERT INTO written (name, email, age, score, active, visits, note) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, email, age, score, active, visits, note";

impl Side for Raw {
    async fn clear(&mut self) -> Result<()> {
        self.pool.get().await?.execute("DELETE FROM written", &[]).await?;
        Ok(())
    }

    async fn find(&mut self, id: i64) -> Result<Person> {
        let client = self.pool.get().await?;
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people WHERE id = $1";
        let statement = client.prepare_cached(sql).await?;
        person(&client.query_one(&statement, &[&id]).await?)
    }

    async fn insert(&mut self, row: &Written) -> Result<Person> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(INSERT).await?;
        let values: [&(dyn ToSql + Sync); 7] =
            [&row.name, &row.email, &row.age, &row.score, &row.active, &row.visits, &row.note];
        person(&client.query_one(&statement, &values).await?)
    }

    async fn insert_many(&mut self, rows: &[Written]) -> Result<()> {
        const TYPES: &[Type] = &[Type::TEXT, Type::TEXT, Type::INT4, Type::FLOAT8, Type::BOOL, Type::INT8, Type::TEXT];
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(COPY).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in(&statement).await?, TYPES));
        for row in rows {
            writer
                .as_mut()
                .write(&[&row.name, &row.email, &row.age, &row.score, &row.active, &row.visits, &row.note])
                .await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn scan(&mut self) -> Result<Vec<Person>> {
        let client = self.pool.get().await?;
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people";
        let statement = client.prepare_cached(sql).await?;
        let none: [&(dyn ToSql + Sync); 0] = [];
        let mut stream = pin!(client.query_raw(&statement, none).await?);
        let mut people = Vec::new();
        while let Some(row) = stream.try_next().await? {
            people.push(person(&row)?);
        }
        Ok(people)
    }

    async fn eager(&mut self) -> Result<usize> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached("SELECT id, name FROM authors").await?;
        let mut authors = Vec::new();
        for row in client.query(&statement, &[]).await? {
            authors.push(Author { id: row.try_get(0)?, name: row.try_get(1)?, posts: Vec::new() });
        }
        let ids: Vec<i64> = authors.iter().map(|author| author.id).collect();
        let at: HashMap<i64, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let sql = "SELECT id, author_id, title FROM posts WHERE author_id = ANY($1)";
        let statement = client.prepare_cached(sql).await?;
        for row in client.query(&statement, &[&ids]).await? {
            let post = Post { id: row.try_get(0)?, author_id: row.try_get(1)?, title: row.try_get(2)? };
            authors[at[&post.author_id]].posts.push(post);
        }
        Ok(authors
            .iter()
            .filter(|author| !author.name.is_empty())
            .map(|author| author.posts.iter().filter(|post| post.id > 0 && !post.title.is_empty()).count())
            .sum())
    }

    async fn cycle(&mut self) -> Result<()> {
        drop(self.timed.get().await?);
        Ok(())
    }

    async fn fill(&mut self) -> Result<()> {
        let mut leases = Vec::new();
        for _ in 0..CONNECTIONS {
            leases.push(self.timed.get().await?);
        }
        Ok(())
    }

    async fn contend(&mut self, times: usize) -> Result<()> {
        in_tasks(times, |times| {
            let pool = self.timed.clone();
            async move {
                for _ in 0..times {
                    let lease = pool.get().await?;
                    tokio::task::yield_now().await;
                    drop(lease);
                }
                Ok(())
            }
        })
        .await
    }
}
