//! Views, triggers, functions and extensions around the changes of tables: they go before the first and come after the
//! last, those that change and those that only step aside.
//!
//! No database lets a view or a trigger follow every change of a table: PostgreSQL refuses to change a column that a
//! view reads, MySQL leaves a view behind that is broken, and `SELECT *` stands for the columns that there were.

use std::collections::BTreeSet;

use covet_drivers::catalog::{Change, ColumnType, Object, ObjectKind, Schema};
use covet_drivers::{Error, ErrorKind, Result};

/// The changes of the tables between what goes before them and what comes after them.
///
/// # Errors
/// `Migration` for a trigger whose table goes.
pub(super) fn around(tables: Vec<Change>, before: &Schema, after: &Schema) -> Result<Vec<Change>> {
    for object in &after.objects {
        if let Some(table) = object.table.as_ref().filter(|table| after.table(table).is_none()) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the trigger {} is on the table {table}, which no model has", object.name),
            )
            .with_table(table)
            .with_help("take the trigger away as well, or name the table that it is on by now"));
        }
    }
    let touched = touched(&tables, before);
    let going = spread(&before.objects, |object| {
        let stays = after.objects.iter().any(|other| other.means(object));
        !stays || object.kind != ObjectKind::Extension && object.reads.iter().any(|name| touched.contains(name))
    });
    let comes = |object: &&Object| match before.objects.iter().find(|other| other.means(object)) {
        Some(old) => going.iter().any(|gone| gone.is(old)),
        None => true,
    };
    let (ahead, behind): (Vec<&Object>, Vec<&Object>) =
        after.objects.iter().filter(comes).partition(|object| is_ground(object, after));
    // What is replaced is not there twice for a moment: it goes early even though tables may stand on it.
    let is_replaced = |object: &Object| after.objects.iter().any(|other| other.is(object));
    let (late, early): (Vec<&Object>, Vec<&Object>) =
        going.into_iter().partition(|object| is_ground(object, before) && !is_replaced(object));
    let drop = |object: &Object| Change::DropObject { object: object.clone() };
    let create = |object: &Object| Change::CreateObject { object: object.clone() };
    let mut changes: Vec<Change> = in_order(early).into_iter().rev().map(drop).collect();
    changes.extend(in_order(ahead).into_iter().map(create));
    changes.extend(tables);
    changes.extend(in_order(behind).into_iter().map(create));
    changes.extend(in_order(late).into_iter().rev().map(drop));
    Ok(changes)
}

/// Whether tables may stand on it: a type of an extension, or a function that a default or a check calls.
fn is_ground(object: &Object, schema: &Schema) -> bool {
    match object.kind {
        ObjectKind::Extension => true,
        ObjectKind::Function => !reads_tables(object, schema, &mut Vec::new()),
        ObjectKind::View | ObjectKind::Trigger => false,
    }
}

/// Whether it reads a table or a view, also by a function that it calls; those in `seen` are looked at already.
fn reads_tables<'s>(object: &'s Object, schema: &'s Schema, seen: &mut Vec<&'s str>) -> bool {
    if seen.contains(&object.name.as_str()) {
        return false;
    }
    seen.push(&object.name);
    let reads = |other: &&Object| object.reads.contains(&other.name);
    let known: Vec<&Object> = schema.objects.iter().filter(reads).collect();
    object.reads.iter().any(|name| schema.table(name).is_some())
        || known.iter().any(|other| match other.kind {
            ObjectKind::View => true,
            ObjectKind::Function => reads_tables(other, schema, seen),
            ObjectKind::Extension | ObjectKind::Trigger => false,
        })
}

/// The objects for which it holds, and those that name one of them.
fn spread(objects: &[Object], holds: impl Fn(&Object) -> bool) -> Vec<&Object> {
    let mut found: Vec<&Object> = objects.iter().filter(|object| holds(object)).collect();
    loop {
        let reads = |object: &&Object| {
            !found.iter().any(|known| known.is(object))
                && found.iter().any(|known| known.kind != ObjectKind::Trigger && object.reads.contains(&known.name))
        };
        let more: Vec<&Object> = objects.iter().filter(reads).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Each behind those that it names; by kind and name where that leaves a choice.
fn in_order(mut left: Vec<&Object>) -> Vec<&Object> {
    left.sort_by(|a, b| (a.kind, &a.name, &a.table).cmp(&(b.kind, &b.name, &b.table)));
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |object: &Object| {
            left.iter().any(|other| {
                !other.is(object) && other.kind != ObjectKind::Trigger && object.reads.contains(&other.name)
            })
        };
        // In a circle the first goes ahead, and the database has its say.
        let at = left.iter().position(|object| !waits(object)).unwrap_or(0);
        order.push(left.remove(at));
    }
    order
}

/// The tables, by the names that they have before, whose columns change, or that get another name or go.
fn touched(changes: &[Change], before: &Schema) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    let mut names: Vec<(String, String)> = Vec::new();
    for change in changes {
        let table = match change {
            Change::RenameTable { from, to } => {
                match names.iter_mut().find(|(_, now)| now == from) {
                    Some((_, now)) => now.clone_from(to),
                    None => names.push((from.clone(), to.clone())),
                }
                to
            }
            Change::AlterEnum { before: ty, .. } => {
                let has = |column: &ColumnType| column.as_enum().is_some_and(|other| other.name == ty.name);
                let tables = before.tables.iter().filter(|table| table.columns.iter().any(|column| has(&column.ty)));
                touched.extend(tables.map(|table| table.name.clone()));
                continue;
            }
            Change::DropTable { table } => &table.name,
            Change::AddColumn { table, .. }
            | Change::DropColumn { table, .. }
            | Change::RenameColumn { table, .. }
            | Change::SwapColumn { table, .. }
            | Change::AlterColumn { table, .. } => table,
            _ => continue,
        };
        let old = names.iter().find(|(_, now)| now == table).map_or(table, |(old, _)| old);
        touched.insert(old.clone());
    }
    touched
}
