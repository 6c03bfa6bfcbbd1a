//! The plan as Rust: the same bytes for the same schema, formatted as rustfmt would.

use covet_drivers::catalog::{Action, ColumnType, Qualified, Schema, Timing};
use covet_drivers::contract::Unmodelled;

use crate::cli::drift::between;
use crate::cli::pull::attributes::{LIST, enum_name, of_column, of_model};
use crate::cli::pull::names::written;
use crate::cli::pull::objects;
use crate::cli::pull::plan::{Enum, Model, Plan};

/// The most characters of what a comment says in the database's words.
const SAID: usize = 160;

/// The file.
pub(super) fn source(
    plan: &Plan<'_>,
    schema: &Schema,
    database: &str,
    declared: &[Unmodelled],
    beside: &[Unmodelled],
) -> String {
    let mut text = format!("// Written by `cargo covet db pull` from a database of {database}.\n");
    text.push_str(&uses(plan));
    for one in &plan.enums {
        text.push('\n');
        text.push_str(&enum_text(one));
    }
    for model in &plan.models {
        text.push('\n');
        let own = beside.iter().filter(|one| one.table.as_deref() == Some(&model.table.name));
        text.push_str(&comment_before(model, own));
        let body = struct_text(model, plan, schema);
        match model.is_there() {
            true => text.push_str(&body),
            false => body.lines().for_each(|line| text.push_str(&format!("// {line}\n"))),
        }
    }
    text.push_str(&objects::text(declared, database));
    let rest: Vec<&Unmodelled> = beside.iter().filter(|one| !belongs(one, schema)).collect();
    if !rest.is_empty() {
        text.push_str("\n// The database has more, of which models say nothing; migrations leave it as it is:\n");
        rest.iter().for_each(|one| text.push_str(&format!("// - {}\n", said(&one.to_string()))));
    }
    text
}

/// Whether it is said at one of the tables.
pub(super) fn belongs(one: &Unmodelled, schema: &Schema) -> bool {
    one.table.as_deref().is_some_and(|table| schema.table(table).is_some())
}

