//! Runs one migration, forth or back: as one transaction where that is possible, else part by part.
//!
//! A part is what can be undone as a whole: the statements of a transaction, or a single statement. A statement that
//! cannot share a transaction with its note is noted before it begins, with what will tell whether it took effect;
//! a run that was lost in it leaves that note behind, and the next one asks.

use covet_drivers::contract::{Connection, ConnectionState, Leaves, Step, TransactionOptions};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::migrate::data::DataSteps;
use crate::migrate::files::{Script, Way};
use crate::migrate::history::{Doubt, Entry, History, Note, State};
use crate::migrate::runner::batches::Watch;
use crate::migrate::runner::patience::{Attempts, Limits, begin};
use crate::migrate::runner::{Migrator, Session, step};

/// One migration on its way.
pub(super) struct Run<'r> {
    pub(super) connection: &'r mut dyn Connection,
    pub(super) target: Target,
    /// Where the history is.
    home: &'r str,
    pub(super) limits: Limits,
    pub(super) watch: Watch,
    pub(super) way: Way,
    pub(super) script: &'r Script,
    /// Its row: on the way forth as it is written when it begins, on the way back as it is.
    pub(super) entry: Entry,
    /// What an earlier run of the same way left.
    pub(super) begun: Option<Entry>,
    /// Those in whose place it stands, once it is applied.
    pub(super) replaces: &'r [String],
    /// The steps in Rust that are known.
    pub(super) data: &'r DataSteps,
    /// Whether the statement that is under way took effect, should it end with an error.
    pub(super) doubt: Option<Doubt>,
}

impl Way {
    pub(super) fn under_way(self) -> State {
        match self {
            Way::Up => State::Running,
            Way::Down => State::Reverting,
        }
    }

    fn failed(self) -> State {
        match self {
            Way::Up => State::Failed,
            Way::Down => State::Reverting,
        }
    }

    fn ended(self) -> State {
        match self {
            Way::Up => State::Applied,
            Way::Down => State::Reverted,
        }
    }
}

impl<'r> Run<'r> {
    /// One of which nothing is done yet.
    pub(super) fn new(
        session: &'r mut Session,
        migrator: &'r Migrator,
        way: Way,
        script: &'r Script,
        entry: Entry,
    ) -> Self {
        let target = session.target();
        if script.steps.iter().any(|step| target.ddl.leaves(&step.sql) != Leaves::Nothing) {
            session.mark();
        }
        let (connection, home) = session.parts();
        Run {
            connection,
            target,
            home,
            limits: migrator.limits,
            watch: migrator.watch.clone(),
            way,
            script,
            entry,
            begun: None,
            replaces: &[],
            data: &migrator.data,
            doubt: None,
        }
    }

    /// Runs it, and gives the number of statements that were run; `None` when another runner was faster.
    ///
    /// # Errors
    /// That of the statement that failed; `Migration` where it is not known whether a statement took effect.
    pub(super) async fn run(&mut self) -> Result<Option<usize>> {
        self.connection.limit_locks(Some(self.limits.lock)).await?;
        let one = self.connection.capabilities().transactional_ddl && self.script.is_one_transaction();
        if one && self.begun.is_none() { self.as_one().await } else { self.part_by_part().await.map(Some) }
    }

    async fn as_one(&mut self) -> Result<Option<usize>> {
        let mut attempts = Attempts::new(&self.limits);
        loop {
            begin(self.connection, self.limits.runner).await?;
            let error = match self.within().await {
                Ok(true) => match self.connection.commit_migration().await {
                    Ok(()) => return Ok(Some(self.script.steps.len())),
                    Err(error) => error,
                },
                Ok(false) => {
                    self.connection.rollback_migration().await?;
                    return Ok(None);
                }
                Err(error) => undo(self.connection, error).await,
            };
            attempts.after(error, self.connection.state()).await?;
        }
    }

    /// Everything, within the transaction that is open.
    async fn within(&mut self) -> Result<bool> {
        let (id, total) = (self.entry.id.clone(), self.script.steps.len());
        // Where runners exclude each other only within transactions, the work may have been done meanwhile.
        let is_applied = self.history().entry(&id).await?.is_some_and(|entry| entry.state.is_applied());
        if is_applied == (self.way == Way::Up) {
            return Ok(false);
        }
        self.statements(0, total).await?;
        match self.way {
            Way::Up => {
                let entry = Entry { state: State::Applied, steps_done: total, ..self.entry.clone() };
                self.history().write(&entry).await?;
            }
            Way::Down => self.note(Note::done(State::Reverted, total)).await?,
        }
        self.in_their_place().await?;
        Ok(true)
    }

