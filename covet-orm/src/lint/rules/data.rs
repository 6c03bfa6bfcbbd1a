//! What depends on the rows that are there.

use covet_drivers::catalog::Change;
use covet_drivers::lint::{At, Check, ConstraintKind, Hit, Rule, Scene, Severity, What, among, same};

use crate::lint::rules::rebuilt;

pub(super) const DAT01: Rule = Rule {
    id: "DAT01",
    severity: Severity::Error,
    title: "a required column without a value for existing rows",
    trigger: "`ADD COLUMN … NOT NULL` without `DEFAULT`, and no guard before it.",
    effect: "It fails as soon as there is a row; some databases make a value up instead.",
    safer: "A default, a backfill, or a `-- covet:guard` that the table is empty.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in statement.read.acts.iter().filter(|act| !scene.is_new(&act.table, statement.index)) {
                if let What::AddColumn(column) = &act.what
                    && column.leaves_rows_without()
                    && !(At { scene, statement, act }).is_guarded()
                {
                    let message = format!("rows of {} have no value for {}", act.table, column.name);
                    hits.push(Hit::new(statement.index, &act.table, message));
                }
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AddColumn { table, column, backfill: None } = change
                && !column.nullable
                && column.default.is_none()
                && !column.auto
                && !scene.is_guarded(table, index)
            {
                hits.push(Hit::new(index, table, format!("rows of {table} have no value for {}", column.name)));
            }
        }
        hits
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int NOT NULL"],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN a int",
        "-- covet:guard users has rows\nSELECT count(*) FROM users;\nALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0",
    ],
};

pub(super) const DAT02: Rule = Rule {
    id: "DAT02",
    severity: Severity::Error,
    title: "a column no longer allows NULL",
    trigger: "NOT NULL on a column that allowed NULL, without an `UPDATE` of the column or a guard before it.",
    effect: "It fails at the first NULL.",
    safer: "Fill the NULLs first, or guard against them: in Covet `backfill t.c with …` or `no nulls in t.c`.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in &statement.read.acts {
                let column = match &act.what {
                    What::NotNull { column, required: true } => column,
                    What::Redefine { column, def } if def.not_null => column,
                    _ => continue,
                };
                let at = At { scene, statement, act };
                let required = scene.column(&act.table, column).is_some_and(|known| !known.nullable);
                let checked = scene
                    .acts_before(statement.index)
                    .any(|(_, other)| same(&other.table, &act.table) && matches!(other.what, What::Validate { .. }));
                let filled = scene.is_filled(&act.table, column, statement.index);
                let new = scene.is_new(&act.table, statement.index);
                if !required && !checked && !filled && !new && !at.is_guarded() {
                    hits.push(Hit::new(
                        statement.index,
                        &act.table,
                        format!("a NULL in {}.{column} stops it", act.table),
                    ));
                }
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AlterColumn { table, before, after, backfill: None } = change
                && before.nullable
                && !after.nullable
                && !scene.is_guarded(table, index)
            {
                hits.push(Hit::new(index, table, format!("a NULL in {table}.{} stops it", after.name)));
            }
        }
        hits
    }),
    fires: &["ALTER TABLE users ALTER COLUMN name SET NOT NULL", "ALTER TABLE users MODIFY COLUMN age int NOT NULL"],
    silent: &[
        "UPDATE users SET name = '' WHERE name IS NULL;\nALTER TABLE users ALTER COLUMN name SET NOT NULL",
        "-- covet:guard names are missing\nSELECT count(*) FROM users WHERE name IS NULL;\n\
         ALTER TABLE users ALTER COLUMN name SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
    ],
};

pub(super) const DAT03: Rule = Rule {
    id: "DAT03",
    severity: Severity::Error,
    title: "columns become unique",
    trigger: "A unique index, unique constraint or primary key over columns that exist, without a guard before it.",
    effect: "It fails at the first pair of equal values, after reading the table.",
    safer: "Count the duplicates in a `-- covet:guard` first, as Covet does.",
    covers: &[],
    check: Check::Act(|at| {
        let columns = match &at.act.what {
            What::CreateIndex(index) if index.unique => index.columns(),
            What::AddConstraint(found) if !found.using_index => match found.kind {
                ConstraintKind::Unique | ConstraintKind::Primary => found.columns.clone(),
                _ => return None,
            },
            _ => return None,
        };
        let index = at.statement.index;
        let new = columns.iter().any(|column| at.scene.is_new_column(at.table(), column, index));
        (!new && !at.is_guarded()).then(|| format!("equal values of {} ({}) stop it", at.table(), columns.join(", ")))
    }),
    fires: &["CREATE UNIQUE INDEX i ON users (name)", "ALTER TABLE users ADD CONSTRAINT u UNIQUE (name)"],
    silent: &[
        "CREATE INDEX i ON users (name)",
        "-- covet:guard names are not unique\nSELECT count(*) FROM (SELECT 1 FROM users GROUP BY name HAVING count(*) > 1) AS t;\n\
         CREATE UNIQUE INDEX i ON users (name)",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a int);\nCREATE UNIQUE INDEX i ON fresh (a)",
    ],
};

