//! A schema in the database's own words, so that what Covet's introspection does not see is seen.
//!
//! | database | source | normalised |
//! |---|---|---|
//! | PostgreSQL | `pg_dump -s --no-owner` | comments, that of the schema too, `SET` and meta commands left away; the lines of a table sorted |
//! | MariaDB | `SHOW CREATE` of tables, views, triggers and functions | the next number left away; the lines of a table sorted |
//! | SQLite | `sqlite_schema.sql` | blanks made one; the parts of a table sorted; see `sqlite` |
//!
//! The lines of a table are sorted because a column that is added stands last; within a line
//! everything counts, so the order of columns in a key or index does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command as Process;

use covet_orm::Db;
use covet_orm::drivers::catalog::ColumnType;
use covet_orm::drivers::contract::{Command, Flow, Reuse, Row};
use covet_tests::{Kind, Url};

use crate::place::quote;

/// What there is, by its first line or name.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

const HISTORY: &str = "_covet_migrations";

/// What is only in one of two dumps, or not the same in both; nothing when they are equal.
pub(crate) fn differences(found: &Dump, wanted: &Dump) -> Vec<String> {
    let names: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    let differ = names.into_iter().filter(|name| found.get(*name) != wanted.get(*name));
    differ.map(|name| format!("{name}\n  found  {:?}\n  wanted {:?}", found.get(name), wanted.get(name))).collect()
}

pub(crate) async fn read(db: &Db, url: &Url) -> Dump {
    match url.kind {
        Kind::Postgres => postgres(url),
        Kind::Mysql => mysql(db).await,
        Kind::Sqlite => sqlite(db).await,
    }
}

fn postgres(url: &Url) -> Dump {
    let folder = std::env::var_os("COVET_TEST_PG_BIN").map(PathBuf::from).unwrap_or_default();
    let mut dump = Process::new(folder.join("pg_dump"));
    dump.args(["--schema-only", "--no-owner", "--no-privileges", "--exclude-table", HISTORY, &url.url]);
    let output = dump.output().unwrap_or_else(|error| panic!("pg_dump of COVET_TEST_PG_BIN: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let skipped = |line: &&str| {
        let noise = ["--", "SET ", "\\", "SELECT pg_catalog.set_config", "COMMENT ON SCHEMA"];
        !line.trim().is_empty() && !noise.iter().any(|start| line.starts_with(start))
    };
    let mut found = Dump::new();
    let mut statement: Vec<String> = Vec::new();
    for line in text.lines().filter(skipped) {
        statement.push(line.trim().trim_end_matches(',').to_owned());
        if line.ends_with(';') {
            let whole = std::mem::take(&mut statement);
            // The order counts in all but a table: in the labels of an enum, say.
            let is_table = whole[0].starts_with("CREATE TABLE");
            add(&mut found, if is_table { whole } else { vec![whole.join(" ")] });
        }
    }
    assert!(statement.is_empty(), "{statement:?}");
    found
}

async fn mysql(db: &Db) -> Dump {
    let tables = texts(db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()", 0).await;
    let mut found = Dump::new();
    for table in tables.iter().filter(|table| *table != HISTORY) {
        let text = texts(db, &format!("SHOW CREATE TABLE {}", quote("mysql", table)), 1).await.remove(0);
        let lines = text.lines().map(|line| {
            let words = line.trim().trim_end_matches(',').split(' ');
            words.filter(|word| !word.starts_with("AUTO_INCREMENT=")).collect::<Vec<_>>().join(" ")
        });
        add(&mut found, lines.collect());
    }
    for (kind, list, text) in [
        ("TRIGGER", "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()", 2),
        ("FUNCTION", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()", 2),
    ] {
        for name in texts(db, list, 0).await {
            let text = texts(db, &format!("SHOW CREATE {kind} {}", quote("mysql", &name)), text).await.remove(0);
            add(&mut found, vec![format!("{kind} {name}"), text]);
        }
    }
    found
}

/// SQLite keeps the text of a statement. Blanks say nothing; neither do the names of primary keys
/// and checks, which are in no catalog and cannot be changed without a rebuild of the table, nor the
/// place of a foreign key beside its column or behind all columns.
async fn sqlite(db: &Db) -> Dump {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
        AND tbl_name <> '_covet_migrations'";
    let mut found = Dump::new();
    for text in texts(db, sql, 0).await {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match text.split_once('(') {
            Some((head, rest)) if head.starts_with("CREATE TABLE") => {
                let (body, tail) = rest.rsplit_once(')').unwrap();
                let parts = parts(body).into_iter().map(|part| bare(&unnamed(&part)));
                add(&mut found, std::iter::once(format!("{}{tail}", head.trim_end())).chain(parts).collect());
            }
            _ => add(&mut found, vec![bare(&unwrapped(&text))]),
        }
    }
    found
}

/// The parts of a list, without those of the lists and texts inside.
fn parts(body: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0, None);
    for c in body.chars() {
        match c {
            _ if quoted == Some(c) => quoted = None,
            _ if quoted.is_some() => {}
            '\'' | '"' => quoted = Some(c),
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The part without the names of primary keys and checks.
fn unnamed(part: &str) -> String {
    let mut out = part.to_owned();
    for word in ["PRIMARY KEY", "CHECK"] {
        if let Some(at) = out.find(&format!("\" {word}"))
            && let Some(start) = out[..at].rfind("CONSTRAINT \"")
        {
            out.replace_range(start..at + 2, "");
        }
    }
    out
}

/// The text without parentheses around the whole condition of an index, which mean nothing: Covet leaves such an index
/// as it is.
fn unwrapped(text: &str) -> String {
    match text.split_once(" WHERE ( ") {
        Some((head, rest)) if rest.ends_with(" )") => format!("{head} WHERE {}", rest.trim_end_matches(" )")),
        _ => text.to_owned(),
    }
}

/// The text without quotes around names that need none: SQLite quotes a name that it has changed in an expression.
fn bare(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(['\'', '"']) {
        let (before, quoted) = rest.split_at(start);
        let (inner, after) = quoted[1..].split_once(&quoted[..1]).unwrap_or((&quoted[1..], ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let simple = quoted.starts_with('"') && !inner.is_empty() && inner.chars().all(plain);
        out.push_str(before);
        out.push_str(if simple { inner } else { &quoted[..quoted.len() - after.len()] });
        rest = after;
    }
    out + rest
}

/// By the first line, with the others sorted.
fn add(found: &mut Dump, mut lines: Vec<String>) {
    let first = lines.remove(0);
    lines.sort();
    let twice = found.insert(first, lines);
    assert!(twice.is_none(), "{twice:?}");
}

/// A column of texts.
pub(crate) async fn texts(db: &Db, sql: &str, column: usize) -> Vec<String> {
    let ty = ColumnType::Text { max_len: None };
    let mut found = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        found.push(row.get::<String>(column, &ty)?);
        Ok(Flow::Continue)
    };
    let command = Command { sql, args: &[], reuse: Reuse::Once };
    db.acquire().await.unwrap().run(command, &mut take).await.unwrap();
    found
}
