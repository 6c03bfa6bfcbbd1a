//! What a column may have for which Covet has no word: `MODIFY` says a column in full, and what is left out is gone.

use crate::catalog::{Column, ColumnType};
use crate::contract::Step;
use crate::mysql::ddl::Plan;
use crate::mysql::dialect::literal;
use crate::mysql::types::{CASE_INSENSITIVE, CASE_SENSITIVE};

impl Plan<'_> {
    /// Stops the migration, before its first change, where the column would lose what others gave it.
    pub(super) fn keep_unsaid(&mut self, table: &str, now: &Column, after: &Column) {
        // A column that comes with this migration has only what Covet gives it.
        let Some((of, name)) = self.origins.place(table, &now.name) else { return };
        let (of, name) = (of.to_owned(), name.to_owned());
        let mut lost = "EXTRA REGEXP 'on update|invisible'".to_owned();
        if let Some(collation) = collation(&of, now, after) {
            lost.push_str(&format!(" OR {collation}"));
        }
        // A check in the definition of its column has the column's name, and is on MariaDB a part of it. MySQL keeps it, and
        // has no such type of constraint.
        if self.now.table(table).is_some_and(|known| known.checks.iter().any(|check| check.name == name)) {
            lost.push_str(&format!(
                " OR EXISTS (SELECT 1 FROM information_schema./*M! CHECK_CONSTRAINTS */ /*!80000 TABLE_CONSTRAINTS */ AS k \
                 WHERE k.CONSTRAINT_SCHEMA = DATABASE() AND k.TABLE_NAME = {} AND k.CONSTRAINT_NAME = {} \
                 AND k./*M! LEVEL */ /*!80000 CONSTRAINT_TYPE */ = 'Column')",
                literal(&of),
                literal(&name)
            ));
        }
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {} \
             AND COLUMN_NAME = {} AND ({lost})",
            literal(&of),
            literal(&name)
        );
        let found = format!(
            "{of}.{name} has what no model can say and would lose it (ON UPDATE, INVISIBLE, a collation or a check of \
             its own): write it into the change of the column below by hand, and take this guard out"
        );
        self.first(Step::guard(sql, found));
    }
}

/// The condition that the collation would become another one; `None` where nothing keeps it, or it is to change.
fn collation(table: &str, now: &Column, after: &Column) -> Option<String> {
    use ColumnType::{Enum, Other, Text};
    match (&now.ty, &after.ty) {
        (Text { .. } | Enum(_), Text { .. } | Enum(_)) if now.case_insensitive == after.case_insensitive => {
            // On either product: what the one calls its own the other does not have.
            let both = [CASE_SENSITIVE, CASE_INSENSITIVE];
            let names = both.iter().flat_map(|words| words.split(' ')).filter(|word| word.starts_with("utf8mb4"));
            let names: Vec<String> = names.map(literal).collect();
            Some(format!("COLLATION_NAME NOT IN ({})", names.join(", ")))
        }
        // Said without a collation, it gets that of its character set, or else of its table.
        (Other(ty), Other(_)) if ty.contains("CHARACTER SET") => Some(
            "COLLATION_NAME NOT IN (SELECT d.DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS AS d)".into(),
        ),
        (Other(_), Other(_)) => Some(format!(
            "COLLATION_NAME <> (SELECT t.TABLE_COLLATION FROM information_schema.TABLES AS t \
             WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = {})",
            literal(table)
        )),
        _ => None,
    }
}
