//! How tin writes: the ordinary answers, and no comparison without case.

use covet_drivers::render::{Dialect, Printer, ansi};
use covet_drivers::sql::{Assignment, Conflict, Count, Node, Order, Quoting};
use covet_drivers::{Error, Result};

#[derive(Debug)]
pub(crate) struct TinDialect;

pub(crate) const PRODUCT: &str = "Tin";

pub(crate) const QUOTING: Quoting = Quoting { backtick: true, ..Quoting::ANSI };

impl Dialect for TinDialect {
    fn name(&self) -> &'static str {
        "tin"
    }

    fn quoting(&self) -> Quoting {
        QUOTING
    }

    fn identifier(&self, name: &str, out: &mut String) {
        ansi::identifier(name, out);
    }

    fn table(&self, name: &str, out: &mut String) -> Result<()> {
        ansi::identifier(&ansi::bare_table(name, PRODUCT, "leave `schema` away")?, out);
        Ok(())
    }

    fn placeholder(&self, n: usize, out: &mut String) {
        out.push_str(&format!("?{n}"));
    }

    fn truth(&self, value: bool, out: &mut String) {
        out.push(if value { '1' } else { '0' });
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    }

    fn like<'t>(&self, printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node, fold: bool) -> Result<()> {
        if fold {
            return Err(Error::unsupported("a comparison without regard to case", PRODUCT));
        }
        ansi::like(printer, text, pattern)
    }

    fn prefix<'t>(
        &self,
        printer: &mut Printer<'t>,
        text: &'t Node,
        pattern: &'t Node,
        _: &'t Node,
        _: &'t Node,
    ) -> Result<()> {
        self.like(printer, text, pattern, false)
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
        Err(Error::unsupported("DEFAULT in a row of an insert", PRODUCT))
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
        Err(Error::unsupported("row locks", PRODUCT))
    }

    fn whole(&self) -> &'static str {
        ""
    }

    fn single(&self) -> &'static str {
        ""
    }

    fn mixes_scales(&self) -> bool {
        false
    }

    fn decimal_digits(&self) -> u8 {
        18
    }

    fn reads_own_table(&self) -> bool {
        true
    }
}
