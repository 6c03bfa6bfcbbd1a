//! A pair of schemas with rows: forth, back and forth again; or refused by a rule, with nothing changed.

use covet_orm::drivers::catalog::Schema;
use covet_orm::drivers::contract::{Command, Reuse};
use covet_orm::drivers::value::Value;
use covet_orm::migrate::{Goal, Standing, Way};
use covet_orm::schema::Decision;
use covet_orm::{Error, ErrorKind};
use covet_tests::Kind;

use crate::dump::{self, Dump};
use crate::place::{Place, Shape, Words, by_name, quote};
use crate::random::answer::Answers;
use crate::random::fill::Insert;
use crate::random::kept::{kept, restored};

#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) before: Schema,
    pub(crate) after: Schema,
    pub(crate) answers: Answers,
    pub(crate) rows: Vec<Insert>,
}

/// What a pair comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Forth, back and forth again.
    Went,
    /// There is nothing to do.
    Nothing,
    /// No migration is made.
    Refused(String),
    /// Rows stop it.
    Stopped(String),
    /// Rows stop it when something has changed already, because nobody could tell before; without them it goes on.
    HalfWay(String),
    /// What was lost stops the way back, or there is none.
    NoWayBack(String),
}

/// Runs the pair in an empty place, which is left as it is; the error says what was not as it must be.
pub(crate) async fn run(place: &Place, pair: &Pair) -> Result<Verdict, String> {
    let run = Run { place, pair };
    let verdict = run.all().await?;
    if !pair.rows.is_empty() && matches!(verdict, Verdict::Stopped(_) | Verdict::HalfWay(_) | Verdict::NoWayBack(_)) {
        // Rows hide what the schema alone would show.
        place.wipe().await;
        let bare = Pair { rows: Vec::new(), ..pair.clone() };
        Run { place, pair: &bare }.all().await.map_err(|error| format!("without rows: {error}"))?;
    }
    Ok(verdict)
}

struct Run<'r> {
    place: &'r Place,
    pair: &'r Pair,
}

