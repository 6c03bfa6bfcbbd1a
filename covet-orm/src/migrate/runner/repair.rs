//! Puts the history right where only a person can know what happened.

use std::time::Duration;

use covet_drivers::catalog::{Change, Object, Schema};
use covet_drivers::contract::Unmodelled;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate::Target;
use crate::migrate::history::{Entry, Note, State};
use crate::migrate::runner::all::{back, entry, record};
use crate::migrate::runner::choose::{self, Work};
use crate::migrate::runner::{Done, Goal, Migrator, Report, Session, end};
use crate::schema::{Diff, describe, diff, managed};

impl Migrator {
    /// Notes that the statement at which an unfinished migration stopped has taken effect, so that
    /// the next run goes on behind it. The migration is named by its id, the statement by its number, as the
    /// error of the run named it: a second call changes nothing.
    ///
    /// A run that was lost while a statement was under way, on a database where statements cannot
    /// be rolled back, may leave open whether it took effect; the database itself has to be looked at.
    ///
    /// # Errors
    /// `Migration` when the migration is not unfinished or did not stop at this statement; `LockTimeout` while a runner works.
    pub async fn statement_is_done(&self, db: &Db, id: &str, number: usize) -> Result<()> {
        let mut session = self.locked(db).await?;
        let result = stopped(&mut session, id, number, true).await;
        end(session, result).await
    }

    /// Notes that the statement at which an unfinished migration stopped has not taken effect, so that the next run
    /// runs it.
    ///
    /// # Errors
    /// As [`statement_is_done`](Migrator::statement_is_done).
    pub async fn statement_is_not_done(&self, db: &Db, id: &str, number: usize) -> Result<()> {
        let mut session = self.locked(db).await?;
        let result = stopped(&mut session, id, number, false).await;
        end(session, result).await
    }

    /// Takes the files of an applied migration as they are now for those that were applied: their checksums, and the
    /// way back.
    ///
    /// # Errors
    /// `Migration` when the migration is not applied, or not to its end; those of its files.
    pub async fn accept(&self, db: &Db, id: &str) -> Result<()> {
        let migration = self.folder.migration(id)?;
        let work = self.choice(db.backend().dialect()).work(migration)?;
        let mut session = self.locked(db).await?;
        let result = async {
            let mut history = session.history();
            history.create().await?;
            let held = |entry: &Entry| matches!(entry.state, State::Applied | State::Baseline);
            let Some(known) = history.entry(work.id()).await?.filter(held) else {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the migration {} is not applied, or not to its end", work.id()),
                )
                .with_help("what is not applied may be edited; what stopped half-way goes on with `migrate up`"));
            };
            let row = entry(&work, known.position, known.state);
            // Nothing is run: when it ran stays what it is.
            history.write(&Entry { started_at: known.started_at, finished_at: known.finished_at, ..row }).await
        }
        .await;
        end(session, result).await
    }

    /// Undoes the migration that was applied last, and applies it again: as its files are now. No other runner comes in
    /// between.
    ///
    /// # Errors
    /// As [`down`](Migrator::down) and [`up`](Migrator::up); `Migration`, before anything has changed, when there is no
    /// way back, when its files are not here, and for whatever would stop it from being applied again.
    pub async fn redo(&self, db: &Db) -> Result<Report> {
        let mut report = Report::default();
        let mut session = self.locked(db).await?;
        let result = self.undo_and_apply(&mut session, &mut report).await;
        end(session, result).await?;
        Ok(report)
    }

    async fn undo_and_apply(&self, session: &mut Session, report: &mut Report) -> Result<()> {
        let target = session.target();
        let mut entries = session.history().read().await?;
        let id = choose::down(&entries, Goal::Count(1))?.first().map(|entry| entry.id.clone()).ok_or_else(|| {
            Error::new(ErrorKind::Migration, "no migration is applied, so there is none to run again")
        })?;
        self.folder.migration(&id)?;
        back(&session.history().way_back(&id).await?, target)?;
        // What would be refused behind the way back is refused before it.
        for entry in entries.iter_mut().filter(|entry| entry.id == id || entry.replaced_by.as_ref() == Some(&id)) {
            entry.state = State::Reverted;
        }
        self.choice(target.dialect).up(&entries, Goal::All)?;
        self.undo_all(session, std::slice::from_ref(&id), &mut Report::default()).await?;
        self.apply_all(session, &[id], report).await
    }

    /// Records a migration as applied, or as not applied, without running anything.
    ///
    /// # Errors
    /// `Migration` when it is not named by its id in full, is unfinished, or is recorded so already; those of its files.
    pub async fn mark(&self, db: &Db, id: &str, applied: bool) -> Result<()> {
        let target = Target::of(&*db.backend());
        let work = if applied {
            let migration = self.folder.migration(id)?;
            if migration.id() != id {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("`{id}` is not the id of a migration; that of {} is {}", migration.name(), migration.id()),
                ));
            }
            Some(self.choice(target.dialect).work(migration)?)
        } else {
            None
        };
        let mut session = self.locked(db).await?;
        let result = async {
            let mut history = session.history();
            history.create().await?;
            let entries = history.read().await?;
            let known = entries.iter().find(|entry| work.as_ref().map_or(id, |work| work.id()) == entry.id);
            if let Some(entry) = known.filter(|entry| entry.state.is_unfinished()) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the migration {} is {}, and not to its end", entry.id, entry.state),
                )
                .with_help("finish it first, or say with `migrate repair` what became of its statements"));
            }
            if known.is_some_and(|entry| entry.state.is_applied()) == applied {
                let state = if applied { "applied" } else { "not applied" };
                return Err(Error::new(ErrorKind::Migration, format!("the migration {id} is {state} already")));
            }
            match (&work, known) {
                (Some(work), _) => {
                    let last = entries.iter().map(|entry| entry.position).max().unwrap_or(0);
                    let row = entry(work, last.saturating_add(1), State::Applied);
                    record(&mut session, &[(row, work.migration.replaces())]).await
                }
                (None, Some(entry)) => {
                    history.release(&entry.id).await?;
                    history.note(&entry.id, Note::done(State::Reverted, entry.steps_done)).await
                }
                (None, None) => Ok(()),
            }
        }
        .await;
        end(session, result).await
    }

    /// Records every migration up to this one as there before Covet was, without running anything: for a database that
    /// was not made by these migrations, but has what they make. Without a name all are recorded. What it has beside that is
    /// left alone: tables that no model has, and what no model can say.
    ///
    /// # Errors
    /// `Migration`, with the differences, when the database has not the schema after that migration; and when its
    /// history knows migrations already.
    pub async fn baseline(&self, db: &Db, last: Option<&str>) -> Result<Report> {
        let target = Target::of(&*db.backend());
        let (works, wanted) = self.up_to_here(target, last)?;
        let mut report = Report::default();
        let mut session = self.locked(db).await?;
        let result = async {
            let entries = session.history().read().await?;
            if let Some(entry) = entries.iter().find(|entry| entry.state != State::Reverted) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the history of this database knows {} ({}) already", entry.id, entry.state),
                )
                .with_help("a baseline is for a database without a history"));
            }
            let wanted = wanted.on(target.dialect.name());
            let (backend, schemas) = (db.backend(), wanted.schemas());
            let mut live = backend.introspect().read(session.connection(), &schemas).await?;
            let beside = backend.introspect().unmodelled(session.connection(), &schemas).await?;
            let mut kept = target.ddl.kept(&wanted);
            managed(&mut live, &mut kept);
            let mut found = differences(&live, &kept)?;
            found.extend(missing(&wanted.objects, &beside));
            if !found.is_empty() {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the database has not the schema of these migrations: {}", found.join("; ")),
                )
                .with_help("change the database, or name another migration, up to which it has everything"));
            }
            session.history().create().await?;
            let row = |(work, position)| entry(work, position, State::Baseline);
            let rows: Vec<(Entry, &[String])> =
                works.iter().zip(1..).map(|one| (row(one), one.0.migration.replaces())).collect();
            record(&mut session, &rows).await?;
            report.done.extend(rows.into_iter().map(|(row, _)| Done {
                id: row.id,
                name: row.name,
                statements: 0,
                took: Duration::ZERO,
            }));
            Ok(())
        }
        .await;
        end(session, result).await?;
        Ok(report)
    }

    /// The migrations up to one, and the schema after it.
    fn up_to_here(&self, target: Target, last: Option<&str>) -> Result<(Vec<Work<'_>>, Schema)> {
        let choice = self.choice(target.dialect);
        let (included, schema) = match last {
            None => (self.folder.migrations().iter().collect::<Vec<_>>(), self.folder.schema()?),
            Some(name) => {
                let last = self.folder.migration(name)?;
                let is_in = |id: &str| id == last.id() || self.folder.is_before(id, last.id());
                let included = self.folder.migrations().iter().filter(|migration| is_in(migration.id()));
                (included.collect(), last.schema()?)
            }
        };
        let works = included.into_iter().map(|migration| choice.work(migration)).collect::<Result<_>>()?;
        Ok((works, schema))
    }
}

