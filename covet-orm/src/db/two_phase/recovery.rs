//! Recovery: ends what others of this coordinator's name have left prepared, and finds what was ended by hand.
//!
//! The order of its questions matters, because other processes may be at work meanwhile: decisions before branches (a
//! branch that was decided about is prepared, so it is seen prepared or ended), traces after branches (one that is not
//! prepared any more has left its trace if it has committed), and a decision once more before anybody is accused.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use covet_drivers::contract::BranchId;
use covet_drivers::{Error, ErrorKind, Result};
use futures_util::future::join_all;

use crate::db::two_phase::Inner;
use crate::db::two_phase::log::Decision;
use crate::db::two_phase::outcome::{Branch, Mixed, PendingBranch, Recovered};
use crate::db::two_phase::participant::End;
use crate::db::{CommitOutcome, CommitToken};
use crate::query::now;

/// A branch without a decision is looked at once more after this time: its coordinator may be about to decide.
const GRACE: Duration = Duration::from_millis(250);

/// How long a recovery tries to end what it has found.
const PATIENCE: Duration = Duration::from_secs(5);

/// Decisions are kept as long as this, for whoever still wants to write or to ask for one.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What the databases have said: by their numbers, the branches of this coordinator.
type Found = HashMap<usize, HashSet<BranchId>>;

/// The branches of a transaction, compared with what was decided.
struct Compared {
    /// Those that have ended in the other way.
    against: Vec<Branch>,
    /// Those of which nothing is known.
    unknown: Vec<Branch>,
}

impl Inner {
    /// As [`Coordinator::recover`](crate::Coordinator::recover).
    pub(super) async fn recover(self: &Arc<Self>) -> Result<Recovered> {
        let _one_at_a_time = self.recovering.lock().await;
        self.forget_done().await?;
        let mut report = Recovered::default();
        let mut decisions = self.decisions().await?;
        // Of what is decided and not live now nothing is still under way, whatever is looked at later.
        let mut live = self.live_now();
        let mut found = self.prepared(&mut report).await;
        let undecided = |found: &Found, decisions: &HashMap<[u8; 16], Decision>| {
            let transactions = found.values().flatten().map(BranchId::transaction);
            transactions.filter(|transaction| !decisions.contains_key(transaction)).collect::<HashSet<_>>()
        };
        let first = undecided(&found, &decisions);
        if !first.is_empty() {
            tokio::time::sleep(GRACE).await;
            report = Recovered::default();
            decisions = self.decisions().await?;
            live = self.live_now();
            found = self.prepared(&mut report).await;
            let mut second = undecided(&found, &decisions);
            // What was not there the first time has its grace the next time.
            for transaction in second.extract_if(|transaction| !first.contains(transaction)) {
                let young = || {
                    let text = "it was prepared just now: its coordinator may be about to decide";
                    Error::new(ErrorKind::LockTimeout, text)
                };
                self.put_off(transaction, young, &mut found, &mut report);
            }
            for transaction in second {
                // Listing may have waited for another database, and what was decided, ended and forgotten meanwhile is
                // not there any more: it must not be decided about again.
                match self.is_prepared(transaction, &found).await {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(why) => {
                        let gone = || Error::new(ErrorKind::Unreachable, why.clone());
                        self.put_off(transaction, gone, &mut found, &mut report);
                        continue;
                    }
                }
                let committed = in_time(self.log.settle(transaction)).await? == CommitOutcome::Committed;
                // Of a commit that was decided just now its own coordinator takes care.
                decisions.insert(transaction, Decision { transaction, committed, branches: Vec::new(), at: now() });
            }
        }
        self.end_all(&found, &decisions, &mut report).await;
        decisions.retain(|transaction, _| !live.contains(transaction));
        self.look_into(&found, decisions, &mut report).await?;
        Ok(report)
    }

    async fn decisions(&self) -> Result<HashMap<[u8; 16], Decision>> {
        let decisions = in_time(self.log.decisions()).await?;
        Ok(decisions.into_iter().map(|decision| (decision.transaction, decision)).collect())
    }