    /// Notes what it means for those in whose place it stands.
    async fn in_their_place(&mut self) -> Result<()> {
        let (entry, replaces) = (self.entry.clone(), self.replaces);
        match self.way {
            Way::Up => self.history().replace(&entry, replaces).await,
            Way::Down => self.history().release(&entry.id).await,
        }
    }

    /// Runs the statements of a range within the open transaction.
    async fn statements(&mut self, from: usize, to: usize) -> Result<()> {
        for (index, step) in self.script.steps.iter().enumerate().take(to).skip(from) {
            self.one(step, index + 1).await?;
            self.still_within(index + 1, "the migration")?;
        }
        Ok(())
    }

    /// Runs a statement, or a step in Rust, within the open transaction.
    async fn one(&mut self, step: &Step, number: usize) -> Result<()> {
        match &step.rust {
            Some(name) => self.data.run(name, self.connection, self.target.dialect).await,
            None => step::run(self.connection, step, number, self.script.steps.len()).await,
        }
    }

    /// Whether the statement that was run left the transaction open, which has the note in it.
    pub(super) fn still_within(&self, number: usize, of: &str) -> Result<()> {
        if self.connection.state() == ConnectionState::InTransaction {
            return Ok(());
        }
        let total = self.script.steps.len();
        let text = format!("statement {number} of {total} ended the transaction of {of}");
        Err(Error::new(ErrorKind::Migration, text).with_help("leave BEGIN, COMMIT and ROLLBACK out of the file"))
    }

    /// Runs what is left.
    async fn part_by_part(&mut self) -> Result<usize> {
        let total = self.script.steps.len();
        let known = self.begun.as_ref().map_or(0, |begun| begun.steps_done);
        // Another session than the one that was lost; what the database is asked may depend on how it was set.
        for (index, step) in step::settings(&self.script.steps, known, self.target.ddl) {
            step::run(self.connection, step, index + 1, total).await?;
        }
        let first = self.first().await?;
        let mut done = first;
        while done < total {
            match self.part(done).await {
                Ok(next) => done = next,
                Err(error) => {
                    self.failed(done, &error).await;
                    return Err(error);
                }
            }
        }
        self.end(total).await?;
        Ok(total.saturating_sub(first))
    }

