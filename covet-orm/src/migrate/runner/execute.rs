//! Applies migrations: as one transaction where that is possible, else statement by statement with a note after each.

use std::time::{Duration, Instant};

use covet_drivers::contract::{Connection, ConnectionState, Step};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::files::step_hash;
use crate::migrate::history::{Entry, History, State};
use crate::migrate::runner::choose::Work;
use crate::migrate::runner::step::Note;
use crate::migrate::runner::{Done, Goal, Loaded, Migrator, Report, Session, choose, in_migration, step};

impl Migrator {
    /// Applies these migrations; the history is read again before each, because another runner may
    /// have been faster.
    pub(super) async fn apply_all(
        &self,
        session: &mut Session,
        target: Target,
        loaded: &[Loaded<'_>],
        wanted: &[&str],
        report: &mut Report,
    ) -> Result<()> {
        let connection = session.connection();
        History::new(connection, target.dialect).create(target.ddl).await?;
        for id in wanted {
            let entries = History::new(connection, target.dialect).read().await?;
            let pending = choose::up(loaded, &entries, Goal::All)?;
            if pending.iter().all(|work| work.id() != *id) {
                continue;
            }
            let Some(work) = pending.first().filter(|work| work.id() == *id) else {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("another runner changed the history before {id}"),
                )
                .with_help("look at the status, and run it again"));
            };
            let begin = Instant::now();
            let position = entries.iter().map(|entry| entry.position).max().unwrap_or(0).saturating_add(1);
            let mut run = Run { connection, target, work: *work, position, wait: self.lock_wait };
            let ran = run.apply().await.map_err(|error| in_migration(id, work.loaded.migration.name(), error))?;
            if let Some(statements) = ran {
                report.done.push(Done {
                    id: work.id().to_owned(),
                    name: work.loaded.migration.name().to_owned(),
                    statements,
                    took: begin.elapsed(),
                });
            }
        }
        Ok(())
    }
}

/// One migration on its way.
struct Run<'r> {
    connection: &'r mut dyn Connection,
    target: Target,
    work: Work<'r>,
    position: i32,
    wait: Duration,
}

