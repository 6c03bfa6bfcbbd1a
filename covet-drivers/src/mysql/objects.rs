//! The texts of views, triggers and functions, as an object that is declared beside the models says them.

use crate::contract::{Connection, Unmodelled};
use crate::error::Result;
use crate::mysql::dialect::{QUOTING, quote};
use crate::mysql::introspect::rows;
use crate::sql::{Kind, Lexer};

/// A view that checks what is written through it, or works with the rights of whoever reads it, says more than its text.
const VIEWS: &str = "SELECT TABLE_NAME, VIEW_DEFINITION, DATABASE() FROM information_schema.VIEWS \
    WHERE TABLE_SCHEMA = DATABASE() AND CHECK_OPTION = 'NONE' AND SECURITY_TYPE = 'DEFINER'";

/// Of several at one moment the first alone: the others say whom they follow.
const TRIGGERS: &str = "SELECT TRIGGER_NAME, CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION, ' ON `', \
    REPLACE(EVENT_OBJECT_TABLE, '`', '``'), '` FOR EACH ROW ', ACTION_STATEMENT), DATABASE() \
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND ACTION_ORDER = 1";

/// Gives those their definitions that can be said. Of one whose text the server keeps from this user, that is said.
pub(super) async fn define(connection: &mut dyn Connection, found: &mut [Unmodelled]) -> Result<()> {
    for (kind, question) in [("view", VIEWS), ("trigger", TRIGGERS)] {
        for row in rows(connection, question, 3).await? {
            let [Some(name), text, Some(database)] = row.as_slice() else { continue };
            let same = |one: &&mut Unmodelled| one.kind == kind && one.name == *name;
            let Some(one) = found.iter_mut().find(same) else { continue };
            match text.as_deref().filter(|text| !text.is_empty()) {
                Some(text) if kind == "view" => one.definition = at_home(text, database),
                Some(text) => one.definition = Some(text.to_owned()),
                None => hidden(one, if kind == "view" { "the right SHOW VIEW" } else { "the right TRIGGER" }),
            }
        }
    }
    for one in found.iter_mut().filter(|one| one.kind == "function") {
        let sql = format!("SHOW CREATE FUNCTION {}", quote(&one.name));
        let text = rows(connection, &sql, 3).await?.pop().and_then(|row| row.into_iter().nth(2)).flatten();
        let behind = format!("FUNCTION {}", quote(&one.name));
        match text.filter(|text| !text.is_empty()) {
            Some(text) => one.definition = text.split_once(&behind).map(|(_, text)| text.trim().to_owned()),
            None => hidden(one, "to be its owner or to have the right to see all routines"),
        }
    }
    Ok(())
}

/// The text is NULL for whoever may not see it, and that of a view is empty.
fn hidden(one: &mut Unmodelled, needs: &str) {
    one.detail = format!("its text is not shown to this user, who needs {needs}");
}

/// The text of a view without the name of its own database, which the server writes before each table, function and
/// sequence; `None` for one in which a quote is open.
fn at_home(text: &str, database: &str) -> Option<String> {
    let own = quote(database);
    let mut lexer = Lexer::new(text, QUOTING);
    let mut clauses = Clauses { outer: Vec::new(), selects: true, before: Before::Any };
    let mut out = String::with_capacity(text.len());
    while let Some(piece) = lexer.next().ok()? {
        if piece.kind != Kind::Name || !lexer.rest().starts_with('.') {
            out.push_str(piece.text);
            clauses.pass(piece.kind, piece.text);
            continue;
        }
        // Of three names the first is always the database. Of two it may be a table too, or what stands for one here.
        let mut names = vec![piece.text];
        while lexer.rest().starts_with('.') {
            lexer.skip(1);
            names.push(lexer.next().ok()??.text);
        }
        let is_of_database = names.len() > 2 || clauses.names_tables() || lexer.rest().starts_with('(');
        let from = usize::from(names[0] == own && is_of_database);
        out.push_str(&names[from..].join("."));
        clauses.pass(Kind::Name, piece.text);
    }
    Some(out)
}

/// Where in a select the text is, as far as to know what a name stands for.
struct Clauses {
    /// What `selects` was outside of each open parenthesis.
    outer: Vec<bool>,
    /// From `SELECT` on up to its `FROM`: that of `extract(year from …)` begins no tables.
    selects: bool,
    /// The word or sign before, where it says what the name or parenthesis behind it is.
    before: Before,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Any,
    /// A table comes.
    Table,
    /// One of the functions whose argument is a sequence.
    Sequence,
}

impl Clauses {
    /// Whether a name that stands here is one of a table or sequence.
    fn names_tables(&self) -> bool {
        self.before == Before::Table
    }

    fn pass(&mut self, kind: Kind, text: &str) {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let before = self.before;
        match kind {
            Kind::Blank | Kind::Comment => return,
            Kind::Sign if text == "(" => {
                self.outer.push(std::mem::take(&mut self.selects));
                self.before = if before == Before::Any { Before::Any } else { Before::Table };
                return;
            }
            Kind::Sign if text == ")" => self.selects = self.outer.pop().unwrap_or(true),
            Kind::Word if is("select") => self.selects = true,
            Kind::Word if is("from") && self.selects => {
                self.selects = false;
                self.before = Before::Table;
                return;
            }
            Kind::Word if is("join") || is("straight_join") && !self.selects => {
                self.before = Before::Table;
                return;
            }
            Kind::Word if ["nextval", "lastval", "setval"].iter().any(|word| is(word)) => {
                self.before = Before::Sequence;
                return;
            }
            _ => {}
        }
        self.before = Before::Any;
    }
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
            ("select 'it''s' AS `y`,`a`.`a`.`a` AS `a` from `a`.`a`", "select 'it''s' AS `y`,`a`.`a` AS `a` from `a`"),
            // Another table that is called so here.
            ("select `a`.`x` AS `x` from `a`.`t` `a`", "select `a`.`x` AS `x` from `t` `a`"),
            (
                "select straight_join `a`.`x` AS `x` from ((`a`.`t` `a` join `a`.`u` on(`a`.`x` = `a`.`u`.`x`)) \
                 left join `b`.`a` straight_join `a`.`v`) where exists(select 1 from `a`.`u` `w` where `w`.`x` = `a`.`x`)",
                "select straight_join `a`.`x` AS `x` from ((`t` `a` join `u` on(`a`.`x` = `u`.`x`)) \
                 left join `b`.`a` straight_join `v`) where exists(select 1 from `u` `w` where `w`.`x` = `a`.`x`)",
            ),
            (
                "with a as (select `a`.`u`.`x` AS `x` from `a`.`u`)select extract(year from `a`.`x`) AS `y`,\
                 trim(both '`' from `a`.`x`) AS `z` from `a` union select 1,2 from (select `a`.`x` from `a`.`a`) `a`",
                "with a as (select `u`.`x` AS `x` from `u`)select extract(year from `a`.`x`) AS `y`,\
                 trim(both '`' from `a`.`x`) AS `z` from `a` union select 1,2 from (select `a`.`x` from `a`) `a`",
            ),
            (
                "select `a`.`f`(`a`.`x`) AS `y`,nextval(`a`.`s`) AS `z` from `a`.`t` `a`",
                "select `f`(`a`.`x`) AS `y`,nextval(`s`) AS `z` from `t` `a`",
            ),
        ] {
            assert_eq!(at_home(text, "a").as_deref(), Some(want));
        }
    }
}
