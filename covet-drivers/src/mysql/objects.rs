//! The texts of views, triggers and functions, as an object that is declared beside the models says them.

use crate::contract::{Connection, Unmodelled};
use crate::error::Result;
use crate::mysql::dialect::{QUOTING, quote};
use crate::mysql::introspect::rows;
use crate::sql::Lexer;

/// A view that checks what is written through it, or works with the rights of whoever reads it, says more than its text.
const VIEWS: &str = "SELECT TABLE_NAME, VIEW_DEFINITION, DATABASE() FROM information_schema.VIEWS \
    WHERE TABLE_SCHEMA = DATABASE() AND CHECK_OPTION = 'NONE' AND SECURITY_TYPE = 'DEFINER'";

/// Of several at one moment the first alone: the others say whom they follow.
const TRIGGERS: &str = "SELECT TRIGGER_NAME, CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION, ' ON `', \
    REPLACE(EVENT_OBJECT_TABLE, '`', '``'), '` FOR EACH ROW ', ACTION_STATEMENT), DATABASE() \
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND ACTION_ORDER = 1";

/// Gives those their definitions that can be said.
pub(super) async fn define(connection: &mut dyn Connection, found: &mut [Unmodelled]) -> Result<()> {
    for (kind, question) in [("view", VIEWS), ("trigger", TRIGGERS)] {
        for row in rows(connection, question, 3).await? {
            let [Some(name), Some(text), Some(database)] = row.as_slice() else { continue };
            let same = |one: &&mut Unmodelled| one.kind == kind && one.name == *name;
            if let Some(one) = found.iter_mut().find(same) {
                one.definition = if kind == "view" { at_home(text, database) } else { Some(text.clone()) };
            }
        }
    }
    for one in found.iter_mut().filter(|one| one.kind == "function") {
        let sql = format!("SHOW CREATE FUNCTION {}", quote(&one.name));
        // The text is NULL for whoever may not see it.
        let text = rows(connection, &sql, 3).await?.pop().and_then(|row| row.into_iter().nth(2)).flatten();
        let behind = format!("FUNCTION {}", quote(&one.name));
        one.definition = text.and_then(|text| Some(text.split_once(&behind)?.1.trim().to_owned()));
    }
    Ok(())
}

/// The text of a view without the name of its own database, which the server writes before each table; `None` for one
/// in which a quote is open.
fn at_home(text: &str, database: &str) -> Option<String> {
    let own = quote(database);
    let mut lexer = Lexer::new(text, QUOTING);
    let mut out = String::with_capacity(text.len());
    while let Some(piece) = lexer.next().ok()? {
        if piece.text == own && lexer.rest().starts_with('.') {
            lexer.skip(1);
        } else {
            out.push_str(piece.text);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::at_home;

    #[test]
    fn the_own_database_goes_and_nothing_else() {
        for (text, want) in [
            ("select `a`.`t`.`x` AS `x` from `a`.`t`", "select `t`.`x` AS `x` from `t`"),
            ("select '`a`.' AS `y` from `b`.`t`", "select '`a`.' AS `y` from `b`.`t`"),
            (r"select 'it\'s `a`.' from `a`.`t`", r"select 'it\'s `a`.' from `t`"),
            ("select 'it''s' from `a`.`a`.`a`", "select 'it''s' from `a`"),
        ] {
            assert_eq!(at_home(text, "a").as_deref(), Some(want));
        }
    }
}
