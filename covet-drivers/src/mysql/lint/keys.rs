//! Keys and indexes.

use crate::catalog::{ColumnType, ForeignKey};
use crate::lint::{
    At, Check, Constraint, ConstraintKind, IndexDef, Rule, Severity, Standing, What, among, mentions_table, same,
};
use crate::mysql::types::MAX_VARCHAR;

/// The foreign keys that an act makes.
fn new_keys<'a>(at: &'a At<'_>) -> Vec<&'a Constraint> {
    let is_key = |found: &&Constraint| found.kind == ConstraintKind::Foreign;
    match &at.act.what {
        What::AddConstraint(found) => std::iter::once(found).filter(is_key).collect(),
        What::CreateTable(table) => table.constraints.iter().filter(is_key).collect(),
        _ => Vec::new(),
    }
}

pub(super) const MA09: Rule = Rule {
    id: "MA09",
    severity: Severity::Error,
    title: "a foreign key added while checks are off",
    trigger: "`SET foreign_key_checks = 0` before a new foreign key, and no guard on the table behind it.",
    effect: "Rows that point at nothing are accepted and stay.",
    safer: "Leave the checks on, or count the orphans first.",
    covers: &[],
    check: Check::Act(|at| {
        let off = at.scene.acts_before(at.statement.index).filter_map(|(_, act)| match &act.what {
            What::Set { name, value } if name == "foreign_key_checks" => Some(value == "0" || value == "off"),
            _ => None,
        });
        let counted = at
            .scene
            .statements
            .iter()
            .skip(at.statement.index)
            .any(|statement| statement.guard && mentions_table(&statement.read.tokens, at.table()));
        let off = off.last().unwrap_or(false) && !counted;
        (off && !new_keys(at).is_empty()).then(|| String::from("nobody checks whether the rows point at something"))
    }),
    fires: &["SET foreign_key_checks = 0;\nALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id)"],
    silent: &["ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id)"],
};

pub(super) const MA10: Rule = Rule {
    id: "MA10",
    severity: Severity::Error,
    title: "a foreign key that is not what it says",
    trigger: "A foreign key over columns that are not unique, `SET DEFAULT`, or `REFERENCES` behind a column.",
    effect: "Accepted: which row is meant is open; `SET DEFAULT` does nothing; MySQL before 9 reads an inline `REFERENCES` and forgets it.",
    safer: "Point at a primary or unique key, with `CONSTRAINT … FOREIGN KEY (…)`.",
    covers: &[],
    check: Check::Any(|at| {
        let inline = match &at.act.what {
            What::AddColumn(column) => column.has(ConstraintKind::Foreign),
            What::CreateTable(table) => table.columns.iter().any(|column| column.has(ConstraintKind::Foreign)),
            _ => false,
        };
        if inline {
            return Some(String::from("REFERENCES behind a column is forgotten by MySQL"));
        }
        let keys = new_keys(at);
        if keys.iter().any(|key| key.set_default) {
            return Some(String::from("SET DEFAULT does nothing"));
        }
        let loose = keys.iter().find(|key| {
            // With what the same statement makes.
            let target = key.target.as_deref().and_then(|target| at.scene.standing(target, at.statement.index + 1));
            let is_unique = |standing: &Standing| standing.keeps_unique(&key.target_columns);
            !key.target_columns.is_empty() && target.is_some_and(|standing| !standing.iter().any(is_unique))
        })?;
        Some(format!(
            "{} ({}) is not unique",
            loose.target.as_deref().unwrap_or_default(),
            loose.target_columns.join(", ")
        ))
    }),
    fires: &[
        "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (age)",
        "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id) ON DELETE SET DEFAULT",
        "ALTER TABLE posts ADD COLUMN editor bigint REFERENCES users (id)",
        "CREATE UNIQUE INDEX users_age_key ON users (age);\nDROP INDEX users_age_key ON users;\nALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (age)",
        "CREATE TABLE notes (id bigint PRIMARY KEY, parent bigint, CONSTRAINT fk FOREIGN KEY (id) REFERENCES notes (parent))",
    ],
    silent: &[
        "CREATE TABLE notes (id bigint PRIMARY KEY, parent bigint, CONSTRAINT fk FOREIGN KEY (parent) REFERENCES notes (id))",
        "CREATE UNIQUE INDEX users_age_key ON users (age);\nALTER TABLE users RENAME COLUMN age TO years;\nALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (years)",
        "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id)",
        "CREATE UNIQUE INDEX users_age_key ON users (age);\nALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (age)",
    ],
};

