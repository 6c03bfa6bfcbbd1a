//! New rows.

use std::fmt;
use std::marker::PhantomData;
use std::time::{SystemTime, UNIX_EPOCH};

use covet_drivers::catalog::{ColumnDefault, ColumnType};
use covet_drivers::contract::{Flow, Outcome, Reuse, Row};
use covet_drivers::sql::{BinaryOp, Conflict, Function, Many, Node, Select, Statement};
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
    /// One node a column that was given, sorted by the column's position.
    given: Vec<(usize, Node)>,
    /// Columns that got a new UUID from Covet.
    new: Vec<usize>,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model> Insert<M> {
    /// A row of which nothing is given yet.
    pub fn new() -> Self {
        Insert { given: Vec::with_capacity(M::COLUMNS.len()), new: Vec::new(), marker: PhantomData }
    }

    /// Gives a column its value; given twice, the later value counts.
    pub fn given<T>(mut self, column: &'static ColumnMeta, value: impl Input<M, T>) -> Self {
        self.put(column.index, assigned(value, column));
        self
    }

    pub(crate) fn put(&mut self, column: usize, node: Node) {
        match self.given.binary_search_by_key(&column, |(index, _)| *index) {
            Ok(at) => self.given[at].1 = node,
            Err(at) => self.given.insert(at, (column, node)),
        }
    }

    /// Whether the column's value is a UUID that Covet has just made.
    pub(crate) fn is_new(&self, column: usize) -> bool {
        self.new.contains(&column)
    }

    fn has(&self, column: usize) -> bool {
        self.given.binary_search_by_key(&column, |(index, _)| *index).is_ok()
    }

    /// Gives the columns that Covet fills: new UUIDs and the times of `timestamps`.
    pub(crate) fn fill(&mut self) {
        let meta = M::meta();
        for column in M::COLUMNS {
            if column.new_uuid && !self.has(column.index) {
                self.put(column.index, new_uuid());
                self.new.push(column.index);
            }
        }
        let now = now();
        for index in [meta.created_at, meta.updated_at].into_iter().flatten() {
            if !self.has(index) {
                self.put(index, time_of(index, M::COLUMNS, now));
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
        self.fill();
        Upsert::new(self, target.columns())
    }

    async fn returning(self, on: &Executor) -> Result<Option<M>> {
        let mut sink = Last::new(|row| M::decode(row, 0));
        let result = match self.values() {
            // Values only: the text depends on the set of columns alone and is printed once a process.
            Some(values) => {
                let shape = Shape::Insert { columns: self.mask(), returning: true };
                let text = M::meta().texts.text(shape, on.shared().dialect, || self.by_arguments().into())?;
                let result = on.session().await?.run(text, &values, &mut sink).await;
                let column = |nth| self.given.get(nth).map(|(index, _)| *index);
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
        self.given
            .iter()
            .map(|(_, node)| match node {
                Node::Value(value) => Some(value),
                _ => None,
            })
            .collect()
    }

    fn mask(&self) -> u64 {
        self.given.iter().fold(0, |mask, (index, _)| mask | 1 << index)
    }

    fn names(&self) -> Many<&'static str> {
        self.given.iter().filter_map(|(index, _)| M::COLUMNS.get(*index)).map(|column| column.column).collect()
    }

    /// The insert with arguments in the place of values.
    fn by_arguments(&self) -> sql::Insert {
        let row = (0_u16..).zip(&self.given).map(|(number, _)| Node::Arg(number)).collect();
        sql::Insert {
            table: M::TABLE,
            columns: self.names(),
            rows: vec![row],
            conflict: None,
            returning: names_of::<M>(),
        }
    }

    pub(crate) fn into_statement(self, conflict: Option<Conflict>, returning: Many<&'static str>) -> Statement {
        let columns = self.names();
        let rows = vec![self.given.into_iter().map(|(_, node)| node).collect()];
        Statement::Insert(sql::Insert { table: M::TABLE, columns, rows, conflict, returning })
    }

    pub(crate) fn given_columns(&self) -> impl Iterator<Item = &'static ColumnMeta> {
        self.given.iter().filter_map(|(index, _)| M::COLUMNS.get(*index))
    }

    /// The names and the nodes.
    pub(crate) fn into_parts(self) -> (Many<&'static str>, Vec<Node>) {
        (self.names(), self.given.into_iter().map(|(_, node)| node).collect())
    }

    pub(crate) fn node(&self, column: usize) -> Option<&Node> {
        let at = self.given.binary_search_by_key(&column, |(index, _)| *index).ok()?;
        self.given.get(at).map(|(_, node)| node)
    }
}

impl<M: Model> Default for Insert<M> {
    fn default() -> Self {
        Insert::new()
    }
}

impl<M> fmt::Debug for Insert<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.given.iter().map(|(index, _)| index)).finish()
    }
}

