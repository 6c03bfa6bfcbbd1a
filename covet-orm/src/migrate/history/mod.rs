//! The history: a table of Covet's own in which every migration that was run has a row.

mod entry;
mod progress;
mod rows;
mod table;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row, RowSink, Step};
use covet_drivers::render::print;
use covet_drivers::sql::{Assignment, BinaryOp, Delete, Function, Insert, Many, Node, Select, Statement, Update};
use covet_drivers::value::{Value, ValueRef};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;

use entry::Cells;
pub use entry::State;
pub(super) use entry::{Doubt, Entry};
pub(super) use progress::Progress;
pub(super) use rows::Rows;
use table::{FIELDS, Field, VERSION, VERSION_ID, VERSION_STATE, fields};

/// The table.
pub(super) const TABLE: &str = table::TABLE;

/// Every migration of a database's history, in their order: its id, and its state with its checksum.
pub(crate) async fn heads(connection: &mut dyn Connection, target: Target) -> Result<Vec<(String, String)>> {
    let home = home(connection, target).await?;
    let entries = History::new(connection, target, &home).read().await?;
    let entries = entries.into_iter().filter(|entry| entry.state != State::Replaced);
    Ok(entries.map(|entry| (entry.id, format!("{} {}", entry.state, entry.sums.up))).collect())
}

/// Where the history of a session is, as it stands before the name of its table: asked when the session begins, because
/// what a script sets of the session moves the history to no other place.
pub(super) async fn home(connection: &mut dyn Connection, target: Target) -> Result<String> {
    let Some(sql) = target.ddl.home() else { return Ok(String::new()) };
    let mut home = String::new();
    let mut take = |row: &mut Row<'_>| {
        if let ValueRef::Text(name) = row.value(0, &ColumnType::Text { max_len: None })? {
            target.dialect.identifier(name, &mut home);
            home.push('.');
        }
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(home)
}

/// How far a migration is, to be noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note<'n> {
    pub(super) state: State,
    /// Statements that are done.
    pub(super) done: usize,
    pub(super) error: Option<&'n str>,
    pub(super) statement: Option<&'n str>,
    pub(super) doubt: Option<Doubt>,
}

impl Note<'_> {
    /// So many are done, and nothing is in doubt.
    pub(super) fn done(state: State, done: usize) -> Self {
        Note { state, done, error: None, statement: None, doubt: None }
    }
}

/// The history of one database, through one connection.
pub(super) struct History<'c> {
    connection: &'c mut dyn Connection,
    target: Target,
    /// What stands before the name of the table.
    home: &'c str,
}

impl<'c> History<'c> {
    pub(super) fn new(connection: &'c mut dyn Connection, target: Target, home: &'c str) -> Self {
        History { connection, target, home }
    }

    /// Every row, without what only a run needs; none when there is no table yet. Needs no right to create one.
    pub(super) async fn read(&mut self) -> Result<Vec<Entry>> {
        let mut version = VERSION;
        loop {
            let listed: Vec<&'static Field> = fields(version).filter(|field| field.listed).collect();
            match self.rows(&listed, None).await {
                Err(error) if error.kind() == ErrorKind::UndefinedTable => return Ok(Vec::new()),
                Err(error) if error.kind() == ErrorKind::UndefinedColumn && version > 1 => version -= 1,
                other => return other,
            }
        }
    }

    /// The whole row of a migration; the table must exist, and be of this version.
    pub(super) async fn entry(&mut self, id: &str) -> Result<Option<Entry>> {
        let all: Vec<&'static Field> = FIELDS.iter().collect();
        Ok(self.rows(&all, Some(is(id))).await?.pop())
    }

