//! MySQL and MariaDB: one dialect, named `mysql`, for both products.
//!
//! What differs between them is decided by the server's product and version when a session opens
//! (`server.rs`): `RETURNING` (MariaDB, on insert and delete), the name of the collation that
//! compares by code point (`utf8mb4_nopad_bin` on MariaDB, `utf8mb4_0900_bin` on MySQL), the
//! statement time limit (`max_statement_time` on MariaDB; `max_execution_time` on MySQL, which
//! holds for `SELECT` only), and `SIMULTANEOUS_ASSIGNMENT` (MariaDB only: on MySQL an assignment of
//! an `UPDATE` sees the new values of those before it).
//!
//! # URL
//! `mysql://user:password@host:port/database?parameter=value` (or `mariadb://`), with
//!
//! | parameter | meaning |
//! |---|---|
//! | `sslmode` (or `ssl-mode` in MySQL's words) | how much TLS is insisted on; see [`SslMode`](crate::tls::SslMode) |
//! | `insecure` | what the connection may go without over a network: `plaintext`, `any-certificate`; see [`Insecure`](crate::tls::Insecure) |
//! | `sslrootcert` (`ssl-ca`) | file of authorities to trust instead of the built-in ones |
//! | `sslcert`, `sslkey` (`ssl-cert`, `ssl-key`) | files of the client's certificate and key |
//! | `socket` | path of a socket, instead of the host |
//! | `connect_timeout` | seconds until a connection attempt ends; 10 where nothing is said |
//! | `charset` | `utf8mb4` and nothing else |
//! | `statement_timeout` | milliseconds a statement may take; MySQL: a `SELECT` only |
//! | `lock_timeout` | milliseconds to wait for a lock, rounded up to seconds |
//! | `statement_cache_size` | prepared statements kept on a connection; 256 where nothing is said |
//! | `application_name` | sent as the connection attribute `program_name` |
//!
//! # Sessions
//! UTC, `utf8mb4`, strict modes, affected rows counted as found rows. `0` in an `AUTO_INCREMENT`
//! column is stored as 0.
//!
//! # Transactions
//! DDL commits what is open, on the server's side: the connection follows the status flags that
//! the server sends. Errors 1213 and 1020 end the transaction; after 1205 it is
//! [`Failed`](crate::contract::ConnectionState::Failed), although the server would go on.
//!
//! # Branches of distributed transactions
//! By XA. A branch is bound to its session: while it is prepared the session says
//! [`Broken`](crate::contract::ConnectionState::Broken) and takes nothing but its end, and another
//! session can end it only when that one has gone. In a branch the server refuses DDL, `LOCK TABLES`
//! and whatever else would commit on the way.
//!
//! # Upserts
//! The unique key that is meant cannot be said: a conflict with any key of the table counts. An
//! upsert that keeps the row counts 0 when it is about one row; of several rows the server does not
//! tell how many were kept, and all of them count. With `RETURNING` (MariaDB) a row that is kept is
//! given back and counts too.
//!
//! # Types
//! Dates from 0001-01-01 to 9999-12-31; floats are finite. A decimal is compared and computed with
//! exactly, because its placeholder is sent inside a `CAST`. Blanks at the end of a text that go
//! beyond the length of its `varchar` are cut off by the server, as the SQL standard has it. What the
//! database's types do not say is kept in the column's comment: `utc` for a timestamp, `enum` and its
//! name for an enum.

mod admin;
mod bulk;
mod cache;
mod caught;
mod codec;
mod connect;
mod connection;
mod ddl;
mod defaults;
mod dialect;
mod errors;
mod exact;
mod introspect;
mod leaving;
mod lint;
mod numbered;
mod objects;
mod probe;
mod raw;
mod reaper;
mod run;
mod server;
mod session;
mod transaction;
mod two_phase;
mod types;
mod unmodelled;

use std::sync::Arc;

use crate::contract::{Adapter, Admin, Backend, BoxFuture, ConnectUrl, Connection, Ddl, Introspect, Probe};
use crate::error::Result;
use crate::lint::Lint;
use crate::mysql::admin::MySqlAdmin;
use crate::render::Dialect;

pub use connection::MySqlConnection;
pub use ddl::MySqlDdl;
pub use dialect::MySqlDialect;
pub use introspect::MySqlIntrospect;
pub use probe::MySqlProbe;

/// The adapter for MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub struct MySql;

impl Adapter for MySql {
    fn schemes(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &MySqlDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &MySqlDdl
    }

    fn admin(&self) -> Option<&'static dyn Admin> {
        Some(&MySqlAdmin)
    }

    fn lint(&self) -> &'static dyn Lint {
        &lint::MySqlLint
    }

    fn open(&self, url: &ConnectUrl) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(MySqlBackend { options: connect::Options::read(url)? }))
    }
}

/// One MySQL or MariaDB database.
#[derive(Debug)]
pub struct MySqlBackend {
    options: connect::Options,
}

impl Backend for MySqlBackend {
    fn dialect(&self) -> &'static dyn Dialect {
        &MySqlDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &MySqlDdl
    }

    fn introspect(&self) -> &'static dyn Introspect {
        &MySqlIntrospect
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(&MySqlProbe)
    }

    fn max_connections(&self) -> Option<usize> {
        None
    }

    fn target(&self) -> String {
        self.options.target.clone()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async { Ok(Box::new(self.options.connect().await?) as Box<dyn Connection>) })
    }
}
