//! Pragmas: what does nothing where it stands, and what the next borrower of the connection meets.

use crate::lint::{At, Check, Rule, Severity, What};

pub(super) const SL01: Rule = Rule {
    id: "SL01",
    severity: Severity::Error,
    title: "a rebuild that may fire foreign keys",
    trigger: "`PRAGMA foreign_keys` or `defer_foreign_keys` in a script, or a table that is dropped for its rebuild in a statement that stands alone.",
    effect: "In a transaction the pragma does nothing, and deferring does not stop actions: `DROP TABLE` deletes or empties the rows that point at the table (CASCADE, SET NULL).",
    safer: "Leave pragma and `-- covet:alone` out: Covet switches foreign keys off before the transaction, reads the switch back, and checks all keys before it commits.",
    covers: &["SL15"],
    check: Check::Any(|at| match &at.act.what {
        What::Set { name, .. } if name == "foreign_keys" || name == "defer_foreign_keys" => {
            Some(format!("PRAGMA {name} does not protect what it seems to protect here"))
        }
        What::DropTable { .. } if at.statement.alone && is_rebuilt(at) => {
            Some(format!("{} is dropped with foreign keys on", at.table()))
        }
        _ => None,
    }),
    fires: &[
        "PRAGMA foreign_keys = OFF;\nDELETE FROM logs WHERE line IS NULL",
        "PRAGMA defer_foreign_keys = ON",
        "CREATE TABLE users_new (id integer PRIMARY KEY, age text) STRICT;\n\
         INSERT INTO users_new (id, age) SELECT id, age FROM users;\n\
         -- covet:alone\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users",
    ],
    silent: &["PRAGMA foreign_key_check"],
};

fn is_rebuilt(at: &At<'_>) -> bool {
    at.scene.rebuilds.iter().any(|rebuild| rebuild.drop == at.statement.index)
}

/// Pragmas that only tell.
const READING: &[&str] = &[
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
    "optimize",
];

pub(super) const SL15: Rule = Rule {
    id: "SL15",
    severity: Severity::Warn,
    title: "a pragma on a connection that others get",
    trigger: "A pragma that sets something, written by hand.",
    effect: "It holds for one connection of the pool, and for whoever gets that one next; some do nothing in a transaction.",
    safer: "Say it in the URL, where every connection gets it.",
    covers: &[],
    check: Check::Any(|at| match &at.act.what {
        What::Set { name, value }
            if !at.statement.generated && !value.is_empty() && !READING.contains(&name.as_str()) =>
        {
            Some(format!("PRAGMA {name} holds for this connection, and after the migration too"))
        }
        _ => None,
    }),
    fires: &["PRAGMA synchronous = OFF"],
    silent: &["PRAGMA table_info(users)", "PRAGMA foreign_key_check"],
};
