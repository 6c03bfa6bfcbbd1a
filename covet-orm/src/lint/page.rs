//! The document of a group of rules, made from the rules themselves.

use covet_drivers::lint::{Check, Rule};

/// The page of these rules, in Markdown: a table to find them, and a section with an anchor for each.
#[must_use]
pub fn page(title: &str, rules: &[Rule]) -> String {
    let mut out =
        format!("# {title}\n\nMade from the rules themselves; [README.md](README.md) says how lint works.\n\n");
    out.push_str("| rule | severity | is about |\n|---|---|---|\n");
    for rule in rules {
        let anchor = rule.id.to_lowercase();
        out.push_str(&format!("| [{}](#{anchor}) | {} | {} |\n", rule.id, rule.severity, cell(rule.title)));
    }
    for rule in rules {
        out.push_str(&section(rule));
    }
    out
}

/// The section of one rule.
pub(crate) fn section(rule: &Rule) -> String {
    let mut out = format!("\n## {}\n\n**{}** ({})\n\n", rule.id, upper(rule.title), rule.severity);
    out.push_str(&format!("* Found: {}\n* Effect: {}\n* Safer: {}\n", rule.trigger, rule.effect, rule.safer));
    if matches!(rule.check, Check::Live(_)) {
        out.push_str("* Looked for on the server: `cargo covet migrate lint --live`.\n");
    }
    if !rule.covers.is_empty() {
        out.push_str(&format!("* Stands for {}, which says less about the same statement.\n", rule.covers.join(", ")));
    }
    for (word, examples) in [("Found in", rule.fires), ("Not found in", rule.silent)] {
        if let Some(example) = examples.first() {
            out.push_str(&format!("\n{word}:\n\n```sql\n{example};\n```\n"));
        }
    }
    out
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
