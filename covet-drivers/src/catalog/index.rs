//! Indexes and what they are over.

use serde::{Deserialize, Serialize};

use crate::catalog::Expression;
use crate::catalog::column::is_false;

/// An index. A unique constraint is a unique index: one notion, spelled alike on every database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The name in the database.
    pub name: String,
    /// What it is over, in order.
    #[serde(rename = "columns")]
    pub terms: Vec<Term>,
    /// Whether no two rows may agree in all terms (NULLs never agree, unless `nulls_agree`).
    #[serde(default)]
    pub unique: bool,
    /// Which rows are in it; all of them when absent.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Expression>,
    /// Columns that lie in it and by which nothing is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// How it is built, where it is no B-tree: `gin`, `gist`, `brin`, `hash`.
    #[serde(default, rename = "using", skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether two NULLs agree.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nulls_agree: bool,
}

/// One term of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Term {
    /// A column or an expression.
    pub over: Over,
    /// Whether the greatest value stands first.
    pub descending: bool,
    /// The operator class, where it is not the type's own.
    pub class: Option<String>,
}

/// What a term of an index is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// A column.
    Column(String),
    /// An expression.
    Expression(Expression),
}

impl Index {
    /// An index over these columns.
    pub fn new<S: Into<String>>(name: impl Into<String>, columns: impl IntoIterator<Item = S>, unique: bool) -> Self {
        Index {
            name: name.into(),
            terms: columns.into_iter().map(|column| Term::column(column)).collect(),
            unique,
            ..Index::default()
        }
    }

    /// Its terms that are columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(Term::as_column)
    }

    /// The names of its terms that are columns.
    #[must_use]
    pub fn column_names(&self) -> Vec<String> {
        self.columns().map(str::to_owned).collect()
    }

    /// Whether the column lies in it.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns().any(|name| name == column) || self.include.iter().any(|name| name == column)
    }

    /// Whether the column lies in it, or one of its expressions or its condition names it.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        self.has(column) || self.reads(column)
    }

    /// Whether one of its expressions or its condition names the column.
    #[must_use]
    pub fn reads(&self, column: &str) -> bool {
        let expressions = self.terms.iter().filter_map(|term| match &term.over {
            Over::Expression(expression) => Some(expression),
            Over::Column(_) => None,
        });
        expressions.chain(&self.condition).any(|expression| expression.mentions(column))
    }

    /// Whether it keeps these columns, in any order, unique together: a foreign key can point at them.
    #[must_use]
    pub fn keeps_unique(&self, columns: &[String]) -> bool {
        self.unique
            && self.condition.is_none()
            && self.terms.len() == columns.len()
            && columns.iter().all(|column| self.columns().any(|name| name == column))
    }

    /// Whether it begins with these columns, for every row.
    #[must_use]
    pub fn leads(&self, columns: &[String]) -> bool {
        self.condition.is_none()
            && self.method.is_none()
            && self.terms.len() >= columns.len()
            && self.terms.iter().zip(columns).all(|(term, column)| term.as_column() == Some(column))
    }

    /// Whether it is the same but for how its expressions are spelled.
    #[must_use]
    pub fn means(&self, other: &Index) -> bool {
        let same = |a: &Option<Expression>, b: &Option<Expression>| match (a, b) {
            (Some(a), Some(b)) => a.means(b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let terms = self.terms.iter().zip(&other.terms).all(|(a, b)| {
            let over = match (&a.over, &b.over) {
                (Over::Expression(a), Over::Expression(b)) => a.means(b),
                (a, b) => a == b,
            };
            over && (a.descending, &a.class) == (b.descending, &b.class)
        });
        let plain = |index: &Index| (index.name.clone(), index.unique, index.include.clone(), index.nulls_agree);
        plain(self) == plain(other)
            && self.method == other.method
            && self.terms.len() == other.terms.len()
            && terms
            && same(&self.condition, &other.condition)
    }

    /// Changes every expression.
    pub(super) fn expressions(&mut self, change: &mut dyn FnMut(&mut Expression)) {
        self.condition.iter_mut().for_each(&mut *change);
        for term in &mut self.terms {
            if let Over::Expression(expression) = &mut term.over {
                change(expression);
            }
        }
    }

    /// A column has another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        let columns = self.terms.iter_mut().filter_map(|term| match &mut term.over {
            Over::Column(name) => Some(name),
            Over::Expression(_) => None,
        });
        for name in columns.chain(&mut self.include).filter(|name| *name == from) {
            to.clone_into(name);
        }
        self.expressions(&mut |expression| *expression = expression.renamed(from, to));
    }
}

impl Term {
    /// A column, the smallest value first.
    pub fn column(name: impl Into<String>) -> Self {
        Term { over: Over::Column(name.into()), descending: false, class: None }
    }

    /// An expression, the smallest value first.
    #[must_use]
    pub fn expression(expression: Expression) -> Self {
        Term { over: Over::Expression(expression), descending: false, class: None }
    }

    /// The column, if it is one.
    #[must_use]
    pub fn as_column(&self) -> Option<&str> {
        match &self.over {
            Over::Column(name) => Some(name),
            Over::Expression(_) => None,
        }
    }
}

/// A term as it is written: a column that has nothing else is its name alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Name(String),
    Column {
        column: String,
        #[serde(default, skip_serializing_if = "is_false")]
        descending: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    Expression {
        expression: Expression,
        #[serde(default, skip_serializing_if = "is_false")]
        descending: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
}

impl From<Form> for Term {
    fn from(form: Form) -> Self {
        match form {
            Form::Name(name) => Term::column(name),
            Form::Column { column, descending, class } => Term { over: Over::Column(column), descending, class },
            Form::Expression { expression, descending, class } => {
                Term { over: Over::Expression(expression), descending, class }
            }
        }
    }
}

impl From<Term> for Form {
    fn from(Term { over, descending, class }: Term) -> Self {
        match over {
            Over::Column(name) if !descending && class.is_none() => Form::Name(name),
            Over::Column(column) => Form::Column { column, descending, class },
            Over::Expression(expression) => Form::Expression { expression, descending, class },
        }
    }
}
