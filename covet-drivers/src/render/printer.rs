//! The one printer of statement trees.

use crate::error::{Error, ErrorKind, Result};
use crate::render::Dialect;
use crate::sql::{BinaryOp, Count, Delete, Function, Insert, Many, Node, Select, Statement, UnaryOp, Update};
use crate::value::Value;

/// The text of a statement and the values to bind, in order of their placeholders.
#[derive(Debug)]
pub struct Printed<'t> {
    /// The SQL text.
    pub sql: String,
    /// What to bind. A `Slot::Argument` is given at the call of a statement that stands in a `static`.
    pub slots: Vec<Slot<'t>>,
}

/// Where the value of a placeholder comes from.
#[derive(Clone, Copy, Debug)]
pub enum Slot<'t> {
    /// From the tree.
    Value(&'t Value),
    /// The n-th argument of the call.
    Argument(u16),
}

impl<'t> Printed<'t> {
    /// The values to bind, for a statement that has no arguments of a call.
    ///
    /// # Errors
    /// `InvalidInput` when the statement has arguments.
    pub fn values(&self) -> Result<Vec<&'t Value>> {
        self.bind(&[])
    }

    /// The values to bind, with these arguments of the call.
    ///
    /// # Errors
    /// `InvalidInput` when an argument is missing.
    pub fn bind<'v>(&self, arguments: &'v [Value]) -> Result<Vec<&'v Value>>
    where
        't: 'v,
    {
        self.slots
            .iter()
            .map(|slot| match slot {
                Slot::Value(value) => Ok(*value),
                Slot::Argument(n) => arguments.get(usize::from(*n)).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidInput, format!("argument {n} of the statement was not given"))
                }),
            })
            .collect()
    }
}

/// The statement in the words of this dialect.
///
/// # Errors
/// `Unsupported` for what the database cannot say, and whatever error a refused value in the tree holds.
pub fn print<'t>(statement: &'t Statement, dialect: &'t dyn Dialect) -> Result<Printed<'t>> {
    let mut printer =
        Printer { dialect, sql: String::with_capacity(128), slots: Vec::new(), scopes: Vec::new(), aliases: 0 };
    match statement {
        Statement::Select(select) => printer.select(select)?,
        Statement::Insert(insert) => printer.insert(insert)?,
        Statement::Update(update) => printer.update(update)?,
        Statement::Delete(delete) => printer.delete(delete)?,
    }
    Ok(Printed { sql: printer.sql, slots: printer.slots })
}

/// A statement half printed; dialects write into it and hand on the parts that they were handed.
#[derive(Debug)]
pub struct Printer<'t> {
    dialect: &'t dyn Dialect,
    sql: String,
    slots: Vec<Slot<'t>>,
    scopes: Vec<Scope>,
    aliases: u16,
}

/// The tables that one select, update or delete ranges over.
#[derive(Clone, Copy, Debug)]
enum Scope {
    /// Columns stand alone: there is one table and no subquery.
    Plain,
    /// Columns are written behind the table's name (update, delete, upsert).
    Table(&'static str),
    /// Columns are written behind `t<n>`; the first source has this number.
    Aliased(u16),
}

/// How many conditions are written in a row.
const LONG_CHAIN: usize = 100;

impl<'t> Printer<'t> {
    /// Writes text as it is.
    pub fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    /// The text so far, to write into.
    pub fn out(&mut self) -> &mut String {
        &mut self.sql
    }

    /// Writes a quoted name.
    pub fn name(&mut self, name: &str) {
        self.dialect.identifier(name, &mut self.sql);
    }

    /// Writes the name of a table, with its schema where it has one.
    fn table(&mut self, name: &str) -> Result<()> {
        self.dialect.table(name, &mut self.sql)
    }

    /// Writes quoted names, with commas between.
    pub fn names(&mut self, names: &[&'static str]) {
        self.list(names.iter(), |printer, name| {
            printer.name(name);
            Ok(())
        })
        .unwrap_or_default(); // writing a name cannot fail
    }

    /// Writes an expression that stands as an operand: in parentheses where it is compound.
    ///
    /// # Errors
    /// Those of printing it.
    pub fn operand(&mut self, node: &'t Node) -> Result<()> {
        let alone = matches!(
            node,
            Node::Column { .. }
                | Node::Value(_)
                | Node::Arg(_)
                | Node::Call(..)
                | Node::Excluded(_)
                | Node::Truth(_)
                | Node::Literal(_)
        );
        match node {
            _ if alone => self.node(node),
            Node::Whole(..) | Node::Decimal(..) | Node::Single(..) => self.checked(self.checked_by(node), node),
            Node::Scaled(inner, scales) => {
                self.scaled(*scales)?;
                self.operand(inner)
            }
            _ => self.parenthesised(node),
        }
    }

    /// Writes an expression that is assigned to a column.
    ///
    /// # Errors
    /// Those of printing it.
    pub fn assigned(&mut self, node: &'t Node) -> Result<()> {
        match node {
            Node::Scaled(inner, scales) => {
                self.scaled(*scales)?;
                self.assigned(inner)
            }
            _ => match self.checked_by(node) {
                "" => self.node(node),
                function => self.checked(function, node),
            },
        }
    }

    /// The function of the database that keeps the result to its type; empty where none is needed.
    fn checked_by(&self, node: &Node) -> &'static str {
        match node {
            Node::Whole(..) | Node::Decimal(..) => self.dialect.whole(),
            Node::Single(..) => self.dialect.single(),
            _ => "",
        }
    }

