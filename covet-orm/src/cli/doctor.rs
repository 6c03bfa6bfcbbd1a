//! `cargo covet doctor`: looks for what stands in the way, one line each, with a way out.

use covet_drivers::contract::adapter_for;
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::cli::args::Database;
use crate::cli::context::{Access, Chosen, Context};
use crate::cli::models;
use crate::cli::out::{BAD, FAINT, GOOD, WARN, paint};
use crate::db::Db;
use crate::migrate::{Folder, Migrator, Standing, Target};

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    database: Database,

    /// Do not build the program to ask it for its models
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Something to look at.
    Warning,
    /// Something that will not work.
    Bad,
    /// Not looked at, because of something above.
    Skipped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Warning => "warning",
            State::Bad => "error",
            State::Skipped => "skipped",
        }
    }
}

/// What was looked at, and what was found.
#[derive(Debug)]
struct Check {
    state: State,
    about: &'static str,
    found: String,
    help: Option<String>,
}

/// All that was looked at.
#[derive(Debug, Default)]
struct Record(Vec<Check>);

impl Record {
    fn note(&mut self, state: State, about: &'static str, found: impl Into<String>, help: Option<String>) {
        self.0.push(Check { state, about, found: found.into(), help });
    }

    fn good(&mut self, about: &'static str, found: impl Into<String>) {
        self.note(State::Good, about, found, None);
    }

    fn skipped(&mut self, about: &'static str, why: &str) {
        self.note(State::Skipped, about, why, None);
    }

    /// Keeps the value, or notes the error.
    fn take<T>(&mut self, about: &'static str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.note(State::Bad, about, told(&error), error.help().map(str::to_owned))).ok()
    }
}

/// The error in one line.
fn told(error: &Error) -> String {
    let code = error.code().map(|code| format!(" [{code}]")).unwrap_or_default();
    format!("{}{code}", error.message())
}

pub(super) async fn doctor(context: &Context, options: &Doctor) -> Result<()> {
    let mut record = Record::default();
    let folder = project(context, options, &mut record);
    database(context, options, folder.as_ref(), &mut record).await;
    show(context, &record)?;
    match record.0.iter().filter(|check| check.state == State::Bad).count() {
        0 => Ok(()),
        1 => Err(Error::new(ErrorKind::Config, "something will not work; see above")),
        several => Err(Error::new(ErrorKind::Config, format!("{several} things will not work; see above"))),
    }
}

/// What is in files: covet.toml, migrations, the program.
fn project(context: &Context, options: &Doctor, record: &mut Record) -> Option<Folder> {
    let Some(project) = record.take("config", context.project()) else {
        record.skipped("migrations", "without covet.toml nobody knows where they are");
        record.skipped("program", "without covet.toml nobody knows which it is");
        return None;
    };
    record.good("config", project.file.display().to_string());
    for name in project.databases() {
        if let Some(target) = record.take("config", Target::named(name)) {
            record.good("config", format!("migrations are made for {}", target.name()));
        }
    }
    let folder = record.take("migrations", Folder::read(project.migrations()));
    if let Some(folder) = &folder {
        match folder.migrations().len() {
            0 => record.note(
                State::Warning,
                "migrations",
                format!("there is none in {}", folder.path().display()),
                Some("make the first one with `cargo covet migrate make`".to_owned()),
            ),
            number => record.good("migrations", format!("{number} in {}", folder.path().display())),
        }
    }
    if options.no_build {
        record.skipped("program", "--no-build");
    } else if let Some(schema) = record.take("program", models::schema(context)) {
        record.good("program", format!("it builds, and has {} tables", schema.tables.len()));
        let last = folder.as_ref().map(Folder::schema).transpose();
        if let Some(last) = record.take("migrations", last).flatten() {
            if last == schema {
                record.good("migrations", "the last one is what the models ask for");
            } else {
                record.note(
                    State::Warning,
                    "migrations",
                    "the models have changed since the last one",
                    Some("make one with `cargo covet migrate make`".to_owned()),
                );
            }
        }
    }
    folder
}