pub(super) const MA11: Rule = Rule {
    id: "MA11",
    severity: Severity::Error,
    title: "a column under a foreign key gets another type",
    trigger: "`MODIFY` or `CHANGE` to another type while a foreign key stands on the column, on either end.",
    effect: "Refused (1832, 1833), also with checks off; what came before in the file is done by then.",
    safer: "Drop the foreign key, change both columns, add it again: three statements. Covet writes them so.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Redefine { column, def } = &at.act.what else { return None };
        let before = at.scene.column(at.table(), column)?;
        if def.ty.column_type().is_some_and(|ty| ty == before.ty) {
            return None;
        }
        let key = at.scene.before.tables.iter().find_map(|table| {
            table.foreign_keys.iter().find(|key| {
                let own = same(&table.name, at.table()) && among(&key.columns, column);
                let other = same(&key.target, at.table()) && among(&key.target_columns, column);
                (own || other) && !gone(at, &key.name)
            })
        })?;
        Some(format!("{} stands on {}.{column}", key.name, at.table()))
    }),
    fires: &[
        "ALTER TABLE posts MODIFY COLUMN user_id int NOT NULL",
        "ALTER TABLE users MODIFY COLUMN id int NOT NULL AUTO_INCREMENT",
    ],
    silent: &[
        "ALTER TABLE posts DROP FOREIGN KEY posts_user_id_fkey;\nALTER TABLE posts MODIFY COLUMN user_id int NOT NULL",
        "ALTER TABLE users MODIFY COLUMN age bigint NULL",
    ],
};

pub(super) const MA12: Rule = Rule {
    id: "MA12",
    severity: Severity::Error,
    title: "a foreign key dropped and added in one ALTER",
    trigger: "`DROP FOREIGN KEY x` and `ADD CONSTRAINT x` in one statement.",
    effect: "Refused (errno 121): the name is taken until the statement ends.",
    safer: "Two statements.",
    covers: &[],
    check: Check::Act(|at| {
        let What::DropConstraint { name, .. } = &at.act.what else { return None };
        let again = at.statement.read.acts.iter().any(|act| {
            matches!(&act.what, What::AddConstraint(found) if found.kind == ConstraintKind::Foreign
                && found.name.as_deref().is_some_and(|added| same(added, name)))
        });
        again.then(|| format!("{name} is still taken when it is added again"))
    }),
    fires: &["ALTER TABLE posts DROP FOREIGN KEY posts_user_id_fkey, \
         ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)"],
    silent: &["ALTER TABLE posts DROP FOREIGN KEY posts_user_id_fkey;\n\
         ALTER TABLE posts ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)"],
};

pub(super) const MA13: Rule = Rule {
    id: "MA13",
    severity: Severity::Warn,
    title: "a foreign key and its index go apart",
    trigger: "A foreign key dropped without the index that was made for it, or an index dropped that a foreign key needs.",
    effect: "The index stays and is maintained for nothing; the other way round the server refuses (1553).",
    safer: "Drop the key, then its index.",
    covers: &[],
    check: Check::Act(|at| {
        let table = at.scene.table(at.table())?;
        match &at.act.what {
            What::DropConstraint { name, kind, .. } if kind.is_none_or(|kind| kind == ConstraintKind::Foreign) => {
                let key = table.foreign_keys.iter().find(|key| same(&key.name, name))?;
                let comes_back = at
                    .scene
                    .acts_after(at.statement.index)
                    .any(|(_, act)| matches!(&act.what, What::AddConstraint(found) if found.columns == key.columns));
                let dropped = at
                    .scene
                    .acts()
                    .any(|(_, act)| matches!(&act.what, What::DropIndex { name: index, .. } if same(index, name)));
                let serves = |index: &Standing| index.begins_with(&key.columns);
                let served = at.scene.standing(at.table(), at.statement.index)?.iter().any(serves);
                (!served && !dropped && !comes_back)
                    .then(|| format!("the index {name} stays when its foreign key goes"))
            }
            What::DropIndex { name, .. } => {
                let standing = at.scene.standing(at.table(), at.statement.index)?;
                let (going, staying): (Vec<_>, Vec<_>) = standing.iter().partition(|index| same(&index.name, name));
                let serves = |indexes: &[&Standing], key: &ForeignKey| {
                    indexes.iter().any(|index| index.begins_with(&key.columns))
                };
                let needed = table
                    .foreign_keys
                    .iter()
                    .find(|key| serves(&going, key) && !serves(&staying, key) && !gone(at, &key.name))?;
                Some(format!("the foreign key {} needs the index {name}", needed.name))
            }
            _ => None,
        }
    }),
    fires: &["ALTER TABLE posts DROP FOREIGN KEY posts_user_id_fkey", "DROP INDEX logs_user_idx ON logs"],
    silent: &["ALTER TABLE posts DROP FOREIGN KEY posts_user_id_fkey;\nDROP INDEX posts_user_id_fkey ON posts"],
};

