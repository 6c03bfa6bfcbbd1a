//! rusqlite, bare: called in place, statements cached, no pool.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params, params_from_iter};

use crate::Result;
use crate::case::Side;
use crate::model::{Person, Written};

pub(crate) struct Raw(Connection);

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

/// The rows of one statement of the bulk insert: more bring nothing.
const PIECE: usize = 50;

impl Raw {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        let connection = Connection::open(path.split('?').next().unwrap_or(path))?;
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Raw(connection))
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        age: row.get(3)?,
        score: row.get(4)?,
        active: row.get(5)?,
        visits: row.get(6)?,
        note: row.get(7)?,
    })
}

impl Side for Raw {
    async fn clear(&mut self) -> Result<()> {
        self.0.execute("DELETE FROM written", [])?;
        Ok(())
    }

    async fn find(&mut self, id: i64) -> Result<Person> {
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people WHERE id = ?";
        Ok(self.0.prepare_cached(sql)?.query_row([id], person)?)
    }

    async fn insert(&mut self, row: &Written) -> Result<Person> {
        let sql = "INSERT INTO written (name, email, age, score, active, visits, note) VALUES (?, ?, ?, ?, ?, ?, ?) \
                   RETURNING id, name, email, age, score, active, visits, note";
        let Written { name, email, age, score, active, visits, note, .. } = row;
        Ok(self.0.prepare_cached(sql)?.query_row(params![name, email, age, score, active, visits, note], person)?)
    }

    async fn insert_many(&mut self, rows: &[Written]) -> Result<()> {
        let one = "(?, ?, ?, ?, ?, ?, ?)";
        let transaction = self.0.transaction()?;
        for piece in rows.chunks(PIECE) {
            let values = vec![one; piece.len()].join(", ");
            let sql = format!("INSERT INTO written (name, email, age, score, active, visits, note) VALUES {values}");
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut at = 0;
            for row in piece {
                statement.raw_bind_parameter(at + 1, &row.name)?;
                statement.raw_bind_parameter(at + 2, &row.email)?;
                statement.raw_bind_parameter(at + 3, row.age)?;
                statement.raw_bind_parameter(at + 4, row.score)?;
                statement.raw_bind_parameter(at + 5, row.active)?;
                statement.raw_bind_parameter(at + 6, row.visits)?;
                statement.raw_bind_parameter(at + 7, &row.note)?;
                at += 7;
            }
            statement.raw_execute()?;
        }
        transaction.commit()?;
        Ok(())
    }

    async fn scan(&mut self) -> Result<Vec<Person>> {
        let sql = "SELECT id, name, email, age, score, active, visits, note FROM people";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut people = Vec::new();
        while let Some(row) = rows.next()? {
            people.push(person(row)?);
        }
        Ok(people)
    }

    async fn eager(&mut self) -> Result<usize> {
        let mut statement = self.0.prepare_cached("SELECT id, name FROM authors")?;
        let mut rows = statement.query([])?;
        let mut authors = Vec::new();
        while let Some(row) = rows.next()? {
            authors.push(Author { id: row.get(0)?, name: row.get(1)?, posts: Vec::new() });
        }
        let at: HashMap<i64, usize> = authors.iter().enumerate().map(|(at, author)| (author.id, at)).collect();
        let marks = vec!["?"; authors.len()].join(", ");
        let sql = format!("SELECT id, author_id, title FROM posts WHERE author_id IN ({marks})");
        let mut statement = self.0.prepare_cached(&sql)?;
        let ids: Vec<i64> = authors.iter().map(|author| author.id).collect();
        let mut rows = statement.query(params_from_iter(ids))?;
        while let Some(row) = rows.next()? {
            let post = Post { id: row.get(0)?, author_id: row.get(1)?, title: row.get(2)? };
            authors[at[&post.author_id]].posts.push(post);
        }
        Ok(authors
            .iter()
            .filter(|author| !author.name.is_empty())
            .map(|author| author.posts.iter().filter(|post| post.id > 0 && !post.title.is_empty()).count())
            .sum())
    }

    /// There is no pool: nothing to do.
    async fn cycle(&mut self) -> Result<()> {
        Ok(())
    }

    async fn fill(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nor here.
    async fn contend(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
}
