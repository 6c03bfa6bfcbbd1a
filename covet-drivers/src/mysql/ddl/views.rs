//! Views that the changes would break: the server changes what they read without a word.

use crate::catalog::{Change, ObjectKind};
use crate::contract::Step;
use crate::mysql::dialect::{literal, quote};

/// Guards that look for views over columns that go and over what gets another name; views that the changes take away do
/// not count. Whoever drops a whole table has consented to that.
pub(super) fn guards(changes: &[Change]) -> Vec<Step> {
    let declared: Vec<String> = changes
        .iter()
        .filter_map(|change| match change {
            Change::DropObject { object } if object.kind == ObjectKind::View => Some(literal(&object.name)),
            _ => None,
        })
        .collect();
    let but =
        if declared.is_empty() { String::new() } else { format!(" AND TABLE_NAME NOT IN ({})", declared.join(", ")) };
    let mut names = Names::default();
    let mut steps: Vec<Step> = Vec::new();
    for change in changes {
        let (table, column) = match change {
            Change::RenameTable { from, .. } => (names.table(from), None),
            Change::DropColumn { table, column } => (names.table(table), Some(names.column(table, &column.name))),
            Change::RenameColumn { table, from, .. } => (names.table(table), Some(names.column(table, from))),
            _ => continue,
        };
        names.follow(change);
        // The server writes a view's definition anew, with every name in full.
        let mut condition = format!("LOCATE(CONCAT('`', DATABASE(), '`.', {}), VIEW_DEFINITION) > 0", of(&table));
        let mut place = table;
        if let Some(column) = column {
            condition.push_str(&format!(" AND LOCATE({}, VIEW_DEFINITION) > 0", of(&column)));
            place = format!("{place}.{column}");
        }
        let step = Step::guard(
            format!(
                "SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() AND {condition}{but}"
            ),
            format!("views that read {place} would be broken: drop them before and create them anew, or declare them"),
        );
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

fn of(name: &str) -> String {
    literal(&quote(name))
}

/// The names that things had before the first change.
#[derive(Default)]
struct Names {
    /// Table: now, before.
    tables: Vec<(String, String)>,
    /// Column: table as it was before, now, before.
    columns: Vec<(String, String, String)>,
}

impl Names {
    fn table(&self, now: &str) -> String {
        self.tables.iter().find(|(name, _)| name == now).map_or(now, |(_, before)| before).to_owned()
    }

    fn column(&self, table: &str, now: &str) -> String {
        let table = self.table(table);
        let found = self.columns.iter().find(|(of, name, _)| *of == table && name == now);
        found.map_or(now, |(_, _, before)| before).to_owned()
    }

    fn follow(&mut self, change: &Change) {
        match change {
            Change::RenameTable { from, to } => {
                let before = self.table(from);
                self.tables.retain(|(name, _)| name != from);
                self.tables.push((to.clone(), before));
            }
            Change::RenameColumn { table, from, to } => {
                let (of, before) = (self.table(table), self.column(table, from));
                self.columns.retain(|(table, name, _)| *table != of || name != from);
                self.columns.push((of, to.clone(), before));
            }
            _ => {}
        }
    }
}