    fn checked(&mut self, function: &str, node: &'t Node) -> Result<()> {
        self.push(function);
        self.parenthesised(node)
    }

    /// Whether decimals of both scales may stand in one expression.
    fn scaled(&self, [own, others]: [u8; 2]) -> Result<()> {
        if self.dialect.mixes_scales() {
            return Ok(());
        }
        Err(Error::unsupported(
            format_args!("an expression with decimals of {own} and of {others} digits after the point"),
            self.dialect.name(),
        ))
    }

    fn parenthesised(&mut self, node: &'t Node) -> Result<()> {
        self.push("(");
        self.node(node)?;
        self.push(")");
        Ok(())
    }

    /// Writes an expression.
    ///
    /// # Errors
    /// Those of its parts.
    pub fn node(&mut self, node: &'t Node) -> Result<()> {
        match node {
            Node::Column { up, source, name } => self.column(*up, u16::from(*source), name),
            Node::Value(value) => {
                self.slot(Slot::Value(value));
                Ok(())
            }
            Node::Arg(n) => {
                self.slot(Slot::Argument(*n));
                Ok(())
            }
            Node::Refused(error) => Err(error.again()),
            Node::Literal(number) => {
                self.push(&number.to_string());
                Ok(())
            }
            Node::Truth(value) => {
                self.dialect.truth(*value, &mut self.sql);
                Ok(())
            }
            Node::Default => self.dialect.default_value(&mut self.sql),
            Node::Excluded(column) => {
                self.dialect.excluded(column, &mut self.sql);
                Ok(())
            }
            Node::Binary(op, operands) | Node::Whole(op, operands) | Node::Single(op, operands) => {
                self.binary(*op, operands)
            }
            Node::Scaled(inner, scales) => {
                self.scaled(*scales)?;
                self.node(inner)
            }
            Node::Decimal(op, digits, operands) => {
                let most = self.dialect.decimal_digits();
                if *digits > most {
                    return Err(Error::unsupported(
                        format_args!("arithmetic with decimals of more than {most} digits (this one has {digits})"),
                        self.dialect.name(),
                    ));
                }
                self.binary(*op, operands)
            }
            Node::Unary(op, operand) => self.unary(*op, operand),
            Node::All(nodes) => self.chain(nodes, " AND ", true),
            Node::Any(nodes) => self.chain(nodes, " OR ", false),
            Node::In(node, list) => self.among(node, list),
            Node::Between(operands) => {
                let [value, low, high] = &**operands;
                self.operand(value)?;
                self.push(" BETWEEN ");
                self.operand(low)?;
                self.push(" AND ");
                self.operand(high)
            }
            Node::Like { operands, fold } => {
                let [text, pattern] = &**operands;
                self.dialect.like(self, text, pattern, *fold)
            }
            Node::Prefix { text, pattern, range } => {
                let [from, to] = &**range;
                self.dialect.prefix(self, text, pattern, from, to)
            }
            Node::Exists(select) => {
                self.push("EXISTS (");
                self.select(select)?;
                self.push(")");
                Ok(())
            }
            Node::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    /// Writes a number of rows.
    ///
    /// # Errors
    /// Those of a bound number.
    pub fn count(&mut self, count: &'t Count) -> Result<()> {
        match count {
            Count::Fixed(n) => {
                self.push(&n.to_string());
                Ok(())
            }
            Count::Bound(node) => self.node(node),
        }
    }

    fn slot(&mut self, slot: Slot<'t>) {
        self.slots.push(slot);
        self.dialect.placeholder(self.slots.len(), &mut self.sql);
    }

    fn column(&mut self, up: u8, source: u16, name: &'static str) -> Result<()> {
        let scope = self
            .scopes
            .len()
            .checked_sub(1 + usize::from(up))
            .and_then(|index| self.scopes.get(index))
            .copied()
            .ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, format!("column {name} stands outside its statement"))
            })?;
        match scope {
            Scope::Plain => {}
            Scope::Table(table) => {
                self.table(table)?;
                self.push(".");
            }
            Scope::Aliased(first) => self.push(&format!("t{}.", first + source)),
        }
        self.name(name);
        Ok(())
    }

