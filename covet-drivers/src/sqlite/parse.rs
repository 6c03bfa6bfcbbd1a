//! Reads `CREATE TABLE` texts, Covet's own and those of others, as SQLite keeps them.

use crate::catalog::{Action, Timing};
use crate::sqlite::reader::{Reader, Text};
use crate::sqlite::token::{Token, placed};

/// A table as its text says.
#[derive(Debug, Default)]
pub(super) struct CreateTable {
    pub(super) columns: Vec<ParsedColumn>,
    pub(super) primary_key: Option<Key>,
    pub(super) uniques: Vec<Key>,
    pub(super) foreign_keys: Vec<ParsedForeignKey>,
    /// Checks of the whole table.
    pub(super) checks: Vec<Check>,
}

/// A column as its text says.
#[derive(Debug, Default)]
pub(super) struct ParsedColumn {
    pub(super) name: String,
    /// The words of the type, with single spaces.
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) autoincrement: bool,
    /// Whether `INTEGER PRIMARY KEY` stands at it: then it is the number of the row, unless the table has no such.
    pub(super) row_number: bool,
    pub(super) collation: Option<String>,
    /// The default, without parentheses around the whole.
    pub(super) default: Option<(Vec<Token>, String)>,
    pub(super) checks: Vec<Check>,
    /// The expression, and whether its value is stored.
    pub(super) generated: Option<(String, bool)>,
}

/// A CHECK.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) name: Option<String>,
    pub(super) tokens: Vec<Token>,
    pub(super) text: String,
}

/// An index as its text says.
#[derive(Debug, Default)]
pub(super) struct ParsedIndex {
    /// The text of each term, without its collation and direction.
    pub(super) terms: Vec<String>,
    pub(super) condition: Option<String>,
}

impl ParsedIndex {
    /// Reads the text of a `CREATE INDEX`; `None` when it is none.
    pub(super) fn parse(sql: &str) -> Option<Self> {
        let (tokens, places) = placed(sql)?;
        let mut reader = Reader::new(&tokens, Text { sql, places: &places });
        while !reader.peek()?.is_symbol('(') {
            reader.pass();
        }
        let mut inside = reader.inside()?;
        let mut index = ParsedIndex::default();
        loop {
            let start = inside.passed();
            let mut depth = 0_usize;
            let mut end = None;
            while let Some(token) = inside.peek() {
                if depth == 0 && token.is_symbol(',') {
                    break;
                }
                if token.is_symbol('(') {
                    depth += 1;
                } else if token.is_symbol(')') {
                    depth = depth.checked_sub(1)?;
                } else if depth == 0 && ["collate", "asc", "desc"].iter().any(|word| token.is_word(word)) {
                    end = end.or(Some(inside.passed()));
                }
                inside.pass();
            }
            index.terms.push(inside.text(start..end.unwrap_or(inside.passed())));
            if !inside.symbol(',') {
                break;
            }
        }
        if reader.word("where") {
            index.condition = Some(reader.text(reader.passed()..tokens.len()));
        }
        Some(index)
    }
}

/// A primary key or unique constraint.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
}

/// A foreign key as its text says.
#[derive(Debug)]
pub(super) struct ParsedForeignKey {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) target: String,
    /// Empty when the target's primary key is meant.
    pub(super) target_columns: Vec<String>,
    pub(super) on_delete: Action,
    pub(super) on_update: Action,
    pub(super) timing: Timing,
}

impl CreateTable {
    /// Reads the text; `None` when it is not the text of an ordinary table.
    pub(super) fn parse(sql: &str) -> Option<Self> {
        let (tokens, places) = placed(sql)?;
        let open = tokens.iter().position(|token| token.is_symbol('('))?;
        if !tokens.first()?.is_word("create") || tokens.iter().take(open).any(|token| token.is_word("virtual")) {
            return None;
        }
        let mut table = CreateTable::default();
        let mut reader = Reader::new(tokens.get(open..)?, Text { sql, places: places.get(open..)? }).inside()?;
        while !reader.is_at_end() {
            table.item(&mut reader)?;
            if !reader.symbol(',') && !reader.is_at_end() {
                return None;
            }
        }
        Some(table)
    }

    fn item(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        const CONSTRAINTS: [&str; 5] = ["constraint", "primary", "unique", "check", "foreign"];
        if CONSTRAINTS.iter().any(|word| reader.peek().is_some_and(|token| token.is_word(word))) {
            self.table_constraint(reader)
        } else {
            self.column(reader)
        }
    }

    fn table_constraint(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let name = if reader.word("constraint") { Some(reader.name()?) } else { None };
        if reader.word("primary") {
            reader.word("key");
            self.primary_key = Some(Key { name, columns: reader.names()? });
            reader.conflict_clause();
        } else if reader.word("unique") {
            self.uniques.push(Key { name, columns: reader.names()? });
            reader.conflict_clause();
        } else if reader.word("check") {
            let (tokens, text) = reader.group_text()?;
            self.checks.push(Check { name, tokens: tokens.to_vec(), text });
            reader.conflict_clause();
        } else if reader.word("foreign") {
            reader.word("key");
            let columns = reader.names()?;
            if !reader.word("references") {
                return None;
            }
            let foreign_key = reader.references(name, columns)?;
            self.foreign_keys.push(foreign_key);
        } else {
            return None;
        }
        // SQLite allows constraints to follow each other without a comma.
        if reader.is_at_end() || reader.peek().is_some_and(|token| token.is_symbol(',')) {
            Some(())
        } else {
            self.table_constraint(reader)
        }
    }

