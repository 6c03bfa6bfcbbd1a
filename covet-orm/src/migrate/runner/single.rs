//! A statement that commits by itself: it is noted before it begins, with what will tell whether it took effect.
//!
//! An error says that nothing was done where the statement is atomic. Where it is not, or nobody knows, it runs once: the
//! doubt stays until somebody has looked.

use covet_drivers::contract::{ConnectionState, Effect, Step};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::history::{Doubt, Entry, Note};
use crate::migrate::runner::execute::Run;
use crate::migrate::runner::patience::Attempts;
use crate::migrate::runner::step;

impl Run<'_> {
    /// The statements that an earlier run has done, whether or not it could still note the last one.
    pub(super) async fn settled(&mut self, begun: &Entry) -> Result<usize> {
        let (done, sql) = (begun.steps_done, begun.statement.clone().unwrap_or_default());
        match begun.doubt {
            None | Some(Doubt::Again) => Ok(done),
            Some(Doubt::Unknown) => Err(in_doubt(begun, done + 1, &sql)),
            Some(Doubt::Probe) => {
                let Effect::Probe { taken, .. } = self.target.ddl.effect(&sql) else {
                    return Err(in_doubt(begun, done + 1, &sql));
                };
                if step::count(self.connection, &taken).await? == 0 {
                    return Ok(done);
                }
                if self.script.steps.get(done).is_none_or(|step| step.sql != sql) {
                    return Err(Error::new(
                        ErrorKind::Migration,
                        format!("statement {} was edited after it was done: {}", done + 1, step::short(&sql)),
                    )
                    .with_help("restore the statement, and write what shall be different behind it"));
                }
                Ok(done + 1)
            }
        }
    }

    pub(super) async fn single(&mut self, from: usize, step: &Step) -> Result<usize> {
        let effect = self.target.ddl.effect(&step.sql);
        let (mut leftover, mut waits, mut atomic) = (None, false, true);
        let doubt = match &effect {
            Effect::Again => Doubt::Again,
            Effect::Unknown { atomic: whole } => {
                atomic = *whole;
                Doubt::Unknown
            }
            Effect::Probe { taken, leftover: left, patient } => {
                (leftover, waits) = (left.as_ref(), *patient);
                step::clear(self.connection, leftover).await?;
                // What is there before it began says nothing about what it did.
                if step::count(self.connection, taken).await? == 0 { Doubt::Probe } else { Doubt::Unknown }
            }
        };
        let (state, total) = (self.way.under_way(), self.script.steps.len());
        self.note(Note { state, done: from, error: None, statement: Some(&step.sql), doubt: Some(doubt) }).await?;
        self.doubt = Some(doubt);
        let mut attempts = Attempts::new(&self.limits);
        loop {
            if waits {
                self.connection.limit_locks(None).await?;
            }
            let result = step::run(self.connection, step, from + 1, total).await;
            if waits && self.connection.state() == ConnectionState::Idle {
                self.connection.limit_locks(Some(self.limits.lock)).await?;
            }
            match result {
                Ok(()) => break,
                Err(error) if !atomic => return Err(error),
                Err(error) => {
                    self.doubt = None;
                    attempts.after(error, self.connection.state()).await?;
                    self.doubt = Some(doubt);
                }
            }
            step::clear(self.connection, leftover).await?;
        }
        self.ends_idle(from + 1).await?;
        // What can be found out again is noted together with what comes next.
        if doubt == Doubt::Unknown {
            self.insist(Note::done(state, from + 1)).await?;
        }
        self.doubt = None;
        Ok(from + 1)
    }

    /// Makes sure that what is noted now is not part of a transaction which the statement has left open.
    async fn ends_idle(&mut self, number: usize) -> Result<()> {
        if self.connection.state() == ConnectionState::Idle {
            return Ok(());
        }
        // A connection that cannot even roll back is closed with the session.
        let _ = self.connection.rollback().await;
        let total = self.script.steps.len();
        Err(Error::new(ErrorKind::Migration, format!("statement {number} of {total} left a transaction open"))
            .with_help("what it had done there is rolled back; let it end its transaction itself"))
    }

    /// Notes what is done already, and must not be done again because the note could not be written.
    async fn insist(&mut self, note: Note<'_>) -> Result<()> {
        let mut attempts = Attempts::new(&self.limits);
        loop {
            match self.note(note).await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.after(error, self.connection.state()).await?,
            }
        }
    }
}

/// The statement at which an earlier run ended may have taken effect already.
#[cold]
fn in_doubt(begun: &Entry, number: usize, sql: &str) -> Error {
    let (id, sql) = (&begun.id, step::short(sql));
    let ended = match &begun.error {
        None => format!("an earlier run was lost during statement {number}"),
        Some(error) => format!("an earlier run ended with an error in statement {number} ({error})"),
    };
    Error::new(ErrorKind::Migration, format!("{ended}, and it cannot be known whether it took effect: {sql}"))
        .with_help(format!(
            "look at the database: if it took effect, `cargo covet migrate repair --done {id} --statement {number}`; if \
             not, `cargo covet migrate repair --redo {id} --statement {number}`"
        ))
}