impl Run<'_> {
    /// Applies it, and gives the number of statements that were run; `None` when another runner was faster.
    async fn apply(&mut self) -> Result<Option<usize>> {
        let one = self.connection.capabilities().transactional_ddl && self.work.loaded.up.is_one_transaction();
        if one && self.work.begun.is_none() { self.as_one().await } else { self.step_by_step().await.map(Some) }
    }

    fn steps(&self) -> &[Step] {
        &self.work.loaded.up.steps
    }

    async fn as_one(&mut self) -> Result<Option<usize>> {
        begin(self.connection, self.wait).await?;
        match self.within().await {
            Ok(Some(statements)) => {
                self.connection.commit_migration().await?;
                Ok(Some(statements))
            }
            Ok(None) => {
                self.connection.rollback_migration().await?;
                Ok(None)
            }
            Err(error) => Err(undo(self.connection, error).await),
        }
    }

    async fn within(&mut self) -> Result<Option<usize>> {
        // Where runners exclude each other only within transactions, the work may have been done meanwhile.
        let id = self.work.id();
        let now = self.history().entry(id).await?;
        if now.is_some_and(|entry| entry.state == State::Applied) {
            return Ok(None);
        }
        self.statements(0, self.steps().len()).await?;
        let entry = self.entry(State::Applied, self.steps().len());
        self.history().write(&entry).await?;
        Ok(Some(self.steps().len()))
    }

    /// Runs the statements of a range within the open transaction.
    async fn statements(&mut self, from: usize, to: usize) -> Result<()> {
        let loaded = self.work.loaded;
        let total = loaded.up.steps.len();
        for (index, step) in loaded.up.steps.iter().enumerate().take(to).skip(from) {
            step::run(self.connection, step, index + 1, total).await?;
            if self.connection.state() != ConnectionState::InTransaction {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("statement {} of {total} ended the transaction of the migration", index + 1),
                )
                .with_help("leave BEGIN, COMMIT and ROLLBACK out of the file"));
            }
        }
        Ok(())
    }

    /// Runs what is left, with a note in the history after each part that cannot be undone.
    async fn step_by_step(&mut self) -> Result<usize> {
        let first = self.work.done();
        if first == 0 {
            step::guards_first(self.connection, &self.work.loaded.up.steps).await?;
        }
        let in_doubt = self.work.begun.is_some_and(|entry| entry.state == State::Running);
        if in_doubt && let Some(step) = self.steps().get(first).filter(|step| !again(step)) {
            let begins: String = step.sql.chars().take(120).collect();
            let error = Error::new(ErrorKind::Migration, format!("it is not known whether it took effect: {begins}"));
            return Err(doubtful(first + 1, error));
        }
        let entry = self.entry(State::Running, first);
        self.history().write(&entry).await?;
        let mut done = first;
        while done < self.steps().len() {
            match self.part(done).await {
                Ok(next) => done = next,
                Err(error) => {
                    let error = if in_doubt && done == first { doubtful(done + 1, error) } else { error };
                    self.failed(done, &error).await;
                    return Err(error);
                }
            }
        }
        let id = self.work.id();
        self.history().note(id, State::Applied, done, None).await?;
        Ok(done - first)
    }

    /// Runs the statements that can be taken together from here on, notes them, and says where the next part begins.
    async fn part(&mut self, from: usize) -> Result<usize> {
        let loaded = self.work.loaded;
        let steps = &loaded.up.steps;
        let alone = |step: &Step| step.alone;
        if self.connection.capabilities().transactional_ddl && !steps.get(from).is_some_and(alone) {
            let to = from + steps.iter().skip(from).take_while(|step| !step.alone).count();
            begin(self.connection, self.wait).await?;
            let id = loaded.migration.id();
            // Where runners exclude each other only within transactions, another may have come here first.
            let now = self.history().entry(id).await?;
            let mine = now.is_some_and(|entry| entry.state == State::Running && entry.steps_done == from);
            let result = match if mine { self.statements(from, to).await } else { Err(overtaken(id)) } {
                Ok(()) => self.history().note(loaded.migration.id(), State::Running, to, None).await,
                Err(error) => Err(error),
            };
            return match result {
                Ok(()) => self.connection.commit_migration().await.map(|()| to),
                Err(error) => Err(undo(self.connection, error).await),
            };
        }
        let Some(step) = steps.get(from) else { return Ok(from) };
        let (id, dialect) = (loaded.migration.id(), self.target.dialect);
        if step::changes_rows(step) && !step.alone {
            let note = Note { dialect, id, state: State::Running };
            step::run_noted(self.connection, step, from + 1, steps.len(), note).await?;
            return Ok(from + 1);
        }
        step::run(self.connection, step, from + 1, steps.len()).await?;
        self.history().note(loaded.migration.id(), State::Running, from + 1, None).await?;
        Ok(from + 1)
    }

    /// Notes the failure, where the connection still can; otherwise the note of the last part stands.
    async fn failed(&mut self, done: usize, error: &Error) {
        if self.connection.state() == ConnectionState::Idle && !error.is_connection_lost() {
            let text = error.to_string();
            let id = self.work.id();
            // The error of the statement is the one to tell.
            let _ = self.history().note(id, State::Failed, done, Some(&text)).await;
        }
    }

    fn history(&mut self) -> History<'_> {
        History::new(self.connection, self.target.dialect)
    }

    fn entry(&self, state: State, done: usize) -> Entry {
        let loaded = self.work.loaded;
        Entry {
            id: loaded.migration.id().to_owned(),
            position: self.work.begun.map_or(self.position, |entry| entry.position),
            name: loaded.migration.name().to_owned(),
            up_checksum: loaded.checksum.clone(),
            down_sql: loaded.down_sql.clone(),
            state,
            steps_done: done,
            steps_total: loaded.up.steps.len(),
            step_hashes: loaded.up.steps.iter().map(step_hash).collect(),
            error: None,
            finished_at: None,
        }
    }
}

/// Whether a statement may run although an earlier run was lost in it: it shares its transaction with its
/// note, or does no harm a second time.
fn again(step: &Step) -> bool {
    (step::changes_rows(step) && !step.alone) || step::is_safe_again(step)
}

#[cold]
fn overtaken(id: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("another runner is at work on {id}"))
        .with_help("look at the status, and run it again")
}

/// Begins the transaction of a migration, and waits while another runner is in one.
pub(super) async fn begin(connection: &mut dyn Connection, wait: Duration) -> Result<()> {
    let end = Instant::now().checked_add(wait);
    loop {
        match connection.begin_migration().await {
            Err(error)
                if error.kind() == ErrorKind::LockTimeout
                    && connection.state() == ConnectionState::Idle
                    && end.is_none_or(|end| Instant::now() < end) =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other,
        }
    }
}

/// Rolls back, and gives the error that made it necessary.
pub(super) async fn undo(connection: &mut dyn Connection, error: Error) -> Error {
    if connection.state() != ConnectionState::Broken {
        // A connection that cannot even roll back is closed with the session.
        let _ = connection.rollback_migration().await;
    }
    error
}

/// The statement at which a lost run ended may have taken effect already.
pub(super) fn doubtful(number: usize, error: Error) -> Error {
    let message = format!("{} (an earlier run was lost during statement {number})", error.message());
    Error::new(error.kind(), message)
        .with_help(format!(
            "look whether statement {number} has taken effect; if so, say it with `cargo covet migrate repair --done ID --statement {number}`"
        ))
        .with_source(error)
}
