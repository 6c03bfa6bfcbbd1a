//! What a script needs that `mysql` or `mariadb` runs.

use crate::contract::Offline;
use crate::mysql::connect::{MARIADB_MODE, MODES, SETTINGS};
use crate::mysql::dialect::literal;
use crate::mysql::types::CASE_SENSITIVE;

pub(super) const OFFLINE: Offline = Offline {
    program: "mysql --database NAME < SCRIPT",
    head: &[],
    session,
    // Each statement that changes the schema commits.
    begin: &[],
    commit: &[],
    literal,
    guard: |count| format!("SELECT CASE WHEN (\n{count}\n) > 0 THEN (SELECT 1 UNION SELECT 2) END"),
    statement: delimited,
};

/// As a connection sets it, for both servers in one text.
fn session() -> Vec<String> {
    vec![
        format!("SET NAMES utf8mb4 COLLATE {CASE_SENSITIVE}"),
        format!("SET SESSION sql_mode = CONCAT('{MODES}' /*M! , ',{MARIADB_MODE}' */)"),
        format!("SET {SETTINGS}, SESSION lock_wait_timeout = 3"),
    ]
}

/// The program ends a statement at every semicolon outside of quotes, unless it is told another sign.
fn delimited(sql: &str) -> String {
    if !sql.contains(';') {
        return format!("{sql};");
    }
    let mut sign = "$$".to_owned();
    while sql.contains(&sign) {
        sign.push('$');
    }
    format!("DELIMITER {sign}\n{sql}{sign}\nDELIMITER ;")
}

#[cfg(test)]
mod tests {
    use super::delimited;

    #[test]
    fn a_body_has_a_sign_of_its_own() {
        assert_eq!(delimited("SELECT 1"), "SELECT 1;");
        assert_eq!(delimited("BEGIN a; END"), "DELIMITER $$\nBEGIN a; END$$\nDELIMITER ;");
        assert_eq!(delimited("a; '$$'"), "DELIMITER $$$\na; '$$'$$$\nDELIMITER ;");
    }
}
