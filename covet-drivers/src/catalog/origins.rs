//! Where the values of columns come from while a schema changes: what is asked of rows in the middle of a migration,
//! asked before its first change.

use std::collections::BTreeMap;

use crate::catalog::{Change, Column, ForeignKey, Schema, Table};

/// The columns of a schema on its way, over what there was before the first change.
#[derive(Debug)]
pub(crate) struct Origins {
    database: &'static str,
    /// Writes the name of a column.
    quote: fn(&str) -> String,
    /// Writes the name of a table.
    table: fn(&str) -> String,
    tables: BTreeMap<String, Origin>,
}

/// A table that was there before.
#[derive(Debug)]
struct Origin {
    /// The name that it had.
    name: String,
    /// Its columns, by the names that they have now.
    columns: BTreeMap<String, Value>,
    /// The names that columns had that are still there, by the names that they have now.
    names: BTreeMap<String, String>,
}

/// The value of a column.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Over the columns that the table had; `None` where nobody can tell before.
    sql: Option<String>,
    /// Whether it is another value, or may be one.
    changed: bool,
    /// Whether a statement is about it, if only to give the column another type.
    touched: bool,
}

/// From where rows are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The table itself: its name and these columns are as they were before.
    Now,
    /// What stands behind `FROM` before the first change; without an alias, which it needs.
    Before(String),
    /// A new table, or a value that nobody can tell before.
    Unknown,
}

impl Origins {
    pub(crate) fn new(
        before: &Schema,
        database: &'static str,
        quote: fn(&str) -> String,
        table: fn(&str) -> String,
    ) -> Self {
        let of = |column: &Column| {
            (column.name.clone(), Value { sql: Some(quote(&column.name)), changed: false, touched: false })
        };
        let origin = |table: &Table| Origin {
            name: table.name.clone(),
            columns: table.columns.iter().map(of).collect(),
            names: table.columns.iter().map(|column| (column.name.clone(), column.name.clone())).collect(),
        };
        let tables = before.tables.iter().map(|table| (table.name.clone(), origin(table))).collect();
        Origins { database, quote, table, tables }
    }

    /// Follows a change of names. What becomes of values is told by [`set`](Origins::set) and
    /// [`turn`](Origins::turn).
    pub(crate) fn follow(&mut self, change: &Change) {
        match change {
            Change::RenameTable { from, to } => {
                if let Some(origin) = self.tables.remove(from) {
                    self.tables.insert(to.clone(), origin);
                }
            }
            Change::DropTable { table } => drop(self.tables.remove(&table.name)),
            Change::RenameColumn { table, from, to } => {
                if let Some(origin) = self.tables.get_mut(table) {
                    if let Some(value) = origin.columns.remove(from) {
                        origin.columns.insert(to.clone(), value);
                    }
                    origin.call(from, Some(to));
                }
            }
            Change::DropColumn { table, column } => {
                drop(self.take(table, &column.name));
                if let Some(origin) = self.tables.get_mut(table) {
                    origin.call(&column.name, None);
                }
            }
            Change::SwapColumn { table, from, to } => {
                drop(self.take(table, &to.name));
                self.set(table, &from.name, None);
                if let Some(origin) = self.tables.get_mut(table) {
                    origin.call(&from.name, None);
                    origin.call(&to.name, Some(&from.name));
                }
            }
            Change::CopyColumn { table, to, .. } => self.set(table, &to.name, None),
            _ => {}
        }
    }

    /// The names that table and column had before; `None` for a column that was not there.
    pub(crate) fn place(&self, table: &str, column: &str) -> Option<(&str, &str)> {
        let origin = self.tables.get(table)?;
        Some((&origin.name, origin.names.get(column)?))
    }

    /// Forgets a column, and gives what was known of it.
    pub(crate) fn take(&mut self, table: &str, column: &str) -> Option<Value> {
        self.tables.get_mut(table)?.columns.remove(column)
    }

    /// A column has this value again.
    pub(crate) fn restore(&mut self, table: &str, column: &str, value: Value) {
        if let Some(origin) = self.tables.get_mut(table) {
            origin.columns.insert(column.to_owned(), value);
        }
    }

