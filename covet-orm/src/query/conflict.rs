//! Insert, or change the row that is there already.

use std::fmt;

use covet_drivers::contract::{Flow, Reuse, Row};
use covet_drivers::sql::{Assignment, BinaryOp, Conflict, Many, Node, OnConflict, Ref, Select, UnaryOp};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Executor;
use crate::model::{ColumnMeta, Model, same_columns};
use crate::query::operand::assigned;
use crate::query::texts::{columns_of, names_of};
use crate::query::{Column, ColumnOf, Input, Insert};

/// The columns of a unique key: one, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "these are not columns of `{M}`",
    label = "the columns of a unique key of `{M}` are wanted here"
)]
pub trait ConflictTarget<M>: UniqueColumns<M> {}

#[diagnostic::do_not_recommend]
impl<M, C: UniqueColumns<M>> ConflictTarget<M> for C {}

/// Columns of this model exactly.
#[doc(hidden)]
pub trait UniqueColumns<M> {
    /// The columns.
    fn columns(self) -> Vec<&'static ColumnMeta>;
}

impl<M, T> UniqueColumns<M> for Column<M, T> {
    fn columns(self) -> Vec<&'static ColumnMeta> {
        vec![self.meta()]
    }
}

impl<M, A, B> UniqueColumns<M> for (Column<M, A>, Column<M, B>) {
    fn columns(self) -> Vec<&'static ColumnMeta> {
        vec![self.0.meta(), self.1.meta()]
    }
}

impl<M, A, B, C> UniqueColumns<M> for (Column<M, A>, Column<M, B>, Column<M, C>) {
    fn columns(self) -> Vec<&'static ColumnMeta> {
        vec![self.0.meta(), self.1.meta(), self.2.meta()]
    }
}

/// An insert that knows what to do when a row with the same unique key is there already.
///
/// ```ignore
/// let user = User::create().email("a@example.org").name("Ann")
///     .on_conflict(User::email).update().exec(&db).await?;
/// ```
#[must_use = "nothing is written before `exec`"]
pub struct Upsert<M> {
    insert: Insert<M>,
    target: Vec<&'static ColumnMeta>,
    set: Option<Vec<Assignment>>,
    /// Columns that got a new UUID from Covet.
    made: Vec<usize>,
}

impl<M: Model> Upsert<M> {
    pub(crate) fn new(insert: Insert<M>, target: Vec<&'static ColumnMeta>, made: Vec<usize>) -> Self {
        Upsert { insert, target, set: None, made }
    }

    /// Changes every column that was given, but those of the unique key and of the primary key. A UUID that Covet made
    /// for the new row was not given.
    pub fn update(mut self) -> Self {
        let meta = M::meta();
        let kept = |column: &ColumnMeta| {
            meta.key.contains(&column.index)
                || meta.created_at == Some(column.index)
                || self.made.contains(&column.index)
                || self.target.iter().any(|target| target.index == column.index)
        };
        let set = self
            .insert
            .given_columns()
            .filter(|column| !kept(column))
            .map(|column| Assignment { column: column.column, value: Node::Excluded(column.column) })
            .collect();
        self.set = Some(set);
        self
    }

    /// Changes this column: to a value, or to an expression over the row that is there (`User::visits + 1`).
    pub fn set<C: ColumnOf<M>>(mut self, column: C, value: impl Input<M, C::Type>) -> Self {
        let column = column.column().meta();
        let set = self.set.get_or_insert_with(Vec::new);
        set.retain(|assignment| assignment.column != column.column);
        set.push(Assignment { column: column.column, value: assigned(value, column) });
        self
    }