/// Whether the script drops the constraint before the statement.
fn gone(at: &At<'_>, name: &str) -> bool {
    at.scene
        .acts_before(at.statement.index)
        .any(|(_, act)| matches!(&act.what, What::DropConstraint { name: dropped, .. } if same(dropped, name)))
}

pub(super) const MA14: Rule = Rule {
    id: "MA14",
    severity: Severity::Warn,
    title: "a dropped column shortens an index",
    trigger: "`DROP COLUMN` of a column that shares an index with others.",
    effect: "The index goes on without the column, without a word.",
    safer: "Drop the index first, and create the one that is to remain.",
    covers: &[],
    check: Check::Act(|at| {
        let What::DropColumn { column, .. } = &at.act.what else { return None };
        let table = at.scene.known(at.table())?;
        let index = table.indexes.iter().find(|index| {
            let dropped = || {
                at.scene
                    .acts_before(at.statement.index)
                    .any(|(_, act)| matches!(&act.what, What::DropIndex { name, .. } if same(name, &index.name)))
            };
            index.terms.len() > 1 && among(&index.column_names(), column) && !dropped()
        })?;
        Some(format!("the index {} goes on without {column}", index.name))
    }),
    fires: &["ALTER TABLE posts DROP COLUMN title"],
    silent: &[
        "DROP INDEX posts_title_slug_idx ON posts;\nALTER TABLE posts DROP COLUMN title",
        "ALTER TABLE users DROP COLUMN age",
    ],
};

pub(super) const MA15: Rule = Rule {
    id: "MA15",
    severity: Severity::Warn,
    title: "an index over more than it can hold",
    trigger: "An index on unbounded text, or with keys of more than 3072 bytes, without a prefix length.",
    effect: "A unique one becomes a hash without an order, a plain one is cut to 768 characters, without a word (MariaDB); MySQL refuses.",
    safer: "A prefix, or a column with a hash of the text.",
    covers: &[],
    check: Check::Any(|at| {
        let indexes: Vec<&IndexDef> = match &at.act.what {
            What::CreateIndex(index) if index.special.is_none() => vec![index],
            _ => return None,
        };
        let index = indexes.first()?;
        let mut bytes = 0_u32;
        for term in index.terms.iter().filter(|term| term.prefix.is_none()) {
            let column = term.column.as_ref()?;
            match &at.scene.after_column(at.table(), column)?.ty {
                ColumnType::Text { max_len: Some(most) } if *most <= MAX_VARCHAR => {
                    bytes = bytes.saturating_add(most * 4)
                }
                ColumnType::Text { .. } | ColumnType::Bytes | ColumnType::Json => {
                    return Some(format!("{}.{column} has no limit", at.table()));
                }
                _ => bytes = bytes.saturating_add(8),
            }
        }
        (bytes > 3072).then(|| format!("its keys can have {bytes} bytes"))
    }),
    fires: &["CREATE INDEX i ON users (bio)", "CREATE UNIQUE INDEX i ON posts (body)"],
    silent: &["CREATE INDEX i ON users (bio(100))", "CREATE INDEX i ON users (email)"],
};