/// What would make the one schema the other, in words.
fn differences(live: &Schema, wanted: &Schema) -> Result<Vec<String>> {
    Ok(match diff(live, wanted, &[])? {
        Diff::Changes(changes) => changes.iter().map(describe).collect(),
        Diff::Missing(questions) => {
            questions.iter().map(|question| format!("{}: {}", question.about, question.found)).collect()
        }
    })
}

/// What is declared beside the models and is not there, in words. What a text says may be said in other words by the
/// database: `db drift` compares those.
fn missing(objects: &[Object], beside: &[Unmodelled]) -> impl Iterator<Item = String> {
    let is = |object: &Object, one: &Unmodelled| {
        (object.kind.word(), &object.name, &object.table) == (&*one.kind, &one.name, &one.table)
    };
    let missing = objects.iter().filter(move |object| !beside.iter().any(|one| is(object, one)));
    missing.map(|object| describe(&Change::CreateObject { object: object.clone() }))
}

/// Notes what became of the statement at which a migration stopped.
async fn stopped(session: &mut Session, id: &str, number: usize, done: bool) -> Result<()> {
    let mut history = session.history();
    let entries = history.read().await?;
    let unfinished = entries.iter().find(|entry| entry.id == id && entry.state.is_unfinished());
    let entry = unfinished.ok_or_else(|| {
        Error::new(ErrorKind::Migration, format!("no migration {id} is unfinished on this database"))
            .with_help("`cargo covet migrate status` shows what is, with its id")
    })?;
    if number != entry.steps_done + 1 || (entry.state != State::Reverting && number > entry.steps_total) {
        let stopped = entry.steps_done + 1;
        return Err(Error::new(
            ErrorKind::Migration,
            format!("migration {id} stopped at statement {stopped}, not at statement {number}"),
        ));
    }
    history.create().await?;
    let state = if entry.state == State::Reverting { State::Reverting } else { State::Failed };
    let (done, error) =
        if done { (number, "noted as done by hand") } else { (number - 1, "to be run again, as was said by hand") };
    history.note(id, Note { error: Some(error), ..Note::done(state, done) }).await
}
