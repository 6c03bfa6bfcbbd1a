//! `plan.toml`: what a migration is for, and what it follows.

use covet_drivers::catalog::Change;
use covet_drivers::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::schema::{inline, list};

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
        list(&mut out, "decisions", &self.decisions)?;
        list(&mut out, "changes", &self.changes)?;
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

    use super::Plan;

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
        };
        let text = plan.to_toml().unwrap();
        assert_eq!(Plan::from_toml(&text).unwrap(), plan, "{text}");
        assert!(Plan::from_toml("id = 1").is_err());
        assert!(Plan::from_toml(&(text + "\nunknown = 1")).is_err());
    }
}
