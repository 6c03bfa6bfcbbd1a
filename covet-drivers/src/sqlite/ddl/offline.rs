//! What a script needs that `sqlite3` runs.

use crate::contract::Offline;
use crate::sqlite::ddl::literal::literal;

pub(super) const OFFLINE: Offline = Offline {
    program: "sqlite3 -bail FILE < SCRIPT",
    session: Vec::new,
    // Inside a transaction the first would do nothing.
    begin: &["PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE", "PRAGMA legacy_alter_table = ON"],
    commit: &[
        "SELECT CASE WHEN (\nSELECT count(*) FROM pragma_foreign_key_check\n) > 0 \
         THEN abs(-9223372036854775808) END /* rows point at nothing */",
        "PRAGMA legacy_alter_table = OFF",
        "COMMIT",
        "PRAGMA foreign_keys = ON",
    ],
    literal,
    // The number that has no counterpart is an error, and any other text would be read as 0.
    guard: |count| format!("SELECT CASE WHEN (\n{count}\n) > 0 THEN abs(-9223372036854775808) END"),
    statement: Offline::with_semicolon,
};
