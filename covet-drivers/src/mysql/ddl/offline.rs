//! What a script needs that `mysql` or `mariadb` runs.

use crate::contract::Offline;
use crate::mysql::dialect::literal;

pub(super) const OFFLINE: Offline = Offline {
    program: "mysql --database NAME < SCRIPT",
    session: &[
        "SET NAMES utf8mb4 COLLATE /*M! utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */",
        "SET SESSION sql_mode = CONCAT('ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,\
         NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO' \
         /*M! , ',SIMULTANEOUS_ASSIGNMENT' */)",
        "SET SESSION time_zone = '+00:00', SESSION autocommit = 1, SESSION foreign_key_checks = 1, \
         SESSION unique_checks = 1, SESSION lock_wait_timeout = 3",
    ],
    // Each statement that changes the schema commits.
    begin: &[],
    commit: &[],
    literal,
    guard: |count| format!("SELECT CASE WHEN (\n{count}\n) > 0 THEN (SELECT 1 UNION SELECT 2) END"),
    statement: delimited,
};

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
