//! Runs several migrations, one after the other.

use std::time::Instant;

use covet_drivers::contract::{Connection, TransactionOptions};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::files::{Script, Way, step_hash};
use crate::migrate::history::{Entry, History, State};
use crate::migrate::runner::choose::{self, Work};
use crate::migrate::runner::execute::Run;
use crate::migrate::runner::{Done, Goal, Migrator, Report, Session, in_migration};

impl Migrator {
    /// Applies these migrations. What another runner has done meanwhile is left out.
    pub(super) async fn apply_all(
        &self,
        session: &mut Session,
        target: Target,
        wanted: &[String],
        report: &mut Report,
    ) -> Result<()> {
        let mut history = History::new(session.connection(), target.dialect);
        history.create(target.ddl).await?;
        let entries = history.read().await?;
        let (works, others): (Vec<Work<'_>>, Vec<Work<'_>>) = self
            .choice(target.dialect)
            .up(&entries, Goal::All)?
            .into_iter()
            .partition(|work| wanted.iter().any(|id| id == work.id()));
        for work in &works {
            if let Some(other) = others.iter().find(|other| self.folder.is_before(other.id(), work.id())) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("another runner undid {} meanwhile, which {} follows", other.id(), work.id()),
                )
                .with_help("look at the status, and run it again"));
            }
        }
        let mut last = entries.iter().map(|entry| entry.position).max().unwrap_or(0);
        for mut work in works {
            let placed = |error| in_migration(work.migration.id(), work.migration.name(), error);
            let begin = Instant::now();
            if work.is_there {
                adopt(session, target, &work, &entries).await.map_err(placed)?;
                continue;
            }
            // The list has not all of an entry.
            if work.begun.is_some() {
                work.begun = History::new(session.connection(), target.dialect).entry(work.id()).await?;
            }
            if let Some(begun) = &work.begun {
                choose::resumable(&work, begun)?;
            }
            let position = work.begun.as_ref().map_or_else(|| last.saturating_add(1), |begun| begun.position);
            last = last.max(position);
            let mut run = Run {
                connection: session.connection(),
                target,
                limits: self.limits,
                way: Way::Up,
                script: &work.up,
                entry: entry(&work, position, State::Running),
                begun: work.begun.clone(),
            };
            if let Some(statements) = run.run().await.map_err(placed)? {
                let (id, name) = (work.id().to_owned(), work.migration.name().to_owned());
                report.done.push(Done { id, name, statements, took: begin.elapsed() });
            }
        }
        Ok(())
    }

    /// Undoes these migrations.
    pub(super) async fn undo_all(
        &self,
        session: &mut Session,
        target: Target,
        wanted: &[String],
        report: &mut Report,
    ) -> Result<()> {
        let connection = session.connection();
        History::new(connection, target.dialect).create(target.ddl).await?;
        for id in wanted {
            let entries = History::new(connection, target.dialect).read().await?;
            // Another runner may have been faster.
            if choose::down(&entries, Goal::Count(1))?.first().is_none_or(|entry| entry.id != *id) {
                continue;
            }
            let Some(entry) = History::new(connection, target.dialect).entry(id).await? else { continue };
            let placed = |error| in_migration(id, &entry.name, error);
            let script = Script::parse(&entry.down_sql, target.dialect).map_err(placed)?;
            if let Some(why) = &script.irreversible {
                return Err(placed(irreversible(why)));
            }
            let begin = Instant::now();
            let begun = (entry.state == State::Reverting).then(|| entry.clone());
            let (way, limits) = (Way::Down, self.limits);
            let mut run =
                Run { connection: &mut *connection, target, limits, way, script: &script, entry: entry.clone(), begun };
            if let Some(statements) = run.run().await.map_err(placed)? {
                report.done.push(Done { id: entry.id, name: entry.name, statements, took: begin.elapsed() });
            }
        }
        Ok(())
    }
}

#[cold]
pub(super) fn irreversible(why: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("there is no way back: {why}"))
        .with_help("write a new migration that leads where you want to be")
}

/// The row of a migration.
pub(super) fn entry(work: &Work<'_>, position: i32, state: State) -> Entry {
    Entry {
        id: work.id().to_owned(),
        position,
        name: work.migration.name().to_owned(),
        parents: work.migration.parents().to_vec(),
        sums: work.sums.clone(),
        down_sql: work.down_sql.clone(),
        state,
        steps_done: if state.is_applied() { work.up.steps.len() } else { work.done() },
        steps_total: work.up.steps.len(),
        step_hashes: work.up.steps.iter().map(step_hash).collect(),
        error: None,
        statement: None,
        doubt: None,
        started_at: None,
        finished_at: None,
    }
}

/// Puts a migration in the place of those that it replaces, all of which are applied. Nothing is run.
async fn adopt(session: &mut Session, target: Target, work: &Work<'_>, entries: &[Entry]) -> Result<()> {
    let replaced: Vec<&Entry> = entries.iter().filter(|entry| work.migration.replaces().contains(&entry.id)).collect();
    let position = replaced.iter().map(|entry| entry.position).max().unwrap_or(1);
    let baseline = replaced.iter().any(|entry| entry.state == State::Baseline);
    let state = if baseline { State::Baseline } else { State::Applied };
    let gone: Vec<&str> = replaced.iter().map(|entry| entry.id.as_str()).collect();
    record(session.connection(), target, &[entry(work, position, state)], &gone).await
}

/// Writes rows and takes others away, all of it or nothing.
pub(super) async fn record(
    connection: &mut dyn Connection,
    target: Target,
    rows: &[Entry],
    gone: &[&str],
) -> Result<()> {
    connection.begin(&TransactionOptions::DEFAULT).await?;
    let result = async {
        let mut history = History::new(connection, target.dialect);
        for row in rows {
            history.write(row).await?;
        }
        for id in gone {
            history.delete(id).await?;
        }
        Ok(())
    }
    .await;
    match result {
        Ok(()) => connection.commit().await,
        Err(error) => {
            // A connection that cannot even roll back is closed with the session.
            let _ = connection.rollback().await;
            Err(error)
        }
    }
}
