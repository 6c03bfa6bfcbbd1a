//! Reads a statement: what it does, or that this is not known.

use crate::catalog::Qualified;
use crate::lint::act::{Act, IndexDef, Transaction, What};
use crate::lint::cursor::{Cursor, commas};
use crate::lint::token::{Reading, Token, tokens};
use crate::lint::{alter, define};

/// What a statement does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// What it does.
    pub acts: Vec<Act>,
    /// Whether all of it was understood, as far as rules ask.
    pub is_whole: bool,
}

/// Reads a statement.
#[must_use]
pub fn read(sql: &str, reading: &Reading) -> Read {
    let tokens = tokens(sql, reading);
    // All of it may stand in a comment that only the other product executes.
    let found = if tokens.is_empty() { Some((Vec::new(), true)) } else { acts(&tokens) };
    let is_whole = found.as_ref().is_some_and(|(_, whole)| *whole);
    Read { acts: found.map(|(acts, _)| acts).unwrap_or_default(), is_whole, tokens }
}

/// What is done, and whether that is all.
type Found = Option<(Vec<Act>, bool)>;

/// One act, that is all.
fn one(table: impl Into<String>, what: What) -> Found {
    Some((vec![Act { table: table.into(), what }], true))
}

/// What starts a statement that changes no schema and no rows that a rule asks about.
const HARMLESS: &[&str] = &[
    "select",
    "with",
    "values",
    "table",
    "comment",
    "grant",
    "revoke",
    "analyze",
    "explain",
    "show",
    "use",
    "reset",
    "discard",
    "checkpoint",
    "listen",
    "unlisten",
    "notify",
    "security",
    "flush",
    "unlock",
    "kill",
    "describe",
    "help",
];

fn acts(tokens: &[Token]) -> Found {
    let mut cursor = Cursor::new(tokens);
    let first = cursor.peek();
    let is = |word: &str| first.is_some_and(|token| token.is(word));
    if is("create") {
        create(&mut cursor)
    } else if is("alter") {
        alter(&mut cursor)
    } else if is("drop") {
        drop_object(&mut cursor)
    } else if is("rename") {
        rename_tables(&mut cursor)
    } else if cursor.words("truncate") {
        truncate(&mut cursor)
    } else if is("insert") || is("replace") {
        insert(&mut cursor)
    } else if is("update") {
        update(&mut cursor)
    } else if is("delete") {
        // MySQL: `DELETE t FROM t JOIN …`
        cursor.words("delete");
        cursor.any(&["from only", "from", "low_priority from", "quick from", "ignore from"]);
        let table = cursor.qualified()?;
        one(table, What::Delete { filtered: has(&cursor, "where") })
    } else if is("set") || is("pragma") {
        Some((set(&mut cursor), true))
    } else if let Some(what) = transaction(&mut cursor) {
        one("", What::Transaction(what))
    } else if let Some(act) = upkeep(&mut cursor) {
        Some((vec![act], true))
    } else if is("with") {
        // A query with names of its own can also change rows.
        let changes = tokens.iter().any(|token| token.is_any(&["insert", "update", "delete", "merge"]));
        Some((vec![Act { table: String::new(), what: What::Select }], !changes))
    } else if first.is_some_and(|token| token.is_any(HARMLESS) || token.is_symbol('(')) {
        one("", What::Select)
    } else {
        None
    }
}

/// Whether a word stands in what is left, outside of parentheses.
fn has(cursor: &Cursor<'_>, word: &str) -> bool {
    let mut depth = 0_i32;
    cursor.rest().iter().any(|token| {
        depth += i32::from(token.is_symbol('(')) - i32::from(token.is_symbol(')'));
        depth == 0 && token.is(word)
    })
}