/// Inserts without `RETURNING`, then reads the row by its key.
async fn read_back<M: Model>(insert: Insert<M>, session: &mut Session<'_>) -> Result<M> {
    let meta = M::meta();
    let mut key: Vec<Option<Node>> = meta.key.iter().map(|index| insert.node(*index).cloned()).collect();
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
    let mut sink = |row: &Row<'_>| {
        found = Some(M::decode(row, 0)?);
        Ok(Flow::Continue)
    };
    session.statement(&select.into(), &mut sink, Reuse::Keep).await?;
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, "the row that was inserted is not there"))
}

/// New rows, made by [`Model::insert_many`].
#[must_use = "nothing is inserted before `exec`"]
pub struct InsertMany<M> {
    rows: Vec<Insert<M>>,
}

/// How many rows one statement of a bulk insert has at most.
const MOST_ROWS: usize = 1000;

impl<M: Model> InsertMany<M> {
    pub(crate) fn new(rows: Vec<Insert<M>>) -> Self {
        InsertMany { rows }
    }

    /// Inserts the rows and gives their number. All of them are inserted or none.
    ///
    /// SQL: `INSERT INTO table (…) VALUES (…), (…), …`, in pieces that stay under the database's limit of
    /// bound values; more than one piece runs in a transaction (in a savepoint within `tx`).
    ///
    /// # Errors
    /// Those of [`Insert::exec`].
    pub async fn exec(self, on: &Executor) -> Result<u64> {
        let statements = self.statements(on, &Many::EMPTY);
        let mut inserted = 0;
        run(statements, on, &mut (), |affected| inserted += affected).await.map_err(|error| M::meta().at(error))?;
        Ok(inserted)
    }

    /// Inserts the rows and gives them back as the database has them, in the given order.
    ///
    /// Where the database has no `RETURNING`, every row is inserted and read back by itself.
    ///
    /// # Errors
    /// Those of [`Insert::exec`].
    pub async fn returning(self, on: &Executor) -> Result<Vec<M>> {
        let mut found = Vec::with_capacity(self.rows.len());
        if on.capabilities().returning_on_insert {
            let statements = self.statements(on, &names_of::<M>());
            let mut sink = |row: &Row<'_>| {
                found.push(M::decode(row, 0)?);
                Ok(Flow::Continue)
            };
            run(statements, on, &mut sink, |_| ()).await.map_err(|error| M::meta().at(error))?;
            return Ok(found);
        }
        let mut session = on.session().await?;
        let mut unit = session.unit().await?;
        let result = async {
            for mut row in self.rows {
                row.fill();
                found.push(read_back(row, unit.session()).await?);
            }
            Ok(found)
        }
        .await;
        unit.finish(result).await.map_err(|error: Error| M::meta().at(error))
    }

    /// One statement for each piece. A column that some rows give and others do not is written in
    /// all of them, with its default where it was not given.
    fn statements(self, on: &Executor, returning: &Many<&'static str>) -> Vec<Statement> {
        let mut rows = self.rows;
        rows.iter_mut().for_each(Insert::fill);
        let used: Vec<&'static ColumnMeta> =
            M::COLUMNS.iter().filter(|column| rows.iter().any(|row| row.has(column.index))).collect();
        let columns: Many<&'static str> = used.iter().map(|column| column.column).collect();
        let most = match used.len() {
            // A row without a column can only stand alone.
            0 => 1,
            columns => (on.capabilities().max_parameters / columns).clamp(1, MOST_ROWS),
        };
        let mut rows = rows.into_iter();
        let mut statements = Vec::new();
        loop {
            let piece: Vec<Vec<Node>> = rows
                .by_ref()
                .take(most)
                .map(|row| {
                    let mut given = row.given.into_iter().peekable();
                    used.iter()
                        .map(|column| match given.next_if(|(index, _)| *index == column.index) {
                            Some((_, node)) => node,
                            None => absent(column),
                        })
                        .collect()
                })
                .collect();
            if piece.is_empty() {
                return statements;
            }
            statements.push(Statement::Insert(sql::Insert {
                table: M::TABLE,
                columns: columns.clone(),
                rows: piece,
                conflict: None,
                returning: returning.clone(),
            }));
        }
    }
}

