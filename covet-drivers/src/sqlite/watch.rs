//! What a connection, its session and SQLite's callbacks can see of each other without a message.
//!
//! Jobs are numbered from 1 in the order in which they begin. All these numbers only grow.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::sqlite::pace::nanos;

/// The shared view.
#[derive(Debug)]
pub(super) struct Watch {
    /// The last job that was sent.
    sent: AtomicU64,
    /// The last job that has ended.
    ended: AtomicU64,
    /// Every job up to this one is wanted by nobody any more.
    unwanted: AtomicU64,
    /// The job that may be stopped between two steps of SQLite's machine; 0 when none.
    stoppable: AtomicU64,
    /// The last job that began to write.
    wrote: AtomicU64,
    autocommit: AtomicBool,
    doomed: AtomicBool,
    began: Instant,
    /// The budget of a statement on its caller's thread in nanoseconds; 0 while there is none.
    budget: AtomicU64,
    /// Nanoseconds after `began` at which it is used up; 0 before the clock was looked at, for which a short
    /// statement has no need.
    limit: AtomicU64,
    /// Pages in the write-ahead log after this connection's last commit that wrote.
    pages: AtomicU32,
}

impl Watch {
    /// Of a fresh connection.
    pub(super) fn new() -> Self {
        Watch {
            sent: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            unwanted: AtomicU64::new(0),
            stoppable: AtomicU64::new(0),
            wrote: AtomicU64::new(0),
            autocommit: AtomicBool::new(true),
            doomed: AtomicBool::new(false),
            began: Instant::now(),
            budget: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            pages: AtomicU32::new(0),
        }
    }

    /// The number of a new job.
    pub(super) fn send(&self) -> u64 {
        self.sent.fetch_add(1, SeqCst) + 1
    }

    /// Whether a job is still under way whose future was dropped.
    pub(super) fn has_leftover(&self) -> bool {
        self.ended.load(SeqCst) < self.sent.load(SeqCst)
    }

    /// Nobody waits for the job any more.
    ///
    /// The order is what makes it safe: this side says "unwanted" before it asks whether the job
    /// wrote, the other side says "wrote" before it asks whether the job is wanted. So at least one
    /// of them sees the other.
    pub(super) fn give_up(&self, job: u64) {
        self.unwanted.fetch_max(job, SeqCst);
        if self.wrote.load(SeqCst) >= job && !self.autocommit.load(SeqCst) {
            self.doomed.store(true, SeqCst);
        }
    }

    /// Whether nobody waits for the job.
    pub(super) fn is_unwanted(&self, job: u64) -> bool {
        self.unwanted.load(SeqCst) >= job
    }

    /// The job begins to read: it may be stopped from now on.
    pub(super) fn begin_read(&self, job: u64) {
        self.stoppable.store(job, SeqCst);
    }

    /// The job is about to write. False when nobody wants it any more: then it must not.
    pub(super) fn begin_write(&self, job: u64) -> bool {
        self.stoppable.store(0, SeqCst);
        self.wrote.fetch_max(job, SeqCst);
        !self.is_unwanted(job)
    }

    /// The statement that begins now has this budget from the first question whether it is used up, until the value
    /// is dropped.
    pub(super) fn budget(&self, budget: Duration) -> Budget<'_> {
        self.limit.store(0, Relaxed);
        self.budget.store(nanos(budget).max(1), Relaxed);
        Budget { watch: self }
    }

    /// The statement under way has no budget any more.
    pub(super) fn lift_budget(&self) {
        self.budget.store(0, Relaxed);
    }

    /// Whether there is a budget and it is used up.
    pub(super) fn is_late(&self) -> bool {
        let budget = self.budget.load(Relaxed);
        if budget == 0 {
            return false;
        }
        let now = nanos(self.began.elapsed());
        let limit = self.limit.load(Relaxed);
        if limit == 0 {
            self.limit.store(now.saturating_add(budget), Relaxed);
        }
        limit != 0 && now >= limit
    }

    /// Asked by SQLite every 1000 steps.
    pub(super) fn must_stop(&self) -> bool {
        if self.is_late() {
            return true;
        }
        let job = self.stoppable.load(SeqCst);
        job != 0 && self.is_unwanted(job)
    }

    /// A commit left so many pages in the write-ahead log.
    pub(super) fn logged(&self, pages: u32) {
        self.pages.store(pages, Relaxed);
    }

    /// How many pages the last commit left in the write-ahead log; 0 when there was none since the last question.
    pub(super) fn take_pages(&self) -> u32 {
        if self.pages.load(Relaxed) == 0 { 0 } else { self.pages.swap(0, Relaxed) }
    }

    /// A statement has ended that was no job, and this is where the transaction stands.
    pub(super) fn stands(&self, autocommit: bool) {
        // Mostly nothing changes, and looking is cheaper than saying.
        if self.autocommit.load(SeqCst) != autocommit {
            self.autocommit.store(autocommit, SeqCst);
        }
        if autocommit && self.doomed.load(SeqCst) {
            self.doomed.store(false, SeqCst);
        }
    }

    /// The job has ended, and this is where the transaction stands.
    pub(super) fn end(&self, job: u64, autocommit: bool) {
        self.stoppable.store(0, SeqCst);
        self.stands(autocommit);
        self.ended.fetch_max(job, SeqCst);
    }

    /// Whether no transaction is open.
    pub(super) fn autocommit(&self) -> bool {
        self.autocommit.load(SeqCst)
    }

    /// The open transaction can only be rolled back.
    pub(super) fn doom(&self) {
        self.doomed.store(true, SeqCst);
    }

    /// The reason for the doom is undone.
    pub(super) fn pardon(&self) {
        self.doomed.store(false, SeqCst);
    }

    /// Whether the open transaction can only be rolled back.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.load(SeqCst)
    }
}

/// The budget of the statement under way on its caller's thread; it ends with the value.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    watch: &'a Watch,
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        self.watch.lift_budget();
    }
}

/// Says that a job is unwanted when it is dropped before [`done`](Wanted::done).
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    watch: &'a Watch,
    job: u64,
    done: bool,
}

impl<'a> Wanted<'a> {
    /// The job is wanted.
    pub(super) fn new(watch: &'a Watch, job: u64) -> Self {
        Wanted { watch, job, done: false }
    }

    /// Its answer has arrived.
    pub(super) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.watch.give_up(self.job);
        }
    }
}
