//! The static description of a model. The derive writes it; everything else only reads it.

use covet_drivers::catalog::{Action, ColumnDefault, ColumnType, Expression, Generated, Qualified, Timing};
use covet_drivers::{Error, Result};

use crate::query::Texts;
use crate::relation::RelationMeta;
use crate::schema::model_of;

/// A model: its table, columns, keys and relations.
#[derive(Debug)]
pub struct ModelMeta {
    /// The struct's name.
    pub name: &'static str,
    /// The struct's path, for telling two structs of one name apart.
    pub path: &'static str,
    /// The table, behind its schema where it says one: see [`Qualified`].
    pub table: &'static str,
    /// The columns, in the order of the fields.
    pub columns: &'static [ColumnMeta],
    /// The columns of the primary key, as positions in `columns`.
    pub key: &'static [usize],
    /// Indexes, unique ones included.
    pub indexes: &'static [IndexMeta],
    /// The relations.
    pub relations: &'static [RelationMeta],
    /// The column of the optimistic lock, if there is one.
    pub version: Option<usize>,
    /// The column that an insert sets to the time of the insert (`timestamps`).
    pub created_at: Option<usize>,
    /// The column that every write sets to the time of the write (`timestamps`).
    pub updated_at: Option<usize>,
    /// The texts of the model's own statements, printed once a process.
    pub texts: Texts,
    /// What few models have.
    pub more: Option<&'static ModelMore>,
}

/// What few models have.
#[derive(Debug)]
pub struct ModelMore {
    /// What its owner says about the table.
    pub comment: Option<&'static str>,
    /// What must hold for each row, by name.
    pub checks: &'static [(CheckName, Expression)],
    /// Foreign keys of several columns.
    pub foreign_keys: &'static [ForeignKeyMeta],
    /// What the table was called before.
    pub renamed_from: Option<&'static str>,
}

/// How a check of a whole model is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckName {
    /// By a word, of which the name in the database is made.
    Word(&'static str),
    /// As the database calls it.
    Whole(&'static str),
}

/// A foreign key of several columns.
#[derive(Debug)]
pub struct ForeignKeyMeta {
    /// The columns, as positions.
    pub columns: &'static [usize],
    /// The table that it points at.
    pub table: &'static str,
    /// The fields of the other model, in the order of `columns`.
    pub fields: &'static [&'static str],
    /// What happens when the target row goes.
    pub on_delete: Action,
    /// What happens when the target key changes.
    pub on_update: Action,
    /// When it is checked.
    pub timing: Timing,
    /// The name in the database, where the user gave one.
    pub name: Option<&'static str>,
}

/// A column of a model. Nothing in it is dropped, so that the derive can begin with a plain one in a static and say
/// only what is special.
#[derive(Debug)]
pub struct ColumnMeta {
    /// The struct's name.
    pub model: &'static str,
    /// The field's name.
    pub field: &'static str,
    /// The column's name in the database.
    pub column: &'static str,
    /// The position in the model's columns.
    pub index: usize,
    /// The type.
    pub ty: &'static ColumnType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// What an insert that does not name it gets, by the database.
    pub default: Option<&'static ColumnDefault>,
    /// Whether the database numbers it.
    pub auto: bool,
    /// Whether an insert that does not name it gets a new UUID (version 7) from Covet.
    pub new_uuid: bool,
    /// Whether text compares without regard to case.
    pub case_insensitive: bool,
    /// The column that it points at.
    pub references: Option<&'static References>,
    /// Labels of the column's enum that were called otherwise: how, and how they are called now.
    pub relabels: &'static [(&'static str, &'static str)],
    /// What few columns have.
    pub more: Option<&'static ColumnMore>,
}

/// What few columns have.
#[derive(Debug)]
pub struct ColumnMore {
    /// What must hold for it in each row.
    pub check: Option<Expression>,
    /// How its value comes about, where nobody writes it.
    pub generated: Option<Generated>,
    /// What its owner says about it.
    pub comment: Option<&'static str>,
    /// What the column was called before.
    pub renamed_from: Option<&'static str>,
    /// What rows that exist get, where they need a value.
    pub backfill: Option<ColumnDefault>,
}

/// What the type of a field says of its column.
#[derive(Clone, Copy, Debug)]
pub struct ColumnKind {
    /// The type when no attribute says otherwise.
    pub ty: &'static ColumnType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Labels of an enum that were called otherwise: how, and how they are called now.
    pub relabels: &'static [(&'static str, &'static str)],
}

/// What a foreign key column points at.
#[derive(Clone, Copy, Debug)]
pub struct References {
    /// The table.
    pub table: &'static str,
    /// The field of the other model.
    pub field: &'static str,
    /// What happens when the target row goes.
    pub on_delete: Action,
    /// What happens when the target key changes.
    pub on_update: Action,
    /// When it is checked.
    pub timing: Timing,
    /// The name in the database, where the user gave one.
    pub name: Option<&'static str>,
}

/// An index of a model.
#[derive(Debug)]
pub struct IndexMeta {
    /// The name, where the user gave one.
    pub name: Option<&'static str>,
    /// The columns, as positions.
    pub columns: &'static [usize],
    /// Whether it is unique.
    pub unique: bool,
    /// What few indexes have.
    pub more: Option<&'static IndexMore>,
}

