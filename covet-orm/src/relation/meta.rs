//! The static description of a relation.

use covet_drivers::sql::{BinaryOp, Join, Many, Node, Ref, Select};

use crate::model::{ColumnMeta, ModelMeta};
use crate::query::{correlated, exists};

/// A relation from one model to another.
#[derive(Debug)]
pub struct RelationMeta {
    /// The struct that has the relation.
    pub model: &'static str,
    /// The relation's field.
    pub field: &'static str,
    /// What kind it is.
    pub kind: RelationKind,
    /// The other model.
    pub target: fn() -> &'static ModelMeta,
    /// The column of this model that takes part: the foreign key, or what it points at.
    pub own: &'static ColumnMeta,
    /// The column of the other model that takes part.
    pub theirs: &'static ColumnMeta,
    /// The model between, for many-to-many.
    pub through: Option<Through>,
}

/// The model between the two ends of a many-to-many relation.
#[derive(Debug)]
pub struct Through {
    /// The model.
    pub model: fn() -> &'static ModelMeta,
    /// Its column that points here.
    pub own: &'static ColumnMeta,
    /// Its column that points at the other end.
    pub theirs: &'static ColumnMeta,
}

/// The kinds of relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// This row points at one other.
    BelongsTo,
    /// One other row points here, or none.
    HasOne,
    /// Any number of other rows point here.
    HasMany,
    /// Rows of a third model point at both.
    ManyToMany,
}

impl RelationMeta {
    /// `EXISTS` a related row for which the condition holds; the condition's columns are the other model's.
    pub(crate) fn exists(&self, condition: Node) -> Node {
        let table = (self.target)().table;
        match &self.through {
            None => exists(table, correlated(self.theirs.column, self.own.column), condition),
            Some(through) => {
                // The other model comes first, so that the condition's columns are its own.
                let mut select = Select::new(table, Many::EMPTY);
                let linked = Node::binary(
                    BinaryOp::Eq,
                    Node::Column { up: 0, source: 1, name: through.theirs.column },
                    Node::column(self.theirs.column),
                );
                select.joins = Many::from(vec![Join { table: (through.model)().table, on: linked }]);
                let mine = Node::binary(
                    BinaryOp::Eq,
                    Node::Column { up: 0, source: 1, name: through.own.column },
                    Node::Column { up: 1, source: 0, name: self.own.column },
                );
                select.filter = Some(mine.and(condition));
                Node::Exists(Ref::new(select))
            }
        }
    }
}
