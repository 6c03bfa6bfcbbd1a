//! The ordinary answers, to be called by name from a [`Dialect`](crate::render::Dialect).

use std::borrow::Cow;

use crate::catalog::Qualified;
use crate::error::{Error, Result};
use crate::render::Printer;
use crate::sql::{Assignment, Count, Node, Nulls, OnConflict, Order};

/// `"name"`, with quotes inside doubled.
pub fn identifier(name: &str, out: &mut String) {
    quoted(name, '"', out);
}

/// A name between two quotes of this kind, with quotes inside doubled.
pub fn quoted(name: &str, quote: char, out: &mut String) {
    out.push(quote);
    for c in name.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
}

/// The name of a table, behind that of its schema where it says one.
pub fn table(name: &str, out: &mut String) {
    // Most names are one part, which stands as it is.
    if !name.contains(['.', '"']) {
        return identifier(name, out);
    }
    out.push_str(&Qualified::of(name).sql(|part| {
        let mut quoted = String::with_capacity(part.len() + 2);
        identifier(part, &mut quoted);
        quoted
    }));
}

/// The name of a table without a schema, which this database has none of.
///
/// # Errors
/// `Unsupported` when it says one, with this help.
pub fn bare_table<'n>(name: &'n str, database: &str, help: &'static str) -> Result<Cow<'n, str>> {
    if !name.contains(['.', '"']) {
        return Ok(name.into());
    }
    let Qualified { schema, name: bare } = Qualified::of(name);
    match schema {
        None => Ok(bare),
        Some(schema) => Err(Error::unsupported(format_args!("the schema {schema} of the table {bare}"), database)
            .with_table(name)
            .with_help(help)),
    }
}

/// A text literal for DDL: `'text'`, with quotes inside doubled.
pub fn literal(text: &str, out: &mut String) {
    quoted(text, '\'', out);
}

/// `TRUE` or `FALSE`.
pub fn truth(value: bool, out: &mut String) {
    out.push_str(if value { "TRUE" } else { "FALSE" });
}

/// `text LIKE pattern ESCAPE '!'`
///
/// # Errors
/// Those of printing the operands.
pub fn like<'t>(printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node) -> Result<()> {
    printer.operand(text)?;
    printer.push(" LIKE ");
    printer.operand(pattern)?;
    printer.push(" ESCAPE '!'");
    Ok(())
}

/// ` AND text COLLATE c >= from AND text COLLATE c < to`, behind the pattern of a
/// [`prefix`](crate::render::Dialect::prefix); `collation` is the one that compares by code point.
///
/// # Errors
/// Those of printing the operands.
pub fn range<'t>(
    printer: &mut Printer<'t>,
    text: &'t Node,
    from: &'t Node,
    to: &'t Node,
    collation: &str,
) -> Result<()> {
    for (operator, end) in [(" >= ", from), (" < ", to)] {
        printer.push(" AND ");
        printer.operand(text)?;
        printer.push(" COLLATE ");
        printer.push(collation);
        printer.push(operator);
        printer.operand(end)?;
    }
    Ok(())
}

/// `term [DESC] [NULLS FIRST | NULLS LAST]`, the last part only where NULL can occur and
/// `smallest` (whether the database itself takes NULL for the smallest value) would put it elsewhere.
///
/// # Errors
/// Those of printing the term.
pub fn order<'t>(printer: &mut Printer<'t>, order: &'t Order, null_is_smallest: bool) -> Result<()> {
    printer.operand(&order.node)?;
    if order.descending {
        printer.push(" DESC");
    }
    let by_itself = if null_is_smallest == order.descending { Nulls::Last } else { Nulls::First };
    if order.nullable && order.nulls() != by_itself {
        printer.push(match order.nulls() {
            Nulls::First => " NULLS FIRST",
            Nulls::Last => " NULLS LAST",
        });
    }
    Ok(())
}

/// ` LIMIT n OFFSET m`, where a missing limit is written as `no_limit`, if the database needs one.
///
/// # Errors
/// Those of printing the numbers.
pub fn limit<'t>(
    printer: &mut Printer<'t>,
    limit: Option<&'t Count>,
    offset: Option<&'t Count>,
    no_limit: Option<&str>,
) -> Result<()> {
    match (limit, no_limit) {
        (Some(limit), _) => {
            printer.push(" LIMIT ");
            printer.count(limit)?;
        }
        (None, Some(word)) if offset.is_some() => {
            printer.push(" LIMIT ");
            printer.push(word);
        }
        (None, _) => {}
    }
    if let Some(offset) = offset {
        printer.push(" OFFSET ");
        printer.count(offset)?;
    }
    Ok(())
}

/// ` ON CONFLICT (columns) DO NOTHING | DO UPDATE SET …`
///
/// # Errors
/// Those of printing the assignments.
pub fn on_conflict<'t>(printer: &mut Printer<'t>, target: &[&'static str], action: &'t OnConflict) -> Result<()> {
    printer.push(" ON CONFLICT (");
    printer.names(target);
    printer.push(")");
    match action {
        OnConflict::Nothing => printer.push(" DO NOTHING"),
        OnConflict::Update(set) => {
            printer.push(" DO UPDATE SET ");
            assignments(printer, set)?;
        }
    }
    Ok(())
}

/// `"column" = value, …`
///
/// # Errors
/// Those of printing the values.
pub fn assignments<'t>(printer: &mut Printer<'t>, set: &'t [Assignment]) -> Result<()> {
    for (index, assignment) in set.iter().enumerate() {
        if index > 0 {
            printer.push(", ");
        }
        printer.name(assignment.column);
        printer.push(" = ");
        printer.assigned(&assignment.value)?;
    }
    Ok(())
}

/// `EXCLUDED."column"`
pub fn excluded(column: &str, out: &mut String, identifier: fn(&str, &mut String)) {
    out.push_str("EXCLUDED.");
    identifier(column, out);
}
