//! How a MariaDB or MySQL server is.

use std::time::Duration;

use crate::contract::{BoxFuture, Connection, Position, Probe, Role, Vitals};
use crate::error::{ErrorKind, Result};
use crate::mysql::dialect::{QUOTING, literal};
use crate::mysql::introspect::rows;
use crate::sql::without_values;

/// How to ask a MariaDB or MySQL server how it is.
#[derive(Clone, Copy, Debug)]
pub struct MySqlProbe;

/// The columns of `SHOW REPLICA STATUS` up to the lag in seconds; MariaDB puts two more before them.
const UP_TO_LAG: usize = 33;

/// The plugin `DISKS` of MariaDB has a row for each disk; the one that holds the data has the longest path to it.
const FREE: &str = "\
SELECT Available * 1024 FROM information_schema.DISKS WHERE LEFT(@@datadir, LENGTH(Path)) = Path
ORDER BY LENGTH(Path) DESC LIMIT 1";

/// Which database of which server it is, and how far its binary log goes.
const MARIADB_POSITION: &str = "SELECT CONCAT(DATABASE(), '/', @@hostname, ':', @@port, ':', @@server_id, ':', @@datadir), @@global.gtid_binlog_pos";
const MYSQL_POSITION: &str = "SELECT CONCAT(DATABASE(), '/', @@server_uuid), @@global.gtid_executed";

/// How far a MariaDB has followed others, and how far it has come with what it wrote itself.
const FOLLOWED: &str = "SELECT @@global.gtid_slave_pos";
const CURRENT: &str = "SELECT CONCAT(@@global.gtid_slave_pos, ',', @@global.gtid_binlog_pos)";

impl Probe for MySqlProbe {
    fn vitals<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vitals>> {
        Box::pin(async move {
            let mut vitals = Vitals::default();
            let asked = rows(connection, "SELECT @@global.read_only", 1).await?;
            vitals.writable = first(&asked).map(takes_writes);
            let (ask, lag) = if is_mariadb(connection) {
                ("SHOW ALL SLAVES STATUS", UP_TO_LAG + 1)
            } else if is_before_replica(&connection.server().version) {
                ("SHOW SLAVE STATUS", UP_TO_LAG - 1)
            } else {
                ("SHOW REPLICA STATUS", UP_TO_LAG - 1)
            };
            if let Some(followed) = told(rows(connection, ask, lag + 1).await)? {
                vitals.role = if followed.is_empty() { Role::Primary } else { Role::Replica };
                // Of several sources the one that is farthest ahead counts; one that is not connected tells no lag.
                let lags = followed.iter().map(|row| row.get(lag)?.as_deref()?.parse::<u64>().ok());
                vitals.lag =
                    lags.collect::<Option<Vec<_>>>().and_then(|lags| lags.into_iter().max().map(Duration::from_secs));
            }
            if is_mariadb(connection)
                && let Some(free) = told(rows(connection, FREE, 1).await)?
            {
                vitals.free_bytes = first(&free).and_then(|bytes| bytes.parse().ok());
            }
            Ok(vitals)
        })
    }

    fn position<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Option<Position>>> {
        Box::pin(async move {
            let sql = if is_mariadb(connection) { MARIADB_POSITION } else { MYSQL_POSITION };
            let asked = rows(connection, sql, 2).await?;
            Ok(asked.into_iter().next().and_then(|mut row| {
                let (at, origin) = (row.pop()??, row.pop()??);
                Some(Position { origin, at: at.replace(['\n', ' '], "") })
            }))
        })
    }

    fn has_reached<'a>(
        &'a self,
        position: &'a Position,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move {
            let mariadb = is_mariadb(connection);
            let asked = rows(connection, if mariadb { MARIADB_POSITION } else { MYSQL_POSITION }, 1).await?;
            if first(&asked).is_some_and(|server| server == position.origin) {
                return Ok(Some(true));
            }
            let database = |origin: &str| origin.split('/').next().unwrap_or_default().to_owned();
            if first(&asked).is_some_and(|server| database(server) != database(&position.origin)) {
                return Ok(None);
            }
            if position.at.is_empty() {
                // It writes no binary log, or one without numbers.
                return Ok(None);
            }
            let at = literal(&position.at);
            let sql = if mariadb {
                // A server that never followed another one has no place to compare.
                format!("SELECT CASE WHEN @@global.gtid_slave_pos <> '' THEN MASTER_GTID_WAIT({at}, 0) = 0 END")
            } else {
                format!(
                    "SELECT CASE WHEN GTID_SUBTRACT({at}, @@global.gtid_executed) <> {at} \
                     THEN GTID_SUBSET({at}, @@global.gtid_executed) END"
                )
            };
            let asked = rows(connection, &sql, 1).await?;
            Ok(first(&asked).map(|reached| reached == "1"))
        })
    }

    fn has_other<'a>(
        &'a self,
        _: &'a Position,
        connection: &'a mut dyn Connection,
        other: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if !is_mariadb(connection) {
                // Its numbers name the server that has given them.
                return Ok(false);
            }
            // In this order: meanwhile the other one can only have come farther.
            let followed = rows(connection, FOLLOWED, 1).await?;
            let current = rows(other, CURRENT, 1).await?;
            let (followed, current) = (first(&followed).unwrap_or_default(), first(&current).unwrap_or_default());
            Ok(goes_beyond(followed, current))
        })
    }

    fn deadlock<'a>(
        &'a self,
        _: Option<i64>,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let asked = told(rows(connection, "SHOW ENGINE INNODB STATUS", 3).await)?.unwrap_or_default();
            let report = asked.first().and_then(|row| row.get(2)?.as_deref()).unwrap_or_default();
            Ok(statements(report))
        })
    }
}