/// What is at the other end: URL, connection, settings, rights, history.
async fn database(context: &Context, options: &Doctor, folder: Option<&Folder>, record: &mut Record) {
    let Some(chosen) = record.take("url", context.database(&options.database)) else {
        return record.skipped("connection", "no database is named");
    };
    record.good("url", format!("{} (from {})", chosen.url, chosen.from));
    let opened = adapter_for(chosen.url.scheme()).and_then(|adapter| adapter.open(&chosen.url));
    if record.take("url", opened).is_none() {
        return record.skipped("connection", "the URL is wrong");
    }
    let connected = context.connect(&chosen, Access::Read).await;
    let Some(db) = record.take("connection", connected) else {
        return record.skipped("server", "there is no connection");
    };
    let health = db.health().await;
    if let Some(error) = health.error {
        record.note(State::Bad, "connection", told(&error), error.help().map(str::to_owned));
    } else {
        let latency = health.latency.unwrap_or_default();
        let server =
            format!("{} {}, {latency:.1?}, {}", health.server.product, health.server.version, health.vitals.role);
        record.good("connection", server);
    }
    let looked = look(&chosen, &db, record).await;
    record.take("server", looked);
    history(folder, &db, record).await;
}

/// Settings and rights.
async fn look(chosen: &Chosen, db: &Db, record: &mut Record) -> Result<()> {
    let mut lease = db.acquire().await?;
    match lease.check_durable().await {
        Ok(()) => record.good("server", "a commit outlives a crash"),
        Err(error) if error.kind() == ErrorKind::Config => {
            record.note(State::Warning, "server", told(&error), error.help().map(str::to_owned));
        }
        Err(error) => return Err(error),
    }
    let findings = chosen.admin()?.findings(&mut *lease).await?;
    if findings.is_empty() {
        record.good("server", "the user may do what migrations do");
    }
    for finding in findings {
        record.note(State::Bad, "server", finding.what, Some(finding.help));
    }
    Ok(())
}

async fn history(folder: Option<&Folder>, db: &Db, record: &mut Record) {
    let Some(folder) = folder.filter(|folder| !folder.migrations().is_empty()) else {
        return record.skipped("history", "there is no migration to compare it with");
    };
    let read: Result<Vec<_>> = async { Migrator::from_dir(folder.path())?.status(db).await }.await;
    let Some(all) = record.take("history", read) else { return };
    let mut left = 0;
    for status in &all {
        let name = format!("{}_{}", status.id, status.name);
        let (found, help) = match status.standing {
            Standing::Applied | Standing::Baseline => continue,
            Standing::Pending => {
                left += 1;
                continue;
            }
            Standing::Edited => (
                format!("{name} was edited after it was applied"),
                "restore its files as they were when it was applied",
            ),
            Standing::Conflicting => (
                format!("{name} was made side by side with another that touches the same"),
                "make it again on top of the other: `cargo covet migrate rebase`",
            ),
            Standing::Missing => {
                (format!("{name} is applied, and its files are not here"), "take the code that has it")
            }
            _ => (format!("{name} was begun and not ended"), "`cargo covet migrate up` goes on; the status says where"),
        };
        record.note(State::Bad, "history", found, Some(help.to_owned()));
    }
    let is_applied = |standing| matches!(standing, Standing::Applied | Standing::Baseline);
    let applied = all.iter().filter(|status| is_applied(status.standing)).count();
    let state = if left == 0 { State::Good } else { State::Warning };
    let help = (left > 0).then(|| "apply them with `cargo covet migrate up`".to_owned());
    record.note(state, "history", format!("{applied} applied, {left} pending"), help);
}

fn show(context: &Context, record: &Record) -> Result<()> {
    for check in &record.0 {
        let style = match check.state {
            State::Good => GOOD,
            State::Warning => WARN,
            State::Bad => BAD,
            State::Skipped => FAINT,
        };
        let state = paint(style, &format_args!("{:<8}", check.state.word()));
        let help = check.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        context.out.line(format_args!("{state} {:<11} {}{help}", check.about, check.found));
    }
    let checks: Vec<Value> = record
        .0
        .iter()
        .map(|check| json!({ "state": check.state.word(), "about": check.about, "found": check.found, "help": check.help }))
        .collect();
    context.out.json(&json!({ "checks": checks }))
}
