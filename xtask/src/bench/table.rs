//! The result, as a table of ratios.

use std::fmt;

use super::Pair;
use super::plan::{Case, Database};

/// What was measured.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

struct Row {
    database: &'static str,
    raw: &'static str,
    case: &'static str,
    instructions: Option<Pair>,
    wall: Pair,
}

impl Table {
    pub(super) fn new() -> Self {
        Table::default()
    }

    pub(super) fn add(
        &mut self,
        database: &'static Database,
        case: &'static Case,
        instructions: Option<Pair>,
        wall: Pair,
    ) {
        self.0.push(Row { database: database.name, raw: database.raw, case: case.name, instructions, wall });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for row in &self.0 {
            if row.database != last {
                last = row.database;
                writeln!(f, "\n{} (raw: {})\n", row.database, row.raw)?;
                writeln!(f, "| case | instructions | raw | ratio | µs, pinned | raw | ratio |")?;
                writeln!(f, "|---|---|---|---|---|---|---|")?;
            }
            write!(f, "| {} |", row.case)?;
            match row.instructions {
                Some(Pair { covet, raw }) => write!(f, " {covet:.0} | {raw:.0} | {:.2} |", covet / raw)?,
                None => write!(f, " | | |")?,
            }
            let Pair { covet, raw } = row.wall;
            writeln!(f, " {:.2} | {:.2} | {:.2} |", covet / 1000.0, raw / 1000.0, covet / raw)?;
        }
        Ok(())
    }
}
