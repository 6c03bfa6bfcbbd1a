//! How a PostgreSQL server is.

use std::time::Duration;

use crate::catalog::ColumnType;
use crate::contract::{BoxFuture, Command, Connection, Position, Probe, Reuse, Role, Vitals};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::dialect::QUOTING;
use crate::postgres::introspect::each;
use crate::sql::without_values;
use crate::value::Value;

/// How to ask a PostgreSQL server how it is.
#[derive(Clone, Copy, Debug)]
pub struct PostgresProbe;

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// A standby that has applied everything is behind by nothing, however long nobody has written; but only as long as it
/// is connected, because what it did not receive it cannot know.
const VITALS: &str = "\
SELECT pg_catalog.pg_is_in_recovery(), CASE
  WHEN NOT pg_catalog.pg_is_in_recovery() THEN NULL
  WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn()
    AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver) THEN 0
  ELSE (EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::int8
END, pg_catalog.current_setting('transaction_read_only') = 'off'";

/// The database of the cluster, the timeline (a standby does not tell it) and how far its log goes. What is in the log's buffers counts:
/// with `synchronous_commit = off` it may be committed.
const POSITION: &str = "\
SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()) || '/' || pg_catalog.current_database(),
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN ''
    ELSE substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END,
  ((CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
    ELSE pg_catalog.pg_current_wal_insert_lsn() END) - '0/0'::pg_lsn)::int8";

/// How far this server goes in the account of another one that is on such a timeline. On the same one it is the same
/// server, or a standby of it; on a later one it was promoted, and tells up to where it had followed.
macro_rules! followed {
    ($timeline:literal) => {
        concat!(
            "CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
             AND substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) = ",
            $timeline,
            " THEN pg_catalog.pg_current_wal_insert_lsn() ELSE pg_catalog.pg_last_wal_replay_lsn() END - '0/0'::pg_lsn"
        )
    };
}

const HAS_REACHED: &str = concat!(
    "SELECT CASE WHEN (SELECT system_identifier FROM pg_catalog.pg_control_system()) || '/' || \
     pg_catalog.current_database() <> $1 THEN NULL ELSE ",
    followed!("$2"),
    " >= $3::int8 END"
);

const FOLLOWED: &str = concat!("SELECT (", followed!("$1"), ")::int8");

/// How far its own log goes.
const WRITTEN: &str = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8";

/// Bytes of a page of the log, and of its header, which is longer on a file's first page.
const PAGE: i64 = 8192;
const HEADERS: [i64; 2] = [24, 40];

impl Probe for PostgresProbe {
    fn vitals<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vitals>> {
        Box::pin(async move {
            let mut vitals = Vitals::default();
            each(connection, once(VITALS, &[]), |row| {
                vitals.role = if row.get(0, &ColumnType::Bool)? { Role::Replica } else { Role::Primary };
                let lag = row.get::<Option<i64>>(1, &ColumnType::I64)?;
                vitals.lag = lag.map(|lag| Duration::from_micros(u64::try_from(lag).unwrap_or_default()));
                vitals.writable = Some(row.get(2, &ColumnType::Bool)?);
                Ok(())
            })
            .await?;
            Ok(vitals)
        })
    }

    fn position<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Option<Position>>> {
        Box::pin(async move {
            let mut position = None;
            let asked = each(connection, once(POSITION, &[]), |row| {
                let (system, timeline) = (row.get::<String>(0, &TEXT)?, row.get::<String>(1, &TEXT)?);
                let at = end_of_record(row.get(2, &ColumnType::I64)?);
                position = Some(Position { origin: format!("{timeline}/{system}"), at: at.to_string() });
                Ok(())
            });
            permitted(asked.await)?;
            Ok(position)
        })
    }

    fn has_reached<'a>(
        &'a self,
        position: &'a Position,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move {
            let (timeline, system) = position.origin.split_once('/').unwrap_or_default();
            let at =
                position.at.parse::<i64>().map_err(|_| Error::new(ErrorKind::InvalidInput, "this is no position"))?;
            let args = [Value::Text(system.to_owned()), Value::Text(timeline.to_owned()), Value::Int(at)];
            let args = args.each_ref();
            let mut reached = None;
            let asked = each(connection, once(HAS_REACHED, &args), |row| {
                reached = row.get(0, &ColumnType::Bool)?;
                Ok(())
            });
            permitted(asked.await)?;
            Ok(reached)
        })
    }

    fn has_other<'a>(
        &'a self,
        position: &'a Position,
        connection: &'a mut dyn Connection,
        other: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let (timeline, _) = position.origin.split_once('/').unwrap_or_default();
            let timeline = Value::Text(timeline.to_owned());
            // In this order: meanwhile the other one can only have come farther.
            let followed = place(connection, once(FOLLOWED, &[&timeline])).await?;
            let written = place(other, once(WRITTEN, &[])).await?;
            Ok(followed > written)
        })
    }

    fn deadlock<'a>(
        &'a self,
        blocker: Option<i64>,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let Some(blocker) = blocker else { return Ok(Vec::new()) };
            let mut statements = Vec::new();
            each(connection, once(DOING, &[&Value::Int(blocker)]), |row| {
                let sql = row.get::<Option<String>>(0, &TEXT)?;
                statements.extend(sql.map(|sql| without_values(&sql, QUOTING)));
                Ok(())
            })
            .await?;
            Ok(statements)
        })
    }
}

/// A place in the log.
async fn place(connection: &mut dyn Connection, command: Command<'_>) -> Result<Option<i64>> {
    let mut place = None;
    each(connection, command, |row| {
        place = row.get(0, &ColumnType::I64)?;
        Ok(())
    })
    .await?;
    Ok(place)
}

/// What a session does, or did last.
const DOING: &str = "SELECT query FROM pg_catalog.pg_stat_activity WHERE pid = $1::int8";

/// Where the last record ends. The place for the next one lies behind the header of the next page where the last one
/// ended with its page, and no standby says that it has come so far before there is another record.
fn end_of_record(next: i64) -> i64 {
    let within = next % PAGE;
    if HEADERS.contains(&within) { next - within } else { next }
}

/// What this user may not ask is not told.
fn permitted(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::Permission => Ok(()),
        other => other,
    }
}

fn once<'a>(sql: &'a str, args: &'a [&'a Value]) -> Command<'a> {
    Command { sql, args, reuse: Reuse::Once }
}

#[cfg(test)]
mod tests {
    use super::end_of_record;

    #[test]
    fn the_header_of_a_page_belongs_to_no_record() {
        for (next, end) in [(8192 + 24, 8192), (8192 + 40, 8192), (8192 + 48, 8192 + 48), (100, 100)] {
            assert_eq!(end_of_record(next), end);
        }
    }
}
