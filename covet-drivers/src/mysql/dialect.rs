//! How MySQL and MariaDB write SQL.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::render::{Dialect, Printer, ansi};
use crate::sql::{Assignment, Conflict, Count, Node, Nulls, OnConflict, Order, Quoting};

/// The dialect of MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub struct MySqlDialect;

/// The name, as in the files of a migration; both products share them.
pub(crate) const NAME: &str = "mysql";

/// What to do where a model is in a schema.
pub(crate) const NO_SCHEMAS: &str =
    "on MySQL a schema is a database: connect to that one, and leave `schema` away; schemas are for PostgreSQL";

impl Dialect for MySqlDialect {
    fn name(&self) -> &'static str {
        NAME
    }

    fn quoting(&self) -> Quoting {
        QUOTING
    }

    fn identifier(&self, name: &str, out: &mut String) {
        ansi::quoted(name, '`', out);
    }

    fn table(&self, name: &str, out: &mut String) -> Result<()> {
        self.identifier(&ansi::bare_table(name, "MySQL", NO_SCHEMAS)?, out);
        Ok(())
    }

    fn placeholder(&self, _: usize, out: &mut String) {
        out.push('?');
    }

    fn truth(&self, value: bool, out: &mut String) {
        ansi::truth(value, out);
    }

    fn now(&self) -> &'static str {
        "UTC_TIMESTAMP(6)"
    }

    fn like<'t>(&self, printer: &mut Printer<'t>, text: &'t Node, pattern: &'t Node, fold: bool) -> Result<()> {
        if !fold {
            return ansi::like(printer, text, pattern);
        }
        printer.push("LOWER(");
        printer.node(text)?;
        printer.push(") LIKE LOWER(");
        printer.node(pattern)?;
        printer.push(") ESCAPE '!'");
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
        // Which collation has the order of code points is not the same on both products.
        let _ = (from, to);
        self.like(printer, text, pattern, false)
    }

    fn order<'t>(&self, printer: &mut Printer<'t>, order: &'t Order) -> Result<()> {
        // NULL is the smallest value; there is no NULLS FIRST, so a term before the term moves it.
        let by_itself = if order.descending { Nulls::Last } else { Nulls::First };
        if order.nullable && order.nulls() != by_itself {
            printer.operand(&order.node)?;
            printer.push(match order.nulls() {
                Nulls::First => " IS NULL DESC, ",
                Nulls::Last => " IS NULL, ",
            });
        }
        printer.operand(&order.node)?;
        if order.descending {
            printer.push(" DESC");
        }
        Ok(())
    }

    fn limit<'t>(&self, printer: &mut Printer<'t>, limit: Option<&'t Count>, offset: Option<&'t Count>) -> Result<()> {
        ansi::limit(printer, limit, offset, Some("18446744073709551615"))
    }

    fn empty_insert(&self, out: &mut String) {
        out.push_str(" () VALUES ()");
    }

    fn default_value(&self, out: &mut String) -> Result<()> {
        out.push_str("DEFAULT");
        Ok(())
    }

    /// The key that is meant cannot be said: a conflict with any unique key of the table counts.
    fn conflict<'t>(&self, printer: &mut Printer<'t>, conflict: &'t Conflict) -> Result<()> {
        printer.push(" ON DUPLICATE KEY UPDATE ");
        match &conflict.action {
            OnConflict::Nothing => {
                // INSERT IGNORE would swallow every other error too.
                let key = conflict.target.first().ok_or_else(|| {
                    Error::new(ErrorKind::InvalidInput, "an upsert names no column of the unique key that is meant")
                })?;
                printer.name(key);
                printer.push(" = IF(");
                printer.push(KEPT);
                printer.push(" = 0, ");
                printer.name(key);
                printer.push(", ");
                printer.name(key);
                printer.push(")");
                Ok(())
            }
            OnConflict::Update(set) => self.assignments(printer, set),
        }
    }

    fn excluded(&self, column: &str, out: &mut String) {
        out.push_str("VALUES(");
        self.identifier(column, out);
        out.push(')');
    }

    fn assignments<'t>(&self, printer: &mut Printer<'t>, set: &'t [Assignment]) -> Result<()> {
        for (index, assignment) in in_safe_order(set)?.into_iter().enumerate() {
            if index > 0 {
                printer.push(", ");
            }
            printer.name(assignment.column);
            printer.push(" = ");
            printer.node(&assignment.value)?;
        }
        Ok(())
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
        false
    }
}

/// What an upsert that changes nothing evaluates where the row is there already. The server counts
/// such a row as found; the number comes back as the last id, and tells that nothing was inserted.
pub(crate) const KEPT: &str = "LAST_INSERT_ID(18446744073709551615)";