    /// Inserts the row or changes the one that is there, and gives the row back as the database has it.
    /// Without [`update`](Upsert::update) or [`set`](Upsert::set), the row that is there stays as it is.
    ///
    /// SQL: `INSERT … ON CONFLICT (…) DO UPDATE SET …` or `… ON DUPLICATE KEY UPDATE …`, and a select by the
    /// unique key where the row cannot be had otherwise, all in one transaction.
    ///
    /// # Errors
    /// `InvalidInput` when the columns are no unique key of the model or were not given;
    /// `Unsupported` when the database cannot tell this unique key from another that the row could meet.
    pub async fn exec(self, on: &Executor) -> Result<M> {
        self.check(on)?;
        let Upsert { insert, target, set, .. } = self;
        let meta = M::meta();
        let changes = set.as_ref().is_some_and(|set| !set.is_empty());
        let positions: Vec<usize> = target.iter().map(|column| column.index).collect();
        // Where NULL agrees with nothing, not even with NULL, a row that has it in its key meets none.
        let nulls_agree = meta
            .indexes
            .iter()
            .any(|index| index.more.is_some_and(|more| more.nulls_agree) && same_columns(index.columns, &positions));
        let mut key = Vec::new();
        for column in &target {
            let node = insert.node(column.index).ok_or_else(|| {
                column.at(Error::new(ErrorKind::InvalidInput, "the column of the unique key was not given"))
            })?;
            let named = Node::column(column.column);
            if matches!(node, Node::Value(Value::Null)) {
                if !nulls_agree {
                    return insert.exec(on).await;
                }
                key.push(Node::Unary(UnaryOp::IsNull, Ref::new(named)));
            } else {
                key.push(Node::binary(BinaryOp::Eq, named, node));
            }
        }
        let action = match set {
            Some(mut set) if changes => {
                bump::<M>(&mut set, meta.version);
                stamp::<M>(&mut set, meta.updated_at);
                OnConflict::Update(set.into())
            }
            _ => OnConflict::Nothing,
        };
        let conflict = Conflict { target: target.iter().map(|column| column.column).collect(), action };
        // A row that is kept as it is comes back from no RETURNING, so it is read by its key.
        let direct = on.capabilities().returning_on_insert && changes;
        let returning = if direct { names_of::<M>() } else { Many::EMPTY };
        let statement = insert.into_statement(Some(conflict), returning);
        let mut found = None;
        let mut sink = |row: &mut Row<'_>| {
            found = Some(M::decode(row, 0)?);
            Ok(Flow::Continue)
        };
        if direct {
            on.run(&statement, &mut sink).await.map_err(|error| M::meta().at(error))?;
        } else {
            let mut select = Select::new(M::TABLE, columns_of::<M>());
            select.filter = Some(Node::All(key.into()));
            // A plain select might read a snapshot from before the row that was met.
            select.lock = on.capabilities().row_locks;
            let mut session = on.session().await?;
            let mut unit = session.unit().await?;
            let result = async {
                unit.session().statement(&statement, &mut (), Reuse::Keep).await?;
                unit.session().statement(&select.into(), &mut sink, Reuse::Keep).await
            }
            .await;
            unit.finish(result).await.map_err(|error| M::meta().at(error))?;
        }
        found.ok_or_else(|| {
            Error::new(ErrorKind::Serialization, "the row that was met is gone again").with_model(M::NAME)
        })
    }

    fn check(&self, on: &Executor) -> Result<()> {
        let meta = M::meta();
        let target: Vec<usize> = self.target.iter().map(|column| column.index).collect();
        if !meta.is_unique(&target) {
            let names: Vec<&str> = self.target.iter().map(|column| column.field).collect();
            return Err(Error::new(ErrorKind::InvalidInput, format!("({}) is no unique key", names.join(", ")))
                .with_model(M::NAME)
                .with_help("name the primary key, or the columns of one `unique`"));
        }
        if on.capabilities().conflict_target {
            return Ok(());
        }
        // The database would take a conflict with any unique key for the one that is meant.
        // A column that is left out meets a key by its default, or by what it is generated from; a new UUID
        // meets nothing.
        let has = |column: &usize| {
            let column_of_it = M::COLUMNS.get(*column);
            let default = column_of_it.is_some_and(|column| column.default.is_some() || column.is_generated());
            (self.insert.node(*column).is_some() && !self.made.contains(column)) || default
        };
        let meets = |columns: &[usize]| !same_columns(columns, &target) && columns.iter().all(has);
        let other = meets(meta.key) || meta.indexes.iter().any(|index| index.unique && meets(index.columns));
        if other {
            return Err(Error::unsupported("an upsert of a row that could meet a second unique key", on.dialect())
                .with_model(M::NAME)
                .with_help("look the row up first, in a transaction, or leave the other key out"));
        }
        Ok(())
    }
}

/// Sets the time of the write, if the model has one and the user did not set it.
fn stamp<M: Model>(set: &mut Vec<Assignment>, updated_at: Option<usize>) {
    let Some(column) = updated_at.and_then(|index| M::COLUMNS.get(index)) else { return };
    if set.iter().all(|assignment| assignment.column != column.column) {
        set.push(Assignment { column: column.column, value: Node::Excluded(column.column) });
    }
}

/// Counts the version up, if the model has one and the user did not set it.
fn bump<M: Model>(set: &mut Vec<Assignment>, version: Option<usize>) {
    let Some(column) = version.and_then(|index| M::COLUMNS.get(index)) else { return };
    set.retain(|assignment| assignment.column != column.column || !matches!(assignment.value, Node::Excluded(_)));
    if set.iter().all(|assignment| assignment.column != column.column) {
        set.push(crate::query::update::count_up(column));
    }
}

impl<M> fmt::Debug for Upsert<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upsert").field("insert", &self.insert).finish()
    }
}
