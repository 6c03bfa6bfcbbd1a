//! Lint: what can go wrong with a migration, told before it runs.
//!
//! A rule says what triggers it, what the database does then, and the safer way; `docs/lint/` has a page for each
//! kind of database. Rules look at the SQL that runs, at the changes it was made for, and at the schemas before and
//! after. What was decided when the migration was made, what a guard stops, and tables that the same migration makes
//! are no findings; what may be as it is gets a line above it: `-- covet:allow ID reason`.
//!
//! ```no_run
//! # fn f() -> covet_orm::Result<()> {
//! use covet_orm::migrate::{Folder, Target};
//! for finding in covet_orm::lint::lint(&Folder::read("migrations")?, &Target::named("sqlite")?)? {
//!     println!("{finding}");
//! }
//! # Ok(()) }
//! ```

mod engine;
mod finding;
mod live;
mod page;
mod rules;
mod script;

use covet_drivers::Result;
use covet_drivers::catalog::Schema;
use covet_drivers::contract::adapter_for;
use covet_drivers::lint::{Dependent, Lint, Rule};

pub use covet_drivers::lint::Severity;
pub use finding::Finding;
pub use page::page;
#[cfg(feature = "cli")]
pub(crate) use page::section;

use crate::db::Db;
use crate::migrate::{Draft, Folder, Migration, Target, Way};
use engine::Engine;
use script::{Script, dependents};

/// The rules that hold on every database.
#[must_use]
pub fn neutral_rules() -> &'static [Rule] {
    rules::NEUTRAL
}

/// The rules that hold on this kind of database alone.
///
/// # Errors
/// `Config` when its adapter is not known.
pub fn rules_of(target: &Target) -> Result<&'static [Rule]> {
    Ok(of(target)?.rules())
}

fn of(target: &Target) -> Result<&'static dyn Lint> {
    Ok(adapter_for(target.name())?.lint())
}

/// Everything that the rules find in the migrations of a folder, in order; also what is allowed.
///
/// # Errors
/// `Syntax` and `Migration`, naming file and line, for a script that cannot be read and for an allow that names no
/// rule or gives no reason; those of reading the folder.
pub fn lint(folder: &Folder, target: &Target) -> Result<Vec<Finding>> {
    lint_last(folder, target, usize::MAX)
}

/// As [`lint`], in the last migrations only.
///
/// # Errors
/// As there.
pub fn lint_last(folder: &Folder, target: &Target, count: usize) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    each(folder, target, count, |engine, script| {
        findings.extend(engine.findings(script)?);
        Ok(())
    })?;
    Ok(findings)
}

/// What the rules find that ask a running server, about the last migrations. Changes nothing.
///
/// # Errors
/// As [`lint`], and those of the database.
pub async fn lint_live(folder: &Folder, db: &Db, count: usize) -> Result<Vec<Finding>> {
    let target = Target::of(&*db.backend());
    let mut scripts = Vec::new();
    each(folder, &target, count, |_, script| {
        scripts.push(script.clone());
        Ok(())
    })?;
    live::findings(&Engine::new(&target)?, &scripts, db).await
}

/// What the rules find in a migration that is not written yet, on all its kinds of database.
///
/// # Errors
/// As [`lint`].
pub fn lint_draft(draft: &Draft, folder: &Folder, targets: &[Target]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for target in targets {
        let (up, down) = (Way::Up.file(target.name()), Way::Down.file(target.name()));
        let text = |file: &str| draft.files().iter().find(|(name, _)| name == file).map(|(_, text)| text.clone());
        let script = Script {
            migration: draft.name(),
            file: up.clone(),
            up: text(&up).unwrap_or_default(),
            down: text(&down),
            before: draft.before().clone(),
            after: draft.after().clone(),
            changes: draft.changes().to_vec(),
            decisions: draft.decisions().to_vec(),
            online: draft.part(),
            earlier: earlier(folder, target)?,
        };
        findings.extend(Engine::new(target)?.findings(&script)?);
    }
    Ok(findings)
}

/// Does something with the last scripts of a folder.
fn each(
    folder: &Folder,
    target: &Target,
    count: usize,
    mut work: impl FnMut(&Engine, &Script) -> Result<()>,
) -> Result<()> {
    let engine = Engine::new(target)?;
    let first = folder.migrations().len().saturating_sub(count);
    let mut last: Option<(&str, Schema)> = None;
    let mut earlier = Vec::new();
    for (number, migration) in folder.migrations().iter().enumerate() {
        // Of the ones before, only the last schema and what they left behind is asked for.
        let after = if number + 1 >= first { migration.schema()? } else { Schema::default() };
        let before = match migration.parents() {
            _ if number < first => Schema::default(),
            [parent] if last.as_ref().is_some_and(|(id, _)| id == parent) => {
                last.take().map(|(_, schema)| schema).unwrap_or_default()
            }
            _ => folder.schema_before(migration)?,
        };
        let script = load(migration, target, &before, after, &earlier)?;
        if number >= first {
            work(&engine, &script)?;
        }
        dependents(&script, target, engine.lint(), &mut earlier)?;
        last = Some((migration.id(), script.after));
    }
    Ok(())
}

/// The schema after the migration of this id.
fn load(
    migration: &Migration,
    target: &Target,
    before: &Schema,
    after: Schema,
    earlier: &[Dependent],
) -> Result<Script> {
    let file = migration.path().join(Way::Up.file(target.name()));
    Ok(Script {
        migration: format!("{}_{}", migration.id(), migration.name()),
        file: file.display().to_string(),
        up: migration.sql(target.name(), Way::Up)?,
        down: Some(migration.sql(target.name(), Way::Down)?),
        before: before.clone(),
        after,
        changes: migration.changes().to_vec(),
        decisions: migration.decisions().to_vec(),
        online: migration.part(),
        earlier: earlier.to_vec(),
    })
}

/// The views and triggers that the migrations of a folder leave behind.
fn earlier(folder: &Folder, target: &Target) -> Result<Vec<Dependent>> {
    let mut found = Vec::new();
    for migration in folder.migrations() {
        let script = load(migration, target, &Schema::default(), Schema::default(), &[])?;
        dependents(&script, target, of(target)?, &mut found)?;
    }
    Ok(found)
}
