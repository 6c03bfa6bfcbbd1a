//! SQLite: the version that comes bundled, on the caller's thread as long as that is short.
//!
//! # What holds on this database
//! * **Connections.** A database in a file may have any number, reads run side by side (WAL), and
//!   writers of one process take turns in the order in which they came. A database in memory is
//!   exactly one connection.
//! * **Threads.** A statement that is short, by its words and by experience, runs on the thread that
//!   polls its future, for at most 500 µs (`inline_budget`) or 256 rows; it is stopped there and begins
//!   anew on the connection's thread when it turns out to be long. A connection without such statements
//!   has no thread. The time is counted, so that a loop of short statements lets others run.
//! * **The write-ahead log** is copied into the database on the connection's thread, every 1000 pages.
//! * **Waiting for locks** never blocks a thread that runs futures: SQLite itself does not wait, the
//!   statement is sent again after 1 to 4 ms until `busy_timeout` is over. Only a statement that did
//!   nothing yet is ever sent again.
//! * **Dropped futures.** A read stops within 1000 steps of SQLite's machine; a write that began is
//!   never interrupted. The connection stays usable; a transaction whose write was dropped is
//!   [`Failed`](crate::contract::ConnectionState::Failed).
//! * **Isolation** is serializable, always. A transaction begins `IMMEDIATE` unless it is read-only.
//! * **Types** live in `STRICT` tables as INTEGER, REAL, TEXT or BLOB with a CHECK that both guards
//!   the range and says which type is meant: `types.rs`.
//!
//! # URL parameters
//! `sqlite::memory:`, `sqlite:blog.db`, `sqlite://data/blog.db`, `sqlite:///srv/blog.db`, then
//!
//! | parameter | meaning |
//! |---|---|
//! | `mode` | `ro`, `rw` or `rwc` (create when absent; the default) |
//! | `busy_timeout` | milliseconds to wait for a lock, default 5000 |
//! | `journal_mode` | `wal` (the default), `delete`, `truncate`, `persist` or `memory` |
//! | `synchronous` | `full` (the default: a commit outlives a power loss), `normal`, `extra` or `off` |
//! | `foreign_keys` | `on` (the default) or `off` |
//! | `cache_size` | as the pragma: pages, or KiB when negative |
//! | `statement_cache_size` | prepared statements kept by a connection, default 256 |
//! | `inline_budget` | microseconds for which a statement may hold the thread that polls its future, default 500; with 0 every statement runs on its connection's own thread |

mod admin;
mod backup;
mod bulk;
mod checkpoint;
mod codec;
mod connect;
mod connection;
mod ddl;
mod dialect;
mod durable;
mod errors;
mod execute;
mod functions;
mod introspect;
mod kind;
mod landing;
mod lint;
mod maintain;
mod migration;
mod pace;
mod parse;
mod patience;
mod probe;
mod reader;
mod rows;
mod run;
mod runner_lock;
mod seat;
mod session;
mod share;
mod steps;
mod thread;
mod token;
mod transaction;
mod triggers;
mod turns;
mod types;
mod views;
mod watch;

use std::sync::Arc;

use crate::contract::{Adapter, Admin, Backend, BoxFuture, ConnectUrl, Connection, Ddl, Introspect, Probe};
use crate::error::Result;
use crate::lint::Lint;
use crate::render::Dialect;
use crate::sqlite::admin::SqliteAdmin;
use crate::sqlite::checkpoint::Log;
use crate::sqlite::connect::Options;
pub(crate) use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::ddl::SqliteDdl;
use crate::sqlite::dialect::SqliteDialect;
use crate::sqlite::introspect::SqliteIntrospect;
use crate::sqlite::probe::SqliteProbe;
use crate::sqlite::turns::Turns;

/// The adapter for `sqlite:` URLs.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Adapter for Sqlite {
    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &SqliteDdl
    }

    fn admin(&self) -> Option<&'static dyn Admin> {
        Some(&SqliteAdmin)
    }

    fn lint(&self) -> &'static dyn Lint {
        &lint::SqliteLint
    }

    fn open(&self, url: &ConnectUrl) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(SqliteBackend { options: Arc::new(Options::read(url)?), turns: Turns::new(), log: Log::default() }))
    }
}

/// One SQLite database.
#[derive(Debug)]
struct SqliteBackend {
    options: Arc<Options>,
    turns: Turns,
    log: Log,
}

impl Backend for SqliteBackend {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &SqliteDdl
    }

    fn introspect(&self) -> &'static dyn Introspect {
        &SqliteIntrospect
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(if self.options.reads_only() { &SqliteProbe::ReadsOnly } else { &SqliteProbe::Writes })
    }

    fn max_connections(&self) -> Option<usize> {
        self.options.is_memory().then_some(1)
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn target(&self) -> String {
        self.options.target()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async {
            let connection =
                SqliteConnection::open(Arc::clone(&self.options), self.turns.clone(), self.log.clone()).await?;
            Ok(Box::new(connection) as Box<dyn Connection>)
        })
    }
}
