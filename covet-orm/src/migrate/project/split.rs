//! Which part of a change comes when: what programs of the last release do not notice, what fills rows, and what they
//! would not bear.

use covet_drivers::catalog::{Change, Column, ColumnDefault, Schema, Table, shorten};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::narrows;

/// The changes of each part, in their order.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) expand: Vec<Change>,
    pub(super) backfill: Vec<Change>,
    pub(super) contract: Vec<Change>,
}

/// The parts of the changes. `rewrites` says whether a column becomes another by writing every row anew.
///
/// # Errors
/// `Migration` for a rename, which programs of two releases cannot both bear, and for another type of a column that
/// cannot be put in its place beside others.
pub(super) fn split(changes: &[Change], before: &Schema, rewrites: &dyn Fn(&Column, &Column) -> bool) -> Result<Parts> {
    let mut parts = Parts::default();
    let mut expanded = before.clone();
    for change in changes {
        match change {
            Change::RenameTable { from, to } => return Err(renamed(format_args!("the table {from}"), to)),
            Change::RenameColumn { table, from, to } => return Err(renamed(format_args!("{table}.{from}"), to)),
            Change::AddColumn { table, column, backfill } if before.table(table).is_some() => {
                parts.add(&mut expanded, table, column, backfill.as_ref());
            }
            Change::AlterColumn { table, before: from, after, backfill } => {
                let known = before.table(table).ok_or_else(|| fault(table))?;
                if rewrites(from, after) {
                    parts.retype(before, known, from, after, backfill.as_ref())?;
                } else {
                    parts.alter(known, from, after, backfill.as_ref());
                }
            }
            // What stands on nothing that changes later.
            Change::CreateObject { object }
                if parts.backfill.is_empty()
                    && parts.contract.is_empty()
                    && before.objects.iter().all(|known| known.name != object.name)
                    && expanded.apply(change).is_some() =>
            {
                parts.expand.push(change.clone());
            }
            other
                if is_unnoticed(other, before)
                    && is_ready(other, changes, &expanded)
                    && expanded.apply(other).is_some() =>
            {
                parts.expand.push(other.clone());
            }
            other => parts.contract.push(other.clone()),
        }
    }
    Ok(parts)
}

/// Whether programs of the last release go on as before.
fn is_unnoticed(change: &Change, before: &Schema) -> bool {
    match change {
        Change::CreateSchema { .. }
        | Change::CreateEnum { .. }
        | Change::CreateTable { .. }
        | Change::CommentTable { .. } => true,
        // What no old row and no old program has cannot be in its way.
        Change::AddIndex { table, index } => before
            .table(table)
            .is_none_or(|known| !index.unique || index.column_names().iter().any(|name| known.column(name).is_none())),
        Change::AddForeignKey { table, foreign_key } => {
            before.table(table).is_none_or(|known| foreign_key.columns.iter().any(|name| known.column(name).is_none()))
        }
        _ => false,
    }
}

/// Whether nothing that goes later bears the name, and what a foreign key stands on is there and stays.
fn is_ready(change: &Change, changes: &[Change], expanded: &Schema) -> bool {
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    match change {
        Change::AddIndex { index: new, .. } => !changes.iter().any(|change| match change {
            Change::DropIndex { index, .. } => is(&index.name, &new.name),
            Change::RenameIndex { from, .. } => is(from, &new.name),
            _ => false,
        }),
        Change::AddForeignKey { foreign_key: new, .. } => {
            let on = &new.target_columns;
            let goes = changes.iter().any(|change| match change {
                Change::DropForeignKey { foreign_key, .. } => is(&foreign_key.name, &new.name),
                Change::RenameConstraint { from, .. } => is(from, &new.name),
                Change::DropIndex { table, index } => *table == new.target && index.keeps_unique(on),
                Change::AlterPrimaryKey { table, before, .. } => {
                    *table == new.target && before.len() == on.len() && before.iter().all(|name| on.contains(name))
                }
                _ => false,
            });
            !goes && expanded.table(&new.target).is_some_and(|target| target.is_unique(on))
        }
        _ => true,
    }
}

impl Parts {
    /// A new column. What rows get is its default until no program of the last release is left to leave it out; where
    /// that is computed for each row, rows that exist get it in batches.
    fn add(&mut self, expanded: &mut Schema, table: &str, column: &Column, backfill: Option<&ColumnDefault>) {
        let computed = matches!(&column.default, Some(ColumnDefault::Expression(_))) && backfill.is_none();
        let changes = match backfill {
            _ if computed && column.generated.is_none() => {
                let bare = Column { nullable: true, default: None, ..column.clone() };
                let filled = Column { nullable: true, ..column.clone() };
                if let Some(value) = column.default.clone() {
                    self.backfill.push(Change::FillColumn { table: table.to_owned(), column: filled.clone(), value });
                }
                if !column.nullable {
                    self.contract.push(altered(table, &filled, column, None));
                }
                vec![added(table, &bare), altered(table, &bare, &filled, None)]
            }
            Some(value) if column.default.as_ref() != Some(value) => {
                let filled = Column { default: Some(value.clone()), ..column.clone() };
                self.contract.push(altered(table, &filled, column, None));
                vec![added(table, &filled)]
            }
            _ => {
                vec![Change::AddColumn { table: table.to_owned(), column: column.clone(), backfill: backfill.cloned() }]
            }
        };
        // One that takes the place of another of its name comes when that has gone.
        if changes.iter().all(|change| expanded.apply(change).is_some()) {
            self.expand.extend(changes);
        } else {
            self.contract.extend(changes);
        }
    }

