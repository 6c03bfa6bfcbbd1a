//! What is measured, and how often.

use std::path::Path;

use crate::Outcome;
use crate::servers::Servers;

/// A job of the program in `benches/`.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Two counts for callgrind: the difference is free of what comes once.
    pub(super) few: u32,
    pub(super) many: u32,
    /// For wall time: about a quarter of a second.
    pub(super) rounds: u32,
}

pub(super) const CASES: &[Case] = &[
    Case { name: "find", few: 100, many: 500, rounds: 5000 },
    Case { name: "insert", few: 100, many: 500, rounds: 1500 },
    Case { name: "insert-1000", few: 2, many: 6, rounds: 40 },
    Case { name: "select-10000", few: 1, many: 4, rounds: 25 },
    Case { name: "eager", few: 5, many: 20, rounds: 100 },
    Case { name: "pool", few: 100, many: 1100, rounds: 200_000 },
    Case { name: "pool-contended", few: 6_400, many: 32_000, rounds: 192_000 },
];

/// Where it runs.
pub(super) struct Database {
    pub(super) name: &'static str,
    pub(super) raw: &'static str,
    pub(super) url: fn(&Servers, &Path) -> Outcome<String>,
    /// Cases that the raw side has no word for.
    pub(super) without: &'static [&'static str],
}

pub(super) const DATABASES: &[Database] = &[
    Database {
        name: "postgres",
        raw: "tokio-postgres, deadpool, cached statements",
        url: |servers, _| of_server(servers, "COVET_TEST_POSTGRES"),
        without: &[],
    },
    Database {
        name: "mysql",
        raw: "mysql_async::Conn under deadpool",
        url: |servers, _| of_server(servers, "COVET_TEST_MYSQL"),
        without: &[],
    },
    Database {
        name: "sqlite",
        raw: "bare rusqlite, no pool",
        url: |_, folder| in_file(folder),
        without: &["pool", "pool-contended"],
    },
];

fn of_server(servers: &Servers, variable: &str) -> Outcome<String> {
    let found = servers.variables().find(|(name, _)| *name == variable);
    found.map(|(_, url)| url.to_owned()).ok_or_else(|| format!("{variable} is not set"))
}

fn in_file(folder: &Path) -> Outcome<String> {
    let file = folder.join("bench.db");
    for end in ["", "-wal", "-shm"] {
        let mut path = file.clone().into_os_string();
        path.push(end);
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
    }
    Ok(format!("sqlite://{}", file.display()))
}