    /// A column has another value from now on, for every row.
    pub(crate) fn set(&mut self, table: &str, column: &str, sql: Option<String>) {
        self.restore(table, column, Value { sql, changed: true, touched: true });
    }

    /// The value of a column becomes another: it is given as SQL, and `None` says that nobody can tell before.
    pub(crate) fn turn(&mut self, table: &str, column: &str, turn: impl FnOnce(&str) -> Option<String>) {
        if let Some(value) = self.tables.get_mut(table).and_then(|origin| origin.columns.get_mut(column)) {
            let sql = value.sql.as_deref().and_then(turn);
            *value = Value { changed: value.changed || sql.is_none() || sql != value.sql, touched: true, sql };
        }
    }

    /// A generated column of this table keeps the value that it has now.
    pub(crate) fn settle(&mut self, now: &Table, column: &str) {
        if let Some(value) = self.value(now, column, now.columns.len()) {
            self.restore(&now.name, column, value);
        } else {
            self.set(&now.name, column, None);
        }
    }

    /// Whether a column is new and every row has NULL in it.
    pub(crate) fn is_empty(&self, table: &str, column: &str) -> bool {
        let value = self.tables.get(table).and_then(|origin| origin.columns.get(column));
        value.and_then(|value| value.sql.as_deref()).is_some_and(|sql| sql == "NULL" || sql.starts_with("NULL::"))
    }

    /// Whether a value may be another one than before.
    pub(crate) fn is_changed(&self, now: &Table, column: &str) -> bool {
        self.value(now, column, now.columns.len()).is_none_or(|value| value.changed)
    }

    /// From where to ask for rows of a table as it is now, of which the columns are needed that fit.
    pub(crate) fn source(&self, now: &Table, needs: impl Fn(&str) -> bool) -> Source {
        let Some(origin) = self.tables.get(&now.name) else { return Source::Unknown };
        let (mut is_plain, mut touched) = (true, false);
        let mut values = Vec::new();
        for column in now.columns.iter().filter(|column| needs(&column.name)) {
            let value = self.value(now, &column.name, now.columns.len());
            let Some((is_touched, sql)) = value.and_then(|value| Some((value.touched, value.sql?))) else {
                return Source::Unknown;
            };
            let name = (self.quote)(&column.name);
            touched |= is_touched;
            is_plain &= sql == name;
            values.push(if sql == name { name } else { format!("{sql} AS {name}") });
        }
        if is_plain && !touched && origin.name == now.name {
            return Source::Now;
        }
        let table = (self.table)(&origin.name);
        if is_plain {
            Source::Before(table)
        } else {
            Source::Before(format!("(SELECT {} FROM {table})", values.join(", ")))
        }
    }

    /// From where to ask for rows that point at none by this key, and for those that they point at, where that is
    /// another question before the first change than later. A target without rows, as a new table is, is `None`, and so
    /// is one whose rows get the number only now that they are known by.
    pub(crate) fn of_key(
        &self,
        own: &Table,
        target: Option<&Table>,
        key: &ForeignKey,
    ) -> Option<(String, Option<String>)> {
        if key.columns.iter().any(|column| self.is_empty(&own.name, column)) {
            return None;
        }
        let source =
            |of: &Table, columns: &[String]| match self.source(of, |name| columns.iter().any(|one| one == name)) {
                Source::Now => Some(((self.table)(&of.name), false)),
                Source::Before(from) => Some((from, true)),
                Source::Unknown => None,
            };
        let (from, moved) = source(own, &key.columns)?;
        let Some(target) = target.filter(|_| !self.is_numbered(own, target, key)) else { return Some((from, None)) };
        let (at, target_moved) = source(target, &key.target_columns)?;
        (moved || target_moved).then_some((from, Some(at)))
    }

    /// Whether rows were there before that would point at others by a number which these get only now.
    pub(crate) fn is_numbered(&self, own: &Table, target: Option<&Table>, key: &ForeignKey) -> bool {
        let new = |table: &Table, column: &String| self.place(&table.name, column).is_none();
        let numbered = |target: &Table| {
            let mut columns = key.target_columns.iter();
            columns.any(|name| new(target, name) && target.column(name).is_some_and(|column| column.auto))
        };
        target.is_some_and(numbered) && !key.columns.iter().any(|column| new(own, column))
    }

