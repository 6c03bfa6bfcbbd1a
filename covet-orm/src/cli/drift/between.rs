//! What lies between two schemas that one database has told, object by object.

use covet_drivers::catalog::{
    Check, Column, ColumnDefault, Expression, ForeignKey, Index, Over, Schema, Table, Timing,
};

/// A difference: what an object should be and what it is, in words; `None` for what is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Difference {
    /// The object, as `column users.age`.
    pub(in crate::cli) object: String,
    /// What it should be.
    pub(in crate::cli) wanted: Option<String>,
    /// What it is.
    pub(in crate::cli) found: Option<String>,
}

/// The differences, sorted by table. The order of columns is none.
pub(in crate::cli) fn drift(wanted: &Schema, found: &Schema) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut names: Vec<&str> = wanted.tables.iter().chain(&found.tables).map(|table| table.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        match (wanted.table(name), found.table(name)) {
            (Some(wanted), Some(found)) => of_table(wanted, found, &mut differences),
            (wanted, found) => differences.push(Difference {
                object: format!("table {name}"),
                wanted: wanted.map(columns),
                found: found.map(columns),
            }),
        }
    }
    differences
}

fn columns(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    format!("({})", names.join(", "))
}

fn of_table(wanted: &Table, found: &Table, differences: &mut Vec<Difference>) {
    let table = &wanted.name;
    let mut say = |object: String, wanted: Option<String>, found: Option<String>| {
        differences.push(Difference { object, wanted, found });
    };
    let said = |comment: &Option<String>| comment.as_ref().map(|comment| format!("{comment:?}"));
    if wanted.comment != found.comment {
        say(format!("comment of {table}"), said(&wanted.comment), said(&found.comment));
    }
    let named = |column: &Column| column.name.clone();
    pairs(&wanted.columns, &found.columns, named, Column::means, column, |name, wanted, found| {
        say(format!("column {table}.{name}"), wanted, found);
    });
    let key =
        |table: &Table| Some(table.primary_key.join(", ")).filter(|key| !key.is_empty()).map(|key| format!("({key})"));
    if wanted.primary_key != found.primary_key {
        say(format!("primary key of {table}"), key(wanted), key(found));
    }
    let named = |index: &Index| index.name.clone();
    pairs(&wanted.indexes, &found.indexes, named, Index::means, index, |name, wanted, found| {
        say(format!("index {name} on {table}"), wanted, found);
    });
    let named = |key: &ForeignKey| key.name.clone();
    pairs(&wanted.foreign_keys, &found.foreign_keys, named, PartialEq::eq, foreign_key, |name, wanted, found| {
        say(format!("foreign key {name} on {table}"), wanted, found);
    });
    let named = |check: &Check| check.name.clone();
    let means = |a: &Check, b: &Check| a.expression.means(&b.expression);
    let words = |check: &Check| check.expression.to_string();
    pairs(&wanted.checks, &found.checks, named, means, words, |name, wanted, found| {
        say(format!("check {name} on {table}"), wanted, found);
    });
}

/// Tells what is on one side only, and what differs.
fn pairs<T>(
    wanted: &[T],
    found: &[T],
    name: impl Fn(&T) -> String,
    same: impl Fn(&T, &T) -> bool,
    words: impl Fn(&T) -> String,
    mut say: impl FnMut(String, Option<String>, Option<String>),
) {
    for one in wanted {
        match found.iter().find(|other| name(other) == name(one)) {
            Some(other) if same(one, other) => {}
            other => say(name(one), Some(words(one)), other.map(&words)),
        }
    }
    for other in found.iter().filter(|other| !wanted.iter().any(|one| name(one) == name(other))) {
        say(name(other), None, Some(words(other)));
    }
}

