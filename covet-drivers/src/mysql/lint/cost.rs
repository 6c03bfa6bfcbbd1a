//! What an `ALTER TABLE` costs: a copy, a rebuild, or nothing.

use crate::catalog::{Column, ColumnType};
use crate::lint::{At, Check, ColumnDef, ConstraintKind, Rule, Severity, What};

/// The way in which the server makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// The rows are copied, and nobody writes meanwhile.
    Copy(&'static str),
    /// The table is rebuilt in place, while others write.
    Rebuild(&'static str),
    /// Only the definition changes.
    Instant(&'static str),
}

/// The bytes up to which a length is kept in one byte.
const SHORT: u32 = 255;

fn cost(at: &At<'_>) -> Option<Cost> {
    use Cost::{Copy, Instant, Rebuild};
    Some(match &at.act.what {
        What::AddConstraint(found) => match found.kind {
            ConstraintKind::Check => Copy("a new CHECK"),
            ConstraintKind::Foreign => Copy("a new foreign key (with foreign_key_checks on)"),
            ConstraintKind::Primary => Rebuild("another primary key"),
            _ => return None,
        },
        What::AddColumn(column) if column.generated == Some(true) => Copy("a stored generated column"),
        What::AddColumn(column) if column.auto => Rebuild("a column that numbers itself (nobody writes meanwhile)"),
        What::AddColumn(column) if has_call(column) => Copy("a default that is computed for each row"),
        What::AddColumn(column) if column.has(ConstraintKind::Check) => Copy("a new CHECK"),
        What::AddColumn(_) => Instant("a new column"),
        What::DropConstraint { kind: Some(ConstraintKind::Primary), .. } => Rebuild("another primary key"),
        What::CreateIndex(index) if index.special.is_some() => {
            Rebuild("a fulltext or spatial index (nobody writes meanwhile)")
        }
        What::How { word, .. } if word == "convert" => Copy("another character set"),
        What::Redefine { column, def } => match at.scene.column(at.table(), column) {
            Some(before) => redefined(before, def)?,
            None => Copy("a new definition of a column that is not known here"),
        },
        What::DropColumn { .. } => Instant("a column that goes"),
        What::RenameColumn { .. } => Instant("a column under another name"),
        What::Default { .. } => Instant("another default"),
        _ => return None,
    })
}

/// `DEFAULT uuid()` and its like; the clock is a constant of the statement.
fn has_call(column: &ColumnDef) -> bool {
    let default = column.default.as_deref().unwrap_or_default();
    let clock = ["current_timestamp", "now", "localtime", "localtimestamp"];
    default.windows(2).any(|pair| match pair {
        [word, open] => word.name().is_some() && open.is_symbol('(') && !word.is_any(&clock),
        _ => false,
    })
}

fn redefined(before: &Column, def: &ColumnDef) -> Option<Cost> {
    use ColumnType::{Enum, Text};
    if def.generated == Some(true) {
        return Some(Cost::Copy("a column that becomes stored"));
    }
    if def.auto && !before.auto {
        return Some(Cost::Copy("a column that numbers itself from now on"));
    }
    let retyped = match (&before.ty, def.ty.column_type()) {
        (Enum(ty), _) if def.ty.name == "enum" => {
            let labels: Vec<&str> = ty.labels.iter().map(AsRef::as_ref).collect();
            let appended = def.ty.args.iter().map(String::as_str).take(labels.len()).eq(labels.iter().copied());
            if appended { None } else { Some(Cost::Copy("labels that go or change places")) }
        }
        (Text { max_len: Some(from) }, Some(Text { max_len: Some(to) })) => {
            let crosses = from.saturating_mul(4) <= SHORT && to.saturating_mul(4) > SHORT;
            if to < *from {
                Some(Cost::Copy("a shorter text"))
            } else if crosses {
                Some(Cost::Copy("a text that grows beyond 255 bytes"))
            } else {
                None
            }
        }
        (from, Some(to)) if *from == to => None,
        // These are one type to the server.
        (ColumnType::Timestamp, Some(ColumnType::DateTime)) => None,
        (ColumnType::Uuid, None) if def.ty.name == "binary" => None,
        _ => Some(Cost::Copy("another type")),
    };
    if retyped.is_some() {
        return retyped;
    }
    if before.nullable == def.not_null {
        return Some(Cost::Rebuild("NOT NULL that comes or goes"));
    }
    Some(Cost::Instant("a new definition"))
}

/// Whether the statement says that it shall fail where it cannot be quick.
fn is_asserted(at: &At<'_>) -> bool {
    at.statement.read.acts.iter().any(|act| match &act.what {
        What::How { word, value } => {
            (word == "algorithm" && ["instant", "nocopy"].contains(&value.as_str()))
                || (word == "lock" && value == "none")
        }
        _ => false,
    })
}

pub(super) const MA06: Rule = Rule {
    id: "MA06",
    severity: Severity::Error,
    title: "a change that copies the table",
    trigger: "Another type, a text that shrinks or grows beyond 255 bytes, labels that go or move, a stored generated column, a new CHECK or foreign key, another character set, `DEFAULT uuid()`, AUTO_INCREMENT.",
    effect: "ALGORITHM=COPY: the rows are copied, and nobody writes meanwhile (MariaDB from 11.2 on lets others write where it can); replicas fall behind.",
    safer: "A new column filled in batches, or gh-ost or pt-online-schema-change. With `LOCK=NONE` in the statement it fails instead of locking.",
    covers: &[],
    check: Check::Act(|at| match cost(at)? {
        Cost::Copy(what) if !is_asserted(at) => {
            Some(format!("{what}: {} is copied, and nobody writes to it meanwhile", at.table()))
        }
        _ => None,
    }),
    fires: &[
        "ALTER TABLE users MODIFY COLUMN age bigint NULL",
        "ALTER TABLE posts MODIFY COLUMN title varchar(64) COLLATE utf8mb4_bin NOT NULL",
        "ALTER TABLE users MODIFY COLUMN email varchar(20) COLLATE utf8mb4_bin NOT NULL",
        "ALTER TABLE users MODIFY COLUMN role enum('reader','owner') COLLATE utf8mb4_bin NOT NULL DEFAULT 'reader' COMMENT 'enum role'",
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18)",
        "ALTER TABLE logs ADD CONSTRAINT fk FOREIGN KEY (line) REFERENCES users (email)",
        "ALTER TABLE users ADD COLUMN u char(36) DEFAULT (uuid())",
        "ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4",
        "ALTER TABLE users ADD COLUMN g int GENERATED ALWAYS AS (age + 1) STORED",
    ],
    silent: &[
        "ALTER TABLE users MODIFY COLUMN email varchar(300) COLLATE utf8mb4_bin NOT NULL",
        "ALTER TABLE users MODIFY COLUMN role enum('reader','editor','owner','guest') COLLATE utf8mb4_bin NOT NULL DEFAULT 'reader' COMMENT 'enum role'",
        "ALTER TABLE users ADD COLUMN a int",
        "ALTER TABLE users MODIFY COLUMN age bigint NULL, LOCK=NONE",
    ],
};

pub(super) const MA07: Rule = Rule {
    id: "MA07",
    severity: Severity::Warn,
    title: "a change that rebuilds the table in place",
    trigger: "NOT NULL that comes or goes, another primary key, a fulltext or spatial index, a new column that numbers itself.",
    effect: "ALGORITHM=INPLACE: every row is written anew; others write meanwhile, but a replica stands still as long. A numbering column and a fulltext or spatial index need LOCK=SHARED: nobody writes.",
    safer: "A quiet time, or gh-ost or pt-online-schema-change; with `LOCK=NONE` it fails where others could not write meanwhile.",
    covers: &[],
    check: Check::Act(|at| match cost(at)? {
        Cost::Rebuild(what) if !is_asserted(at) => Some(format!("{what}: {} is rebuilt", at.table())),
        _ => None,
    }),
    fires: &[
        "ALTER TABLE users MODIFY COLUMN age int NOT NULL",
        "ALTER TABLE pairs DROP PRIMARY KEY, ADD PRIMARY KEY (b, a)",
        "CREATE FULLTEXT INDEX f ON users (bio)",
        "ALTER TABLE logs ADD COLUMN id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
    ],
    silent: &["ALTER TABLE users ADD COLUMN a int", "CREATE INDEX i ON users (age)"],
};

pub(super) const MA08: Rule = Rule {
    id: "MA08",
    severity: Severity::Info,
    title: "a change that takes effect at once, as long as it is said so",
    trigger: "A column that comes, goes or is renamed, a default, an appended label, a text that grows without crossing 255 bytes, in SQL written by hand without `ALGORITHM=INSTANT`.",
    effect: "Only the definition changes. Where the server cannot do it so (an old row format, a fulltext index), it silently takes a slower way.",
    safer: "`ALGORITHM=INSTANT`, so that it fails instead.",
    covers: &[],
    check: Check::Act(|at| match cost(at)? {
        Cost::Instant(what) if !is_asserted(at) && !at.statement.generated => {
            Some(format!("{what}: say ALGORITHM=INSTANT, and it is that or an error"))
        }
        _ => None,
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int", "ALTER TABLE users ALTER COLUMN age SET DEFAULT 1"],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int, ALGORITHM=INSTANT",
        "ALTER TABLE users MODIFY COLUMN age bigint NULL",
    ],
};