pub(super) const DAT04: Rule = Rule {
    id: "DAT04",
    severity: Severity::Error,
    title: "a foreign key or check over existing rows",
    trigger: "A foreign key or CHECK over columns that exist, without `NOT VALID` and without a guard before it.",
    effect: "It fails at the first row that points at nothing or breaks the condition.",
    safer: "Count such rows in a `-- covet:guard` first, as Covet does.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in statement.read.acts.iter().filter(|act| !scene.is_new(&act.table, statement.index)) {
                let message = breaks(&At { scene, statement, act });
                hits.extend(message.map(|message| Hit::new(statement.index, &act.table, message)));
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AddForeignKey { table, foreign_key } = change
                && !scene.is_guarded(table, index)
                && !foreign_key.columns.iter().all(|column| adds(scene, table, column))
            {
                hits.push(Hit::new(index, table, format!("a row that points at nothing stops {}", foreign_key.name)));
            }
        }
        hits
    }),
    fires: &[
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18)",
        "ALTER TABLE logs ADD CONSTRAINT fk FOREIGN KEY (line) REFERENCES users (email)",
    ],
    silent: &[
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18) NOT VALID",
        "-- covet:guard minors\nSELECT count(*) FROM users WHERE age < 18;\nALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18)",
        "ALTER TABLE users ADD COLUMN p bigint;\nALTER TABLE users ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES posts (id)",
    ],
};

/// Whether the plan adds the column.
fn adds(scene: &Scene<'_>, table: &str, name: &str) -> bool {
    scene.changes.iter().any(|change| {
        matches!(change, Change::AddColumn { table: to, column, .. } if same(to, table) && same(&column.name, name))
    })
}

fn breaks(at: &At<'_>) -> Option<String> {
    let What::AddConstraint(found) = &at.act.what else { return None };
    let index = at.statement.index;
    let new = !found.columns.is_empty()
        && found.columns.iter().all(|column| at.scene.is_new_column(at.table(), column, index));
    let message = match found.kind {
        ConstraintKind::Foreign => "a row that points at nothing",
        ConstraintKind::Check => "a row that breaks the condition",
        _ => return None,
    };
    (!found.not_valid && !new && !at.is_guarded()).then(|| format!("{message} stops it"))
}

pub(super) const DAT05: Rule = Rule {
    id: "DAT05",
    severity: Severity::Warn,
    title: "a key that others point at changes",
    trigger: "Another primary key, or another type of a column that is part of one or that foreign keys point at.",
    effect: "Every table that points at it must change too, in the right order, and every program that keeps keys.",
    safer: "A new key column beside the old one; switch the foreign keys one by one.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in statement.read.acts.iter().filter(|act| !scene.is_new(&act.table, statement.index)) {
                let message = key_changes(&At { scene, statement, act });
                hits.extend(message.map(|message| Hit::new(statement.index, &act.table, message)));
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AlterColumn { table, before, after, .. } = change
                && before.ty != after.ty
            {
                hits.extend(of_key(scene, table, &after.name).map(|message| Hit::new(index, table, message)));
            }
        }
        hits
    }),
    fires: &[
        "ALTER TABLE users ALTER COLUMN id TYPE integer",
        "ALTER TABLE pairs DROP PRIMARY KEY",
        "ALTER TABLE pairs DROP CONSTRAINT pairs_pkey",
    ],
    silent: &["ALTER TABLE users ALTER COLUMN age TYPE bigint"],
};

fn key_changes(at: &At<'_>) -> Option<String> {
    let column = match &at.act.what {
        What::DropConstraint { kind: Some(ConstraintKind::Primary), .. } => return Some(primary(at)),
        What::DropConstraint { name, .. } => {
            let table = at.scene.known(at.table())?;
            return same(name, &table.primary_key_name()).then(|| primary(at));
        }
        What::Retype { column, .. } => column,
        What::Redefine { column, def } => {
            let before = at.scene.column(at.table(), column)?;
            if def.ty.column_type().is_none_or(|ty| ty == before.ty) {
                return None;
            }
            column
        }
        _ => return None,
    };
    of_key(at.scene, at.table(), column)
}

/// What a column is to keys.
fn of_key(scene: &Scene<'_>, table: &str, column: &str) -> Option<String> {
    let key = scene.known(table).is_some_and(|known| among(&known.primary_key, column));
    let by = scene.before.tables.iter().find(|known| {
        known.foreign_keys.iter().any(|key| same(&key.target, table) && among(&key.target_columns, column))
    });
    match (key, by) {
        (_, Some(by)) => Some(format!("{} points at {table}.{column}", by.name)),
        (true, None) => Some(format!("{table}.{column} is part of the primary key")),
        (false, None) => None,
    }
}

fn primary(at: &At<'_>) -> String {
    format!("the primary key of {} goes", at.table())
}
