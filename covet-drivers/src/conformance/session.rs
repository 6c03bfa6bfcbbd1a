//! A session as the cases use it: statements as trees, schemas as data.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::catalog::{Change, ColumnType, Schema};
use crate::conformance::bed::{Failure, left_out};
use crate::conformance::fixture;
use crate::contract::{Backend, Bulk, Command, Connection, Flow, Outcome, Reuse, Row, RowSink, RowSupply, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::render::print;
use crate::sql::Statement;
use crate::value::Value;

/// A connection and how its database writes.
#[derive(Debug)]
pub(crate) struct Session {
    backend: Arc<dyn Backend>,
    connection: Box<dyn Connection>,
}

/// What became of the steps of a change.
pub(crate) enum Applied {
    /// All have run.
    Done,
    /// The database says that it cannot do this.
    Unsupported,
    /// A guard found rows, or the database refused a step; everything that could be undone was.
    Refused(String),
}

impl Deref for Session {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        &*self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.connection
    }
}

impl Session {
    pub(crate) fn new(backend: Arc<dyn Backend>, connection: Box<dyn Connection>) -> Self {
        Session { backend, connection }
    }

    pub(crate) fn into_connection(self) -> Box<dyn Connection> {
        self.connection
    }

    /// The text of a statement that binds nothing.
    pub(crate) fn text_of(&self, statement: impl Into<Statement>) -> Result<String> {
        Ok(print(&statement.into(), self.backend.dialect())?.sql)
    }

    /// Runs a statement.
    pub(crate) async fn feed(
        &mut self,
        statement: impl Into<Statement> + Send,
        reuse: Reuse,
        rows: &mut dyn RowSink,
    ) -> Result<Outcome> {
        let statement = statement.into();
        let printed = print(&statement, self.backend.dialect())?;
        let values = printed.values()?;
        self.connection.run(Command { sql: &printed.sql, args: &values, reuse }, rows).await
    }

    /// Runs a statement whose rows nobody wants.
    pub(crate) async fn exec(&mut self, statement: impl Into<Statement> + Send) -> Result<Outcome> {
        self.feed(statement, Reuse::Keep, &mut ()).await
    }

    /// Inserts many rows.
    pub(crate) async fn insert_rows(&mut self, table: &'static str, rows: &mut dyn RowSupply) -> Result<u64> {
        let bulk = Bulk { table, dialect: self.backend.dialect() };
        self.connection.insert_many(bulk, rows).await
    }

    /// Runs a text as it is.
    pub(crate) async fn raw(&mut self, sql: &str, args: &[&Value]) -> Result<Outcome> {
        self.connection.run(Command { sql, args, reuse: Reuse::Once }, &mut ()).await
    }

