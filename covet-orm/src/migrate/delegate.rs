//! Runs migrations for the tool, in the program that has their steps in Rust.

use std::path::PathBuf;
use std::time::Duration;

use covet_drivers::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::db::{Db, DbOptions};
use crate::migrate::{Done, Goal, Migrator};

/// The variable of the environment that says what is wanted.
pub(crate) const REQUEST: &str = "COVET_TOOL_MIGRATE";

/// The variable of the environment that says on which database: its URL may hold a password.
pub(crate) const URL: &str = "COVET_TOOL_URL";

/// What the tool wants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Where the migrations are.
    pub(crate) folder: PathBuf,
    /// Back instead of forth.
    pub(crate) back: bool,
    /// So many; all when neither this nor `to` is said.
    pub(crate) count: Option<usize>,
    /// Up to this one.
    pub(crate) to: Option<String>,
    /// Rows of a batch.
    pub(crate) batch: Option<u32>,
    /// Milliseconds between two batches.
    pub(crate) pause: Option<u64>,
}

#[cfg(feature = "cli")]
impl Request {
    /// To go so far.
    pub(crate) fn new(folder: PathBuf, back: bool, goal: Goal<'_>) -> Self {
        let (count, to) = match goal {
            Goal::All => (None, None),
            Goal::Count(count) => (Some(count), None),
            Goal::To(to) => (None, Some(to.to_owned())),
        };
        Request { folder, back, count, to, batch: None, pause: None }
    }
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    done: Vec<Ran>,
    error: Option<Told>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ran {
    id: String,
    name: String,
    statements: usize,
    micros: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Told {
    message: String,
    help: Option<String>,
}

#[cfg(feature = "cli")]
impl Answer {
    /// What was done.
    ///
    /// # Errors
    /// `Migration`: what the program was told by the database, or found wrong.
    pub(crate) fn result(self) -> Result<Vec<Done>> {
        if let Some(told) = self.error {
            let error = Error::new(ErrorKind::Migration, told.message);
            return Err(match told.help {
                Some(help) => error.with_help(help),
                None => error,
            });
        }
        let done = self.done.into_iter().map(|ran| Done {
            id: ran.id,
            name: ran.name,
            statements: ran.statements,
            took: Duration::from_micros(ran.micros),
        });
        Ok(done.collect())
    }
}

/// Does what the environment says. The program may have a runtime already, so this has a thread of its own.
pub(crate) fn answer() -> Answer {
    let ran = std::thread::spawn(|| -> Result<Vec<Done>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::new(ErrorKind::Io, "there is no runtime").with_source(error))?;
        runtime.block_on(run())
    });
    let result = ran.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Migration, "the program panicked")));
    match result {
        Ok(done) => {
            let done = done.into_iter().map(|done| Ran {
                id: done.id,
                name: done.name,
                statements: done.statements,
                micros: u64::try_from(done.took.as_micros()).unwrap_or(u64::MAX),
            });
            Answer { done: done.collect(), error: None }
        }
        Err(error) => {
            let told = Told { message: error.message().to_owned(), help: error.help().map(str::to_owned) };
            Answer { done: Vec::new(), error: Some(told) }
        }
    }
}

async fn run() -> Result<Vec<Done>> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| Error::new(ErrorKind::Migration, format!("the tool has not set {name}")))
    };
    let request: Request = serde_json::from_str(&variable(REQUEST)?).map_err(|error| {
        Error::new(ErrorKind::Migration, "what the tool wants cannot be read")
            .with_help("install the tool in the version that the program uses")
            .with_source(error)
    })?;
    let db = Db::connect_with(&variable(URL)?, DbOptions::new().max_connections(1)).await?;
    let migrator =
        Migrator::from_dir(&request.folder)?.batches(request.batch, request.pause.map(Duration::from_millis));
    let goal = match (request.count, &request.to) {
        (Some(count), _) => Goal::Count(count),
        (None, Some(to)) => Goal::To(to),
        (None, None) => Goal::All,
    };
    let report = if request.back { migrator.down(&db, goal).await } else { migrator.up_to(&db, goal).await };
    db.close();
    Ok(report?.done)
}
