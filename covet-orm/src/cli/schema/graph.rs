//! A schema as a Mermaid diagram.

use covet_drivers::catalog::{Schema, Table};

/// The diagram. Mermaid takes few characters in names; others become `_`.
pub(super) fn mermaid(schema: &Schema) -> String {
    let mut text = String::from("erDiagram\n");
    for table in &schema.tables {
        text.push_str(&format!("    {} {{\n", entity(&table.name)));
        for column in &table.columns {
            let marks = marks(table, &column.name);
            let marks = if marks.is_empty() { String::new() } else { format!(" {}", marks.join(", ")) };
            let null = if column.nullable { " \"NULL\"" } else { "" };
            text.push_str(&format!("        {} {}{marks}{null}\n", plain(&column.ty.to_string()), plain(&column.name)));
        }
        text.push_str("    }\n");
    }
    for table in &schema.tables {
        for key in &table.foreign_keys {
            let optional = key.columns.iter().any(|name| table.column(name).is_some_and(|column| column.nullable));
            let unique = is_unique(table, &key.columns);
            // Seen from the table that points: at most one row, or any number.
            let many = if unique { "|o" } else { "}o" };
            let one = if optional { "o|" } else { "||" };
            text.push_str(&format!(
                "    {} {many}--{one} {} : \"{}\"\n",
                entity(&table.name),
                entity(&key.target),
                key.columns.join(", ").replace('"', "'")
            ));
        }
    }
    text
}

fn marks(table: &Table, column: &str) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if table.primary_key.iter().any(|name| name == column) {
        marks.push("PK");
    }
    if table.foreign_keys.iter().any(|key| key.columns.iter().any(|name| name == column)) {
        marks.push("FK");
    }
    if table.indexes.iter().any(|index| index.keeps_unique(&[column.to_owned()])) {
        marks.push("UK");
    }
    marks
}

fn is_unique(table: &Table, columns: &[String]) -> bool {
    table.is_unique(columns)
}

/// A table's name; one that is no word stands in quotes.
fn entity(name: &str) -> String {
    if plain(name) == name { name.to_owned() } else { format!("\"{}\"", name.replace('"', "'")) }
}

/// A word as Mermaid takes it for a type or a column.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') || c == '_' {
            out.push('_');
        }
    }
    let out = out.trim_end_matches('_');
    if out.starts_with(|c: char| c.is_ascii_alphabetic()) { out.to_owned() } else { format!("x{out}") }
}

#[cfg(test)]
mod tests {
    use super::{entity, plain};

    #[test]
    fn names_are_what_mermaid_takes() {
        assert_eq!(
            (plain("decimal(10, 2)"), plain("user_id"), plain("1x")),
            ("decimal_10_2".into(), "user_id".into(), "x1x".into())
        );
        assert_eq!((entity("users"), entity("my \"table\"")), ("users".to_owned(), "\"my 'table'\"".to_owned()));
    }
}