/// What few indexes have.
#[derive(Debug)]
pub struct IndexMore {
    /// What it is over, in order.
    pub terms: &'static [TermMeta],
    /// Which rows are in it.
    pub condition: Option<Expression>,
    /// Columns that it only includes, as positions.
    pub include: &'static [usize],
    /// How it is built, where it is no B-tree.
    pub method: Option<&'static str>,
    /// Whether NULLs agree in it.
    pub nulls_agree: bool,
    /// The operator classes of columns, as positions, where they are not those of their types.
    pub classes: &'static [(usize, &'static str)],
}

/// A term of an index.
#[derive(Debug)]
pub enum TermMeta {
    /// A column, as a position, and whether its greatest value stands first.
    Column(usize, bool),
    /// An expression.
    Expression(Expression),
}

impl IndexMeta {
    /// Whether it finds at most one row for values of its columns.
    #[must_use]
    pub fn finds_one(&self) -> bool {
        let plain = |more: &&IndexMore| {
            more.condition.is_none() && more.terms.iter().all(|term| matches!(term, TermMeta::Column(..)))
        };
        self.unique && self.more.as_ref().is_none_or(plain)
    }
}

impl References {
    /// A foreign key without anything special.
    #[must_use]
    pub const fn new(table: &'static str, field: &'static str) -> Self {
        References {
            table,
            field,
            on_delete: Action::NoAction,
            on_update: Action::NoAction,
            timing: Timing::Immediate,
            name: None,
        }
    }
}

impl ColumnMeta {
    /// Whether the database makes its value from other columns, so that nobody writes it.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.more.is_some_and(|more| more.generated.is_some())
    }

    /// The error, at this field of this model.
    #[must_use]
    pub fn at(&self, error: Error) -> Error {
        error.with_model(self.model).with_field(self.field)
    }

    /// The result, with an error placed at this field of this model.
    ///
    /// # Errors
    /// The one that came.
    pub fn place<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.at(error))
    }
}

impl ModelMeta {
    /// The error, at this model, and at the field whose column it names. A value that was refused may also
    /// be meant for a column of a related model.
    #[cold]
    #[must_use]
    pub fn at(&self, error: Error) -> Error {
        // A server names a table without its schema.
        let is_own = |table: &str| table == self.table || Qualified::of(self.table).name == table;
        let theirs = error.table().filter(|table| !is_own(table));
        match (theirs.map(model_of), error.argument()) {
            (None, _) => self.named(error),
            (Some(Some(related)), Some(_)) => related.named(error),
            (Some(_), _) => error.with_model(self.name),
        }
    }

    /// The error of a statement that binds one value for each of some columns, in their order.
    #[cold]
    pub(crate) fn at_value(&self, error: Error, column: impl Fn(usize) -> Option<usize>) -> Error {
        match error.argument().and_then(column).and_then(|index| self.columns.get(index)) {
            Some(column) => column.at(error),
            None => self.at(error),
        }
    }

    fn named(&self, error: Error) -> Error {
        match self.columns.iter().find(|column| error.column() == Some(column.column)) {
            Some(column) => column.at(error),
            None => error.with_model(self.name),
        }
    }

    /// The columns of the primary key.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static ColumnMeta> {
        self.key.iter().filter_map(|index| self.columns.get(*index))
    }

    /// Whether these columns (as positions, in any order) are the primary key or a unique index.
    #[must_use]
    pub fn is_unique(&self, columns: &[usize]) -> bool {
        let same = |unique: &[usize]| same_columns(unique, columns);
        same(self.key) || self.indexes.iter().any(|index| index.finds_one() && same(index.columns))
    }
}

/// Whether these are the same columns (as positions), in whatever order.
pub(crate) fn same_columns(some: &[usize], others: &[usize]) -> bool {
    some.len() == others.len() && some.iter().all(|column| others.contains(column))
}

/// The position of the column of this field; evaluated while compiling.
///
/// # Panics
/// While compiling, when there is none.
#[must_use]
#[track_caller] // so that rustc points at the user's word and not here
pub const fn column_named(columns: &[ColumnMeta], field: &str) -> usize {
    let mut index = 0;
    while index < columns.len() {
        if same(columns[index].field, field) {
            return index;
        }
        index += 1;
    }
    panic!("the field that `by` or `references` names is no column of the other model")
}

/// The position of the one column that points at a table; evaluated while compiling.
///
/// # Panics
/// While compiling, when there is none or more than one.
#[must_use]
#[track_caller]
pub const fn referencing(columns: &[ColumnMeta], table: &str) -> usize {
    let mut found = None;
    let mut index = 0;
    while index < columns.len() {
        if let Some(references) = columns[index].references
            && same(references.table, table)
        {
            if found.is_some() {
                panic!("the other model points here with more than one column: say which with `#[covet(by = field)]`")
            }
            found = Some(index);
        }
        index += 1;
    }
    match found {
        Some(index) => index,
        None => panic!("the other model has no column that points here: give it one with `#[covet(references = …)]`"),
    }
}

/// The column among these at which another model's column points; evaluated while compiling. A column
/// that points at nothing is taken to mean the first.
///
/// # Panics
/// While compiling, when there is none.
#[must_use]
#[track_caller]
pub const fn pointed_at(columns: &'static [ColumnMeta], pointing: &ColumnMeta) -> &'static ColumnMeta {
    match pointing.references {
        Some(references) => &columns[column_named(columns, references.field)],
        None => &columns[0],
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}
