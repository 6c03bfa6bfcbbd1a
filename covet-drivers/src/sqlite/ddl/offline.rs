//! What a script needs that `sqlite3` runs.

use crate::contract::Offline;
use crate::sqlite::ddl::literal::literal;
use crate::sqlite::ddl::rebuild::MAKE_KEPT;

pub(super) const OFFLINE: Offline = Offline {
    program: "sqlite3 -bail FILE < SCRIPT",
    head: &[
        "A trigger or an index that no model declares, and that would go with a table which is rebuilt, ends the script",
        "before it commits, with its name: a script cannot make it again. Drop it ahead and create it behind, in the file",
        "of the migration, or apply that one by `cargo covet migrate up`. Whether the views and triggers that nobody",
        "declared can still be read and run is not looked at.",
    ],
    session: Vec::new,
    // Inside a transaction the first would do nothing.
    begin: &["PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE", "PRAGMA legacy_alter_table = ON", MAKE_KEPT],
    commit: &[
        "SELECT name || ' would go with the table that is rebuilt' FROM temp._covet_kept",
        "SELECT CASE WHEN (\nSELECT count(*) FROM temp._covet_kept\n) > 0 \
         THEN abs(-9223372036854775808) END /* triggers or indexes that no model declares would be lost */",
        "DROP TABLE temp._covet_kept",
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
