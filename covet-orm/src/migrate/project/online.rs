//! Makes a change in parts, each a migration: others read and write while it runs, and between the parts.

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, Part};
use crate::migrate::project::split::{Parts, split};
use crate::migrate::project::{Draft, Making, Project};
use crate::schema::{Decision, Diff, apply, diff, way_back};

impl Part {
    fn suffix(self) -> &'static str {
        match self {
            Part::Whole => "",
            Part::Expand => "_expand",
            Part::Backfill => "_backfill",
            Part::Contract => "_contract",
        }
    }
}

impl Project {
    /// As [`drafts`](Project::drafts).
    pub(super) fn drafts_online(
        &self,
        folder: &Folder,
        after: &Schema,
        name: Option<&str>,
        decisions: &[Decision],
    ) -> Result<Vec<Draft>> {
        let mut after = after.clone();
        after.sort();
        let before = folder.schema()?;
        let decisions = &self.decided(&before, &after, decisions)?;
        let changes = self.changes(folder, &before, &after, decisions)?;
        let name = name.map_or_else(|| self.name_for(folder, &changes), str::to_owned);
        let mut parents: Vec<String> = folder.heads().into_iter().map(|head| head.id().to_owned()).collect();
        let mut parts = self.parts(&changes, &before)?.into_iter().peekable();
        let (mut drafts, mut from) = (Vec::new(), before);
        while let Some((part, changes)) = parts.next() {
            let mut to = from.clone();
            changes.iter().try_for_each(|change| apply(&mut to, change))?;
            to.sort();
            if parts.peek().is_none() {
                arrived(&to, &after)?;
                to.clone_from(&after);
            }
            let back = back(&changes, way_back(&from, &to, decisions)?);
            let name = format!("{name}{}", part.suffix());
            let draft = self.assemble(Making {
                name: &name,
                parents: std::mem::take(&mut parents),
                part: Some(part),
                before: &from,
                after: &to,
                changes,
                back,
                decisions,
            })?;
            parents.push(draft.plan.id.clone());
            drafts.push(draft);
            from = to;
        }
        Ok(drafts)
    }

    /// The parts, none of which is empty. Where no database can change its schema online there is one.
    fn parts(&self, changes: &[Change], before: &Schema) -> Result<Vec<(Part, Vec<Change>)>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        if self.offline().count() == self.targets.len() {
            return Ok(vec![(Part::Whole, changes.to_vec())]);
        }
        let rewrites = |one: &_, other: &_| self.targets.iter().any(|target| target.ddl.rewrites(one, other));
        let Parts { expand, backfill, contract } = split(changes, before, &rewrites)?;
        let parts = [(Part::Expand, expand), (Part::Backfill, backfill), (Part::Contract, contract)];
        let mut parts: Vec<(Part, Vec<Change>)> =
            parts.into_iter().filter(|(_, changes)| !changes.is_empty()).collect();
        if let [(part, _)] = &mut parts[..] {
            *part = Part::Whole;
        }
        Ok(parts)
    }
}

/// The parts lead where the change leads.
fn arrived(reached: &Schema, wanted: &Schema) -> Result<()> {
    match diff(reached, wanted, &[])? {
        Diff::Changes(left) if left.is_empty() => Ok(()),
        left => Err(Error::new(
            ErrorKind::Migration,
            format!("the parts of the change do not lead to the schema that is wanted: {left:?}"),
        )
        .with_help("this is a fault in Covet: please report it with both schemas")),
    }
}

/// The way back, with what the schema does not tell: columns that follow others.
fn back(changes: &[Change], schema: Vec<Change>) -> Vec<Change> {
    let mut first = Vec::new();
    let mut last = Vec::new();
    for change in changes {
        match change.clone() {
            Change::FollowColumn { table, from, to } => first.push(Change::UnfollowColumn { table, from, to }),
            Change::SwapColumn { table, from, to } => {
                // It may hold NULL until the part that is undone.
                let to = covet_drivers::catalog::Column { nullable: true, default: None, ..to };
                last.push(Change::FollowColumn { table: table.clone(), from: from.clone(), to: to.clone() });
                last.push(Change::CopyColumn { table, from, to });
            }
            _ => {}
        }
    }
    first.into_iter().chain(schema).chain(last).collect()
}