fn uses(plan: &Plan<'_>) -> String {
    let there = plan.models.iter().filter(|model| model.is_there());
    let columns = there
        .flat_map(|model| model.table.columns.iter().filter(|column| !model.lacks.columns.contains_key(&column.name)));
    let types: Vec<&ColumnType> = columns.map(|column| &column.ty).collect();
    let has = |wanted: &ColumnType| types.contains(&wanted);
    let mut chrono: Vec<&str> = Vec::new();
    for (ty, names) in [
        (ColumnType::Timestamp, &["DateTime", "Utc"][..]),
        (ColumnType::Date, &["NaiveDate"]),
        (ColumnType::DateTime, &["NaiveDateTime"]),
        (ColumnType::Time, &["NaiveTime"]),
    ] {
        if has(&ty) {
            chrono.extend(names);
        }
    }
    chrono.sort_unstable();
    let mut features = Vec::new();
    let mut lines = Vec::new();
    match chrono.as_slice() {
        [] => {}
        [one] => lines.push(format!("use chrono::{one};\n")),
        several => lines.push(format!("use chrono::{{{}}};\n", several.join(", "))),
    }
    if !chrono.is_empty() {
        features.push("chrono");
    }
    if !plan.models.iter().all(|model| !model.is_there()) {
        lines.push("use covet_orm::prelude::*;\n".to_owned());
    }
    if types.iter().any(|ty| matches!(ty, ColumnType::Decimal { .. })) {
        lines.push("use rust_decimal::Decimal;\n".to_owned());
        features.push("rust_decimal");
    }
    if has(&ColumnType::Uuid) {
        lines.push("use uuid::Uuid;\n".to_owned());
        features.push("uuid");
    }
    let mut text = String::new();
    if has(&ColumnType::Json) {
        features.push("json");
    }
    if !features.is_empty() {
        let crates: Vec<&str> = features.iter().map(|name| if *name == "json" { "serde_json" } else { name }).collect();
        text = format!(
            "// It needs the features {} of covet-orm, and the crates {}.\n",
            features.join(", "),
            crates.join(", ")
        );
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    lines.into_iter().for_each(|line| text.push_str(&line));
    text
}

fn enum_text(one: &Enum<'_>) -> String {
    let of = Qualified::of(&one.ty.name);
    let schema = of.schema.as_ref().map(|schema| format!(", schema = {schema:?}")).unwrap_or_default();
    let mut text = format!(
        "#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]\n#[covet(name = {:?}{schema})]\npub enum {} {{\n",
        of.name, one.name
    );
    for (label, variant) in one.ty.labels.iter().zip(&one.variants) {
        if !is_usual(label) {
            text.push_str(&format!("    #[covet(rename = {label:?})]\n"));
        }
        text.push_str(&format!("    {variant},\n"));
    }
    text.push_str("}\n");
    text
}

/// Whether the derive makes this label of the variant that is made of it: words of two and more small letters.
fn is_usual(label: &str) -> bool {
    label.split('_').all(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && super::names::words(label).join("_") == *label
        && label != "self"
}

/// What the model does not say of its table.
fn comment_before<'u>(model: &Model<'_>, beside: impl Iterator<Item = &'u Unmodelled>) -> String {
    let table = &model.table.name;
    let mut text = String::new();
    if let Some(why) = &model.lacks.table {
        text.push_str(&format!(
            "// The table `{}` has no model: {}. Migrations leave it as it is.\n",
            said(table),
            said(why)
        ));
    }
    let mut more: Vec<String> = Vec::new();
    let lacks = &model.lacks;
    for index in &model.table.indexes {
        if let Some(why) = lacks.indexes.get(&index.name) {
            more.push(format!("index {} {}: {why}", index.name, between::index(index)));
        }
    }
    for key in &model.table.foreign_keys {
        if let Some(why) = lacks.foreign_keys.get(&key.name) {
            more.push(format!("foreign key {} {}: {why}", key.name, between::foreign_key(key)));
        }
    }
    for check in &model.table.checks {
        if let Some(why) = lacks.checks.get(&check.name) {
            more.push(format!("check {} {}: {why}", check.name, check.expression));
        }
    }
    more.extend(beside.map(ToString::to_string));
    if !more.is_empty() {
        text.push_str("// The table has more than the model says; migrations leave it as it is:\n");
        more.iter().for_each(|one| text.push_str(&format!("// - {}\n", said(one))));
    }
    text
}

fn struct_text(model: &Model<'_>, plan: &Plan<'_>, schema: &Schema) -> String {
    let mut text = String::from("#[derive(Model, Clone, Debug)]\n");
    for attribute in of_model(model, plan, schema) {
        text.push_str(&format!("#[covet({attribute})]\n"));
    }
    text.push_str(&format!("pub struct {} {{\n", model.name));
    for (at, field) in &model.fields {
        let Some(column) = model.table.columns.get(*at) else { continue };
        let ty = |name: &str| if column.nullable { format!("Option<{name}>") } else { name.to_owned() };
        if let Some(why) = model.lacks.columns.get(&column.name) {
            text.push_str(&format!(
                "    // `{}` is left out: {}. Migrations leave it as it is.\n",
                said(&column.name),
                said(why)
            ));
            let given = column.nullable || column.default.is_some() || column.auto || column.generated.is_some();
            if !given {
                text.push_str("    // It is NOT NULL and has no default: the model cannot insert rows.\n");
            }
            text.push_str(&format!("    // pub {}: {},\n", written(field), said(&ty(&column.ty.to_string()))));
            continue;
        }
        text.push_str(&attribute_lines(&of_column(model, plan, column, field)));
        text.push_str(&format!("    pub {}: {},\n", written(field), ty(&rust(&column.ty, plan))));
    }
    for relation in &model.relations {
        text.push_str(&attribute_lines(&relation.attributes));
        text.push_str(&format!("    pub {}: {},\n", written(&relation.field), relation.ty));
    }
    text.push_str("}\n");
    text
}

/// The attributes of a field: on one line, where they fit there.
fn attribute_lines(attributes: &[String]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let line = attributes.join(", ");
    if attributes.len() == 1 || line.chars().count() <= LIST {
        return format!("    #[covet({line})]\n");
    }
    attributes.iter().map(|attribute| format!("    #[covet({attribute})]\n")).collect()
}

/// The type in Rust.
fn rust(ty: &ColumnType, plan: &Plan<'_>) -> String {
    match ty {
        ColumnType::Text { .. } => "String".to_owned(),
        ColumnType::Bytes => "Vec<u8>".to_owned(),
        ColumnType::Date => "NaiveDate".to_owned(),
        ColumnType::Time => "NaiveTime".to_owned(),
        ColumnType::DateTime => "NaiveDateTime".to_owned(),
        ColumnType::Timestamp => "DateTime<Utc>".to_owned(),
        ColumnType::Uuid => "Uuid".to_owned(),
        ColumnType::Decimal { .. } => "Decimal".to_owned(),
        ColumnType::Json => "serde_json::Value".to_owned(),
        ColumnType::Enum(ty) => enum_name(plan, ty).to_owned(),
        // `bool`, `i64`, `f32`: as Rust calls them. What has no word is left out before.
        other => other.to_string(),
    }
}

/// The words of an action.
pub(super) fn action(action: Action) -> Option<&'static str> {
    match action {
        Action::NoAction => None,
        Action::Restrict => Some("restrict"),
        Action::Cascade => Some("cascade"),
        Action::SetNull => Some("set_null"),
        Action::SetDefault => Some("set_default"),
    }
}

/// The word of a timing.
pub(super) fn timing(timing: Timing) -> Option<&'static str> {
    match timing {
        Timing::Immediate => None,
        Timing::Deferrable => Some("deferrable"),
        Timing::Deferred => Some("deferred"),
    }
}

/// What the database says, on one line of a comment.
pub(super) fn said(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: String =
        line.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    if let Some((end, _)) = out.char_indices().nth(SAID) {
        out.truncate(end);
        out.push('…');
    }
    out
}
