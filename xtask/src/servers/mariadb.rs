//! A private MariaDB server: create, start, reach.

use std::fs::DirBuilder;
use std::path::Path;
use std::process::Command;

use super::account::{Account, untouched};
use super::home::{Home, fits_socket, free_port, secret, write_private};
use super::keeper::{Kept, StopSignal};
use super::programs::{MYSQL_BIN, MYSQLD, Programs};
use super::tls::Certificates;
use super::{Running, retry_start, until_ready};
use crate::Outcome;
use crate::process::capture;

/// Fast rather than durable, small, and deliberately unfriendly: not in UTC, latin1 by default and a
/// lax SQL mode, so that a session or table that forgets to set its own is noticed.
const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--default-time-zone=-05:00",
    "--character-set-server=latin1",
    "--sql-mode=",
    "--max-connections=200",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=8M",
];

/// Creates a data folder with the user `covet` and the database `covet`, and waits until it answers.
pub(super) fn start(programs: &Programs, home: &Home) -> Outcome<Running> {
    let account = Account::choose(&["mysql", "nobody"])?;
    let room = home.room("mariadb", &account)?;
    let data = room.join("data");
    let socket = room.join("mysqld.sock");
    let first = room.join("first.sql");
    let password = secret(12)?;
    fits_socket(&socket)?;
    create(programs, &account, &room, &data)?;
    let certificates = Certificates::make(&programs.openssl, &account, &room)?;
    write_private(&first, &first_statements(&password), &account)?;

    retry_start(|| {
        let port = free_port()?;
        let mut server = account.command(&programs.mysqld);
        server.arg("--no-defaults").args(SETTINGS).arg(format!("--port={port}"));
        for (option, path) in [
            ("datadir", &data),
            ("socket", &socket),
            ("tmpdir", &room.join("tmp")),
            ("pid-file", &room.join("pid")),
            ("init-file", &first),
            ("ssl-cert", &certificates.certificate),
            ("ssl-key", &certificates.key),
        ] {
            server.arg(format!("--{option}={}", path.display()));
        }
        let kept = Kept::start("MariaDB", &server, StopSignal::Term, &room)?;
        // A query rather than a ping, which is content with "access denied".
        let kept = until_ready(kept, || capture(&mut client(programs, port, &password, "SELECT 1")))?;
        let url = format!("mysql://covet:{password}@127.0.0.1:{port}/covet?sslmode=disable");
        Ok(Running {
            kept,
            variables: vec![
                ("COVET_TEST_MYSQL", url),
                ("COVET_TEST_MYSQL_SOCKET", socket.display().to_string()),
                ("COVET_TEST_MYSQL_CA", certificates.authority.display().to_string()),
                (MYSQL_BIN, programs.mysql_bin.display().to_string()),
                (MYSQLD, programs.mysqld.display().to_string()),
            ],
        })
    })
}

fn create(programs: &Programs, account: &Account, room: &Path, data: &Path) -> Outcome {
    let temporary = room.join("tmp");
    DirBuilder::new().create(&temporary).map_err(|error| format!("cannot create {}: {error}", temporary.display()))?;
    account.own(&temporary)?;
    let mut install = account.command(&programs.mysql_bin.join("mariadb-install-db"));
    install.env("TMPDIR", &temporary);
    install.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    // Root gets in by its account over the socket only, never by an empty password over TCP.
    install.args(["--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve"]);
    install.args(["--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]);
    capture(install.current_dir(room)).map(drop)
}

/// The server runs these before it lets anybody in, on each start.
fn first_statements(password: &str) -> String {
    let mut text = String::from("CREATE DATABASE IF NOT EXISTS covet;\n");
    for host in ["%", "localhost"] {
        text.push_str(&format!("CREATE USER IF NOT EXISTS 'covet'@'{host}' IDENTIFIED BY '{password}';\n"));
        text.push_str(&format!("GRANT ALL PRIVILEGES ON *.* TO 'covet'@'{host}' WITH GRANT OPTION;\n"));
    }
    text.push_str("CREATE ROLE IF NOT EXISTS canary WITH ADMIN 'covet'@'%';\n");
    text
}

fn client(programs: &Programs, port: u16, password: &str, sql: &str) -> Command {
    let mut command = Command::new(programs.mysql_bin.join("mariadb"));
    untouched(&mut command);
    command.env("MYSQL_PWD", password);
    command.args([
        "--no-defaults",
        "--protocol=tcp",
        "--host=127.0.0.1",
        "--user=covet",
        "--connect-timeout=5",
        "--batch",
    ]);
    command.arg(format!("--port={port}")).arg(format!("--execute={sql}")).arg("covet");
    command
}
