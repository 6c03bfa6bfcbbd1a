//! Checks and indexes that read a column while it gets another type.
//!
//! The server writes their expressions anew by itself, with casts to the old type in them: what comes of it is not what
//! a new database has. So they go for the while, and come back as they were said, which costs the same.

use crate::catalog::{Index, Over, Table};
use crate::contract::Step;
use crate::error::Result;
use crate::postgres::ddl::plan::{Plan, check};
use crate::postgres::types::{beside, qualified};

impl Plan {
    /// The checks and indexes of a table with an expression over the column; a table of them alone.
    pub(super) fn readers(&mut self, table: &str, column: &str) -> Result<Table> {
        let mut readers = self.table(table)?.clone();
        readers.checks.retain(|check| check.expression.mentions(column));
        readers.indexes.retain(|index| reads(index, column));
        Ok(readers)
    }

    pub(super) fn drop_readers(&mut self, readers: &Table) {
        for check in &readers.checks {
            self.drop_constraint(&readers.name, &check.name);
        }
        for index in &readers.indexes {
            let mut step = Step::new(format!("DROP INDEX {}", beside(&readers.name, &index.name)));
            step.note = String::from("it is made again, because its expression reads what gets another type");
            self.steps.push(step);
        }
    }

    pub(super) fn restore_readers(&mut self, readers: &Table) -> Result<()> {
        for known in &readers.checks {
            self.sql(format!("ALTER TABLE {} ADD {}", qualified(&readers.name), check(known)));
        }
        readers.indexes.iter().try_for_each(|index| self.create_index(&readers.name, index))
    }
}

fn reads(index: &Index, column: &str) -> bool {
    let expressions = index.terms.iter().filter_map(|term| match &term.over {
        Over::Expression(expression) => Some(expression),
        Over::Column(_) => None,
    });
    expressions.chain(&index.condition).any(|expression| expression.mentions(column))
}
