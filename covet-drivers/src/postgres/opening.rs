//! How a transaction is opened: BEGIN travels with its first statement, and that statement never takes
//! effect alone.
//!
//! The driver ends every request with a Sync of its own, so the server runs a statement although the BEGIN
//! ahead of it in the same flight has failed; a cancel or a timeout that hits BEGIN is enough. Therefore
//!
//! * what only reads flies behind BEGIN as it is: should BEGIN fail, its rows are thrown away;
//! * what writes flies behind BEGIN only while the session is *guarded*: transactions that do not say
//!   `READ WRITE` are read only there, so the server refuses what runs behind a failed BEGIN;
//! * what has to be prepared is not sent before BEGIN has been answered: BEGIN flies with the preparation;
//! * what notifies waits for BEGIN's answer, because a read-only transaction may notify;
//! * a script is one message with its BEGIN, and of one message the server runs nothing behind an error;
//! * anything else, raw text above all, waits for BEGIN's answer.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::time::Instant;

use futures_util::future::join3;
use tokio_postgres::Client;

use crate::contract::{ConnectionState, Reuse, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::guard::Switch;
use crate::postgres::wording::Wording;

/// What goes ahead of a request in the same flight, each a message of its own.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) switch: Option<Switch>,
    begin: Option<Cow<'static, str>>,
    /// Only the guard keeps the request from taking effect behind a BEGIN that fails.
    pub(super) guarded: bool,
}

/// What was answered to it.
pub(super) struct Answers {
    switch: Result<(), tokio_postgres::Error>,
    begin: Result<(), tokio_postgres::Error>,
}

impl Ahead {
    pub(super) fn switching(switch: Option<Switch>) -> Self {
        Ahead { switch, ..Ahead::default() }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.switch.is_none() && self.begin.is_none()
    }

    pub(super) fn begins(&self) -> bool {
        self.begin.is_some()
    }
}

/// Sends a request behind what goes ahead of it, and waits for all answers.
pub(super) async fn fly<T>(client: &Client, ahead: &Ahead, request: impl Future<Output = T>) -> (Answers, T) {
    let say = async |text: Option<&str>| match text {
        Some(text) => client.batch_execute(text).await,
        None => Ok(()),
    };
    // Each is written when it is polled for the first time, and they are polled in this order.
    let (switch, begin, answer) = join3(say(ahead.switch.map(Switch::sql)), say(ahead.begin.as_deref()), request).await;
    (Answers { switch, begin }, answer)
}

impl PostgresConnection {
    /// What has to go ahead of a prepared statement. Waits for BEGIN's answer where the statement must.
    pub(super) async fn ahead(&mut self, wording: Wording, reuse: Reuse) -> Result<Ahead> {
        let Some(options) = self.held else { return Ok(Ahead::switching(self.lifting(wording, reuse))) };
        let clean = wording.is_clean(reuse);
        if clean && wording.harmless {
            return Ok(Ahead { begin: Some(self.begin_text(&options)), ..Ahead::default() });
        }
        if self.may_be_guarded(clean) && !wording.notifies && self.guard.stands() {
            self.guard.served();
            return Ok(Ahead { begin: Some(self.begin_text(&options)), guarded: true, ..Ahead::default() });
        }
        let switch = self.guarding(wording, reuse);
        self.send_begin(switch).await?;
        Ok(Ahead::switching(self.lifting(wording, reuse)))
    }

    /// What has to go ahead of preparing a statement.
    pub(super) fn ahead_of_preparing(&mut self, wording: Wording, reuse: Reuse) -> Ahead {
        let Some(options) = self.held else { return Ahead::switching(self.lifting(wording, reuse)) };
        let switch = self.guarding(wording, reuse);
        Ahead { switch, begin: Some(self.begin_behind(switch, &options)), guarded: false }
    }

    /// Sends a BEGIN that was held back, and waits for its answer.
    pub(super) async fn send_begin(&mut self, switch: Option<Switch>) -> Result<()> {
        let Some(options) = self.held.take() else { return Ok(()) };
        let ahead = Ahead { switch, begin: Some(self.begin_behind(switch, &options)), guarded: false };
        let start = Instant::now();
        let (answers, ()) = fly(&self.client, &ahead, ready(())).await;
        self.guard.waited(start.elapsed());
        self.heard(&ahead, answers).map(drop)
    }

