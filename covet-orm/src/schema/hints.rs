//! What models say about their own past by `renamed_from` and `backfill`: answers to what a comparison would ask.
//!
//! A hint is no part of the schema. It answers as long as the last migration still has the old name, or the column still
//! lacks a value; after that it has done its work, and says nothing any more.

use covet_drivers::catalog::{EnumType, Schema};
use covet_drivers::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::schema::{Decision, Models, Question};

/// What the models say about their own past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hints(Vec<Hint>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hint {
    /// Who says it: model and field.
    by: String,
    #[serde(with = "as_text")]
    decision: Decision,
}

/// What these models say about their own past.
///
/// # Errors
/// `Migration` when two of them claim the same, and as [`schema_of`](crate::schema::schema_of).
pub fn hints_of(models: &Models) -> Result<Hints> {
    let mut hints = Hints::default();
    for model in models.with_tables()? {
        let table = model.table.to_owned();
        if let Some(from) = model.more.and_then(|more| more.renamed_from) {
            let decision = Decision::RenameTable { from: from.to_owned(), to: table.clone() };
            hints.add(model.name.to_owned(), decision)?;
        }
        for column in model.columns {
            let by = || format!("{}.{}", model.name, column.field);
            let more = column.more;
            if let Some(from) = more.and_then(|more| more.renamed_from) {
                let (from, to) = (from.to_owned(), column.column.to_owned());
                hints.add(by(), Decision::RenameColumn { table: table.clone(), from, to })?;
            }
            if let Some(value) = more.and_then(|more| more.backfill.clone()) {
                hints
                    .add(by(), Decision::Backfill { table: table.clone(), column: column.column.to_owned(), value })?;
            }
            for (label, to) in column.relabels {
                let Some(ty) = column.ty.as_enum() else { continue };
                let (ty, label, to) = (ty.name.to_string(), (*label).to_owned(), (*to).to_owned());
                hints.add(by(), Decision::MapLabel { ty, label, to })?;
            }
        }
    }
    Ok(hints)
}

impl Hints {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, by: String, decision: Decision) -> Result<()> {
        match self.0.iter().find(|other| contradict(&other.decision, &decision)) {
            // A column of the same enum says the same.
            Some(other) if other.decision == decision => Ok(()),
            Some(other) => {
                let text = format!("{} says `{}`, and {by} says `{decision}`", other.by, other.decision);
                Err(Error::new(ErrorKind::Migration, text).with_help("take one of the attributes away"))
            }
            None => {
                self.0.push(Hint { by, decision });
                Ok(())
            }
        }
    }

    /// These decisions, and those that the models say of what lies between the schemas: names first. What a comparison
    /// asks only then is left to [`answers`](Hints::answers).
    ///
    /// # Errors
    /// `Migration` for a hint that a decision contradicts, and for names that change in a circle.
    pub(crate) fn with(&self, given: &[Decision], before: &Schema, after: &Schema) -> Result<Vec<Decision>> {
        let mut decisions = given.to_vec();
        let tables: Vec<(&Hint, &str, &str)> = self.of(|decision| match decision {
            Decision::RenameTable { from, to } => Some((from, to)),
            _ => None,
        });
        for hint in renames(tables, |name| before.table(name).is_some())? {
            answer(&mut decisions, hint, given)?;
        }
        for table in &after.tables {
            let columns = self.of(|decision| match decision {
                Decision::RenameColumn { table: of, from, to } if *of == table.name => Some((from, to)),
                _ => None,
            });
            if columns.is_empty() {
                continue;
            }
            let Some(known) = before.table(former(&decisions, &table.name)) else { continue };
            for hint in renames(columns, |name| known.column(name).is_some())? {
                answer(&mut decisions, hint, given)?;
            }
        }
        for hint in &self.0 {
            match &hint.decision {
                Decision::MapLabel { ty, label, .. } => {
                    let has =
                        |schema| labels(schema, ty).is_some_and(|ty| ty.labels.iter().any(|known| known == label));
                    if has(before) && !has(after) {
                        answer(&mut decisions, hint, given)?;
                    }
                }
                Decision::Backfill { table, column, .. } => {
                    let is_new =
                        before.table(former(&decisions, table)).is_some_and(|known| known.column(column).is_none());
                    let empty = Decision::TableIsEmpty(table.clone());
                    let against = |other: &&Decision| contradict(other, &hint.decision) || is_new && **other == empty;
                    if let Some(other) = given.iter().filter(|other| **other != hint.decision).find(against) {
                        return Err(contradiction(hint, other));
                    }
                }
                _ => {}
            }
        }
        Ok(decisions)
    }

    /// The hints that answer these questions.
    pub(crate) fn answers(&self, questions: &[Question]) -> Vec<Decision> {
        let asked = |about: &str| {
            let begin = format!("backfill {about} with ");
            questions.iter().any(|question| {
                question.about == about && question.answers.iter().any(|answer| answer.decision.starts_with(&begin))
            })
        };
        let fills = self.0.iter().filter(|hint| match &hint.decision {
            Decision::Backfill { table, column, .. } => asked(&Decision::place(table, column)),
            _ => false,
        });
        fills.map(|hint| hint.decision.clone()).collect()
    }

    /// The attributes that say nothing any more, because this schema, that of the last migration, has no such old name.
    #[must_use]
    pub fn stale(&self, last: &Schema) -> Vec<String> {
        let mut told = Vec::new();
        for hint in &self.0 {
            let (before, now) = match &hint.decision {
                Decision::RenameTable { from, to } => (last.table(from).is_some(), last.table(to).is_some()),
                Decision::RenameColumn { table, from, to } => {
                    let Some(table) = last.table(table) else { continue };
                    (table.column(from).is_some(), table.column(to).is_some())
                }
                Decision::MapLabel { ty, label, to } => {
                    let Some(ty) = labels(last, ty) else { continue };
                    let has = |label: &String| ty.labels.iter().any(|known| known == label);
                    (has(label), has(to) && !has(label))
                }
                _ => continue,
            };
            match (before, now) {
                (_, true) => told
                    .push(format!("`renamed_from` of {} has done its work (`{}`), and can go", hint.by, hint.decision)),
                (false, false) => told.push(format!(
                    "`renamed_from` of {} names what the last migration does not have (`{}`)",
                    hint.by, hint.decision
                )),
                (true, false) => {}
            }
        }
        told
    }

    fn of<'h>(
        &'h self,
        pick: impl Fn(&'h Decision) -> Option<(&'h String, &'h String)>,
    ) -> Vec<(&'h Hint, &'h str, &'h str)> {
        let named = |hint: &'h Hint| pick(&hint.decision).map(|(from, to)| (hint, from.as_str(), to.as_str()));
        self.0.iter().filter_map(named).collect()
    }
}

