//! What rows must be after the way forth and after the way back.

use covet_orm::drivers::catalog::{Column, ColumnDefault, ColumnType, Table};
use covet_orm::schema::Decision;

use crate::random::pair::Pair;
use crate::rows::{NULL, Rows};

/// A column before and after, and what its values must be.
struct Column2<'p> {
    before: &'p Column,
    after: &'p Column,
}

impl Pair {
    fn table_after(&self, name: &str) -> Option<&Table> {
        let renamed = self.answers.renames.iter().find_map(|decision| match decision {
            Decision::RenameTable { from, to } if from == name => Some(to.as_str()),
            _ => None,
        });
        // A table whose name another one took is gone.
        let taken = self
            .answers
            .renames
            .iter()
            .any(|decision| matches!(decision, Decision::RenameTable { to, .. } if to == name));
        self.after.table(renamed.or((!taken).then_some(name))?)
    }

    fn column_after<'p>(&self, table: &'p Table, name: &str) -> Option<&'p Column> {
        let renamed = self.answers.renames.iter().find_map(|decision| match decision {
            Decision::RenameColumn { table: own, from, to } if *own == table.name && from == name => Some(to.as_str()),
            _ => None,
        });
        let taken = self.answers.renames.iter().any(|decision| {
            matches!(decision, Decision::RenameColumn { table: own, to, .. } if *own == table.name && to == name)
        });
        table.column(renamed.or((!taken).then_some(name))?)
    }

    /// The columns of a table that stay.
    fn columns<'p>(&'p self, before: &'p Table, after: &'p Table) -> Vec<Column2<'p>> {
        let pair =
            |column: &'p Column| Some(Column2 { before: column, after: self.column_after(after, &column.name)? });
        before.columns.iter().filter_map(pair).collect()
    }

    /// What takes the place of NULL.
    fn backfill(&self, table: &str, column: &str) -> Option<&ColumnDefault> {
        self.answers.others.iter().find_map(|decision| match decision {
            Decision::Backfill { table: t, column: c, value } if t == table && c == column => Some(value),
            _ => None,
        })
    }

    fn label(&self, ty: &ColumnType, label: &str) -> String {
        let map = |decision: &Decision| match decision {
            Decision::MapLabel { ty: name, label: from, to } if Some(&**name) == ty.as_enum().map(|ty| &*ty.name) => {
                (from == label).then(|| to.clone())
            }
            _ => None,
        };
        self.answers.others.iter().find_map(map).unwrap_or_else(|| label.to_owned())
    }
}

impl Column2<'_> {
    /// Whether every value stays as it is.
    fn keeps(&self) -> bool {
        use ColumnType::{Decimal, Enum, Text};
        let written = self.before.generated.is_none() && self.after.generated.is_none();
        let whole = |ty: &ColumnType| ty.integer_range().is_some();
        written
            && match (&self.before.ty, &self.after.ty) {
                (a, b) if a == b => true,
                (a, b) if whole(a) && whole(b) => true,
                (Text { .. }, Text { .. }) | (Decimal { .. }, Decimal { .. }) => true,
                (Enum(a), Enum(b)) => a.name == b.name,
                _ => false,
            }
    }
}