    /// A column that changes where it stands.
    fn alter(&mut self, known: &Table, from: &Column, after: &Column, backfill: Option<&ColumnDefault>) {
        // Nothing is written to a column that is generated until then.
        let is_generated = known.column(&from.name).is_some_and(|column| column.generated.is_some());
        if let Some(value) = backfill.filter(|_| !is_generated) {
            let (table, column, value) = (known.name.clone(), from.clone(), value.clone());
            self.backfill.push(Change::FillColumn { table, column, value });
        }
        // What came meanwhile is filled again before NULL is refused.
        self.contract.push(altered(&known.name, from, after, backfill));
    }

    /// A column of another type: one beside it that follows it, is filled, and takes its place.
    fn retype(
        &mut self,
        schema: &Schema,
        table: &Table,
        from: &Column,
        after: &Column,
        backfill: Option<&ColumnDefault>,
    ) -> Result<()> {
        if let Some(why) = holds(schema, table, from, after) {
            return Err(fixed(&table.name, from, after, &why));
        }
        let name = shorten(format!("{}_new", from.name));
        if table.column(&name).is_some() {
            return Err(fixed(&table.name, from, after, &format!("there is a column {name} already")));
        }
        let to = Column { name, nullable: true, default: None, ..after.clone() };
        let done = Column { name: to.name.clone(), ..after.clone() };
        let place = || table.name.clone();
        self.expand.push(added(&table.name, &to));
        self.expand.push(Change::FollowColumn { table: place(), from: from.clone(), to: to.clone() });
        if let Some(value) = backfill {
            // The column that is followed gets it, or the other would lose it again.
            let fill = Change::FillColumn { table: place(), column: from.clone(), value: value.clone() };
            self.backfill.push(fill.clone());
            self.contract.push(fill);
        }
        self.backfill.push(Change::CopyColumn { table: place(), from: from.clone(), to: to.clone() });
        if to != done {
            self.contract.push(altered(&table.name, &to, &done, None));
        }
        self.contract.push(Change::SwapColumn { table: place(), from: from.clone(), to: done });
        Ok(())
    }
}

/// What stands on the column, so that no other can take its place beside others.
fn holds(schema: &Schema, table: &Table, from: &Column, after: &Column) -> Option<String> {
    let name = &from.name;
    let has = |columns: &[String]| columns.iter().any(|column| column == name);
    if narrows(&from.ty, &after.ty) || from.ty.as_enum().is_some() || from.case_insensitive != after.case_insensitive {
        return Some("a value that programs of the last release write may not fit".to_owned());
    }
    let is_generated = |column: &Column| column.generated.is_some();
    // It may have been settled by the change before.
    if from.auto || after.auto || table.column(name).is_some_and(is_generated) || is_generated(after) {
        return Some("the database makes its values".to_owned());
    }
    if has(&table.primary_key) {
        return Some("it is part of the primary key".to_owned());
    }
    if let Some(index) = table.indexes.iter().find(|index| index.mentions(name)) {
        return Some(format!("the index {} stands on it", index.name));
    }
    let keys = schema.tables.iter().flat_map(|owner| owner.foreign_keys.iter().map(move |key| (owner, key)));
    let key = keys.into_iter().find(|(owner, key)| {
        (owner.name == table.name && has(&key.columns)) || (key.target == table.name && has(&key.target_columns))
    });
    if let Some((_, key)) = key {
        return Some(format!("the foreign key {} stands on it", key.name));
    }
    let check = table.checks.iter().find(|check| check.expression.mentions(name));
    let generated = table
        .columns
        .iter()
        .find(|other| other.generated.as_ref().is_some_and(|generated| generated.expression.mentions(name)));
    check
        .map(|check| format!("the check {} reads it", check.name))
        .or_else(|| generated.map(|other| format!("the generated column {} reads it", other.name)))
}

fn added(table: &str, column: &Column) -> Change {
    Change::AddColumn { table: table.to_owned(), column: column.clone(), backfill: None }
}

fn altered(table: &str, before: &Column, after: &Column, backfill: Option<&ColumnDefault>) -> Change {
    let (before, after) = (before.clone(), after.clone());
    Change::AlterColumn { table: table.to_owned(), before, after, backfill: backfill.cloned() }
}

#[cold]
fn renamed(what: std::fmt::Arguments<'_>, to: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("a rename is not made online: {what} to {to}")).with_help(
        "programs of the last release ask for the old name: keep it in the database (`table = \"…\"`, `column = \"…\"`), \
         or add the new one, write both, and drop the old one later; without --online it is renamed at once",
    )
}

#[cold]
fn fixed(table: &str, from: &Column, after: &Column, why: &str) -> Error {
    let what = format!("{table}.{} does not change online from {} to {}: {why}", from.name, from.ty, after.ty);
    Error::new(ErrorKind::Unsupported, what).with_table(table).with_column(&from.name).with_help(
        "make it in a migration of its own without --online, for a quiet time; or add a column under another name, \
         write both, and drop the old one later",
    )
}

#[cold]
fn fault(table: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("a change is about the table {table}, which is not there"))
        .with_table(table)
}
