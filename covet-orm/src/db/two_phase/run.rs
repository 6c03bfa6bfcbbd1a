//! Running a distributed transaction: its closure, again where the databases say so, and its end.

use std::future::Future;
use std::time::Instant;

use covet_drivers::contract::BranchId;
use covet_drivers::pool::Place;
use covet_drivers::{Error, ErrorKind, Result};
use futures_util::future::{join_all, try_join_all};
use tokio::sync::oneshot;

use crate::db::deadline::in_time;
use crate::db::pause::pause;
use crate::db::transaction::{Again, Tx};
use crate::db::two_phase::live::Live;
use crate::db::two_phase::participant::two_phase;
use crate::db::two_phase::protocol::{self, Open, Verdict};
use crate::db::two_phase::{Committed, Coordinator};
use crate::db::{TxOptions, told};

/// Why one run of a closure came to nothing.
struct Failed<E> {
    error: E,
    /// Running it again may succeed.
    retry: bool,
}

impl<const N: usize> Coordinator<N> {
    /// Runs a transaction over all databases: `async |[orders, stock]| { … }`, each a [`Tx`] of its database in the order
    /// of [`open`](Coordinator::open). When the closure returns `Ok` the branches are prepared, the commit is written into
    /// the log, and the branches are told; when it returns `Err`, is dropped or panics, all are rolled back. When a
    /// database says "try again" (serialization failure, deadlock, busy) before that is decided, everything is rolled back
    /// and the closure runs again, at most five times in all, with a growing random pause.
    ///
    /// A database that no statement reached is left out, where that can be told (PostgreSQL). Dropped before the commit is
    /// written, the transaction is rolled back; dropped later, it comes to its end all the same. The ends of its branches
    /// are no single moment: others may see one database's part before the other's.
    ///
    /// SQL, in each database: `BEGIN`, the statements, `INSERT INTO _covet_branches …; PREPARE TRANSACTION …`; in the log
    /// `INSERT INTO _covet_decisions …`; then `COMMIT PREPARED …` (on MySQL and MariaDB `XA …`).
    ///
    /// # Errors
    /// The closure's, and those of the databases: nothing is committed then, and nothing will be. Two kinds say something
    /// else: `CommitUnknown` when the log was lost while the commit was written (its token asks
    /// [`outcome_of`](Coordinator::outcome_of)), and `CommitMixed` when somebody ended a branch by hand in the other way.
    #[track_caller]
    pub fn transaction<T>(
        &self,
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T> + Again,
    ) -> impl Future<Output = Result<Committed<T>>> {
        self.repeat(Place::here(), TxOptions::default(), f)
    }