/// How MySQL and MariaDB quote.
pub(crate) const QUOTING: Quoting = Quoting::MYSQL;

/// Quotes an identifier.
pub(crate) fn quote(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    ansi::quoted(name, '`', &mut out);
    out
}

/// A text literal that is the same with and without `NO_BACKSLASH_ESCAPES`: in hexadecimal where a
/// backslash stands in it.
pub(crate) fn literal(text: &str) -> String {
    if text.contains(['\\', '\0']) {
        return format!("_utf8mb4 {}", hex(text.as_bytes()));
    }
    let mut out = String::with_capacity(text.len() + 2);
    ansi::literal(text, &mut out);
    out
}

/// Bytes as a hexadecimal literal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{digits}'")
}

/// MySQL assigns one after the other, and a later value sees the earlier assignments; so whoever
/// reads a column goes before whoever changes it.
fn in_safe_order(set: &[Assignment]) -> Result<Vec<&Assignment>> {
    let mut left: Vec<&Assignment> = set.iter().collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left.iter().position(|candidate| {
            left.iter().all(|other| other.column == candidate.column || !reads(&other.value, candidate.column))
        });
        let Some(free) = free else {
            let names: BTreeSet<&str> = left.iter().map(|assignment| assignment.column).collect();
            let names: Vec<&str> = names.into_iter().collect();
            return Err(Error::unsupported(
                format_args!("assignments that read each other's columns ({})", names.join(", ")),
                "MySQL",
            ));
        };
        ordered.push(left.remove(free));
    }
    Ok(ordered)
}

/// Whether the expression reads this column of the row.
fn reads(node: &Node, column: &str) -> bool {
    match node {
        Node::Column { name, .. } => *name == column,
        Node::Binary(_, operands)
        | Node::Whole(_, operands)
        | Node::Single(_, operands)
        | Node::Decimal(_, _, operands) => operands.iter().any(|node| reads(node, column)),
        Node::Unary(_, operand) | Node::Scaled(operand, _) => reads(operand, column),
        Node::All(nodes) | Node::Any(nodes) | Node::Call(_, nodes) => nodes.iter().any(|node| reads(node, column)),
        Node::In(node, list) => reads(node, column) || list.iter().any(|node| reads(node, column)),
        Node::Between(operands) => operands.iter().any(|node| reads(node, column)),
        Node::Like { operands, .. } => operands.iter().any(|node| reads(node, column)),
        Node::Prefix { text, .. } => reads(text, column),
        Node::Exists(select) => select.filter.as_ref().is_some_and(|filter| reads(filter, column)),
        Node::Value(_)
        | Node::Arg(_)
        | Node::Refused(_)
        | Node::Literal(_)
        | Node::Truth(_)
        | Node::Default
        | Node::Excluded(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{MySqlDialect, literal};
    use crate::render::print;
    use crate::sql::{Assignment, BinaryOp, Conflict, Insert, Node, OnConflict, Statement};
    use crate::value::Value;

    fn upsert(action: OnConflict) -> Statement {
        Insert {
            table: "t",
            columns: vec!["a", "b"].into(),
            rows: vec![vec![Node::Value(Value::Int(1)), Node::Value(Value::Int(2))]],
            conflict: Some(Conflict { target: vec!["a"].into(), action }),
            returning: vec![].into(),
        }
        .into()
    }

    fn text(statement: &Statement) -> String {
        print(statement, &MySqlDialect).map_or_else(|error| error.to_string(), |printed| printed.sql)
    }

    #[test]
    fn upserts_read_before_they_write() {
        let set = |column, value| Assignment { column, value };
        let sum = Node::binary(BinaryOp::Add, Node::column("b"), Node::Excluded("b"));
        let statement = upsert(OnConflict::Update(vec![set("b", Node::Excluded("b")), set("a", sum)].into()));
        assert_eq!(
            text(&statement),
            "INSERT INTO `t` (`a`, `b`) VALUES (?, ?) ON DUPLICATE KEY UPDATE \
             `a` = `t`.`b` + VALUES(`b`), `b` = VALUES(`b`)"
        );
        let swap = upsert(OnConflict::Update(vec![set("a", Node::column("b")), set("b", Node::column("a"))].into()));
        assert!(text(&swap).contains("MySQL cannot do assignments that read each other's columns (a, b)"));
        assert!(
            text(&upsert(OnConflict::Nothing))
                .ends_with("`a` = IF(LAST_INSERT_ID(18446744073709551615) = 0, `a`, `a`)")
        );
    }

    #[test]
    fn literals_hold_in_either_mode() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\"), "_utf8mb4 x'615c'");
    }
}
