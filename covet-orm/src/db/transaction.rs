//! Transactions: as a closure that can be run again, and as a guard.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use covet_drivers::contract::{BoxFuture, Connection, ConnectionState};
use covet_drivers::pool::{Lease, Place};
use covet_drivers::{Error, ErrorKind, Result};

#[cfg(feature = "buggify")]
use crate::db::buggify::{self, CommitFault, Faults};
use crate::db::commit_token::{self, CommitOutcome, CommitToken};
use crate::db::connect::Shared;
use crate::db::deadline::{at_least, in_time, late};
use crate::db::open::Open;
use crate::db::pause::pause;
use crate::db::tally::Deadlock;
use crate::db::{Db, Executor, TxOptions, told};

/// A transaction, or a savepoint within one. It is an [`Executor`]: pass it where `&db` would go.
///
/// Dropping it without [`commit`](Tx::commit) rolls back.
#[must_use = "dropped without `commit`, a transaction is rolled back"]
pub struct Tx<'a> {
    executor: Executor,
    open: Arc<Open>,
    depth: u32,
    // A savepoint borrows its transaction, which keeps the outer handle away meanwhile.
    outer: PhantomData<&'a mut ()>,
}

/// The transaction as its handles see it.
pub(crate) struct State {
    /// Gone after commit and rollback.
    lease: Option<Lease>,
    /// Savepoints that are set.
    depth: u32,
    /// A statement failed in a way after which running the transaction again may succeed.
    retry: bool,
    /// A savepoint was being set, released or rolled back to, and nobody waited for the end.
    in_doubt: bool,
    /// When the commit must have been answered.
    ends: Option<Instant>,
    /// One that a statement of this transaction was the victim of.
    pub(crate) deadlock: Option<Deadlock>,
}

/// Closures that can be run again, because they change nothing outside.
#[diagnostic::on_unimplemented(
    message = "this transaction cannot be run again",
    label = "it changes, or owns and cannot clone, something from outside: return what it makes, or use `begin`"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<F: Clone> Again for F {}

impl Db {
    /// Runs a transaction: commits when the closure returns `Ok`, rolls back when it returns `Err`,
    /// is dropped or panics. When the database says "try again" (serialization failure, deadlock,
    /// busy), the whole closure runs again, at most five times in all, with a growing random pause;
    /// never after a commit whose outcome is not known.
    ///
    /// ```ignore
    /// let post = db.transaction(async |tx| {
    ///     let post = Post::create().author_id(ann.id).title("Hello").exec(tx).await?;
    ///     Post::tags.of(&post).link([&rust], tx).await?;
    ///     Ok(post)
    /// }).await?;
    /// ```
    ///
    /// # Errors
    /// The closure's, and those of beginning and committing.
    #[track_caller]
    #[rustfmt::skip] // on one line, because rustc quotes every line of it in its message
    pub fn transaction<T>(&self, f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T> + Again) -> impl Future<Output = Result<T>> {
        self.repeat(Place::here(), TxOptions::default(), f)
    }