impl Run<'_> {
    async fn all(&self) -> Result<Verdict, String> {
        let (place, pair) = (self.place, self.pair);
        let can_be_held = place.db.backend().ddl().check(&pair.after).is_ok() && !self.is_left_behind();
        let wanted = if can_be_held { Some(place.fresh(&pair.after).await) } else { None };
        if !pair.before.tables.is_empty() {
            place.make(&pair.before, &[]).map_err(|error| format!("the first migration: {error}"))?;
            place.up().await.map_err(|error| format!("the first migration: {error}"))?;
        }
        self.insert().await?;
        let (shape, rows) = (place.shape(Words::Own).await, place.rows().await);
        self.left_out()?;
        let texts = pair.answers.texts();
        let decisions: Vec<&str> = texts.iter().map(String::as_str).collect();
        let made = match place.make(&pair.after, &decisions) {
            Ok(made) => made,
            Err(error) if is_by_rule(&error) => return Ok(Verdict::Refused(error.to_string())),
            Err(error) => return Err(format!("make: {error}")),
        };
        let wanted = wanted.ok_or("make: it makes what the database is known not to hold")?;
        if made.is_none() {
            same(&shape, &wanted, "nothing to do")?;
            return Ok(Verdict::Nothing);
        }
        if let Err(error) = place.up().await {
            let said = stopped(&error).ok_or_else(|| format!("up: {error}"))?;
            if let Err(error) = self.unchanged(&shape, "up stopped").await {
                return self.half_way(Way::Up, said, error, &wanted).await;
            }
            if place.rows().await != rows || place.standings().await.last() != Some(&Standing::Pending) {
                return Err(format!("up stopped and rows or history are others: {said}"));
            }
            return Ok(Verdict::Stopped(said));
        }
        same(&place.shape(Words::Own).await, &wanted, "up")?;
        let forth = place.rows().await;
        kept(pair, &rows, &forth)?;
        match place.make(&pair.after, &[]) {
            Ok(None) => {}
            Ok(Some(_)) => return Err("made again: there is something to do".to_owned()),
            Err(error) => return Err(format!("made again: {error}")),
        }
        self.whole().await?;
        if let Err(error) = place.down(Goal::Count(1)).await {
            let said = stopped(&error).ok_or_else(|| format!("down: {error}"))?;
            if let Err(error) = self.unchanged(&wanted, "down stopped").await {
                return self.half_way(Way::Down, said, error, &shape).await;
            }
            if place.rows().await != forth {
                return Err(format!("down stopped and rows are others: {said}"));
            }
            return Ok(Verdict::NoWayBack(said));
        }
        same(&place.shape(Words::Own).await, &shape, "down")?;
        restored(pair, &rows, &place.rows().await)?;
        self.whole().await?;
        if let Err(error) = place.up().await {
            let said = stopped(&error).ok_or_else(|| format!("up again: {error}"))?;
            if let Err(error) = self.unchanged(&shape, "up again stopped").await {
                return self.half_way(Way::Up, format!("again: {said}"), error, &wanted).await;
            }
        } else {
            same(&place.shape(Words::Own).await, &wanted, "up again")?;
        }
        Ok(Verdict::Went)
    }

    /// Whether a check or a generated value or an index still reads a column that goes.
    fn is_left_behind(&self) -> bool {
        self.pair.before.tables.iter().any(|before| {
            let Some(after) = self.pair.after.table(&before.name) else { return false };
            let mut gone = before.columns.iter().filter(|column| after.column(&column.name).is_none());
            gone.any(|column| {
                let generated = after.columns.iter().filter_map(|other| Some(&other.generated.as_ref()?.expression));
                let checks = after.checks.iter().map(|check| &check.expression);
                generated.chain(checks).any(|expression| expression.mentions(&column.name))
                    || after.indexes.iter().any(|index| index.mentions(&column.name))
            })
        })
    }

    /// Inserts the rows; one that the schema does not take is left out.
    async fn insert(&self) -> Result<(), String> {
        for row in &self.pair.rows {
            let sql = row.sql(self.place.kind);
            let args: Vec<&Value> = row.cells.iter().map(|(_, value)| value).collect();
            let mut lease = self.place.db.acquire().await.map_err(|error| error.to_string())?;
            let mut nothing =
                |_: &mut covet_orm::drivers::contract::Row<'_>| Ok(covet_orm::drivers::contract::Flow::Continue);
            let command = Command { sql: &sql, args: &args, reuse: Reuse::Once };
            if let Err(error) = lease.run(command, &mut nothing).await {
                use ErrorKind::{Check, ForeignKey, InvalidInput, NotNull, OutOfRange, Unique};
                if ![Check, ForeignKey, InvalidInput, NotNull, OutOfRange, Unique].contains(&error.kind()) {
                    return Err(format!("a row: {error}\n{}", row.show()));
                }
            }
        }
        Ok(())
    }

    /// Whatever was asked for is asked for when it is left out, and nothing is made.
    fn left_out(&self) -> Result<(), String> {
        let answers = &self.pair.answers;
        let is_spare = |decision: &Decision| match decision {
            // Without it a table that is said to be empty needs no value either.
            Decision::Backfill { table, .. } => answers.others.contains(&Decision::TableIsEmpty(table.clone())),
            _ => false,
        };
        for (at, decision) in answers.others.iter().enumerate().filter(|(_, decision)| !is_spare(decision)) {
            let mut rest = answers.clone();
            rest.others.remove(at);
            let texts = rest.texts();
            match self.place.make(&self.pair.after, &texts.iter().map(String::as_str).collect::<Vec<_>>()) {
                Err(error) if error.kind() == ErrorKind::Decision || is_by_rule(&error) => {}
                Err(error) => return Err(format!("`{decision}` left out: {error}")),
                Ok(_) => return Err(format!("`{decision}` left out: nothing was asked")),
            }
        }
        Ok(())
    }

    /// A stop after the first change names what it stopped at, and the run goes on when the rows are gone.
    async fn half_way(&self, way: Way, said: String, error: String, goal: &Shape) -> Result<Verdict, String> {
        let place = self.place;
        if place.kind == Kind::Sqlite {
            // Everything is one transaction there.
            return Err(format!("{error}\n{said}"));
        }
        if !matches!(place.standings().await.last(), Some(Standing::Unfinished { .. } | Standing::Reverting { .. })) {
            return Err(format!("stopped half-way, and the history does not say so: {said}"));
        }
        let tables = by_name(&place.shape(Words::Covets).await.schema).tables;
        let names: Vec<String> = tables.iter().map(|table| quote(place.kind.name(), &table.name)).collect();
        let empty = if place.kind == Kind::Postgres {
            format!("TRUNCATE {} CASCADE", names.join(", "))
        } else {
            let deletes: Vec<String> = names.iter().map(|name| format!("DELETE FROM {name}; ")).collect();
            format!("SET foreign_key_checks = 0; {}SET foreign_key_checks = 1", deletes.concat())
        };
        place.try_sql(&empty).await.map_err(|error| format!("rows that are in the way: {error}"))?;
        let ran = match way {
            Way::Up => place.up().await,
            Way::Down => place.down(Goal::Count(1)).await,
        };
        ran.map_err(|error| format!("going on without rows: {error}\nafter {said}"))?;
        same(&place.shape(Words::Own).await, goal, "going on without rows")?;
        Ok(Verdict::HalfWay(said))
    }

    async fn unchanged(&self, shape: &Shape, told: &str) -> Result<(), String> {
        same(&self.place.shape(Words::Own).await, shape, told)?;
        self.whole().await
    }

    /// SQLite is sound, and its connections keep watch over foreign keys.
    async fn whole(&self) -> Result<(), String> {
        let checks = [
            ("SELECT count(*) FROM pragma_foreign_key_check", 0),
            ("SELECT integrity_check = 'ok' FROM pragma_integrity_check", 1),
            ("SELECT foreign_keys FROM pragma_foreign_keys", 1),
        ];
        for (sql, wanted) in checks.into_iter().filter(|_| self.place.kind == Kind::Sqlite) {
            let found = self.place.number(sql).await;
            if found != wanted {
                return Err(format!("{sql} gives {found}"));
            }
        }
        Ok(())
    }
}

