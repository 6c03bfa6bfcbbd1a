//! How long locks are waited for and held.

use crate::lint::{Act, At, Check, ConstraintKind, Hit, Rule, Scene, Severity, What};
use crate::postgres::lint::types::is_long;

/// Longer than this nobody should stand in the queue.
const MOST: u64 = 60_000;

pub(super) const PG13: Rule = Rule {
    id: "PG13",
    severity: Severity::Error,
    title: "a lock that is waited for without end",
    trigger: "A `lock_timeout` of 0 or more than a minute.",
    effect: "Everybody who comes later, reader or writer, waits behind the migration. Covet sets 3 s where nothing else is said.",
    safer: "Leave `lock_timeout` alone, or `SET lock_timeout = '2s'`: what ends by it is tried again.",
    covers: &[],
    check: Check::Any(|at| {
        let What::Set { name, value } = &at.act.what else { return None };
        let long = name == "lock_timeout" && milliseconds(value).is_none_or(|most| most == 0 || most > MOST);
        long.then(|| format!("lock_timeout = {value} lets everybody wait behind the migration"))
    }),
    fires: &[
        "SET lock_timeout = 0;\nALTER TABLE users ADD COLUMN a int",
        "SET lock_timeout = '2min'",
        "SET lock_timeout = DEFAULT",
    ],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int",
        "-- covet:alone\nALTER TABLE users ADD COLUMN a int",
        "SET LOCAL lock_timeout = '2s';\nALTER TABLE users ADD COLUMN a int",
    ],
};

/// A time as PostgreSQL takes it.
fn milliseconds(value: &str) -> Option<u64> {
    let value = value.trim().trim_matches('\'');
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    Some(match value.get(digits.len()..).unwrap_or_default().trim() {
        "" | "ms" => number,
        "s" => number * 1000,
        "min" => number * 60_000,
        _ => return None,
    })
}

pub(super) const PG14: Rule = Rule {
    id: "PG14",
    severity: Severity::Warn,
    title: "long work behind a lock that stops everybody",
    trigger: "An ACCESS EXCLUSIVE lock, and later in the same transaction a statement that reads or writes many rows.",
    effect: "Nobody reads or writes the locked table until that work is done and committed.",
    safer: "Two migrations, the quick change last; or the long work with `-- covet:alone`.",
    covers: &[],
    check: Check::Script(|scene| {
        for statement in &scene.statements {
            let locks =
                statement.read.acts.iter().find(|act| {
                    is_exclusive(act) && !act.table.is_empty() && !scene.is_new(&act.table, statement.index)
                });
            let Some(act) = locks else { continue };
            if let Some(number) = long_work(scene, statement.index) {
                let message = format!("{} is locked for everybody while statement {number} works", act.table);
                return vec![Hit::new(statement.index, &act.table, message)];
            }
        }
        Vec::new()
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int;\nUPDATE posts SET body = '' WHERE body IS NULL"],
    silent: &[
        "UPDATE posts SET body = '' WHERE body IS NULL;\nALTER TABLE users ADD COLUMN a int",
        "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE posts ADD COLUMN a int",
    ],
};

/// The number of the first statement behind this one that works long, in its transaction.
fn long_work(scene: &Scene<'_>, index: usize) -> Option<usize> {
    let rest = scene.rest_of_transaction(index);
    let long = rest.iter().find(|statement| {
        statement.read.acts.iter().any(|act| {
            let new = !act.table.is_empty() && scene.is_new(&act.table, statement.index);
            !new && is_long(&At { scene, statement, act })
        })
    });
    long.map(|statement| statement.index + 1)
}

pub(super) const PG21: Rule = Rule {
    id: "PG21",
    severity: Severity::Warn,
    title: "other statements with strong locks",
    trigger: "`EXCLUDE`, `CREATE TRIGGER`, `VACUUM FULL`, `CLUSTER`, `REINDEX`, `REFRESH MATERIALIZED VIEW`, `DETACH PARTITION` without `CONCURRENTLY`, `LOCK TABLE`.",
    effect: "ACCESS EXCLUSIVE for most of them, some for as long as they work; `CREATE TRIGGER` takes SHARE ROW EXCLUSIVE.",
    safer: "The form with `CONCURRENTLY`, alone; else a quiet time and a lock timeout.",
    covers: &[],
    check: Check::Act(|at| {
        let what = match &at.act.what {
            What::AddConstraint(found) if found.kind == ConstraintKind::Exclude => "EXCLUDE",
            // Covet's own is short, and waits for its lock as long as it may.
            What::CreateTrigger { .. } if at.statement.generated => return None,
            What::CreateTrigger { .. } => "CREATE TRIGGER",
            What::Detach { concurrently: false } => "DETACH PARTITION",
            What::Upkeep { what, concurrently: false } if what != "VACUUM" => what,
            _ => return None,
        };
        Some(format!("{what} takes a strong lock"))
    }),
    fires: &[
        "ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING gist (name WITH =)",
        "CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
        "-- covet:alone\nVACUUM FULL users",
        "REINDEX TABLE users",
        "ALTER TABLE users DETACH PARTITION users_old",
    ],
    silent: &[
        "-- covet:alone\nREINDEX INDEX CONCURRENTLY posts_title_slug_idx",
        "CREATE TABLE fresh (id bigint PRIMARY KEY);\n\
         CREATE TRIGGER t AFTER INSERT ON fresh FOR EACH ROW EXECUTE FUNCTION f()",
    ],
};

/// Whether it takes ACCESS EXCLUSIVE.
fn is_exclusive(act: &Act) -> bool {
    match &act.what {
        What::DropTable { .. }
        | What::RenameTable { .. }
        | What::Truncate { .. }
        | What::AddColumn(_)
        | What::DropColumn { .. }
        | What::RenameColumn { .. }
        | What::Retype { .. }
        | What::NotNull { .. }
        | What::Default { .. }
        | What::AddIdentity { .. }
        | What::DropConstraint { .. }
        | What::DropIndex { .. }
        | What::Detach { .. } => true,
        What::AddConstraint(found) => found.kind != ConstraintKind::Foreign,
        What::Upkeep { what, .. } => what != "VACUUM",
        _ => false,
    }
}
