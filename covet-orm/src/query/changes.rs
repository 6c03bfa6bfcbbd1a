//! Writing one row that is in hand.

use std::fmt;

use covet_drivers::contract::{Flow, Row, RowSink};
use covet_drivers::sql::{self, Assignment, BinaryOp, Many, Node, Select, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::{Executor, Session};
use crate::model::{ColumnMeta, Model};
use crate::query::insert::{now, time_of};
use crate::query::operand::assigned;
use crate::query::texts::{Shape, keyed};
use crate::query::update::touch;
use crate::query::{ColumnOf, Input};

/// Changes of some columns of one row: made by [`Model::update`].
///
/// ```ignore
/// user.update().set(User::name, "Ann").set(User::visits, User::visits + 1).exec(&db).await?;
/// ```
#[must_use = "nothing is written before `exec`"]
pub struct Changes<'a, M> {
    row: &'a mut M,
    set: Vec<(usize, Node)>,
}

impl<'a, M: Model> Changes<'a, M> {
    pub(crate) fn new(row: &'a mut M) -> Self {
        Changes { row, set: Vec::new() }
    }

    /// Sets a column to a value, or to an expression over the row as the database has it.
    pub fn set<C: ColumnOf<M>>(mut self, column: C, value: impl Input<M, C::Type>) -> Self {
        let column = column.column().meta();
        self.set.retain(|(index, _)| *index != column.index);
        self.set.push((column.index, assigned(value, column)));
        self
    }

    /// Writes the columns, and changes the fields of the row in hand likewise. A field that was set to
    /// an expression, or that the database generates, is read back: by `RETURNING`, or by a second statement where
    /// the database lacks it.
    ///
    /// # Errors
    /// `InvalidInput` when nothing is set; `NotFound` when the row is gone; `StaleWrite` when the model
    /// has a version column and the row changed since it was read. The row in hand is then as it was.
    pub async fn exec(self, on: &Executor) -> Result<()> {
        let Changes { row, set } = self;
        let meta = M::meta();
        if set.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the update sets nothing").with_model(M::NAME));
        }
        let mut assignments: Vec<Assignment> = set
            .into_iter()
            .filter_map(|(index, value)| Some(Assignment { column: M::COLUMNS.get(index)?.column, value }))
            .collect();
        let counted = touch::<M>(&mut assignments);
        let column_of = |assignment: &Assignment| M::COLUMNS.iter().find(|column| column.column == assignment.column);
        // What the row in hand cannot know by itself.
        let computed: Vec<&'static ColumnMeta> = assignments
            .iter()
            .filter(|assignment| !matches!(assignment.value, Node::Value(_)))
            .filter_map(column_of)
            .filter(|column| !counted || meta.version != Some(column.index))
            .chain(generated::<M>())
            .collect();
        let key = key_values(row)?;
        let key_after = new_key::<M>(&key, &assignments)?;
        let by_key = |key: &[Value], version: Option<Node>| {
            let mut terms: Vec<Node> = meta
                .key_columns()
                .zip(key)
                .map(|(column, value)| {
                    Node::binary(BinaryOp::Eq, Node::column(column.column), Node::Value(value.clone()))
                })
                .collect();
            terms.extend(version);
            Node::All(terms.into())
        };
        let direct = on.capabilities().returning_on_update && !computed.is_empty();
        let names: Many<&'static str> = computed.iter().map(|column| column.column).collect();
        let statement = Statement::Update(sql::Update {
            table: M::TABLE,
            set: assignments.clone().into(),
            filter: Some(by_key(&key, version_check(row)?)),
            returning: if direct { names } else { Many::EMPTY },
        });
        let mut fresh: Vec<Value> = Vec::new();
        let mut found = false;
        let mut sink = |line: &mut Row<'_>| {
            found = true;
            for (index, column) in computed.iter().enumerate() {
                fresh.push(column.place(line.value(index, column.ty))?.to_owned());
            }
            Ok(Flow::Continue)
        };
        let mut session = on.session().await?;
        if direct || computed.is_empty() {
            let affected =
                session.statement(&statement, &mut sink, KEEP).await.map_err(|error| M::meta().at(error))?.affected;
            drop(session);
            written::<M>(affected, by_key(&key, None), on).await?;
        } else {
            let write = async |session: &mut Session<'_>| {
                session.statement(&statement, &mut (), KEEP).await.map(|outcome| outcome.affected)
            };
            let read = select_of::<M>(&computed, by_key(&key_after, None));
            let affected = write_and_read(&mut session, write, read, &mut sink).await;
            let affected = affected.map_err(|error| M::meta().at(error))?;
            drop(session);
            if affected > 0 && !found {
                return Err(cannot_be_read::<M>());
            }
            written::<M>(affected, by_key(&key, None), on).await?;
        }
        for assignment in &assignments {
            if let (Node::Value(value), Some(column)) = (&assignment.value, column_of(assignment)) {
                row.set(column.index, value.lend())?;
            }
        }
        for (column, value) in computed.iter().zip(&fresh) {
            row.set(column.index, value.lend())?;
        }
        if counted { count_version(row) } else { Ok(()) }
    }
}

