//! What migrations cost where there are many: `diff FOLDER` compares two schemas of 1,000 tables, `make FOLDER` writes
//! 1,000 migrations, `status FOLDER URL` applies them and asks how they stand. `cargo xtask bench migrations` runs all.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use covet_orm::Db;
use covet_orm::drivers::catalog::{Column, ColumnDefault, ColumnType, ForeignKey, Index, Schema, Table};
use covet_orm::migrate::{Migrator, Project, Standing};
use covet_orm::schema::{Diff, diff, from_toml, to_toml};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const TABLES: usize = 1_000;
const COLUMNS: usize = 12;
const MIGRATIONS: usize = 1_000;
const DATABASES: [&str; 3] = ["postgres", "mysql", "sqlite"];
/// How often each is measured; the median is printed.
const TURNS: usize = 9;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["diff"] => compare(),
        ["make", folder] => make(Path::new(folder)),
        ["status", folder, url] => runtime()?.block_on(status(Path::new(folder), url)),
        _ => Err("usage: migrations diff | make FOLDER | status FOLDER URL".into()),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Reads both snapshots as `make` reads the last one, and compares them.
fn compare() -> Result<()> {
    let (before, after) = (to_toml(&large(false))?, to_toml(&large(true))?);
    let (mut reading, mut comparing, mut found) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let begun = Instant::now();
        let (before, after) = (from_toml(&before)?, from_toml(&after)?);
        reading.push(begun.elapsed() / 2);
        let begun = Instant::now();
        let Diff::Changes(changes) = diff(&before, &after, &[])? else { return Err("nothing is to be decided".into()) };
        comparing.push(begun.elapsed());
        found = changes.len();
    }
    println!(
        "diff of {TABLES} tables of {COLUMNS} columns, {found} changes: {}; reading a snapshot: {}; peak of memory: {}",
        told(comparing),
        told(reading),
        peak()?
    );
    Ok(())
}

/// A schema in which, where it is asked for, every tenth table has changed.
fn large(changed: bool) -> Schema {
    let mut schema = Schema::of((0..TABLES).map(|number| table(number, changed && number % 10 == 0)).collect());
    schema.sort();
    schema
}

fn table(number: usize, changed: bool) -> Table {
    let name = format!("table_{number:04}");
    let mut table = Table::new(name.clone());
    table.columns.push(Column { auto: true, ..Column::new("id", ColumnType::I64) });
    table.primary_key = vec!["id".into()];
    for column in 1..COLUMNS {
        let ty = match column % 4 {
            0 => ColumnType::I32,
            1 => ColumnType::Text { max_len: Some(100) },
            2 => ColumnType::Timestamp,
            _ => ColumnType::I64,
        };
        let name = format!("column_{column:02}");
        let default = (changed && column == 4).then_some(ColumnDefault::Int(7));
        table.columns.push(Column { nullable: column % 2 == 0, default, ..Column::new(name, ty) });
    }
    table.indexes.push(Index::new(format!("{name}_key"), ["column_01"], true));
    if changed {
        table.columns.push(Column { nullable: true, ..Column::new("added", ColumnType::Bool) });
        table.indexes.push(Index::new(format!("{name}_idx"), ["column_02"], false));
    }
    if number > 0 {
        table.foreign_keys.push(ForeignKey {
            name: format!("{name}_fkey"),
            columns: vec!["column_03".into()],
            target: format!("table_{:04}", number - 1),
            target_columns: vec!["id".into()],
            ..ForeignKey::default()
        });
    }
    table
}

/// Writes the migrations: one table, and a default that changes.
fn make(folder: &Path) -> Result<()> {
    let project = Project::new(folder, &DATABASES)?;
    for number in 0..MIGRATIONS {
        let column = Column {
            default: i64::try_from(number).ok().map(ColumnDefault::Int),
            ..Column::new("number", ColumnType::I64)
        };
        let mut table = Table::new("counter");
        table.columns = vec![Column { auto: true, ..Column::new("id", ColumnType::I64) }, column];
        table.primary_key = vec!["id".into()];
        let draft = project.draft(&Schema::of(vec![table]), Some("step"), &[])?;
        draft.ok_or("each migration changes something")?.write()?;
    }
    Ok(())
}

/// Applies them, and asks how they stand as the tool does: files read, history read.
async fn status(folder: &Path, url: &str) -> Result<()> {
    let begun = Instant::now();
    let db = Db::connect(url).await?;
    let applied = Migrator::from_dir(folder)?.up(&db).await?.done.len();
    let up = begun.elapsed();
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let begun = Instant::now();
        let db = Db::connect(url).await?;
        let found = Migrator::from_dir(folder)?.status(&db).await?;
        turns.push(begun.elapsed());
        if found.len() != MIGRATIONS || found.iter().any(|one| one.standing != Standing::Applied) {
            return Err("not all of them are applied".into());
        }
        db.close();
    }
    let kind = url.split(':').next().unwrap_or_default();
    println!(
        "{kind}: status of {MIGRATIONS} migrations, connecting and reading the files included: {}; applying {applied}: {}; \
         peak of memory: {}",
        told(turns),
        seconds(up),
        peak()?
    );
    Ok(())
}

/// The median.
fn told(mut turns: Vec<Duration>) -> String {
    turns.sort();
    turns.get(turns.len() / 2).copied().map(seconds).unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// The most memory that this process has had, as the kernel tells it.
fn peak() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(format!("{} MiB", kib / 1024))
}
