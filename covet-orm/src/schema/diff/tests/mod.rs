//! Differences between schemas and what is made of them.
#![allow(clippy::unwrap_used)]

mod columns;
mod tables;

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{
    Action, Change, Column, ColumnType, EnumType, ForeignKey, Index, Schema, Table, constraint_name,
};

use super::{Decision, Diff, Question, diff, way_back};
use crate::schema::{apply, describe};

const I64: ColumnType = ColumnType::I64;
const I32: ColumnType = ColumnType::I32;
const TEXT: ColumnType = ColumnType::Text { max_len: None };

fn table<const N: usize>(name: &str, columns: [Column; N]) -> Table {
    let id = Column { auto: true, ..Column::new("id", I64) };
    Table {
        name: name.to_owned(),
        primary_key: vec!["id".to_owned()],
        columns: [vec![id], columns.to_vec()].concat(),
        ..Table::default()
    }
}

fn column(name: &str, ty: ColumnType) -> Column {
    Column::new(name, ty)
}

fn nullable(name: &str, ty: ColumnType) -> Column {
    Column { nullable: true, ..Column::new(name, ty) }
}

fn unique(mut table: Table, name: &str) -> Table {
    let index = constraint_name(&table.name, &[name], "key");
    table.indexes.push(Index::new(index, [name], true));
    table
}

fn points(mut table: Table, column: &str, target: &str, theirs: &str) -> Table {
    table.foreign_keys.push(ForeignKey {
        name: constraint_name(&table.name, &[column], "fkey"),
        columns: vec![column.to_owned()],
        target: target.to_owned(),
        target_columns: vec![theirs.to_owned()],
        on_delete: Action::Cascade,
        on_update: Action::NoAction,
        ..ForeignKey::default()
    });
    table
}

fn schema<const N: usize>(tables: [Table; N]) -> Schema {
    let mut schema = Schema::of(tables.to_vec());
    schema.sort();
    schema
}

fn role(labels: &[&str]) -> ColumnType {
    let labels: Vec<_> = labels.iter().map(|label| (*label).to_owned().into()).collect();
    ColumnType::Enum(EnumType { name: "role".into(), labels: labels.into() })
}

fn decisions(texts: &[&str]) -> Vec<Decision> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn made(before: &Schema, after: &Schema, texts: &[&str]) -> Vec<Change> {
    match diff(before, after, &decisions(texts)).unwrap() {
        Diff::Changes(changes) => changes,
        Diff::Missing(questions) => panic!("{questions:#?}"),
    }
}

/// The order of columns means nothing.
fn normal(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.sort();
    schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
    schema
}

fn after(before: &Schema, changes: &[Change]) -> Schema {
    let mut schema = before.clone();
    changes.iter().try_for_each(|change| apply(&mut schema, change)).unwrap();
    normal(&schema)
}

/// The changes in words, after both ways were walked.
fn walk(before: &Schema, to: &Schema, texts: &[&str]) -> Vec<String> {
    let forth = made(before, to, texts);
    assert_eq!(after(before, &forth), normal(to), "forth");
    let back = way_back(before, to, &decisions(texts)).unwrap();
    assert_eq!(after(to, &back), normal(before), "back");
    assert!(made(to, to, &[]).is_empty());
    let mut turned = before.clone();
    turned.tables.reverse();
    let mut turned_to = to.clone();
    turned_to.tables.reverse();
    assert_eq!(made(&turned, &turned_to, texts), forth, "the order of models matters");
    forth.iter().map(describe).collect()
}

fn asked(before: &Schema, after: &Schema, texts: &[&str]) -> Vec<Question> {
    match diff(before, after, &decisions(texts)).unwrap() {
        Diff::Missing(questions) => questions,
        Diff::Changes(changes) => panic!("{changes:#?}"),
    }
}

/// The answers offered to the one question.
fn offered(before: &Schema, after: &Schema) -> Vec<String> {
    let questions = asked(before, after, &[]);
    assert_eq!(questions.len(), 1, "{questions:#?}");
    questions[0].answers.iter().map(|answer| answer.decision.clone()).collect()
}

fn refused(before: &Schema, after: &Schema, texts: &[&str]) -> String {
    let error = diff(before, after, &decisions(texts)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    error.to_string()
}
