//! How a database writes what the databases write differently.

use std::fmt;

use crate::error::Result;
use crate::render::Printer;
use crate::sql::{Assignment, Conflict, Count, Node, Order, Quoting};

/// The spellings of one database.
///
/// No method has a default: a database that wants the ordinary answer calls [`ansi`](crate::render::ansi)
/// by name, so that nothing is inherited in silence. A construct that the database lacks is an
/// `Unsupported` error that names construct and database; it is never left out.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// The name in files and messages: `postgres`, `mysql`, `sqlite`, or a plugin's own.
    fn name(&self) -> &'static str;

    /// How scripts quote, for cutting them into statements.
    fn quoting(&self) -> Quoting;

    /// Writes an identifier, quoted so that any text is exactly one identifier.
    fn identifier(&self, name: &str, out: &mut String);

    /// Writes the name of a table, behind that of its schema where it says one: see
    /// [`Qualified`](crate::catalog::Qualified).
    ///
    /// # Errors
    /// `Unsupported` when it says a schema and the database has none that a name could say.
    fn table(&self, name: &str, out: &mut String) -> Result<()>;

    /// Writes the placeholder of the n-th bound value, counted from 1.
    fn placeholder(&self, n: usize, out: &mut String);

    /// Writes a truth value that is a whole condition.
    fn truth(&self, value: bool, out: &mut String);

    /// The current time as a timestamp column holds it.
    fn now(&self) -> &'static str;

    /// Writes `text LIKE pattern` with the escape character `!`; with `fold`, case does not matter.
    ///
    /// # Errors
    /// `Unsupported` when the database has no such comparison.
    fn like<'t>(&self, printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node, fold: bool) -> Result<()>;

    /// Writes that a text begins with another, by code point: `text LIKE pattern`, and where text can be
    /// compared by code point whatever its column says, `text >= from AND text < to` for the index.
    ///
    /// # Errors
    /// Those of printing the operands.
    fn prefix<'t>(
        &self,
        printer: &mut Printer<'t>,
        text: &'t Node,
        pattern: &'t Node,
        from: &'t Node,
        to: &'t Node,
    ) -> Result<()>;

    /// Writes one term of `ORDER BY`, with NULL where the term says.
    ///
    /// # Errors
    /// Those of printing the term.
    fn order<'t>(&self, printer: &mut Printer<'t>, order: &'t Order) -> Result<()>;

    /// Writes `LIMIT` and `OFFSET`, with a space before each. At least one is present.
    ///
    /// # Errors
    /// Those of printing the numbers.
    fn limit<'t>(&self, printer: &mut Printer<'t>, limit: Option<&'t Count>, offset: Option<&'t Count>) -> Result<()>;

    /// Writes what follows the table when an insert names no column at all, with a space before it.
    fn empty_insert(&self, out: &mut String);

    /// Writes the default of a column as a value of an insert's row.
    ///
    /// # Errors
    /// `Unsupported` when a row cannot say `DEFAULT`.
    fn default_value(&self, out: &mut String) -> Result<()>;

    /// Writes what an insert does when the row is there already, with a space before it.
    ///
    /// # Errors
    /// `Unsupported` when the database cannot say it.
    fn conflict<'t>(&self, printer: &mut Printer<'t>, conflict: &'t Conflict) -> Result<()>;

    /// Writes the value that an upsert wanted to insert into the column.
    fn excluded(&self, column: &str, out: &mut String);

    /// Writes the assignments of an `UPDATE`. Each reads the row as it was before, whatever their order.
    ///
    /// # Errors
    /// Those of printing the values; `Unsupported` when the database would read a column that was
    /// written already.
    fn assignments<'t>(&self, printer: &mut Printer<'t>, set: &'t [Assignment]) -> Result<()>;

    /// Writes what locks the rows of a select until the transaction ends, with a space before it.
    ///
    /// # Errors
    /// `Unsupported` when the database locks no rows.
    fn lock(&self, out: &mut String) -> Result<()>;

    /// The function that gives back an integer and refuses any other number, for a database that does not
    /// stop by itself when integers leave their range on the way; empty where it does.
    fn whole(&self) -> &'static str;

    /// The function that rounds a number to a float of 32 bits and refuses one that leaves their range, for a database
    /// that has none of its own; empty where it has.
    fn single(&self) -> &'static str;

    /// Whether decimals of different scales can be compared and reckoned with each other.
    fn mixes_scales(&self) -> bool;

    /// The most digits of a decimal that can be added and subtracted exactly.
    fn decimal_digits(&self) -> u8;

    /// Whether a `DELETE` or `UPDATE` may read its own table in a subquery.
    fn reads_own_table(&self) -> bool;
}
