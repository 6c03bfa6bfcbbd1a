//! Decisions: what the user said about differences that have more than one meaning.

use std::fmt;
use std::str::FromStr;

use covet_drivers::catalog::{ColumnDefault, Qualified};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::diff::literal;
use crate::schema::diff::names::{Piece, pieces, quote, show, show_qualified};

/// A decision. Its text is what `--decide` takes and what `plan.toml` keeps.
///
/// Names with blanks, dots or quotes stand in double quotes; a text value stands in single quotes.
///
/// ```
/// use covet_orm::schema::Decision;
/// let decision: Decision = "rename column users.name to full_name".parse()?;
/// assert_eq!(decision.to_string(), "rename column users.name to users.full_name");
/// # Ok::<(), covet_drivers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// `drop table t`: the table goes, with its rows.
    DropTable(String),
    /// `rename table a to b`: the rows stay.
    RenameTable {
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// `drop schema s`: it goes; what else is in it stops the migration.
    DropSchema(String),
    /// `keep schema s`: it stays although nothing of the models is left in it.
    KeepSchema(String),
    /// `table t is empty`: columns may be added that rows would need a value for; rows stop the migration.
    TableIsEmpty(String),
    /// `drop column t.c`: the column goes, with its values.
    DropColumn {
        /// The table, as it is called afterwards.
        table: String,
        /// The column.
        column: String,
    },
    /// `rename column t.a to t.b`: the values stay.
    RenameColumn {
        /// The table, as it is called afterwards.
        table: String,
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// `backfill t.c with 0`: what rows that exist get in place of nothing or NULL.
    Backfill {
        /// The table, as it is called afterwards.
        table: String,
        /// The column.
        column: String,
        /// The value.
        value: ColumnDefault,
    },
    /// `no nulls in t.c`: the column may stop to allow NULL; a NULL stops the migration.
    NoNulls {
        /// The table, as it is called afterwards.
        table: String,
        /// The column.
        column: String,
    },
    /// `drop label 'x' of e`: the enum loses a label; a row that has it stops the migration.
    DropLabel {
        /// The enum.
        ty: String,
        /// The label.
        label: String,
    },
    /// `map label 'x' of e to 'y'`: the enum loses a label, and rows that have it get another; a label that is
    /// renamed is mapped to its new name.
    MapLabel {
        /// The enum.
        ty: String,
        /// The label that goes.
        label: String,
        /// The label that takes its place.
        to: String,
    },
    /// `narrow t.c`: the column may get a type that cannot hold every value; a value that does not fit stops the migration.
    Narrow {
        /// The table, as it is called afterwards.
        table: String,
        /// The column.
        column: String,
    },
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::DropTable(table) => write!(f, "drop table {}", show_qualified(table)),
            Decision::RenameTable { from, to } => {
                write!(f, "rename table {} to {}", show_qualified(from), show_qualified(to))
            }
            Decision::DropSchema(schema) => write!(f, "drop schema {}", show(schema)),
            Decision::KeepSchema(schema) => write!(f, "keep schema {}", show(schema)),
            Decision::TableIsEmpty(table) => write!(f, "table {} is empty", show_qualified(table)),
            Decision::DropColumn { table, column } => write!(f, "drop column {}", place(table, column)),
            Decision::RenameColumn { table, from, to } => {
                write!(f, "rename column {} to {}", place(table, from), place(table, to))
            }
            Decision::Backfill { table, column, value } => {
                write!(f, "backfill {} with {}", place(table, column), literal::show(value))
            }
            Decision::NoNulls { table, column } => write!(f, "no nulls in {}", place(table, column)),
            Decision::Narrow { table, column } => write!(f, "narrow {}", place(table, column)),
            Decision::DropLabel { ty, label } => {
                write!(f, "drop label {} of {}", quote(label, '\''), show_qualified(ty))
            }
            Decision::MapLabel { ty, label, to } => {
                write!(f, "map label {} of {} to {}", quote(label, '\''), show_qualified(ty), quote(to, '\''))
            }
        }
    }
}

impl Decision {
    /// `table.column`, as decisions write it.
    pub(crate) fn place(table: &str, column: &str) -> String {
        place(table, column)
    }
}

/// `table.column`, as decisions write it.
pub(super) fn place(table: &str, column: &str) -> String {
    format!("{}.{}", show_qualified(table), show(column))
}

/// What a decision can look like, for whoever mistyped one.
const FORMS: &str = "decisions are: `drop table t`, `rename table a to b`, `table t is empty`, `drop column t.c`, \
    `rename column t.a to t.b`, `backfill t.c with 0`, `no nulls in t.c`, `narrow t.c`, \
    `drop label 'x' of e`, `map label 'x' of e to 'y'`, `drop schema s`, `keep schema s`; a table in a schema is `s.t`";

impl FromStr for Decision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("`{}` is no decision", text.trim())).with_help(FORMS)
        })
    }
}