    fn binary(&mut self, op: BinaryOp, operands: &'t [Node; 2]) -> Result<()> {
        let [left, right] = operands;
        self.operand(left)?;
        self.push(" ");
        self.push(op.sql());
        self.push(" ");
        self.operand(right)
    }

    fn unary(&mut self, op: UnaryOp, operand: &'t Node) -> Result<()> {
        match op {
            UnaryOp::Not => {
                self.push("NOT (");
                self.node(operand)?;
                self.push(")");
                Ok(())
            }
            UnaryOp::IsNull => {
                self.operand(operand)?;
                self.push(" IS NULL");
                Ok(())
            }
            UnaryOp::IsNotNull => {
                self.operand(operand)?;
                self.push(" IS NOT NULL");
                Ok(())
            }
        }
    }

    fn chain(&mut self, nodes: &'t [Node], word: &str, empty: bool) -> Result<()> {
        if nodes.is_empty() {
            self.dialect.truth(empty, &mut self.sql);
        }
        // A parser reads a chain as a tree as deep as the chain is long, and some allow no depth of
        // thousands: a long chain is written as two halves, and so on.
        if nodes.len() > LONG_CHAIN {
            let (left, right) = nodes.split_at(nodes.len() / 2);
            self.push("(");
            self.chain(left, word, empty)?;
            self.push(")");
            self.push(word);
            self.push("(");
            self.chain(right, word, empty)?;
            self.push(")");
            return Ok(());
        }
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                self.push(word);
            }
            // AND binds tighter than OR; every other condition tighter than both.
            match node {
                Node::All(inner) | Node::Any(inner) if inner.len() > 1 => {
                    self.push("(");
                    self.node(node)?;
                    self.push(")");
                }
                _ => self.node(node)?,
            }
        }
        Ok(())
    }

    fn among(&mut self, node: &'t Node, list: &'t Many<Node>) -> Result<()> {
        if list.is_empty() {
            self.dialect.truth(false, &mut self.sql);
            return Ok(());
        }
        self.operand(node)?;
        self.push(" IN (");
        self.list(list.iter(), |printer, item| printer.operand(item))?;
        self.push(")");
        Ok(())
    }

    fn call(&mut self, function: Function, arguments: &'t [Node]) -> Result<()> {
        match function {
            Function::Now => {
                self.push(self.dialect.now());
                Ok(())
            }
            Function::Count if arguments.is_empty() => {
                self.push("COUNT(*)");
                Ok(())
            }
            Function::Count => {
                self.push("COUNT(");
                self.list(arguments.iter(), |printer, item| printer.node(item))?;
                self.push(")");
                Ok(())
            }
        }
    }

    fn list<I: Iterator>(&mut self, items: I, mut each: impl FnMut(&mut Self, I::Item) -> Result<()>) -> Result<()> {
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.push(", ");
            }
            each(self, item)?;
        }
        Ok(())
    }

    fn select(&mut self, select: &'t Select) -> Result<()> {
        let alone = self.scopes.is_empty()
            && select.joins.is_empty()
            && !select.filter.iter().chain(select.order.iter().map(|order| &order.node)).any(has_subquery);
        let first = self.aliases;
        self.scopes.push(if alone {
            Scope::Plain
        } else {
            self.aliases += 1 + u16::try_from(select.joins.len()).unwrap_or(u16::MAX);
            Scope::Aliased(first)
        });
        self.push("SELECT ");
        if select.columns.is_empty() {
            self.push("1");
        }
        self.list(select.columns.iter(), |printer, column| printer.node(column))?;
        self.push(" FROM ");
        self.source(select.from, alone, first)?;
        for (join, number) in select.joins.iter().zip(first + 1..) {
            self.push(" JOIN ");
            self.source(join.table, alone, number)?;
            self.push(" ON ");
            self.node(&join.on)?;
        }
        self.filter(select.filter.as_ref())?;
        if !select.order.is_empty() {
            self.push(" ORDER BY ");
            self.list(select.order.iter(), |printer, order| printer.dialect.order(printer, order))?;
        }
        if select.limit.is_some() || select.offset.is_some() {
            self.dialect.limit(self, select.limit.as_ref(), select.offset.as_ref())?;
        }
        if select.lock {
            self.dialect.lock(&mut self.sql)?;
        }
        self.scopes.pop();
        Ok(())
    }

    fn source(&mut self, table: &'static str, alone: bool, number: u16) -> Result<()> {
        self.table(table)?;
        if !alone {
            self.push(&format!(" AS t{number}"));
        }
        Ok(())
    }

    fn filter(&mut self, filter: Option<&'t Node>) -> Result<()> {
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.node(filter)?;
        }
        Ok(())
    }

    fn returning(&mut self, columns: &[&'static str]) {
        if !columns.is_empty() {
            self.push(" RETURNING ");
            self.names(columns);
        }
    }

    fn insert(&mut self, insert: &'t Insert) -> Result<()> {
        self.scopes.push(Scope::Table(insert.table));
        self.push("INSERT INTO ");
        self.table(insert.table)?;
        if insert.columns.is_empty() {
            if insert.rows.len() != 1 {
                return Err(Error::unsupported("several rows without a column in one insert", self.dialect.name()));
            }
            self.dialect.empty_insert(&mut self.sql);
        } else {
            self.push(" (");
            self.names(&insert.columns);
            self.push(") VALUES ");
            self.list(insert.rows.iter(), |printer, row| {
                printer.push("(");
                printer.list(row.iter(), |printer, value| printer.node(value))?;
                printer.push(")");
                Ok(())
            })?;
        }
        if let Some(conflict) = &insert.conflict {
            self.dialect.conflict(self, conflict)?;
        }
        self.returning(&insert.returning);
        self.scopes.pop();
        Ok(())
    }

    fn update(&mut self, update: &'t Update) -> Result<()> {
        let values = update.set.iter().map(|assignment| &assignment.value);
        self.own_table(update.table, values.chain(&update.filter))?;
        self.push("UPDATE ");
        self.table(update.table)?;
        self.push(" SET ");
        self.dialect.assignments(self, &update.set)?;
        self.filter(update.filter.as_ref())?;
        self.returning(&update.returning);
        self.scopes.pop();
        Ok(())
    }

    fn delete(&mut self, delete: &'t Delete) -> Result<()> {
        self.own_table(delete.table, delete.filter.iter())?;
        self.push("DELETE FROM ");
        self.table(delete.table)?;
        self.filter(delete.filter.as_ref())?;
        self.returning(&delete.returning);
        self.scopes.pop();
        Ok(())
    }

    /// Opens the scope of an update or delete that has these expressions.
    fn own_table<'n>(&mut self, table: &'static str, nodes: impl Iterator<Item = &'n Node> + Clone) -> Result<()> {
        if nodes.clone().any(|node| reads(node, table)) && !self.dialect.reads_own_table() {
            return Err(Error::unsupported(
                format_args!("an update or delete that reads its own table {table} in a subquery"),
                self.dialect.name(),
            )
            .with_help("fetch the keys first, then use them in the condition"));
        }
        let mut nodes = nodes;
        self.scopes.push(if nodes.any(has_subquery) { Scope::Table(table) } else { Scope::Plain });
        Ok(())
    }
}

