//! Statements.

use crate::sql::{Many, Node};

/// Any statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `SELECT`
    Select(Select),
    /// `INSERT`
    Insert(Insert),
    /// `UPDATE`
    Update(Update),
    /// `DELETE`
    Delete(Delete),
}

/// `SELECT columns FROM table JOIN … WHERE … ORDER BY … LIMIT … OFFSET …`
#[derive(Clone, Debug)]
pub struct Select {
    /// What each row gives.
    pub columns: Many<Node>,
    /// The table.
    pub from: &'static str,
    /// Inner joins, in order; the first is source 1.
    pub joins: Many<Join>,
    /// Which rows.
    pub filter: Option<Node>,
    /// In which order.
    pub order: Many<Order>,
    /// How many at most.
    pub limit: Option<Count>,
    /// How many to pass over.
    pub offset: Option<Count>,
    /// Whether the rows are locked until the transaction ends.
    pub lock: bool,
}

impl Select {
    /// All rows of a table.
    pub fn new(from: &'static str, columns: impl Into<Many<Node>>) -> Self {
        Select {
            columns: columns.into(),
            from,
            joins: Many::EMPTY,
            filter: None,
            order: Many::EMPTY,
            limit: None,
            offset: None,
            lock: false,
        }
    }
}

/// An inner join.
#[derive(Clone, Debug)]
pub struct Join {
    /// The table.
    pub table: &'static str,
    /// Which rows belong together; sees the tables before it and itself.
    pub on: Node,
}

/// A number of rows.
#[derive(Clone, Debug)]
pub enum Count {
    /// Part of the text: for numbers that belong to the shape of the statement.
    Fixed(u64),
    /// Bound: for numbers that vary from call to call.
    Bound(Node),
}

/// One term of `ORDER BY`. Where nothing is said, NULL is smaller than every value, on every database.
#[derive(Clone, Debug)]
pub struct Order {
    /// What to order by.
    pub node: Node,
    /// Largest first.
    pub descending: bool,
    /// Where NULL goes, if the user said.
    pub nulls: Option<Nulls>,
    /// Whether NULL can occur.
    pub nullable: bool,
}

impl Order {
    /// Where NULL goes in fact.
    #[must_use]
    pub fn nulls(&self) -> Nulls {
        self.nulls.unwrap_or(if self.descending { Nulls::Last } else { Nulls::First })
    }
}

/// Where NULL goes in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Before every value.
    First,
    /// After every value.
    Last,
}

/// `INSERT INTO table (columns) VALUES (…), (…) … RETURNING …`
#[derive(Clone, Debug)]
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// The columns named.
    pub columns: Many<&'static str>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Node>>,
    /// What to do when a row is there already.
    pub conflict: Option<Conflict>,
    /// The columns to give back.
    pub returning: Many<&'static str>,
}

/// What an insert does when a row is there already.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The columns of the unique key that is meant.
    pub target: Many<&'static str>,
    /// What to do.
    pub action: OnConflict,
}

/// What to do with a row that is there already.
#[derive(Clone, Debug)]
pub enum OnConflict {
    /// Keep it.
    Nothing,
    /// Change it.
    Update(Many<Assignment>),
}

/// `column = value`
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The column.
    pub column: &'static str,
    /// Its new value; columns in it are those of the row before.
    pub value: Node,
}

/// `UPDATE table SET … WHERE … RETURNING …`
#[derive(Clone, Debug)]
pub struct Update {
    /// The table.
    pub table: &'static str,
    /// The changes.
    pub set: Many<Assignment>,
    /// Which rows; all when absent.
    pub filter: Option<Node>,
    /// The columns to give back.
    pub returning: Many<&'static str>,
}

/// `DELETE FROM table WHERE … RETURNING …`
#[derive(Clone, Debug)]
pub struct Delete {
    /// The table.
    pub table: &'static str,
    /// Which rows; all when absent.
    pub filter: Option<Node>,
    /// The columns to give back.
    pub returning: Many<&'static str>,
}

macro_rules! statement {
    ($($kind:ident)+) => {$(
        impl From<$kind> for Statement {
            fn from(statement: $kind) -> Self {
                Statement::$kind(statement)
            }
        }
    )+};
}

statement! { Select Insert Update Delete }
