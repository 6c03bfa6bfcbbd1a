//! What a column can be compared with or set to: a value, another column, an expression.

use std::sync::Arc;

use covet_drivers::catalog::ColumnType;
use covet_drivers::sql::Node;
use covet_drivers::value::{ColumnValue, Value};
use covet_drivers::{Error, ErrorKind, Result};

use crate::model::ColumnMeta;
use crate::query::{Column, Expr};

/// Something that can stand where a `T` of the scope `S` is wanted: a `T`, a `&str` for a
/// `String`, a `T` for an `Option<T>`, a column, or an expression.
#[diagnostic::on_unimplemented(
    message = "a `{T}` column of `{S}` cannot be given `{Self}`",
    label = "expected a `{T}` or an expression over `{S}`"
)]
pub trait Operand<S, T> {
    /// The node, made for this column: a value is checked against the column's type.
    fn node(self, column: &'static ColumnMeta) -> Node;

    /// How deep it is nested.
    #[doc(hidden)]
    fn depth(&self) -> u16 {
        1
    }
}

/// The value as a node; one that the column cannot hold is refused when the statement is printed.
pub(crate) fn value<T: ColumnValue>(value: T, column: &'static ColumnMeta) -> Node {
    match value.into_value(&column.ty) {
        Ok(value) => Node::Value(value),
        Err(error) => Node::Refused(Arc::new(column.at(error))),
    }
}

/// The operand as a value to be written: text must fit the column, which not every database would say.
pub(crate) fn assigned<S, T>(operand: impl Operand<S, T>, column: &'static ColumnMeta) -> Node {
    match operand.node(column) {
        Node::Value(value) => match fits(&value, column) {
            Ok(()) => Node::Value(value),
            Err(error) => Node::Refused(Arc::new(error)),
        },
        node => node,
    }
}

/// Whether the column can hold the value. Some databases cut blanks off the end of a text that is too long.
pub(crate) fn fits(value: &Value, column: &'static ColumnMeta) -> Result<()> {
    let (Value::Text(text), ColumnType::Text { max_len: Some(most) }) = (value, &column.ty) else { return Ok(()) };
    let most = usize::try_from(*most).unwrap_or(usize::MAX);
    if text.len() <= most || text.chars().count() <= most {
        return Ok(());
    }
    let error = Error::new(ErrorKind::OutOfRange, format!("the text has more than {most} characters"));
    Err(column.at(error).with_help("shorten it, or give the column a larger `max_len`"))
}

#[diagnostic::do_not_recommend]
impl<S, T: ColumnValue> Operand<S, T> for T {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self, column)
    }
}

#[diagnostic::do_not_recommend]
impl<S, T: ColumnValue> Operand<S, Option<T>> for T {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self, column)
    }
}

#[diagnostic::do_not_recommend]
impl<S> Operand<S, String> for &str {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_owned(), column)
    }
}

#[diagnostic::do_not_recommend]
impl<S> Operand<S, Option<String>> for &str {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_owned(), column)
    }
}

#[diagnostic::do_not_recommend]
impl<S> Operand<S, String> for &String {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.clone(), column)
    }
}

#[diagnostic::do_not_recommend]
impl<S> Operand<S, Option<String>> for &String {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.clone(), column)
    }
}

#[diagnostic::do_not_recommend]
impl<S> Operand<S, Vec<u8>> for &[u8] {
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_vec(), column)
    }
}

#[diagnostic::do_not_recommend]
impl<S, T> Operand<S, T> for Column<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        Node::column(self.meta().column)
    }
}

#[diagnostic::do_not_recommend]
impl<S, T> Operand<S, T> for Expr<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        self.into_node()
    }

    fn depth(&self) -> u16 {
        Expr::depth(self)
    }
}