/// The columns that the database makes from others.
fn generated<M: Model>() -> impl Iterator<Item = &'static ColumnMeta> {
    M::COLUMNS.iter().filter(|column| column.is_generated())
}

/// Writes a row and reads of it what the program cannot know, as one unit.
async fn write_and_read(
    session: &mut Session<'_>,
    write: impl AsyncFnOnce(&mut Session<'_>) -> Result<u64>,
    read: Statement,
    rows: &mut dyn RowSink,
) -> Result<u64> {
    let mut unit = session.unit().await?;
    let result = async {
        let affected = write(unit.session()).await?;
        if affected > 0 {
            unit.session().statement(&read, rows, KEEP).await?;
        }
        Ok(affected)
    }
    .await;
    unit.finish(result).await
}

fn select_of<M: Model>(columns: &[&'static ColumnMeta], filter: Node) -> Statement {
    let columns: Many<Node> = columns.iter().map(|column| Node::column(column.column)).collect();
    let mut select = Select::new(M::TABLE, columns);
    select.filter = Some(filter);
    select.into()
}

#[cold]
fn cannot_be_read<M: Model>() -> Error {
    Error::new(ErrorKind::Serialization, "the row was written and cannot be read back").with_model(M::NAME)
}

/// The key after these assignments.
fn new_key<M: Model>(key: &[Value], assignments: &[Assignment]) -> Result<Vec<Value>> {
    let set = |column: &ColumnMeta| assignments.iter().find(|assignment| assignment.column == column.column);
    M::meta()
        .key_columns()
        .zip(key)
        .map(|(column, before)| match set(column).map(|assignment| &assignment.value) {
            None => Ok(before.clone()),
            Some(Node::Value(value)) => Ok(value.clone()),
            Some(Node::Refused(error)) => Err(error.again()),
            Some(_) => Err(column.at(Error::new(ErrorKind::InvalidInput, "a key can be set to a value only"))),
        })
        .collect()
}

impl<M> fmt::Debug for Changes<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changes({} columns)", self.set.len())
    }
}

const KEEP: covet_drivers::contract::Reuse = covet_drivers::contract::Reuse::Keep;

/// Writes every column of the row; see [`Model::save`].
pub async fn save<M: Model>(row: &mut M, on: &Executor) -> Result<()> {
    let meta = M::meta();
    let written: Vec<&'static ColumnMeta> = M::COLUMNS
        .iter()
        .filter(|c| !meta.key.contains(&c.index) && meta.version != Some(c.index) && !c.is_generated())
        .collect();
    let updated = meta.updated_at.map(|index| (index, time_of(index, M::COLUMNS, now())));
    let mut values = Vec::with_capacity(written.len() + 2);
    for column in &written {
        values.push(match &updated {
            Some((index, Node::Value(now))) if *index == column.index => now.clone(),
            _ => row.get(column.index)?,
        });
    }
    if written.is_empty() && meta.version.is_none() {
        return Err(Error::new(ErrorKind::InvalidInput, "the model has no column beside its key").with_model(M::NAME));
    }
    let key = key_values(row)?;
    values.extend(key.iter().cloned());
    values.extend(version_value(row)?);
    let made: Vec<&'static ColumnMeta> = generated::<M>().collect();
    let direct = made.is_empty() || on.capabilities().returning_on_update;
    let text = meta.texts.text(Shape::Save, on.shared().dialect, || {
        let returning = if direct { made.iter().map(|column| column.column).collect() } else { Many::EMPTY };
        let mut set: Vec<Assignment> = (0_u16..)
            .zip(&written)
            .map(|(number, column)| Assignment { column: column.column, value: Node::Arg(number) })
            .collect();
        let next = u16::try_from(set.len()).unwrap_or(u16::MAX);
        set.extend(version_of::<M>().map(crate::query::update::count_up));
        let filter = Some(keyed::<M>(&keys_and_version::<M>(), next));
        sql::Update { table: M::TABLE, set: set.into(), filter, returning }.into()
    })?;
    let args: Vec<&Value> = values.iter().collect();
    let mut fresh: Vec<Value> = Vec::new();
    let mut sink = |line: &mut Row<'_>| {
        for (index, column) in made.iter().enumerate() {
            fresh.push(column.place(line.value(index, column.ty))?.to_owned());
        }
        Ok(Flow::Continue)
    };
    let mut session = on.session().await?;
    let result = if direct {
        session.run(text, &args, &mut sink).await.map(|outcome| outcome.affected)
    } else {
        let write =
            async |session: &mut Session<'_>| session.run(text, &args, &mut ()).await.map(|outcome| outcome.affected);
        let read = select_of::<M>(&made, by_values::<M>(key.clone()));
        write_and_read(&mut session, write, read, &mut sink).await
    };
    drop(session);
    let affected = result.map_err(|error| {
        let columns = written.iter().map(|column| column.index).chain(keys_and_version::<M>());
        M::meta().at_value(error, |nth| columns.clone().nth(nth))
    })?;
    if affected > 0 && fresh.len() != made.len() {
        return Err(cannot_be_read::<M>());
    }
    self::written::<M>(affected, by_values::<M>(key), on).await?;
    for (column, value) in made.iter().zip(&fresh) {
        row.set(column.index, value.lend())?;
    }
    if let Some((index, Node::Value(now))) = updated {
        row.set(index, now.lend())?;
    }
    count_version(row)
}

