//! How PostgreSQL writes what the databases write differently.

use crate::error::Result;
use crate::render::{Dialect, Printer, ansi};
use crate::sql::{Assignment, Conflict, Count, Node, Order, Quoting};

/// The spellings of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub struct PostgresDialect;

/// The name, as in the files of a migration.
pub(crate) const NAME: &str = "postgres";

/// How PostgreSQL quotes, with `standard_conforming_strings` on, as Covet's sessions have it.
pub(crate) const QUOTING: Quoting = Quoting::POSTGRES;

impl Dialect for PostgresDialect {
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
        ansi::table(name, out);
        Ok(())
    }

    fn placeholder(&self, n: usize, out: &mut String) {
        out.push('$');
        out.push_str(&n.to_string());
    }

    fn truth(&self, value: bool, out: &mut String) {
        ansi::truth(value, out);
    }

    fn now(&self) -> &'static str {
        "now()"
    }

    /// Case matters: in the collation `C`, which every column can be compared in (one that ignores
    /// case has no `LIKE` of its own before PostgreSQL 18), and which indexes on `C` columns serve.
    /// Case does not matter: both sides in lower case by Unicode's rules.
    fn like<'t>(&self, printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node, fold: bool) -> Result<()> {
        let (open, close) =
            if fold { ("lower(", "::text COLLATE \"und-x-icu\")") } else { ("", "::text COLLATE \"C\"") };
        printer.push(open);
        printer.operand(text)?;
        printer.push(close);
        printer.push(" LIKE ");
        printer.push(open);
        printer.operand(pattern)?;
        printer.push(close);
        printer.push(" ESCAPE '!'");
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
        ansi::range(printer, text, from, to, "\"C\"")
    }

    fn order<'t>(&self, printer: &mut Printer<'t>, order: &'t Order) -> Result<()> {
        ansi::order(printer, order, false)
    }

    fn limit<'t>(&self, printer: &mut Printer<'t>, limit: Option<&'t Count>, offset: Option<&'t Count>) -> Result<()> {
        ansi::limit(printer, limit, offset, None)
    }

    fn empty_insert(&self, out: &mut String) {
        out.push_str(" DEFAULT VALUES");
    }

    fn default_value(&self, out: &mut String) -> Result<()> {
        out.push_str("DEFAULT");
        Ok(())
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

    fn lock(&self, out: &mut String) -> Result<()> {
        out.push_str(" FOR UPDATE");
        Ok(())
    }

    fn whole(&self) -> &'static str {
        ""
    }

    fn single(&self) -> &'static str {
        ""
    }

    fn mixes_scales(&self) -> bool {
        true
    }

    fn decimal_digits(&self) -> u8 {
        38
    }

    fn reads_own_table(&self) -> bool {
        true
    }
}
