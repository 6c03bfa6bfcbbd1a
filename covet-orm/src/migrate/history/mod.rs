//! The history: a table of Covet's own in which every migration that was run has a row.

use std::fmt;
use std::str::FromStr;

use covet_drivers::catalog::{Change, Column, ColumnType, Schema, Table};
use covet_drivers::contract::{Command, Connection, Ddl, Flow, Reuse, Row, RowSink};
use covet_drivers::render::{Dialect, print};
use covet_drivers::sql::{Assignment, BinaryOp, Function, Insert, Many, Node, Select, Statement, Update};
use covet_drivers::value::{Value, ValueRef};
use covet_drivers::{Error, ErrorKind, Result};

/// The table.
pub(super) const TABLE: &str = "_covet_migrations";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

const fn short(most: u32) -> ColumnType {
    ColumnType::Text { max_len: Some(most) }
}

/// The columns: name, type, whether NULL is allowed.
const COLUMNS: &[(&str, ColumnType, bool)] = &[
    ("id", short(64), false),
    ("position", ColumnType::I32, false),
    ("name", short(100), false),
    ("up_checksum", short(80), false),
    ("down_sql", TEXT, false),
    ("state", short(16), false),
    ("steps_done", ColumnType::I32, false),
    ("steps_total", ColumnType::I32, false),
    ("step_hashes", TEXT, false),
    ("error", TEXT, true),
    ("started_at", ColumnType::Timestamp, false),
    ("finished_at", ColumnType::Timestamp, true),
    ("tool", short(40), false),
];

/// How far a migration is on a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It began and did not end: it runs now, or its runner was lost.
    Running,
    /// It is applied.
    Applied,
    /// A statement failed; what was done before it stays, and the next run goes on there.
    Failed,
    /// The way back began and did not end.
    Reverting,
    /// It was applied and undone.
    Reverted,
}

const STATES: &[(State, &str)] = &[
    (State::Running, "running"),
    (State::Applied, "applied"),
    (State::Failed, "failed"),
    (State::Reverting, "reverting"),
    (State::Reverted, "reverted"),
];

impl State {
    /// The state in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        STATES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("the history {TABLE} has a state `{text}`, which is not known"))
                .with_help("a newer version of Covet wrote it: use that version")
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A row of the history.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// Counts up in the order in which migrations were applied.
    pub(super) position: i32,
    pub(super) name: String,
    pub(super) up_checksum: String,
    /// The way back, so that a program without the files can go it.
    pub(super) down_sql: String,
    pub(super) state: State,
    /// Statements that are done, of the way that is under way.
    pub(super) steps_done: usize,
    pub(super) steps_total: usize,
    /// A short hash of each statement as it was when the run began.
    pub(super) step_hashes: Vec<String>,
    pub(super) error: Option<String>,
    /// Microseconds since 1970 in UTC.
    pub(super) finished_at: Option<i64>,
}

/// Every migration of a database's history, in their order: its id, and its state with its checksum.
pub(crate) async fn heads(
    connection: &mut dyn Connection,
    dialect: &'static dyn Dialect,
) -> Result<Vec<(String, String)>> {
    let entries = History::new(connection, dialect).read().await?;
    Ok(entries.into_iter().map(|entry| (entry.id, format!("{} {}", entry.state, entry.up_checksum))).collect())
}

/// The history of one database, through one connection.
pub(super) struct History<'c> {
    connection: &'c mut dyn Connection,
    dialect: &'static dyn Dialect,
}

impl<'c> History<'c> {
    pub(super) fn new(connection: &'c mut dyn Connection, dialect: &'static dyn Dialect) -> Self {
        History { connection, dialect }
    }

    /// Every row; none when there is no table yet. Needs no right to create one.
    pub(super) async fn read(&mut self) -> Result<Vec<Entry>> {
        match self.rows(None).await {
            Err(error) if error.kind() == ErrorKind::UndefinedTable => Ok(Vec::new()),
            other => other,
        }
    }

    /// The row of a migration; the table must exist.
    pub(super) async fn entry(&mut self, id: &str) -> Result<Option<Entry>> {
        Ok(self.rows(Some(is(id))).await?.pop())
    }

