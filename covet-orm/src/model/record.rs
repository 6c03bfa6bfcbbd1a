//! The traits that the derive implements: `Record` for Covet's own use, `Model` for the user's.

use std::ops::Range;

use covet_drivers::contract::Row;
use covet_drivers::value::{Key, Value, ValueRef, ValueWriter};
use covet_drivers::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::db::Executor;
use crate::model::{ColumnMeta, ModelMeta, References};
use crate::query::{Changes, CopyFrom, CopyTo, Find, Insert, InsertAll, InsertMany, Query};

/// How a struct stands for a row: written by `#[derive(Model)]`, used by Covet.
///
/// That a model is `Send` and `Sync` is said by [`Model`] alone: it would have to be proved, field by field, at each
/// mention of an item of this trait, and generated code mentions many.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", label = "derive `Model` on this struct")]
pub trait Record: Sized + 'static {
    /// The table.
    const TABLE: &'static str;
    /// The field of the primary key (of its first column), as named in the struct.
    const KEY_FIELD: &'static str;
    /// Its position in the columns: looking it up by name while compiling costs more.
    const KEY_AT: usize;
    /// The columns, in the order of the fields.
    const COLUMNS: &'static [ColumnMeta];
    /// The (first) column of the primary key.
    const KEY_COLUMN: &'static ColumnMeta = &Self::COLUMNS[Self::KEY_AT];
    /// What a column says that points at it.
    const REFERENCES: &'static References = &References::new(Self::TABLE, Self::KEY_FIELD);
    /// The struct's name.
    const NAME: &'static str = Self::COLUMNS[0].model;
    /// The primary key's type: that of the field, or a tuple.
    type Key: Key;

    /// The whole description.
    fn meta() -> &'static ModelMeta;

    /// The row whose columns begin at this position.
    ///
    /// # Errors
    /// `Decode`, naming model and field.
    fn decode(row: &mut Row<'_>, at: usize) -> Result<Self>;

    /// Writes the value of the field of this column, which is one of the model's own.
    #[doc(hidden)]
    fn write_column(&self, column: &'static ColumnMeta, to: &mut dyn ValueWriter) -> Result<()>;

    /// Changes the field of this column, which is one of the model's own.
    #[doc(hidden)]
    fn set_column(&mut self, column: &'static ColumnMeta, value: ValueRef<'_>) -> Result<()>;

    /// Writes the values of the columns at these positions.
    ///
    /// # Errors
    /// `OutOfRange` when a column cannot hold its field's value, `InvalidInput` when there is no such column, and the
    /// writer's.
    fn write(&self, columns: Range<usize>, to: &mut dyn ValueWriter) -> Result<()> {
        let beyond = columns.end.saturating_sub(1);
        let columns = Self::COLUMNS.get(columns).ok_or_else(|| no_column::<Self>(beyond))?;
        columns.iter().try_for_each(|column| self.write_column(column, to))
    }

    /// The value of the column at this position.
    ///
    /// # Errors
    /// `OutOfRange` when the column cannot hold the field's value, `InvalidInput` when there is no such column.
    fn get(&self, column: usize) -> Result<Value> {
        let mut value = None;
        self.write_column(column_at::<Self>(column)?, &mut value)?;
        value.ok_or_else(|| no_column::<Self>(column))
    }

    /// Changes the field of the column at this position.
    ///
    /// # Errors
    /// `Decode` when the field cannot hold the value, `InvalidInput` when there is no such column.
    fn set(&mut self, column: usize, value: ValueRef<'_>) -> Result<()> {
        self.set_column(column_at::<Self>(column)?, value)
    }
}

fn column_at<M: Record>(column: usize) -> Result<&'static ColumnMeta> {
    M::COLUMNS.get(column).ok_or_else(|| no_column::<M>(column))
}

#[cold]
fn no_column<M: Record>(column: usize) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("there is no column {column}")).with_model(M::NAME)
}

/// A struct that stands for the rows of one table. Derive it:
///
/// ```ignore
/// #[derive(Model)]
/// struct User {
///     #[covet(key)]
///     id: i64,
///     #[covet(unique, max_len = 320)]
///     email: String,
/// }
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", label = "derive `Model` on this struct")]
pub trait Model: Record + Send + Sync {
    /// The builder of a new row: one method a column.
    type Create;

