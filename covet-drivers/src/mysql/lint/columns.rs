//! Columns: values that nobody gave, and attributes that nobody took away.

use crate::catalog::{Column, ColumnType};
use crate::lint::{At, Check, ColumnDef, Rule, Severity, What};

pub(super) const MA03: Rule = Rule {
    id: "MA03",
    severity: Severity::Error,
    title: "NOT NULL added without a default",
    trigger: "`ADD COLUMN … NOT NULL` without `DEFAULT`, and no guard before it.",
    effect: "Existing rows get 0, '', the first label, `0000-00-00` or invalid JSON, without a word and in strict mode too.",
    safer: "A default, or a `-- covet:guard` that the table is empty.",
    covers: &["DAT01"],
    check: Check::Act(|at| match &at.act.what {
        What::AddColumn(column) if column.leaves_rows_without() && !at.is_guarded() => {
            Some(format!("rows of {} get a value for {} that nobody chose", at.table(), column.name))
        }
        _ => None,
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int NOT NULL"],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0",
        "-- covet:guard users has rows\nSELECT COUNT(*) FROM users;\nALTER TABLE users ADD COLUMN a int NOT NULL",
    ],
};

pub(super) const MA05: Rule = Rule {
    id: "MA05",
    severity: Severity::Error,
    title: "MODIFY or CHANGE leaves attributes out",
    trigger: "A definition, written by hand, without the NOT NULL, default, AUTO_INCREMENT, comment or collation that the column has.",
    effect: "What is left out is gone afterwards, without a word.",
    safer: "The whole definition, from `SHOW CREATE TABLE`; or `ALTER COLUMN … SET DEFAULT`, `RENAME COLUMN`.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Redefine { column, def } = &at.act.what else { return None };
        if at.statement.generated {
            return None;
        }
        match at.scene.column(at.table(), column) {
            Some(before) => {
                let lost = lost(before, def);
                (!lost.is_empty()).then(|| format!("{}.{column} loses its {}", at.table(), lost.join(", ")))
            }
            None => Some(format!("what {}.{column} has is not known here, and what is not said is lost", at.table())),
        }
    }),
    fires: &[
        "ALTER TABLE users MODIFY COLUMN score int NOT NULL",
        "ALTER TABLE users MODIFY COLUMN id bigint NOT NULL",
        "ALTER TABLE users CHANGE COLUMN score points int DEFAULT 0",
        "ALTER TABLE users MODIFY COLUMN email varchar(300) NOT NULL",
    ],
    silent: &[
        "ALTER TABLE users MODIFY COLUMN score bigint NOT NULL DEFAULT 0",
        "ALTER TABLE users MODIFY COLUMN email varchar(300) COLLATE utf8mb4_bin NOT NULL",
    ],
};

fn lost(before: &Column, def: &ColumnDef) -> Vec<&'static str> {
    let mut lost = Vec::new();
    // To allow NULL is said by NULL.
    if !before.nullable && !def.not_null && !def.null {
        lost.push("NOT NULL");
    }
    if before.default.is_some() && def.default.is_none() {
        lost.push("default");
    }
    if before.auto && !def.auto {
        lost.push("AUTO_INCREMENT");
    }
    if crate::mysql::types::comment(&before.ty, before.comment.as_deref()).is_some() && !def.comment {
        lost.push("comment, by which Covet may know its type");
    }
    let stays_text = matches!(before.ty, ColumnType::Text { .. } | ColumnType::Enum(_))
        && ["varchar", "text", "longtext", "mediumtext", "char", "enum"].contains(&def.ty.name.as_str());
    if stays_text && def.collation.is_none() {
        lost.push("collation");
    }
    lost
}

pub(super) const MA17: Rule = Rule {
    id: "MA17",
    severity: Severity::Warn,
    title: "a column becomes virtual, or stops to be",
    trigger: "`MODIFY` or `CHANGE` to a virtual generated column.",
    effect: "The server refuses it (1907): between plain, stored and virtual only drop and add lead.",
    safer: "Drop the column and add it again, or add another one.",
    covers: &["DST08"],
    check: Check::Act(|at| match &at.act.what {
        What::Redefine { column, def } if def.generated == Some(false) => {
            Some(format!("{}.{column} cannot become virtual in place", at.table()))
        }
        _ => None,
    }),
    fires: &["ALTER TABLE users MODIFY COLUMN score int GENERATED ALWAYS AS (age + 1) VIRTUAL"],
    silent: &["ALTER TABLE users ADD COLUMN next int GENERATED ALWAYS AS (age + 1) VIRTUAL"],
};

pub(super) const MA19: Rule = Rule {
    id: "MA19",
    severity: Severity::Warn,
    title: "timestamp has a zone and a will of its own",
    trigger: "A `timestamp` column without an explicit NULL or DEFAULT, or a change between `timestamp` and `datetime`.",
    effect: "Old modes give it `DEFAULT current_timestamp ON UPDATE …`; values are converted by the session's zone, and end in 2038.",
    safer: "`datetime(6)` that holds UTC, which is what Covet writes.",
    covers: &[],
    check: Check::Any(|at| {
        let found = match &at.act.what {
            What::AddColumn(column) => automatic(column),
            What::CreateTable(table) => table.columns.iter().find_map(automatic),
            What::Redefine { column, def } => automatic(def).or_else(|| zoned(at, column, def)),
            _ => None,
        };
        found.map(|what| format!("{}.{what}", at.table()))
    }),
    fires: &[
        "ALTER TABLE users ADD COLUMN t timestamp",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, t timestamp NOT NULL)",
        "ALTER TABLE users MODIFY COLUMN created timestamp NOT NULL DEFAULT current_timestamp",
    ],
    silent: &["ALTER TABLE users ADD COLUMN t timestamp NULL", "ALTER TABLE users ADD COLUMN t datetime(6)"],
};

fn automatic(column: &ColumnDef) -> Option<String> {
    let bare = column.ty.name == "timestamp" && !column.null && column.default.is_none();
    bare.then(|| format!("{} may get a default and an ON UPDATE that nobody wrote", column.name))
}

fn zoned(at: &At<'_>, column: &str, def: &ColumnDef) -> Option<String> {
    let before = &at.scene.column(at.table(), column)?.ty;
    let was_datetime = matches!(before, ColumnType::DateTime | ColumnType::Timestamp);
    (was_datetime && def.ty.name == "timestamp").then(|| format!("{column} is converted by the session's zone"))
}