/// A column in words.
pub(in crate::cli) fn column(column: &Column) -> String {
    let mut text = column.ty.to_string();
    if let Some(ty) = column.ty.as_enum() {
        text.push_str(&format!(" ({})", ty.labels.join(", ")));
    }
    text.push_str(if column.nullable { ", may be NULL" } else { ", not NULL" });
    if column.case_insensitive {
        text.push_str(", without case");
    }
    if column.auto {
        text.push_str(", numbered");
    }
    if let Some(default) = &column.default {
        text.push_str(&format!(", default {}", default_of(default)));
    }
    if let Some(generated) = &column.generated {
        let how = if generated.stored { "stored" } else { "virtual" };
        text.push_str(&format!(", generated as {} ({how})", generated.expression));
    }
    if let Some(comment) = &column.comment {
        text.push_str(&format!(", comment {comment:?}"));
    }
    text
}

fn default_of(default: &ColumnDefault) -> String {
    match default {
        ColumnDefault::Bool(value) => value.to_string(),
        ColumnDefault::Int(number) => number.to_string(),
        ColumnDefault::Number(text) => text.to_string(),
        ColumnDefault::Text(text) => format!("{text:?}"),
        ColumnDefault::Now => "now".to_owned(),
        ColumnDefault::Expression(expression) => expression.to_string(),
    }
}

/// An index in words.
pub(in crate::cli) fn index(index: &Index) -> String {
    let terms: Vec<String> = index
        .terms
        .iter()
        .map(|term| {
            let mut text = match &term.over {
                Over::Column(name) => name.clone(),
                Over::Expression(expression) => expression.to_string(),
            };
            if let Some(class) = &term.class {
                text.push_str(&format!(" {class}"));
            }
            if term.descending {
                text.push_str(" desc");
            }
            text
        })
        .collect();
    let mut text = format!("{}({})", if index.unique { "unique " } else { "" }, terms.join(", "));
    if let Some(method) = &index.method {
        text.push_str(&format!(" using {method}"));
    }
    if !index.include.is_empty() {
        text.push_str(&format!(" include ({})", index.include.join(", ")));
    }
    if index.nulls_agree {
        text.push_str(", NULLs agree");
    }
    if let Some(condition) = &index.condition {
        text.push_str(&format!(" where {}", Expression::to_string(condition)));
    }
    text
}

/// A foreign key in words.
pub(in crate::cli) fn foreign_key(key: &ForeignKey) -> String {
    let mut text = format!("({}) to {} ({})", key.columns.join(", "), key.target, key.target_columns.join(", "));
    text.push_str(&format!(", on delete {}, on update {}", key.on_delete.sql(), key.on_update.sql()).to_lowercase());
    match key.timing {
        Timing::Immediate => {}
        Timing::Deferrable => text.push_str(", deferrable"),
        Timing::Deferred => text.push_str(", deferred"),
    }
    text
}

#[cfg(test)]
mod tests {
    use covet_drivers::catalog::{Column, ColumnType, Index, Schema, Table};

    use super::drift;

    #[test]
    fn each_object_is_told_once_and_the_order_of_columns_is_none() {
        let table = |columns: &[(&str, ColumnType)], indexes: &[&str]| {
            Schema::of(vec![Table {
                columns: columns.iter().map(|(name, ty)| Column::new(*name, ty.clone())).collect(),
                indexes: indexes.iter().map(|name| Index::new(*name, ["a"], true)).collect(),
                ..Table::new("t")
            }])
        };
        let wanted = table(&[("a", ColumnType::I32), ("b", ColumnType::Bool)], &["i"]);
        let same = table(&[("b", ColumnType::Bool), ("a", ColumnType::I32)], &["i"]);
        assert!(drift(&wanted, &same).is_empty());
        let other = table(&[("a", ColumnType::I64), ("c", ColumnType::Bool)], &["j"]);
        let told: Vec<String> =
            drift(&wanted, &other).into_iter().map(|d| format!("{}: {:?} {:?}", d.object, d.wanted, d.found)).collect();
        assert_eq!(
            told,
            [
                "column t.a: Some(\"i32, not NULL\") Some(\"i64, not NULL\")",
                "column t.b: Some(\"bool, not NULL\") None",
                "column t.c: None Some(\"bool, not NULL\")",
                "index i on t: Some(\"unique (a)\") None",
                "index j on t: None Some(\"unique (a)\")",
            ]
        );
        assert_eq!(drift(&wanted, &Schema::default())[0].wanted.as_deref(), Some("(a, b)"));
    }
}
