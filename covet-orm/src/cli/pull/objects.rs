//! What the database has beside its tables and an `objects!` can say: views, triggers, functions and extensions.

use std::collections::BTreeSet;

use covet_drivers::catalog::{ObjectKind, Qualified, Schema};
use covet_drivers::contract::Unmodelled;

use crate::cli::pull::plan::Plan;

/// In the order in which they are written.
const KINDS: [ObjectKind; 4] = [ObjectKind::Extension, ObjectKind::Function, ObjectKind::View, ObjectKind::Trigger];

/// What belongs to a table, and is one.
const TABLES: [&str; 2] = ["partition", "inheriting table"];

/// Takes those out of what is beside the tables that can be declared, in order.
///
/// A declaration is run wherever the schema is created anew, so what it names has to be there: what reads a table without
/// a model, a column that is left out, or something else of which nothing is said, is not declared either.
pub(super) fn take(plan: &Plan<'_>, schema: &Schema, beside: &mut Vec<Unmodelled>) -> Vec<Unmodelled> {
    let (mut declared, mut rest): (Vec<Unmodelled>, Vec<Unmodelled>) =
        std::mem::take(beside).into_iter().partition(|one| one.definition.is_some());
    let mut unsaid = unsaid(plan, &rest);
    loop {
        let (stays, goes): (Vec<Unmodelled>, Vec<Unmodelled>) =
            declared.into_iter().partition(|one| can_be(one, plan, schema, &unsaid));
        declared = stays;
        if goes.is_empty() {
            break;
        }
        unsaid.extend(goes.iter().map(|one| one.name.clone()));
        rest.extend(goes);
    }
    rest.sort();
    *beside = rest;
    declared.sort_by(|a, b| (rank(a), &a.name, &a.table).cmp(&(rank(b), &b.name, &b.table)));
    declared
}

fn rank(one: &Unmodelled) -> usize {
    KINDS.iter().position(|kind| kind.word() == one.kind).unwrap_or(KINDS.len())
}

/// Whether it names a column that is left out, and its table.
fn reads_what_is_left_out(text: &str, plan: &Plan<'_>) -> bool {
    plan.models.iter().any(|model| {
        let mut columns = model.lacks.columns.keys();
        mentions(text, &Qualified::of(&model.table.name).name) && columns.any(|column| mentions(text, column))
    })
}

/// The names of which the file says nothing.
fn unsaid(plan: &Plan<'_>, rest: &[Unmodelled]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for model in &plan.models {
        if !model.is_there() {
            names.insert(Qualified::of(&model.table.name).name.into_owned());
        }
    }
    let on_their_own = rest.iter().filter(|one| one.table.is_none() || TABLES.contains(&one.kind.as_str()));
    names.extend(on_their_own.map(|one| Qualified::of(&one.name).name.into_owned()));
    names
}

fn can_be(one: &Unmodelled, plan: &Plan<'_>, schema: &Schema, unsaid: &BTreeSet<String>) -> bool {
    let known = rank(one) < KINDS.len();
    let placed = one
        .table
        .as_ref()
        .is_none_or(|table| schema.table(table).is_some() && !unsaid.contains(Qualified::of(table).name.as_ref()));
    let text = one.definition.as_deref().unwrap_or_default();
    known && placed && !reads_what_is_left_out(text, plan) && !unsaid.iter().any(|name| mentions(text, name))
}

/// Whether a text has a word like this name: what only looks like it counts too.
fn mentions(text: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    if !name.chars().all(in_word) {
        return text.contains(name);
    }
    text.split(|c| !in_word(c)).any(|word| word.to_lowercase() == name.to_lowercase())
}

/// The declarations.
pub(super) fn text(declared: &[Unmodelled], database: &str) -> String {
    let mut text = String::new();
    if declared.is_empty() {
        return text;
    }
    text.push_str("\ncovet_orm::objects! {\n");
    for one in declared {
        let on = one.table.as_ref().map(|table| format!(" on {table:?}")).unwrap_or_default();
        let definition = literal(one.definition.as_deref().unwrap_or_default());
        text.push_str(&format!("    {} {:?}{on} = {{ {database} = {definition} }};\n", one.kind, one.name));
    }
    text.push_str("}\n");
    text
}

/// The text in Rust, as it stands in the database if that can be read.
fn literal(text: &str) -> String {
    let is_plain = |c: char| matches!(c, '"' | '\'' | '\\' | '\n' | '\t') || c.escape_debug().count() == 1;
    if !text.chars().all(is_plain) {
        return format!("{text:?}");
    }
    if !text.contains(['"', '\\', '\n', '\t']) {
        return format!("\"{text}\"");
    }
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}

#[cfg(test)]
mod tests {
    use super::{literal, mentions};

    #[test]
    fn any_text_is_a_literal() {
        for (text, want) in [
            ("SELECT 1", "\"SELECT 1\""),
            ("it's", "\"it's\""),
            ("a\nb", "r\"a\nb\""),
            ("\"a\"", "r#\"\"a\"\"#"),
            ("\"#", "r##\"\"#\"##"),
            ("a\\b", "r\"a\\b\""),
            ("a\r\n", "\"a\\r\\n\""),
            ("\u{202e}", "\"\\u{202e}\""),
        ] {
            assert_eq!(literal(text), want);
        }
    }

    #[test]
    fn names_are_found_as_words() {
        assert!(mentions("SELECT \"A\" FROM t.b", "a") && mentions("x(größe)", "größe"));
        assert!(mentions("SELECT `user name`", "user name") && !mentions("SELECT abc", "ab"));
    }
}