    /// Creates the table, if there is none.
    pub(super) async fn create(&mut self, ddl: &dyn Ddl) -> Result<()> {
        match self.rows(Some(is(""))).await {
            Err(error) if error.kind() == ErrorKind::UndefinedTable => {}
            other => return other.map(drop),
        }
        let table = Table {
            name: TABLE.to_owned(),
            primary_key: vec!["id".to_owned()],
            columns: COLUMNS
                .iter()
                .map(|(name, ty, nullable)| Column { nullable: *nullable, ..Column::new(*name, ty.clone()) })
                .collect(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
        };
        let after = Schema { tables: vec![table.clone()] };
        for step in ddl.plan(&[Change::CreateTable { table }], &Schema::default(), &after)? {
            match self.connection.script(&step.sql).await {
                // Where migration runners exclude each other only within transactions, another was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Writes the row of a migration, in place of the one that is there; it begins now, and ends now
    /// if it is applied.
    pub(super) async fn write(&mut self, entry: &Entry) -> Result<()> {
        let finished = if entry.state == State::Applied { now() } else { Node::Value(Value::Null) };
        let row = vec![
            text(&entry.id),
            Node::Value(Value::Int(entry.position.into())),
            text(&entry.name),
            text(&entry.up_checksum),
            text(&entry.down_sql),
            text(entry.state.name()),
            number(entry.steps_done)?,
            number(entry.steps_total)?,
            text(&entry.step_hashes.join("\n")),
            entry.error.as_deref().map_or(Node::Value(Value::Null), text),
            now(),
            finished,
            text(env!("CARGO_PKG_VERSION")),
        ];
        let names = COLUMNS.iter().map(|(name, ..)| *name);
        // One statement, so that a run that breaks off here loses no note of what it has done.
        let statement = if self.entry(&entry.id).await?.is_some() {
            let set = names.zip(row).map(|(column, value)| assign(column, value)).collect();
            Statement::from(Update { table: TABLE, set, filter: Some(is(&entry.id)), returning: Many::EMPTY })
        } else {
            let columns = names.collect();
            Statement::from(Insert { table: TABLE, columns, rows: vec![row], conflict: None, returning: Many::EMPTY })
        };
        self.run(statement).await
    }

    /// Notes how far a migration is; a state that is an end ends it now.
    pub(super) async fn note(&mut self, id: &str, state: State, done: usize, error: Option<&str>) -> Result<()> {
        let mut set = vec![
            assign("state", text(state.name())),
            assign("steps_done", number(done)?),
            assign("error", error.map_or(Node::Value(Value::Null), text)),
        ];
        if matches!(state, State::Applied | State::Reverted) {
            set.push(assign("finished_at", now()));
        }
        let update = Update { table: TABLE, set: set.into(), filter: Some(is(id)), returning: Many::EMPTY };
        self.run(Statement::from(update)).await
    }

    async fn rows(&mut self, filter: Option<Node>) -> Result<Vec<Entry>> {
        let columns: Many<Node> = COLUMNS.iter().map(|(name, ..)| Node::column(name)).collect();
        let select = Statement::from(Select { filter, ..Select::new(TABLE, columns) });
        let mut entries: Vec<Entry> = Vec::new();
        let mut take = |row: &mut Row<'_>| {
            entries.push(read_entry(row)?);
            Ok(Flow::Continue)
        };
        send(self.connection, self.dialect, &select, &mut take).await?;
        entries.sort_by_key(|entry| entry.position);
        Ok(entries)
    }

    async fn run(&mut self, statement: Statement) -> Result<()> {
        send(self.connection, self.dialect, &statement, &mut ()).await
    }
}

async fn send(
    connection: &mut dyn Connection,
    dialect: &'static dyn Dialect,
    statement: &Statement,
    rows: &mut dyn RowSink,
) -> Result<()> {
    let printed = print(statement, dialect)?;
    let values = printed.values()?;
    connection.run(Command { sql: &printed.sql, args: &values, reuse: Reuse::Once }, rows).await.map(drop)
}

fn is(id: &str) -> Node {
    Node::binary(BinaryOp::Eq, Node::column("id"), text(id))
}

fn assign(column: &'static str, value: Node) -> Assignment {
    Assignment { column, value }
}

fn text(text: &str) -> Node {
    Node::Value(Value::Text(text.to_owned()))
}

fn number(number: usize) -> Result<Node> {
    let number = i64::try_from(number)
        .map_err(|_| Error::new(ErrorKind::OutOfRange, "a migration has more statements than can be counted"))?;
    Ok(Node::Value(Value::Int(number)))
}

fn now() -> Node {
    Node::Call(Function::Now, Many::EMPTY)
}

fn read_entry(row: &mut Row<'_>) -> Result<Entry> {
    let cells = Cells(row);
    Ok(Entry {
        id: cells.text("id")?.unwrap_or_default(),
        position: i32::try_from(cells.number("position")?).unwrap_or(i32::MAX),
        name: cells.text("name")?.unwrap_or_default(),
        up_checksum: cells.text("up_checksum")?.unwrap_or_default(),
        down_sql: cells.text("down_sql")?.unwrap_or_default(),
        state: cells.text("state")?.unwrap_or_default().parse()?,
        steps_done: cells.number("steps_done")?,
        steps_total: cells.number("steps_total")?,
        step_hashes: cells.text("step_hashes")?.unwrap_or_default().lines().map(str::to_owned).collect(),
        error: cells.text("error")?,
        finished_at: cells.time("finished_at")?,
    })
}

/// The cells of a row, by the names of columns.
struct Cells<'r, 'a>(&'r Row<'a>);

impl Cells<'_, '_> {
    fn value(&self, name: &str) -> Result<ValueRef<'_>> {
        let found = COLUMNS.iter().enumerate().find(|(_, (column, ..))| *column == name);
        let (index, (_, ty, _)) = found.ok_or_else(|| wrong(name))?;
        self.0.value(index, ty)
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        match self.value(name)? {
            ValueRef::Text(text) => Ok(Some(text.to_owned())),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(name)),
        }
    }

    fn number(&self, name: &str) -> Result<usize> {
        match self.value(name)? {
            ValueRef::Int(number) => usize::try_from(number).map_err(|_| wrong(name)),
            ValueRef::UInt(number) => usize::try_from(number).map_err(|_| wrong(name)),
            _ => Err(wrong(name)),
        }
    }

    fn time(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            ValueRef::Timestamp(micros) => Ok(Some(micros)),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(name)),
        }
    }
}

fn wrong(column: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the column {column} of {TABLE} holds what Covet never wrote"))
        .with_table(TABLE)
        .with_column(column)
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::OWN_TABLES;

    #[test]
    fn the_table_is_one_of_covets_own() {
        assert!(OWN_TABLES.contains(&super::TABLE));
    }
}
