//! PgBouncer in front of a server: each transaction gets one of few sessions, whoever had it before.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{READY_WITHIN, Server};

/// A pooler. It ends with this value, and with the thread that started it.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    running: Child,
}

impl Server {
    /// Starts a pooler that shares so many sessions of this server among all; `None` where its program is not there.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn pooler(&self, sessions: usize) -> Option<Pooler> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} dbname=postgres user=covet\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {sessions}\nmax_client_conn = 200\nlogfile = {}\n",
            self.port,
            self.folder.path().join("pooler.log").display(),
        );
        let file = self.folder.path().join("pooler.ini");
        std::fs::write(&file, settings).expect("a file can be written");
        let mut pooler = self.command(&program);
        pooler.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let pooler = Pooler { port, running: pooler.spawn().expect("the pooler's program runs") };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("pooler.log")).unwrap_or_default();
            assert!(start.elapsed() < READY_WITHIN, "the pooler does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(pooler)
    }
}

impl Pooler {
    /// The URL that goes through it, as a program has to write it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://covet@127.0.0.1:{}/postgres?sslmode=disable&statement_cache_size=0", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

/// Where whoever starts the servers says that it is, or where Debian puts it.
fn program() -> Option<PathBuf> {
    let said = std::env::var_os("COVET_TEST_PGBOUNCER").map(PathBuf::from);
    said.into_iter().chain([Path::new("/usr/sbin/pgbouncer").to_owned()]).find(|program| program.is_file())
}
