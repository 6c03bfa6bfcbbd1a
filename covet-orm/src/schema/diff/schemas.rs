//! Schemas that come before everything that is in them, and go after it.

use covet_drivers::catalog::{Change, Schema};

use crate::schema::diff::judge::Judge;
use crate::schema::diff::names::show;
use crate::schema::diff::{Answer, Decision, Question};

/// The changes between those that make the schemas which are new in `after`, and those that drop what was decided to go.
pub(super) fn around(changes: Vec<Change>, before: &Schema, after: &Schema, going: Vec<Change>) -> Vec<Change> {
    let new = only(after, before).into_iter().map(|name| Change::CreateSchema { name });
    new.chain(changes).chain(going).collect()
}

/// The schemas in which nothing of the models is left, as far as they are to go.
pub(super) fn going(before: &Schema, after: &Schema, judge: &mut Judge<'_>) -> Vec<Change> {
    let mut going = Vec::new();
    for name in only(before, after) {
        let keep = Decision::KeepSchema(name.clone());
        if judge.decisions().contains(&keep) {
            judge.used(&keep);
            continue;
        }
        let drop = Decision::DropSchema(name.clone());
        if judge.decided(&drop, || empty(&name, &drop, &keep)) {
            going.push(Change::DropSchema { name, if_empty: false });
        }
    }
    going
}

/// On the way back a schema goes that was not there before, unless somebody else has put something into it.
pub(super) fn way_back(before: &Schema, after: &Schema) -> Vec<Change> {
    only(after, before).into_iter().map(|name| Change::DropSchema { name, if_empty: true }).collect()
}

fn only(one: &Schema, other: &Schema) -> Vec<String> {
    let known = other.schemas();
    one.schemas().into_iter().filter(|name| !known.contains(name)).collect()
}

fn empty(name: &str, drop: &Decision, keep: &Decision) -> Question {
    let answer = |decision: &Decision, effect: &str| Answer {
        decision: decision.to_string(),
        effect: effect.to_owned(),
        similarity: None,
    };
    Question {
        about: format!("schema {}", show(name)),
        found: "nothing of the models is left in it".to_owned(),
        answers: vec![
            answer(drop, "it goes; whatever else is in it stops the migration"),
            answer(keep, "it stays, with whatever else is in it"),
        ],
    }
}
