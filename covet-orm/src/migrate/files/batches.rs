//! `-- covet:batches 1000 of "t" by "id" pause 50`: the statement below goes through the table `t` in the order of its key
//! `id`, so many rows at a time, each batch in a transaction of its own that notes how far it came, and waits so many
//! milliseconds between two; without `pause` as long as the batch took.
//!
//! The statement has `/* covet:range */` behind the condition of its `WHERE`, in place of which each batch gets the range
//! of its keys. To whoever runs the file without Covet it is a comment, and the statement changes all rows at once.

use covet_drivers::contract::{Batches, RANGE, Step};
use covet_drivers::render::Dialect;
use covet_drivers::sql::{Reader, words};
use covet_drivers::{Error, ErrorKind, Result};

/// The most rows of a batch: more would be no batch.
const MOST: u32 = 1_000_000;

/// What follows `-- covet:batches`.
///
/// # Errors
/// `Migration` for anything else.
pub(super) fn read(text: &str, dialect: &dyn Dialect) -> Result<Batches> {
    parse(text.trim(), dialect).ok_or_else(|| {
        Error::new(ErrorKind::Migration, format!("`-- covet:batches {}` is not understood", text.trim())).with_help(
            format!("write `-- covet:batches 1000 of TABLE by KEY`, with at most {MOST} rows, and `pause MILLISECONDS` if you like"),
        )
    })
}

fn parse(text: &str, dialect: &dyn Dialect) -> Option<Batches> {
    let (size, rest) = text.split_once(char::is_whitespace)?;
    let size = size.parse().ok().filter(|size| (1..=MOST).contains(size))?;
    let rest = rest.trim_start().strip_prefix("of ")?;
    // The word may also be part of a name.
    let said = rest.rsplit_once(" pause ").and_then(|(before, pause)| Some((before, pause.trim().parse().ok()?)));
    let (rest, pause) = said.map_or((rest, None), |(before, pause)| (before, Some(pause)));
    let (table, key) = rest.rsplit_once(" by ")?;
    let (table, key) = (table.trim().to_owned(), key.trim().to_owned());
    // The name of a table may stand behind that of its schema.
    let is_name = |text: &str, behind_another: bool| {
        let Ok(found) = words(text, dialect.quoting()) else { return false };
        let mut reader = Reader::new(&found);
        let mut is_name = reader.name(str::to_owned).is_some();
        if behind_another && reader.sign('.') {
            is_name &= reader.name(str::to_owned).is_some();
        }
        is_name && reader.is_end()
    };
    (is_name(&table, true) && is_name(&key, false)).then_some(Batches { table, key, size, pause })
}

/// As it stands behind `-- covet:batches`.
pub(super) fn show(batches: &Batches) -> String {
    let Batches { table, key, size, pause } = batches;
    let pause = pause.map(|pause| format!(" pause {pause}")).unwrap_or_default();
    format!("{size} of {table} by {key}{pause}")
}

/// Whether the statement has a place for the range of a batch.
///
/// # Errors
/// `Migration` when it has none or more than one, or is a guard or stands alone.
pub(super) fn check(step: &Step) -> Result<()> {
    if step.batches.is_none() {
        return Ok(());
    }
    let error = |what: String| Err(Error::new(ErrorKind::Migration, what));
    if step.guard || step.alone {
        return error("a statement in batches is no guard, and does not stand alone".to_owned());
    }
    if step.sql.matches(RANGE).count() != 1 {
        return error(format!("a statement in batches has `{RANGE}` once, behind the condition of its WHERE"));
    }
    Ok(())
}
