//! Writing and reading schemas.

use std::fmt;

use crate::catalog::{Change, Column, Schema};
use crate::contract::{BoxFuture, Connection, Offline};
use crate::error::Result;

/// How a database writes changes of a schema.
pub trait Ddl: fmt::Debug + Send + Sync {
    /// The statements that make the changes, in the order in which they run. The changes arrive in
    /// a safe order (foreign keys and indexes go before what they stand on and come after it); an
    /// adapter may gather the changes of one table into one step (SQLite: one rebuild).
    ///
    /// `before` and `after` are the whole schemas. Every statement that could meet rows which do not
    /// fit is preceded by a guard step, where the database would not refuse by itself.
    ///
    /// # Errors
    /// `Unsupported`, naming construct and database, for what it cannot do or cannot do without
    /// losing data. Nothing is left out in silence.
    fn plan(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>>;

    /// As [`plan`](Ddl::plan), so that others read and write while it runs: indexes are built and constraints checked
    /// without a lock that lasts, each statement by itself, and what cannot be made so is refused. A database that
    /// [has nothing of the kind](Ddl::has_online) gives the same as there.
    ///
    /// # Errors
    /// As there, and `Unsupported` for what would keep others out for as long as the table is large.
    fn plan_online(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>>;

    /// Whether others can write while the schema changes.
    fn has_online(&self) -> bool;

    /// Whether the column becomes the other by writing every row anew, or by keeping others out for as long.
    fn rewrites(&self, before: &Column, after: &Column) -> bool;

    /// The end of a batch, and how many rows are in it: a `SELECT` of one row with the last of the next keys as a
    /// literal (NULL when no key is left) and the number of keys.
    ///
    /// The keys come in their order, behind the one of which `after` is the literal.
    fn next_batch(&self, batches: &Batches, after: Option<&str>, size: u32) -> String;

    /// Checks a schema for what the database could not hold as asked: a key on unbounded text, a
    /// foreign key action that it would drop …
    ///
    /// # Errors
    /// `Unsupported`, naming table, column and the way out.
    fn check(&self, schema: &Schema) -> Result<()>;

    /// The schema as the database tells it afterwards: without what it does not keep, and with the text of an
    /// expression that is meant for it. How the database spells expressions anew is not part of it, nor are objects
    /// beside the tables, whose texts no database gives back as they were.
    fn kept(&self, schema: &Schema) -> Schema;

    /// How to find out whether a statement has taken effect, from its text alone, whoever wrote it: for a run that
    /// was lost in it, where no transaction told. What is not understood for certain is
    /// [`Effect::Unknown`].
    fn effect(&self, sql: &str) -> Effect;

    /// What a statement leaves behind in its session, from its text alone.
    fn leaves(&self, sql: &str) -> Leaves;

    /// A `SELECT` of one number: above 0 when rows that the statement changes would not be rolled back with its
    /// transaction, because their table has none. `None` where every table has.
    fn stays(&self, sql: &str) -> Option<String>;

    /// A `SELECT` of one text: the schema in which a table is made whose name says none. `None` where there is only
    /// one.
    fn home(&self) -> Option<&'static str>;

    /// What a script needs that another program runs.
    fn offline(&self) -> Offline;
}

/// What a statement leaves behind in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing that a later statement could meet.
    Nothing,
    /// A setting: whoever goes on behind it in another session runs it again.
    Setting,
    /// What no other session can have: a variable with a value that was read at the time, a temporary table.
    State,
}

/// How to go on at a statement during which a run was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Running it a second time does no harm: it only reads, or does the same again.
    Again,
    /// The database can be asked.
    Probe {
        /// A `SELECT` of one number: 1 when the statement has taken effect, 0 when it has not.
        taken: String,
        /// What a failed attempt may leave behind.
        leftover: Option<Leftover>,
        /// Whether it may wait for locks as long as it likes, because it keeps nobody waiting meanwhile.
        patient: bool,
    },
    /// Only a person can find out.
    Unknown {
        /// Whether it takes effect as a whole or not at all, so that one that ended with an error has done nothing.
        atomic: bool,
    },
}

/// What a failed attempt of a statement leaves behind, and what takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// A `SELECT` of one number: above 0 when it is there.
    pub is_there: String,
    /// The statement that takes it away.
    pub remove: String,
}

impl Effect {
    /// A question that the database answers, and nothing else to see to.
    #[must_use]
    pub fn probe(taken: String) -> Self {
        Effect::Probe { taken, leftover: None, patient: false }
    }
}

/// One statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The SQL, without a closing semicolon.
    pub sql: String,
    /// Why it is there, for the comment above it; empty when the SQL says it.
    pub note: String,
    /// Whether it must run outside a transaction, on its own.
    pub alone: bool,
    /// A guard: a `SELECT` that counts the rows which do not fit. A count above 0 stops the
    /// migration before anything has changed; `note` says what was found.
    pub guard: bool,
    /// Whether it begins a transaction, and does not share the one of the statements before it.
    pub begins: bool,
    /// It changes rows batch by batch, each batch in a transaction of its own.
    pub batches: Option<Batches>,
    /// The table that the statement writes anew as a whole, as one migration knows it: what another migration, made
    /// side by side with it, does to that table would be lost.
    pub rebuilds: Option<String>,
    /// The name of a function of the program that runs here; `sql` is then the comment that names it, and no statement.
    pub rust: Option<String>,
}

