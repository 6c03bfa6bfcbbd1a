//! What a script says of its session.

use crate::lint::{Check, Rule, Severity, What};

pub(super) const MA04: Rule = Rule {
    id: "MA04",
    severity: Severity::Error,
    title: "a session without strict mode",
    trigger: "`SET sql_mode` without a strict mode. Covet's sessions are strict.",
    effect: "Values are cut, zeroed and blanked with a warning that nobody reads.",
    safer: "Leave `sql_mode` alone.",
    covers: &[],
    check: Check::Any(|at| match &at.act.what {
        What::Set { name, value }
            if name == "sql_mode" && !value.contains("strict_") && !value.contains("sql_mode") =>
        {
            Some(String::from("from here on values that do not fit are changed"))
        }
        _ => None,
    }),
    fires: &["SET sql_mode = ''", "SET SESSION sql_mode = 'ANSI_QUOTES'"],
    silent: &["SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'", "SET time_zone = '+00:00'"],
};

/// What a migration may wait for a lock, in seconds.
const MOST: u64 = 600;

pub(super) const MA18: Rule = Rule {
    id: "MA18",
    severity: Severity::Warn,
    title: "a lock on the definition is waited for all day",
    trigger: "A `lock_wait_timeout` of more than ten minutes, or `DEFAULT`: a day, where the server says nothing else.",
    effect: "The ALTER waits for the longest transaction, and everybody who comes later waits behind it. Covet sets 3 s where nothing else is said.",
    safer: "Leave `lock_wait_timeout` alone, or `SET lock_wait_timeout = 5`: what ends by it is tried again.",
    covers: &[],
    check: Check::Any(|at| {
        let What::Set { name, value } = &at.act.what else { return None };
        let long = name == "lock_wait_timeout" && value.parse().is_ok_and(|most: u64| most > MOST);
        let unset = name == "lock_wait_timeout" && value.eq_ignore_ascii_case("default");
        (long || unset).then(|| format!("lock_wait_timeout = {value} lets everybody wait behind the migration"))
    }),
    fires: &[
        "SET lock_wait_timeout = 86400;\nALTER TABLE users ADD COLUMN a int",
        "SET SESSION lock_wait_timeout = DEFAULT",
    ],
    silent: &["ALTER TABLE users ADD COLUMN a int", "SET lock_wait_timeout = 5;\nALTER TABLE users ADD COLUMN a int"],
};
