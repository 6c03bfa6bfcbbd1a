//! What breaks programs that are still running.

use covet_drivers::catalog::{Change, ColumnType};
use covet_drivers::lint::{At, Check, Hit, Rule, Severity, What, same, text};

use crate::lint::rules::{is_part_of_rebuild, rebuilt};

pub(super) const BRK01: Rule = Rule {
    id: "BRK01",
    severity: Severity::Warn,
    title: "a table or column gets another name",
    trigger: "`RENAME` of a table or column that was there before.",
    effect: "Programs of the last release, which run while the new one is rolled out, fail.",
    safer: "Add the new one, write both, move the readers, drop the old one; or a view under the old name.",
    covers: &[],
    check: Check::Act(|at| match &at.act.what {
        What::RenameTable { to } if !is_part_of_rebuild(at.scene, at.statement.index, at.act) => {
            // Back from a name that it had only for the while.
            let passing = at
                .scene
                .acts_before(at.statement.index)
                .any(|(_, act)| matches!(&act.what, What::RenameTable { to: between } if same(between, at.table())));
            (!passing).then(|| format!("running programs still ask for {}, not {to}", at.table()))
        }
        What::RenameColumn { from, .. } if at.scene.is_swapped(at.table(), from) => None,
        What::RenameColumn { from, to } => at
            .scene
            .known(at.table())
            .is_none_or(|table| table.columns.iter().any(|column| same(&column.name, from)))
            .then(|| format!("running programs still ask for {}.{from}, not {to}", at.table())),
        _ => None,
    }),
    fires: &["ALTER TABLE users RENAME TO people", "ALTER TABLE users RENAME COLUMN age TO years"],
    silent: &[
        "ALTER TABLE users ADD COLUMN years int",
        "CREATE TABLE fresh (id bigint PRIMARY KEY);\nALTER TABLE fresh RENAME TO newer",
    ],
};

pub(super) const BRK02: Rule = Rule {
    id: "BRK02",
    severity: Severity::Warn,
    title: "running programs meet what they do not know",
    trigger: "A column that allows NULL from now on, an enum with another label, or a new column that every insert must name.",
    effect: "Readers of the last release cannot decode the NULL or the label; its inserts fail for the new column.",
    safer: "First release programs that know it, then change the schema; a default for the new column.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits: Vec<Hit> = Vec::new();
        for statement in &scene.statements {
            for act in &statement.read.acts {
                if !act.table.is_empty() && scene.is_new(&act.table, statement.index) {
                    continue;
                }
                let message = unknown(&At { scene, statement, act });
                hits.extend(message.map(|message| Hit::new(statement.index, &act.table, message)));
            }
        }
        for (index, change) in rebuilt(scene) {
            let message = match change {
                Change::AlterColumn { table, before, after, .. } if !before.nullable && after.nullable => {
                    format!("{table}.{} may be NULL from now on", after.name)
                }
                Change::AddColumn { table, column, .. }
                    if !column.nullable && column.default.is_none() && !column.auto =>
                {
                    format!("inserts that do not name {table}.{} fail", column.name)
                }
                _ => continue,
            };
            hits.push(Hit::new(index, change.table().unwrap_or_default(), message));
        }
        hits
    }),
    fires: &[
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
        "ALTER TYPE role ADD VALUE 'guest'",
        "ALTER TABLE users ADD COLUMN a int NOT NULL",
        "ALTER TABLE users MODIFY COLUMN role enum('reader','editor','owner','guest') NOT NULL",
    ],
    silent: &["ALTER TABLE users ADD COLUMN a int", "ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0"],
};

fn unknown(at: &At<'_>) -> Option<String> {
    let required = |column: &str| at.scene.column(at.table(), column).is_some_and(|known| !known.nullable);
    match &at.act.what {
        What::NotNull { column, required: false } => Some(format!("{}.{column} may be NULL from now on", at.table())),
        What::Redefine { column, def } if required(column) && !def.not_null => {
            Some(format!("{}.{column} may be NULL from now on", at.table()))
        }
        What::Redefine { column, def } if def.ty.name == "enum" => {
            let ColumnType::Enum(before) = &at.scene.column(at.table(), column)?.ty else { return None };
            let label = def.ty.args.iter().find(|label| !before.labels.iter().any(|known| known == label.as_str()))?;
            Some(format!("running programs do not know the label '{label}'"))
        }
        What::AddLabel { label, .. } => Some(format!("running programs do not know the label '{label}'")),
        What::AddColumn(column) if column.leaves_rows_without() => {
            Some(format!("inserts that do not name {}.{} fail", at.table(), column.name))
        }
        _ => None,
    }
}

pub(super) const BRK03: Rule = Rule {
    id: "BRK03",
    severity: Severity::Warn,
    title: "a default changes or goes",
    trigger: "Another default, or none, on a column that was there before.",
    effect: "The same insert writes other values from here on, or fails, whatever release it comes from.",
    safer: "Let the programs write the value first, then change the default.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        if scene.contracts {
            // It runs when every program writes the value.
            return hits;
        }
        for (index, act) in scene.acts() {
            let What::Default { column, value } = &act.what else { continue };
            if scene.is_new(&act.table, index) || scene.is_new_column(&act.table, column, index) {
                continue;
            }
            // Where both schemas know the column, they say whether anything changes.
            let before = scene.column(&act.table, column);
            let after = scene.after_column(&act.table, column);
            let planned =
                scene.changes.iter().any(|change| change.table().is_some_and(|table| same(table, &act.table)));
            let unchanged = planned && before.map(|known| &known.default) == after.map(|known| &known.default);
            if !unchanged {
                let what =
                    value.as_ref().map_or_else(|| String::from("goes"), |value| format!("becomes {}", text(value)));
                hits.push(Hit::new(index, &act.table, format!("the default of {}.{column} {what}", act.table)));
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AlterColumn { table, before, after, .. } = change
                && before.default != after.default
            {
                hits.push(Hit::new(index, table, format!("the default of {table}.{} changes", after.name)));
            }
        }
        hits
    }),
    fires: &["ALTER TABLE users ALTER COLUMN score DROP DEFAULT", "ALTER TABLE users ALTER COLUMN age SET DEFAULT 18"],
    silent: &["ALTER TABLE users ADD COLUMN a int DEFAULT 1;\nALTER TABLE users ALTER COLUMN a DROP DEFAULT"],
};
