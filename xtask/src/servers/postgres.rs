//! A private PostgreSQL server: create, start, reach.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::account::{Account, untouched};
use super::home::{Home, fits_socket, free_port, secret, write_private};
use super::keeper::{Kept, StopSignal};
use super::programs::{PG_BIN, PGBOUNCER, Programs};
use super::tls::Certificates;
use super::{Running, retry_start, until_ready};
use crate::Outcome;
use crate::process::capture;

/// Fast rather than durable, small, and deliberately not in UTC: a session that forgets to set its
/// time zone must be noticed.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 200
max_prepared_transactions = 20
shared_buffers = '64MB'
wal_level = logical
ssl = on
max_wal_size = '256MB'
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'America/New_York'
log_line_prefix = '%m [%p] %q%u@%d '
";

/// Creates a cluster with the superuser `covet` and the database `covet`, and waits until it answers.
pub(super) fn start(programs: &Programs, home: &Home) -> Outcome<Running> {
    let account = Account::choose(&["postgres", "nobody"])?;
    let room = home.room("postgres", &account)?;
    let data = room.join("data");
    let password = secret(12)?;
    create(programs, &account, &room, &data, &password)?;
    let certificates = Certificates::make(&programs.openssl, &account, &room)?;
    configure(&data, &room, &certificates)?;

    retry_start(|| {
        let port = free_port()?;
        fits_socket(&room.join(format!(".s.PGSQL.{port}")))?;
        let mut server = account.command(&programs.pg_bin.join("postgres"));
        server.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        let kept = Kept::start("PostgreSQL", &server, StopSignal::Int, &room)?;
        // A query rather than pg_isready: it proves the account and its password too.
        let psql = |database: &str, sql: &str| capture(&mut psql(programs, port, &password, database, sql));
        let kept = until_ready(kept, || psql("postgres", "SELECT 1"))?;
        psql("postgres", "CREATE DATABASE covet")?;
        let url = format!("postgres://covet:{password}@127.0.0.1:{port}/covet?sslmode=disable");
        Ok(Running {
            kept,
            variables: vec![
                ("COVET_TEST_POSTGRES", url),
                ("COVET_TEST_POSTGRES_SOCKET", room.display().to_string()),
                ("COVET_TEST_POSTGRES_CA", certificates.authority.display().to_string()),
                (PG_BIN, programs.pg_bin.display().to_string()),
                (PGBOUNCER, programs.pgbouncer.display().to_string()),
            ],
        })
    })
}

fn create(programs: &Programs, account: &Account, room: &Path, data: &Path, password: &str) -> Outcome {
    let secret = room.join("password");
    write_private(&secret, password, account)?;
    let mut initdb = account.command(&programs.pg_bin.join("initdb"));
    initdb.arg("--pgdata").arg(data).arg("--pwfile").arg(&secret);
    initdb.args(["--username=covet", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    capture(initdb.current_dir(room))?;
    let _ = fs::remove_file(&secret);
    Ok(())
}

fn configure(data: &Path, room: &Path, certificates: &Certificates) -> Outcome {
    let mut text = String::from(SETTINGS);
    for (setting, path) in [
        ("unix_socket_directories", room),
        ("ssl_cert_file", &certificates.certificate),
        ("ssl_key_file", &certificates.key),
    ] {
        text.push_str(&format!("{setting} = '{}'\n", path.display()));
    }
    let file = data.join("postgresql.conf");
    fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn psql(programs: &Programs, port: u16, password: &str, database: &str, sql: &str) -> Command {
    let mut command = Command::new(programs.pg_bin.join("psql"));
    untouched(&mut command);
    command.env("PGPASSWORD", password).env("PGCONNECT_TIMEOUT", "5");
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--host=127.0.0.1", "--username=covet"]);
    command.arg(format!("--port={port}")).arg(format!("--dbname={database}")).arg(format!("--command={sql}"));
    command
}
