//! A script as the rules see it.

use std::collections::HashSet;

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::contract::Step;
use covet_drivers::lint::{Dependent, Lint, Reading, Scene, Statement, What, read, same, tokens};
use covet_drivers::{Error, Result};

use crate::migrate::{Part, Place, Target, placed};

/// A script and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The migration: id and name.
    pub(super) migration: String,
    /// Where the text comes from.
    pub(super) file: String,
    /// The way forth.
    pub(super) up: String,
    /// The way back, where it is known.
    pub(super) down: Option<String>,
    /// The schema before it.
    pub(super) before: Schema,
    /// The schema after it.
    pub(super) after: Schema,
    /// What it was made for.
    pub(super) changes: Vec<Change>,
    /// What was decided then.
    pub(super) decisions: Vec<String>,
    /// Whether it was made while others write, and as which part of a change.
    pub(super) online: Option<Part>,
    /// Views and triggers from before.
    pub(super) earlier: Vec<Dependent>,
}

impl Script {
    /// The statements with their places.
    ///
    /// # Errors
    /// Those of parsing, with the file.
    pub(super) fn steps(&self, target: &Target) -> Result<Vec<(Step, Place)>> {
        Ok(placed(&self.up, target.dialect).map_err(|error| self.at(&error))?.0)
    }

    /// The scene, in one of the ways in which the database reads.
    pub(super) fn scene(
        &self,
        steps: &[(Step, Place)],
        target: &Target,
        lint: &dyn Lint,
        reading: &Reading,
    ) -> Result<Scene<'_>> {
        let planned = self.own(target);
        let own: HashSet<&str> = planned.iter().map(|step| step.sql.trim()).collect();
        let there: HashSet<&str> = steps.iter().map(|(step, _)| step.sql.trim()).collect();
        let missing = planned.iter().filter(|step| step.guard && !there.contains(step.sql.trim()));
        let missing_guards = missing.map(|step| tokens(&step.sql, reading)).collect();
        let statements = steps.iter().enumerate().map(|(index, (step, _))| Statement {
            index,
            read: read(&step.sql, reading),
            guard: step.guard,
            alone: step.alone,
            begins: step.begins,
            batched: step.batches.is_some(),
            generated: own.contains(step.sql.trim()),
            sql: step.sql.clone(),
        });
        let mut scene = Scene::new(statements.collect(), &self.before, &self.after);
        scene.changes = &self.changes;
        scene.decisions = &self.decisions;
        scene.earlier.clone_from(&self.earlier);
        scene.missing_guards = missing_guards;
        scene.irreversible = self.irreversible(target)?;
        scene.max_identifier = lint.max_identifier();
        scene.one_transaction = lint.one_transaction();
        scene.contracts = self.online == Some(Part::Contract);
        Ok(scene)
    }

    /// What Covet writes for the changes.
    fn own(&self, target: &Target) -> Vec<Step> {
        if self.changes.is_empty() {
            return Vec::new();
        }
        // What cannot be planned was written by hand.
        let planned = match self.online {
            Some(_) => target.ddl.plan_online(&self.changes, &self.before, &self.after),
            None => target.ddl.plan(&self.changes, &self.before, &self.after),
        };
        planned.unwrap_or_default()
    }

    fn irreversible(&self, target: &Target) -> Result<Option<String>> {
        let Some(down) = &self.down else { return Ok(None) };
        let (steps, why) = placed(down, target.dialect).map_err(|error| self.at(&error))?;
        // Values that were filled in may stay.
        let bare = steps.is_empty() && !self.up.trim().is_empty() && self.online != Some(Part::Backfill);
        Ok(why.or_else(|| bare.then(String::new)))
    }

    /// The error, with the file that it is about.
    pub(super) fn at(&self, error: &Error) -> Error {
        let placed = Error::new(error.kind(), format!("{}: {}", self.file, error.message()));
        match error.help() {
            Some(help) => placed.with_help(help.to_owned()),
            None => placed,
        }
    }
}

/// Adds the views and triggers that a script makes, and takes away those that it drops.
pub(super) fn dependents(script: &Script, target: &Target, lint: &dyn Lint, known: &mut Vec<Dependent>) -> Result<()> {
    let Some(reading) = lint.readings().first() else { return Ok(()) };
    // Most scripts make neither, and need not be read a second time.
    let lower = script.up.to_lowercase();
    if known.is_empty() && !lower.contains("view") && !lower.contains("trigger") {
        return Ok(());
    }
    for (step, _) in script.steps(target)? {
        for act in read(&step.sql, reading).acts {
            match act.what {
                What::CreateView { name, body } => {
                    known.retain(|other| !same(&other.name, &name));
                    known.push(Dependent { name, table: String::new(), body });
                }
                What::CreateTrigger { name, body } => {
                    known.retain(|other| !same(&other.name, &name));
                    known.push(Dependent { name, table: act.table, body });
                }
                What::DropView { name, .. } | What::DropTrigger { name } => {
                    known.retain(|other| !same(&other.name, &name))
                }
                What::DropTable { .. } => known.retain(|other| !same(&other.table, &act.table)),
                _ => {}
            }
        }
    }
    Ok(())
}
