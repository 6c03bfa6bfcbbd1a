//! Statements as data: one plain tree, made by builders at run time or standing in a `static`.
//!
//! Identifiers are `&'static str`: they come from models, never from data. Values stand in the
//! tree as [`Node::Value`] and are always bound, never printed.

mod body;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod counted;
mod lexer;
mod marks;
mod node;
mod place;
mod script;
mod statement;
mod words;

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use counted::miscounted;
#[cfg(feature = "mysql")]
pub(crate) use counted::{misdescribed, wrong_number};
pub use lexer::Quoting;
pub(crate) use lexer::{Kind, Lexer};
pub use marks::marked;
pub use node::{BinaryOp, Function, Many, Node, Ref, UnaryOp};
pub use place::placed;
pub use script::{Comment, Section, sections, split, without_values};
pub use statement::{
    Assignment, Conflict, Count, Delete, Insert, Join, Nulls, OnConflict, Order, Select, Statement, Update,
};
pub use words::{Reader, Word, calls, words};
