//! Runs one statement of a migration.

use covet_drivers::contract::{Command, Connection, ConnectionState, Flow, Reuse, Row, Step, TransactionOptions};
use covet_drivers::render::Dialect;
use covet_drivers::value::ValueRef;
use covet_drivers::{Error, ErrorKind, Result};

use covet_drivers::catalog::ColumnType;

use crate::migrate::history::{History, State};

/// Runs a statement; a guard that finds rows is an error.
///
/// # Errors
/// The database's, with the statement's number and beginning.
pub(super) async fn run(connection: &mut dyn Connection, step: &Step, number: usize, total: usize) -> Result<()> {
    let result = if step.guard { guard(connection, step).await } else { connection.script(&step.sql).await };
    result.map_err(|error| match error.kind() {
        // A guard's finding speaks for itself.
        ErrorKind::Migration => error,
        _ => in_statement(step, number, total, error),
    })
}

async fn guard(connection: &mut dyn Connection, step: &Step) -> Result<()> {
    let found = count(connection, &step.sql).await?;
    if found == 0 {
        return Ok(());
    }
    let rows = if found == 1 { "1 row".to_owned() } else { format!("{found} rows") };
    Err(Error::new(ErrorKind::Migration, format!("{} ({rows})", step.note))
        .with_help("change these rows, or make the migration again with another decision"))
}

async fn count(connection: &mut dyn Connection, sql: &str) -> Result<u64> {
    let mut found = 0_u64;
    let mut take = |row: &mut Row<'_>| {
        found = match row.value(0, &ColumnType::I64)? {
            ValueRef::Int(count) => u64::try_from(count).unwrap_or_default(),
            ValueRef::UInt(count) => count,
            ValueRef::Bool(found) => found.into(),
            _ => return Err(Error::new(ErrorKind::Decode, "a guard must count rows")),
        };
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}

/// Runs the guards of a migration that is no single transaction before its first statement, as far
/// as they can tell now: one that asks for what the migration itself makes or fills waits for its turn.
///
/// # Errors
/// As [`run`].
pub(super) async fn guards_first(connection: &mut dyn Connection, steps: &[Step]) -> Result<()> {
    for (index, step) in steps.iter().enumerate() {
        if !step.guard {
            if changes_rows(step) {
                return Ok(());
            }
            continue;
        }
        match run(connection, step, index + 1, steps.len()).await {
            Err(error) if matches!(error.kind(), ErrorKind::UndefinedTable | ErrorKind::UndefinedColumn) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Whether the statement changes rows, as far as its first word tells.
pub(super) fn changes_rows(step: &Step) -> bool {
    begins(step, &["update", "insert", "delete", "replace", "merge", "with"])
}

/// Whether running the statement a second time does no harm: it fails, does the same again, or reads only.
pub(super) fn is_safe_again(step: &Step) -> bool {
    step.guard
        || begins(step, &["create", "alter", "drop", "rename", "truncate", "comment", "set", "select", "analyze"])
}

fn begins(step: &Step, words: &[&str]) -> bool {
    // A statement keeps the comments before it.
    let code = step.sql.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("--"));
    let word = code.and_then(|line| line.split(|c: char| !c.is_alphanumeric()).next()).unwrap_or_default();
    words.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// What is noted once a statement has run: that so many of this migration's statements are done.
#[derive(Clone, Copy)]
pub(super) struct Note<'n> {
    /// How the history is written.
    pub(super) dialect: &'static dyn Dialect,
    /// The migration.
    pub(super) id: &'n str,
    /// Where it stands.
    pub(super) state: State,
}

/// Runs a statement that changes rows together with its note, in one transaction: where each statement
/// of the schema commits by itself, this one at least is never run twice.
///
/// # Errors
/// As [`run`]; the statement and the note are then undone.
pub(super) async fn run_noted(
    connection: &mut dyn Connection,
    step: &Step,
    number: usize,
    total: usize,
    note: Note<'_>,
) -> Result<()> {
    connection.begin(&TransactionOptions::default()).await?;
    let result = async {
        run(connection, step, number, total).await?;
        if connection.state() != ConnectionState::InTransaction {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("statement {number} of {total} ended the transaction that it was to share with its note"),
            ));
        }
        History::new(connection, note.dialect).note(note.id, note.state, number, None).await
    }
    .await;
    match result {
        Ok(()) => connection.commit().await,
        Err(error) => {
            if connection.state() != ConnectionState::Broken {
                // A connection that cannot even roll back is closed with the session.
                let _ = connection.rollback().await;
            }
            Err(error)
        }
    }
}

fn in_statement(step: &Step, number: usize, total: usize, error: Error) -> Error {
    let begins: String = step.sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
    let message = format!("statement {number} of {total} failed: {}: {begins}", error.message());
    let mut placed = Error::new(error.kind(), message);
    if let Some(help) = error.help() {
        placed = placed.with_help(help.to_owned());
    }
    if let Some(code) = error.code() {
        placed = placed.with_code(code.to_owned());
    }
    placed.with_source(error)
}
