//! Syntax: from the tokens of `#[covet(…)]` to typed values, each given at most once.
//!
//! Every item of a list is read on its own, so that a mistake in one does not hide the next.

mod column;
mod item;
mod model;
mod once;
mod relation;
mod sql;
mod variant;

pub(crate) use column::ColumnAttr;
pub(crate) use item::{Item, items};
pub(crate) use model::{CheckAttr, CheckName, ForeignKeyAttr, IndexAttr, IndexTerm, ModelAttr, Timestamps};
pub(crate) use once::Once;
pub(crate) use relation::RelationAttr;
pub(crate) use sql::{Fields, Sql, filled};
pub(crate) use variant::{EnumAttr, VariantAttr, none};