fn create(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("create");
    cursor.words("or replace");
    if cursor.words("definer") {
        // MySQL: `DEFINER = user@host`.
        while cursor.peek().is_some_and(|token| !token.is_any(&["view", "trigger", "procedure", "function", "event"])) {
            cursor.next();
        }
    }
    let temporary = cursor.any(&["temporary", "temp", "global temporary", "local temporary"]);
    cursor.words("unlogged");
    if cursor.words("virtual table") {
        return one("", What::Other);
    }
    if cursor.any(&["table", "foreign table"]) {
        cursor.words("if not exists");
        let name = cursor.qualified()?;
        let mut def = define::table(cursor);
        def.temporary = temporary;
        return one(name, What::CreateTable(def));
    }
    let mut index = IndexDef { unique: cursor.words("unique"), ..IndexDef::default() };
    for word in ["fulltext", "spatial", "vector"] {
        if cursor.words(word) {
            index.special = Some(word.to_owned());
        }
    }
    if cursor.words("index") {
        index.concurrently = cursor.words("concurrently");
        cursor.words("if not exists");
        if !cursor.sees("on") {
            index.name = cursor.name()?;
        }
        if cursor.words("using") {
            cursor.next();
        }
        cursor.words("on");
        cursor.words("only");
        let table = cursor.qualified()?;
        define::terms(cursor, &mut index);
        return one(table, What::CreateIndex(index));
    }
    if cursor.words("type") {
        let name = cursor.qualified()?;
        if cursor.words("as enum") {
            let labels = cursor.group()?.iter().filter(|token| !token.is_symbol(',')).map(|token| token.text.clone());
            return one("", What::CreateEnum { name, labels: labels.collect() });
        }
        return one("", What::Other);
    }
    cursor.any(&["recursive", "materialized", "constraint", "algorithm"]);
    if cursor.words("view") {
        cursor.words("if not exists");
        let name = cursor.qualified()?;
        return one("", What::CreateView { name, body: cursor.rest().to_vec() });
    }
    if cursor.words("trigger") {
        cursor.words("if not exists");
        let name = cursor.name()?;
        let body = cursor.rest().to_vec();
        let mut on = Cursor::new(&body);
        while !on.is_at_end() && !on.words("on") {
            on.next();
        }
        let table = on.qualified().unwrap_or_default();
        return one(table, What::CreateTrigger { name, body });
    }
    // Their bodies run later, and not here.
    const OTHER: &[&str] = &[
        "function",
        "procedure",
        "sequence",
        "schema",
        "database",
        "extension",
        "domain",
        "role",
        "user",
        "policy",
        "event",
        "collation",
        "aggregate",
        "cast",
        "operator",
        "publication",
        "statistics",
        "rule",
        "server",
        "text",
    ];
    if cursor.peek().is_some_and(|token| token.is_any(OTHER)) { one("", What::Other) } else { None }
}

fn alter(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("alter");
    cursor.any(&["online", "ignore", "online ignore"]);
    if cursor.any(&["table", "foreign table"]) {
        cursor.words("if exists");
        cursor.words("only");
        let table = cursor.qualified()?;
        cursor.symbol('*');
        return Some(alter::actions(&table, cursor));
    }
    if cursor.words("type") {
        let name = cursor.qualified()?;
        if cursor.words("add value") {
            cursor.words("if not exists");
            let label = cursor.next()?.text.clone();
            return one("", What::AddLabel { ty: name, label });
        }
        if cursor.words("rename to") {
            let to = Qualified::of(&name).beside(&cursor.name()?);
            return one("", What::RenameType { from: name, to });
        }
        return one("", What::Other);
    }
    const OTHER: &[&str] = &[
        "index",
        "sequence",
        "schema",
        "view",
        "materialized",
        "role",
        "user",
        "database",
        "function",
        "procedure",
        "extension",
        "domain",
        "policy",
        "default",
        "trigger",
        "event",
        "publication",
        "statistics",
        "collation",
        "system",
        "aggregate",
        "operator",
        "text",
        "server",
    ];
    if cursor.peek().is_some_and(|token| token.is_any(OTHER)) { one("", What::Other) } else { None }
}

fn drop_object(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("drop");
    cursor.words("temporary");
    let cascade = has(cursor, "cascade");
    let names = |cursor: &mut Cursor<'_>| -> Vec<String> {
        let mut names = Vec::new();
        names.extend(cursor.qualified());
        while cursor.symbol(',') {
            names.extend(cursor.qualified());
        }
        names
    };
    let each = |names: Vec<String>, act: &dyn Fn(String) -> Act| -> Found {
        (!names.is_empty()).then(|| (names.into_iter().map(act).collect(), true))
    };
    let plain = |what: What| Act { table: String::new(), what };
    if cursor.any(&["table", "tables", "foreign table"]) {
        cursor.words("if exists");
        return each(names(cursor), &|table| Act { table, what: What::DropTable { cascade } });
    }
    if cursor.words("index") {
        let concurrently = cursor.words("concurrently");
        cursor.words("if exists");
        let names = names(cursor);
        let table = if cursor.words("on") { cursor.qualified().unwrap_or_default() } else { String::new() };
        let found = each(names, &|name| Act { table: table.clone(), what: What::DropIndex { name, concurrently } });
        return found.map(|(mut acts, whole)| {
            acts.extend(cascade.then(|| plain(What::DropCascade)));
            (acts, whole)
        });
    }
    if cursor.words("type") {
        cursor.words("if exists");
        return each(names(cursor), &|name| plain(What::DropType { name, cascade }));
    }
    if cursor.any(&["view", "materialized view"]) {
        cursor.words("if exists");
        return each(names(cursor), &|name| plain(What::DropView { name, cascade }));
    }
    if cursor.words("trigger") {
        cursor.words("if exists");
        return each(names(cursor), &|name| plain(What::DropTrigger { name }));
    }
    cursor.peek()?;
    one("", if cascade { What::DropCascade } else { What::Other })
}

