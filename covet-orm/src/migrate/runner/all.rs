//! Runs several migrations, one after the other.

use std::time::Instant;

use covet_drivers::contract::TransactionOptions;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::cause::Cause;
use crate::migrate::files::{Script, Way, step_hash};
use crate::migrate::history::{Entry, State};
use crate::migrate::runner::choose::{self, Work};
use crate::migrate::runner::execute::Run;
use crate::migrate::runner::{Done, Goal, LOCK, Migrator, Report, Session, in_migration};

impl Migrator {
    /// Applies these migrations. What another runner has done meanwhile is left out.
    pub(super) async fn apply_all(&self, session: &mut Session, wanted: &[String], report: &mut Report) -> Result<()> {
        session.history().create().await?;
        // It begins anew where another runner was at work while the session was renewed.
        while !self.apply_some(session, wanted, report).await? {}
        Ok(())
    }

    /// The steps in Rust of what is to be run are known.
    pub(super) fn known(&self, works: &[Work<'_>]) -> Result<()> {
        for work in works.iter().filter(|work| !work.is_there) {
            let placed = |error| in_migration(work.id(), work.migration.name(), error);
            self.data.know(&work.up).map_err(placed)?;
        }
        Ok(())
    }

    /// Applies them as far as the history is as it was read; whether that was to the end.
    async fn apply_some(&self, session: &mut Session, wanted: &[String], report: &mut Report) -> Result<bool> {
        let target = session.target();
        let entries = session.history().read().await?;
        let (works, others): (Vec<Work<'_>>, Vec<Work<'_>>) = self
            .choice(target.dialect)
            .up(&entries, Goal::All)?
            .into_iter()
            .partition(|work| wanted.iter().any(|id| id == work.id()));
        self.known(&works)?;
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
                adopt(session, &work, &entries).await.map_err(placed)?;
                continue;
            }
            if session.is_marked() && !self.renewed(session).await? {
                return Ok(false);
            }
            // The list has not all of an entry.
            if work.begun.is_some() {
                work.begun = session.history().entry(work.id()).await?;
            }
            if let Some(begun) = &work.begun {
                choose::resumable(&work, begun)?;
            }
            let position = work.begun.as_ref().map_or_else(|| last.saturating_add(1), |begun| begun.position);
            last = last.max(position);
            let entry = entry(&work, position, State::Running);
            let mut run = Run::new(session, self, Way::Up, &work.up, entry);
            (run.begun, run.replaces) = (work.begun.clone(), work.migration.replaces());
            if let Some(statements) = run.run().await.map_err(placed)? {
                let (id, name) = (work.id().to_owned(), work.migration.name().to_owned());
                report.done.push(Done { id, name, statements, took: begin.elapsed() });
            }
        }
        Ok(true)
    }

    /// Gives the next migration a session without the settings of the one before; whether the history is still as it was.
    async fn renewed(&self, session: &mut Session) -> Result<bool> {
        let before = session.history().read().await?;
        session.renew(LOCK, self.limits.runner).await?;
        Ok(session.history().read().await? == before)
    }

    /// Undoes these migrations.
    pub(super) async fn undo_all(&self, session: &mut Session, wanted: &[String], report: &mut Report) -> Result<()> {
        let target = session.target();
        session.history().create().await?;
        for id in wanted {
            let sql = session.history().way_back(id).await?;
            let known = Script::parse_kept(&sql, target.dialect).and_then(|script| self.data.know(&script));
            known.map_err(|error| in_migration(id, "on the way back", error))?;
        }
        for id in wanted {
            if session.is_marked() {
                self.renewed(session).await?;
            }
            let entries = session.history().read().await?;
            // Another runner may have been faster.
            if choose::down(&entries, Goal::Count(1))?.first().is_none_or(|entry| entry.id != *id) {
                continue;
            }
            let Some(entry) = session.history().entry(id).await? else { continue };
            let placed = |error| in_migration(id, &entry.name, error);
            let script = back(&entry.down_sql, target).map_err(placed)?;
            let begin = Instant::now();
            let mut run = Run::new(session, self, Way::Down, &script, entry.clone());
            run.begun = (entry.state == State::Reverting).then(|| entry.clone());
            if let Some(statements) = run.run().await.map_err(placed)? {
                report.done.push(Done { id: entry.id, name: entry.name, statements, took: begin.elapsed() });
            }
        }
        Ok(())
    }
}

/// A way back, as it can be gone.
///
/// # Errors
/// `Migration` where there is none, or it steers transactions itself; those of its text.
pub(super) fn back(sql: &str, target: Target) -> Result<Script> {
    let script = Script::parse_kept(sql, target.dialect)?;
    if let Some(why) = &script.irreversible {
        let help = "write a new migration that leads where you want to be".to_owned();
        return Err(Cause::NoWayBack(why.clone()).into_error(help));
    }
    script.check_steering(target.dialect)?;
    Ok(script)
}

/// The row of a migration.
pub(in crate::migrate) fn entry(work: &Work<'_>, position: i32, state: State) -> Entry {
    Entry {
        name: work.migration.name().to_owned(),
        parents: work.migration.parents().to_vec(),
        sums: work.sums.clone(),
        down_sql: work.down_sql.clone(),
        state,
        steps_done: if state.is_applied() { work.up.steps.len() } else { work.done() },
        steps_total: work.up.steps.len(),
        step_hashes: work.up.steps.iter().map(step_hash).collect(),
        ..Entry::unknown(work.id(), position)
    }
}

/// Puts a migration in the place of those that it replaces, all of which are applied. Nothing is run.
async fn adopt(session: &mut Session, work: &Work<'_>, entries: &[Entry]) -> Result<()> {
    let replaced: Vec<&Entry> = entries.iter().filter(|entry| work.migration.replaces().contains(&entry.id)).collect();
    let position = replaced.iter().map(|entry| entry.position).max().unwrap_or(1);
    let baseline = replaced.iter().any(|entry| entry.state == State::Baseline);
    let state = if baseline { State::Baseline } else { State::Applied };
    record(session, &[(entry(work, position, state), work.migration.replaces())]).await
}

/// Writes rows, each with those in whose place it stands: all of it or nothing.
pub(super) async fn record(session: &mut Session, rows: &[(Entry, &[String])]) -> Result<()> {
    session.connection().begin(&TransactionOptions::DEFAULT).await?;
    let result = async {
        for (row, replaces) in rows {
            session.history().write(row).await?;
            session.history().replace(row, replaces).await?;
        }
        Ok(())
    }
    .await;
    match result {
        Ok(()) => session.connection().commit().await,
        Err(error) => {
            // A connection that cannot even roll back is closed with the session.
            let _ = session.connection().rollback().await;
            Err(error)
        }
    }
}