    /// The way back that is kept of a migration.
    pub(super) async fn way_back(&mut self, id: &str) -> Result<String> {
        let mut sql = String::new();
        let columns: Many<Node> = [Node::column("down_sql")].into_iter().collect();
        let select = Statement::from(Select { filter: Some(is(id)), ..Select::new(TABLE, columns) });
        let mut take = |row: &mut Row<'_>| {
            sql = row.get(0, &ColumnType::Text { max_len: None })?;
            Ok(Flow::Continue)
        };
        self.send(&select, &mut take).await?;
        Ok(sql)
    }

    /// Creates the table, if there is none, and brings one of an earlier version up to date.
    pub(super) async fn create(&mut self) -> Result<()> {
        let ddl = self.target.ddl;
        let mut version = VERSION;
        loop {
            let known: Vec<&'static Field> = fields(version).collect();
            match self.version(&known).await {
                Ok(Some(VERSION)) => return Ok(()),
                Ok(_) if version == VERSION => break,
                Ok(_) => {
                    self.steps(&table::upgrade(ddl, version)?).await?;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::UndefinedTable => {
                    self.steps(&table::creation(ddl)?).await?;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::UndefinedColumn && version > 1 => version -= 1,
                Err(error) => return Err(error),
            }
        }
        self.write_version().await
    }

    async fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match self.connection.script(&self.placed(&step.sql)).await {
                // Where migration runners exclude each other only within transactions, another was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn write_version(&mut self) -> Result<()> {
        self.delete(VERSION_ID).await?;
        match self.insert(FIELDS.iter().map(version_cell).collect::<Result<_>>()?).await {
            // Another was faster.
            Err(error) if error.kind() == ErrorKind::Unique => Ok(()),
            other => other,
        }
    }

    /// Writes the row of a migration, in place of the one that is there. It begins now, and ends now if that is its
    /// state, unless the entry says when it did.
    pub(super) async fn write(&mut self, entry: &Entry) -> Result<()> {
        let row = FIELDS.iter().map(|field| cell(field, entry)).collect::<Result<Vec<Node>>>()?;
        // One statement, so that a run that breaks off here loses no note of what it has done.
        if self.entry(&entry.id).await?.is_none() {
            return self.insert(row).await;
        }
        let set = FIELDS.iter().zip(row).map(|(field, value)| assign(field.name, value)).collect();
        self.update(&entry.id, set).await
    }

    /// Notes how far a migration is; a state that is an end ends it now.
    pub(super) async fn note(&mut self, id: &str, note: Note<'_>) -> Result<()> {
        self.update(id, Self::noted(&note)?).await
    }

    /// The same, and how far its statement came that goes in batches; `None` when that has come to its end.
    pub(super) async fn walked(&mut self, id: &str, note: Note<'_>, progress: Option<&Progress>) -> Result<()> {
        let mut set = Self::noted(&note)?;
        set.push(assign("progress", maybe(progress.map(Progress::text).as_deref())));
        self.update(id, set).await
    }

    fn noted(note: &Note<'_>) -> Result<Vec<Assignment>> {
        let mut set = vec![
            assign("state", text(note.state.name())),
            assign("steps_done", number(note.done)?),
            assign("error", maybe(note.error)),
            assign("statement", maybe(note.statement)),
            assign("doubt", maybe(note.doubt.map(Doubt::name))),
        ];
        if !note.state.is_unfinished() {
            set.push(assign("finished_at", now()));
        }
        Ok(set)
    }

    /// Notes that an applied migration stands in the place of others, whether or not they were ever here.
    pub(super) async fn replace(&mut self, whole: &Entry, replaced: &[String]) -> Result<()> {
        for id in replaced {
            let known = self.entry(id).await?;
            let row = Entry {
                state: State::Replaced,
                replaced_by: Some(whole.id.clone()),
                error: None,
                statement: None,
                doubt: None,
                ..known.unwrap_or_else(|| Entry::unknown(id, whole.position))
            };
            self.write(&row).await?;
        }
        Ok(())
    }

    /// Notes that a migration which is undone takes those along in whose place it stood.
    pub(super) async fn release(&mut self, whole: &str) -> Result<()> {
        let set = vec![assign("state", text(State::Reverted.name())), assign("replaced_by", maybe(None))];
        let filter = Node::binary(BinaryOp::Eq, Node::column("replaced_by"), text(whole));
        let update = Update { table: TABLE, set: set.into(), filter: Some(filter), returning: Many::EMPTY };
        self.run(Statement::from(update)).await
    }

    async fn delete(&mut self, id: &str) -> Result<()> {
        self.run(Statement::from(Delete { table: TABLE, filter: Some(is(id)), returning: Many::EMPTY })).await
    }

    /// The version of a table that has these columns, where it says one.
    async fn version(&mut self, known: &[&'static Field]) -> Result<Option<usize>> {
        let mut version = None;
        let columns: Many<Node> = known.iter().map(|field| Node::column(field.name)).collect();
        let select = Statement::from(Select { filter: Some(is(VERSION_ID)), ..Select::new(TABLE, columns) });
        let mut take = |row: &mut Row<'_>| {
            version = Some(Cells::new(row, known).number("steps_done")?);
            Ok(Flow::Continue)
        };
        self.send(&select, &mut take).await?;
        match version {
            Some(version) if version > VERSION => Err(table::too_new(version)),
            version => Ok(version),
        }
    }

    async fn rows(&mut self, known: &[&'static Field], filter: Option<Node>) -> Result<Vec<Entry>> {
        let columns: Many<Node> = known.iter().map(|field| Node::column(field.name)).collect();
        let select = Statement::from(Select { filter, ..Select::new(TABLE, columns) });
        let mut entries: Vec<Entry> = Vec::new();
        let mut take = |row: &mut Row<'_>| {
            let cells = Cells::new(row, known);
            if cells.text("id")?.as_deref() != Some(VERSION_ID) {
                entries.push(cells.entry()?);
            } else if cells.number("steps_done")? > VERSION {
                return Err(table::too_new(cells.number("steps_done")?));
            }
            Ok(Flow::Continue)
        };
        self.send(&select, &mut take).await?;
        entries.sort_by_key(|entry| entry.position);
        Ok(entries)
    }

    async fn insert(&mut self, row: Vec<Node>) -> Result<()> {
        let columns = FIELDS.iter().map(|field| field.name).collect();
        let insert = Insert { table: TABLE, columns, rows: vec![row], conflict: None, returning: Many::EMPTY };
        self.run(Statement::from(insert)).await
    }

    async fn update(&mut self, id: &str, set: Vec<Assignment>) -> Result<()> {
        let update = Update { table: TABLE, set: set.into(), filter: Some(is(id)), returning: Many::EMPTY };
        self.run(Statement::from(update)).await
    }

    async fn run(&mut self, statement: Statement) -> Result<()> {
        self.send(&statement, &mut ()).await
    }

    async fn send(&mut self, statement: &Statement, rows: &mut dyn RowSink) -> Result<()> {
        let printed = print(statement, self.target.dialect)?;
        let values = printed.values()?;
        let sql = self.placed(&printed.sql);
        self.connection.run(Command { sql: &sql, args: &values, reuse: Reuse::Once }, rows).await.map(drop)
    }

    /// The statement, with the table where it is. Values are bound, so its quoted name stands for nothing else.
    fn placed(&self, sql: &str) -> String {
        let mut table = String::new();
        self.target.dialect.identifier(TABLE, &mut table);
        sql.replace(&table, &format!("{}{table}", self.home))
    }
}

/// What a column holds of the row that keeps the version.
fn version_cell(field: &Field) -> Result<Node> {
    Ok(match field.name {
        "id" => text(VERSION_ID),
        "state" => text(VERSION_STATE),
        "steps_done" => number(VERSION)?,
        "position" | "steps_total" => number(0)?,
        "name" | "up_checksum" | "down_sql" | "step_hashes" => text(""),
        "started_at" => now(),
        "tool" => text(env!("CARGO_PKG_VERSION")),
        _ => Node::Value(Value::Null),
    })
}

/// What a column holds of an entry.
fn cell(field: &Field, entry: &Entry) -> Result<Node> {
    Ok(match field.name {
        "id" => text(&entry.id),
        "position" => Node::Value(Value::Int(entry.position.into())),
        "name" => text(&entry.name),
        "up_checksum" => text(&entry.sums.up),
        "down_checksum" => maybe(entry.sums.down.as_deref()),
        "plan_checksum" => maybe(entry.sums.plan.as_deref()),
        "down_sql" => text(&entry.down_sql),
        "state" => text(entry.state.name()),
        "steps_done" => number(entry.steps_done)?,
        "steps_total" => number(entry.steps_total)?,
        "step_hashes" => text(&entry.step_hashes.join("\n")),
        "error" => maybe(entry.error.as_deref()),
        "statement" => maybe(entry.statement.as_deref()),
        "doubt" => maybe(entry.doubt.map(Doubt::name)),
        "replaced_by" => maybe(entry.replaced_by.as_deref()),
        "progress" => maybe(entry.progress.as_ref().map(Progress::text).as_deref()),
        "parents" => text(&entry.parents.join("\n")),
        "started_at" => entry.started_at.map_or_else(now, moment),
        "finished_at" if !entry.state.is_unfinished() => entry.finished_at.map_or_else(now, moment),
        "tool" => text(env!("CARGO_PKG_VERSION")),
        _ => Node::Value(Value::Null),
    })
}

fn moment(micros: i64) -> Node {
    Node::Value(Value::Timestamp(micros))
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

fn maybe(value: Option<&str>) -> Node {
    value.map_or(Node::Value(Value::Null), text)
}

fn number(number: usize) -> Result<Node> {
    let number = i64::try_from(number)
        .map_err(|_| Error::new(ErrorKind::OutOfRange, "a migration has more statements than can be counted"))?;
    Ok(Node::Value(Value::Int(number)))
}

fn now() -> Node {
    Node::Call(Function::Now, Many::EMPTY)
}