fn rename_tables(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("rename");
    if !cursor.any(&["table", "tables"]) {
        return cursor.peek().and_then(|_| one("", What::Other));
    }
    let mut acts = Vec::new();
    loop {
        let table = cursor.qualified()?;
        if !cursor.words("to") {
            return Some((acts, false));
        }
        acts.push(Act { table, what: What::RenameTable { to: cursor.qualified()? } });
        if !cursor.symbol(',') {
            return Some((acts, true));
        }
    }
}

fn truncate(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("table");
    cursor.words("only");
    let cascade = has(cursor, "cascade");
    let mut acts = vec![Act { table: cursor.qualified()?, what: What::Truncate { cascade } }];
    while cursor.symbol(',') {
        acts.push(Act { table: cursor.qualified()?, what: What::Truncate { cascade } });
    }
    Some((acts, true))
}

fn insert(cursor: &mut Cursor<'_>) -> Found {
    cursor.next();
    cursor.any(&["or replace", "or ignore", "or abort", "or fail", "or rollback", "ignore"]);
    cursor.words("into");
    let table = cursor.qualified()?;
    let opens_query = cursor.rest().get(1).is_some_and(|token| token.is_any(&["select", "with"]));
    let columns = if opens_query { Vec::new() } else { cursor.names().unwrap_or_default() };
    let rest = cursor.rest();
    let begins = rest.iter().position(|token| token.is_any(&["select", "with"])).filter(|_| !cursor.sees("values"));
    let query = begins.and_then(|at| rest.get(at..)).unwrap_or_default().to_vec();
    one(table, What::Insert { query, columns })
}

fn update(cursor: &mut Cursor<'_>) -> Found {
    cursor.words("update");
    cursor.any(&["or replace", "or ignore", "low_priority", "ignore", "only"]);
    let table = cursor.qualified()?;
    while !cursor.is_at_end() && !cursor.words("set") {
        cursor.next();
    }
    let filtered = has(cursor, "where");
    let rest = cursor.rest();
    let end = rest.iter().position(|token| token.is_any(&["where", "from"])).unwrap_or(rest.len());
    let assignments = commas(rest.get(..end).unwrap_or_default());
    let columns = assignments.into_iter().filter_map(|part| Cursor::new(part).name()).collect();
    one(table, What::Update { columns, filtered })
}

/// `SET [SESSION] a = b, c = d`, `PRAGMA a = b`, `PRAGMA a(b)`.
fn set(cursor: &mut Cursor<'_>) -> Vec<Act> {
    let pragma = cursor.words("pragma");
    if !pragma {
        cursor.words("set");
    }
    let mut acts = Vec::new();
    for part in commas(cursor.rest()) {
        let mut inner = Cursor::new(part);
        inner.any(&["session", "local", "global"]);
        let Some(name) = inner.name() else { continue };
        let name = name.trim_start_matches('@').to_lowercase();
        while inner.symbol('=') || inner.symbol(':') || inner.words("to") || inner.symbol('(') {}
        let value: Vec<&str> =
            inner.rest().iter().filter(|token| !token.is_symbol(')')).map(|token| token.text.as_str()).collect();
        acts.push(Act { table: String::new(), what: What::Set { name, value: value.join(" ").to_lowercase() } });
    }
    acts
}

fn transaction(cursor: &mut Cursor<'_>) -> Option<Transaction> {
    if cursor.any(&["begin", "start transaction"]) {
        Some(Transaction::Begin)
    } else if cursor.any(&["commit", "end"]) {
        Some(Transaction::Commit)
    } else if cursor.words("rollback") {
        let to_savepoint = cursor.rest().iter().any(|token| token.is("to"));
        Some(if to_savepoint { Transaction::Savepoint } else { Transaction::Rollback })
    } else if cursor.words("abort") {
        Some(Transaction::Rollback)
    } else if cursor.any(&["savepoint", "release"]) {
        Some(Transaction::Savepoint)
    } else {
        None
    }
}

fn upkeep(cursor: &mut Cursor<'_>) -> Option<Act> {
    let first = cursor.peek()?;
    if !first.is_any(&["vacuum", "cluster", "reindex", "refresh", "lock", "optimize", "repair"]) {
        return None;
    }
    let concurrently = cursor.rest().iter().any(|token| token.is("concurrently"));
    let full = cursor.rest().iter().any(|token| token.is("full"));
    let what = match first.text.to_uppercase() {
        word if word == "VACUUM" && full => String::from("VACUUM FULL"),
        word => word,
    };
    cursor.next();
    while cursor.any(&["full", "verbose", "analyze", "index", "table", "materialized view", "concurrently", "schema"]) {
    }
    cursor.group();
    let table = cursor.qualified().unwrap_or_default();
    Some(Act { table, what: What::Upkeep { what, concurrently } })
}

#[cfg(test)]
mod tests;
