//! The comparison of the columns of a table that both schemas have.

use covet_drivers::catalog::{Change, Column, ColumnType, Expression, Table};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::diff::compare::{Between, Places};
use crate::schema::diff::decision::place;
use crate::schema::diff::judge::{Fill, Judge};
use crate::schema::diff::retype::{Retype, retype};
use crate::schema::diff::{Answer, Decision, Question, similarity};

pub(super) fn compare(
    old: &Table,
    new: &Table,
    between: &Between<'_>,
    judge: &mut Judge<'_>,
    places: &mut Places,
) -> Result<()> {
    // What is lost is asked about first: a rename answers the question about the new column too.
    for column in &old.columns {
        if new.column(&column.name).is_none() {
            let change = Change::DropColumn { table: new.name.clone(), column: column.clone() };
            let decision = Decision::DropColumn { table: new.name.clone(), column: column.name.clone() };
            if column.generated.is_some() {
                is_read_no_more(new, &column.name)?;
                places.drop_generated.push(change);
            } else if judge.decided(&decision, || lost(old, new, column)) {
                is_read_no_more(new, &column.name)?;
                places.drop_columns.push(change);
            }
        }
    }
    let moved = between.moving.of(&new.name);
    for column in &new.columns {
        match old.column(&column.name) {
            None => add(new, column, judge, places)?,
            Some(was) if moved.is_some_and(|moved| moved.gone.contains(&column.name)) => {
                replace(new, was, column, judge, places);
            }
            Some(was) if !was.means(column) => alter(new, was, column, judge, places)?,
            Some(_) => {}
        }
    }
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
    let other = || {
        let found = new.columns.iter().find(|other| other.reads(column))?;
        let what = if found.generated.is_some() { "the generated column" } else { "the default of the column" };
        Some(format!("{what} {}", found.name))
    };
    match check.or_else(index).or_else(other) {
        None => Ok(()),
        Some(reader) => Err(Error::new(
            ErrorKind::Migration,
            format!("{}: the column goes, and {reader} still reads it", place(&new.name, column)),
        )
        .with_help("change what reads it, or keep the column")),
    }
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
    places.drop_generated.push(Change::DropColumn { table: name.clone(), column: was.clone() });
    places.add_generated.push(Change::AddColumn { table: name.clone(), column: column.clone(), backfill: None });
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
    let place = if column.generated.is_some() { &mut places.add_generated } else { &mut places.add_columns };
    place.push(Change::AddColumn { table: table.name.clone(), column: column.clone(), backfill });
    Ok(())
}

fn alter(table: &Table, was: &Column, column: &Column, judge: &mut Judge<'_>, places: &mut Places) -> Result<()> {
    let name = &table.name;
    // The labels of an enum are a change of the enum, which is made before.
    let known = was;
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
    if was.generated.is_some() && column.generated.is_none() {
        // What it reads may change from then on, and it becomes another as any column does. It may hold NULL whatever it
        // says, where a database keeps nothing of that for a generated column.
        was.nullable |= column.nullable;
        let plain = Column { generated: None, nullable: was.nullable, ..known.clone() };
        let change = |before, after| Change::AlterColumn { table: name.clone(), before, after, backfill: None };
        places.settle.push(change(known.clone(), plain));
        was.generated = None;
    }
    if !was.means(column) {
        let after = column.clone();
        places.alter_columns.push(Change::AlterColumn { table: name.clone(), before: was, after, backfill });
    }
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