    /// Before a bulk insert: sends a BEGIN that was held back, or lifts the guard, and waits for the answer.
    pub(super) async fn open_for_bulk(&mut self) -> Result<()> {
        self.send_begin(None).await?;
        if self.state != ConnectionState::Idle {
            return Ok(());
        }
        self.guard.interrupted();
        if !self.guard.may_stand() {
            return Ok(());
        }
        let lifted = self.client.batch_execute(Switch::Lift.sql()).await;
        self.guard.switched(Switch::Lift, lifted.is_ok());
        lifted.map_err(|error| self.settle(error))
    }

    /// Takes in what was answered to what went ahead. An error is BEGIN's; a guard that could not be lifted
    /// is no error yet, because it may not have stood.
    pub(super) fn heard(&mut self, ahead: &Ahead, answers: Answers) -> Result<Option<tokio_postgres::Error>> {
        if let Some(switch) = ahead.switch {
            self.guard.switched(switch, answers.switch.is_ok());
        }
        let missed = answers.switch.err().filter(|_| ahead.switch != Some(Switch::Set));
        match answers.begin {
            Ok(()) => Ok(missed),
            Err(error) => {
                let error = self.settle(error).about("BEGIN");
                if self.state != ConnectionState::Broken {
                    // It may have failed in its last step, with the transaction open and aborted: a rollback is right
                    // either way, and until then nothing may run as if no transaction had been begun.
                    self.state = ConnectionState::Failed;
                }
                Err(error)
            }
        }
    }

    /// Sends a text of Covet's own that belongs to the transaction, in one message with a BEGIN that was held back.
    pub(super) async fn within(&mut self, sql: &str) -> Result<()> {
        match self.held.take() {
            Some(options) => self.simple(&format!("{}; {sql}", self.begin_text(&options))).await,
            None => self.simple(sql).await,
        }
    }

    pub(super) fn begin_text(&self, options: &TransactionOptions) -> Cow<'static, str> {
        self.begin_behind(None, options)
    }

    fn begin_behind(&self, switch: Option<Switch>, options: &TransactionOptions) -> Cow<'static, str> {
        let guarded = switch == Some(Switch::Set) || self.guard.may_stand();
        let begin = match (options.read_only, guarded) {
            (true, _) => "BEGIN READ ONLY",
            (false, true) => "BEGIN READ WRITE",
            (false, false) => "BEGIN",
        };
        if *options == (TransactionOptions { read_only: options.read_only, ..TransactionOptions::DEFAULT }) {
            return begin.into();
        }
        let mut text = begin.to_owned();
        if let Some(isolation) = options.isolation {
            text.push_str(" ISOLATION LEVEL ");
            text.push_str(isolation.sql());
        }
        if options.deferrable {
            text.push_str(" DEFERRABLE");
        }
        // Of one message with BEGIN: should one of them fail, the transaction is aborted and nothing runs in it.
        for (setting, limit) in [("statement", options.statement_timeout), ("lock", options.lock_timeout)] {
            if let Some(limit) = limit {
                text.push_str(&format!("; SET LOCAL {setting}_timeout = {}", limit.as_millis()));
            }
        }
        text.into()
    }

    /// Whether the guard is enough for what a statement does. In a session with traces of raw text it is not: there
    /// may be temporary tables, which a read-only transaction may write to, or another default of the borrower's own.
    fn may_be_guarded(&self, clean: bool) -> bool {
        clean && !self.dirty
    }

    /// Whether the guard is set up with this BEGIN, for the sake of the transactions that follow.
    fn guarding(&mut self, wording: Wording, reuse: Reuse) -> Option<Switch> {
        let clean = wording.is_clean(reuse);
        (!(clean && wording.harmless) && self.may_be_guarded(clean) && self.guard.is_due()).then_some(Switch::Set)
    }

    /// Whether the guard has to be lifted before a statement.
    pub(super) fn lifting(&mut self, wording: Wording, reuse: Reuse) -> Option<Switch> {
        let clean = wording.is_clean(reuse);
        if self.state != ConnectionState::Idle {
            // Raw text may end the transaction, or see and change the setting.
            return (!clean && self.guard.may_stand()).then_some(Switch::LiftWithin);
        }
        if clean && wording.harmless {
            return None;
        }
        self.guard.interrupted();
        self.guard.may_stand().then_some(Switch::Lift)
    }
}

/// The error of a statement that a failed BEGIN did not keep from taking effect.
#[cold]
pub(super) fn alone() -> Error {
    Error::new(
        ErrorKind::CommitUnknown,
        "BEGIN failed, and the server did not refuse the statement behind it: it took effect by itself",
    )
    .with_help("behind a pooler that mixes sessions the connection URL must say statement_cache_size=0")
}
