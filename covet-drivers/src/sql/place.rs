//! Where a bound value stands in its statement: asked only when the value was refused.

use crate::error::{Error, ErrorKind};
use crate::sql::{Node, OnConflict, Select, Statement};
use crate::value::Value;

/// A table and one of its columns.
type Place = (&'static str, &'static str);

/// The error, with the column that it is about where only the statement can tell. The values must be those that
/// the printer gave out.
#[cold]
#[must_use]
pub fn placed(error: Error, statement: &Statement, values: &[&Value]) -> Error {
    let place = match error.argument() {
        _ if error.column().is_some() => None,
        Some(argument) => values.get(argument).and_then(|value| place_of(statement, value)),
        None if error.kind() == ErrorKind::OutOfRange => reckoned(statement),
        None => None,
    };
    match place {
        Some((table, column)) => error.with_table(table).with_column(column),
        None => error,
    }
}

/// The column that a value of this statement is compared with or written to. The value is found by its
/// address.
fn place_of(statement: &Statement, value: &Value) -> Option<Place> {
    let mut search = Search { value, scopes: Vec::new() };
    match statement {
        Statement::Select(select) => search.select(select),
        Statement::Insert(insert) => {
            search.scopes.push(vec![insert.table]);
            let row = insert.rows.iter().flat_map(|row| insert.columns.iter().zip(row));
            let set = match insert.conflict.as_ref().map(|conflict| &conflict.action) {
                Some(OnConflict::Update(set)) => &set[..],
                _ => &[],
            };
            let set = set.iter().map(|assignment| (&assignment.column, &assignment.value));
            row.chain(set).find_map(|(column, node)| search.node(node, Some((insert.table, column))))?
        }
        Statement::Update(update) => {
            search.scopes.push(vec![update.table]);
            let mut set = update.set.iter();
            set.find_map(|assignment| search.node(&assignment.value, Some((update.table, assignment.column))))
                .or_else(|| search.node(update.filter.as_ref()?, None))?
        }
        Statement::Delete(delete) => {
            search.scopes.push(vec![delete.table]);
            search.node(delete.filter.as_ref()?, None)?
        }
    }
}

/// The one column that is set to something reckoned, when there is no other arithmetic in the statement:
/// databases do not name a column when a number leaves its range on the way.
fn reckoned(statement: &Statement) -> Option<Place> {
    let (table, set, filter) = match statement {
        Statement::Update(update) => (update.table, &update.set, update.filter.as_ref()),
        Statement::Insert(insert) => match &insert.conflict.as_ref()?.action {
            OnConflict::Update(set) => (insert.table, set, None),
            OnConflict::Nothing => return None,
        },
        Statement::Select(_) | Statement::Delete(_) => return None,
    };
    let mut columns = set.iter().filter(|assignment| reckons(&assignment.value)).map(|assignment| assignment.column);
    match (columns.next(), columns.next()) {
        (Some(column), None) if !filter.is_some_and(reckons) => Some((table, column)),
        _ => None,
    }
}

/// Whether there is arithmetic in the expression that can leave a range. Counting a version up cannot.
fn reckons(node: &Node) -> bool {
    match node {
        Node::Binary(op, operands)
        | Node::Whole(op, operands)
        | Node::Single(op, operands)
        | Node::Decimal(op, _, operands) => {
            let counts = operands.iter().any(|operand| matches!(operand, Node::Literal(_)));
            (op.is_arithmetic() && !counts) || operands.iter().any(reckons)
        }
        Node::Unary(_, operand) | Node::Scaled(operand, _) => reckons(operand),
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().any(reckons),
        Node::In(node, list) => reckons(node) || list.iter().any(reckons),
        Node::Between(operands) => operands.iter().any(reckons),
        Node::Exists(select) => select.filter.as_ref().is_some_and(reckons),
        _ => false,
    }
}

struct Search<'v> {
    value: &'v Value,
    /// The tables of each scope, the innermost last.
    scopes: Vec<Vec<&'static str>>,
}

