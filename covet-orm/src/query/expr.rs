//! Expressions: conditions and arithmetic over the columns of one scope.

use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, Mul, Not, Sub};
use std::sync::Arc;

use covet_drivers::catalog::ColumnType;
use covet_drivers::sql::{BinaryOp, Many, Node, Ref};
use covet_drivers::{Error, ErrorKind};

use crate::model::ColumnMeta;
use crate::query::operand::{Term, Written, compared};
use crate::query::{Column, Query};

/// An expression over the scope `S` (a model) whose value is a `T`.
///
/// Conditions are `Expr<S, bool>` and combine with `&`, `|` and `!`.
///
/// ```ignore
/// fn visible() -> Expr<Post, bool> {
///     Post::published.eq(true) & Post::title.ne("")
/// }
/// ```
#[must_use = "a condition does nothing by itself"]
pub struct Expr<S, T> {
    node: Node,
    column: Option<&'static ColumnMeta>,
    /// How deep it is nested. Printing and dropping go down a call for each level.
    depth: u16,
    marker: PhantomData<fn() -> (S, T)>,
}

/// The deepest that conditions may be nested; a chain of one operator is one level, however long.
const DEEPEST: u16 = 200;

impl<S, T> Expr<S, T> {
    /// An expression without another inside.
    pub(crate) fn new(node: Node) -> Self {
        Expr { node, column: None, depth: 1, marker: PhantomData }
    }

    /// An expression around others, the deepest of which has this depth. Too deep a one is refused when it
    /// is used, and what was in it is let go.
    pub(crate) fn around(node: Node, depth: u16) -> Self {
        if depth < DEEPEST {
            return Expr { node, column: None, depth: depth + 1, marker: PhantomData };
        }
        let error = Error::new(ErrorKind::InvalidInput, format!("conditions are nested more than {DEEPEST} deep"))
            .with_help("gather them in lists: `Expr::all([…])`, `Expr::any([…])`, `is_in`");
        Expr::new(Node::Refused(Arc::new(error)))
    }

    pub(crate) fn depth(&self) -> u16 {
        self.depth
    }

    /// The column whose type the value has, if the expression is reckoned from one.
    pub(crate) fn column(&self) -> Option<&'static ColumnMeta> {
        self.column
    }

    pub(crate) fn into_node(self) -> Node {
        self.node
    }
}

/// A condition over `S`: what [`filter`](crate::query::Query::filter) and the relations take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no condition over `{S}`",
    label = "expected an `Expr<{S}, bool>`; another model is reached through a relation of `{S}`"
)]
pub trait Condition<S>: Into<Expr<S, bool>> {
    /// `S`. That the answer of a method names it makes rustc's message short: it then speaks of the call
    /// and does not quote the method.
    type Over;

    /// The query with this condition.
    #[doc(hidden)]
    fn narrow(self, query: Query<S>) -> Query<Self::Over>;
}

#[diagnostic::do_not_recommend]
impl<S, C: Into<Expr<S, bool>>> Condition<S> for C {
    type Over = S;

    fn narrow(self, mut query: Query<S>) -> Query<S> {
        query.clauses.filter(self.into().into_node());
        query
    }
}

impl<S> Expr<S, bool> {
    /// A condition that always, or never, holds: the start of a chain.
    pub fn constant(value: bool) -> Self {
        Expr::new(Node::Truth(value))
    }

    /// All of the conditions hold; true when there is none.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let (nodes, depth) = gathered(conditions);
        Expr::around(Node::All(nodes), depth)
    }

    /// One of the conditions holds; false when there is none.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let (nodes, depth) = gathered(conditions);
        Expr::around(Node::Any(nodes), depth)
    }
}

/// The nodes, and the depth of the deepest.
fn gathered<S>(conditions: impl IntoIterator<Item = Expr<S, bool>>) -> (Many<Node>, u16) {
    let mut deepest = 0;
    let nodes = conditions.into_iter().map(|condition| {
        deepest = deepest.max(condition.depth);
        condition.node
    });
    (nodes.collect(), deepest)
}

/// The depth of two conditions in a chain: one that is such a chain already grows longer and not deeper.
fn chained<S>(left: &Expr<S, bool>, right: &Expr<S, bool>, is_chain: fn(&Node) -> bool) -> u16 {
    let inside = |side: &Expr<S, bool>| if is_chain(&side.node) { side.depth.saturating_sub(1) } else { side.depth };
    inside(left).max(inside(right))
}

