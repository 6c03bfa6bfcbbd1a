//! Finding the servers' programs: where the user says, on the PATH, and where distributions hide them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::capture;

/// Names the folder of PostgreSQL's programs, for us and for the tests.
pub(super) const PG_BIN: &str = "COVET_TEST_PG_BIN";
/// Names the folder of MariaDB's client programs, for us and for the tests.
pub(super) const MYSQL_BIN: &str = "COVET_TEST_MYSQL_BIN";
/// Names MariaDB's server program, for us and for the tests.
pub(super) const MYSQLD: &str = "COVET_TEST_MYSQLD";
/// Names PgBouncer, for us and for the tests.
pub(super) const PGBOUNCER: &str = "COVET_TEST_PGBOUNCER";

/// Where the programs are that we start.
#[derive(Debug)]
pub(super) struct Programs {
    /// Holds `initdb`, `postgres`, `psql`, `pg_dump`.
    pub(super) pg_bin: PathBuf,
    /// Holds `mariadb`, `mariadb-dump`, `mariadb-install-db`.
    pub(super) mysql_bin: PathBuf,
    /// The server itself, often in an `sbin` folder.
    pub(super) mysqld: PathBuf,
    /// Makes the servers' certificates.
    pub(super) openssl: PathBuf,
    /// The pooler that the tests put in front of PostgreSQL.
    pub(super) pgbouncer: PathBuf,
}

/// What could not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Postgres,
    Mariadb,
    Openssl,
    Pgbouncer,
}

impl Programs {
    /// Finds all programs, or says which servers are missing.
    pub(super) fn find() -> Result<Self, Vec<Missing>> {
        match (pg_bin(), mysqld().zip(mysql_bin()), openssl(), pgbouncer()) {
            (Some(pg_bin), Some((mysqld, mysql_bin)), Some(openssl), Some(pgbouncer)) => {
                Ok(Self { pg_bin, mysql_bin, mysqld, openssl, pgbouncer })
            }
            (postgres, mariadb, openssl, pgbouncer) => Err([
                postgres.is_none().then_some(Missing::Postgres),
                mariadb.is_none().then_some(Missing::Mariadb),
                openssl.is_none().then_some(Missing::Openssl),
                pgbouncer.is_none().then_some(Missing::Pgbouncer),
            ]
            .into_iter()
            .flatten()
            .collect()),
        }
    }
}

fn pg_bin() -> Option<PathBuf> {
    let mut folders = said(PG_BIN);
    folders.extend(path());
    folders.extend(newest_first("/usr/lib/postgresql"));
    folders.into_iter().find(|folder| has_all(folder, &["initdb", "postgres", "psql", "pg_dump"]))
}

fn mysql_bin() -> Option<PathBuf> {
    let mut folders = said(MYSQL_BIN);
    folders.extend(path());
    folders.extend(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    folders.into_iter().find(|folder| has_all(folder, &["mariadb", "mariadb-dump", "mariadb-install-db"]))
}

fn mysqld() -> Option<PathBuf> {
    let mut folders = path();
    folders.extend(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from));
    let named = folders.iter().flat_map(|folder| [folder.join("mariadbd"), folder.join("mysqld")]);
    said(MYSQLD).into_iter().chain(named).find(|program| program.is_file() && is_mariadb(program))
}

fn openssl() -> Option<PathBuf> {
    path().into_iter().map(|folder| folder.join("openssl")).find(|program| program.is_file())
}

fn pgbouncer() -> Option<PathBuf> {
    let folders = path().into_iter().chain([PathBuf::from("/usr/sbin")]);
    said(PGBOUNCER).into_iter().chain(folders.map(|folder| folder.join("pgbouncer"))).find(|program| program.is_file())
}

/// A MySQL server is created in another way than a MariaDB server, and only the latter is automated here.
fn is_mariadb(program: &Path) -> bool {
    capture(Command::new(program).args(["--no-defaults", "--version"])).is_ok_and(|text| text.contains("MariaDB"))
}

fn said(variable: &str) -> Vec<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).into_iter().collect()
}

fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|list| std::env::split_paths(&list).collect()).unwrap_or_default()
}

/// `<root>/<version>/bin`, with the highest version first.
fn newest_first(root: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn has_all(folder: &Path, names: &[&str]) -> bool {
    names.iter().all(|name| folder.join(name).is_file())
}
