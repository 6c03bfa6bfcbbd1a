//! The tables and statements that most cases use, made without a word of any database.

use crate::catalog::{Change, Column, ColumnType, Index, Schema, Table};
use crate::sql::{Assignment, BinaryOp, Count, Delete, Function, Insert, Many, Node, Order, Select, Update};
use crate::value::Value;

/// Text that every database can have in an index.
pub(crate) const SHORT: ColumnType = ColumnType::Text { max_len: Some(100) };

/// A table with nothing but a primary key over `id`.
pub(crate) fn table(name: &str, columns: impl IntoIterator<Item = Column>) -> Table {
    Table {
        name: name.into(),
        primary_key: vec!["id".into()],
        columns: std::iter::once(Column::new("id", ColumnType::I64)).chain(columns).collect(),
        ..Table::default()
    }
}

/// As [`table`], with an `id` that the database gives.
pub(crate) fn numbered(name: &str, columns: impl IntoIterator<Item = Column>) -> Table {
    let mut table = table(name, columns);
    for column in table.columns.iter_mut().filter(|column| column.name == "id") {
        column.auto = true;
    }
    table
}

/// A column that may be NULL.
pub(crate) fn nullable(name: &str, ty: ColumnType) -> Column {
    Column { nullable: true, ..Column::new(name, ty) }
}

/// An index.
pub(crate) fn index(name: &str, columns: &[&str], unique: bool) -> Index {
    Index::new(name, columns.iter().copied(), unique)
}

/// A schema of these tables.
pub(crate) fn schema(tables: impl IntoIterator<Item = Table>) -> Schema {
    let mut schema = Schema::of(tables.into_iter().collect());
    schema.sort();
    schema
}

/// `one(id)`, which [`Bed::ready`](crate::conformance::Bed) gives one row, for [`echo`]; and
/// `t(id, n, c)`, where `n` and `c` may be NULL and `n` is unique.
pub(crate) fn base() -> Schema {
    let mut t = table("t", [nullable("n", ColumnType::I64), nullable("c", SHORT)]);
    t.indexes.push(index("t_n_key", &["n"], true));
    schema([table("one", []), t])
}

/// The changes that make a whole schema, in a safe order.
pub(crate) fn creation(schema: &Schema) -> Vec<Change> {
    let mut changes: Vec<Change> = schema.enums().into_iter().map(|ty| Change::CreateEnum { ty: ty.clone() }).collect();
    changes.extend(schema.tables.iter().map(|table| Change::CreateTable { table: table.clone() }));
    for table in &schema.tables {
        let of = |index: &Index| Change::AddIndex { table: table.name.clone(), index: index.clone() };
        changes.extend(table.indexes.iter().map(of));
    }
    for table in &schema.tables {
        let keys = table.foreign_keys.iter();
        changes.extend(keys.map(|key| Change::AddForeignKey { table: table.name.clone(), foreign_key: key.clone() }));
    }
    changes
}

/// The changes that drop a whole schema, in a safe order.
pub(crate) fn removal(schema: &Schema) -> Vec<Change> {
    let mut changes = Vec::new();
    for table in &schema.tables {
        let keys = table.foreign_keys.iter();
        changes.extend(keys.map(|key| Change::DropForeignKey { table: table.name.clone(), foreign_key: key.clone() }));
    }
    // A dropped table takes its indexes with it.
    changes.extend(schema.tables.iter().map(|table| Change::DropTable { table: table.clone() }));
    changes.extend(schema.enums().into_iter().map(|ty| Change::DropEnum { ty: ty.clone() }));
    changes
}

/// A bound integer.
pub(crate) fn int(number: i64) -> Node {
    Node::Value(Value::Int(number))
}

/// A bound text.
pub(crate) fn text(text: &str) -> Node {
    Node::Value(Value::Text(text.into()))
}

/// A bound NULL.
pub(crate) fn null() -> Node {
    Node::Value(Value::Null)
}

/// `column = value`
pub(crate) fn is(column: &'static str, value: Node) -> Node {
    Node::binary(BinaryOp::Eq, Node::column(column), value)
}

/// An insert without a conflict and without rows given back.
pub(crate) fn insert(
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = Vec<Node>>,
) -> Insert {
    Insert {
        table,
        columns: columns.iter().copied().collect(),
        rows: rows.into_iter().collect(),
        conflict: None,
        returning: Many::EMPTY,
    }
}

/// A row of `t`.
pub(crate) fn row(id: i64, n: Option<i64>) -> Insert {
    insert("t", &["id", "n"], [vec![int(id), n.map_or_else(null, int)]])
}

/// Rows of `t` with the ids from 1 to this number, and the tenfold of them as `n`.
pub(crate) fn rows(most: i64) -> Insert {
    insert("t", &["id", "n"], (1..=most).map(|id| vec![int(id), int(id * 10)]))
}

/// One column of a table, in its own order.
pub(crate) fn select(table: &'static str, column: &'static str, filter: Option<Node>) -> Select {
    Select { filter, order: vec![ascending(column)].into(), ..Select::new(table, vec![Node::column(column)]) }
}

/// Smallest first, of a column that may be NULL.
pub(crate) fn ascending(column: &'static str) -> Order {
    Order { node: Node::column(column), descending: false, nulls: None, nullable: true }
}

/// The number of rows.
pub(crate) fn count(table: &'static str, filter: Option<Node>) -> Select {
    Select { filter, ..Select::new(table, vec![Node::Call(Function::Count, Many::EMPTY)]) }
}

/// This number, from the one row of `one`.
pub(crate) fn echo(number: i64) -> Select {
    Select { limit: Some(Count::Fixed(1)), ..Select::new("one", vec![Node::Literal(number)]) }
}

/// `SET column = value`
pub(crate) fn update(table: &'static str, column: &'static str, value: Node, filter: Option<Node>) -> Update {
    Update { table, set: vec![Assignment { column, value }].into(), filter, returning: Many::EMPTY }
}

/// A delete.
pub(crate) fn delete(table: &'static str, filter: Option<Node>) -> Delete {
    Delete { table, filter, returning: Many::EMPTY }
}