/// How a statement goes through a table: by ranges of a key, in the order of the key.
///
/// The statement has [`RANGE`] behind its condition. Run as it stands it changes all rows at once; batch by batch,
/// the range of the keys takes the place of the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// The table, as it stands in SQL.
    pub table: String,
    /// The column that orders its rows, as it stands in SQL: the key, or the first of its columns.
    pub key: String,
    /// Rows of a batch; more where rows share the first column of the key.
    pub size: u32,
    /// Milliseconds between two batches, where it is said.
    pub pause: Option<u32>,
}

impl Batches {
    /// Rows of a batch, unless the file says otherwise.
    const SIZE: u32 = 1000;

    /// A statement that gives rows which have NULL in a column a value; table, key and column as they stand in SQL, and
    /// further conditions with `AND` before each.
    #[must_use]
    pub fn fill(table: String, key: String, column: &str, value: &str, conditions: &str) -> Step {
        let sql = format!("UPDATE {table} SET {column} = {value}\nWHERE {column} IS NULL{conditions} {RANGE}");
        Step { batches: Some(Batches { table, key, size: Self::SIZE, pause: None }), ..Step::new(sql) }
    }
}

/// Where the range of a batch goes in its statement.
pub const RANGE: &str = "/* covet:range */";

impl Step {
    /// A plain statement.
    pub fn new(sql: impl Into<String>) -> Self {
        Step {
            sql: sql.into(),
            note: String::new(),
            alone: false,
            guard: false,
            begins: false,
            batches: None,
            rebuilds: None,
            rust: None,
        }
    }

    /// A guard, and what it means when it finds rows.
    pub fn guard(sql: impl Into<String>, found: impl Into<String>) -> Self {
        Step {
            sql: sql.into(),
            note: found.into(),
            alone: false,
            guard: true,
            begins: false,
            batches: None,
            rebuilds: None,
            rust: None,
        }
    }
}

/// How to read the schema that a database has.
pub trait Introspect: fmt::Debug + Send + Sync {
    /// The schema of the connection's database, sorted, without Covet's own tables and without objects beside tables.
    ///
    /// A database in which tables are in schemas (PostgreSQL) tells of the one that is first in the search path, and of
    /// these; names in these say their schema, as [`Qualified`](crate::catalog::Qualified) writes them. One that is not
    /// there has no tables.
    ///
    /// # Errors
    /// `Unsupported` for schemas that the database cannot have; the database's.
    fn read<'a>(&'a self, connection: &'a mut dyn Connection, schemas: &'a [String]) -> BoxFuture<'a, Result<Schema>>;

    /// What the database has beside that schema, for which [`Schema`] has no word: views, triggers, other schemas …;
    /// and what its tables have that is not part of the answer of [`read`](Introspect::read). Sorted.
    ///
    /// # Errors
    /// As [`read`](Introspect::read).
    fn unmodelled<'a>(
        &'a self,
        connection: &'a mut dyn Connection,
        schemas: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Unmodelled>>>;
}

/// Something that a database has and for which a schema has no word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmodelled {
    /// The table that it belongs to.
    pub table: Option<String>,
    /// What it is: `view`, `trigger`, `collation` …
    pub kind: String,
    /// Its name, or that of the column.
    pub name: String,
    /// What else there is to say, in the words of the database; may be empty.
    pub detail: String,
    /// What stands behind its name in the statement that makes it, as in an [`Object`](crate::catalog::Object), where it
    /// is one: a view (without `AS`), trigger, function or extension that a text says wholly.
    pub definition: Option<String>,
}

impl Unmodelled {
    /// Something that belongs to a table.
    pub fn of(table: &str, kind: &str, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Unmodelled {
            table: Some(table.to_owned()),
            kind: kind.to_owned(),
            name: name.into(),
            detail: detail.into(),
            definition: None,
        }
    }
}

impl Unmodelled {
    /// Whether it is the same thing, whatever it is made of.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.table, &self.kind, &self.name) == (&other.table, &other.kind, &other.name)
    }
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// Refuses schemas, for a database that has none.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) fn refuse_schemas(schemas: &[String], database: &str, help: &'static str) -> Result<()> {
    match schemas.first() {
        None => Ok(()),
        Some(name) => {
            let what = format_args!("the schema {name}");
            Err(crate::error::Error::unsupported(what, database).with_help(help))
        }
    }
}

/// What a database without schemas tells, with the names of tables as [`Qualified`](crate::catalog::Qualified) writes them.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) fn written(mut found: Vec<Unmodelled>) -> Vec<Unmodelled> {
    for table in found.iter_mut().filter_map(|one| one.table.as_mut()) {
        *table = crate::catalog::Qualified::text(None, table);
    }
    found
}

/// Tables that belong to Covet itself and are no part of any model's schema.
pub const OWN_TABLES: &[&str] = &["_covet_migrations", "_covet_commits", "_covet_decisions", "_covet_branches"];