    /// As [`transaction`](Db::transaction), for closures with an error type of their own:
    /// `db.try_transaction(async |tx| -> Result<_, AppError> { … })`.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_transaction<T, E: From<Error>>(
        &self,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E> + Again,
    ) -> impl Future<Output = Result<T, E>> {
        self.repeat(Place::here(), TxOptions::default(), f)
    }

    /// As [`transaction`](Db::transaction), with an isolation level, timeouts, a deadline and the like.
    ///
    /// # Errors
    /// As there; `Unsupported` for what the database lacks, `InvalidInput` for options that make no sense, `Deadline`.
    #[track_caller]
    pub fn transaction_with<T>(
        &self,
        options: TxOptions,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T> + Again,
    ) -> impl Future<Output = Result<T>> {
        self.repeat(Place::here(), options, f)
    }

    /// As [`transaction_with`](Db::transaction_with), for closures with an error type of their own.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_transaction_with<T, E: From<Error>>(
        &self,
        options: TxOptions,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E> + Again,
    ) -> impl Future<Output = Result<T, E>> {
        self.repeat(Place::here(), options, f)
    }

    async fn repeat<T, E: From<Error>>(
        &self,
        place: Place,
        options: TxOptions,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E> + Again,
    ) -> Result<T, E> {
        options.check()?;
        let ends = options.ends();
        let mut attempt = 1;
        loop {
            let again = attempt < options.attempts;
            match self.attempt(place, options, ends, f.clone()).await {
                Attempt::Done(value) => return Ok(value),
                Attempt::Failed { error, retry } if !(retry && again) => return Err(error),
                Attempt::Failed { .. } => {}
                Attempt::Unknown { value, error, token } => match self.outcome_within(token, ends).await {
                    Ok(CommitOutcome::Committed) => return Ok(value),
                    // It never will be, so it can be run again.
                    Ok(CommitOutcome::NotCommitted) if again => {}
                    Ok(CommitOutcome::NotCommitted) => {
                        let text = "the connection broke at the commit, which did not take effect";
                        return Err(Error::new(ErrorKind::ConnectionLost, text).with_source(error).into());
                    }
                    Err(undecided) => {
                        tracing::warn!(target: "covet::transaction", error = %undecided, "the outcome of a commit could not be had");
                        return Err(error.into());
                    }
                },
            }
            self.shared().tally.repeats();
            in_time(ends, pause(attempt)).await?;
            attempt += 1;
        }
    }

    /// Runs the closure once.
    async fn attempt<T, E: From<Error>>(
        &self,
        place: Place,
        options: TxOptions,
        ends: Option<Instant>,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Attempt<T, E> {
        let failed = |error: Error| Attempt::Failed { retry: error.is_retryable(), error: error.into() };
        let mut tx = match in_time(ends, self.open_transaction(place, options, ends)).await.and_then(|begun| begun) {
            Ok(tx) => tx,
            Err(error) => return failed(error),
        };
        let (ran, late) = match in_time(ends, f(&mut tx)).await {
            Ok(ran) => (ran, false),
            Err(late) => (Err(late.into()), true),
        };
        match ran {
            Ok(value) => {
                // The closure may have swallowed what the database said, so the transaction remembers.
                let doomed = tx.may_run_again().await;
                match tx.commit().await {
                    Ok(()) => Attempt::Done(value),
                    Err(error) => match CommitToken::of(&error) {
                        Some(token) => Attempt::Unknown { value, error, token },
                        // Refused for what came before the commit: nothing of it is there, and nothing was sent.
                        None if doomed && error.kind() == ErrorKind::TransactionClosed => {
                            Attempt::Failed { error: error.into(), retry: true }
                        }
                        None => failed(error),
                    },
                }
            }
            // The deadline holds for the rollback too: the pool sees to that.
            Err(error) if late => Attempt::Failed { error, retry: false },
            Err(error) => {
                // The closure's error may hide the database's, so the transaction remembers.
                let retry = tx.may_run_again().await;
                if let Err(rollback) = tx.rollback().await {
                    // The closure's error is the one to tell; the connection is closed with the lease.
                    tracing::warn!(target: "covet::transaction", error = %rollback, "the rollback failed");
                }
                Attempt::Failed { error, retry }
            }
        }
    }

    /// Begins a transaction as a guard: [`commit`](Tx::commit) it, or dropping it rolls back.
    ///
    /// # Errors
    /// Those of beginning. Where the database hears of it only with the first statement, that statement meets them.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Tx<'static>>> + Send + use<'_> {
        self.begin_for(Place::here(), TxOptions::default())
    }

    /// As [`begin`](Db::begin), with an isolation level, timeouts, a deadline and the like.
    ///
    /// # Errors
    /// As there; `Unsupported` for what the database lacks, `InvalidInput` for options that make no sense.
    #[track_caller]
    pub fn begin_with(&self, options: TxOptions) -> impl Future<Output = Result<Tx<'static>>> + Send + use<'_> {
        self.begin_for(Place::here(), options)
    }

    async fn begin_for(&self, place: Place, options: TxOptions) -> Result<Tx<'static>> {
        options.check()?;
        let ends = options.ends();
        in_time(ends, self.open_transaction(place, options, ends)).await?
    }

    async fn open_transaction(&self, place: Place, options: TxOptions, ends: Option<Instant>) -> Result<Tx<'static>> {
        let mut lease = self.pool().acquire_for(place).await?;
        if let Err(error) = told(self.shared(), "BEGIN", lease.begin_direct(&options.begin)).await {
            self.shared().tally.saw(&error);
            lease.report(&error);
            return Err(error);
        }
        Ok(self.begun(lease, options.token.then(CommitToken::new), ends))
    }

    /// The handle to the transaction that was begun on a connection.
    pub(crate) fn begun(&self, lease: Lease, token: Option<CommitToken>, ends: Option<Instant>) -> Tx<'static> {
        let state = State { lease: Some(lease), depth: 0, retry: false, in_doubt: false, ends, deadlock: None };
        let open = Arc::new(Open::new(state, token));
        let executor = Executor::transaction(Arc::clone(self.shared_arc()), Arc::clone(&open), 0);
        Tx { executor, open, depth: 0, outer: PhantomData }
    }
}

