//! Runs a statement batch by batch: a range of keys at a time, in a transaction that notes how far it came.
//!
//! Between two batches nothing is locked and others write. A run that is lost goes on behind the last batch that was
//! committed, and no batch is run twice, because a batch and its note share their transaction.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Batches, Command, ConnectionState, Flow, RANGE, Reuse, Row, Step, TransactionOptions};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Way, step_hash};
use crate::migrate::history::{Note, Progress, State};
use crate::migrate::runner::execute::Run;
use crate::migrate::runner::patience::Attempts;
use crate::migrate::runner::step;

/// How far a statement is that goes in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<'b> {
    /// The id of the migration.
    pub id: &'b str,
    /// The number of the statement, from 1.
    pub statement: usize,
    /// The table, as it stands in the file.
    pub table: &'b str,
    /// Rows that were gone through, those of earlier runs included.
    pub rows: u64,
    /// Rows that there were when it began.
    pub total: u64,
    /// Whether it has come to its end.
    pub is_done: bool,
}

/// Somebody who is told.
#[derive(Clone, Default)]
pub(super) struct Watch(Option<Arc<Told>>);

type Told = dyn Fn(&Batch<'_>) + Send + Sync;

impl Watch {
    pub(super) fn new(watch: impl Fn(&Batch<'_>) + Send + Sync + 'static) -> Self {
        Watch(Some(Arc::new(watch)))
    }

    fn tell(&self, batch: &Batch<'_>) {
        if let Some(watch) = &self.0 {
            watch(batch);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(..)" } else { "Watch" })
    }
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Way::Up => "up",
            Way::Down => "down",
        }
    }
}

impl Run<'_> {
    /// Runs a statement in batches, and says where the next part begins.
    pub(super) async fn batched(&mut self, from: usize, step: &Step, batches: &Batches) -> Result<usize> {
        let mut progress = self.progress(from, step, batches).await?;
        let id = self.entry.id.clone();
        let told = |progress: &Progress, is_done| Batch {
            id: &id,
            statement: from + 1,
            table: &batches.table,
            rows: progress.rows,
            total: progress.total.max(progress.rows),
            is_done,
        };
        loop {
            let begin = Instant::now();
            let Some(next) = self.batch(from, step, batches, &progress).await? else { break };
            progress = next;
            self.watch.tell(&told(&progress, false));
            tokio::time::sleep(self.pause(batches, begin.elapsed())).await;
        }
        self.watch.tell(&told(&progress, true));
        Ok(from + 1)
    }

    /// Where to go on: behind what an earlier run did, or at the first key.
    async fn progress(&mut self, from: usize, step: &Step, batches: &Batches) -> Result<Progress> {
        let (way, hash) = (self.way.word(), step_hash(step));
        let earlier = self.begun.as_ref().and_then(|begun| begun.progress.clone());
        if let Some(earlier) = earlier.filter(|earlier| earlier.way == way && earlier.step == from) {
            if earlier.hash != hash {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!(
                        "statement {} was edited after a part of it was done: {}",
                        from + 1,
                        step::short(&step.sql)
                    ),
                )
                .with_help("restore the statement, and write what shall be different behind it"));
            }
            return Ok(earlier);
        }
        if let Some(question) = self.target.ddl.stays(&step.sql)
            && step::count(self.connection, &question).await? > 0
        {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("statement {} cannot go in batches: {} has no transactions", from + 1, batches.table),
            )
            .with_help("run it as one statement, or give the table an engine that has transactions"));
        }
        let total = step::count(self.connection, &format!("SELECT count(*) FROM {}", batches.table)).await?;
        Ok(Progress { way: way.to_owned(), step: from, hash, rows: 0, total, after: String::new() })
    }

    /// One batch; `None` when no key is left, which is noted.
    async fn batch(
        &mut self,
        from: usize,
        step: &Step,
        batches: &Batches,
        progress: &Progress,
    ) -> Result<Option<Progress>> {
        let mut attempts = Attempts::new(&self.limits);
        loop {
            // An ordinary one, with foreign keys on where a migration has them off: rows change here, and nothing else.
            let error = match self.connection.begin(&TransactionOptions::DEFAULT).await {
                Ok(()) => match self.within_batch(from, step, batches, progress).await {
                    Ok(next) => match self.connection.commit().await {
                        Ok(()) => return Ok(next),
                        Err(error) => error,
                    },
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if !matches!(self.connection.state(), ConnectionState::Broken | ConnectionState::Idle) {
                // A connection that cannot even roll back is closed with the session; the first error is the one to
                // tell.
                let _ = self.connection.rollback().await;
            }
            attempts.after(error, self.connection.state()).await?;
        }
    }

    async fn within_batch(
        &mut self,
        from: usize,
        step: &Step,
        batches: &Batches,
        progress: &Progress,
    ) -> Result<Option<Progress>> {
        let (id, total) = (self.entry.id.clone(), self.script.steps.len());
        let state = self.way.under_way();
        self.still_ours(&id, from, state, progress).await?;
        let after = (!progress.after.is_empty()).then_some(progress.after.as_str());
        let size = self.limits.batch.unwrap_or(batches.size);
        let (last, rows) = self.end_of(&self.target.ddl.next_batch(batches, after, size)).await?;
        let Some(last) = last else {
            self.history().walked(&id, Note::done(state, from + 1), None).await?;
            return Ok(None);
        };
        let lower = after.map(|after| format!("{} > {after} AND ", batches.key)).unwrap_or_default();
        let range = format!("AND ({lower}{} <= {last})", batches.key);
        let part = Step { sql: step.sql.replacen(RANGE, &range, 1), ..step.clone() };
        step::run(self.connection, &part, from + 1, total).await?;
        self.still_within(from + 1, "its batch")?;
        let next = Progress { rows: progress.rows + rows, after: last, ..progress.clone() };
        let note = Note { state, done: from, error: None, statement: Some(&step.sql), doubt: None };
        self.history().walked(&id, note, Some(&next)).await?;
        Ok(Some(next))
    }

    /// Where runners exclude each other only within transactions, another may have come here between two batches.
    async fn still_ours(&mut self, id: &str, from: usize, state: State, progress: &Progress) -> Result<()> {
        let entry = self.history().entry(id).await?;
        let ours = entry.is_some_and(|entry| {
            let walked = entry.progress.as_ref().filter(|walked| walked.step == from && walked.way == progress.way);
            let after = walked.map(|walked| walked.after.as_str()).unwrap_or_default();
            entry.state == state && entry.steps_done <= from && after == progress.after
        });
        if ours {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Migration, format!("another runner is at work on {id}"))
            .with_help("look at the status, and run it again"))
    }

    /// The last key of the next batch as a literal, and the number of rows.
    async fn end_of(&mut self, sql: &str) -> Result<(Option<String>, u64)> {
        let mut found = (None, 0);
        let mut take = |row: &mut Row<'_>| {
            let count: i64 = row.get(1, &ColumnType::I64)?;
            found = (row.get(0, &ColumnType::Text { max_len: None })?, u64::try_from(count).unwrap_or_default());
            Ok(Flow::Continue)
        };
        self.connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
        Ok(found)
    }

    fn pause(&self, batches: &Batches, took: Duration) -> Duration {
        let said = batches.pause.map(|pause| Duration::from_millis(pause.into()));
        self.limits.pause.or(said).unwrap_or(took)
    }
}
