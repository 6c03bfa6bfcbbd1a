//! A server of one test's own, that it may stop, freeze and configure.

mod disk;
mod pooler;

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use covet_drivers::contract::{ConnectUrl, adapter_for};
use covet_orm::{Db, DbOptions};

use crate::harness::{Kind, Outcome};

pub use disk::SmallDisk;
pub use pooler::Pooler;

/// A PostgreSQL or MariaDB server in a temporary folder. It ends with this value, and with the thread that started it.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    folder: tempfile::TempDir,
    account: Option<(u32, u32)>,
    port: u16,
    settings: Vec<String>,
    running: Option<Child>,
}

/// How long a server may take to start.
const READY_WITHIN: Duration = Duration::from_secs(60);

impl Server {
    /// A new server with settings of its own (`max_connections=5`); `None` where its programs are not there.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(kind: Kind, settings: &[&str]) -> Option<Server> {
        Self::start_in(&std::env::temp_dir(), kind, settings)
    }

    /// The same with its files on a disk. The folder for temporary files may lie in memory, where MariaDB maps its log and
    /// so has nothing that a kill could lose.
    ///
    /// # Panics
    /// As [`start`](Server::start).
    #[must_use]
    pub fn start_on_disk(kind: Kind, settings: &[&str]) -> Option<Server> {
        Self::start_in(Path::new("/var/tmp"), kind, settings)
    }

    fn start_in(place: &Path, kind: Kind, settings: &[&str]) -> Option<Server> {
        let mut server = Self::prepare(place, kind, settings)?;
        server.create();
        server.up();
        server.wait_until_ready();
        Some(server)
    }

    /// A new server that follows this one, which must write a binary log where it is MariaDB. It takes no writes.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn follower(&self, settings: &[&str]) -> Server {
        let mut follower =
            Self::prepare(&std::env::temp_dir(), self.kind, settings).expect("this one has its programs");
        if self.kind == Kind::Postgres {
            let mut copy =
                follower.command(&tools(self.kind).expect("this one has its programs").join("pg_basebackup"));
            copy.args([
                "--host=127.0.0.1",
                "--username=covet",
                "--checkpoint=fast",
                "--no-sync",
                "--write-recovery-conf",
            ]);
            copy.arg(format!("--port={}", self.port)).arg("--pgdata").arg(follower.data());
            finish(copy);
            follower.up();
            follower.wait_until_ready();
            follower.lets_in().await;
        } else {
            follower.create();
            follower.settings.push("read_only=1".to_owned());
            follower.up();
            follower.wait_until_ready();
            let begin = format!(
                "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'boss', \
                 MASTER_PASSWORD = 'boss', MASTER_USE_GTID = slave_pos",
                self.port
            );
            follower.administer(&[&begin, "START SLAVE"]).await;
        }
        follower
    }

    /// It follows nobody any more, and takes writes.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn promote(&self) {
        match self.kind {
            Kind::Postgres => self.administer(&["SELECT pg_promote()"]).await,
            _ => self.administer(&["STOP SLAVE", "SET GLOBAL read_only = 0"]).await,
        }
    }

    /// Runs statements as somebody who may do everything.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn administer(&self, statements: &[&str]) {
        let url = self.url().replace("covet:covet@", "boss:boss@");
        let db = Db::connect_with(&url, DbOptions::new().max_connections(1)).await.expect("the server answers");
        let mut connection = db.acquire().await.expect("a connection");
        for sql in statements {
            connection.script(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }

    fn prepare(place: &Path, kind: Kind, settings: &[&str]) -> Option<Server> {
        tools(kind)?;
        let account = account(if kind == Kind::Postgres { "postgres" } else { "mysql" });
        let folder = tempfile::Builder::new().prefix("covet-own-").tempdir_in(place).expect("a temporary folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("a folder of its own");
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid)).expect("root may give a folder away");
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Some(Server { kind, folder, account, port, settings, running: None })
    }

    /// The URL of its database.
    #[must_use]
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://covet@127.0.0.1:{}/postgres?sslmode=disable", self.port),
            _ => format!("mysql://covet:covet@127.0.0.1:{}/covet?sslmode=disable", self.port),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn create(&self) {
        let tools = tools(self.kind).unwrap_or_default();
        let create = match self.kind {
            Kind::Postgres => {
                let mut create = self.command(&tools.join("initdb"));
                create.arg("--pgdata").arg(self.data());
                create.args(["--username=covet", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
                create
            }
            _ => {
                std::fs::write(self.folder.path().join("first.sql"), FIRST).expect("a file can be written");
                let mut create = self.command(&tools.join("mariadb-install-db"));
                create.arg("--no-defaults").arg(format!("--datadir={}", self.data().display()));
                create.args(["--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve"]);
                create.args(["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"]);
                create
            }
        };
        finish(create);
    }

    /// Starts it, again if it was stopped; it may not answer at once.
    ///
    /// # Panics
    /// When its program does not run.
    pub fn up(&mut self) {
        let mut server = match self.kind {
            Kind::Postgres => {
                let mut server = self.command(&tools(self.kind).unwrap_or_default().join("postgres"));
                server
                    .arg("-D")
                    .arg(self.data())
                    .arg("-p")
                    .arg(self.port.to_string())
                    .arg("-k")
                    .arg(self.folder.path());
                for setting in [
                    "fsync=off",
                    "shared_buffers=16MB",
                    "listen_addresses=127.0.0.1",
                    "superuser_reserved_connections=0",
                ]
                .into_iter()
                .chain(self.settings.iter().map(String::as_str))
                {
                    server.arg("-c").arg(setting);
                }
                server
            }
            _ => {
                let program = std::env::var_os("COVET_TEST_MYSQLD").map_or_else(|| "mariadbd".into(), PathBuf::from);
                let mut server = self.command(&program);
                server.arg("--no-defaults").arg(format!("--datadir={}", self.data().display()));
                server.arg(format!("--port={}", self.port));
                server.arg(format!("--socket={}", self.folder.path().join("s").display()));
                server.arg(format!("--pid-file={}", self.folder.path().join("pid").display()));
                server.arg(format!("--init-file={}", self.folder.path().join("first.sql").display()));
                server.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=16M"]);
                server.args(["--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0"]);
                server.args(self.settings.iter().map(|setting| format!("--{setting}")));
                server
            }
        };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"));
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("a log"));
        self.running = Some(server.spawn().expect("the server's program runs"));
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        while !self.accepts() {
            let ended =
                self.running.as_mut().is_none_or(|server| server.try_wait().is_ok_and(|status| status.is_some()));
            assert!(!ended && start.elapsed() < READY_WITHIN, "the server does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether somebody listens.
    #[must_use]
    pub fn accepts(&self) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Waits until it lets somebody in, without a pool, and gives the time: somebody may listen before.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn lets_in(&self) -> Instant {
        let url: ConnectUrl = self.url().parse().expect("a URL");
        let backend = adapter_for(url.scheme()).and_then(|adapter| adapter.open(&url)).expect("an adapter for the URL");
        let start = Instant::now();
        loop {
            if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_millis(500), backend.connect()).await {
                return Instant::now();
            }
            assert!(start.elapsed() < READY_WITHIN, "the server does not come back:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Whether it is a MariaDB whose log is a part of its memory, and so has nothing to write that a kill could lose.
    #[must_use]
    pub fn maps_its_log(&self) -> bool {
        std::fs::read(self.folder.path().join("log"))
            .is_ok_and(|log| String::from_utf8_lossy(&log).contains("(memory-mapped)"))
    }

    /// Stops it as an administrator does who does not wait for clients.
    pub fn down(&mut self) {
        let signal = if self.kind == Kind::Postgres { "INT" } else { "TERM" };
        self.end(signal);
    }

    /// Kills it, and leaves to the processes that it has started to notice.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Kills it with everything that it has started, in one moment: no process of it lives on to write what it still
    /// holds. It can be started again at once.
    ///
    /// # Panics
    /// When a process of it does not end.
    pub fn crash(&mut self) {
        let Some(mut server) = self.running.take() else { return };
        // Stopped, it starts nothing between the look at its processes and their end.
        send("STOP", &[server.id()]);
        until("the server stops", || state(server.id()) == Some('T'));
        let started = children(server.id());
        send("KILL", &[&[server.id()], started.as_slice()].concat());
        server.wait().expect("the server was started here");
        // Whoever inherits them may be slow to collect them; a zombie holds nothing.
        until("the server's processes end", || started.iter().all(|id| matches!(state(*id), None | Some('Z'))));
        // They name processes that are gone, and their numbers may be given to others.
        for file in
            [self.data().join("postmaster.pid"), self.folder.path().join(format!(".s.PGSQL.{}.lock", self.port))]
        {
            let _ = std::fs::remove_file(file);
        }
    }

    fn end(&mut self, signal: &str) {
        let Some(mut server) = self.running.take() else { return };
        send(signal, &[server.id()]);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if server.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = server.kill();
        let _ = server.wait();
    }

    /// It hears and says nothing any more, and its connections stay open.
    ///
    /// # Panics
    /// When it goes on.
    pub fn freeze(&self) {
        self.all("STOP");
        // The signal has been sent, and a thread may answer somebody before it arrives there.
        until("the server stops", || self.processes().iter().all(|process| is_stopped(*process)));
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.all("CONT");
    }

    /// Sends a signal to the server and to the processes that it has started.
    fn all(&self, signal: &str) {
        send(signal, &self.processes());
    }

    /// The server and the processes that it has started.
    fn processes(&self) -> Vec<u32> {
        let running = self.running.iter().map(Child::id);
        running.flat_map(|server| std::iter::once(server).chain(children(server))).collect()
    }

    /// A command that runs as the server's account and ends with the thread that starts it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some((uid, gid)) = self.account {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
        }
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["PG", "MYSQL", "MARIADB", "LC_", "LANGUAGE"].iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        // A MariaDB that starts clears the temporary files of others out of a folder that it shares with them.
        command.env("LC_ALL", "C").env("TMPDIR", self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        self.end(if self.kind == Kind::Postgres { "QUIT" } else { "KILL" });
    }
}

/// Runs on a server of its own; without its programs there is nothing to do, as without the shared servers.
///
/// # Panics
/// When the case fails, and when the programs are not there although they must be.
pub fn with_server(kind: Kind, settings: &[&str], case: impl AsyncFnOnce(&mut Server) -> Outcome) {
    let Some(mut server) = Server::start(kind, settings) else {
        let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.contains(kind.name()), "the programs of {} are not there", kind.name());
        return;
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let run = async {
        // Somebody listens, and may not let anybody in yet.
        server.lets_in().await;
        case(&mut server).await
    };
    runtime.block_on(run).unwrap_or_else(|error| panic!("on {}: {error}\n{error:?}", kind.name()));
}

/// What MariaDB runs before it lets anybody in, on each start.
const FIRST: &str = "CREATE DATABASE IF NOT EXISTS covet;\n\
    CREATE USER IF NOT EXISTS 'covet'@'%' IDENTIFIED BY 'covet';\n\
    GRANT ALL PRIVILEGES ON covet.* TO 'covet'@'%';\n\
    GRANT ALL PRIVILEGES ON `covet\\_%`.* TO 'covet'@'%';\n\
    GRANT SLAVE MONITOR ON *.* TO 'covet'@'%';\n\
    CREATE USER IF NOT EXISTS 'boss'@'%' IDENTIFIED BY 'boss';\n\
    GRANT ALL PRIVILEGES ON *.* TO 'boss'@'%';\n";

/// The folder of the server's programs, as whoever starts the servers of the other tests says.
fn tools(kind: Kind) -> Option<PathBuf> {
    let variable = match kind {
        Kind::Postgres => "COVET_TEST_PG_BIN",
        Kind::Mysql => "COVET_TEST_MYSQL_BIN",
        Kind::Sqlite => return None,
    };
    std::env::var_os(variable).map(PathBuf::from)
}

fn finish(mut command: Command) {
    let output = command.output().expect("the server's tools run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The processes that a process has started.
fn children(id: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Whether every thread of a process has been stopped by a signal, or has ended.
fn is_stopped(id: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else { return true };
    threads.flatten().all(|thread| letter(&thread.path()).is_none_or(|letter| matches!(letter, 'T' | 'Z' | 'X')))
}

/// What a process does, as a letter of the kernel's; `None` when it is gone.
fn state(id: u32) -> Option<char> {
    letter(Path::new(&format!("/proc/{id}")))
}

fn letter(folder: &Path) -> Option<char> {
    let text = std::fs::read_to_string(folder.join("stat")).ok()?;
    // The program's name stands before it in parentheses, and may hold anything.
    text.rsplit_once(") ")?.1.chars().next()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn send(signal: &str, to: &[u32]) {
    let ids = to.iter().map(u32::to_string);
    // A process that has ended meanwhile is no failure.
    let _ = Command::new("kill").arg(format!("-{signal}")).args(ids).stderr(Stdio::null()).status();
}

/// The account that the server runs as, when we are root: the servers refuse root.
fn account(name: &str) -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    id(&["-u", name]).zip(id(&["-g", name])).or_else(|| id(&["-u", "nobody"]).zip(id(&["-g", "nobody"])))
}
