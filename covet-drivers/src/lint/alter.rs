//! Reads the actions of an `ALTER TABLE`.

use crate::catalog::Qualified;
use crate::lint::act::{Act, ConstraintKind, IndexDef, What};
use crate::lint::cursor::{Cursor, commas};
use crate::lint::define;
use crate::lint::token::Token;

/// The actions, and whether all of them were understood.
pub(crate) fn actions(table: &str, cursor: &mut Cursor<'_>) -> (Vec<Act>, bool) {
    let (mut acts, mut whole) = (Vec::new(), true);
    // `ALTER TABLE t WAIT 5 …` (MariaDB)
    if cursor.words("wait") {
        let value = cursor.next().map(|token| token.text.clone()).unwrap_or_default();
        acts.push(act(table, What::How { word: String::from("wait"), value }));
    } else if cursor.words("nowait") {
        acts.push(act(table, What::How { word: String::from("wait"), value: String::from("0") }));
    }
    for part in commas(cursor.rest()) {
        match action(table, part) {
            Some(found) => acts.extend(found),
            None => whole = false,
        }
    }
    whole &= !acts.is_empty();
    (acts, whole)
}

fn act(table: &str, what: What) -> Act {
    Act { table: table.to_owned(), what }
}

fn action(table: &str, part: &[Token]) -> Option<Vec<Act>> {
    let mut cursor = Cursor::new(part);
    let one = |what: What| Some(vec![act(table, what)]);
    if cursor.words("add") {
        return add(table, &mut cursor);
    }
    if cursor.words("drop") {
        return drop_part(&mut cursor).map(|what| vec![act(table, what)]);
    }
    if cursor.words("set schema") {
        let to = cursor.name()?;
        return one(What::RenameTable { to: Qualified::text(Some(&to), &Qualified::of(table).name) });
    }
    if cursor.words("alter") {
        return column(table, &mut cursor);
    }
    if cursor.words("modify") {
        cursor.words("column");
        cursor.words("if exists");
        let def = define::column(&mut cursor)?;
        return one(What::Redefine { column: def.name.clone(), def });
    }
    if cursor.words("change") {
        cursor.words("column");
        cursor.words("if exists");
        let from = cursor.name()?;
        let def = define::column(&mut cursor)?;
        let mut acts = Vec::new();
        if !from.eq_ignore_ascii_case(&def.name) {
            acts.push(act(table, What::RenameColumn { from: from.clone(), to: def.name.clone() }));
        }
        acts.push(act(table, What::Redefine { column: from, def }));
        return Some(acts);
    }
    if cursor.words("rename") {
        return rename(table, &mut cursor).map(|what| vec![act(table, what)]);
    }
    if cursor.words("validate constraint") {
        return one(What::Validate { name: cursor.name()? });
    }
    if cursor.words("detach partition") {
        return one(What::Detach { concurrently: part.iter().any(|token| token.is("concurrently")) });
    }
    if cursor.words("convert to") {
        let value = part.last().map(|token| token.text.to_lowercase()).unwrap_or_default();
        return one(What::How { word: String::from("convert"), value });
    }
    let word = cursor.next()?.clone();
    // What changes no column: `ENGINE=…`, `ALGORITHM=…`, `ATTACH PARTITION`, `OWNER TO`, `ENABLE TRIGGER` …
    const HOW: &[&str] = &[
        "algorithm",
        "lock",
        "engine",
        "comment",
        "auto_increment",
        "row_format",
        "charset",
        "collate",
        "default",
        "character",
        "wait",
        "force",
        "attach",
        "owner",
        "enable",
        "disable",
        "set",
        "reset",
        "cluster",
        "inherit",
        "no",
        "replica",
        "partition",
        "order",
        "validation",
        "without",
        "with",
        "analyze",
        "tablespace",
    ];
    if !word.is_any(HOW) {
        return None;
    }
    cursor.symbol('=');
    let value: Vec<&str> = cursor.rest().iter().map(|token| token.text.as_str()).collect();
    one(What::How { word: word.text.to_lowercase(), value: value.join(" ").to_lowercase() })
}

