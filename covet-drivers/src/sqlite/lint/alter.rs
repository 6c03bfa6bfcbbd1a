//! What `ALTER TABLE` refuses.

use crate::lint::{At, Check, ColumnDef, ConstraintKind, Rule, Severity, What, among, same};

pub(super) const SL09: Rule = Rule {
    id: "SL09",
    severity: Severity::Error,
    title: "ADD COLUMN that SQLite refuses",
    trigger: "A new column with UNIQUE, PRIMARY KEY, a stored generated value, a default that is no constant, `REFERENCES` with a default, or NOT NULL without one.",
    effect: "An error, with rows in the table or always.",
    safer: "A rebuild, which is what Covet writes for it.",
    covers: &["DAT01"],
    check: Check::Act(|at| {
        let What::AddColumn(column) = &at.act.what else { return None };
        refused(column).map(|why| format!("{}.{} cannot be added in place: {why}", at.table(), column.name))
    }),
    fires: &[
        "ALTER TABLE users ADD COLUMN code text UNIQUE",
        "ALTER TABLE users ADD COLUMN t text DEFAULT CURRENT_TIMESTAMP",
        "ALTER TABLE users ADD COLUMN t text DEFAULT (random())",
        "ALTER TABLE users ADD COLUMN a integer NOT NULL",
        "ALTER TABLE users ADD COLUMN p integer DEFAULT 1 REFERENCES posts (id)",
        "ALTER TABLE users ADD COLUMN g integer AS (age + 1) STORED",
    ],
    silent: &[
        "ALTER TABLE users ADD COLUMN a integer NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN p integer REFERENCES posts (id)",
    ],
};

fn refused(column: &ColumnDef) -> Option<&'static str> {
    let default = column.default.as_deref().unwrap_or_default();
    let is_null = default.first().is_none_or(|token| token.is("null"));
    if column.has(ConstraintKind::Unique) {
        Some("it is UNIQUE")
    } else if column.has(ConstraintKind::Primary) {
        Some("it is a PRIMARY KEY")
    } else if column.generated == Some(true) {
        Some("it is stored")
    } else if default.first().is_some_and(|token| {
        token.is_symbol('(') || token.is_any(&["current_timestamp", "current_date", "current_time"])
    }) {
        Some("its default is no constant")
    } else if column.has(ConstraintKind::Foreign) && !is_null {
        Some("it points at rows and has a default")
    } else if column.not_null && is_null && column.generated.is_none() {
        Some("it is NOT NULL and has no default")
    } else {
        None
    }
}

pub(super) const SL10: Rule = Rule {
    id: "SL10",
    severity: Severity::Error,
    title: "DROP COLUMN that SQLite refuses",
    trigger: "A column that is part of the primary key, of an index that stands, of a foreign key on either end, or named by an earlier view or trigger.",
    effect: "An error.",
    safer: "Drop the index first, or rebuild the table, which is what Covet writes for it.",
    covers: &[],
    check: Check::Act(|at| {
        let What::DropColumn { column, .. } = &at.act.what else { return None };
        bound(at, column).map(|by| format!("{}.{column} is part of {by}", at.table()))
    }),
    fires: &[
        "ALTER TABLE users DROP COLUMN id",
        "ALTER TABLE users DROP COLUMN email",
        "ALTER TABLE posts DROP COLUMN user_id",
        "-- earlier: CREATE VIEW adults AS SELECT age FROM users\nALTER TABLE users DROP COLUMN age",
    ],
    silent: &["ALTER TABLE users DROP COLUMN age", "DROP INDEX users_email_key;\nALTER TABLE users DROP COLUMN email"],
};

fn bound(at: &At<'_>, column: &str) -> Option<String> {
    let scene = at.scene;
    let dropped = |name: &str| {
        scene
            .acts_before(at.statement.index)
            .any(|(_, act)| matches!(&act.what, What::DropIndex { name: gone, .. } if same(gone, name)))
    };
    let table = scene.known(at.table())?;
    if among(&table.primary_key, column) {
        return Some(String::from("the primary key"));
    }
    if let Some(index) =
        table.indexes.iter().find(|index| among(&index.column_names(), column) && !dropped(&index.name))
    {
        return Some(format!("the index {}", index.name));
    }
    let key = scene.before.tables.iter().find_map(|other| {
        other.foreign_keys.iter().find(|key| {
            (same(&other.name, &table.name) && among(&key.columns, column))
                || (same(&key.target, &table.name) && among(&key.target_columns, column))
        })
    });
    if let Some(key) = key {
        return Some(format!("the foreign key {}", key.name));
    }
    let reader = scene.earlier.iter().find(|known| {
        let about = same(&known.table, at.table()) || crate::lint::mentions_table(&known.body, at.table());
        about && crate::lint::mentions(&known.body, column)
    })?;
    Some(reader.name.clone())
}

pub(super) const SL11: Rule = Rule {
    id: "SL11",
    severity: Severity::Warn,
    title: "only the case of a name changes",
    trigger: "`RENAME TO` a name that differs in case alone.",
    effect: "An error: to SQLite the name is taken, by the table itself.",
    safer: "By way of a third name. Covet writes it so.",
    covers: &["BRK01"],
    check: Check::Act(|at| match &at.act.what {
        What::RenameTable { to } if same(at.table(), to) => Some(format!("{to} is taken by {} itself", at.table())),
        _ => None,
    }),
    fires: &["ALTER TABLE users RENAME TO Users"],
    silent: &["ALTER TABLE users RENAME TO people"],
};
