//! Changing all rows that match.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::contract::{Flow, Row};
use covet_drivers::sql::{self, Assignment, BinaryOp, Many, Node};
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Executor;
use crate::model::{ColumnMeta, Model};
use crate::query::insert::{now, time_of};
use crate::query::operand::assigned;
use crate::query::select::Clauses;
use crate::query::texts::names_of;
use crate::query::{ColumnOf, Input};

/// An update of the rows that match a filter.
///
/// ```ignore
/// let n = Post::query().filter(Post::id.eq(1)).update().set(Post::views, Post::views + 1).exec(&db).await?;
/// ```
#[must_use = "nothing is written before `exec`"]
pub struct Update<M> {
    clauses: Clauses,
    set: Vec<Assignment>,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model> Update<M> {
    pub(crate) fn new(clauses: Clauses) -> Self {
        Update { clauses, set: Vec::new(), marker: PhantomData }
    }

    /// Sets a column to a value, or to an expression over the row as it was; set twice, the later counts.
    pub fn set<C: ColumnOf<M>>(mut self, column: C, value: impl Input<M, C::Type>) -> Self {
        let column = column.column().meta();
        self.set.retain(|assignment| assignment.column != column.column);
        self.set.push(Assignment { column: column.column, value: assigned(value, column) });
        self
    }

    fn statement(self, returning: Many<&'static str>) -> Result<sql::Update> {
        self.clauses.only_filter("an update")?;
        let mut set = self.set;
        if set.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the update sets nothing").with_model(M::NAME));
        }
        touch::<M>(&mut set);
        Ok(sql::Update { table: M::TABLE, set: set.into(), filter: self.clauses.filter, returning })
    }

    /// Runs it and gives the number of rows that match (also of those that were so already).
    ///
    /// # Errors
    /// `InvalidInput` when nothing is set; those of the database.
    pub async fn exec(self, on: &Executor) -> Result<u64> {
        let statement = self.statement(Many::EMPTY)?.into();
        Ok(on.run(&statement, &mut ()).await.map_err(|error| M::meta().at(error))?.affected)
    }

    /// Runs it and gives the rows as they are now.
    ///
    /// # Errors
    /// `Unsupported` where the database has no `UPDATE … RETURNING`; as [`exec`](Update::exec).
    pub async fn returning(self, on: &Executor) -> Result<Vec<M>> {
        if !on.capabilities().returning_on_update {
            return Err(Error::unsupported("`update … returning`", on.dialect())
                .with_model(M::NAME)
                .with_help("run `exec`, then fetch the rows in the same transaction"));
        }
        let statement = self.statement(names_of::<M>())?.into();
        let mut rows = Vec::new();
        on.run(&statement, &mut |row: &mut Row<'_>| {
            rows.push(M::decode(row, 0)?);
            Ok(Flow::Continue)
        })
        .await
        .map_err(|error| M::meta().at(error))?;
        Ok(rows)
    }
}

/// Sets the time of the write and counts the version up, where the model has them and the user did not
/// set them. Says whether it is the version that was counted up here.
pub(crate) fn touch<M: Model>(set: &mut Vec<Assignment>) -> bool {
    let meta = M::meta();
    let free =
        |set: &[Assignment], column: &ColumnMeta| set.iter().all(|assignment| assignment.column != column.column);
    if let Some(column) = meta.updated_at.and_then(|index| M::COLUMNS.get(index))
        && free(set, column)
    {
        set.push(Assignment { column: column.column, value: time_of(column.index, M::COLUMNS, now()) });
    }
    if let Some(column) = meta.version.and_then(|index| M::COLUMNS.get(index))
        && free(set, column)
    {
        set.push(count_up(column));
        return true;
    }
    false
}

/// `version = version + 1`
pub(crate) fn count_up(column: &'static ColumnMeta) -> Assignment {
    let next = Node::binary(BinaryOp::Add, Node::column(column.column), Node::Literal(1));
    Assignment { column: column.column, value: next }
}

impl<M> fmt::Debug for Update<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("clauses", &self.clauses).field("set", &self.set.len()).finish()
    }
}
