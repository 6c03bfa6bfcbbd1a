//! The comparison of one table that both schemas have.

use std::collections::BTreeSet;

use covet_drivers::catalog::{Change, Check, Column, ColumnType, Expression, Index, Schema, Table};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::diff::compare::Places;
use crate::schema::diff::decision::place;
use crate::schema::diff::judge::{Fill, Judge};
use crate::schema::diff::retype::{Retype, moves_keys, retype};
use crate::schema::diff::{Answer, Decision, Question, ground, similarity};

pub(super) fn compare(
    old: &Table,
    new: &Table,
    before: &Schema,
    after: &Schema,
    judge: &mut Judge<'_>,
    places: &mut Places,
) -> Result<()> {
    // What is lost is asked about first: a rename answers the question about the new column too.
    for column in &old.columns {
        if new.column(&column.name).is_none() {
            let decision = Decision::DropColumn { table: new.name.clone(), column: column.name.clone() };
            if column.generated.is_some() || judge.decided(&decision, || lost(old, new, column)) {
                is_read_no_more(new, &column.name)?;
                places.drop_columns.push(Change::DropColumn { table: new.name.clone(), column: column.clone() });
            }
        }
    }
    let replaced = replaced(old, new);
    for column in &new.columns {
        match old.column(&column.name) {
            None => add(new, column, judge, places)?,
            Some(was) if replaced.contains(&column.name) => replace(new, was, column, judge, places),
            Some(was) if !was.means(column) => alter(new, was, column, judge, places)?,
            Some(_) => {}
        }
    }
    primary_key(old, new, places);
    checks(old, new, &replaced, places);
    indexes(old, new, &replaced, places);
    foreign_keys(old, new, before, after, places);
    if old.comment != new.comment {
        let (before, after) = (old.comment.clone(), new.comment.clone());
        places.comments.push(Change::CommentTable { table: new.name.clone(), before, after });
    }
    Ok(())
}

/// Refuses to drop a column that something reads which stays.
fn is_read_no_more(new: &Table, column: &str) -> Result<()> {
    let reads = |expression: &Expression| expression.mentions(column);
    let check =
        new.checks.iter().find(|check| reads(&check.expression)).map(|check| format!("the check {}", check.name));
    let index =
        || new.indexes.iter().find(|index| index.mentions(column)).map(|index| format!("the index {}", index.name));
    let generated = || {
        let found = new.columns.iter().find(|other| other.generated.as_ref().is_some_and(|g| reads(&g.expression)));
        found.map(|other| format!("the generated column {}", other.name))
    };
    match check.or_else(index).or_else(generated) {
        None => Ok(()),
        Some(reader) => Err(Error::new(
            ErrorKind::Migration,
            format!("{}: the column goes, and {reader} still reads it", place(&new.name, column)),
        )
        .with_help("change what reads it, or keep the column")),
    }
}

/// Columns that go and come again: those whose generated value is made in another way, or reads a column that becomes
/// another while it stands there.
fn replaced(old: &Table, new: &Table) -> BTreeSet<String> {
    let mut replaced = BTreeSet::new();
    let retyped: Vec<&str> = new
        .columns
        .iter()
        .filter(|column| old.column(&column.name).is_some_and(|was| moves_keys(was, column)))
        .map(|column| column.name.as_str())
        .collect();
    for column in &new.columns {
        let Some(was) = old.column(&column.name) else { continue };
        let Some(generated) = &column.generated else { continue };
        let reads = |name: &&str| generated.expression.mentions(name);
        if !was.means(&Column { comment: was.comment.clone(), ..column.clone() }) || retyped.iter().any(reads) {
            replaced.insert(column.name.clone());
        }
    }
    replaced
}

/// A column goes and comes again. One that was written by hand loses its values.
fn replace(table: &Table, was: &Column, column: &Column, judge: &mut Judge<'_>, places: &mut Places) {
    let name = &table.name;
    if was.generated.is_none() {
        let decision = Decision::DropColumn { table: name.clone(), column: column.name.clone() };
        let question = || Question {
            about: place(name, &column.name),
            found: "its value is to be generated from now on".to_owned(),
            answers: vec![Answer {
                decision: decision.to_string(),
                effect: "the values that it has are lost".to_owned(),
                similarity: None,
            }],
        };
        if !judge.decided(&decision, question) {
            return;
        }
    }
    places.drop_replaced.push(Change::DropColumn { table: name.clone(), column: was.clone() });
    places.add_replaced.push(Change::AddColumn { table: name.clone(), column: column.clone(), backfill: None });
}

fn primary_key(old: &Table, new: &Table, places: &mut Places) {
    if old.primary_key == new.primary_key {
        return;
    }
    let change = |before: &[String], after: &[String]| Change::AlterPrimaryKey {
        table: new.name.clone(),
        before: before.to_vec(),
        after: after.to_vec(),
    };
    // No column of a key allows NULL; and a column that is numbered becomes the key as it comes.
    let freed = old.primary_key.iter().any(|name| new.column(name).is_some_and(|column| column.nullable));
    let numbered = new.columns.iter().any(|column| column.auto && old.column(&column.name).is_none());
    if !old.primary_key.is_empty() && (freed || numbered || new.primary_key.is_empty()) {
        places.drop_keys.push(change(&old.primary_key, &[]));
        if !new.primary_key.is_empty() {
            places.keys.push(change(&[], &new.primary_key));
        }
    } else {
        places.keys.push(change(&old.primary_key, &new.primary_key));
    }
}