/// Deletes the row; see [`Model::delete`].
pub async fn delete<M: Model>(row: &M, on: &Executor) -> Result<()> {
    let key = key_values(row)?;
    let text = M::meta().texts.text(Shape::Delete, on.shared().dialect, || {
        let filter = Some(keyed::<M>(&keys_and_version::<M>(), 0));
        sql::Delete { table: M::TABLE, filter, returning: Many::EMPTY }.into()
    })?;
    let values: Vec<Value> = key.iter().cloned().chain(version_value(row)?).collect();
    let args: Vec<&Value> = values.iter().collect();
    let result = on.session().await?.run(text, &args, &mut ()).await;
    let columns = |nth| keys_and_version::<M>().get(nth).copied();
    let outcome = result.map_err(|error| M::meta().at_value(error, columns))?;
    written::<M>(outcome.affected, by_values::<M>(key), on).await
}

pub(crate) fn key_values<M: Model>(row: &M) -> Result<Vec<Value>> {
    M::meta().key.iter().map(|index| row.get(*index)).collect()
}

pub(crate) fn by_values<M: Model>(key: Vec<Value>) -> Node {
    let terms = M::meta().key_columns().zip(key);
    Node::All(terms.map(|(c, value)| Node::binary(BinaryOp::Eq, Node::column(c.column), Node::Value(value))).collect())
}

fn version_of<M: Model>() -> Option<&'static ColumnMeta> {
    M::meta().version.and_then(|index| M::COLUMNS.get(index))
}

fn keys_and_version<M: Model>() -> Vec<usize> {
    M::meta().key.iter().copied().chain(M::meta().version).collect()
}

fn version_value<M: Model>(row: &M) -> Result<Option<Value>> {
    version_of::<M>().map(|column| row.get(column.index)).transpose()
}

/// `version = the version in hand`
fn version_check<M: Model>(row: &M) -> Result<Option<Node>> {
    let Some(column) = version_of::<M>() else { return Ok(None) };
    let value = row.get(column.index)?;
    Ok(Some(Node::binary(BinaryOp::Eq, Node::column(column.column), Node::Value(value))))
}

/// The version in hand after a write.
fn count_version<M: Model>(row: &mut M) -> Result<()> {
    let Some(column) = version_of::<M>() else { return Ok(()) };
    let next = match row.get(column.index)? {
        Value::Int(version) => Value::Int(version.saturating_add(1)),
        Value::UInt(version) => Value::UInt(version.saturating_add(1)),
        _ => return Ok(()),
    };
    row.set(column.index, next.lend())
}

/// Whether the one row was written, and if not, why.
async fn written<M: Model>(affected: u64, by_key: Node, on: &Executor) -> Result<()> {
    if affected > 0 {
        return Ok(());
    }
    let gone = || Error::new(ErrorKind::NotFound, "the row is gone").with_model(M::NAME);
    if version_of::<M>().is_none() {
        return Err(gone());
    }
    let mut select = Select::new(M::TABLE, Many::EMPTY);
    select.filter = Some(by_key);
    if crate::query::select::is_any(&select.into(), on).await? {
        return Err(Error::new(ErrorKind::StaleWrite, "the row changed since it was read")
            .with_model(M::NAME)
            .with_help("read it again, and apply the change to what it is now"));
    }
    Err(gone())
}
