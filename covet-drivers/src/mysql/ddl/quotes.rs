//! Names in quotes within expressions.
//!
//! A model may write a name that needs quotes in those of the standard, and so does a name that follows its column. To
//! these servers that is a text; so the names of columns get backticks.

use crate::catalog::{Change, Column, Expression, Schema, Table};

/// The quotes of names.
const MARK: char = '`';

/// The expression, over columns of these names.
pub(crate) fn expression<'c>(expression: &Expression, columns: impl IntoIterator<Item = &'c str>) -> Expression {
    expression.requoted(columns, MARK)
}

/// All expressions of a table.
pub(crate) fn table(table: &mut Table) {
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    table.expressions(&mut |found| *found = expression(found, names.iter().map(String::as_str)));
}

/// All expressions of a change, over the columns that its table has now and those that it gets.
pub(crate) fn change(change: &Change, now: &Schema, after: &Schema) -> Change {
    let mut change = change.clone();
    let mut names: Vec<String> = Vec::new();
    let mut add = |columns: &[Column]| names.extend(columns.iter().map(|column| column.name.clone()));
    if let Some(name) = change.table() {
        for table in [now.table(name), after.table(name)].into_iter().flatten() {
            add(&table.columns);
        }
    }
    match &change {
        Change::CreateTable { table } => add(&table.columns),
        Change::AddColumn { column, .. } => add(std::slice::from_ref(column)),
        _ => {}
    }
    change.expressions(&mut |found| *found = expression(found, names.iter().map(String::as_str)));
    change
}
