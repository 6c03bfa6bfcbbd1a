//! Texts of a model's own statements, printed once a process and dialect.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::{OnceLock, PoisonError, RwLock};

use covet_drivers::Result;
use covet_drivers::render::{Dialect, print};
use covet_drivers::sql::{Many, Node, Statement};

use crate::model::Record;

/// Where a model keeps the texts of its own statements. They stay for the life of the process: there are as
/// many of them as the program has ways to write the model.
#[derive(Debug)]
pub struct Texts {
    /// The statement that comes most often, for the dialect that asked first: mostly there is no other.
    find_by_key: OnceLock<(&'static str, &'static str)>,
    texts: RwLock<BTreeMap<(&'static str, Shape), &'static str>>,
    columns: OnceLock<Vec<Node>>,
}

/// A statement of which each model has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Find by the primary key.
    FindByKey,
    /// Find by the unique index at this position.
    FindByIndex(usize),
    /// Whether a row with the primary key exists.
    ExistsByKey,
    /// Insert with this set of columns, one bit a column, giving the row back or not.
    Insert { columns: u64, returning: bool },
    /// Write every column.
    Save,
    /// Delete by key.
    Delete,
}

impl Texts {
    /// Nothing printed yet.
    #[must_use]
    pub const fn new() -> Self {
        Texts { find_by_key: OnceLock::new(), texts: RwLock::new(BTreeMap::new()), columns: OnceLock::new() }
    }

    /// The text of a shape, printed when it is wanted for the first time.
    pub(crate) fn text(
        &self,
        shape: Shape,
        dialect: &dyn Dialect,
        statement: impl FnOnce() -> Statement,
    ) -> Result<&'static str> {
        let name = dialect.name();
        if shape == Shape::FindByKey
            && let Some((first, text)) = self.find_by_key.get()
            && ptr::eq(*first, name)
        {
            return Ok(text);
        }
        self.search((name, shape), dialect, statement)
    }

    fn search(
        &self,
        key: (&'static str, Shape),
        dialect: &dyn Dialect,
        statement: impl FnOnce() -> Statement,
    ) -> Result<&'static str> {
        if let Some(text) = self.texts.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(text);
        }
        let printed = print(&statement(), dialect)?.sql;
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have printed it meanwhile.
        let text = texts.entry(key).or_insert_with(|| printed.leak());
        if key.1 == Shape::FindByKey {
            let _ = self.find_by_key.set((key.0, text));
        }
        Ok(text)
    }
}

impl Default for Texts {
    fn default() -> Self {
        Texts::new()
    }
}

/// The columns of a model, for the list of a select; made once a process.
pub(crate) fn columns_of<M: Record>() -> Many<Node> {
    let nodes = M::meta().texts.columns.get_or_init(|| M::COLUMNS.iter().map(|c| Node::column(c.column)).collect());
    Many::Static(nodes)
}

/// The columns' names, for `RETURNING`.
pub(crate) fn names_of<M: Record>() -> Many<&'static str> {
    M::COLUMNS.iter().map(|column| column.column).collect()
}

/// `column = ?` for each of the columns, with arguments from this number on.
pub(crate) fn keyed<M: Record>(columns: &[usize], first: u16) -> Node {
    let mut terms = columns.iter().filter_map(|index| M::COLUMNS.get(*index)).zip(first..).map(|(column, number)| {
        Node::binary(covet_drivers::sql::BinaryOp::Eq, Node::column(column.column), Node::Arg(number))
    });
    match (terms.next(), terms.next()) {
        (Some(only), None) => only,
        (a, b) => Node::All(a.into_iter().chain(b).chain(terms).collect()),
    }
}