/// Whether a subquery stands somewhere in the expression.
fn has_subquery(node: &Node) -> bool {
    any(node, &mut |node| matches!(node, Node::Exists(_)))
}

/// Whether a subquery in the expression reads the table.
fn reads(node: &Node, table: &str) -> bool {
    any(node, &mut |node| {
        matches!(node, Node::Exists(select) if select.from == table
            || select.joins.iter().any(|join| join.table == table)
            || select.filter.as_ref().is_some_and(|filter| reads(filter, table)))
    })
}

/// Whether the test holds for the expression or a part of it; does not look into subqueries.
fn any(node: &Node, test: &mut impl FnMut(&Node) -> bool) -> bool {
    if test(node) {
        return true;
    }
    match node {
        Node::Binary(_, operands)
        | Node::Whole(_, operands)
        | Node::Single(_, operands)
        | Node::Decimal(_, _, operands) => operands.iter().any(|node| any(node, test)),
        Node::Unary(_, operand) | Node::Scaled(operand, _) => any(operand, test),
        Node::All(nodes) | Node::Any(nodes) | Node::Call(_, nodes) => nodes.iter().any(|node| any(node, test)),
        Node::In(node, list) => any(node, test) || list.iter().any(|node| any(node, test)),
        Node::Between(operands) => operands.iter().any(|node| any(node, test)),
        Node::Like { operands, .. } => operands.iter().any(|node| any(node, test)),
        Node::Prefix { text, .. } => any(text, test),
        Node::Column { .. }
        | Node::Value(_)
        | Node::Arg(_)
        | Node::Refused(_)
        | Node::Literal(_)
        | Node::Truth(_)
        | Node::Default
        | Node::Excluded(_)
        | Node::Exists(_) => false,
    }
}
