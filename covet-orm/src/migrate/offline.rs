//! Migrations as one script that another program runs, with the rows that the runner would write into the history.
//!
//! What only a runner can do is not in it: the lock, the second attempts, batches. The head of the script says so.

use covet_drivers::contract::{Leaves, Offline, Step};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::Script;
use crate::migrate::history::{Rows, State};
use crate::migrate::runner::{Choice, Work, entry};
use crate::migrate::{Folder, Migration, Target};

/// The script of migrations that follow each other, for this kind of database.
///
/// Each migration stands in the history before its first statement runs, so that one which is there already stops the
/// script; where a schema does not change in transactions, each statement is noted, so that `up` goes on where a script
/// ended.
///
/// # Errors
/// `Migration` for files that cannot be run; and for a migration that does what no script can.
pub fn offline_script(folder: &Folder, migrations: &[&Migration], target: Target) -> Result<String> {
    let offline = target.ddl.offline();
    let mut out = Out { offline, text: String::new() };
    let choice = Choice { folder, dialect: target.dialect, allow_newer: false };
    let works = migrations.iter().map(|migration| choice.work(migration)).collect::<Result<Vec<_>>>()?;
    for work in &works {
        if let Some(name) = work.up.rust().next() {
            let (id, name_of) = (work.id(), work.migration.name());
            let text = format!("the migration {id} ({name_of}) has a step in Rust, `{name}`, which no script can run");
            return Err(Error::new(ErrorKind::Migration, text).with_help(
                "print what is before it and what is behind it, and apply it by the program that has the step",
            ));
        }
    }
    out.head(&works, target);
    let rows = Rows::new(target);
    out.all(&(offline.session)());
    out.all(&rows.table()?);
    for work in &works {
        out.migration(work, &rows)?;
    }
    Ok(out.text)
}

struct Out {
    offline: Offline,
    text: String,
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn statement(&mut self, sql: &str) {
        let statement = (self.offline.statement)(sql);
        self.line(&statement);
    }

    fn all(&mut self, statements: &[impl AsRef<str>]) {
        for statement in statements {
            self.statement(statement.as_ref());
        }
    }

    /// What the script is, how it is run, and what it cannot do.
    fn head(&mut self, works: &[Work<'_>], target: Target) {
        let steps = || works.iter().flat_map(|work| &work.up.steps);
        self.line(&format!(
            "-- Migrations for {}, with their rows in the history. Run it so that it stops at the first error:",
            target.name()
        ));
        self.line(&format!("--     {}", self.offline.program));
        self.line("-- It takes no lock: see to it that nobody else migrates meanwhile. A statement that meets a lock ends the script");
        self.line("-- instead of being tried again. A guard ends it by an error of the database, whatever that says.");
        if steps().any(|step| step.batches.is_some()) {
            self.line("-- What goes in batches is one statement here, which locks all of its rows at once.");
        }
        if self.offline.begin.is_empty() {
            self.line("-- A schema does not change in transactions here: after an error `cargo covet migrate up` goes on at the");
            self.line("-- statement that failed. Where the program was lost during a statement, look whether that took effect.");
        } else {
            self.line("-- After an error everything is as before the migration in which it came, or before the part of it that has a");
            self.line("-- transaction of its own; `cargo covet migrate up` goes on there.");
        }
        for line in self.offline.head {
            self.line(&format!("-- {line}"));
        }
        if works.iter().any(|work| !work.migration.replaces().is_empty()) {
            self.line("-- A migration that stands in the place of others is for a database that has none of them.");
        }
        let leaves = |step: &Step| target.ddl.leaves(&step.sql) != Leaves::Nothing;
        if steps().any(leaves) {
            self.line(
                "-- What one migration sets of its session the next one meets: the runner would give it a new one.",
            );
        }
        self.line("");
    }

    fn migration(&mut self, work: &Work<'_>, rows: &Rows) -> Result<()> {
        let (id, total) = (work.id(), work.up.steps.len());
        self.line(&format!("\n-- {id}_{}", work.migration.name()));
        for parent in work.migration.parents() {
            self.line(&format!("-- guard: {parent} is applied, which it follows"));
            self.statement(&rows.follows(parent));
        }
        let replaced = rows.replaced(id, work.migration.replaces())?;
        if !self.offline.begin.is_empty() && work.up.is_one_transaction() {
            self.all(self.offline.begin);
            self.all(&rows.begin(&entry(work, 0, State::Applied))?);
            for step in &work.up.steps {
                self.step(step);
            }
            self.all(&replaced);
            self.all(self.offline.commit);
            return Ok(());
        }
        self.all(&rows.begin(&entry(work, 0, State::Running))?);
        let mut done = 0;
        while done < total {
            done = self.part(&work.up, done, id, rows);
        }
        self.all(&replaced);
        self.statement(&rows.end(id, total));
        Ok(())
    }

    /// The statements that share a transaction from here on, or one, with their note; and where the next part begins.
    fn part(&mut self, script: &Script, from: usize, id: &str, rows: &Rows) -> usize {
        let Some(first) = script.steps.get(from) else { return from + 1 };
        if self.offline.begin.is_empty() || first.alone {
            self.step(first);
            self.statement(&rows.note(id, from + 1));
            return from + 1;
        }
        let joins = |at: usize, step: &Step| at == 0 || !step.alone && step.batches.is_none() && !step.begins;
        let more = script.steps.iter().skip(from).enumerate().take_while(|(at, step)| joins(*at, step)).count();
        let to = if first.batches.is_some() { from + 1 } else { from + more };
        // Rows are changed with foreign keys on; the schema without, where that is what a migration needs.
        self.all(self.offline.begin);
        for step in script.steps.iter().take(to).skip(from) {
            self.step(step);
        }
        self.statement(&rows.note(id, to));
        self.all(self.offline.commit);
        to
    }

    fn step(&mut self, step: &Step) {
        for line in step.note.lines() {
            self.line(&format!("-- {}{line}", if step.guard { "guard: " } else { "" }));
        }
        let sql = if step.guard { (self.offline.guard)(&step.sql) } else { step.sql.clone() };
        self.statement(&sql);
    }
}
