//! Reads the schema of a SQLite database, mostly from the texts that it keeps.

use std::collections::BTreeMap;

use crate::catalog::{
    Check, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Generated, Index, Over, Schema, Table, Term,
    constraint_name,
};
use crate::contract::{
    BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row, Unmodelled, refuse_schemas, written,
};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::ddl::literal;
use crate::sqlite::dialect::{NO_SCHEMAS, PRODUCT};
use crate::sqlite::functions::NOCASE;
use crate::sqlite::parse::{Check as ParsedCheck, CreateTable, Key, ParsedColumn, ParsedForeignKey, ParsedIndex};
use crate::sqlite::token::{placed, tokens};
use crate::sqlite::types;

/// Introspection of SQLite.
///
/// An index with a collation of its own, for which the catalog has no word, is not part of the schema; a rebuild of its
/// table keeps it all the same. So are triggers, views and virtual tables.
///
/// The columns of a primary key are told as NOT NULL, because a model's key is never NULL: SQLite allows NULL in some.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteIntrospect;

impl Introspect for SqliteIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection, schemas: &'a [String]) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(async {
            refuse_schemas(schemas, PRODUCT, NO_SCHEMAS)?;
            Ok(read(connection).await?.0.written())
        })
    }

    fn unmodelled<'a>(
        &'a self,
        connection: &'a mut dyn Connection,
        schemas: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Unmodelled>>> {
        Box::pin(async {
            refuse_schemas(schemas, PRODUCT, NO_SCHEMAS)?;
            let (_, mut found) = read(connection).await?;
            found.extend(beside(connection).await?);
            found.sort();
            Ok(written(found))
        })
    }
}

/// What is no table, and what belongs to tables without being a part of them.
const BESIDE: &str = "SELECT CASE WHEN type = 'trigger' THEN tbl_name END, type, name, sql FROM sqlite_schema \
    WHERE type IN ('view', 'trigger') UNION ALL SELECT NULL, type || ' table', name, NULL FROM pragma_table_list \
    WHERE schema = 'main' AND type IN ('virtual', 'shadow')";