impl Search<'_> {
    /// Finds the value: `None` when it is not there, else the column beside it, if there is one.
    fn node(&mut self, node: &Node, beside: Option<Place>) -> Option<Option<Place>> {
        match node {
            Node::Value(value) => std::ptr::eq(value, self.value).then_some(beside),
            Node::Binary(_, operands)
            | Node::Whole(_, operands)
            | Node::Single(_, operands)
            | Node::Decimal(_, _, operands) => {
                let [left, right] = &**operands;
                let (of_left, of_right) = (self.column(left), self.column(right));
                self.node(left, of_right.or(beside)).or_else(|| self.node(right, of_left.or(beside)))
            }
            Node::Unary(_, operand) | Node::Scaled(operand, _) => self.node(operand, beside),
            Node::All(nodes) | Node::Any(nodes) | Node::Call(_, nodes) => {
                nodes.iter().find_map(|node| self.node(node, beside))
            }
            Node::In(first, list) => {
                let of_first = self.column(first).or(beside);
                self.node(first, beside).or_else(|| list.iter().find_map(|node| self.node(node, of_first)))
            }
            Node::Between(operands) => self.all(&operands[..]),
            Node::Like { operands, .. } => self.all(&operands[..]),
            Node::Prefix { text, pattern, range } => {
                let of_text = self.column(text);
                self.node(pattern, of_text).or_else(|| range.iter().find_map(|node| self.node(node, of_text)))
            }
            Node::Exists(select) => Some(self.select(select)).filter(Option::is_some),
            Node::Column { .. }
            | Node::Arg(_)
            | Node::Refused(_)
            | Node::Literal(_)
            | Node::Truth(_)
            | Node::Default
            | Node::Excluded(_) => None,
        }
    }

    /// Operands that all belong to the column that is one of them.
    fn all(&mut self, operands: &[Node]) -> Option<Option<Place>> {
        let column = operands.iter().find_map(|node| self.column(node));
        operands.iter().find_map(|node| self.node(node, column))
    }

    fn select(&mut self, select: &Select) -> Option<Place> {
        self.scopes.push([select.from].into_iter().chain(select.joins.iter().map(|join| join.table)).collect());
        let mut nodes = select.columns.iter().chain(select.joins.iter().map(|join| &join.on)).chain(&select.filter);
        let found = nodes.find_map(|node| self.node(node, None));
        self.scopes.pop();
        found?
    }

    /// The column that an expression is, or is reckoned from.
    fn column(&self, node: &Node) -> Option<Place> {
        match node {
            Node::Column { up, source, name } => {
                let scope = self.scopes.len().checked_sub(1 + usize::from(*up))?;
                Some((self.scopes.get(scope)?.get(usize::from(*source)).copied()?, name))
            }
            Node::Binary(_, operands)
            | Node::Whole(_, operands)
            | Node::Single(_, operands)
            | Node::Decimal(_, _, operands) => operands.iter().find_map(|operand| self.column(operand)),
            Node::Scaled(operand, _) => self.column(operand),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{place_of, reckoned};
    use crate::sql::{Assignment, BinaryOp, Delete, Many, Node, Ref, Select, Statement, Update};
    use crate::value::Value;

    const N: Node = Node::Value(Value::Int(1));

    fn is(left: Node, right: Node) -> Node {
        Node::binary(BinaryOp::Eq, left, right)
    }

    /// The places of the values of a condition on the table `outer`.
    fn places(filter: Node) -> Vec<Option<(&'static str, &'static str)>> {
        fn values<'n>(node: &'n Node, found: &mut Vec<&'n Value>) {
            match node {
                Node::Value(value) => found.push(value),
                Node::Binary(_, operands) => operands.iter().for_each(|node| values(node, found)),
                Node::All(nodes) => nodes.iter().for_each(|node| values(node, found)),
                Node::In(first, list) => [&**first].into_iter().chain(&**list).for_each(|node| values(node, found)),
                Node::Between(operands) => operands.iter().for_each(|node| values(node, found)),
                Node::Exists(select) => select.filter.iter().for_each(|node| values(node, found)),
                _ => {}
            }
        }
        // Clones share their parts, so the addresses hold.
        let statement = Delete { table: "outer", filter: Some(filter.clone()), returning: Many::EMPTY }.into();
        let mut found = Vec::new();
        values(&filter, &mut found);
        found.into_iter().map(|value| place_of(&statement, value)).collect()
    }

    #[test]
    fn each_value_is_beside_its_column() {
        let outer = |name| Some(("outer", name));
        assert_eq!(places(is(Node::column("a"), N).and(is(N, Node::column("b")))), [outer("a"), outer("b")]);
        let list = Node::In(Ref::new(Node::column("a")), vec![N, N].into());
        let between = Node::Between(Ref::new([Node::column("b"), N, N]));
        assert_eq!(places(list.and(between)), [outer("a"), outer("a"), outer("b"), outer("b")]);
        let sum = Node::binary(BinaryOp::Add, Node::column("b"), N);
        assert_eq!(places(is(sum, N)), [outer("b"), outer("b")]);
        assert_eq!(places(is(N, N)), [None, None]);
        let mut inner = Select::new("inner", Many::EMPTY);
        let theirs = Node::Column { up: 1, source: 0, name: "o" };
        inner.filter = Some(is(Node::column("i"), N).and(is(theirs, N)));
        assert_eq!(places(Node::Exists(Ref::new(inner))), [Some(("inner", "i")), outer("o")]);
    }

    #[test]
    fn arithmetic_is_found_where_there_is_one() {
        let sum = |right| Node::binary(BinaryOp::Add, Node::column("a"), right);
        let update = |set: Vec<Assignment>, filter| -> Statement {
            Update { table: "t", set: set.into(), filter, returning: Many::EMPTY }.into()
        };
        let (a, b) = (Assignment { column: "a", value: sum(N) }, Assignment { column: "b", value: N });
        let version = Assignment { column: "v", value: sum(Node::Literal(1)) };
        assert_eq!(reckoned(&update(vec![b.clone(), a.clone(), version], None)), Some(("t", "a")));
        assert_eq!(reckoned(&update(vec![b], Some(is(Node::column("a"), sum(N))))), None);
        assert_eq!(reckoned(&update(vec![a], Some(is(Node::column("a"), sum(N))))), None);
    }
}
