//! How SQLite writes SQL.

use crate::error::{Error, Result};
use crate::render::{Dialect, Printer, ansi};
use crate::sql::{Assignment, Conflict, Count, Node, Order, Quoting};
use crate::sqlite::functions::{FOLD, SINGLE, WHOLE};

/// The spellings of SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteDialect;

/// The name in files and messages.
pub(super) const NAME: &str = "sqlite";

/// The name of the database itself.
pub(super) const PRODUCT: &str = "SQLite";

/// How scripts quote.
pub(super) const QUOTING: Quoting = Quoting::SQLITE;

/// The current time as a timestamp column holds it; SQLite's clock ticks in milliseconds.
pub(super) const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f000', 'now')";

/// What to do where a model is in a schema.
pub(super) const NO_SCHEMAS: &str = "a file of SQLite has no schemas: leave `schema` away; schemas are for PostgreSQL";

impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str {
        NAME
    }

    fn quoting(&self) -> Quoting {
        QUOTING
    }

    fn identifier(&self, name: &str, out: &mut String) {
        ansi::identifier(name, out);
    }

    fn table(&self, name: &str, out: &mut String) -> Result<()> {
        ansi::identifier(&ansi::bare_table(name, PRODUCT, NO_SCHEMAS)?, out);
        Ok(())
    }

    fn placeholder(&self, n: usize, out: &mut String) {
        out.push('?');
        out.push_str(&n.to_string());
    }

    fn truth(&self, value: bool, out: &mut String) {
        // `TRUE` would be a column where a table has one of that name.
        out.push(if value { '1' } else { '0' });
    }

    fn now(&self) -> &'static str {
        NOW
    }

    fn like<'t>(&self, printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node, fold: bool) -> Result<()> {
        // `PRAGMA case_sensitive_like` is on in every session, so LIKE itself does not fold.
        if !fold {
            return ansi::like(printer, text, pattern);
        }
        for (operand, then) in [(text, ") LIKE "), (pattern, ") ESCAPE '!'")] {
            printer.push(FOLD);
            printer.push("(");
            printer.node(operand)?;
            printer.push(then);
        }
        Ok(())
    }

    fn prefix<'t>(
        &self,
        printer: &mut Printer<'t>,
        text: &'t Node,
        pattern: &'t Node,
        from: &'t Node,
        to: &'t Node,
    ) -> Result<()> {
        self.like(printer, text, pattern, false)?;
        ansi::range(printer, text, from, to, "BINARY")
    }

    fn order<'t>(&self, printer: &mut Printer<'t>, order: &'t Order) -> Result<()> {
        ansi::order(printer, order, true)
    }

    fn limit<'t>(&self, printer: &mut Printer<'t>, limit: Option<&'t Count>, offset: Option<&'t Count>) -> Result<()> {
        ansi::limit(printer, limit, offset, Some("-1"))
    }

    fn empty_insert(&self, out: &mut String) {
        out.push_str(" DEFAULT VALUES");
    }

    fn default_value(&self, _: &mut String) -> Result<()> {
        Err(Error::unsupported("DEFAULT as a value in a row of an insert", PRODUCT)
            .with_help("leave the column out, or insert such rows in a statement of their own"))
    }

    fn conflict<'t>(&self, printer: &mut Printer<'t>, conflict: &'t Conflict) -> Result<()> {
        ansi::on_conflict(printer, &conflict.target, &conflict.action)
    }

    fn excluded(&self, column: &str, out: &mut String) {
        ansi::excluded(column, out, ansi::identifier);
    }

    fn assignments<'t>(&self, printer: &mut Printer<'t>, set: &'t [Assignment]) -> Result<()> {
        ansi::assignments(printer, set)
    }

    fn lock(&self, _: &mut String) -> Result<()> {
        // A writing transaction has the whole database to itself.
        Err(Error::unsupported("row locks", PRODUCT))
    }

    fn whole(&self) -> &'static str {
        // An integer that leaves its 64 bits becomes a float, with which SQLite would go on.
        WHOLE
    }

    fn single(&self) -> &'static str {
        SINGLE
    }

    fn mixes_scales(&self) -> bool {
        // They are integers, or texts that sort as numbers, and nothing in them says where the point is.
        false
    }

    fn decimal_digits(&self) -> u8 {
        // Longer ones are text that only sorts and compares as the numbers do.
        18
    }

    fn reads_own_table(&self) -> bool {
        true
    }
}
