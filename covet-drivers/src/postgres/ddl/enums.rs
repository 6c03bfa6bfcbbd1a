//! Enums: made, given labels, made anew.

use crate::catalog::{Change, Column, ColumnDefault, ColumnType, EnumType, Qualified, shorten};
use crate::contract::Step;
use crate::error::Result;
use crate::postgres::ddl::plan::Plan;
use crate::postgres::types::{default, literal, qualified, quoted};

impl Plan {
    pub(super) fn create_enum(&mut self, ty: &EnumType) {
        let labels: Vec<String> = ty.labels.iter().map(|label| literal(label)).collect();
        self.sql(format!("CREATE TYPE {} AS ENUM ({})", qualified(&ty.name), labels.join(", ")));
    }

    pub(super) fn alter_enum(
        &mut self,
        before: &EnumType,
        after: &EnumType,
        map: &[(String, String)],
        later: &[Change],
    ) -> Result<()> {
        let columns = self.columns_of(before);
        let mut kept = after.labels.iter().filter(|label| before.labels.contains(label));
        if before.labels.iter().all(|label| kept.next() == Some(label)) {
            self.add_labels(before, after);
            if before.name != after.name {
                self.sql(format!("ALTER TYPE {} RENAME TO {}", qualified(&before.name), bare(&after.name)));
            }
        } else {
            self.recreate(before, after, map, &columns, later);
        }
        for (table, column) in &columns {
            self.column(table, &column.name)?.ty = ColumnType::Enum(after.clone());
        }
        Ok(())
    }

    fn columns_of(&self, ty: &EnumType) -> Vec<(String, Column)> {
        let tables = self.current.tables.iter();
        tables
            .flat_map(|table| table.columns.iter().map(|column| (table.name.clone(), column.clone())))
            .filter(|(_, column)| column.ty.as_enum().is_some_and(|known| known.name == ty.name))
            .collect()
    }

    /// A new label cannot be used in the transaction that adds it, so each is added on its own, before everything else;
    /// `IF NOT EXISTS` lets a migration that broke off go on.
    fn add_labels(&mut self, before: &EnumType, after: &EnumType) {
        let mut last: Option<&str> = None;
        for label in after.labels.iter() {
            if !before.labels.contains(label) {
                let place = match (last, before.labels.first()) {
                    (Some(last), _) => format!(" AFTER {}", literal(last)),
                    (None, Some(first)) => format!(" BEFORE {}", literal(first)),
                    (None, None) => String::new(),
                };
                let name = qualified(&before.name);
                let sql = format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {}{place}", literal(label));
                self.labels.push(Step { alone: true, ..Step::new(sql) });
            }
            last = Some(label);
        }
    }

    /// Labels went or changed places: a new type takes over from the old one.
    fn recreate(
        &mut self,
        before: &EnumType,
        after: &EnumType,
        map: &[(String, String)],
        columns: &[(String, Column)],
        later: &[Change],
    ) {
        let known = after.labels.iter().map(|label| &**label).chain(map.iter().map(|(from, _)| from.as_str()));
        let labels: Vec<String> = known.map(literal).collect();
        for (table, column) in columns {
            let name = quoted(&column.name);
            let condition = if labels.is_empty() {
                format!("{name} IS NOT NULL")
            } else {
                format!("{name}::text NOT IN ({})", labels.join(", "))
            };
            let found = format!("rows of {table} with a label in {} that goes", column.name);
            self.guard(table, |known| known == column.name, &condition, found);
        }
        let known = Qualified::of(&before.name);
        let old = shorten(format!("{}_before", known.name));
        self.sql(format!("ALTER TYPE {} RENAME TO {}", qualified(&before.name), quoted(&old)));
        let old = known.beside(&old);
        self.create_enum(after);
        let ty = qualified(&after.name);
        for (table, column) in columns {
            let name = quoted(&column.name);
            let mut sql = format!("ALTER TABLE {} ", qualified(table));
            if column.default.is_some() {
                sql.push_str(&format!("ALTER COLUMN {name} DROP DEFAULT, "));
            }
            let cases: String =
                map.iter().map(|(from, to)| format!(" WHEN {} THEN {}", literal(from), literal(to))).collect();
            let value = if cases.is_empty() {
                format!("{name}::text")
            } else {
                format!("(CASE {name}::text{cases} ELSE {name}::text END)")
            };
            sql.push_str(&format!("ALTER COLUMN {name} TYPE {ty} USING {value}::{ty}"));
            // A default that goes with its label, or is to be another, is set by the change of the column that follows.
            let changes = later.iter().any(|change| {
                matches!(change, Change::AlterColumn { table: t, before, after, .. }
                    if t == table && before.name == column.name && before.default != after.default)
            });
            if let Some(value) = column.default.as_ref().filter(|_| !changes)
                && !matches!(value, ColumnDefault::Text(label) if !after.labels.contains(label))
            {
                sql.push_str(&format!(", ALTER COLUMN {name} SET DEFAULT {}", default(value, &column.ty)));
            }
            self.sql(sql);
            // Its new type is not there before the first change.
            self.origins.turn(table, &column.name, |_| None);
        }
        self.sql(format!("DROP TYPE {}", qualified(&old)));
    }
}

/// The name behind `RENAME TO`, which says no schema.
fn bare(name: &str) -> String {
    quoted(&Qualified::of(name).name)
}