/// How one run of a closure ended.
enum Attempt<T, E> {
    /// It is committed.
    Done(T),
    /// It is not committed.
    Failed { error: E, retry: bool },
    /// The answer to the commit was lost, and a token can tell.
    Unknown { value: T, error: Error, token: CommitToken },
}

impl Tx<'_> {
    /// Runs a closure within a savepoint: what it did stands when it returns `Ok`, and is undone
    /// when it returns `Err` or is dropped. A savepoint is never run again by itself.
    ///
    /// # Errors
    /// The closure's, and those of the savepoint.
    pub async fn transaction<T>(&mut self, f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.try_transaction(f).await
    }

    /// As [`transaction`](Tx::transaction), for closures with an error type of their own.
    ///
    /// # Errors
    /// As there.
    pub async fn try_transaction<T, E: From<Error>>(
        &mut self,
        f: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inner = self.begin().await?;
        match f(&mut inner).await {
            Ok(value) => {
                inner.commit().await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(rollback) = inner.rollback().await {
                    // The transaction knows that it cannot go on; the closure's error is the one to tell.
                    tracing::warn!(target: "covet::transaction", error = %rollback, "the savepoint could not be undone");
                }
                Err(error)
            }
        }
    }

    /// Sets a savepoint as a guard.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&mut self) -> Result<Tx<'_>> {
        let depth = {
            let mut state = self.open.state.lock().await;
            state.settle(self.depth).await?;
            told(self.executor.shared(), "SAVEPOINT", state.enter()).await?
        };
        let executor = Executor::transaction(Arc::clone(self.executor.shared_arc()), Arc::clone(&self.open), depth);
        Ok(Tx { executor, open: Arc::clone(&self.open), depth, outer: PhantomData })
    }

    /// The token of the commit to come, where one was asked for ([`TxOptions::token`]). Written down before the commit, it
    /// tells another process what became of it when this one ends in between.
    #[must_use]
    pub fn commit_token(&self) -> Option<CommitToken> {
        self.open.token
    }

    /// Commits; for a savepoint: keeps what was done since. `Ok` means that the database has committed.
    ///
    /// # Errors
    /// `TransactionClosed` when an earlier statement doomed the transaction: it is then rolled back.
    /// `CommitUnknown` when the answer was lost. Constraints that are checked late, serialization failures.
    pub async fn commit(self) -> Result<()> {
        let mut state = self.open.state.lock().await;
        if self.depth > 0 {
            let ends = state.ends;
            let released = async {
                state.settle(self.depth).await?;
                told(self.executor.shared(), "RELEASE SAVEPOINT", state.leave(self.depth, Ok(()))).await
            };
            return in_time(ends, released).await?;
        }
        let shared = self.executor.shared();
        let ends = state.ends;
        let ready = match in_time(ends, state.settle(0)).await.and_then(|settled| settled) {
            Ok(()) => state.mark(self.open.token, shared).await,
            settled => settled,
        };
        match ready {
            Ok(()) => {}
            // The pool rolls back, for as long as that takes.
            Err(error) if error.kind() == ErrorKind::Deadline => {
                state.lease = None;
                return Err(error);
            }
            Err(error) => {
                state.give_up(shared).await?;
                return Err(error);
            }
        }
        let result = match in_time(ends, told(shared, "COMMIT", state.commit(shared))).await {
            Ok(result) => result,
            Err(late) => Err(Error::new(ErrorKind::CommitUnknown, "the commit was not answered before the deadline")
                .with_source(late)),
        };
        let result = result.inspect_err(|error| {
            shared.tally.saw(error);
            state.saw(error);
        });
        state.lease = None;
        result.map_err(|error| match (error.kind(), self.open.token) {
            (ErrorKind::CommitUnknown, Some(token)) => error.with_commit_token(token.bytes()),
            _ => error,
        })
    }

    /// Takes the connection out with the transaction open on it, for whoever ends it in another way. A transaction
    /// that cannot go on is rolled back.
    pub(crate) async fn into_lease(self) -> Result<Lease> {
        let mut state = self.open.state.lock().await;
        let ends = state.ends;
        match in_time(ends, state.settle(0)).await.and_then(|settled| settled) {
            Ok(()) => state.lease.take().ok_or_else(ended),
            // The pool rolls back, for as long as that takes.
            Err(error) if error.kind() == ErrorKind::Deadline => {
                state.lease = None;
                Err(error)
            }
            Err(error) => {
                state.give_up(self.executor.shared()).await?;
                Err(error)
            }
        }
    }

    /// Whether a statement failed in a way after which running the transaction again may succeed.
    pub(crate) async fn may_run_again(&self) -> bool {
        self.open.state.lock().await.retry
    }

    /// Rolls back; for a savepoint: undoes what was done since.
    ///
    /// # Errors
    /// Those of the connection; `Deadline` when the server does not answer in time, and the rollback is left to the pool.
    pub async fn rollback(self) -> Result<()> {
        let mut state = self.open.state.lock().await;
        let shared = self.executor.shared();
        if self.depth > 0 {
            let ends = state.ends_at_least();
            in_time(ends, told(shared, "ROLLBACK TO SAVEPOINT", state.undo(self.depth))).await?
        } else {
            told(shared, "ROLLBACK", state.give_up(shared)).await
        }
    }
}

