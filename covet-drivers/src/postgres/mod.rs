//! PostgreSQL 13 and later, over tokio-postgres.
//!
//! URL: `postgres://user:password@host:port/database?parameter=value`, or `postgresql://…`. Without a
//! host it is `localhost`; a host that begins with `/` (`postgres:///db?host=/run/postgresql`) is the folder
//! of a socket.
//!
//! | parameter | means | default |
//! |---|---|---|
//! | `user`, `password`, `dbname`, `host`, `port` | what the URL leaves out; `host` and `port` may be lists with commas | |
//! | `sslmode` | `disable`, `require`, `verify-ca`, `verify-full`; see [`SslMode`](crate::tls::SslMode) | `verify-full` over a network, `disable` on this machine |
//! | `insecure` | what the connection may go without over a network: `plaintext`, `any-certificate`; see [`Insecure`](crate::tls::Insecure) | nothing |
//! | `sslrootcert`, `sslcert`, `sslkey` | PEM files: trusted authorities, own certificate, its key | public authorities |
//! | `channel_binding` | `disable`, `prefer`, `require` | `prefer` |
//! | `connect_timeout` | seconds for the whole of connecting | 10 |
//! | `application_name` | shown by the server | `covet` |
//! | `options` | options of the server process (`-c name=value`) | |
//! | `schema` or `search_path` | one schema, or a list of them with commas | the server's |
//! | `statement_timeout`, `lock_timeout`, `idle_in_transaction_session_timeout` | milliseconds | the server's |
//! | `statement_cache_size` | prepared statements kept on a connection; 0 behind a pooler that mixes sessions, where each statement then stands in a transaction | 256 |
//! | `keepalives`, `keepalives_idle`, `keepalives_interval`, `keepalives_retries`, `tcp_user_timeout` | on or off; seconds, seconds, number, milliseconds | on, 60, 15, 4, 30000 |
//! | `target_session_attrs` | `any`, `read-write`, `read-only` | `any` |
//! | `load_balance_hosts` | `disable`, `random` | `disable` |
//!
//! Sessions have the time zone UTC. `docs/types.md` says how each type is stored.

mod admin;
mod bulk;
mod cache;
mod codec;
mod connect;
mod connection;
mod ddl;
mod dialect;
mod errors;
mod guard;
mod introspect;
mod link;
mod lint;
mod listen;
mod objects;
mod opening;
mod pooled;
mod probe;
mod run;
mod session;
mod two_phase;
mod types;
mod unmodelled;
mod wording;

use std::fmt;
use std::sync::Arc;

pub use connection::PostgresConnection;
pub use ddl::PostgresDdl;
pub use dialect::PostgresDialect;
pub use introspect::PostgresIntrospect;
pub use probe::PostgresProbe;

use crate::contract::{
    Adapter, Admin, Backend, BoxFuture, ConnectUrl, Connection, Ddl, Introspect, Notifications, Probe,
};
use crate::error::Result;
use crate::lint::Lint;
use crate::postgres::admin::PostgresAdmin;
use crate::postgres::connect::Target;
use crate::render::Dialect;

/// The adapter for `postgres:` and `postgresql:`.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

impl Adapter for Postgres {
    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &PostgresDdl
    }

    fn admin(&self) -> Option<&'static dyn Admin> {
        Some(&PostgresAdmin)
    }

    fn lint(&self) -> &'static dyn Lint {
        &lint::PostgresLint
    }

    fn open(&self, url: &ConnectUrl) -> Result<Arc<dyn Backend>> {
        PostgresBackend::open(url).map(|backend| Arc::new(backend) as Arc<dyn Backend>)
    }
}

/// One PostgreSQL database.
pub struct PostgresBackend {
    target: Target,
}

impl PostgresBackend {
    /// The database that the URL names. Connects to nothing.
    ///
    /// # Errors
    /// `Config` for a parameter that is unknown or malformed, and for certificate files that cannot be used.
    pub fn open(url: &ConnectUrl) -> Result<Self> {
        Target::of(url).map(|target| PostgresBackend { target })
    }

    /// Opens a session and sets it up.
    ///
    /// # Errors
    /// Those of [`Backend::connect`].
    pub async fn connect(&self) -> Result<PostgresConnection> {
        PostgresConnection::open(&self.target).await
    }

    fn target(&self) -> &Target {
        &self.target
    }
}

impl Backend for PostgresBackend {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &PostgresDdl
    }

    fn introspect(&self) -> &'static dyn Introspect {
        &PostgresIntrospect
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(&PostgresProbe)
    }

    fn notifications(&self) -> Option<&dyn Notifications> {
        Some(self)
    }

    fn max_connections(&self) -> Option<usize> {
        None
    }

    fn target(&self) -> String {
        self.target.shown().to_owned()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let connection = self.connect().await?;
            Ok(Box::new(connection) as Box<dyn Connection>)
        })
    }
}

impl fmt::Debug for PostgresBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresBackend({})", self.target.shown())
    }
}
