//! What a script needs that `psql` runs.

use crate::contract::Offline;
use crate::postgres::types::literal;

pub(super) const OFFLINE: Offline = Offline {
    program: "psql --set ON_ERROR_STOP=1 --file SCRIPT URL",
    head: &[],
    session: || {
        ["client_encoding = 'UTF8'", "standard_conforming_strings = on", "TimeZone = 'UTC'", "lock_timeout = '3s'"]
            .map(|setting| format!("SET {setting}"))
            .into()
    },
    begin: &["BEGIN"],
    commit: &["COMMIT"],
    literal,
    guard: |count| format!("SELECT 1 / CASE WHEN (\n{count}\n) > 0 THEN 0 ELSE 1 END"),
    statement: Offline::with_semicolon,
};