impl State {
    /// The connection, if the transaction can still run a statement.
    pub(crate) fn connection(&mut self) -> Result<&mut dyn Connection> {
        let Some(lease) = &mut self.lease else {
            return Err(ended());
        };
        match lease.state() {
            ConnectionState::InTransaction => Ok(&mut **lease),
            ConnectionState::Failed => Err(closed("an earlier statement in it failed")),
            ConnectionState::Idle => Err(closed("the database rolled it back")),
            ConnectionState::Broken => Err(closed("its connection is lost, or a statement in it was dropped half-way")),
        }
    }

    /// Undoes savepoints below this depth whose handles were dropped, and checks that the
    /// transaction can still run a statement.
    pub(crate) async fn settle(&mut self, depth: u32) -> Result<()> {
        self.certain()?;
        if self.depth > depth {
            self.undo(depth + 1).await?;
        }
        if self.depth < depth {
            return Err(Error::new(ErrorKind::TransactionClosed, "the savepoint has ended"));
        }
        self.connection().map(drop)
    }

    /// Writes the token, if there is one; what is late is not committed.
    async fn mark(&mut self, token: Option<CommitToken>, shared: &Shared) -> Result<()> {
        let ends = self.ends;
        if ends.is_some_and(|ends| Instant::now() >= ends) {
            return Err(late());
        }
        let Some(token) = token else { return Ok(()) };
        let result = in_time(ends, commit_token::write(token, self.connection()?, shared)).await.and_then(|done| done);
        result.inspect_err(|error| self.retry |= error.is_retryable())
    }

    /// Sets the next savepoint and gives its depth.
    pub(crate) async fn enter(&mut self) -> Result<u32> {
        let depth = self.depth + 1;
        self.connection()?;
        self.command(|connection| connection.savepoint(depth)).await?;
        self.depth = depth;
        Ok(depth)
    }

