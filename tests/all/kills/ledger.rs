//! What was said of each transfer, kept outside of the database, and the check against what the database holds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken};

use crate::kills::bank::{self, Transfer};
use crate::kills::words::{Hears, Word};

/// What is known of a transfer. One that is not in the ledger was never sent to commit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    /// It may commit from now on, under this token.
    Begun(CommitToken),
    /// It was acknowledged. Nothing takes that back.
    Acknowledged,
    /// It was said not to be committed.
    Failed,
    /// The answer was lost.
    Unknown(CommitToken),
    /// The answer was lost, and the token told.
    Resolved(CommitOutcome),
}

/// What was said, by the number of the transfer.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    said: BTreeMap<i64, Said>,
    last: i64,
    first_success: Option<Instant>,
    snapshots: u64,
    wrong: Vec<String>,
}

impl Hears for Ledger {
    fn next(&self) -> i64 {
        let mut inner = self.inner();
        inner.last += 1;
        inner.last
    }

    fn hear(&self, word: Word) {
        let mut inner = self.inner();
        match word {
            Word::Begun(id, token) => {
                inner.last = inner.last.max(id);
                inner.said.insert(id, Said::Begun(token));
            }
            Word::Acknowledged(id) => {
                inner.last = inner.last.max(id);
                inner.said.insert(id, Said::Acknowledged);
                inner.first_success.get_or_insert_with(Instant::now);
            }
            Word::Failed(id) => inner.unless_acknowledged(id, Said::Failed),
            Word::Unknown(id, token) => inner.unless_acknowledged(id, Said::Unknown(token)),
            Word::Snapshot => inner.snapshots += 1,
            Word::Wrong(what) => inner.wrong.push(what),
        }
    }
}

impl Inner {
    fn unless_acknowledged(&mut self, id: i64, now: Said) {
        let said = self.said.entry(id).or_insert(now);
        if *said != Said::Acknowledged {
            *said = now;
        }
    }
}

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) kills: usize,
    pub(crate) acknowledged: usize,
    pub(crate) unknown: usize,
    pub(crate) unknown_committed: usize,
    /// Acknowledged, and not there.
    pub(crate) lost: usize,
    pub(crate) snapshots: u64,
    /// Whatever else must not be.
    pub(crate) wrong: Vec<String>,
    pub(crate) took: Duration,
    /// The first success, from the moment that the database is back.
    pub(crate) recoveries: Vec<Duration>,
    /// The longest wait for what a token tells.
    pub(crate) slowest_answer: Duration,
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The last number that was heard of.
    pub(crate) fn last(&self) -> i64 {
        self.inner().last
    }

    fn wrong(&self, what: String) {
        self.inner().wrong.push(what);
    }

    /// The next success is the first one.
    pub(crate) fn await_success(&self) {
        self.inner().first_success = None;
    }

    /// When the first success was, since that was asked for.
    pub(crate) async fn first_success(&self) -> Instant {
        let start = Instant::now();
        loop {
            if let Some(first) = self.inner().first_success {
                return first;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "nothing succeeds any more");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Whoever held these has ended and can say nothing more of them.
    pub(crate) fn begun_are_unknown(&self) {
        for said in self.inner().said.values_mut() {
            if let Said::Begun(token) = *said {
                *said = Said::Unknown(token);
            }
        }
    }

    /// Asks for what is not known, and compares each answer with the transfer's own row.
    pub(crate) async fn resolve(&self, db: &Db, found: &mut Found) -> covet_orm::Result<()> {
        let unknown: Vec<(i64, CommitToken)> = self.inner().said.iter().filter_map(unknown).collect();
        for (id, token) in unknown {
            let start = Instant::now();
            let outcome = db.outcome_of(token).await?;
            found.slowest_answer = found.slowest_answer.max(start.elapsed());
            let there = Transfer::find(id).exists(db).await?;
            if there != (outcome == CommitOutcome::Committed) {
                self.wrong(format!("transfer {id}: the token says {outcome:?}, its row is there: {there}"));
            }
            found.unknown += 1;
            found.unknown_committed += usize::from(there);
            self.inner().said.insert(id, Said::Resolved(outcome));
        }
        Ok(())
    }

    /// Compares everything that was said with what the database holds, while nobody writes.
    pub(crate) async fn check(&self, db: &Db, found: &mut Found) -> covet_orm::Result<()> {
        let rows = Transfer::query().all(db).await?;
        let accounts = bank::balances(db).await?;
        let mut inner = self.inner();
        let there: BTreeMap<i64, &Transfer> = rows.iter().map(|row| (row.id, row)).collect();
        found.acknowledged = inner.said.values().filter(|said| **said == Said::Acknowledged).count();
        found.lost =
            inner.said.iter().filter(|(id, said)| **said == Said::Acknowledged && !there.contains_key(id)).count();
        let committed = Said::Resolved(CommitOutcome::Committed);
        let mut wrong = Vec::new();
        for (id, said) in &inner.said {
            match said {
                Said::Begun(_) | Said::Unknown(_) => wrong.push(format!("transfer {id} was never resolved")),
                _ if *said == committed && !there.contains_key(id) => {
                    wrong.push(format!("transfer {id} was told to be committed and is not there"));
                }
                _ => {}
            }
        }
        for id in there.keys() {
            match inner.said.get(id) {
                Some(Said::Acknowledged) => {}
                Some(said) if *said == committed => {}
                said => wrong.push(format!("transfer {id} is there, and what was said is {said:?}")),
            }
        }
        wrong.extend(bank::disagreement(&accounts, &rows));
        wrong.extend(bank::unsound(&accounts));
        inner.wrong.extend(wrong);
        found.snapshots = inner.snapshots;
        found.wrong = inner.wrong.clone();
        Ok(())
    }
}

fn unknown((id, said): (&i64, &Said)) -> Option<(i64, CommitToken)> {
    match said {
        Said::Unknown(token) => Some((*id, *token)),
        _ => None,
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // a rate for a human
        let rate = self.acknowledged as f64 / seconds;
        write!(
            f,
            "{} kills in {seconds:.1} s, {} acknowledged ({rate:.0}/s), {} lost, {} unknown ({} of them committed), {} snapshots",
            self.kills, self.acknowledged, self.lost, self.unknown, self.unknown_committed, self.snapshots,
        )?;
        let mut recoveries = self.recoveries.clone();
        recoveries.sort();
        if let (Some(median), Some(worst)) = (recoveries.get(recoveries.len() / 2), recoveries.last()) {
            write!(f, ", first success {median:.1?} (worst {worst:.1?}) after the database is back")?;
        }
        if self.unknown > 0 {
            write!(f, ", slowest answer of a token {:.1?}", self.slowest_answer)?;
        }
        Ok(())
    }
}