fn add(table: &str, cursor: &mut Cursor<'_>) -> Option<Vec<Act>> {
    if cursor.words("partition") || cursor.words("system") || cursor.words("period") {
        return Some(vec![act(table, What::Other)]);
    }
    if let Some(index) = unique_index(cursor).or_else(|| define::inner_index(cursor)) {
        return Some(vec![act(table, What::CreateIndex(index))]);
    }
    if let Some(found) = define::constraint(cursor) {
        return Some(vec![act(table, What::AddConstraint(found))]);
    }
    cursor.words("column");
    cursor.words("if not exists");
    if let Some(group) = cursor.group() {
        // MySQL: `ADD (a int, b int)`
        let mut acts = Vec::new();
        for part in commas(group) {
            acts.push(act(table, What::AddColumn(define::column(&mut Cursor::new(part))?)));
        }
        return Some(acts);
    }
    Some(vec![act(table, What::AddColumn(define::column(cursor)?))])
}

/// `UNIQUE INDEX name (…)`, which is an index and no constraint.
fn unique_index(cursor: &mut Cursor<'_>) -> Option<IndexDef> {
    if !cursor.sees("unique index") && !cursor.sees("unique key") {
        return None;
    }
    cursor.words("unique");
    define::inner_index(cursor).map(|index| IndexDef { unique: true, ..index })
}

fn drop_part(cursor: &mut Cursor<'_>) -> Option<What> {
    let cascade = cursor.rest().iter().any(|token| token.is("cascade"));
    let constraint = |name: String, kind| Some(What::DropConstraint { name, kind, cascade });
    if cursor.words("primary key") {
        return constraint(String::new(), Some(ConstraintKind::Primary));
    }
    if cursor.words("foreign key") {
        cursor.words("if exists");
        return constraint(cursor.name()?, Some(ConstraintKind::Foreign));
    }
    if cursor.words("check") {
        return constraint(cursor.name()?, Some(ConstraintKind::Check));
    }
    if cursor.words("constraint") {
        cursor.words("if exists");
        return constraint(cursor.name()?, None);
    }
    if cursor.any(&["index", "key"]) {
        cursor.words("if exists");
        return Some(What::DropIndex { name: cursor.name()?, concurrently: false });
    }
    if cursor.words("partition") {
        return Some(What::Truncate { cascade: false });
    }
    cursor.words("column");
    cursor.words("if exists");
    Some(What::DropColumn { column: cursor.name()?, cascade })
}

fn column(table: &str, cursor: &mut Cursor<'_>) -> Option<Vec<Act>> {
    let one = |what: What| Some(vec![act(table, what)]);
    if cursor.any(&["index", "constraint", "check"]) {
        return one(What::Other);
    }
    cursor.words("column");
    let column = cursor.name()?;
    if cursor.any(&["type", "set data type"]) {
        let ty = define::ty(cursor);
        if cursor.words("collate") {
            cursor.name();
        }
        let using = if cursor.words("using") { cursor.rest().to_vec() } else { Vec::new() };
        return one(What::Retype { column, ty, using });
    }
    if cursor.words("set not null") {
        return one(What::NotNull { column, required: true });
    }
    if cursor.words("drop not null") {
        return one(What::NotNull { column, required: false });
    }
    if cursor.words("set default") {
        return one(What::Default { column, value: Some(cursor.rest().to_vec()) });
    }
    if cursor.words("drop default") {
        return one(What::Default { column, value: None });
    }
    if cursor.words("add generated") {
        return one(What::AddIdentity { column });
    }
    if cursor.any(&["set", "drop identity", "drop expression", "reset", "restart"]) {
        return one(What::Other);
    }
    None
}

fn rename(table: &str, cursor: &mut Cursor<'_>) -> Option<What> {
    if cursor.any(&["constraint", "index", "key"]) {
        return Some(What::Other);
    }
    if cursor.any(&["to", "as"]) {
        return Some(What::RenameTable { to: Qualified::of(table).beside(&cursor.name()?) });
    }
    cursor.words("column");
    let from = cursor.name()?;
    if cursor.words("to") {
        return Some(What::RenameColumn { from, to: cursor.name()? });
    }
    // `RENAME new_name` (MySQL)
    cursor.is_at_end().then(|| What::RenameTable { to: Qualified::of(table).beside(&from) })
}
