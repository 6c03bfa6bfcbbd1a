//! Expressions.

use std::ops::Deref;
use std::sync::Arc;

use crate::error::Error;
use crate::sql::Select;
use crate::value::Value;

/// A list that is part of the program or was made at run time. Cloning is cheap.
#[derive(Debug)]
pub enum Many<T: 'static> {
    /// Part of the program.
    Static(&'static [T]),
    /// Made at run time.
    Owned(Arc<[T]>),
}

/// One child that is part of the program or was made at run time. Cloning is cheap.
#[derive(Debug)]
pub enum Ref<T: 'static> {
    /// Part of the program.
    Static(&'static T),
    /// Made at run time.
    Owned(Arc<T>),
}

impl<T> Many<T> {
    /// The empty list.
    pub const EMPTY: Many<T> = Many::Static(&[]);
}

impl<T> Ref<T> {
    /// A child made at run time.
    pub fn new(value: T) -> Self {
        Ref::Owned(Arc::new(value))
    }
}

impl<T> Clone for Many<T> {
    fn clone(&self) -> Self {
        match self {
            Many::Static(items) => Many::Static(items),
            Many::Owned(items) => Many::Owned(Arc::clone(items)),
        }
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        match self {
            Ref::Static(item) => Ref::Static(item),
            Ref::Owned(item) => Ref::Owned(Arc::clone(item)),
        }
    }
}

impl<T> Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Many::Static(items) => items,
            Many::Owned(items) => items,
        }
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Ref::Static(item) => item,
            Ref::Owned(item) => item,
        }
    }
}

impl<T> From<Vec<T>> for Many<T> {
    fn from(items: Vec<T>) -> Self {
        Many::Owned(items.into())
    }
}

impl<T> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Many::Owned(items.into_iter().collect())
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Many::EMPTY
    }
}

/// An expression.
///
/// A column names its scope by counting outwards (`up` 0 is the innermost select or the statement
/// itself), so a condition can be moved into a subquery as it is.
#[derive(Clone, Debug)]
pub enum Node {
    /// A column of one of the scope's tables.
    Column {
        /// Scopes to go outwards.
        up: u8,
        /// The table within the scope: 0 is `FROM`, 1 the first join …
        source: u8,
        /// The column's name.
        name: &'static str,
    },
    /// A value, bound.
    Value(Value),
    /// The n-th argument of a statement that stands in a `static`, bound.
    Arg(u16),
    /// A value that the column cannot take: printing the statement gives this error.
    Refused(Arc<Error>),
    /// A number that belongs to the statement's shape, written as it is.
    Literal(i64),
    /// true or false.
    Truth(bool),
    /// The default of the column, in the rows of an insert.
    Default,
    /// The value that an upsert wanted to insert into the column.
    Excluded(&'static str),
    /// Two operands.
    Binary(BinaryOp, Ref<[Node; 2]>),
    /// Two operands that are integers, and so is the result: not every database keeps to its range by itself.
    Whole(BinaryOp, Ref<[Node; 2]>),
    /// Two operands that are decimals of so many digits: not every database can reckon with long ones.
    Decimal(BinaryOp, u8, Ref<[Node; 2]>),
    /// Two operands that are floats of 32 bits, and so is the result: not every database has such floats.
    Single(BinaryOp, Ref<[Node; 2]>),
    /// A decimal among decimals that have more digits after the point, or fewer: its own number of them, and theirs. Not
    /// every database knows how many a number has.
    Scaled(Ref<Node>, [u8; 2]),
    /// One operand.
    Unary(UnaryOp, Ref<Node>),
    /// All of them hold; true when there is none.
    All(Many<Node>),
    /// One of them holds; false when there is none.
    Any(Many<Node>),
    /// The first is among the rest (`NOT` around it for the opposite). False when the rest is empty.
    In(Ref<Node>, Many<Node>),
    /// The first lies between the second and the third, both included.
    Between(Ref<[Node; 3]>),
    /// The first matches the pattern that is the second: `%` any text, `_` one character, `!` escapes.
    Like {
        /// Text and pattern.
        operands: Ref<[Node; 2]>,
        /// Whether case does not matter.
        fold: bool,
    },
    /// The first begins with a text, by code point: it matches the pattern and lies in the range, of
    /// which a database may use the index. Where it cannot compare so, the pattern alone is written.
    Prefix {
        /// The text.
        text: Ref<Node>,
        /// The pattern, as in `Like`.
        pattern: Ref<Node>,
        /// The first text of the range, and the first after it.
        range: Ref<[Node; 2]>,
    },
    /// The subquery has a row.
    Exists(Ref<Select>),
    /// A function.
    Call(Function, Many<Node>),
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum BinaryOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
}

impl BinaryOp {
    /// Whether its result is a number.
    #[must_use]
    pub fn is_arithmetic(self) -> bool {
        matches!(self, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul)
    }

    /// The operator in SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            BinaryOp::Eq => "=",
            BinaryOp::Ne => "<>",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
        }
    }
}

/// Operators on one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum UnaryOp {
    Not,
    IsNull,
    IsNotNull,
}

/// Functions that every database has, whatever it calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `COUNT(*)`, or of the argument where there is one.
    Count,
    /// The current time of the database as a timestamp (UTC).
    Now,
}

impl Node {
    /// A column of the innermost scope's first table.
    #[must_use]
    pub const fn column(name: &'static str) -> Node {
        Node::Column { up: 0, source: 0, name }
    }

    /// Two operands.
    #[must_use]
    pub fn binary(op: BinaryOp, left: Node, right: Node) -> Node {
        Node::Binary(op, Ref::new([left, right]))
    }

    /// Both hold. Chains stay flat, so that a long one is no deep tree.
    #[must_use]
    pub fn and(self, other: Node) -> Node {
        match (self, other) {
            (Node::All(left), Node::All(right)) => Node::All(left.iter().chain(right.iter()).cloned().collect()),
            (Node::All(left), right) => Node::All(left.iter().cloned().chain([right]).collect()),
            (left, Node::All(right)) => Node::All([left].into_iter().chain(right.iter().cloned()).collect()),
            (left, right) => Node::All([left, right].into_iter().collect()),
        }
    }

    /// One of both holds. Chains stay flat, so that a long one is no deep tree.
    #[must_use]
    pub fn or(self, other: Node) -> Node {
        match (self, other) {
            (Node::Any(left), Node::Any(right)) => Node::Any(left.iter().chain(right.iter()).cloned().collect()),
            (Node::Any(left), right) => Node::Any(left.iter().cloned().chain([right]).collect()),
            (left, Node::Any(right)) => Node::Any([left].into_iter().chain(right.iter().cloned()).collect()),
            (left, right) => Node::Any([left, right].into_iter().collect()),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Node {
        Node::Unary(UnaryOp::Not, Ref::new(self))
    }
}