/// Whether a refusal is one that Covet means: it says what cannot be, and not that something went wrong.
fn is_by_rule(error: &Error) -> bool {
    let said = error.to_string();
    let rules = ["still reads it", "there is no model at all", "the decision `", "contradict each other"];
    error.kind() == ErrorKind::Unsupported
        || (error.kind() == ErrorKind::Migration && rules.iter().any(|rule| said.contains(rule)))
}

/// What stopped a run: a guard that found rows, rows that the database refused, or that there is no way back.
fn stopped(error: &Error) -> Option<String> {
    let said = error.to_string();
    let counts = said.contains(" row)") || said.contains(" rows)") || said.contains("there is no way back");
    // What comes of a backfill no guard can see before; then the database itself refuses the rows.
    let refused = [
        ErrorKind::ForeignKey,
        ErrorKind::Unique,
        ErrorKind::Check,
        ErrorKind::NotNull,
        ErrorKind::InvalidInput,
        ErrorKind::OutOfRange,
    ];
    (refused.contains(&error.kind()) || (error.kind() == ErrorKind::Migration && counts)).then_some(said)
}

/// The database is as a new one would be.
fn same(found: &Shape, wanted: &Shape, told: &str) -> Result<(), String> {
    let mut differences = Vec::new();
    let lines = |schema: &Schema| -> Vec<String> {
        let text = covet_orm::schema::to_toml(&by_name(schema)).unwrap();
        let mut table = String::new();
        text.lines()
            .map(|line| {
                if line.starts_with("name = ") {
                    line.clone_into(&mut table);
                }
                format!("{table} {line}")
            })
            .collect()
    };
    let (a, b) = (lines(&found.schema), lines(&wanted.schema));
    differences.extend(a.iter().filter(|line| !b.contains(line)).map(|line| format!("found  {line}")));
    differences.extend(b.iter().filter(|line| !a.contains(line)).map(|line| format!("wanted {line}")));
    if let (Some(found), Some(wanted)) = (&found.dump, &wanted.dump) {
        differences.extend(dump::differences(&without_collation(found), &without_collation(wanted)));
    }
    if differences.is_empty() { Ok(()) } else { Err(format!("{told}: another schema\n{}", differences.join("\n"))) }
}

/// A collation that Covet has made once stays.
fn without_collation(dump: &Dump) -> Dump {
    dump.iter().filter(|(name, _)| !name.starts_with("CREATE COLLATION")).map(|(a, b)| (a.clone(), b.clone())).collect()
}