    /// Notes the end.
    async fn end(&mut self, total: usize) -> Result<()> {
        let mut attempts = Attempts::new(&self.limits);
        loop {
            self.connection.begin(&TransactionOptions::DEFAULT).await?;
            let result = match self.in_their_place().await {
                Ok(()) => self.note(Note::done(self.way.ended(), total)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = self.commit_or_undo(result).await {
                attempts.after(error, self.connection.state()).await?;
            } else {
                return Ok(());
            }
        }
    }

    /// Ends a transaction that is not the migration's: as the work in it went.
    async fn commit_or_undo(&mut self, result: Result<()>) -> Result<()> {
        match result {
            Ok(()) => self.connection.commit().await,
            Err(error) => {
                if self.connection.state() != ConnectionState::Broken {
                    // A connection that cannot even roll back is closed with the session.
                    let _ = self.connection.rollback().await;
                }
                Err(error)
            }
        }
    }

    /// Where to begin, which is noted; nothing has been changed before.
    async fn first(&mut self) -> Result<usize> {
        let done = match self.begun.clone() {
            None => 0,
            Some(begun) => self.settled(&begun).await?,
        };
        if let Some((index, step)) = step::lost(&self.script.steps, done, self.target.ddl) {
            return Err(lost(index + 1, step));
        }
        if done == 0 {
            step::guards_first(self.connection, &self.script.steps, self.target.dialect).await?;
        }
        match self.way {
            Way::Up => {
                let progress = self.begun.as_ref().and_then(|begun| begun.progress.clone());
                let entry = Entry { state: State::Running, steps_done: done, progress, ..self.entry.clone() };
                self.history().write(&entry).await?;
            }
            Way::Down => self.note(Note::done(State::Reverting, done)).await?,
        }
        Ok(done)
    }

    /// Runs the statements that can be taken together from here on, and says where the next part begins.
    async fn part(&mut self, from: usize) -> Result<usize> {
        let Some(step) = self.script.steps.get(from) else { return Ok(from) };
        if let Some(batches) = &step.batches {
            self.batched(from, step, batches).await
        } else if self.connection.capabilities().transactional_ddl && !step.alone {
            self.group(from).await
        } else if step.guard {
            step::run(self.connection, step, from + 1, self.script.steps.len()).await.map(|()| from + 1)
        } else if !step.alone && self.is_of_rows(step).await? {
            self.rows(from, step).await
        } else {
            self.single(from, step).await
        }
    }

    /// Statements in one transaction with their note.
    async fn group(&mut self, from: usize) -> Result<usize> {
        let joins = |at: usize, step: &Step| !step.alone && step.batches.is_none() && (at == 0 || !step.begins);
        let rest = self.script.steps.iter().skip(from).enumerate();
        let to = from + rest.take_while(|(at, step)| joins(*at, step)).count();
        let mut attempts = Attempts::new(&self.limits);
        loop {
            begin(self.connection, self.limits.runner).await?;
            let error = match self.grouped(from, to).await {
                Ok(()) => match self.connection.commit_migration().await {
                    Ok(()) => return Ok(to),
                    Err(error) => error,
                },
                Err(error) => undo(self.connection, error).await,
            };
            attempts.after(error, self.connection.state()).await?;
        }
    }

    async fn grouped(&mut self, from: usize, to: usize) -> Result<()> {
        let id = self.entry.id.clone();
        // Where runners exclude each other only within transactions, another may have come here first.
        let now = self.history().entry(&id).await?;
        if !now.is_some_and(|entry| entry.state == self.way.under_way() && entry.steps_done <= from) {
            return Err(Error::new(ErrorKind::Migration, format!("another runner is at work on {id}"))
                .with_help("look at the status, and run it again"));
        }
        self.statements(from, to).await?;
        self.note(Note::done(self.way.under_way(), to)).await
    }

    /// A statement that changes rows, in one transaction with its note: where each statement of the schema commits by
    /// itself, this one at least is never run twice.
    async fn rows(&mut self, from: usize, step: &Step) -> Result<usize> {
        let mut attempts = Attempts::new(&self.limits);
        loop {
            self.connection.begin(&TransactionOptions::DEFAULT).await?;
            let result = self.noted(from, step).await;
            match self.commit_or_undo(result).await {
                Ok(()) => return Ok(from + 1),
                Err(error) => attempts.after(error, self.connection.state()).await?,
            }
        }
    }

    /// Whether the statement changes rows, and all of them go back with their transaction.
    async fn is_of_rows(&mut self, step: &Step) -> Result<bool> {
        if step.rust.is_some() {
            return Ok(true);
        }
        if !step::changes_rows(step, self.target.dialect) {
            return Ok(false);
        }
        Ok(match self.target.ddl.stays(&step.sql) {
            None => true,
            Some(question) => step::count(self.connection, &question).await? == 0,
        })
    }

    async fn noted(&mut self, from: usize, step: &Step) -> Result<()> {
        let total = self.script.steps.len();
        self.one(step, from + 1).await?;
        if self.connection.state() != ConnectionState::InTransaction {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("statement {} of {total} ended the transaction that it was to share with its note", from + 1),
            ));
        }
        self.note(Note::done(self.way.under_way(), from + 1)).await
    }

    /// Notes the failure, where the connection still can; otherwise the last note stands.
    async fn failed(&mut self, done: usize, error: &Error) {
        if self.connection.state() == ConnectionState::Idle && !error.is_connection_lost() {
            let text = error.to_string();
            let statement = self.script.steps.get(done).map(|step| step.sql.as_str());
            let doubt = self.doubt;
            let note = Note { state: self.way.failed(), done, error: Some(&text), statement, doubt };
            // The error of the statement is the one to tell.
            let _ = self.note(note).await;
        }
    }

    pub(super) async fn note(&mut self, note: Note<'_>) -> Result<()> {
        let id = self.entry.id.clone();
        self.history().note(&id, note).await
    }

    pub(super) fn history(&mut self) -> History<'_> {
        History::new(self.connection, self.target, self.home)
    }
}

/// Rolls back, and gives the error that made it necessary.
async fn undo(connection: &mut dyn Connection, error: Error) -> Error {
    if connection.state() != ConnectionState::Broken {
        // A connection that cannot even roll back is closed with the session.
        let _ = connection.rollback_migration().await;
    }
    error
}

/// What an earlier statement had put into the session is gone with it.
#[cold]
fn lost(number: usize, step: &Step) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!(
            "an earlier run ended behind statement {number}, and what that left in its session is gone with it: {}",
            step::short(&step.sql)
        ),
    )
    .with_help(
        "run what is left by hand, all in one session, and say so for each statement: `cargo covet migrate repair \
         --done ID --statement N`; a subquery in place of the variable, or a table that is not temporary, would not \
         be lost",
    )
}