async fn beside(connection: &mut dyn Connection) -> Result<Vec<Unmodelled>> {
    let text = ColumnType::Text { max_len: None };
    let mut found = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        found.push(Unmodelled {
            table: row.get(0, &text)?,
            kind: row.get(1, &text)?,
            name: row.get(2, &text)?,
            detail: String::new(),
            definition: row.get::<Option<String>>(3, &text)?.as_deref().and_then(definition),
        });
        Ok(Flow::Continue)
    };
    connection.run(Command { sql: BESIDE, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}

/// What stands behind the name of a view or trigger, in the text that SQLite keeps: it begins as `CREATE VIEW name`
/// whatever was said there before.
fn definition(sql: &str) -> Option<String> {
    let (tokens, places) = placed(sql)?;
    let behind = match tokens.get(1)? {
        view if view.is_word("view") => tokens.get(3).filter(|word| word.is_word("as")).map(|_| 4)?,
        _ => 3,
    };
    Some(sql.get(places.get(behind)?.start..)?.trim().to_owned())
}

const TABLES: &str = "SELECT s.name, s.sql, l.wr, l.strict FROM sqlite_schema AS s JOIN pragma_table_list AS l \
    ON l.schema = 'main' AND l.name = s.name AND l.type = 'table' \
    WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY s.name";

const INDEXES: &str = "SELECT s.name, l.name, l.\"unique\", l.origin, x.sql, \
    i.name, i.\"desc\", i.coll FROM sqlite_schema AS s JOIN pragma_index_list(s.name) AS l \
    JOIN sqlite_schema AS x ON x.type = 'index' AND x.name = l.name \
    JOIN pragma_index_xinfo(l.name) AS i ON i.key WHERE s.type = 'table' ORDER BY s.name, l.name, i.seqno";

/// A table as SQLite keeps it.
struct Found {
    name: String,
    sql: String,
    without_rowid: bool,
    strict: bool,
}

/// The schema, and what its tables have that is not part of it.
async fn read(connection: &mut dyn Connection) -> Result<(Schema, Vec<Unmodelled>)> {
    let text = ColumnType::Text { max_len: None };
    let mut tables: Vec<Found> = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        tables.push(Found {
            name: row.get(0, &text)?,
            sql: row.get(1, &text)?,
            without_rowid: row.get(2, &ColumnType::Bool)?,
            strict: row.get(3, &ColumnType::Bool)?,
        });
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
    let mut unmodelled = Vec::new();
    for of in tables {
        let name = of.name.clone();
        if OWN_TABLES.contains(&name.as_str()) {
            continue;
        }
        let parsed = CreateTable::parse(&of.sql).ok_or_else(|| {
            Error::new(ErrorKind::Database, format!("the definition of table {name} cannot be understood"))
                .with_table(&name)
        })?;
        let indexes = found.remove(&name).unwrap_or_default();
        unmodelled.extend(unread(&of, &parsed));
        schema.tables.push(table(&of, parsed, indexes, &mut unmodelled));
    }
    name_targets(&mut schema);
    schema.sort();
    Ok((schema, unmodelled))
}

/// What the text of a table says that the schema does not.
fn unread(of: &Found, parsed: &CreateTable) -> Vec<Unmodelled> {
    let table = &of.name;
    let mut found = Vec::new();
    let mut say = |kind: &str, name: &str, detail: &str| found.push(Unmodelled::of(table, kind, name, detail));
    if !of.strict {
        say("table that is not STRICT", table, "a column may hold values of other types than its own");
    }
    if of.without_rowid {
        say("table WITHOUT ROWID", table, "");
    }
    let words = tokens(&of.sql).unwrap_or_default();
    if words.windows(2).any(|pair| matches!(pair, [a, b] if a.is_word("on") && b.is_word("conflict"))) {
        say("conflict clause", table, "");
    }
    let key = parsed.primary_key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    for column in &parsed.columns {
        let is_key = key.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        if is_key && !column.not_null && !of.strict && !of.without_rowid && !is_number_of_rows(key, column) {
            say("key that may be NULL", &column.name, "");
        }
        if let Some(collation) = column.collation.as_deref().filter(|name| *name != NOCASE)
            && !collation.eq_ignore_ascii_case("binary")
        {
            say("collation", &column.name, collation);
        }
        if !types::is_own_name(&column.ty) && !matches!(types::recognise(column).0, ColumnType::Other(_)) {
            say("declared type", &column.name, &column.ty);
        }
    }
    found
}

/// Whether the column, which is of the key, is the number of the row.
fn is_number_of_rows(key: &[String], column: &ParsedColumn) -> bool {
    column.row_number || key.len() == 1 && column.ty.eq_ignore_ascii_case("integer")
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
    /// What the index of a unique constraint is called: as the constraint, because SQLite keeps the index's own name
    /// for itself.
    fn constraint_name(&self, table: &str, parsed: &CreateTable) -> String {
        let columns: Vec<&str> = self.terms.iter().filter_map(|term| term.column.as_deref()).collect();
        let same = |key: &&Key| {
            key.columns.len() == columns.len()
                && key.columns.iter().zip(&columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        let named = parsed.uniques.iter().find(same).and_then(|key| key.name.clone());
        named.unwrap_or_else(|| constraint_name(table, &columns, "key"))
    }

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

fn table(
    of: &Found,
    parsed: CreateTable,
    indexes: BTreeMap<String, FoundIndex>,
    unmodelled: &mut Vec<Unmodelled>,
) -> Table {
    let name = of.name.clone();
    let mut key = parsed.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
    key.iter_mut().for_each(|column| spell(column, parsed.columns.iter().map(|known| known.name.as_str())));
    let collation = |column: &str| {
        let parsed = parsed.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column));
        parsed.and_then(|parsed| parsed.collation.clone()).unwrap_or_else(|| String::from("BINARY"))
    };
    let kept = indexes
        .into_iter()
        // The index of the primary key is the primary key; those of unique constraints are unique indexes.
        .filter(|(_, index)| {
            !index.is_constraint || !index.terms.iter().map(|term| term.column.as_ref()).eq(key.iter().map(Some))
        })
        .filter_map(|(name, index)| {
            let sql = index.sql.clone().unwrap_or_default();
            let is_constraint = index.is_constraint;
            let name = if is_constraint { index.constraint_name(&of.name, &parsed) } else { name };
            if is_constraint {
                let detail = "its index goes with the table alone";
                unmodelled.push(Unmodelled::of(&of.name, "unique constraint", &name, detail));
            }
            let read = index.read(name.clone(), collation);
            if read.is_none() {
                unmodelled.push(Unmodelled::of(&of.name, "index with a collation", name, sql));
            }
            read
        });
    let mut indexes: Vec<Index> = Vec::new();
    for mut index in kept {
        let wanted = index.name.clone();
        let mut number = 2;
        // Names of constraints need not differ from those of indexes.
        while indexes.iter().any(|other| other.name == index.name) {
            index.name = format!("{wanted}_{number}");
            number += 1;
        }
        indexes.push(index);
    }
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
        let mut column = column(parsed, ty);
        if key.contains(&column.name) {
            column.nullable = false;
            column.auto |= parsed.row_number && !of.without_rowid;
        }
        columns.push(column);
    }
    parsed.checks.iter().for_each(|check| take(None, check));
    let names: Vec<&str> = columns.iter().map(|column: &Column| column.name.as_str()).collect();
    let foreign_keys = parsed.foreign_keys.into_iter().map(|mut key| {
        key.columns.iter_mut().for_each(|column| spell(column, names.iter().copied()));
        foreign_key(&of.name, key)
    });
    let foreign_keys = foreign_keys.collect();
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

/// A name as it stands among these, whatever its case: SQLite does not tell them apart.
fn spell<'n>(name: &mut String, mut among: impl Iterator<Item = &'n str>) {
    if let Some(known) = among.find(|known| known.eq_ignore_ascii_case(name)) {
        known.clone_into(name);
    }
}

/// `REFERENCES t` without columns means the primary key of `t`.
fn name_targets(schema: &mut Schema) {
    let bare = |table: &Table| Table {
        columns: table.columns.clone(),
        primary_key: table.primary_key.clone(),
        ..Table::new(&table.name)
    };
    let targets: Vec<Table> = schema.tables.iter().map(bare).collect();
    for key in schema.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        let Some(target) = targets.iter().find(|table| table.name.eq_ignore_ascii_case(&key.target)) else { continue };
        key.target.clone_from(&target.name);
        if key.target_columns.is_empty() {
            key.target_columns.clone_from(&target.primary_key);
        }
        let names = || target.columns.iter().map(|column| column.name.as_str());
        key.target_columns.iter_mut().for_each(|column| spell(column, names()));
    }
}
