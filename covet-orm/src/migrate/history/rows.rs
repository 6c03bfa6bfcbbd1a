//! The rows that a runner writes, as statements of a script that another program runs: their values stand in the text.

use covet_drivers::contract::Offline;
use covet_drivers::sql::{Function, Node};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::history::entry::{Entry, State};
use crate::migrate::history::table::{self, FIELDS, TABLE, VERSION, VERSION_ID};
use crate::migrate::history::{cell, version_cell};

/// Writes them for one kind of database.
pub(in crate::migrate) struct Rows {
    target: Target,
    offline: Offline,
}

impl Rows {
    pub(in crate::migrate) fn new(target: Target) -> Self {
        Rows { target, offline: target.ddl.offline() }
    }

    /// The table, where there is none, and the row that keeps its version. A table of an earlier version lacks columns,
    /// and one of a later version keeps its row: both end the script.
    pub(in crate::migrate) fn table(&self) -> Result<Vec<String>> {
        const CREATE: &str = "CREATE TABLE ";
        let mut statements = Vec::new();
        for step in table::creation(self.target.ddl)? {
            let rest = step.sql.strip_prefix(CREATE).ok_or_else(|| {
                Error::new(ErrorKind::Migration, format!("the table of the history is made otherwise: {}", step.sql))
            })?;
            statements.push(format!("{CREATE}IF NOT EXISTS {rest}"));
        }
        let (table, id, done) = (self.name(TABLE), self.name("id"), self.name("steps_done"));
        statements.push(format!("DELETE FROM {table} WHERE {id} = {} AND {done} <= {VERSION}", self.text(VERSION_ID)));
        let cells = FIELDS.iter().map(|field| Ok((field.name, version_cell(field)?))).collect::<Result<Vec<_>>>()?;
        statements.push(self.insert(cells, "0")?);
        Ok(statements)
    }

    /// The row of a migration that begins, behind all others; one that is there already, and was not undone, ends the
    /// script.
    pub(in crate::migrate) fn begin(&self, entry: &Entry) -> Result<Vec<String>> {
        let next = format!("coalesce(max({}), 0) + 1", self.name("position"));
        self.row(entry, &next)
    }

    /// The rows of those in whose place it stands.
    pub(in crate::migrate) fn replaced(&self, whole: &str, replaced: &[String]) -> Result<Vec<String>> {
        let same = format!("coalesce(max({}), 0)", self.name("position"));
        let mut statements = Vec::new();
        for id in replaced {
            let entry = Entry { state: State::Replaced, replaced_by: Some(whole.to_owned()), ..Entry::unknown(id, 0) };
            statements.extend(self.row(&entry, &same)?);
        }
        Ok(statements)
    }

    /// Ends the script where a migration is not applied that another follows.
    pub(in crate::migrate) fn follows(&self, parent: &str) -> String {
        let (table, id, state) = (self.name(TABLE), self.name("id"), self.name("state"));
        let applied = [State::Applied, State::Baseline, State::Replaced].map(|state| self.text(state.name()));
        let (parent, applied) = (self.text(parent), applied.join(", "));
        (self.offline.guard)(&format!(
            "SELECT 1 - count(*) FROM {table} WHERE {id} = {parent} AND {state} IN ({applied})"
        ))
    }

    /// So many statements are done.
    pub(in crate::migrate) fn note(&self, id: &str, done: usize) -> String {
        self.update(id, &format!("{} = {done}", self.name("steps_done")))
    }

    /// All of them are.
    pub(in crate::migrate) fn end(&self, id: &str, total: usize) -> String {
        let (state, done, finished) = (self.name("state"), self.name("steps_done"), self.name("finished_at"));
        let (applied, now) = (self.text(State::Applied.name()), self.target.dialect.now());
        self.update(id, &format!("{state} = {applied}, {done} = {total}, {finished} = {now}"))
    }

    fn row(&self, entry: &Entry, position: &str) -> Result<Vec<String>> {
        let (table, id, state) = (self.name(TABLE), self.name("id"), self.name("state"));
        let (own, undone) = (self.text(&entry.id), self.text(State::Reverted.name()));
        let cells = FIELDS.iter().map(|field| Ok((field.name, cell(field, entry)?))).collect::<Result<Vec<_>>>()?;
        let delete = format!("DELETE FROM {table} WHERE {id} = {own} AND {state} = {undone}");
        Ok(vec![delete, self.insert(cells, position)?])
    }

    /// A row whose position may depend on the others; what is NULL is left out.
    fn insert(&self, cells: Vec<(&'static str, Node)>, position: &str) -> Result<String> {
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for (name, cell) in cells {
            let value = match cell {
                _ if name == "position" => position.to_owned(),
                Node::Value(Value::Null) => continue,
                Node::Value(Value::Text(text)) => self.text(&text),
                Node::Value(Value::Int(number)) => number.to_string(),
                Node::Call(Function::Now, _) => self.target.dialect.now().to_owned(),
                other => {
                    let text = format!("the history has a value that no script can say: {other:?}");
                    return Err(Error::new(ErrorKind::Migration, text));
                }
            };
            columns.push(self.name(name));
            values.push(value);
        }
        let table = self.name(TABLE);
        // Of one group, so that there is one row also where the table is empty.
        let from = if position.contains('(') { format!(" FROM {table}") } else { String::new() };
        Ok(format!("INSERT INTO {table} ({})\nSELECT {}{from}", columns.join(", "), values.join(", ")))
    }

    fn update(&self, id: &str, set: &str) -> String {
        format!("UPDATE {} SET {set} WHERE {} = {}", self.name(TABLE), self.name("id"), self.text(id))
    }

    fn name(&self, name: &str) -> String {
        let mut out = String::new();
        self.target.dialect.identifier(name, &mut out);
        out
    }

    fn text(&self, text: &str) -> String {
        (self.offline.literal)(text)
    }
}
