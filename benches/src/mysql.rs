//! Bare connections of mysql_async under deadpool; the driver keeps statements prepared by their text.

use std::collections::HashMap;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Pool, RecycleError, RecycleResult};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row, TxOpts, Value};

use crate::case::{Side, in_tasks};
use crate::model::{Person, Written};
use crate::{CONNECTIONS, Result};

pub(crate) struct Raw {
    pool: Pool<Source>,
    /// With the deadlines that Covet's pool has.
    timed: Pool<Source>,
}

#[derive(Debug)]
struct Source(Opts);

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

impl managed::Manager for Source {
    type Type = Conn;
    type Error = mysql_async::Error;

    async fn create(&self) -> std::result::Result<Conn, mysql_async::Error> {
        Conn::new(self.0.clone()).await
    }

    async fn recycle(&self, wire: &mut Conn, _: &Metrics) -> RecycleResult<mysql_async::Error> {
        if wire.is_disconnected() { Err(RecycleError::message("the connection is gone")) } else { Ok(()) }
    }
}

impl Raw {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        // The driver refuses Covet's parameters.
        let url = url.split('?').next().unwrap_or(url);
        // On loopback the driver would leave TCP for the socket, and Covet does not.
        let options: Opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false).into();
        let pool = || Pool::builder(Source(options.clone())).max_size(CONNECTIONS);
        let timed = pool()
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(30)))
            .create_timeout(Some(Duration::from_secs(30)))
            .recycle_timeout(Some(Duration::from_secs(5)));
        Ok(Raw { pool: pool().build()?, timed: timed.build()? })
    }
}

fn take<T: mysql_async::prelude::FromValue>(row: &mut Row, at: usize) -> Result<T> {
    row.take_opt::<T, _>(at).ok_or("no such column")?.map_err(|_| "not of the type".into())
}

fn person(mut row: Row) -> Result<Person> {
    Ok(Person {
        id: take(&mut row, 0)?,
        name: take(&mut row, 1)?,
        email: take(&mut row, 2)?,
        age: take(&mut row, 3)?,
        score: take(&mut row, 4)?,
        active: take(&mut row, 5)?,
        visits: take(&mut row, 6)?,
        note: take(&mut row, 7)?,
    })
}

/// The values of a row, in the order of the columns.
fn bound(row: &Written) -> (&str, &str, i32, f64, bool, i64, Option<&str>) {
    (&row.name, &row.email, row.age, row.score, row.active, row.visits, row.note.as_deref())
}

const INSERT: &str = "INSERT INTO written (name, email, age, score, active, visits, note) VALUES (?, ?, ?, ?, ?, ?, ?)";

impl Side for Raw {
    async fn clear(&mut self) -> Result<()> {
        self.pool.get().await?.query_drop("DELETE FROM written").await?;
        Ok(())
    }

    async fn find(&mut self, id: i64) -> Result<Person> {
        let mut wire = self.pool.get().await?;
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people WHERE id = ?";
        person(wire.exec_first::<Row, _, _>(sql, (id,)).await?.ok_or("no row")?)
    }

    async fn insert(&mut self, row: &Written) -> Result<Person> {
        let mut wire = self.pool.get().await?;
        let sql = "INSERT INTO written (name, email, age, score, active, visits, note) VALUES (?, ?, ?, ?, ?, ?, ?) \
                   RETURNING id, name, email, age, score, active, visits, note";
        person(wire.exec_first::<Row, _, _>(sql, bound(row)).await?.ok_or("no row")?)
    }

    async fn insert_many(&mut self, rows: &[Written]) -> Result<()> {
        let mut wire = self.pool.get().await?;
        let mut transaction = wire.start_transaction(TxOpts::default()).await?;
        transaction.exec_batch(INSERT, rows.iter().map(bound)).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn scan(&mut self) -> Result<Vec<Person>> {
        let mut wire = self.pool.get().await?;
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people";
        let mut result = wire.exec_iter(sql, ()).await?;
        let mut people = Vec::new();
        while let Some(row) = result.next().await? {
            people.push(person(row)?);
        }
        Ok(people)
    }

    async fn eager(&mut self) -> Result<usize> {
        let mut wire = self.pool.get().await?;
        let mut authors = Vec::new();
        for mut row in wire.exec::<Row, _, _>("SELECT id, name FROM authors", ()).await? {
            authors.push(Author { id: take(&mut row, 0)?, name: take(&mut row, 1)?, posts: Vec::new() });
        }
        let at: HashMap<i64, usize> = authors.iter().enumerate().map(|(at, author)| (author.id, at)).collect();
        let ids: Vec<Value> = authors.iter().map(|author| Value::Int(author.id)).collect();
        let marks = vec!["?"; ids.len()].join(", ");
        let sql = format!("SELECT id, author_id, title FROM posts WHERE author_id IN ({marks})");
        for mut row in wire.exec::<Row, _, _>(sql, Params::Positional(ids)).await? {
            let post = Post { id: take(&mut row, 0)?, author_id: take(&mut row, 1)?, title: take(&mut row, 2)? };
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
