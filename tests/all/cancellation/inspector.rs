//! Looks at the database from outside, on a connection of its own, and at the pool from inside.

use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::TransactionOptions;
use covet_drivers::contract::{Command, ConnectionState, Flow, Reuse, Row};
use covet_drivers::pool::Lease;
use covet_drivers::value::Value;
use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::session::number;
use covet_tests::{Kind, TestDb};

/// How long the pool may take to lend every connection again, and the server to notice that
/// sessions are gone. A connection that is lost is so for good, so a busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is found wrong.
pub(crate) type Finding = Result<(), String>;

pub(crate) struct Inspector {
    kind: Kind,
    lease: Lease,
    number: u32,
}

impl Inspector {
    /// Closes the pool of the harness: what it keeps idle would go by itself in the middle of a long
    /// sweep, and be counted as missing. From here on the sessions are the inspector's and those of
    /// the pool that is looked at.
    pub(crate) async fn open(db: &TestDb) -> Result<Self, String> {
        let mut inspector = Self::connect(db).await.map_err(|error| error.to_string())?;
        db.close();
        inspector.nothing_left(0).await?;
        Ok(inspector)
    }

    async fn connect(db: &TestDb) -> covet_orm::Result<Self> {
        let url = match db.kind() {
            Kind::Sqlite => format!("{}?busy_timeout=0", db.url()),
            Kind::Postgres | Kind::Mysql => db.url().to_owned(),
        };
        let own = Db::connect_with(&url, DbOptions::new().max_connections(1)).await?;
        Ok(Inspector { kind: db.kind(), lease: own.acquire().await?, number: 0 })
    }

    /// The name that the next rows begin with.
    pub(crate) fn batch(&mut self) -> String {
        self.number += 1;
        format!("t{}-", self.number)
    }

    /// Checks that the pool lends so many connections, that each is clean, and that nothing else is left.
    pub(crate) async fn check(&mut self, db: &Db, slots: usize) -> Finding {
        let all = futures_util::future::try_join_all((0..slots).map(|_| db.acquire()));
        let mut leases = match tokio::time::timeout(PATIENCE, all).await {
            Ok(Ok(leases)) => leases,
            Ok(Err(error)) => return Err(format!("the pool does not lend: {error}")),
            Err(_) => return Err(format!("{slots} connections are not lent in time: {:?}", db.pool_status())),
        };
        for (slot, lease) in leases.iter_mut().enumerate() {
            self.borrow(slot, lease).await?;
        }
        let slots = i64::try_from(slots).unwrap_or(i64::MAX);
        self.nothing_left(slots).await
    }

    /// Waits until nothing is there beside so many connections of the pool.
    async fn nothing_left(&mut self, slots: i64) -> Finding {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.leftovers(slots).await.map_err(|error| error.to_string())? {
                None => return Ok(()),
                Some(what) if Instant::now() > end => return Err(what),
                Some(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    /// How many rows of a batch are there.
    pub(crate) async fn rows(&mut self, batch: &str) -> covet_orm::Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM settings WHERE name LIKE '{batch}%'");
        number(&mut self.lease, &sql).await.map(i64::unsigned_abs)
    }

    /// Removes the rows of a batch.
    pub(crate) async fn remove(&mut self, batch: &str) -> covet_orm::Result<()> {
        self.lease.script(&format!("DELETE FROM settings WHERE name LIKE '{batch}%'")).await
    }

    /// Checks that no transaction is open in the whole server (MySQL tells only every 0.1 s).
    pub(crate) async fn no_transactions(&mut self) -> Finding {
        if self.kind != Kind::Mysql {
            return Ok(());
        }
        let sql = "SELECT COUNT(*) FROM information_schema.INNODB_TRX AS t JOIN information_schema.PROCESSLIST AS p \
                   ON p.ID = t.trx_mysql_thread_id WHERE p.DB = DATABASE() AND p.ID <> CONNECTION_ID()";
        tokio::time::sleep(Duration::from_millis(120)).await;
        match number(&mut self.lease, sql).await {
            Ok(0) => Ok(()),
            other => Err(format!("open transactions: {other:?}")),
        }
    }

    /// As the next borrower would: asks for what nobody else could have asked for, and writes what
    /// others must see at once.
    async fn borrow(&mut self, slot: usize, lease: &mut Lease) -> Finding {
        if lease.state() != ConnectionState::Idle {
            return Err(format!("a connection is lent that is {:?}", lease.state()));
        }
        self.number += 1;
        let nonce = format!("n{}", self.number);
        let (ask, write) = match self.kind {
            Kind::Postgres => ("SELECT $1::text", "UPDATE settings SET value = $1 WHERE name = $2"),
            _ => ("SELECT ?", "UPDATE settings SET value = ? WHERE name = ?"),
        };
        let failed = |error| format!("the next borrower gets an error: {error}");
        let got = text(lease, ask, &[&Value::Text(nonce.clone())]).await.map_err(failed)?;
        if got.as_deref() != Some(&nonce) {
            return Err(format!("the next borrower asks for {nonce} and gets {got:?}"));
        }
        let name = Value::Text(format!("zz{slot}"));
        text(lease, write, &[&Value::Text(nonce.clone()), &name]).await.map_err(failed)?;
        let read = format!("SELECT value FROM settings WHERE name = 'zz{slot}'");
        let seen = text(&mut self.lease, &read, &[]).await.map_err(|error| error.to_string())?;
        if seen.as_deref() != Some(&nonce) {
            return Err(format!("what the next borrower writes is seen by nobody: {seen:?} and not {nonce}"));
        }
        Ok(())
    }

    /// What is there that should be gone.
    async fn leftovers(&mut self, slots: i64) -> covet_orm::Result<Option<String>> {
        match self.kind {
            Kind::Sqlite => {
                return match self.lease.begin(&TransactionOptions::default()).await {
                    Ok(()) => self.lease.rollback().await.map(|()| None),
                    Err(error) if error.kind() == ErrorKind::LockTimeout => {
                        Ok(Some(format!("a lock is held: {error}")))
                    }
                    Err(error) => Err(error),
                };
            }
            Kind::Postgres => {
                let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                           AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
                let open = number(&mut self.lease, sql).await?;
                if open > 0 {
                    return Ok(Some(format!("{open} transactions are open")));
                }
            }
            Kind::Mysql => {}
        }
        let sessions = self.sessions().await?;
        let wanted = 1 + slots;
        Ok((sessions != wanted).then(|| format!("{sessions} sessions, and {wanted} are known")))
    }

    async fn sessions(&mut self) -> covet_orm::Result<i64> {
        let sql = match self.kind {
            Kind::Sqlite => return Ok(0),
            Kind::Postgres => {
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND backend_type = 'client backend'"
            }
            Kind::Mysql => "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()",
        };
        number(&mut self.lease, sql).await
    }
}

async fn text(lease: &mut Lease, sql: &str, args: &[&Value]) -> covet_orm::Result<Option<String>> {
    let mut found = None;
    let mut sink = |row: &mut Row<'_>| {
        found = Some(row.get(0, &ColumnType::Text { max_len: None })?);
        Ok(Flow::Continue)
    };
    lease.run(Command { sql, args, reuse: Reuse::Keep }, &mut sink).await?;
    Ok(found)
}
