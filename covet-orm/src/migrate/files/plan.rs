//! `plan.toml`: what a migration is for, and what it follows.

use std::collections::BTreeMap;

use covet_drivers::catalog::Change;
use covet_drivers::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::schema::{inline, list};

/// A part of a change that is made while others read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Part {
    /// The whole of it.
    Whole,
    /// What programs of the last release do not notice, and those of the next one need.
    Expand,
    /// Rows get their values, batch by batch.
    Backfill,
    /// What programs of the last release would not bear: it waits until none of them runs.
    Contract,
}

/// What stands in `plan.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::migrate) struct Plan {
    /// The id.
    pub(in crate::migrate) id: String,
    /// The name.
    pub(in crate::migrate) name: String,
    /// The ids of the migrations that it follows.
    pub(in crate::migrate) parents: Vec<String>,
    /// The version of the tool that made it.
    pub(in crate::migrate) tool: String,
    /// The hash of the schema after it.
    pub(in crate::migrate) schema: String,
    /// The decisions with which it was made.
    #[serde(default)]
    pub(in crate::migrate) decisions: Vec<String>,
    /// The changes.
    #[serde(default)]
    pub(in crate::migrate) changes: Vec<Change>,
    /// The migrations in whose place it stands.
    #[serde(default)]
    pub(in crate::migrate) replaces: Vec<String>,
    /// Those of them that stood in the place of others themselves: each behind these, and none that a database needs to
    /// have known.
    #[serde(default)]
    pub(in crate::migrate) squashes: Vec<String>,
    /// Which part of a change it is that is made while others write; none where they may have to wait.
    #[serde(default)]
    pub(in crate::migrate) online: Option<Part>,
    /// The tables that a script writes anew as a whole.
    #[serde(default)]
    pub(in crate::migrate) rebuilds: Vec<String>,
    /// The checksums of the scripts as they were made, by which it is known which were edited by hand.
    #[serde(default)]
    pub(in crate::migrate) scripts: BTreeMap<String, String>,
}

impl Plan {
    /// The file: a decision and a change a line.
    pub(in crate::migrate) fn to_toml(&self) -> Result<String> {
        let mut out = String::from("# What this migration is for. What runs is in the SQL files.\n");
        for (key, value) in [
            ("id", inline(&self.id)?),
            ("name", inline(&self.name)?),
            ("parents", inline(&self.parents)?),
            ("tool", inline(&self.tool)?),
            ("schema", inline(&self.schema)?),
        ] {
            out.push_str(&format!("{key} = {value}\n"));
        }
        if let Some(part) = &self.online {
            out.push_str(&format!("online = {}\n", inline(part)?));
        }
        list(&mut out, "replaces", &self.replaces)?;
        list(&mut out, "squashes", &self.squashes)?;
        list(&mut out, "rebuilds", &self.rebuilds)?;
        list(&mut out, "decisions", &self.decisions)?;
        list(&mut out, "changes", &self.changes)?;
        if !self.scripts.is_empty() {
            out.push_str("\n[scripts]\n");
        }
        for (name, sum) in &self.scripts {
            out.push_str(&format!("{} = {}\n", inline(name)?, inline(sum)?));
        }
        Ok(out)
    }

    /// The plan of a file's text.
    pub(super) fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Migration, format!("the plan is malformed: {}", error.message())).with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use covet_drivers::catalog::{Change, Column, ColumnDefault, ColumnType};

    use super::{Part, Plan};

    #[test]
    fn comes_back_equal() {
        let column = Column::new("a\"b", ColumnType::Text { max_len: Some(3) });
        let plan = Plan {
            id: "1".into(),
            name: "n".into(),
            parents: vec!["0".into()],
            tool: "0.1.0".into(),
            schema: "sha256:0".into(),
            decisions: vec!["backfill t.\"a\"\"b\" with 'it''s'".into()],
            changes: vec![
                Change::RenameTable { from: "x".into(), to: "t".into() },
                Change::AddColumn { table: "t".into(), column, backfill: Some(ColumnDefault::Text("it's".into())) },
            ],
            replaces: vec!["a".into(), "b".into()],
            squashes: vec!["b".into()],
            online: Some(Part::Expand),
            rebuilds: vec!["t\"".into()],
            scripts: [("up.x.sql".into(), "sha256:0".into()), ("down.x.sql".into(), "sha256:1".into())].into(),
        };
        let text = plan.to_toml().unwrap();
        assert_eq!(Plan::from_toml(&text).unwrap(), plan, "{text}");
        assert!(Plan::from_toml("id = 1").is_err());
        assert!(Plan::from_toml(&(text + "\nunknown = 1")).is_err());
    }
}