impl<M> fmt::Debug for InsertMany<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InsertMany({} rows)", self.rows.len())
    }
}

/// Runs the statements: one by itself, several as one unit.
async fn run(
    statements: Vec<Statement>,
    on: &Executor,
    rows: &mut dyn covet_drivers::contract::RowSink,
    mut affected: impl FnMut(u64),
) -> Result<()> {
    match &statements[..] {
        [] => Ok(()),
        [only] => {
            affected(on.run(only, rows).await?.affected);
            Ok(())
        }
        several => {
            let mut session = on.session().await?;
            let mut unit = session.unit().await?;
            let result = async {
                for (index, statement) in several.iter().enumerate() {
                    // All pieces but the last have the same text.
                    let reuse = if index + 1 < several.len() { Reuse::Keep } else { Reuse::Once };
                    affected(unit.session().statement(statement, rows, reuse).await?.affected);
                }
                Ok(())
            }
            .await;
            unit.finish(result).await
        }
    }
}

/// What a row of a bulk insert writes into a column that it was not given.
fn absent(column: &'static ColumnMeta) -> Node {
    match &column.default {
        None if column.auto => Node::Default,
        None => Node::Value(Value::Null),
        Some(default) => default_node(default, column),
    }
}

/// The time of the insert, for a column of dates or times: the database's own expression gives a timestamp.
fn part_of_now(column: &ColumnMeta) -> Option<Value> {
    const DAY: i64 = 86_400_000_000;
    let now = now();
    match column.ty {
        ColumnType::Date => Some(Value::Date(i32::try_from(now.div_euclid(DAY)).unwrap_or(i32::MAX))),
        ColumnType::Time => Some(Value::Time(now.rem_euclid(DAY))),
        _ => None,
    }
}

/// The default as a node, so that a row may have it beside rows that give the column.
fn default_node(default: &ColumnDefault, column: &'static ColumnMeta) -> Node {
    let value = match (default, &column.ty) {
        (ColumnDefault::Now, _) => match part_of_now(column) {
            Some(value) => value,
            None => return Node::Call(Function::Now, Many::EMPTY),
        },
        (ColumnDefault::Bool(v), _) => Value::Bool(*v),
        (ColumnDefault::Int(v), ColumnType::F64) => Value::Float(whole(*v)),
        (ColumnDefault::Int(v), ColumnType::F32) => Value::Float32(short(whole(*v))),
        (ColumnDefault::Int(v), ColumnType::Decimal { precision, scale }) => {
            return decimal(&v.to_string(), *precision, *scale, column);
        }
        (ColumnDefault::Int(v), _) => Value::Int(*v),
        (ColumnDefault::Number(text), ColumnType::Decimal { precision, scale }) => {
            return decimal(text, *precision, *scale, column);
        }
        (ColumnDefault::Number(text), ColumnType::F32) => match text.parse() {
            Ok(number) => Value::Float32(number),
            Err(_) => return malformed(column),
        },
        (ColumnDefault::Number(text), _) => match text.parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return malformed(column),
        },
        (ColumnDefault::Text(text), ColumnType::Enum(_)) => Value::Label(text.clone()),
        (ColumnDefault::Text(text), ColumnType::Json) => Value::Json(text.clone().into_owned()),
        (ColumnDefault::Text(text), _) => Value::Text(text.clone().into_owned()),
    };
    Node::Value(value)
}

fn decimal(text: &str, precision: u8, scale: u8, column: &'static ColumnMeta) -> Node {
    match covet_drivers::value::Decimal::parse(text, precision, scale) {
        Ok(decimal) => Node::Value(Value::Decimal(decimal)),
        Err(error) => Node::Refused(std::sync::Arc::new(column.at(error))),
    }
}

#[cold]
fn malformed(column: &'static ColumnMeta) -> Node {
    let error = Error::new(ErrorKind::InvalidInput, "the default is no number");
    Node::Refused(std::sync::Arc::new(column.at(error)))
}

#[allow(clippy::cast_precision_loss)] // a default written as an integer for a float column
fn whole(number: i64) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation)] // the column's own precision
fn short(number: f64) -> f32 {
    number as f32
}

/// The time in microseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The time as a value of the column.
pub(crate) fn time_of(index: usize, columns: &[ColumnMeta], now: i64) -> Node {
    Node::Value(match columns.get(index).map(|column| &column.ty) {
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
    Node::Refused(std::sync::Arc::new(error))
}