/// Of the renames within one space of names, those that are still to be made: the old name is there, and the new one is
/// free, or becomes so by another of them.
fn renames<'h>(mut left: Vec<(&'h Hint, &'h str, &'h str)>, is_there: impl Fn(&str) -> bool) -> Result<Vec<&'h Hint>> {
    left.retain(|(_, from, _)| is_there(from));
    let mut found: Vec<(&Hint, &str)> = Vec::new();
    while let Some(at) = left.iter().position(|(_, _, to)| !is_there(to) || found.iter().any(|(_, from)| from == to)) {
        let (hint, from, _) = left.remove(at);
        found.push((hint, from));
    }
    for (hint, from, to) in &left {
        // Both names are there and stay there: it was done before. In a circle nobody can tell.
        let (mut next, mut steps) = (*to, 0);
        while let Some((_, _, further)) = left.iter().find(|(_, from, _)| *from == next)
            && steps <= left.len()
        {
            if next == *from {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("`renamed_from` of {} and others change names in a circle (`{}`)", hint.by, hint.decision),
                )
                .with_help(
                    "from attributes it cannot be told whether that was done already: leave them out, and say it once \
                     by `--decide`",
                ));
            }
            next = further;
            steps += 1;
        }
    }
    Ok(found.into_iter().map(|(hint, _)| hint).collect())
}

/// Adds what the hint says, unless it was said already.
fn answer(decisions: &mut Vec<Decision>, hint: &Hint, given: &[Decision]) -> Result<()> {
    if given.contains(&hint.decision) {
        return Ok(());
    }
    if let Some(other) = given.iter().find(|other| contradict(other, &hint.decision)) {
        return Err(contradiction(hint, other));
    }
    decisions.push(hint.decision.clone());
    Ok(())
}

#[cold]
fn contradiction(hint: &Hint, other: &Decision) -> Error {
    let text = format!("the decision `{other}` contradicts {}, whose attribute says `{}`", hint.by, hint.decision);
    Error::new(ErrorKind::Migration, text).with_help("leave one of them out: neither goes before the other")
}

/// Whether both are about the same; equal ones are, too.
fn contradict(one: &Decision, other: &Decision) -> bool {
    use Decision::{Backfill, DropColumn, DropLabel, DropTable, MapLabel, NoNulls, RenameColumn, RenameTable};
    match (one, other) {
        (RenameTable { from: a, to: x }, RenameTable { from: b, to: y }) => a == b || x == y,
        (DropTable(a), RenameTable { from: b, .. }) => a == b,
        (RenameColumn { table: t, from: a, to: x }, RenameColumn { table: u, from: b, to: y }) => {
            t == u && (a == b || x == y)
        }
        (DropColumn { table: t, column: a }, RenameColumn { table: u, from: b, .. })
        | (Backfill { table: t, column: a, .. }, Backfill { table: u, column: b, .. })
        | (NoNulls { table: t, column: a }, Backfill { table: u, column: b, .. }) => t == u && a == b,
        (MapLabel { ty: t, label: a, .. } | DropLabel { ty: t, label: a }, MapLabel { ty: u, label: b, .. }) => {
            t == u && a == b
        }
        _ => false,
    }
}

