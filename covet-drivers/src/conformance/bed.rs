//! What a case stands on: a fresh database, and how a case runs and fails.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::catalog::Schema;
use crate::conformance::fixture;
use crate::conformance::session::Session;
use crate::contract::{Adapter, Backend, BoxFuture, ConnectUrl, adapter_for};
use crate::error::{Error, Result};

/// A fresh empty database.
pub struct Setup {
    url: String,
    cleanup: Option<BoxFuture<'static, ()>>,
}

impl Setup {
    /// The database at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Setup { url: url.into(), cleanup: None }
    }

    /// What to do when the case has ended, however it ended. What the future holds lives until then.
    #[must_use]
    pub fn with_cleanup(mut self, cleanup: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cleanup = Some(Box::pin(cleanup));
        self
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Setup")
    }
}

/// What a case gives.
pub type Outcome = std::result::Result<(), Failure>;

/// Why a case failed, and where.
pub struct Failure(String);

impl Failure {
    /// A failure with these words.
    #[track_caller]
    pub fn new(words: impl fmt::Display) -> Self {
        Failure(format!("{words}\n  at {}", Location::caller()))
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Failure::new(format_args!("{error}\n  {error:?}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs one case on a fresh database, and cleans up whatever happens.
///
/// # Errors
/// That of the case.
pub fn run<F>(setup: BoxFuture<'static, Result<Option<Setup>>>, case: F) -> Outcome
where
    F: for<'a> FnOnce(&'a Bed) -> BoxFuture<'a, Outcome>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::new)?;
    runtime.block_on(async {
        let Some(setup) = setup.await? else {
            eprintln!("LEFT OUT: there is no database to test against");
            return Ok(());
        };
        let bed = Bed::new(setup.url);
        let outcome = match &bed {
            Ok(bed) => AssertUnwindSafe(tokio::time::timeout(PATIENCE, case(bed))).catch_unwind().await,
            Err(error) => Ok(Ok(Err(error.again().into()))),
        };
        drop(bed);
        if let Some(cleanup) = setup.cleanup {
            cleanup.await;
        }
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::new(format_args!("the case did not end within {PATIENCE:?}"))),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// The database of one case.
pub struct Bed {
    /// The URL, as the set-up gave it.
    pub(crate) text: String,
    /// The URL, taken apart.
    pub(crate) url: ConnectUrl,
    /// The adapter that answers to the URL's scheme.
    pub(crate) adapter: &'static dyn Adapter,
    /// The database.
    pub(crate) backend: Arc<dyn Backend>,
}

impl Bed {
    fn new(text: String) -> Result<Self> {
        let url: ConnectUrl = text.parse()?;
        let adapter = adapter_for(url.scheme())?;
        let backend = adapter.open(&url)?;
        Ok(Bed { text, url, adapter, backend })
    }

    /// The URL with one more parameter.
    pub(crate) fn url_with(&self, parameter: &str) -> String {
        let mark = if self.text.contains('?') { '&' } else { '?' };
        format!("{}{mark}{parameter}", self.text)
    }

    /// A new session.
    pub(crate) async fn connect(&self) -> Result<Session> {
        Ok(Session::new(Arc::clone(&self.backend), self.backend.connect().await?))
    }

    /// A new session on a database with the tables of [`fixture::base`], which are made when they are
    /// not there: a database that is as short-lived as its session has them too.
    pub(crate) async fn ready(&self) -> std::result::Result<Session, Failure> {
        let mut session = self.connect().await?;
        if session.schema().await? == Schema::default() {
            session.make(&fixture::base()).await?;
            session.exec(fixture::insert("one", &["id"], [vec![fixture::int(1)]])).await?;
        }
        Ok(session)
    }

    /// Two sessions on the tables of [`fixture::base`]; `None` where there can be only one.
    pub(crate) async fn pair(&self) -> std::result::Result<Option<(Session, Session)>, Failure> {
        let one = self.ready().await?;
        if !one.capabilities().many_connections {
            left_out("several sessions with one database");
            return Ok(None);
        }
        Ok(Some((one, self.connect().await?)))
    }
}

impl fmt::Debug for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bed({})", self.backend.target())
    }
}

/// Says what a case does not ask of this database.
pub(crate) fn left_out(what: impl fmt::Display) {
    eprintln!("LEFT OUT: {what}");
}