    /// Ends the savepoint of this depth: keeps what was done since if it went well, else undoes it.
    pub(crate) async fn leave<T>(&mut self, depth: u32, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => {
                self.connection()?;
                self.command(|connection| connection.release(depth)).await?;
                self.depth = depth - 1;
                Ok(value)
            }
            Err(error) => {
                self.retry |= error.is_retryable();
                // The first error is the one to tell; the next use meets the state that is left.
                let _ = self.undo(depth).await;
                Err(error)
            }
        }
    }

    /// Undoes everything since the savepoint of this depth.
    async fn undo(&mut self, depth: u32) -> Result<()> {
        self.certain()?;
        let Some(lease) = &self.lease else { return Ok(()) };
        if matches!(lease.state(), ConnectionState::InTransaction | ConnectionState::Failed) {
            self.command(|connection| connection.rollback_to(depth)).await?;
        }
        self.depth = depth - 1;
        Ok(())
    }

    /// Sends a savepoint's command. Should this future be dropped, whether the savepoint is there is not known.
    async fn command<F>(&mut self, send: F) -> Result<()>
    where
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<()>>,
    {
        let Some(lease) = &mut self.lease else { return Err(ended()) };
        self.in_doubt = true;
        let result = send(&mut **lease).await;
        self.in_doubt = false;
        result.inspect_err(|error| self.saw(error))
    }

    fn certain(&self) -> Result<()> {
        if self.in_doubt { Err(closed("a savepoint in it was set or ended half-way")) } else { Ok(()) }
    }

    #[cfg(not(feature = "buggify"))]
    async fn commit(&mut self, _: &Shared) -> Result<()> {
        self.connection()?.commit_direct().await
    }

    /// Commits, or makes the fault that is due.
    #[cfg(feature = "buggify")]
    async fn commit(&mut self, shared: &Shared) -> Result<()> {
        let fault = shared.faults.as_ref().and_then(Faults::of_commit);
        match fault {
            None => self.connection()?.commit_direct().await,
            Some(CommitFault::Retryable) => self.roll_back().await.and(Err(buggify::retryable())),
            Some(CommitFault::Lost) => self.roll_back().await.and(Err(buggify::unknown())),
            Some(CommitFault::Unanswered) => self.connection()?.commit_direct().await.and(Err(buggify::unknown())),
        }
    }

    /// Rolls back, as the server does by itself when it has no way out.
    #[cfg(feature = "buggify")]
    pub(crate) async fn roll_back(&mut self) -> Result<()> {
        self.connection()?.rollback().await
    }

    /// As [`end`](State::end), for as long as the deadline allows. What is late then is left to the pool.
    async fn give_up(&mut self, shared: &Shared) -> Result<()> {
        in_time(self.ends_at_least(), self.end(shared)).await?
    }

    /// When a rollback must have been answered: a server that is well has the time for it, however late it is.
    fn ends_at_least(&self) -> Option<Instant> {
        self.ends.map(at_least)
    }

    /// Rolls the whole transaction back.
    pub(crate) async fn end(&mut self, shared: &Shared) -> Result<()> {
        let Some(mut lease) = self.lease.take() else { return Ok(()) };
        if lease.state() == ConnectionState::Broken {
            // The server rolls back when the connection goes, and it goes with the lease.
            return Ok(());
        }
        lease.rollback().await?;
        if let Some(deadlock) = self.deadlock.take() {
            Box::pin(deadlock.log(&mut *lease, shared)).await;
        }
        Ok(())
    }

    /// Remembers whether an error allows the transaction to be run again, and lets the pool know of a connection that
    /// is lost.
    pub(crate) fn saw(&mut self, error: &Error) {
        self.retry |= error.is_retryable();
        if let Some(lease) = &self.lease {
            lease.report(error);
        }
    }
}

#[cold]
fn ended() -> Error {
    Error::new(ErrorKind::TransactionClosed, "the transaction has ended")
}

#[cold]
fn closed(why: &'static str) -> Error {
    Error::new(ErrorKind::TransactionClosed, format!("the transaction cannot go on: {why}"))
        .with_help("roll back and run the whole transaction again; to try a statement that may fail, use a savepoint: `tx.transaction(…)`")
}

impl Deref for Tx<'_> {
    type Target = Executor;

    fn deref(&self) -> &Executor {
        &self.executor
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tx(depth {})", self.depth)
    }
}