    /// The rows of a statement, read as these types.
    pub(crate) async fn rows(
        &mut self,
        statement: impl Into<Statement> + Send,
        types: &[ColumnType],
    ) -> Result<Vec<Vec<Value>>> {
        let mut found = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            let values = types.iter().enumerate().map(|(index, ty)| Ok(row.value(index, ty)?.to_owned()));
            found.push(values.collect::<Result<Vec<Value>>>()?);
            Ok(Flow::Continue)
        };
        self.feed(statement, Reuse::Keep, &mut sink).await?;
        Ok(found)
    }

    /// The numbers in the first column; `None` for NULL.
    pub(crate) async fn numbers(&mut self, statement: impl Into<Statement> + Send) -> Result<Vec<Option<i64>>> {
        let mut found = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            found.push(row.get::<Option<i64>>(0, &ColumnType::I64)?);
            Ok(Flow::Continue)
        };
        self.feed(statement, Reuse::Keep, &mut sink).await?;
        Ok(found)
    }

    /// The texts in the first column.
    pub(crate) async fn texts(&mut self, statement: impl Into<Statement> + Send) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            found.push(row.get::<String>(0, &ColumnType::Text { max_len: None })?);
            Ok(Flow::Continue)
        };
        self.feed(statement, Reuse::Keep, &mut sink).await?;
        Ok(found)
    }

    /// The one number of the one row.
    pub(crate) async fn number(&mut self, statement: impl Into<Statement> + Send) -> Result<i64> {
        match self.numbers(statement).await?.as_slice() {
            [Some(number)] => Ok(*number),
            other => Err(Error::new(ErrorKind::Decode, format!("one number was wanted, {} rows came", other.len()))),
        }
    }

    /// How many rows a table has.
    pub(crate) async fn count(&mut self, table: &'static str) -> Result<i64> {
        self.number(fixture::count(table, None)).await
    }

    /// Asks for this number, as nobody else does: the answer shows whose answer it is.
    pub(crate) async fn echo(&mut self, number: i64) -> Result<i64> {
        self.number(fixture::echo(number)).await
    }

    /// Makes a whole schema, with the statements that its first migration would have.
    pub(crate) async fn make(&mut self, schema: &Schema) -> std::result::Result<(), Failure> {
        match self.try_make(schema).await? {
            Applied::Done => Ok(()),
            Applied::Unsupported => Err(Failure::new("the database refuses a schema that every database can hold")),
            Applied::Refused(why) => Err(Failure::new(why)),
        }
    }

    /// As [`make`](Session::make), for a schema that not every database can hold.
    pub(crate) async fn try_make(&mut self, schema: &Schema) -> std::result::Result<Applied, Failure> {
        self.apply(&fixture::creation(schema), &Schema::default(), schema).await
    }

    /// Drops a whole schema.
    pub(crate) async fn unmake(&mut self, schema: &Schema) -> std::result::Result<(), Failure> {
        match self.apply(&fixture::removal(schema), schema, &Schema::default()).await? {
            Applied::Done => Ok(()),
            Applied::Unsupported => Err(Failure::new("the database cannot drop what it made")),
            Applied::Refused(why) => Err(Failure::new(why)),
        }
    }

    /// Plans changes and runs them as a migration runner does.
    pub(crate) async fn apply(
        &mut self,
        changes: &[Change],
        before: &Schema,
        after: &Schema,
    ) -> std::result::Result<Applied, Failure> {
        let ddl = self.backend.ddl();
        let steps = match ddl.check(after).and_then(|()| ddl.plan(changes, before, after)) {
            Ok(steps) => steps,
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let words = error.to_string().to_lowercase();
                let product = self.server().product.to_lowercase();
                if !words.contains(&product) && !words.contains(self.backend.dialect().name()) {
                    return Err(Failure::new(format_args!("`Unsupported` that does not name the database: {error}")));
                }
                left_out(error);
                return Ok(Applied::Unsupported);
            }
            Err(error) => return Err(error.into()),
        };
        self.begin_migration().await?;
        for step in &steps {
            if let Err(why) = self.step(step).await {
                self.rollback_migration().await?;
                return Ok(Applied::Refused(format!("{why}\n  in: {}", step.sql)));
            }
        }
        match self.commit_migration().await {
            Ok(()) => Ok(Applied::Done),
            Err(error) => Ok(Applied::Refused(error.to_string())),
        }
    }

    async fn step(&mut self, step: &Step) -> std::result::Result<(), String> {
        let words = |error: Error| format!("{error:?}");
        if step.alone {
            self.commit_migration().await.map_err(words)?;
            self.script(&step.sql).await.map_err(words)?;
            return self.begin_migration().await.map_err(words);
        }
        if !step.guard {
            return self.script(&step.sql).await.map_err(words);
        }
        let mut found = 0;
        let mut sink = |row: &mut Row<'_>| {
            found = row.get::<i64>(0, &ColumnType::I64)?;
            Ok(Flow::Continue)
        };
        let command = Command { sql: &step.sql, args: &[], reuse: Reuse::Once };
        self.connection.run(command, &mut sink).await.map_err(words)?;
        if found > 0 { Err(format!("{found}: {}", step.note)) } else { Ok(()) }
    }

    /// The schema as the database tells it.
    pub(crate) async fn schema(&mut self) -> Result<Schema> {
        self.backend.introspect().read(&mut *self.connection, &[]).await
    }
}
