//! Columns as constants of their model, and columns reached through relations.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::sql::{BinaryOp, Many, Node, Ref, UnaryOp};
use covet_drivers::value::Field;

use crate::model::ColumnMeta;
use crate::query::operand::compared;
use crate::query::{Expr, Operand, OrderBy};
use crate::relation::RelationMeta;

/// A column of the model `M` whose field is a `T`.
///
/// ```ignore
/// let recent = Post::query().filter(Post::title.contains("rust") & Post::views.ge(100));
/// ```
pub struct Column<M, T> {
    meta: &'static ColumnMeta,
    marker: PhantomData<fn() -> (M, T)>,
}

impl<M, T> Clone for Column<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Column<M, T> {}

impl<M, T> fmt::Debug for Column<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.meta.model, self.meta.field)
    }
}

impl<M, T> Column<M, T> {
    /// The column of this description.
    #[must_use]
    pub const fn new(meta: &'static ColumnMeta) -> Self {
        Column { meta, marker: PhantomData }
    }

    /// Its description.
    #[must_use]
    pub const fn meta(self) -> &'static ColumnMeta {
        self.meta
    }

    fn this(self) -> Node {
        Node::column(self.meta.column)
    }

    /// Smallest first. NULL is smaller than every value, on every database.
    #[must_use]
    pub fn asc(self) -> OrderBy<M> {
        OrderBy::new(self.meta, false)
    }

    /// Largest first. NULL comes last, on every database.
    #[must_use]
    pub fn desc(self) -> OrderBy<M> {
        OrderBy::new(self.meta, true)
    }
}

/// A column of the model `M`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no column of `{M}`", label = "a column of `{M}` is wanted here")]
pub trait ColumnOf<M> {
    /// The type of the field.
    type Type;

    /// The column.
    fn column(self) -> Column<M, Self::Type>;
}

#[diagnostic::do_not_recommend]
impl<M, C: AnyColumn<M>> ColumnOf<M> for C {
    type Type = C::Type;

    fn column(self) -> Column<M, C::Type> {
        self.itself()
    }
}

/// A column of this model exactly.
#[doc(hidden)]
pub trait AnyColumn<M> {
    /// The type of the field.
    type Type;

    /// The column.
    fn itself(self) -> Column<M, Self::Type>;
}

impl<M, T> AnyColumn<M> for Column<M, T> {
    type Type = T;

    fn itself(self) -> Column<M, T> {
        self
    }
}

impl<M, T: Field> Column<M, T> {
    fn compare<S>(self, op: BinaryOp, other: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        let depth = other.depth();
        Expr::around(Node::binary(op, self.this(), compared(other, self.meta)), depth)
    }

    /// `column = value`
    pub fn eq<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Eq, value)
    }

    /// `column <> value`; not true where the column is NULL.
    pub fn ne<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Ne, value)
    }

    /// `column < value`
    pub fn lt<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Lt, value)
    }

    /// `column <= value`
    pub fn le<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Le, value)
    }

    /// `column > value`
    pub fn gt<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Gt, value)
    }

    /// `column >= value`
    pub fn ge<V: Operand<M, T::Inner>>(self, value: V) -> Expr<V::Over, bool> {
        self.compare(BinaryOp::Ge, value)
    }

    /// `column BETWEEN low AND high`, both included.
    pub fn between(self, low: impl Operand<M, T::Inner>, high: impl Operand<M, T::Inner>) -> Expr<M, bool> {
        let depth = low.depth().max(high.depth());
        let (low, high) = (compared(low, self.meta), compared(high, self.meta));
        Expr::around(Node::Between(Ref::new([self.this(), low, high])), depth)
    }

    /// `column IN (values)`; false when there is no value.
    pub fn is_in<V: Operand<M, T::Inner>>(self, values: impl IntoIterator<Item = V>) -> Expr<M, bool> {
        let mut depth = 1;
        let values = values.into_iter().map(|value| {
            depth = depth.max(value.depth());
            compared(value, self.meta)
        });
        let values: Many<Node> = values.collect();
        Expr::around(Node::In(Ref::new(self.this()), values), depth)
    }

    /// `NOT (column IN (values))`; true when there is no value.
    pub fn not_in<V: Operand<M, T::Inner>>(self, values: impl IntoIterator<Item = V>) -> Expr<M, bool> {
        !self.is_in(values)
    }
}

impl<M, T: Field> Column<M, Option<T>>
where
    Option<T>: Field,
{
    /// `column IS NULL`
    pub fn is_null(self) -> Expr<M, bool> {
        Expr::new(Node::Unary(UnaryOp::IsNull, Ref::new(self.this())))
    }

    /// `column IS NOT NULL`
    pub fn is_not_null(self) -> Expr<M, bool> {
        Expr::new(Node::Unary(UnaryOp::IsNotNull, Ref::new(self.this())))
    }
}

impl<M, T: Field<Inner = String>> Column<M, T> {
    /// `column LIKE pattern`: `%` is any text, `_` any character, `!` takes the next character as it is.
    pub fn like(self, pattern: &str) -> Expr<M, bool> {
        self.matches(pattern.to_owned())
    }

