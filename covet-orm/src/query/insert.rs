//! New rows.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Flow, Outcome, Reuse, Row};
use covet_drivers::sql::{BinaryOp, Conflict, Many, Node, Select, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result, sql};

use crate::db::{Executor, Session};
use crate::model::{ColumnMeta, Model};
use crate::query::operand::assigned;
use crate::query::sink::Last;
use crate::query::texts::{Shape, columns_of, names_of};
use crate::query::{ConflictTarget, Input, Upsert};

/// A required column was given.
#[derive(Clone, Copy, Debug)]
pub struct Yes;

/// A required column was not given yet.
#[derive(Clone, Copy, Debug)]
pub struct No;

/// A new row. The derive puts a method for each column in front of it: `User::create().email("a@example.org")`.
#[must_use = "nothing is inserted before `exec`"]
pub struct Insert<M> {
    /// One slot a column, at the column's position.
    pub(super) slots: Vec<Slot>,
    /// Which of the first 64 columns hold values, one bit each.
    pub(super) values: u64,
    /// Whether something was given that is no value.
    pub(super) nodes: bool,
    marker: PhantomData<fn() -> M>,
}

/// What a row gives a column. Mostly it is a value, so that is what takes no more room than it must.
#[derive(Debug)]
pub(super) enum Slot {
    /// Nothing.
    Absent,
    /// A value.
    Value(Value),
    /// A value that was refused.
    Node(Box<Node>),
}

impl Slot {
    fn is_given(&self) -> bool {
        !matches!(self, Slot::Absent)
    }

    /// The node, if anything was given.
    pub(super) fn into_node(self) -> Option<Node> {
        match self {
            Slot::Absent => None,
            Slot::Value(value) => Some(Node::Value(value)),
            Slot::Node(node) => Some(*node),
        }
    }
}

impl From<Node> for Slot {
    #[inline]
    fn from(node: Node) -> Self {
        match node {
            Node::Value(value) => Slot::Value(value),
            node => Slot::Node(Box::new(node)),
        }
    }
}

impl<M> Insert<M> {
    /// Gives a column its value; given twice, the later value counts.
    #[inline]
    pub fn given<T>(mut self, column: &'static ColumnMeta, value: impl Input<M, T>) -> Self {
        self.give(column, value);
        self
    }

    #[inline]
    pub(crate) fn give<T>(&mut self, column: &'static ColumnMeta, value: impl Input<M, T>) {
        let node = match assigned(value, column) {
            node @ (Node::Value(_) | Node::Refused(_)) => node,
            _ => no_row_yet(column),
        };
        self.put(column.index, node);
    }

    #[inline]
    pub(crate) fn put(&mut self, column: usize, node: Node) {
        let given = Slot::from(node);
        // A shift by more than there are bits would wrap around.
        let bit = if column < 64 { 1 << column } else { 0 };
        match &given {
            Slot::Value(_) => self.values |= bit,
            Slot::Absent | Slot::Node(_) => {
                self.values &= !bit;
                self.nodes = true;
            }
        }
        match self.slots.get_mut(column) {
            // Nothing was given before, so there is nothing to drop.
            Some(slot @ Slot::Absent) => std::mem::forget(std::mem::replace(slot, given)),
            Some(slot) => *slot = given,
            None => {}
        }
    }
}

/// A column in the place of a value: some databases would read what the row holds by then, column after column.
#[cold]
fn no_row_yet(column: &'static ColumnMeta) -> Node {
    let error = Error::new(ErrorKind::InvalidInput, "a row that is inserted has no columns yet to reckon with")
        .with_help("give a value; `on_conflict(…).set(…)` may speak of the row that is there");
    Node::Refused(Arc::new(column.at(error)))
}

impl<M: Model> Insert<M> {
    /// A row of which nothing is given yet.
    pub fn new() -> Self {
        let slots = M::COLUMNS.iter().map(|_| Slot::Absent).collect();
        Insert { slots, values: 0, nodes: false, marker: PhantomData }
    }

    fn has(&self, column: usize) -> bool {
        self.slots.get(column).is_some_and(Slot::is_given)
    }

    /// Gives the columns that Covet fills: new UUIDs and the times of `timestamps`.
    pub(crate) fn fill(&mut self) {
        let meta = M::meta();
        for column in M::COLUMNS {
            if column.new_uuid && !self.has(column.index) {
                self.put(column.index, new_uuid());
            }
        }
        let mut time = None;
        for index in [meta.created_at, meta.updated_at].into_iter().flatten() {
            if !self.has(index) {
                self.put(index, time_of(index, M::COLUMNS, *time.get_or_insert_with(now)));
            }
        }
    }

    /// Inserts the row and gives it back as the database has it.
    ///
    /// SQL: `INSERT INTO table (…) VALUES (…) RETURNING …`. Where the database has no `RETURNING`, the
    /// row is read back by its key in the same transaction: two more round trips and one for the commit.
    ///
    /// # Errors
    /// `Unique`, `ForeignKey`, `NotNull`, `Check`, `OutOfRange` and the others of the database.
    pub async fn exec(mut self, on: &Executor) -> Result<M> {
        self.fill();
        if on.capabilities().returning_on_insert {
            let row = self.returning(on).await?;
            return row
                .ok_or_else(|| Error::new(ErrorKind::Protocol, "the insert gave no row back").with_model(M::NAME));
        }
        let mut session = on.session().await?;
        let mut unit = session.unit().await?;
        let result = read_back(self, unit.session()).await;
        unit.finish(result).await.map_err(|error| M::meta().at(error))
    }

