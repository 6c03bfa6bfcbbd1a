//! What a column can be compared with or set to: a value, another column, an expression.

use std::sync::Arc;

use covet_drivers::catalog::ColumnType;
use covet_drivers::sql::{Node, Ref};
use covet_drivers::value::{ColumnValue, Field, Value};
use covet_drivers::{Error, ErrorKind, Result};

use crate::model::ColumnMeta;
use crate::query::{Column, Expr};

/// Something that a column of `T` can be compared with: a `T`, a `&str` for a `String`, a column or an
/// expression over the same scope, whether it may be NULL or not.
#[diagnostic::on_unimplemented(
    message = "a `{T}` column of `{S}` cannot be compared with `{Self}`",
    label = "expected a `{T}`, or a column or expression of that type over `{S}`"
)]
pub trait Operand<S, T>: Term<S, T, Compared> {
    /// `S`; see [`Condition::Over`](crate::query::Condition::Over).
    type Over;
}

// What is implemented by name is `Term`: its many impls are then nothing that rustc would list.
#[diagnostic::do_not_recommend]
impl<S, T, V: Term<S, T, Compared>> Operand<S, T> for V {
    type Over = S;
}

/// Something that a column of `T` can be set to: a `T`, a `&str` for a `String`, a column or an expression
/// over the same scope; where `T` is an `Option<U>`, anything that a column of `U` can be set to as well.
#[diagnostic::on_unimplemented(
    message = "a `{T}` column of `{S}` cannot be set to `{Self}`",
    label = "expected a `{T}`, or a column or expression of that type over `{S}`"
)]
pub trait Input<S, T>: Term<S, T, Written> {}

#[diagnostic::do_not_recommend]
impl<S, T, V: Term<S, T, Written>> Input<S, T> for V {}

/// What stands for a `T` of the scope `S`, be it compared or written.
#[doc(hidden)]
pub trait Term<S, T, Use> {
    /// The node, made for this column: a value is checked against the column's type. What is another column, or reckoned
    /// from one, is so by [`compared`] and [`assigned`].
    fn node(self, column: &'static ColumnMeta) -> Node;

    /// The column whose type it has, if it is no value.
    fn source(&self) -> Option<&'static ColumnMeta> {
        None
    }

    /// How deep it is nested.
    fn depth(&self) -> u16 {
        1
    }
}

/// A comparison: NULL never compares, so that a column may be nullable and its value may not.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Compared;

/// An assignment: what may be NULL needs a column that may be.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Written;

/// The value as a node; one that the column cannot hold is refused when the statement is printed.
#[inline]
pub(crate) fn value<T: ColumnValue>(value: T, column: &'static ColumnMeta) -> Node {
    match value.into_value(column.ty) {
        Ok(value) => Node::Value(value),
        Err(error) => Node::Refused(Arc::new(column.at(error))),
    }
}

/// The operand as a value to be written: text must fit the column, which not every database would say.
#[inline]
pub(crate) fn assigned<S, T>(operand: impl Input<S, T>, column: &'static ColumnMeta) -> Node {
    if column.is_generated() {
        let error = Error::new(ErrorKind::InvalidInput, "the database generates the value, so it cannot be set");
        return Node::Refused(Arc::new(column.at(error)));
    }
    let source = operand.source();
    match (operand.node(column), source) {
        (Node::Value(value), _) => match fits(&value, column) {
            Ok(()) => Node::Value(value),
            Err(error) => Node::Refused(Arc::new(error)),
        },
        (_, Some(own)) if is_longer(own, column) => too_long(own, column),
        (node, Some(own)) => beside(own, node, column),
        (node, None) => node,
    }
}

/// The operand as something that the column is compared or reckoned with.
#[inline]
pub(crate) fn compared<S, T, Use>(operand: impl Term<S, T, Use>, column: &'static ColumnMeta) -> Node {
    match operand.source() {
        Some(own) => beside(own, operand.node(column), column),
        None => operand.node(column),
    }
}

/// Whether the column can hold the value.
#[inline]
fn fits(value: &Value, column: &'static ColumnMeta) -> Result<()> {
    match value {
        Value::Text(text) => column.place(covet_drivers::value::fits(text, column.ty)),
        _ => Ok(()),
    }
}

impl<S, T: ColumnValue, Use> Term<S, T, Use> for T {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self, column)
    }
}

impl<S, T: ColumnValue> Term<S, Option<T>, Written> for T {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self, column)
    }
}

impl<S, Use> Term<S, String, Use> for &str {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_owned(), column)
    }
}

impl<S> Term<S, Option<String>, Written> for &str {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_owned(), column)
    }
}

impl<S, Use> Term<S, String, Use> for &String {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.clone(), column)
    }
}

impl<S> Term<S, Option<String>, Written> for &String {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.clone(), column)
    }
}

impl<S, Use> Term<S, Vec<u8>, Use> for &[u8] {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_vec(), column)
    }
}

impl<S> Term<S, Option<Vec<u8>>, Written> for &[u8] {
    #[inline]
    fn node(self, column: &'static ColumnMeta) -> Node {
        value(self.to_vec(), column)
    }
}

/// A column's value, or what was reckoned from it, beside another column.
#[inline]
fn beside(own: &ColumnMeta, node: Node, other: &'static ColumnMeta) -> Node {
    match (own.ty, other.ty) {
        (ColumnType::Decimal { scale: own, .. }, ColumnType::Decimal { scale: other, .. }) if own != other => {
            Node::Scaled(Ref::new(node), [*own, *other])
        }
        _ => node,
    }
}

/// Whether a value of the one column may be cut or rounded in the other: not every database would say so.
fn is_longer(own: &ColumnMeta, other: &ColumnMeta) -> bool {
    match (own.ty, other.ty) {
        (ColumnType::Decimal { scale: own, .. }, ColumnType::Decimal { scale: other, .. }) => own > other,
        (ColumnType::Text { max_len: own }, ColumnType::Text { max_len: Some(other) }) => {
            own.is_none_or(|own| own > *other)
        }
        _ => false,
    }
}

#[cold]
fn too_long(own: &ColumnMeta, other: &'static ColumnMeta) -> Node {
    let what = format!("the value of `{}`, a {}, may be longer than a {}", own.field, own.ty, other.ty);
    let error = Error::new(ErrorKind::Unsupported, what)
        .with_help("read the value, and write it as it shall be, or give both columns one type");
    Node::Refused(Arc::new(other.at(error)))
}

impl<S, T, U: Field<Inner = T>> Term<S, T, Compared> for Column<S, U> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        Node::column(self.meta().column)
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        Some(self.meta())
    }
}

impl<S, T> Term<S, T, Written> for Column<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        Node::column(self.meta().column)
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        Some(self.meta())
    }
}

impl<S, T> Term<S, Option<T>, Written> for Column<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        Node::column(self.meta().column)
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        Some(self.meta())
    }
}

impl<S, T, U: Field<Inner = T>> Term<S, T, Compared> for Expr<S, U> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        self.into_node()
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        self.column()
    }

    fn depth(&self) -> u16 {
        Expr::depth(self)
    }
}

impl<S, T> Term<S, T, Written> for Expr<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        self.into_node()
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        self.column()
    }

    fn depth(&self) -> u16 {
        Expr::depth(self)
    }
}

impl<S, T> Term<S, Option<T>, Written> for Expr<S, T> {
    fn node(self, _: &'static ColumnMeta) -> Node {
        self.into_node()
    }

    fn source(&self) -> Option<&'static ColumnMeta> {
        self.column()
    }

    fn depth(&self) -> u16 {
        Expr::depth(self)
    }
}
