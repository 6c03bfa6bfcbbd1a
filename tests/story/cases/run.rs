//! Runs a case: with no rows, and with its rows.

use std::collections::BTreeMap;

use covet_orm::ErrorKind;
use covet_orm::drivers::catalog::{Expression, Schema};
use covet_orm::migrate::{Goal, Project, Standing};
use covet_orm::schema::{Decision, MissingDecisions};
use covet_tests::Kind;

use crate::cases::{Case, Outcome};
use crate::notation::schema;
use crate::place::{Place, Shape, Words, by_name, quote};
use crate::rows::Rows;

/// Runs it in an empty place, and gives the place back empty.
pub(crate) async fn case(place: Place, case: Case) -> Place {
    let run = Run { kind: place.kind, case, before: schema(case.before), after: schema(case.after) };
    if let Some((_, why)) = case.not_on.filter(|(kind, _)| *kind == run.kind) {
        let error = place.make(&run.before, &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{}: {error}", run.told());
    } else if let Some((_, why)) = case.only_on.filter(|(kind, _)| *kind != run.kind) {
        let schema = if run.before.tables.is_empty() { &run.after } else { &run.before };
        let error = place.make(schema, &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{}: {error}", run.told());
        assert!(!place.migrations().exists(), "{}: nothing is written", run.told());
    } else if !run.refused(&place).await {
        place.wipe().await;
        let wanted = place.fresh(&run.after).await;
        let asked = place.db.backend().ddl().kept(&run.after);
        let (found, asked) = (unspelled(&wanted.schema), unspelled(&by_name(&asked)));
        assert_eq!(found, asked, "{}: what a new database has", run.told());
        run.cycle(&place, &wanted, false).await;
        if !case.rows.is_empty() {
            place.wipe().await;
            run.cycle(&place, &wanted, true).await;
        }
    }
    place.wipe().await;
    place
}

struct Run {
    kind: Kind,
    case: Case,
    before: Schema,
    after: Schema,
}

impl Run {
    fn told(&self) -> String {
        format!("{} on {}", self.case.id, self.kind.name())
    }

    /// What is asked when nothing is decided, and whether it is refused all the same or there is nothing to do.
    async fn refused(&self, place: &Place) -> bool {
        if !self.before.tables.is_empty() {
            place.make(&self.before, &[]).unwrap();
        }
        let folders = || std::fs::read_dir(place.migrations()).map_or(0, Iterator::count);
        let made = folders();
        let is_elsewhere = matches!(self.case.outcome, Outcome::OnlyOn(kind, _) if kind != self.kind);
        if !self.case.asks.is_empty() && !is_elsewhere {
            let error = place.make(&self.after, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decision, "{}: {error}", self.told());
            let missing = &MissingDecisions::of(&error).unwrap().missing;
            let offered: Vec<&str> =
                missing.iter().flat_map(|one| &one.answers).map(|answer| answer.decision.as_str()).collect();
            for wanted in self.case.asks {
                assert!(offered.contains(wanted), "{}: {wanted} is none of {offered:?}", self.told());
            }
        }
        let refusal = match self.case.outcome {
            Outcome::Refused(why) => Some(why),
            Outcome::RefusedOn(kind, why) if kind == self.kind => Some(why),
            Outcome::OnlyOn(kind, why) if kind != self.kind => Some(why),
            Outcome::Nothing => {
                assert!(place.make(&self.after, self.case.decide).unwrap().is_none(), "{}", self.told());
                return true;
            }
            _ => None,
        };
        if let Some(why) = refusal {
            let error = place.make(&self.after, self.case.decide).unwrap_err();
            assert_ne!(error.kind(), ErrorKind::Decision, "{}: {error}", self.told());
            assert!(error.to_string().contains(why), "{}: {error}", self.told());
        } else if self.case.asks.is_empty() && !self.case.decide.is_empty() {
            assert!(place.make(&self.after, &[]).is_err(), "{}: nothing was asked", self.told());
        }
        assert_eq!(folders(), made, "{}: nothing is written", self.told());
        refusal.is_some()
    }

    async fn cycle(&self, place: &Place, wanted: &Shape, with_rows: bool) {
        let told = format!("{} {} rows", self.told(), if with_rows { "with" } else { "without" });
        if !self.before.tables.is_empty() {
            place.make(&self.before, &[]).unwrap();
            place.up().await.unwrap_or_else(|error| panic!("{told}: {error}"));
        }
        for sql in self.case.rows.iter().filter(|_| with_rows) {
            place.sql(&written(self.kind, sql)).await;
        }
        // The database's own words cost time; with rows they say the same.
        let words = if with_rows || self.case.rows.is_empty() { Words::Own } else { Words::Covets };
        let (shape, rows) = (place.shape(words).await, place.rows().await);
        self.made_alike(place);
        place.make(&self.after, self.case.decide).unwrap_or_else(|error| panic!("{told}: {error}")).unwrap();
        let ran = place.up().await;
        if let (Outcome::Stops(why), true) = (self.case.outcome, with_rows) {
            let error = ran.unwrap_err().to_string();
            assert!(error.contains(why), "{told}: {error}");
            place.shape(words).await.is(&shape, &format!("{told}: stopped"));
            assert_eq!(place.rows().await, rows, "{told}: stopped");
            assert_eq!(place.standings().await.last(), Some(&Standing::Pending), "{told}: stopped");
            self.whole(place).await;
            return;
        }
        assert_eq!(ran.unwrap_or_else(|error| panic!("{told}: {error}")), 1);
        place.shape(words).await.is(wanted, &format!("{told}: forth"));
        self.kept(&rows, &place.rows().await, &told);
        for (sql, number) in self.case.holds.iter().filter(|_| with_rows) {
            assert_eq!(place.number(&written(self.kind, sql)).await, *number, "{told}: {sql}");
        }
        assert!(place.make(&self.after, &[]).unwrap().is_none(), "{told}: made twice");
        self.whole(place).await;

        let back = place.down(Goal::Count(1)).await;
        if let (Some(why), true) = (self.case.no_way_back, with_rows) {
            let error = back.unwrap_err().to_string();
            assert!(error.contains(why), "{told}: back: {error}");
            place.shape(words).await.is(wanted, &format!("{told}: the way back stopped"));
            return;
        }
        assert_eq!(back.unwrap_or_else(|error| panic!("{told}: back: {error}")), 1);
        place.shape(words).await.is(&shape, &format!("{told}: back"));
        self.restored(&rows, &place.rows().await, &told);
        assert_eq!(place.up().await.unwrap_or_else(|error| panic!("{told}: forth again: {error}")), 1);
        assert_eq!(place.shape(Words::Covets).await.schema, wanted.schema, "{told}: forth again");
        for sql in self.case.fails.iter().filter(|_| with_rows) {
            assert!(place.try_sql(&written(self.kind, sql)).await.is_err(), "{told}: {sql}");
        }
        for sql in self.case.works.iter().filter(|_| with_rows) {
            place.sql(&written(self.kind, sql)).await;
        }
        for (sql, number) in self.case.sees.iter().filter(|_| with_rows) {
            assert_eq!(place.number(&written(self.kind, sql)).await, *number, "{told}: {sql}");
        }
        self.whole(place).await;
    }

    /// Two migrations that are made from the same are the same, but for their ids.
    fn made_alike(&self, place: &Place) {
        let project = Project::new(place.migrations(), &[self.kind.name()]).unwrap();
        let decisions: Vec<Decision> = self.case.decide.iter().map(|text| text.parse().unwrap()).collect();
        let mut backwards = self.after.clone();
        backwards.tables.reverse();
        let files = |schema: &Schema| {
            let draft = project.draft(schema, Some("x"), &decisions).unwrap().unwrap();
            let id = draft.name().trim_end_matches("_x").to_owned();
            draft.files().iter().map(|(name, text)| (name.clone(), text.replace(&id, "ID"))).collect::<Vec<_>>()
        };
        assert_eq!(files(&self.after), files(&backwards), "{}", self.told());
    }

    /// Every value of a column that stays is the one that it was.
    fn kept(&self, before: &Rows, after: &Rows, told: &str) {
        let names = Names::of(self.case.decide);
        for (table, rows) in before {
            let new = names.table(table);
            let Some(found) = after.get(&new).filter(|_| !self.dropped(&format!("table {table}"))) else { continue };
            assert_eq!(found.len(), rows.len(), "{told}: rows of {new}");
            for (row, found) in rows.iter().zip(found) {
                for (column, value) in row.iter().filter(|(column, _)| !self.changes(table, column)) {
                    if self.dropped(&format!("column {new}.{column}")) {
                        continue;
                    }
                    if let Some(found) = found.get(&names.column(&new, column)) {
                        assert_eq!(found, value, "{told}: {table}.{column}");
                    }
                }
            }
        }
    }

    /// After the way back every value is there that was not destroyed.
    fn restored(&self, before: &Rows, after: &Rows, told: &str) {
        let names = Names::of(self.case.decide);
        for (table, rows) in before {
            let found = &after[table];
            if self.dropped(&format!("table {table}")) {
                assert!(found.is_empty(), "{told}: rows were made up");
                continue;
            }
            assert_eq!(found.len(), rows.len(), "{told}: rows of {table} after the way back");
            for (row, found) in rows.iter().zip(found) {
                for (column, value) in row {
                    let gone = self.dropped(&format!("column {}.{column}", names.table(table)));
                    if !gone && !self.changes(table, column) {
                        assert_eq!(&found[column], value, "{told}: {table}.{column} after the way back");
                    }
                }
            }
        }
    }

    fn dropped(&self, what: &str) -> bool {
        self.case.decide.iter().any(|decision| decision.strip_prefix("drop ") == Some(what))
    }

    fn changes(&self, table: &str, column: &str) -> bool {
        self.case.changed.contains(&format!("{table}.{column}").as_str())
    }

    /// SQLite is sound, and its connections keep watch over foreign keys.
    async fn whole(&self, place: &Place) {
        if self.kind == Kind::Sqlite {
            let told = self.told();
            assert_eq!(place.number("SELECT count(*) FROM pragma_foreign_key_check").await, 0, "{told}");
            assert_eq!(place.number("SELECT integrity_check = 'ok' FROM pragma_integrity_check").await, 1, "{told}");
            assert_eq!(place.number("SELECT foreign_keys FROM pragma_foreign_keys").await, 1, "{told}");
        }
    }
}

/// The schema without the texts of its expressions, which each database spells in its own way.
fn unspelled(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.expressions(&mut |expression| *expression = Expression::new(""));
    schema
}

/// What was renamed, by decisions.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(decisions: &[&str]) -> Self {
        let mut names = BTreeMap::new();
        for decision in decisions {
            match decision.parse().unwrap() {
                Decision::RenameTable { from, to } => names.insert(from, to),
                Decision::RenameColumn { table, from, to } => names.insert(format!("{table}.{from}"), to),
                _ => None,
            };
        }
        Names(names)
    }

    fn table(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn column(&self, table: &str, name: &str) -> String {
        self.0.get(&format!("{table}.{name}")).cloned().unwrap_or_else(|| name.to_owned())
    }
}

/// The statement, with names quoted and decimals as the database keeps them.
fn written(kind: Kind, sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(['[', '{']) {
        let close = if rest[at..].starts_with('[') { ']' } else { '}' };
        let end = at + rest[at..].find(close).unwrap();
        let inside = &rest[at + 1..end];
        out.push_str(&rest[..at]);
        match inside.split_once('/') {
            Some((number, scale)) if close == '}' => out.push_str(&decimal(kind, number, scale.parse().unwrap())),
            _ => out.push_str(&quote(kind.name(), inside)),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    // Characters, not bytes.
    if kind == Kind::Sqlite { out.replace("CHAR_LENGTH", "length") } else { out }
}

fn decimal(kind: Kind, number: &str, scale: usize) -> String {
    if kind != Kind::Sqlite {
        return number.to_owned();
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    format!("{whole}{fraction:0<scale$}")
}
