//! The comparison of one table that both schemas have.

use covet_drivers::Result;
use covet_drivers::catalog::{Change, Column, ColumnType, Schema, Table};

use crate::schema::diff::compare::{Places, not_yet};
use crate::schema::diff::decision::place;
use crate::schema::diff::judge::{Fill, Judge};
use crate::schema::diff::retype::{Retype, retype};
use crate::schema::diff::{Answer, Decision, Question, ground, similarity};

pub(super) fn compare(
    old: &Table,
    new: &Table,
    before: &Schema,
    after: &Schema,
    judge: &mut Judge<'_>,
    places: &mut Places,
) -> Result<()> {
    if old.primary_key != new.primary_key {
        let what = format!(
            "its primary key changes from ({}) to ({})",
            old.primary_key.join(", "),
            new.primary_key.join(", ")
        );
        return Err(not_yet(&new.name, None, &what, "make a new table, copy the rows, and drop this one"));
    }
    // What is lost is asked about first: a rename answers the question about the new column too.
    for column in &old.columns {
        if new.column(&column.name).is_none() {
            let decision = Decision::DropColumn { table: new.name.clone(), column: column.name.clone() };
            if judge.decided(&decision, || lost(old, new, column)) {
                places.drop_columns.push(Change::DropColumn { table: new.name.clone(), column: column.clone() });
            }
        }
    }
    for column in &new.columns {
        match old.column(&column.name) {
            None => add(new, column, judge, places)?,
            Some(was) if was != column => alter(new, was, column, judge, places)?,
            Some(_) => {}
        }
    }
    indexes(old, new, places);
    foreign_keys(old, new, before, after, places);
    Ok(())
}

fn add(table: &Table, column: &Column, judge: &mut Judge<'_>, places: &mut Places) -> Result<()> {
    let backfill = if column.nullable || column.default.is_some() {
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
    if was.auto != column.auto {
        let what = if column.auto { "the database is to number it" } else { "the database is no longer to number it" };
        return Err(not_yet(name, Some(&column.name), what, "make a new table, copy the rows, and drop this one"));
    }
    // The labels of an enum are a change of the enum, which is made before.
    let mut was = was.clone();
    if let (ColumnType::Enum(old), ColumnType::Enum(new)) = (&mut was.ty, &column.ty)
        && old.name == new.name
    {
        *old = new.clone();
    }
    if was == *column {
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

fn indexes(old: &Table, new: &Table, places: &mut Places) {
    let table = &new.name;
    for index in old.indexes.iter().filter(|index| !new.indexes.contains(index)) {
        places.drop_indexes.push(Change::DropIndex { table: table.clone(), index: index.clone() });
    }
    for index in new.indexes.iter().filter(|index| !old.indexes.contains(index)) {
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