    /// As [`transaction`](Coordinator::transaction), for closures with an error type of their own.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_transaction<T, E: From<Error>>(
        &self,
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T, E> + Again,
    ) -> impl Future<Output = Result<Committed<T>, E>> {
        self.repeat(Place::here(), TxOptions::default(), f)
    }

    /// As [`transaction`](Coordinator::transaction), with an isolation level, timeouts, a deadline and the like, for each
    /// of the databases. After the deadline nothing is committed that was not decided before, and a branch that has yet to
    /// be told is pending.
    ///
    /// # Errors
    /// As there; `Unsupported` for what a database lacks, `InvalidInput` for options that make no sense (a token, and
    /// reading only), `Deadline`.
    #[track_caller]
    pub fn transaction_with<T>(
        &self,
        options: TxOptions,
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T> + Again,
    ) -> impl Future<Output = Result<Committed<T>>> {
        self.repeat(Place::here(), options, f)
    }

    /// As [`transaction_with`](Coordinator::transaction_with), for closures with an error type of their own.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_transaction_with<T, E: From<Error>>(
        &self,
        options: TxOptions,
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T, E> + Again,
    ) -> impl Future<Output = Result<Committed<T>, E>> {
        self.repeat(Place::here(), options, f)
    }

    async fn repeat<T, E: From<Error>>(
        &self,
        place: Place,
        options: TxOptions,
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T, E> + Again,
    ) -> Result<Committed<T>, E> {
        check(&options)?;
        let ends = options.ends();
        let mut attempt = 1;
        loop {
            match self.attempt(place, options, ends, f.clone()).await {
                Ok(committed) => return Ok(committed),
                Err(Failed { error, retry }) if !retry || attempt >= options.attempts => return Err(error),
                Err(_) => {}
            }
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
        f: impl AsyncFnOnce([&mut Tx<'_>; N]) -> Result<T, E>,
    ) -> Result<Committed<T>, Failed<E>> {
        let failed = |error: Error| Failed { retry: error.is_retryable(), error: error.into() };
        let live = Live::begin(&self.inner);
        let transaction = live.transaction();
        let ids = self.ids(transaction).map_err(failed)?;
        let begun = in_time(ends, self.begin(place, options, ends, &ids)).await.and_then(|begun| begun);
        let mut branches = begun.map_err(failed)?;
        let (ran, late) = match in_time(ends, f(branches.each_mut())).await {
            Ok(ran) => (ran, false),
            Err(late) => (Err(late.into()), true),
        };
        let value = match ran {
            Ok(value) => value,
            // The deadline holds for the rollbacks too: the pools see to them.
            Err(error) if late => return Err(Failed { error, retry: false }),
            Err(error) => {
                // The closure's error may hide the database's, so the transactions remember.
                let retry = join_all(branches.iter().map(Tx::may_run_again)).await.contains(&true);
                for rollback in join_all(branches.map(Tx::rollback)).await {
                    if let Err(error) = rollback {
                        // The closure's error is the one to tell; the connection is closed with the lease.
                        tracing::warn!(target: "covet::transaction", %error, "the rollback failed");
                    }
                }
                return Err(Failed { error, retry });
            }
        };
        let retry = join_all(branches.iter().map(Tx::may_run_again)).await.contains(&true);
        // A transaction that cannot go on takes the others with it: their connections are given back uncommitted.
        let leases = join_all(branches.map(Tx::into_lease)).await.into_iter().collect::<Result<Vec<_>>>();
        let leases = leases.map_err(|error| Failed { retry: retry || error.is_retryable(), error: error.into() })?;
        let open = ids.into_iter().zip(leases).enumerate().map(|(at, (id, lease))| Open { id, at, lease }).collect();
        let (tell, told) = oneshot::channel();
        tokio::spawn(protocol::end(self.inner.clone(), live, open, ends, tell));
        match told.await {
            Ok(Verdict::Committed(pending)) => Ok(Committed::new(value, pending)),
            Ok(Verdict::RolledBack(error)) => Err(failed(error)),
            Ok(Verdict::Told(error)) => Err(Failed { retry: false, error: error.into() }),
            Err(_) => {
                // Its branches may be prepared.
                self.inner.look_again();
                let text =
                    "the task that was ending the transaction has ended before it: the program ends, or it panicked";
                let error = Error::new(ErrorKind::CommitUnknown, text).with_commit_token(transaction);
                Err(Failed { retry: false, error: error.into() })
            }
        }
    }

    fn ids(&self, transaction: [u8; 16]) -> Result<Vec<BranchId>> {
        (0_u8..).take(N).map(|number| BranchId::new(&self.inner.name, transaction, number)).collect()
    }

    /// Begins all branches.
    async fn begin(
        &self,
        place: Place,
        options: TxOptions,
        ends: Option<Instant>,
        ids: &[BranchId],
    ) -> Result<[Tx<'static>; N]> {
        let mut leases = Vec::with_capacity(N);
        // One after the other and in the same order: two transactions would each wait for what the other one has.
        for participant in &self.inner.participants {
            leases.push(participant.db.pool().acquire_for(place).await?);
            participant.at_home()?;
        }
        let branches = leases.into_iter().zip(&self.inner.participants).zip(ids);
        let begun = try_join_all(branches.map(async |((mut lease, participant), id)| {
            let db = &participant.db;
            let begin = async { two_phase(&mut lease)?.begin_branch(id, &options.begin).await };
            if let Err(error) = told(db.shared(), "BEGIN", begin).await {
                lease.report(&error);
                return Err(error);
            }
            Ok(db.begun(lease, None, ends))
        }))
        .await?;
        begun.try_into().map_err(|_| Error::new(ErrorKind::Protocol, "there are more databases than branches"))
    }
}

fn check(options: &TxOptions) -> Result<()> {
    let wrong = |text: &'static str, help: &'static str| Err(Error::new(ErrorKind::InvalidInput, text).with_help(help));
    options.check()?;
    if options.token {
        return wrong("a distributed transaction has a token of its own", "leave `token` away");
    }
    if options.begin.read_only {
        return wrong(
            "a distributed transaction that only reads has nothing to commit",
            "read from each database by itself",
        );
    }
    Ok(())
}