/// What a table of the models is called in the schema before, by what was decided.
fn former<'d>(decisions: &'d [Decision], table: &'d str) -> &'d str {
    let renamed = decisions.iter().find_map(|decision| match decision {
        Decision::RenameTable { from, to } if to == table => Some(from.as_str()),
        _ => None,
    });
    renamed.unwrap_or(table)
}

/// The enum of this name.
fn labels<'s>(schema: &'s Schema, name: &str) -> Option<&'s EnumType> {
    schema.enums().into_iter().find(|ty| ty.name == name)
}

/// A decision as its text.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::schema::Decision;

    pub(super) fn serialize<S: Serializer>(decision: &Decision, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(decision)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decision, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use covet_drivers::catalog::{Column, ColumnType, Schema, Table};

    use super::{Hint, Hints};
    use crate::schema::Decision;

    fn schema(tables: &[(&str, &[&str])]) -> Schema {
        let table = |(name, columns): &(&str, &[&str])| Table {
            columns: columns.iter().map(|column| Column::new(*column, ColumnType::I64)).collect(),
            ..Table::new(*name)
        };
        Schema::of(tables.iter().map(table).collect())
    }

    fn hints(texts: &[&str]) -> Hints {
        let mut hints = Hints::default();
        for text in texts {
            hints.add("M.f".to_owned(), text.parse().unwrap()).unwrap();
        }
        hints
    }

    fn with(texts: &[&str], given: &[&str], before: &Schema, after: &Schema) -> Result<Vec<String>, String> {
        let given: Vec<Decision> = given.iter().map(|text| text.parse().unwrap()).collect();
        let decisions = hints(texts).with(&given, before, after).map_err(|error| error.to_string())?;
        Ok(decisions.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_name_counts_as_long_as_it_is_there() {
        let (t, u) = (schema(&[("t", &["a"])]), schema(&[("t", &["b"])]));
        let hint = ["rename column t.a to t.b"];
        assert_eq!(with(&hint, &[], &t, &u).unwrap(), hint);
        for before in [schema(&[]), u.clone(), schema(&[("t", &["a", "b"])]), schema(&[("x", &["a"])])] {
            assert!(with(&hint, &[], &before, &u).unwrap().is_empty(), "{before:?}");
        }
        // The table has another name, by a hint or by a decision.
        let after = schema(&[("s", &["b"])]);
        let both = ["rename table t to s", "rename column s.a to s.b"];
        assert_eq!(with(&both, &[], &t, &after).unwrap(), both);
        assert_eq!(with(&both[1..], &both[..1], &t, &after).unwrap(), both);
    }

    #[test]
    fn names_follow_each_other_and_a_circle_is_refused() {
        let chain = ["rename column t.b to t.c", "rename column t.a to t.b"];
        let before = schema(&[("t", &["a", "b"])]);
        assert_eq!(with(&chain, &[], &before, &schema(&[("t", &["b", "c"])])).unwrap(), chain);
        let circle = ["rename column t.a to t.b", "rename column t.b to t.a"];
        let error = with(&circle, &[], &before, &before).unwrap_err();
        assert!(error.contains("M.f") && error.contains("in a circle"), "{error}");
    }

    #[test]
    fn what_names_nothing_is_told_apart_from_what_is_done() {
        let hints = hints(&["rename column t.a to t.b", "rename column t.x to t.y", "rename table s to t"]);
        let told = hints.stale(&schema(&[("t", &["b"])]));
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let [done, nothing, table] = told[..] else { panic!("{told:?}") };
        assert!(done.contains("done its work") && table.contains("done its work"), "{told:?}");
        assert!(nothing.contains("does not have (`rename column t.x to t.y`)"), "{told:?}");
        assert!(hints.stale(&schema(&[("s", &[])])).is_empty());
    }

    #[test]
    fn two_that_claim_the_same_are_refused_and_texts_come_back() {
        let mut both = hints(&["rename table a to b"]);
        let text = both.add("Other".to_owned(), "rename table a to c".parse().unwrap()).unwrap_err().to_string();
        assert!(text.contains("M.f says `rename table a to b`, and Other says"), "{text}");
        both.0.push(Hint { by: "M.g".to_owned(), decision: "backfill t.c with 'it''s'".parse().unwrap() });
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Hints>(&json).unwrap(), both);
    }
}