    /// The value of a column; a generated one is made of others, as deep as that can go.
    fn value(&self, now: &Table, name: &str, depth: usize) -> Option<Value> {
        let own = self.tables.get(&now.name)?.columns.get(name);
        let column = now.column(name)?;
        let Some(generated) = &column.generated else { return own.cloned() };
        let depth = depth.checked_sub(1)?;
        let bases = now.columns.iter().filter(|other| other.name != name && column.reads(&other.name));
        let values: Vec<(&str, Value)> = bases
            .map(|other| Some((other.name.as_str(), self.value(now, &other.name, depth)?)))
            .collect::<Option<_>>()?;
        let touched = values.iter().any(|(_, value)| value.touched);
        if let Some(own) = own.filter(|_| values.iter().all(|(_, value)| !value.changed)) {
            return Some(Value { touched: touched || own.touched, ..own.clone() });
        }
        let known: Option<Vec<(&str, &str)>> =
            values.iter().map(|(name, value)| Some((*name, value.sql.as_deref()?))).collect();
        let sql = known.and_then(|known| {
            let made = generated.expression.with_values(&known);
            made.on(self.database).map(|text| format!("({text})"))
        });
        Some(Value { sql, changed: true, touched: true })
    }
}

impl Origin {
    /// A column has another name from now on, or is gone.
    fn call(&mut self, from: &str, to: Option<&str>) {
        if let Some((to, before)) = to.zip(self.names.remove(from)) {
            self.names.insert(to.to_owned(), before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Origins, Source};
    use crate::catalog::{Change, Column, ColumnType, Expression, Generated, Schema, Table};

    fn named(name: &str) -> String {
        format!("\"{name}\"")
    }

    #[test]
    fn what_is_asked_later_is_asked_of_what_was_there() {
        let column = |name: &str| Column::new(name, ColumnType::I64);
        let mut table = Table { columns: vec![column("a"), column("b")], ..Table::new("t") };
        let made = Generated { expression: Expression::new("a + b"), stored: true };
        table.columns.push(Column { generated: Some(made), ..column("g") });
        let mut now = Schema::of(vec![table]);
        let mut origins = Origins::new(&now, "x", named, named);
        let change = |origins: &mut Origins, now: &mut Schema, change: Change| {
            origins.follow(&change);
            assert!(now.apply(&change).is_some());
        };
        let asked = |origins: &Origins, now: &Schema, names: &[&str]| {
            origins.source(now.tables.first().unwrap_or(&Table::default()), |name| names.contains(&name))
        };
        assert_eq!(asked(&origins, &now, &["a", "g"]), Source::Now);
        let rename = Change::RenameColumn { table: "t".into(), from: "a".into(), to: "c".into() };
        change(&mut origins, &mut now, rename);
        assert_eq!(asked(&origins, &now, &["b", "g"]), Source::Now);
        assert_eq!(asked(&origins, &now, &["c"]), Source::Before("(SELECT \"a\" AS \"c\" FROM \"t\")".into()));
        change(&mut origins, &mut now, Change::RenameTable { from: "t".into(), to: "u".into() });
        assert_eq!(asked(&origins, &now, &["b"]), Source::Before("\"t\"".into()));
        assert_eq!(origins.place("u", "c"), Some(("t", "a")));
        assert_eq!((origins.place("t", "b"), origins.place("u", "a")), (None, None));
        origins.turn("u", "c", |value| Some(format!("coalesce({value}, 1)")));
        let sum = "(SELECT ((coalesce(\"a\", 1)) + (\"b\")) AS \"g\" FROM \"t\")";
        assert_eq!(asked(&origins, &now, &["g"]), Source::Before(sum.into()));
        let known = now.table("u").cloned().unwrap_or_default();
        assert!(origins.is_changed(&known, "g") && !origins.is_changed(&known, "b"));
        origins.set("u", "b", None);
        assert_eq!(asked(&origins, &now, &["g"]), Source::Unknown);
        change(&mut origins, &mut now, Change::CreateTable { table: Table::new("v") });
        assert_eq!(origins.source(&Table::new("v"), |_| true), Source::Unknown);
    }
}
