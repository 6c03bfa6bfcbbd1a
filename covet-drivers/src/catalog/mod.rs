//! What a schema is made of, as data: tables, columns, keys, indexes, and the changes between two schemas.
//!
//! Neutral: the same structures describe what the models ask for and what a database reports.

mod change;
mod column;
mod names;
mod table;

pub use change::Change;
pub use column::{Column, ColumnDefault, ColumnType, EnumType};
pub use names::{constraint_name, shorten};
pub use table::{Action, ForeignKey, Index, Schema, Table};