    /// Asks every database what is prepared in it.
    async fn prepared(&self, report: &mut Recovered) -> Found {
        let answers = join_all(self.participants.iter().map(|participant| in_time(participant.prepared()))).await;
        let mut found = Found::new();
        for (at, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(prepared) => {
                    let all = prepared.branches.len() + prepared.others;
                    let own: Vec<_> = prepared.branches.into_iter().filter(|branch| self.log.owns(branch)).collect();
                    report.left += all - own.len();
                    found.insert(at, own.into_iter().filter(|branch| !self.is_live(branch)).collect());
                }
                Err(error) => report.unreachable.push(error.about(&self.participants[at].name)),
            }
        }
        found
    }

    /// Whether one of the databases in which it was found still has a transaction prepared; what one of them said that
    /// does not answer any more, if none of the others has.
    async fn is_prepared(&self, transaction: [u8; 16], found: &Found) -> Result<bool, String> {
        let holds = |branches: &HashSet<BranchId>| branches.iter().any(|branch| branch.transaction() == transaction);
        let mut silent = Ok(false);
        for (at, _) in found.iter().filter(|(_, branches)| holds(branches)) {
            let participant = &self.participants[*at];
            match in_time(participant.prepared()).await {
                Ok(prepared) if prepared.branches.iter().any(|branch| branch.transaction() == transaction) => {
                    return Ok(true);
                }
                Ok(_) => {}
                Err(error) => silent = Err(format!("{} does not answer any more: {error}", participant.name)),
            }
        }
        silent
    }

    /// Leaves a transaction alone this time, for a reason.
    fn put_off(&self, transaction: [u8; 16], reason: impl Fn() -> Error, found: &mut Found, report: &mut Recovered) {
        for (at, branches) in found {
            for branch in branches.extract_if(|branch| branch.transaction() == transaction) {
                report.pending.push(self.participants[*at].pending(&branch, reason()));
            }
        }
    }

    /// Ends every branch as it was decided.
    async fn end_all(&self, found: &Found, decisions: &HashMap<[u8; 16], Decision>, report: &mut Recovered) {
        let until = Instant::now() + PATIENCE;
        let branches = found.iter().flat_map(|(at, branches)| branches.iter().map(move |branch| (*at, branch)));
        let decided = branches.filter_map(|(at, branch)| {
            let decision = decisions.get(&branch.transaction())?;
            Some((at, branch, if decision.committed { CommitOutcome::Committed } else { CommitOutcome::NotCommitted }))
        });
        let ended = join_all(decided.map(async |(at, branch, decided)| {
            (at, branch, decided, self.participants[at].end(branch, decided, None, until).await)
        }))
        .await;
        // Databases on one server list the same branches.
        let mut told = HashSet::new();
        for (at, branch, decided, end) in ended {
            let participant = &self.participants[at];
            match (end, decided) {
                (End::Done, _) if !told.insert(branch) => {}
                (End::Done, CommitOutcome::Committed) => report.committed.push(participant.branch(branch)),
                (End::Done, CommitOutcome::NotCommitted) => report.rolled_back.push(participant.branch(branch)),
                // Found out by its trace, or by that of its database.
                (End::Against, _) => {}
                (End::Pending(error), _) => report.pending.push(participant.pending(branch, error)),
            }
        }
    }

    /// Compares what was decided with what has happened, and forgets what is over.
    async fn look_into(
        &self,
        found: &Found,
        decisions: HashMap<[u8; 16], Decision>,
        report: &mut Recovered,
    ) -> Result<()> {
        let mut traces = HashMap::new();
        let answers = join_all(self.participants.iter().map(|participant| in_time(participant.traces(None)))).await;
        for (at, answer) in answers.into_iter().enumerate() {
            match answer {
                // Without the list of what is prepared a trace that is missing says nothing.
                _ if !found.contains_key(&at) => {}
                Ok(all) => {
                    traces.insert(at, all.into_iter().filter(|branch| self.log.owns(branch)).collect::<HashSet<_>>());
                }
                Err(error) => report.unreachable.push(error.about(&self.participants[at].name)),
            }
        }
        let pending: HashSet<[u8; 16]> = report.pending.iter().map(|branch| branch.branch.id.transaction()).collect();
        let mut over = Vec::new();
        let mut accused = Vec::new();
        for decision in decisions.values() {
            if pending.contains(&decision.transaction) {
                continue;
            }
            let Compared { mut against, unknown } = self.compare(decision, &traces)?;
            if decision.committed {
                against = self.commit_missing(against, report).await;
                if report.pending.iter().any(|branch| branch.branch.id.transaction() == decision.transaction) {
                    continue;
                }
            }
            for branch in unknown {
                let text =
                    format!("{} was not asked, or is not a database of this coordinator any more", branch.database);
                report.pending.push(PendingBranch { branch, error: Error::new(ErrorKind::Unreachable, text) });
            }
            if !against.is_empty() {
                let decided = if decision.committed { CommitOutcome::Committed } else { CommitOutcome::NotCommitted };
                let transaction = CommitToken::from_bytes(decision.transaction);
                accused.push(Mixed { transaction, decided, branches: against });
            } else if traces.len() == self.participants.len() && is_old(decision) {
                over.push(decision.transaction);
            }
        }
        if !accused.is_empty() || traces.values().flatten().any(|branch| !decisions.contains_key(&branch.transaction()))
        {
            // Decisions are forgotten before traces: what was forgotten meanwhile is not missing its trace.
            let still = self.decisions().await?;
            accused.retain(|mixed| still.contains_key(&mixed.transaction.bytes()));
            // Of a transaction without a decision a branch may stand prepared, or did when it was looked for, or does in a
            // database that was not asked: then the trace is all that tells of another one that was ended by hand.
            if traces.len() == self.participants.len() {
                let mut open: HashSet<_> = found.values().flatten().map(BranchId::transaction).collect();
                open.extend(report.pending.iter().map(|branch| branch.branch.id.transaction()));
                self.sweep(&traces, |transaction| still.contains_key(transaction) || open.contains(transaction)).await;
            }
        }
        accused.iter().map(Mixed::accuse).for_each(drop);
        report.mixed = accused;
        over.retain(|transaction| !report.pending.iter().any(|branch| branch.branch.id.transaction() == *transaction));
        self.forget(&over).await
    }

    /// Commits once more what was to be committed and has left no trace: a server may have lost sight of it, and that is
    /// nobody's doing. Gives those back that somebody has ended in the other way.
    async fn commit_missing(&self, missing: Vec<Branch>, report: &mut Recovered) -> Vec<Branch> {
        let until = Instant::now() + PATIENCE;
        let mut against = Vec::new();
        for branch in missing {
            let Some(participant) = self.participants.iter().find(|participant| participant.name == branch.database)
            else {
                continue;
            };
            match participant.end(&branch.id, CommitOutcome::Committed, None, until).await {
                End::Done => {}
                End::Against => against.push(branch),
                End::Pending(error) => report.pending.push(participant.pending(&branch.id, error)),
            }
        }
        against
    }

    fn compare(&self, decision: &Decision, traces: &Found) -> Result<Compared> {
        let (mut against, mut unknown) = (Vec::new(), Vec::new());
        if !decision.committed {
            for (at, traces) in traces {
                let of_it = traces.iter().filter(|branch| branch.transaction() == decision.transaction);
                against.extend(of_it.map(|branch| self.participants[*at].branch(branch)));
            }
            return Ok(Compared { against, unknown });
        }
        for (number, database) in &decision.branches {
            let id = BranchId::new(&self.name, decision.transaction, *number)?;
            if traces.values().any(|traces| traces.contains(&id)) {
                continue;
            }
            match self.participants.iter().position(|participant| participant.name == *database) {
                Some(at) if traces.contains_key(&at) => against.push(self.participants[at].branch(&id)),
                _ => unknown.push(Branch { id, database: database.clone() }),
            }
        }
        Ok(Compared { against, unknown })
    }

    /// Deletes the traces of transactions that nothing else is known of.
    async fn sweep(&self, traces: &Found, is_known: impl Fn(&[u8; 16]) -> bool) {
        for (at, traces) in traces {
            let is_over = |branch: &&BranchId| !is_known(&branch.transaction()) && !self.is_live(branch);
            let over: Vec<BranchId> = traces.iter().filter(is_over).cloned().collect();
            self.forget_traces(*at, &over).await;
        }
    }

    fn is_live(&self, branch: &BranchId) -> bool {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).contains(&branch.transaction())
    }

    pub(super) fn live_now(&self) -> HashSet<[u8; 16]> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whoever does not answer keeps nobody else from being asked.
pub(super) async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::new(ErrorKind::Deadline, "there was no answer in time");
    tokio::time::timeout(PATIENCE, answer).await.map_err(late)?
}

fn is_old(decision: &Decision) -> bool {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    now().saturating_sub(decision.at) > kept
}
