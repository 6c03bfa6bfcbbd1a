//! A schema as text: the snapshot that each migration keeps, one item a line, always the same bytes.

use std::fmt::Write;

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The schema in TOML: sorted, a column, index or foreign key a line, so that two branches merge.
///
/// # Errors
/// `Migration` when a part cannot be written, which no schema of models brings about.
pub fn to_toml(schema: &Schema) -> Result<String> {
    let mut schema = schema.clone();
    schema.sort();
    let mut out = String::new();
    for table in &schema.tables {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("[[table]]\n");
        line(&mut out, "name", &inline(&table.name)?);
        if let Some(comment) = &table.comment {
            line(&mut out, "comment", &inline(comment)?);
        }
        if !table.primary_key.is_empty() {
            line(&mut out, "primary_key", &inline(&table.primary_key)?);
        }
        list(&mut out, "column", &table.columns)?;
        list(&mut out, "index", &table.indexes)?;
        list(&mut out, "foreign_key", &table.foreign_keys)?;
        list(&mut out, "check", &table.checks)?;
    }
    for object in &schema.objects {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("[[object]]\n");
        line(&mut out, "kind", &inline(object.kind.word())?);
        line(&mut out, "name", &inline(&object.name)?);
        if let Some(table) = &object.table {
            line(&mut out, "table", &inline(table)?);
        }
        line(&mut out, "definition", &inline(&object.definition)?);
    }
    Ok(out)
}

/// The schema of such a text.
///
/// # Errors
/// `Migration` with the line, when the text is malformed.
pub fn from_toml(text: &str) -> Result<Schema> {
    let mut schema: Schema = toml::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Migration, format!("the snapshot of the schema is malformed: {}", error.message()))
            .with_source(error)
    })?;
    schema.sort();
    schema.find_reads();
    Ok(schema)
}

/// The hash by which two schemas are known to be equal: `sha256:` and 64 hexadecimal digits.
///
/// # Errors
/// Those of [`to_toml`].
pub fn hash(schema: &Schema) -> Result<String> {
    Ok(digest(&to_toml(schema)?))
}

/// `sha256:` and the digest of the text.
pub(crate) fn digest(text: &str) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// One value of TOML on one line.
pub(crate) fn inline<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let mut text = String::new();
    value.serialize(toml::ser::ValueSerializer::new(&mut text)).map_err(|error| {
        Error::new(ErrorKind::Migration, "a part of the migration cannot be written as TOML").with_source(error)
    })?;
    Ok(text)
}

fn line(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str(" = ");
    out.push_str(value);
    out.push('\n');
}

/// `key = [`, an item a line, `]`; nothing for an empty list.
pub(crate) fn list<T: Serialize>(out: &mut String, key: &str, items: &[T]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    out.push_str(key);
    out.push_str(" = [\n");
    for item in items {
        out.push_str("  ");
        out.push_str(&inline(item)?);
        out.push_str(",\n");
    }
    out.push_str("]\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use covet_drivers::catalog::{
        Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Object,
        ObjectKind, Schema, Table, Term, Timing,
    };

    use super::{from_toml, hash, to_toml};

    fn everything() -> Schema {
        let role = EnumType { name: "role".into(), labels: vec!["a".into(), "it's".into()].into() };
        let types = [
            ColumnType::Bool,
            ColumnType::U64,
            ColumnType::Text { max_len: None },
            ColumnType::Text { max_len: Some(5) },
            ColumnType::Decimal { precision: 10, scale: 2 },
            ColumnType::DateTime,
            ColumnType::Enum(role),
            ColumnType::Json,
        ];
        let mut columns: Vec<Column> =
            types.into_iter().enumerate().map(|(n, ty)| Column::new(format!("c{n}"), ty)).collect();
        columns[0].default = Some(ColumnDefault::Bool(true));
        columns[1].default = Some(ColumnDefault::Int(-3));
        columns[2].default = Some(ColumnDefault::Text("line\n\"quoted\" 'x' \\ é".into()));
        columns[3].case_insensitive = true;
        columns[4].default = Some(ColumnDefault::Number("1.50".into()));
        columns[5].default = Some(ColumnDefault::Now);
        columns[5].nullable = true;
        columns[6].comment = Some("it's \"x\"".into());
        columns[7].default = None;
        let each = Expression::Each(vec![("a".into(), "1".into()), ("b".into(), "'2'".into())].into());
        columns[7].generated = Some(Generated { expression: each.clone(), stored: true });
        let both = vec![
            Term { descending: true, class: Some("c".into()), ..Term::column("c1") },
            Term::expression(Expression::new("lower(c2)")),
            Term::column("c3"),
        ];
        let partial = Index { terms: both, condition: Some(each.clone()), ..Index::new("p", ["x"], false) };
        let partial = Index { include: vec!["c4".into()], method: Some("gin".into()), nulls_agree: true, ..partial };
        Schema {
            tables: vec![
                Table {
                    name: "z\"`'].".into(),
                    primary_key: vec!["c1".into()],
                    columns: columns.clone(),
                    indexes: vec![Index::new("i", ["c2", "c3"], true), partial],
                    checks: vec![Check { name: "k".into(), expression: Expression::new("c1 > 0 -- \"") }],
                    comment: Some("a table".into()),
                    foreign_keys: vec![ForeignKey {
                        name: "f".into(),
                        columns: vec!["c1".into()],
                        target: "a".into(),
                        target_columns: vec!["c1".into()],
                        on_delete: Action::SetNull,
                        on_update: Action::NoAction,
                        timing: Timing::Deferred,
                    }],
                },
                Table { name: "a".into(), columns: columns[..2].to_vec(), ..Table::default() },
            ],
            objects: vec![
                Object { reads: vec!["a".into()], ..Object::trigger("t", "a", each) },
                Object::new(ObjectKind::View, "v", Expression::new("SELECT 'x'\n-- \"\"\"")),
            ],
        }
    }

    #[test]
    fn comes_back_equal_and_always_in_the_same_bytes() {
        let mut schema = everything();
        let text = to_toml(&schema).unwrap();
        let read = from_toml(&text).unwrap();
        assert_eq!(to_toml(&read).unwrap(), text);
        schema.sort();
        assert_eq!(read, schema);
        assert_eq!(hash(&everything()).unwrap(), hash(&read).unwrap());
        assert_eq!(from_toml("").unwrap(), Schema::default());
    }

    #[test]
    fn an_item_is_a_line() {
        let text = to_toml(&everything()).unwrap();
        assert!(text.contains("\n  { name = \"c1\", type = \"u64\", default = { int = -3 } },\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("  { name = ")).count(), 14, "{text}");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in ["x", "[[table]]\nnam = 1", "[[table]]\nname = \"t\"\ncolumn = [{ name = \"c\", type = \"i63\" }]"]
        {
            let error = from_toml(text).unwrap_err().to_string();
            assert!(error.contains("malformed"), "{error}");
        }
    }
}