    /// The text has this part. `%` and `_` in it mean themselves.
    pub fn contains(self, part: &str) -> Expr<M, bool> {
        self.matches(format!("%{}%", literally(part)))
    }

    /// The text begins so. `%` and `_` in it mean themselves.
    pub fn starts_with(self, part: &str) -> Expr<M, bool> {
        let pattern = format!("{}%", literally(part));
        // A pattern that is bound tells the database nothing while it plans; a range lets it use an index.
        // Text that compares without case has another order, and no such range.
        let Some(end) = just_after(part).filter(|_| !self.meta.case_insensitive) else { return self.matches(pattern) };
        let text = |text: String| Node::Value(covet_drivers::value::Value::Text(text));
        Expr::new(Node::Prefix {
            text: Ref::new(self.this()),
            pattern: Ref::new(text(pattern)),
            range: Ref::new([text(part.to_owned()), text(end)]),
        })
    }

    /// The text ends so. `%` and `_` in it mean themselves.
    pub fn ends_with(self, part: &str) -> Expr<M, bool> {
        self.matches(format!("%{}", literally(part)))
    }

    fn matches(self, pattern: String) -> Expr<M, bool> {
        let operands = Ref::new([self.this(), Node::Value(covet_drivers::value::Value::Text(pattern))]);
        Expr::new(Node::Like { operands, fold: self.meta.case_insensitive })
    }
}

/// The first text, by code point, after all that begin with this one; `None` when there is none.
fn just_after(part: &str) -> Option<String> {
    let mut text = part.to_owned();
    while let Some(last) = text.pop() {
        // The code points between U+D7FF and U+E000 are no characters.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// The text with the characters that mean something in a pattern escaped.
fn literally(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            out.push('!');
        }
        out.push(c);
    }
    out
}

/// A column of the model `M`, reached from the scope `S` through a relation: `Post::author.at(User::active)`.
///
/// Every comparison becomes `EXISTS (SELECT 1 FROM users WHERE users.id = posts.author_id AND …)`,
/// so a row that points at nothing never matches.
pub struct Path<S, M, T> {
    relation: &'static RelationMeta,
    column: Column<M, T>,
    marker: PhantomData<fn() -> S>,
}

impl<S, M, T> Clone for Path<S, M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, M, T> Copy for Path<S, M, T> {}

impl<S, M, T> fmt::Debug for Path<S, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}.at({:?})", self.relation.model, self.relation.field, self.column)
    }
}

impl<S, M, T> Path<S, M, T> {
    pub(crate) fn new(relation: &'static RelationMeta, column: Column<M, T>) -> Self {
        Path { relation, column, marker: PhantomData }
    }

    fn through(self, condition: Expr<M, bool>) -> Expr<S, bool> {
        let depth = condition.depth();
        Expr::around(self.relation.exists(condition.into_node()), depth)
    }
}

impl<S, M, T: Field> Path<S, M, T> {
    /// The related row's column equals the value.
    pub fn eq(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Eq, value))
    }

    /// There is a related row, and its column differs from the value.
    pub fn ne(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Ne, value))
    }

    /// The related row's column is less than the value.
    pub fn lt(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Lt, value))
    }

    /// The related row's column is at most the value.
    pub fn le(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Le, value))
    }

    /// The related row's column is greater than the value.
    pub fn gt(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Gt, value))
    }

    /// The related row's column is at least the value.
    pub fn ge(self, value: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.compare(BinaryOp::Ge, value))
    }

    /// The related row's column lies between the values, both included.
    pub fn between(self, low: impl Operand<M, T::Inner>, high: impl Operand<M, T::Inner>) -> Expr<S, bool> {
        self.through(self.column.between(low, high))
    }

    /// The related row's column is one of the values.
    pub fn is_in<V: Operand<M, T::Inner>>(self, values: impl IntoIterator<Item = V>) -> Expr<S, bool> {
        self.through(self.column.is_in(values))
    }
}

impl<S, M, T: Field<Inner = String>> Path<S, M, T> {
    /// As [`Column::like`].
    pub fn like(self, pattern: &str) -> Expr<S, bool> {
        self.through(self.column.like(pattern))
    }

    /// As [`Column::contains`].
    pub fn contains(self, part: &str) -> Expr<S, bool> {
        self.through(self.column.contains(part))
    }

    /// As [`Column::starts_with`].
    pub fn starts_with(self, part: &str) -> Expr<S, bool> {
        self.through(self.column.starts_with(part))
    }

    /// As [`Column::ends_with`].
    pub fn ends_with(self, part: &str) -> Expr<S, bool> {
        self.through(self.column.ends_with(part))
    }
}

impl<S, M, T: Field> Path<S, M, Option<T>>
where
    Option<T>: Field,
{
    /// There is a related row, and its column is NULL.
    pub fn is_null(self) -> Expr<S, bool> {
        self.through(self.column.is_null())
    }

    /// There is a related row, and its column is not NULL.
    pub fn is_not_null(self) -> Expr<S, bool> {
        self.through(self.column.is_not_null())
    }
}