    /// Decides what happens when a row with the same unique key is there already.
    pub fn on_conflict(mut self, target: impl ConflictTarget<M>) -> Upsert<M> {
        let made = M::COLUMNS.iter().filter(|column| column.new_uuid && !self.has(column.index));
        let made = made.map(|column| column.index).collect();
        self.fill();
        Upsert::new(self, target.columns(), made)
    }

    async fn returning(self, on: &Executor) -> Result<Option<M>> {
        let mut sink = Last::new(|row| M::decode(row, 0));
        let result = match self.values() {
            // Values only: the text depends on the set of columns alone and is printed once a process.
            Some(values) => {
                let shape = Shape::Insert { columns: self.mask(), returning: true };
                let text = M::meta().texts.text(shape, on.shared().dialect, || self.by_arguments().into())?;
                let result = on.session().await?.run(text, &values, &mut sink).await;
                let column = |nth| self.given_columns().nth(nth).map(|column| column.index);
                result.map_err(|error| M::meta().at_value(error, column))
            }
            None => on.run(&self.into_statement(None, names_of::<M>()), &mut sink).await,
        };
        result.map_err(|error| M::meta().at(error))?;
        Ok(sink.row)
    }

    /// The values, if every node is one and the columns can be told apart by one bit each.
    fn values(&self) -> Option<Vec<&Value>> {
        if M::COLUMNS.len() > 64 {
            return None;
        }
        let mut values = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            match slot {
                Slot::Absent => {}
                Slot::Value(value) => values.push(value),
                Slot::Node(_) => return None,
            }
        }
        Some(values)
    }

    fn mask(&self) -> u64 {
        self.values
    }

    fn names(&self) -> Many<&'static str> {
        self.given_columns().map(|column| column.column).collect()
    }

    /// The insert with arguments in the place of values.
    fn by_arguments(&self) -> sql::Insert {
        let row = (0_u16..).zip(self.given_columns()).map(|(number, _)| Node::Arg(number)).collect();
        sql::Insert {
            table: M::TABLE,
            columns: self.names(),
            rows: vec![row],
            conflict: None,
            returning: names_of::<M>(),
        }
    }

    pub(crate) fn into_statement(self, conflict: Option<Conflict>, returning: Many<&'static str>) -> Statement {
        let (columns, row) = self.into_parts();
        Statement::Insert(sql::Insert { table: M::TABLE, columns, rows: vec![row], conflict, returning })
    }

    pub(crate) fn given_columns(&self) -> impl Iterator<Item = &'static ColumnMeta> {
        self.slots.iter().zip(M::COLUMNS).filter(|(slot, _)| slot.is_given()).map(|(_, column)| column)
    }

    /// The names and the nodes.
    pub(crate) fn into_parts(self) -> (Many<&'static str>, Vec<Node>) {
        (self.names(), self.slots.into_iter().filter_map(Slot::into_node).collect())
    }

    pub(crate) fn node(&self, column: usize) -> Option<Node> {
        match self.slots.get(column)? {
            Slot::Absent => None,
            Slot::Value(value) => Some(Node::Value(value.clone())),
            Slot::Node(node) => Some((**node).clone()),
        }
    }
}

impl<M: Model> Default for Insert<M> {
    fn default() -> Self {
        Insert::new()
    }
}

impl<M> fmt::Debug for Insert<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.slots.iter().enumerate().filter(|(_, slot)| slot.is_given());
        f.debug_list().entries(given.map(|(index, _)| index)).finish()
    }
}

/// Inserts without `RETURNING`, then reads the row by its key.
pub(super) async fn read_back<M: Model>(insert: Insert<M>, session: &mut Session<'_>) -> Result<M> {
    let meta = M::meta();
    let mut key: Vec<Option<Node>> = meta.key.iter().map(|index| insert.node(*index)).collect();
    let statement = insert.into_statement(None, Many::EMPTY);
    let Outcome { last_insert_id, .. } = session.statement(&statement, &mut (), Reuse::Keep).await?;
    for (node, column) in key.iter_mut().zip(meta.key_columns()) {
        if node.is_none() {
            let id = last_insert_id.filter(|_| column.auto).ok_or_else(|| {
                column
                    .at(Error::new(ErrorKind::Unsupported, "the row cannot be read back without its key"))
                    .with_help("give the key, or use a database that has RETURNING")
            })?;
            *node = Some(Node::Value(Value::UInt(id)));
        }
    }
    let mut select = Select::new(M::TABLE, columns_of::<M>());
    select.filter = Some(Node::All(
        meta.key_columns()
            .zip(key.into_iter().flatten())
            .map(|(column, node)| Node::binary(BinaryOp::Eq, Node::column(column.column), node))
            .collect(),
    ));
    let mut found = None;
    let mut sink = |row: &mut Row<'_>| {
        found = Some(M::decode(row, 0)?);
        Ok(Flow::Continue)
    };
    session.statement(&select.into(), &mut sink, Reuse::Keep).await?;
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, "the row that was inserted is not there"))
}

/// The time in microseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The time as a value of the column.
pub(crate) fn time_of(index: usize, columns: &[ColumnMeta], now: i64) -> Node {
    Node::Value(match columns.get(index).map(|column| column.ty) {
        Some(ColumnType::DateTime) => Value::DateTime(now),
        _ => Value::Timestamp(now),
    })
}

/// A UUID of version 7: it sorts by the time of its making.
#[cfg(feature = "uuid")]
fn new_uuid() -> Node {
    Node::Value(Value::Uuid(uuid::Uuid::now_v7().into_bytes()))
}

/// Without the feature no field can be a UUID, so nobody comes here.
#[cfg(not(feature = "uuid"))]
fn new_uuid() -> Node {
    let error = Error::new(ErrorKind::Unsupported, "a new UUID needs the cargo feature `uuid`");
    Node::Refused(Arc::new(error))
}
