//! Reads the schema of a SQLite database, mostly from the texts that it keeps.

use std::collections::BTreeMap;

use crate::catalog::{
    Check, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Generated, Index, Over, Schema, Table, Term,
    constraint_name,
};
use crate::contract::{BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::ddl::literal;
use crate::sqlite::functions::NOCASE;
use crate::sqlite::parse::{Check as ParsedCheck, CreateTable, ParsedColumn, ParsedForeignKey, ParsedIndex};
use crate::sqlite::types;

/// Introspection of SQLite.
///
/// An index with a collation of its own, for which the catalog has no word, is not reported; a rebuild of its table
/// keeps it all the same. So are triggers, views and virtual tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteIntrospect;

impl Introspect for SqliteIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(read(connection))
    }
}

const TABLES: &str = "SELECT s.name, s.sql FROM sqlite_schema AS s JOIN pragma_table_list AS l \
    ON l.schema = 'main' AND l.name = s.name AND l.type = 'table' \
    WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY s.name";

const INDEXES: &str = "SELECT s.name, l.name, l.\"unique\", l.origin, x.sql, \
    i.name, i.\"desc\", i.coll FROM sqlite_schema AS s JOIN pragma_index_list(s.name) AS l \
    JOIN sqlite_schema AS x ON x.type = 'index' AND x.name = l.name \
    JOIN pragma_index_xinfo(l.name) AS i ON i.key WHERE s.type = 'table' ORDER BY s.name, l.name, i.seqno";

async fn read(connection: &mut dyn Connection) -> Result<Schema> {
    let text = ColumnType::Text { max_len: None };
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        tables.push((row.get(0, &text)?, row.get(1, &text)?));
        Ok(Flow::Continue)
    };
    connection.run(Command { sql: TABLES, args: &[], reuse: Reuse::Once }, &mut take).await?;

    let mut found: BTreeMap<String, BTreeMap<String, FoundIndex>> = BTreeMap::new();
    let mut take = |row: &mut Row<'_>| {
        let index = found.entry(row.get(0, &text)?).or_default().entry(row.get(1, &text)?).or_default();
        index.unique = row.get(2, &ColumnType::Bool)?;
        index.is_constraint = row.get::<String>(3, &text)? != "c";
        index.sql = row.get(4, &text)?;
        index.terms.push(FoundTerm {
            column: row.get(5, &text)?,
            descending: row.get(6, &ColumnType::Bool)?,
            collation: row.get(7, &text)?,
        });
        Ok(Flow::Continue)
    };
    connection.run(Command { sql: INDEXES, args: &[], reuse: Reuse::Once }, &mut take).await?;

    let mut schema = Schema::default();
    for (name, sql) in tables {
        if OWN_TABLES.contains(&name.as_str()) {
            continue;
        }
        let parsed = CreateTable::parse(&sql).ok_or_else(|| {
            Error::new(ErrorKind::Database, format!("the definition of table {name} cannot be understood"))
                .with_table(&name)
        })?;
        let indexes = found.remove(&name).unwrap_or_default();
        schema.tables.push(table(name, parsed, indexes));
    }
    name_targets(&mut schema);
    schema.sort();
    Ok(schema)
}

#[derive(Default)]
struct FoundIndex {
    terms: Vec<FoundTerm>,
    unique: bool,
    is_constraint: bool,
    /// `None` for the index of a constraint.
    sql: Option<String>,
}

struct FoundTerm {
    /// `None` for an expression.
    column: Option<String>,
    descending: bool,
    collation: String,
}

