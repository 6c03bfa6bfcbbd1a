//! Describes: what a model is, as static data and as the few functions that the derive writes.

mod meta;
mod record;
mod stored;

pub(crate) use meta::same_columns;
pub use meta::{
    CheckName, ColumnKind, ColumnMeta, ColumnMore, ForeignKeyMeta, IndexMeta, IndexMore, ModelMeta, ModelMore,
    References, TermMeta, column_named, pointed_at, referencing,
};
pub use record::{KeyOf, Model, Record};
#[doc(hidden)]
pub use stored::Stored;