    /// Begins a new row; the columns without a default must be given before `exec`.
    fn create() -> Self::Create;

    /// All rows, to be narrowed.
    ///
    /// SQL: `SELECT columns FROM table`
    fn query() -> Query<Self> {
        Query::new()
    }

    /// The row with this primary key.
    ///
    /// SQL: `SELECT columns FROM table WHERE key = ?`, printed once a process.
    fn find(key: impl KeyOf<Self::Key>) -> Find<Self> {
        Find::by_key(key.into_key())
    }

    /// New rows, by the fastest way that the database has, all of them or none. They are taken from the
    /// iterator while they are sent, so there may be any number of them.
    fn insert_many<'a, I>(rows: I) -> InsertMany<'a, Self>
    where
        I: IntoIterator<IntoIter: Send + 'a, Item: Into<Insert<Self>>>,
    {
        InsertMany::new(rows.into_iter())
    }

    /// The rows of structs that are at hand, by the fastest way that the database has, all of them or none: every
    /// column is written as the struct has it, but for keys that the database numbers
    /// ([`with_keys`](InsertAll::with_keys) writes them too). They are read from the iterator while they are sent.
    ///
    /// SQL: as [`insert_many`](Model::insert_many).
    fn insert_all<'a, I>(rows: I) -> InsertAll<'a, Self>
    where
        I: IntoIterator<Item = &'a Self, IntoIter: Send + 'a>,
    {
        InsertAll::new(rows.into_iter())
    }

    /// All rows into a file, in the database's own format: for a backup of the table, or to take it to another
    /// database with the same schema.
    ///
    /// ```ignore
    /// let mut file = tokio::fs::File::create("posts.copy").await?;
    /// Post::copy_to(&mut file).exec(&db).await?;
    /// ```
    fn copy_to<W: AsyncWrite + Send + Unpin>(to: W) -> CopyTo<Self, W> {
        CopyTo::new(to)
    }

    /// All rows of a file that [`copy_to`](Model::copy_to) wrote into the table.
    fn copy_from<R: AsyncRead + Send + Unpin>(from: R) -> CopyFrom<Self, R> {
        CopyFrom::new(from)
    }

    /// Changes some columns of this row: those that are named, and no other.
    ///
    /// SQL: `UPDATE table SET column = ? WHERE key = ? [AND version = ?]`
    fn update(&mut self) -> Changes<'_, Self> {
        Changes::new(self)
    }

    /// Writes every column of this row.
    ///
    /// SQL: `UPDATE table SET … WHERE key = ? [AND version = ?]`, printed once a process.
    ///
    /// # Errors
    /// `NotFound` when the row is gone; `StaleWrite` when the model has a version column and the
    /// row changed since it was read.
    fn save(&mut self, on: &Executor) -> impl Future<Output = Result<()>> + Send {
        crate::query::save(self, on)
    }

    /// Deletes this row.
    ///
    /// SQL: `DELETE FROM table WHERE key = ? [AND version = ?]`, printed once a process.
    ///
    /// # Errors
    /// As [`save`](Model::save).
    fn delete(&self, on: &Executor) -> impl Future<Output = Result<()>> + Send {
        crate::query::delete(self, on)
    }
}

/// Something that can be given for a primary key of type `K`: a `K`, or a `&str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "the primary key is a `{K}`, and this is `{Self}`",
    label = "not the key's type"
)]
pub trait KeyOf<K>: IntoKey<K> {}

#[diagnostic::do_not_recommend]
impl<K, V: IntoKey<K>> KeyOf<K> for V {}

/// What becomes a `K`.
#[doc(hidden)]
pub trait IntoKey<K> {
    /// The key.
    fn into_key(self) -> K;
}

impl<K: Key> IntoKey<K> for K {
    fn into_key(self) -> K {
        self
    }
}

impl IntoKey<String> for &str {
    fn into_key(self) -> String {
        self.to_owned()
    }
}
