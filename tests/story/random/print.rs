//! A schema in the notation of the stories.

use std::fmt::Write;

use covet_orm::drivers::catalog::{
    Action, Column, ColumnDefault, ColumnType, ForeignKey, Index, Over, Schema, Table, Timing, constraint_name,
};

use crate::notation;

/// The schema in a line; in TOML where the notation has no words for it.
pub(crate) fn print(schema: &Schema) -> String {
    let tables: Vec<String> = schema.tables.iter().map(table).collect();
    let line = tables.join(" ");
    let mut sorted = schema.clone();
    sorted.sort();
    match std::panic::catch_unwind(|| notation::schema(&line)) {
        Ok(read) if read == sorted => line,
        _ => format!("{line}\n{}", covet_orm::schema::to_toml(schema).unwrap()),
    }
}

fn plain(name: &str) -> String {
    name.replace(' ', "~")
}

fn table(table: &Table) -> String {
    let mut items: Vec<String> = table.comment.iter().map(|comment| format!("#{}", plain(comment))).collect();
    items.extend(table.columns.iter().map(column));
    if !table.primary_key.is_empty() && !table.columns.iter().any(|column| column.auto) {
        items.push(format!("pk({})", names(&table.primary_key)));
    }
    items.extend(table.indexes.iter().map(|one| index(table, one)));
    items.extend(table.foreign_keys.iter().map(foreign_key));
    items.extend(table.checks.iter().map(|check| {
        let prefix = format!("{}_", table.name);
        let word = check.name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix("_ck")).unwrap_or(&check.name);
        format!("ck:{}({})", plain(word), plain(&check.expression.to_string()))
    }));
    format!("{}{{{}}}", plain(&table.name), items.join("; "))
}

fn column(column: &Column) -> String {
    let ty = if column.auto && column.ty == ColumnType::I64 { "auto".to_owned() } else { of(&column.ty) };
    let mut out = format!("{} {ty}{}", plain(&column.name), if column.nullable { "?" } else { "" });
    if column.auto && column.ty != ColumnType::I64 {
        out.push_str(" auto");
    }
    if column.case_insensitive {
        out.push_str(" ci");
    }
    match &column.default {
        None => {}
        Some(ColumnDefault::Bool(value)) => write!(out, " ={value}").unwrap(),
        Some(ColumnDefault::Int(value)) => write!(out, " ={value}").unwrap(),
        Some(ColumnDefault::Number(value)) => write!(out, " ={value}").unwrap(),
        Some(ColumnDefault::Text(value)) => write!(out, " ='{}'", plain(value)).unwrap(),
        Some(ColumnDefault::Now) => out.push_str(" =now"),
        Some(ColumnDefault::Expression(text)) => write!(out, " =sql:{}", plain(&text.to_string())).unwrap(),
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        write!(out, " {kind}:{}", plain(&generated.expression.to_string())).unwrap();
    }
    if let Some(comment) = &column.comment {
        write!(out, " #{}", plain(comment)).unwrap();
    }
    out
}

fn index(table: &Table, index: &Index) -> String {
    let terms: Vec<String> = index
        .terms
        .iter()
        .map(|term| match &term.over {
            Over::Expression(text) => format!("<{}>", plain(&text.to_string())),
            Over::Column(name) => format!("{}{}", if term.descending { "-" } else { "" }, plain(name)),
        })
        .collect();
    let words: Vec<&str> = index.terms.iter().map(|term| term.as_column().unwrap_or("expr")).collect();
    let derived = constraint_name(&table.name, &words, if index.unique { "key" } else { "idx" });
    let name = if derived == index.name { String::new() } else { format!(":{}", plain(&index.name)) };
    let mut out = format!("{}{name}({})", if index.unique { "uq" } else { "ix" }, terms.join(","));
    if index.nulls_agree {
        out.push_str("!nulls~agree");
    }
    for name in &index.include {
        write!(out, "+{}", plain(name)).unwrap();
    }
    if let Some(method) = &index.method {
        write!(out, "!{method}").unwrap();
    }
    if let Some(condition) = &index.condition {
        write!(out, "?{}", plain(&condition.to_string())).unwrap();
    }
    out
}

fn foreign_key(key: &ForeignKey) -> String {
    let mut out = format!("fk({})->{}({})", names(&key.columns), plain(&key.target), names(&key.target_columns));
    for (action, prefix) in [(key.on_delete, ""), (key.on_update, "on:")] {
        let word = match action {
            Action::NoAction => continue,
            Action::Restrict => "restrict",
            Action::Cascade => "cascade",
            Action::SetNull => "setnull",
            Action::SetDefault => "setdefault",
        };
        write!(out, " {prefix}{word}").unwrap();
    }
    match key.timing {
        Timing::Immediate => {}
        Timing::Deferrable => out.push_str(" deferrable"),
        Timing::Deferred => out.push_str(" deferred"),
    }
    out
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(",")
}

fn of(ty: &ColumnType) -> String {
    match ty {
        ColumnType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        ColumnType::Enum(ty) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| plain(label)).collect();
            format!("enum({},{})", plain(&ty.name), labels.join(","))
        }
        other => other.to_string(),
    }
}