/// Whether a list of MariaDB's numbers (`domain-server-number`) has a larger one in a domain that the other list has as
/// well, or the same one by another server. Domains that only one of them has come from elsewhere.
fn goes_beyond(followed: &str, current: &str) -> bool {
    let read = |list: &str| -> Vec<(u64, u64, u64)> {
        list.split(',')
            .filter_map(|number| {
                let mut parts = number.trim().splitn(3, '-').map(|part| part.parse().ok());
                Some((parts.next()??, parts.next()??, parts.next()??))
            })
            .collect()
    };
    let current = read(current);
    read(followed).into_iter().any(|(domain, server, number)| {
        let same = current.iter().filter(|(other, ..)| *other == domain);
        same.map(|(_, server, number)| (*number, *server))
            .max()
            .is_some_and(|(last, by)| number > last || (number == last && server != by))
    })
}

/// The statements in the account of the last deadlock.
fn statements(report: &str) -> Vec<String> {
    let Some((_, section)) = report.split_once("LATEST DETECTED DEADLOCK") else { return Vec::new() };
    let section = section.split("\nTRANSACTIONS\n").next().unwrap_or_default();
    let mut statements = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        // The line before a statement names the thread that runs it.
        if line.contains(" thread id ") {
            let sql: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("***")).collect();
            statements.push(without_values(sql.join(" ").trim(), QUOTING));
        }
    }
    statements.retain(|sql| !sql.is_empty());
    statements
}

/// What `@@global.read_only` says of writes. It is a word from MariaDB 12 on: `OFF`, `ON`, `NO_LOCK` and the like.
pub(super) fn takes_writes(read_only: &str) -> bool {
    read_only == "0" || read_only.eq_ignore_ascii_case("OFF")
}

fn is_mariadb(connection: &dyn Connection) -> bool {
    connection.server().product == "MariaDB"
}

/// MySQL says REPLICA from 8.0.22 on, and no longer SLAVE from 8.4 on.
fn is_before_replica(version: &str) -> bool {
    version.strip_prefix("8.0.").is_some_and(|patch| {
        let digits: String = patch.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().is_ok_and(|patch| patch < 22)
    })
}

fn first(rows: &[Vec<Option<String>>]) -> Option<&str> {
    rows.first()?.first()?.as_deref()
}

/// What this user may not ask, or this server does not have, is not told.
fn told<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Permission | ErrorKind::UndefinedTable) => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::{goes_beyond, is_before_replica, statements, takes_writes};

    #[test]
    fn who_has_followed_farther_has_followed_another_one() {
        for (followed, current) in
            [("0-1-9", ",0-1-8"), ("0-1-9", "0-1-8,0-2-7"), ("0-2-9", ",0-1-9"), ("1-1-5,0-1-9", ",0-1-8")]
        {
            assert!(goes_beyond(followed, current), "{followed} {current}");
        }
        for (followed, current) in
            [("0-1-9", ",0-1-9"), ("0-1-9", "0-2-5,0-1-10"), ("7-1-9", ",0-1-1"), ("", ","), ("0-1-9", ",")]
        {
            assert!(!goes_beyond(followed, current), "{followed} {current}");
        }
    }

    #[test]
    fn the_statements_of_a_deadlock_are_found_in_the_servers_report() {
        let report = "x\n---\nLATEST DETECTED DEADLOCK\n---\n2026-01-01\n*** (1) TRANSACTION:\nTRANSACTION 7, ACTIVE 0 sec\n\
            MariaDB thread id 9, OS thread handle 1, query id 33 127.0.0.1 u Updating\nUPDATE `t` SET a = 'x'\nWHERE id = 4\n\
            *** WAITING FOR THIS LOCK TO BE GRANTED:\nRECORD LOCKS\n*** (2) TRANSACTION:\n\
            MySQL thread id 10, query id 34 u\nDELETE FROM `t`\n*** WE ROLL BACK TRANSACTION (2)\n------------\nTRANSACTIONS\n---\n\
            MariaDB thread id 11\nSELECT 1\n";
        assert_eq!(statements(report), ["UPDATE `t` SET a = ? WHERE id = ?", "DELETE FROM `t`"]);
        assert!(statements("no deadlock yet").is_empty());
    }

    #[test]
    fn a_server_takes_writes_whether_it_says_so_by_a_number_or_a_word() {
        for (read_only, takes) in [
            ("0", true),
            ("1", false),
            ("OFF", true),
            ("off", true),
            ("ON", false),
            ("NO_LOCK", false),
            ("NO_LOCK_NO_ADMIN", false),
        ] {
            assert_eq!(takes_writes(read_only), takes, "{read_only}");
        }
    }

    #[test]
    fn the_word_for_a_replica_depends_on_the_version() {
        for (version, before) in
            [("8.0.19", true), ("8.0.21-log", true), ("8.0.22", false), ("8.4.3", false), ("8.0.mysql_aurora.3", false)]
        {
            assert_eq!(is_before_replica(version), before, "{version}");
        }
    }
}
