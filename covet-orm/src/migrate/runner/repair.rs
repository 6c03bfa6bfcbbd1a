//! Puts the history right where only a person can know what happened.

use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate::history::{History, State};
use crate::migrate::runner::{LOCK, Migrator, Session, end};

impl Migrator {
    /// Notes that the statement at which an unfinished migration stopped has taken effect, so that
    /// the next run goes on behind it. The migration is named by its id, the statement by its number, as the
    /// error of the run named it: a second call changes nothing.
    ///
    /// A run that was lost while a statement was under way, on a database where statements cannot
    /// be rolled back, leaves open whether it took effect; the database itself has to be looked at.
    ///
    /// # Errors
    /// `Migration` when the migration is not unfinished or did not stop at this statement; `LockTimeout` while a runner works.
    pub async fn statement_is_done(&self, db: &Db, id: &str, number: usize) -> Result<()> {
        let mut session = Session::open(db).await?;
        session.connection().lock(LOCK, self.lock_wait).await?;
        let result = note(&mut session, db, id, number).await;
        end(&mut session, result).await?;
        session.close().await
    }
}

async fn note(session: &mut Session, db: &Db, id: &str, number: usize) -> Result<()> {
    let mut history = History::new(session.connection(), db.backend().dialect());
    let entries = history.read().await?;
    let unfinished = entries
        .iter()
        .find(|entry| entry.id == id && matches!(entry.state, State::Running | State::Failed | State::Reverting));
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
    let state = if entry.state == State::Reverting { State::Reverting } else { State::Failed };
    history.note(id, state, number, Some("noted as done by hand")).await
}
