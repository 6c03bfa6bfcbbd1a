//! Writes: typed columns and conditions, and a builder for each kind of statement.
//!
//! Clauses are values: only what an expression ranges over stands in its type, so conditions can
//! be kept in variables, put in lists and returned from functions with a name one can write.

mod absent;
mod changes;
mod column;
mod conflict;
mod copy;
mod delete;
mod expr;
mod find;
mod insert;
mod insert_all;
mod insert_many;
pub(crate) mod operand;
mod order;
mod projection;
mod select;
mod sink;
mod stream;
mod supply;
mod texts;
mod update;

pub use changes::{Changes, delete, save};
pub use column::{Column, ColumnOf, Path};
pub use conflict::{ConflictTarget, Upsert};
pub use copy::{CopyFrom, CopyTo};
pub use delete::Delete;
pub use expr::{Addend, Condition, Expr, Factor, Multiplier, Number};
pub use find::Find;
pub(crate) use insert::now;
pub use insert::{Insert, No, Yes};
pub use insert_all::InsertAll;
pub use insert_many::InsertMany;
pub use operand::{Input, Operand};
pub use order::{OrderBy, Sorting};
pub use projection::{Pick, Projection};
pub use select::Query;
pub(crate) use select::{correlated, exists};
pub use stream::Rows;
pub use texts::Texts;
pub(crate) use texts::columns_of;
pub use update::Update;