    fn column(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let mut column = ParsedColumn { name: reader.name()?, ty: reader.type_words(), ..ParsedColumn::default() };
        let mut name = None;
        while let Some(token) = reader.peek() {
            if token.is_symbol(',') {
                break;
            }
            if reader.word("constraint") {
                name = Some(reader.name()?);
                continue;
            }
            let named = name.take();
            if reader.word("primary") {
                reader.word("key");
                // Not with DESC, for reasons of SQLite's past.
                let descending = !reader.word("asc") && reader.word("desc");
                column.row_number = !descending && column.ty.eq_ignore_ascii_case("integer");
                reader.conflict_clause();
                column.autoincrement = reader.word("autoincrement");
                self.primary_key = Some(Key { name: named, columns: vec![column.name.clone()] });
            } else if reader.word("not") {
                column.not_null |= reader.word("null");
                reader.conflict_clause();
            } else if reader.word("null") {
                reader.conflict_clause();
            } else if reader.word("unique") {
                reader.conflict_clause();
                self.uniques.push(Key { name: named, columns: vec![column.name.clone()] });
            } else if reader.word("check") {
                let (tokens, text) = reader.group_text()?;
                reader.conflict_clause();
                column.checks.push(Check { name: named, tokens: tokens.to_vec(), text });
            } else if reader.word("default") {
                column.default = Some(reader.default()?);
            } else if reader.word("collate") {
                column.collation = Some(reader.name()?);
            } else if reader.word("references") {
                let foreign_key = reader.references(named, vec![column.name.clone()])?;
                self.foreign_keys.push(foreign_key);
            } else if reader.word("generated") || reader.peek().is_some_and(|token| token.is_word("as")) {
                reader.word("always");
                reader.word("as");
                let (_, text) = reader.group_text()?;
                let stored = reader.word("stored");
                if !stored {
                    reader.word("virtual");
                }
                column.generated = Some((text, stored));
            } else {
                return None;
            }
        }
        self.columns.push(column);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CreateTable, ParsedIndex};
    use crate::catalog::{Action, Timing};

    #[test]
    fn a_text_that_others_wrote() {
        let sql = "CREATE TABLE IF NOT EXISTS main.[a b] ( -- why\n id integer primary key autoincrement, \
            n VARCHAR ( 20 ) NOT NULL ON CONFLICT FAIL DEFAULT ('x' || 'y') COLLATE nocase CHECK (length(n) <= 20), \
            p int constraint fk references \"p\" on delete set null deferrable initially deferred, \
            g AS (p + 1) STORED, q double precision default -1.5 unique, \
            constraint u unique (n, p desc) check (n <> '') foreign key (p, q) references t) WITHOUT ROWID";
        let table = CreateTable::parse(sql).unwrap_or_default();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "n", "p", "g", "q"]);
        let types: Vec<&str> = table.columns.iter().map(|column| column.ty.as_str()).collect();
        assert_eq!(types, ["integer", "VARCHAR(20)", "int", "", "double precision"]);
        assert!(table.columns[0].autoincrement && table.columns[1].not_null);
        assert_eq!(table.columns[3].generated, Some(("p + 1".to_owned(), true)));
        assert_eq!(
            (table.columns[1].checks[0].text.as_str(), table.checks[0].text.as_str()),
            ("length(n) <= 20", "n <> ''")
        );
        assert_eq!(table.columns[1].default.as_ref().map(|(_, text)| text.as_str()), Some("'x' || 'y'"));
        assert_eq!(table.foreign_keys[0].timing, Timing::Deferred);
        assert_eq!(table.columns[1].collation.as_deref(), Some("nocase"));
        assert_eq!(table.columns[1].checks.len(), 1);
        assert_eq!(table.columns[4].default.as_ref().map(|(tokens, _)| tokens.len()), Some(2));
        assert_eq!(table.uniques.len(), 2);
        assert_eq!(table.uniques[1].columns, ["n", "p"]);
        assert_eq!(table.foreign_keys.len(), 2);
        assert_eq!(
            (table.foreign_keys[0].name.as_deref(), table.foreign_keys[0].on_delete),
            (Some("fk"), Action::SetNull)
        );
        assert_eq!(table.foreign_keys[1].columns, ["p", "q"]);
    }

    #[test]
    fn indexes_of_any_kind() {
        let sql = "CREATE UNIQUE INDEX x.[i(] ON t(a, lower ( b ) || ',' COLLATE nocase DESC,\n c desc) WHERE a IS NOT NULL -- x";
        let index = ParsedIndex::parse(sql).unwrap_or_default();
        assert_eq!(index.terms, ["a", "lower ( b ) || ','", "c"]);
        assert_eq!(index.condition.as_deref(), Some("a IS NOT NULL"));
        assert_eq!(ParsedIndex::parse("CREATE INDEX i ON t (a)").and_then(|index| index.condition), None);
    }

    #[test]
    fn what_is_no_ordinary_table_is_none() {
        for sql in ["", "CREATE VIRTUAL TABLE a USING fts5(b)", "CREATE TABLE a (b", "CREATE TABLE a (b 'c)", "x"] {
            assert!(CreateTable::parse(sql).is_none(), "{sql}");
        }
    }
}
