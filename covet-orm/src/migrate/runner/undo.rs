//! Undoes migrations, by the way back that the history keeps.

use std::time::{Duration, Instant};

use covet_drivers::contract::{Connection, ConnectionState};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::files::Script;
use crate::migrate::history::{Entry, History, State};
use crate::migrate::runner::apply::{begin, doubtful, undo};
use crate::migrate::runner::step::Note;
use crate::migrate::runner::{Done, Goal, Migrator, Report, Session, choose, in_migration, step};

impl Migrator {
    /// Undoes these migrations; the history is read again before each.
    pub(super) async fn undo_all(
        &self,
        session: &mut Session,
        target: Target,
        wanted: &[String],
        report: &mut Report,
    ) -> Result<()> {
        let connection = session.connection();
        for id in wanted {
            let entries = History::new(connection, target.dialect).read().await?;
            // Another runner may have been faster.
            let applied = choose::down(&entries, Goal::All)?;
            let Some(entry) = applied.first().filter(|entry| entry.id == *id) else { continue };
            let placed = |error| in_migration(id, &entry.name, error);
            let script = Script::parse(&entry.down_sql, target.dialect).map_err(placed)?;
            if let Some(why) = &script.irreversible {
                let error = Error::new(ErrorKind::Migration, format!("there is no way back: {why}"));
                return Err(placed(error.with_help("write a new migration that leads where you want to be")));
            }
            let start = Instant::now();
            let mut run = Run { connection, target, entry, script: &script, wait: self.lock_wait };
            if let Some(statements) = run.undo().await.map_err(placed)? {
                let (id, name) = (entry.id.clone(), entry.name.clone());
                report.done.push(Done { id, name, statements, took: start.elapsed() });
            }
        }
        Ok(())
    }
}

/// One migration on its way back.
struct Run<'r> {
    connection: &'r mut dyn Connection,
    target: Target,
    entry: &'r Entry,
    script: &'r Script,
    wait: Duration,
}

impl Run<'_> {
    async fn undo(&mut self) -> Result<Option<usize>> {
        let one = self.connection.capabilities().transactional_ddl && self.script.is_one_transaction();
        if one && self.entry.state == State::Applied {
            self.as_one().await
        } else {
            self.step_by_step().await.map(Some)
        }
    }

    async fn as_one(&mut self) -> Result<Option<usize>> {
        begin(self.connection, self.wait).await?;
        match self.within().await {
            Ok(true) => {
                self.connection.commit_migration().await?;
                Ok(Some(self.script.steps.len()))
            }
            Ok(false) => {
                self.connection.rollback_migration().await?;
                Ok(None)
            }
            Err(error) => Err(undo(self.connection, error).await),
        }
    }

    async fn within(&mut self) -> Result<bool> {
        let id = &self.entry.id;
        let now = History::new(self.connection, self.target.dialect).entry(id).await?;
        if now.is_none_or(|entry| entry.state != State::Applied) {
            return Ok(false);
        }
        let total = self.script.steps.len();
        for (index, step) in self.script.steps.iter().enumerate() {
            step::run(self.connection, step, index + 1, total).await?;
            if self.connection.state() != ConnectionState::InTransaction {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("statement {} of {total} ended the transaction of the migration", index + 1),
                )
                .with_help("leave BEGIN, COMMIT and ROLLBACK out of the file"));
            }
        }
        History::new(self.connection, self.target.dialect).note(id, State::Reverted, total, None).await?;
        Ok(true)
    }

    async fn step_by_step(&mut self) -> Result<usize> {
        let id = &self.entry.id;
        let first = choose::undone(self.entry);
        let resumed = self.entry.state == State::Reverting;
        if !resumed {
            step::guards_first(self.connection, &self.script.steps).await?;
            self.note(State::Reverting, 0, None).await?;
        }
        let total = self.script.steps.len();
        for (index, step) in self.script.steps.iter().enumerate().skip(first) {
            let together = step::changes_rows(step) && !step.alone;
            let ran = if together {
                let note = Note { dialect: self.target.dialect, id, state: State::Reverting };
                step::run_noted(self.connection, step, index + 1, total, note).await
            } else {
                step::run(self.connection, step, index + 1, total).await
            };
            if let Err(error) = ran {
                // A noted error tells that the run ended at this statement; without one it was lost there.
                let lost = resumed && index == first && self.entry.error.is_none();
                let error = if lost { doubtful(index + 1, error) } else { error };
                if self.connection.state() == ConnectionState::Idle && !error.is_connection_lost() {
                    let text = error.to_string();
                    // The error of the statement is the one to tell.
                    let _ = self.note(State::Reverting, index, Some(&text)).await;
                }
                return Err(error);
            }
            if !together {
                self.note(State::Reverting, index + 1, None).await?;
            }
        }
        History::new(self.connection, self.target.dialect).note(id, State::Reverted, total, None).await?;
        Ok(total.saturating_sub(first))
    }

    async fn note(&mut self, state: State, done: usize, error: Option<&str>) -> Result<()> {
        History::new(self.connection, self.target.dialect).note(&self.entry.id, state, done, error).await
    }
}