fn checks(old: &Table, new: &Table, replaced: &BTreeSet<String>, places: &mut Places) {
    let table = &new.name;
    let aside = |expression: &Expression| replaced.iter().any(|name| expression.mentions(name));
    let same = |a: &Check, b: &Check| a.name == b.name && a.expression.means(&b.expression);
    for check in &old.checks {
        if aside(&check.expression) || !new.checks.iter().any(|other| same(other, check)) {
            places.drop_checks.push(Change::DropCheck { table: table.clone(), check: check.clone() });
        }
    }
    for check in &new.checks {
        if aside(&check.expression) || !old.checks.iter().any(|other| same(other, check)) {
            places.add_checks.push(Change::AddCheck { table: table.clone(), check: check.clone() });
        }
    }
}

fn add(table: &Table, column: &Column, judge: &mut Judge<'_>, places: &mut Places) -> Result<()> {
    let is_filled = column.nullable || column.default.is_some() || column.auto || column.generated.is_some();
    let backfill = if is_filled {
        None
    } else {
        match judge.fill_new(&table.name, column)? {
            Fill::Value(value) => Some(value),
            Fill::Guard => None,
            Fill::Undecided => return Ok(()),
        }
    };
    places.add_columns.push(Change::AddColumn { table: table.name.clone(), column: column.clone(), backfill });
    Ok(())
}

fn alter(table: &Table, was: &Column, column: &Column, judge: &mut Judge<'_>, places: &mut Places) -> Result<()> {
    let name = &table.name;
    // The labels of an enum are a change of the enum, which is made before.
    let mut was = was.clone();
    if let (ColumnType::Enum(old), ColumnType::Enum(new)) = (&mut was.ty, &column.ty)
        && old.name == new.name
    {
        *old = new.clone();
    }
    if was.means(column) {
        return Ok(());
    }
    if retype(&was.ty, &column.ty) == Retype::Narrowing {
        let decision = Decision::Narrow { table: name.clone(), column: column.name.clone() };
        let found = format!("its type changes from {} to {}, which cannot hold every value", was.ty, column.ty);
        let question = || Question {
            about: place(name, &column.name),
            found,
            answers: vec![Answer {
                decision: decision.to_string(),
                effect: "a value that does not fit stops the migration".to_owned(),
                similarity: None,
            }],
        };
        if !judge.decided(&decision, question) {
            return Ok(());
        }
    }
    let backfill = if was.nullable && !column.nullable {
        match judge.fill_nulls(name, column)? {
            Fill::Value(value) => Some(value),
            Fill::Guard => None,
            Fill::Undecided => return Ok(()),
        }
    } else {
        None
    };
    places.alter_columns.push(Change::AlterColumn {
        table: name.clone(),
        before: was,
        after: column.clone(),
        backfill,
    });
    Ok(())
}

fn lost(old: &Table, new: &Table, column: &Column) -> Question {
    let mut candidates: Vec<(u8, &Column)> = new
        .columns
        .iter()
        .filter(|other| old.column(&other.name).is_none() && other.auto == column.auto)
        // A column whose values the new one cannot hold was hardly renamed.
        .filter(|other| retype(&column.ty, &other.ty) != Retype::Narrowing)
        .map(|other| (similarity::columns(column, other), other))
        .collect();
    candidates.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    let mut answers: Vec<Answer> = candidates
        .into_iter()
        .map(|(percent, other)| {
            let (table, from, to) = (new.name.clone(), column.name.clone(), other.name.clone());
            Answer {
                decision: Decision::RenameColumn { table, from, to }.to_string(),
                effect: "its values stay".to_owned(),
                similarity: Some(percent),
            }
        })
        .collect();
    answers.push(Answer {
        decision: Decision::DropColumn { table: new.name.clone(), column: column.name.clone() }.to_string(),
        effect: "its values are lost".to_owned(),
        similarity: None,
    });
    Question {
        about: place(&new.name, &column.name),
        found: "the model has no such column any more".to_owned(),
        answers,
    }
}

fn indexes(old: &Table, new: &Table, replaced: &BTreeSet<String>, places: &mut Places) {
    let table = &new.name;
    let aside = |index: &Index| replaced.iter().any(|name| index.mentions(name));
    let means = |a: &Index, b: &Index| a.means(b);
    for index in old.indexes.iter().filter(|index| aside(index) || !new.indexes.iter().any(|new| means(index, new))) {
        places.drop_indexes.push(Change::DropIndex { table: table.clone(), index: index.clone() });
    }
    for index in new.indexes.iter().filter(|index| aside(index) || !old.indexes.iter().any(|old| means(index, old))) {
        places.add_indexes.push(Change::AddIndex { table: table.clone(), index: index.clone() });
    }
}

fn foreign_keys(old: &Table, new: &Table, before: &Schema, after: &Schema, places: &mut Places) {
    let table = &new.name;
    for key in &old.foreign_keys {
        let stays = new.foreign_keys.contains(key);
        let aside = stays && ground::must_step_aside(new, key, before, after);
        if !stays || aside {
            places.drop_foreign_keys.push(Change::DropForeignKey { table: table.clone(), foreign_key: key.clone() });
        }
        if aside {
            places.add_foreign_keys.push(Change::AddForeignKey { table: table.clone(), foreign_key: key.clone() });
        }
    }
    for key in new.foreign_keys.iter().filter(|key| !old.foreign_keys.contains(key)) {
        places.add_foreign_keys.push(Change::AddForeignKey { table: table.clone(), foreign_key: key.clone() });
    }
}