impl<S, T> Clone for Expr<S, T> {
    fn clone(&self) -> Self {
        Expr { node: self.node.clone(), column: self.column, depth: self.depth, marker: PhantomData }
    }
}

impl<S, T> std::fmt::Debug for Expr<S, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.node.fmt(f)
    }
}

impl<S> BitAnd for Expr<S, bool> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        let depth = chained(&self, &other, |node| matches!(node, Node::All(_)));
        Expr::around(self.node.and(other.node), depth)
    }
}

impl<S> BitOr for Expr<S, bool> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        let depth = chained(&self, &other, |node| matches!(node, Node::Any(_)));
        Expr::around(self.node.or(other.node), depth)
    }
}

impl<S> Not for Expr<S, bool> {
    type Output = Self;

    fn not(self) -> Self {
        let depth = self.depth;
        Expr::around(self.node.negated(), depth)
    }
}

/// Something that can be added to a column of `T`, or subtracted from it.
#[diagnostic::on_unimplemented(
    message = "one cannot add `{Self}` to a `{T}` in SQL, or subtract it",
    label = "a number and an operand of its type are wanted here"
)]
pub trait Addend<S, T>: Term<S, T, Written> {}

#[diagnostic::do_not_recommend]
impl<S, T: Number, V: Term<S, T, Written>> Addend<S, T> for V {}

/// Something that a column of `T` can be multiplied by. A decimal cannot: the product has more digits than its column.
#[diagnostic::on_unimplemented(
    message = "one cannot multiply a `{T}` by `{Self}` in SQL",
    label = "an integer or a float, and an operand of its type are wanted here"
)]
pub trait Multiplier<S, T>: Term<S, T, Written> {}

#[diagnostic::do_not_recommend]
impl<S, T: Factor, V: Term<S, T, Written>> Multiplier<S, T> for V {}

/// Types that one can add and subtract in SQL.
pub trait Number {}

/// Types that one can multiply in SQL.
pub trait Factor: Number {}

macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl Number for $number {}
        impl Number for Option<$number> {}
        impl Factor for $number {}
        impl Factor for Option<$number> {}
    )+};
}

numbers! { i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 }

#[cfg(feature = "rust_decimal")]
impl Number for rust_decimal::Decimal {}

#[cfg(feature = "rust_decimal")]
impl Number for Option<rust_decimal::Decimal> {}

/// The column whose type the result has: of two decimals, the one with more digits after the point.
fn finer(column: &'static ColumnMeta, other: Option<&'static ColumnMeta>) -> &'static ColumnMeta {
    match (column.ty, other.map(|other| (other, other.ty))) {
        (ColumnType::Decimal { scale, .. }, Some((other, ColumnType::Decimal { scale: more, .. }))) if more > scale => {
            other
        }
        _ => column,
    }
}

/// Two operands, and the column whose type their result has.
fn reckon<S, T>(op: BinaryOp, left: Node, right: Node, column: &'static ColumnMeta, depth: u16) -> Expr<S, T> {
    let node = match column.ty {
        ColumnType::Decimal { precision, .. } => Node::Decimal(op, *precision, Ref::new([left, right])),
        ColumnType::F64 => Node::binary(op, left, right),
        ColumnType::F32 => Node::Single(op, Ref::new([left, right])),
        _ => Node::Whole(op, Ref::new([left, right])),
    };
    Expr { column: Some(column), ..Expr::around(node, depth) }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $bound:ident)+) => {$(
        impl<S, T, V: $bound<S, T>> $operator<V> for Column<S, T> {
            type Output = Expr<S, T>;

            fn $method(self, other: V) -> Expr<S, T> {
                let (column, depth) = (self.meta(), other.depth());
                let whole = finer(column, other.source());
                reckon(BinaryOp::$operator, Node::column(column.column), compared(other, column), whole, depth)
            }
        }

        impl<S, T, V: $bound<S, T>> $operator<V> for Expr<S, T> {
            type Output = Expr<S, T>;

            fn $method(self, other: V) -> Expr<S, T> {
                let depth = self.depth.max(other.depth());
                match self.column {
                    Some(column) => {
                        let whole = finer(column, other.source());
                        reckon(BinaryOp::$operator, self.node, compared(other, column), whole, depth)
                    }
                    // Only a column's expression is a number, so there always is one.
                    None => self,
                }
            }
        }
    )+};
}

arithmetic! { Add add Addend Sub sub Addend Mul mul Multiplier }