/// Every value of a column that stays is the one that it was, and new ones are what was decided.
pub(crate) fn kept(pair: &Pair, before: &Rows, after: &Rows) -> Result<(), String> {
    for old in &pair.before.tables {
        let Some(new) = pair.table_after(&old.name) else { continue };
        let columns: Vec<_> = pair.columns(old, new).into_iter().filter(Column2::keeps).collect();
        let mut was: Vec<Vec<String>> = before[&old.name]
            .iter()
            .map(|row| {
                let value = |both: &Column2<'_>| {
                    let value = &row[&both.before.name];
                    match pair.backfill(&new.name, &both.after.name) {
                        Some(fill) if value == NULL && !both.after.nullable => shown(fill),
                        _ => pair.label(&both.after.ty, value),
                    }
                };
                columns.iter().map(value).collect()
            })
            .collect();
        let mut is: Vec<Vec<String>> = after[&new.name]
            .iter()
            .map(|row| columns.iter().map(|both| row[&both.after.name].clone()).collect())
            .collect();
        let fills: Vec<Option<String>> =
            columns.iter().map(|both| pair.backfill(&new.name, &both.after.name).map(shown)).collect();
        // A backfill may be written in another way than the value is read.
        for row in was.iter_mut().chain(&mut is) {
            for (value, fill) in row.iter_mut().zip(&fills) {
                if fill.as_deref().is_some_and(|fill| alike(fill, value)) {
                    "<backfill>".clone_into(value);
                }
            }
        }
        was.sort();
        is.sort();
        if was != is {
            let names: Vec<&str> = columns.iter().map(|both| both.after.name.as_str()).collect();
            return Err(format!("rows: of {} ({names:?})\nwere {was:?}\nare  {is:?}", new.name));
        }
        for column in new.columns.iter().filter(|column| !column.nullable) {
            if after[&new.name].iter().any(|row| row[&column.name] == NULL) {
                return Err(format!("rows: NULL in {}.{}", new.name, column.name));
            }
        }
        new_values(pair, old, new, after)?;
    }
    Ok(())
}

/// A new column has in every row what was decided, or its default.
fn new_values(pair: &Pair, old: &Table, new: &Table, after: &Rows) -> Result<(), String> {
    let stays: Vec<&str> = pair.columns(old, new).iter().map(|both| both.after.name.as_str()).collect();
    for column in new.columns.iter().filter(|column| !stays.contains(&column.name.as_str())) {
        let given = pair.backfill(&new.name, &column.name).or(column.default.as_ref());
        let Some(given) = given.filter(|given| !matches!(given, ColumnDefault::Now | ColumnDefault::Expression(_)))
        else {
            continue;
        };
        if let Some(row) = after[&new.name].iter().find(|row| !alike(&shown(given), &row[&column.name])) {
            return Err(format!(
                "rows: the new column {}.{} is {}, not {given:?}",
                new.name, column.name, row[&column.name]
            ));
        }
    }
    Ok(())
}

/// After the way back every value is there that was not destroyed.
pub(crate) fn restored(pair: &Pair, before: &Rows, after: &Rows) -> Result<(), String> {
    for old in &pair.before.tables {
        let Some(new) = pair.table_after(&old.name) else {
            if !after[&old.name].is_empty() {
                return Err(format!("rows: made up in {}", old.name));
            }
            continue;
        };
        let columns: Vec<_> = pair.columns(old, new).into_iter().filter(Column2::keeps).collect();
        let texts = |rows: &Rows| {
            let mut rows: Vec<Vec<String>> = rows[&old.name]
                .iter()
                .map(|row| {
                    let value = |both: &Column2<'_>| {
                        let value = row[&both.before.name].clone();
                        let is_filled = pair.backfill(&new.name, &both.after.name).is_some();
                        let mapped = both.before.ty != both.after.ty && both.before.ty.as_enum().is_some();
                        if mapped || is_filled { "<any>".to_owned() } else { value }
                    };
                    columns.iter().map(value).collect()
                })
                .collect();
            rows.sort();
            rows
        };
        let (was, is) = (texts(before), texts(after));
        if was != is {
            return Err(format!("rows: of {} after the way back\nwere {was:?}\nare  {is:?}", old.name));
        }
    }
    Ok(())
}

fn shown(value: &ColumnDefault) -> String {
    match value {
        ColumnDefault::Bool(value) => value.to_string(),
        ColumnDefault::Int(value) => value.to_string(),
        ColumnDefault::Number(value) | ColumnDefault::Text(value) => value.to_string(),
        ColumnDefault::Now => "<now>".to_owned(),
        ColumnDefault::Expression(expression) => expression.to_string(),
    }
}

/// Whether a value that was read is the one that was written.
fn alike(written: &str, read: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    written == read
        || (written == "<now>" && read != NULL)
        || (number(written).is_some() && number(written) == number(read))
}