fn parse(text: &str) -> Option<Decision> {
    let pieces = pieces(text)?;
    let mut rest = Rest(&pieces);
    let decision = if rest.words(&["drop", "table"]) {
        Decision::DropTable(rest.qualified()?)
    } else if rest.words(&["drop", "schema"]) {
        Decision::DropSchema(rest.name()?)
    } else if rest.words(&["keep", "schema"]) {
        Decision::KeepSchema(rest.name()?)
    } else if rest.words(&["drop", "column"]) {
        let (table, column) = rest.place()?;
        Decision::DropColumn { table, column }
    } else if rest.words(&["drop", "label"]) {
        let label = rest.text()?;
        rest.words(&["of"]).then_some(())?;
        Decision::DropLabel { ty: rest.qualified()?, label }
    } else if rest.words(&["map", "label"]) {
        let label = rest.text()?;
        rest.words(&["of"]).then_some(())?;
        let ty = rest.qualified()?;
        rest.words(&["to"]).then_some(())?;
        Decision::MapLabel { ty, label, to: rest.text()? }
    } else if rest.words(&["rename", "table"]) {
        let from = rest.qualified()?;
        rest.words(&["to"]).then_some(())?;
        Decision::RenameTable { from, to: rest.qualified()? }
    } else if rest.words(&["rename", "column"]) {
        let (table, from) = rest.place()?;
        rest.words(&["to"]).then_some(())?;
        let (place, to) = rest.parts()?;
        place.is_none_or(|place| place == table).then_some(())?;
        Decision::RenameColumn { table, from, to }
    } else if rest.words(&["backfill"]) {
        let (table, column) = rest.place()?;
        rest.words(&["with"]).then_some(())?;
        let (value, left) = rest.0.split_first()?;
        rest.0 = left;
        Decision::Backfill { table, column, value: literal::read(value)? }
    } else if rest.words(&["no", "nulls", "in"]) {
        let (table, column) = rest.place()?;
        Decision::NoNulls { table, column }
    } else if rest.words(&["narrow"]) {
        let (table, column) = rest.place()?;
        Decision::Narrow { table, column }
    } else if rest.words(&["table"]) {
        let table = rest.qualified()?;
        rest.words(&["is", "empty"]).then_some(())?;
        Decision::TableIsEmpty(table)
    } else {
        return None;
    };
    rest.0.is_empty().then_some(decision)
}

/// What is left to read.
struct Rest<'p>(&'p [Piece]);

impl Rest<'_> {
    /// Passes over these words when they are next.
    fn words(&mut self, words: &[&str]) -> bool {
        let next = self.0.get(..words.len()).is_some_and(|pieces| {
            pieces
                .iter()
                .zip(words)
                .all(|(piece, word)| matches!(piece, Piece::Word(w) if w.eq_ignore_ascii_case(word)))
        });
        if next {
            self.0 = self.0.get(words.len()..).unwrap_or_default();
        }
        next
    }

    fn name(&mut self) -> Option<String> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        match first {
            Piece::Word(name) | Piece::Name(name) => Some(name.clone()),
            Piece::Text(_) | Piece::Dot => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        match first {
            Piece::Text(text) => Some(text.clone()),
            Piece::Word(_) | Piece::Name(_) | Piece::Dot => None,
        }
    }

    fn dot(&mut self) -> bool {
        let dot = self.0.first() == Some(&Piece::Dot);
        if dot {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        dot
    }

    /// `t`, or `s.t`.
    fn qualified(&mut self) -> Option<String> {
        let (schema, name) = self.two()?;
        Some(Qualified::text(schema.as_deref(), &name))
    }

    /// `t.c`, or `s.t.c`.
    fn place(&mut self) -> Option<(String, String)> {
        let (table, column) = self.parts()?;
        Some((table?, column))
    }

    /// `c`, `t.c`, or `s.t.c`.
    fn parts(&mut self) -> Option<(Option<String>, String)> {
        let (first, second) = self.two()?;
        if !self.dot() {
            return Some((first.map(|table| Qualified::text(None, &table)), second));
        }
        Some((Some(Qualified::text(Some(&first?), &second)), self.name()?))
    }

    /// A name, and the one before it.
    fn two(&mut self) -> Option<(Option<String>, String)> {
        let first = self.name()?;
        if self.dot() { Some((Some(first), self.name()?)) } else { Some((None, first)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Decision;

    #[test]
    fn texts_come_back() {
        for text in [
            "drop table users",
            "rename table users to accounts",
            "table users is empty",
            "drop column users.name",
            "rename column users.name to users.full_name",
            "backfill users.age with -42",
            "backfill users.score with 1.5",
            "backfill users.active with true",
            "backfill users.name with 'it''s \"x\" .'",
            "backfill users.at with now",
            "no nulls in users.name",
            "narrow users.age",
            "drop label 'it''s' of role",
            "map label 'a' of \"my role\" to 'b'",
            "drop column \"a.b\".\"c \"\" d\"",
            "rename table \"1x\" to naïve",
            "rename table users to billing.users",
            "drop table \"my schema\".\"a.b\"",
            "table billing.users is empty",
            "drop column billing.users.name",
            "rename column billing.users.name to billing.users.full_name",
            "backfill billing.users.age with 1.5",
            "drop label 'a' of billing.role",
            "drop schema billing",
            "keep schema \"a.b\"",
        ] {
            assert_eq!(text.parse::<Decision>().unwrap().to_string(), text);
        }
        assert_eq!("rename column t.a to b".parse::<Decision>().unwrap().to_string(), "rename column t.a to t.b");
        let inside = "rename column s.t.a to b".parse::<Decision>().unwrap();
        assert_eq!(inside.to_string(), "rename column s.t.a to s.t.b");
    }

    #[test]
    fn anything_else_is_refused_and_shows_the_forms() {
        for text in [
            "",
            "drop",
            "drop table",
            "drop table a b",
            "drop column a",
            "rename column t.a to u.b",
            "rename column s.t.a to t.b",
            "drop table a.b.c",
            "drop column a.b.c.d",
            "drop schema a.b",
            "backfill t.c with",
            "backfill t.c with x",
            "backfill t.c with 1 2",
            "narrow 't'.c",
            "drop table \"a",
            "not a rename t.a",
        ] {
            let error = text.parse::<Decision>().unwrap_err().to_string();
            assert!(error.contains("is no decision") && error.contains("backfill t.c with 0"), "{text}: {error}");
        }
    }
}