impl FoundIndex {
    /// The index; `None` when a term has another collation than its column.
    fn read(self, name: String, collation: impl Fn(&str) -> String) -> Option<Index> {
        let parsed = self.sql.as_deref().and_then(ParsedIndex::parse).unwrap_or_default();
        let mut index = Index { name, unique: self.unique, ..Index::default() };
        index.condition = parsed.condition.map(Expression::new);
        for (place, term) in self.terms.into_iter().enumerate() {
            let of = match &term.column {
                Some(column) => collation(column),
                None => String::from("BINARY"),
            };
            if !term.collation.eq_ignore_ascii_case(&of) {
                return None;
            }
            let over = match term.column {
                Some(column) => Over::Column(column),
                None => Over::Expression(Expression::new(parsed.terms.get(place)?.clone())),
            };
            index.terms.push(Term { over, descending: term.descending, class: None });
        }
        Some(index)
    }
}

fn table(name: String, parsed: CreateTable, indexes: BTreeMap<String, FoundIndex>) -> Table {
    let key = parsed.primary_key.map(|key| key.columns).unwrap_or_default();
    let collation = |column: &str| {
        let parsed = parsed.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column));
        parsed.and_then(|parsed| parsed.collation.clone()).unwrap_or_else(|| String::from("BINARY"))
    };
    let indexes = indexes
        .into_iter()
        // The index of the primary key is the primary key; those of unique constraints are unique indexes.
        .filter(|(_, index)| {
            !index.is_constraint || !index.terms.iter().map(|term| term.column.as_ref()).eq(key.iter().map(Some))
        })
        .filter_map(|(name, index)| index.read(name, collation))
        .collect();
    let mut checks = Vec::new();
    let mut take = |column: Option<&str>, check: &ParsedCheck| {
        let name = check.name.clone().unwrap_or_else(|| nameless(&name, column, checks.len()));
        checks.push(Check { name, expression: Expression::new(check.text.clone()) });
    };
    let mut columns = Vec::new();
    for parsed in &parsed.columns {
        let (ty, stands_for_it) = types::recognise(parsed);
        for (index, check) in parsed.checks.iter().enumerate() {
            if Some(index) != stands_for_it {
                take(Some(&parsed.name), check);
            }
        }
        columns.push(column(parsed, ty));
    }
    parsed.checks.iter().for_each(|check| take(None, check));
    let foreign_keys = parsed.foreign_keys.into_iter().map(|key| foreign_key(&name, key)).collect();
    Table { primary_key: key, columns, indexes, foreign_keys, checks, ..Table::new(name) }
}

fn column(parsed: &ParsedColumn, ty: ColumnType) -> Column {
    let generated = parsed.generated.as_ref();
    Column {
        nullable: !parsed.not_null,
        default: parsed.default.as_ref().and_then(|(tokens, text)| {
            if matches!(tokens.as_slice(), [token] if token.is_word("null")) {
                return None;
            }
            let known = literal::recognise(&ty, tokens);
            Some(known.unwrap_or_else(|| ColumnDefault::Expression(Expression::new(text.clone()))))
        }),
        auto: parsed.autoincrement,
        case_insensitive: parsed.collation.as_deref() == Some(NOCASE),
        generated: generated
            .map(|(text, stored)| Generated { expression: Expression::new(text.clone()), stored: *stored }),
        ..Column::new(parsed.name.clone(), ty)
    }
}

/// A name for a check that has none.
fn nameless(table: &str, column: Option<&str>, number: usize) -> String {
    let number = (number + 1).to_string();
    constraint_name(table, &[column.unwrap_or_default(), &number], "ck")
}

fn foreign_key(table: &str, key: ParsedForeignKey) -> ForeignKey {
    let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    ForeignKey {
        name: key.name.unwrap_or_else(|| constraint_name(table, &columns, "fkey")),
        columns: key.columns,
        target: key.target,
        target_columns: key.target_columns,
        on_delete: key.on_delete,
        on_update: key.on_update,
        timing: key.timing,
    }
}

/// `REFERENCES t` without columns means the primary key of `t`.
fn name_targets(schema: &mut Schema) {
    let keys: BTreeMap<String, Vec<String>> =
        schema.tables.iter().map(|table| (table.name.clone(), table.primary_key.clone())).collect();
    for key in schema.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.target_columns.is_empty() {
            key.target_columns = keys.get(&key.target).cloned().unwrap_or_default();
        }
    }
}
