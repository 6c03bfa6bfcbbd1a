//! What a schema is made of, as data: tables, columns, keys, indexes, objects beside them, and the changes between two
//! schemas.
//!
//! Neutral: the same structures describe what the models ask for and what a database reports.

mod apply;
mod bare;
mod change;
mod column;
mod expression;
mod index;
mod names;
mod object;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod origins;
mod spelling;
mod table;
mod words;

pub use bare::Bare;
pub use change::Change;
pub use column::{Column, ColumnDefault, ColumnType, EnumType, Generated};
pub use expression::Expression;
pub use index::{Index, Over, Term};
pub use names::{Qualified, constraint_name, followers, shorten};
pub use object::{Object, ObjectKind};
#[cfg(feature = "mysql")]
pub(crate) use origins::Value;
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) use origins::{Origins, Source};
pub use table::{Action, Check, ForeignKey, Schema, Table, Timing};
