//! What stands in `#[covet(…)]`.

use covet_drivers::catalog::{
    Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Index, Over, Qualified, Schema,
    constraint_name,
};

use crate::cli::pull::names::written;
use crate::cli::pull::plan::{Model, Plan};
use crate::cli::pull::write::{action, timing};

/// The most characters of a list in an attribute that stands on one line, as rustfmt has it.
pub(super) const LIST: usize = 70;

/// The name in Rust of an enum.
pub(super) fn enum_name<'p>(plan: &'p Plan<'_>, ty: &EnumType) -> &'p str {
    plan.enums.iter().find(|known| known.ty == ty).map_or("String", |known| &known.name)
}

/// The attributes of the struct, each for a line of its own.
pub(super) fn of_model(model: &Model<'_>, plan: &Plan<'_>, schema: &Schema) -> Vec<String> {
    let table = model.table;
    let of = Qualified::of(&table.name);
    let mut attributes = vec![format!("table = {:?}", of.name)];
    attributes.extend(of.schema.as_ref().map(|schema| format!("schema = {schema:?}")));
    if let Some(comment) = &table.comment {
        attributes.push(format!("comment = {comment:?}"));
    }
    let mut without_name: Vec<Vec<String>> = table
        .columns
        .iter()
        .filter(|column| index_of(model, &column.name).is_some())
        .map(|c| vec![c.name.clone()])
        .collect();
    for index in table.indexes.iter().filter(|index| !model.lacks.indexes.contains_key(&index.name)) {
        if !index.columns().any(|column| index_of(model, column).is_some_and(|at_it| at_it.name == index.name)) {
            attributes.push(self::index(model, index, &mut without_name));
        }
    }
    for check in table.checks.iter().filter(|check| !model.lacks.checks.contains_key(&check.name)) {
        if table.columns.iter().any(|column| check.name == check_name(model, &column.name) && stands(model, column)) {
            continue;
        }
        let word = check.name.strip_prefix(&format!("{}_", of.name)).and_then(|rest| rest.strip_suffix("_ck"));
        let word = word.filter(|word| is_word(word));
        match (word, &check.expression) {
            (Some(word), Expression::Same(text)) => attributes.push(format!("check({word} = {text:?})")),
            (_, expression) => {
                let parts = [in_list(expression), format!("name = {:?}", check.name)];
                attributes.push(list("check", &parts));
            }
        }
    }
    let at_columns = model.keys_of_columns();
    for key in table.foreign_keys.iter().filter(|key| !model.lacks.foreign_keys.contains_key(&key.name)) {
        let at_column = key.columns.first().and_then(|column| at_columns.get(column.as_str()));
        if at_column.is_none_or(|known| known.name != key.name) {
            attributes.extend(foreign_key(model, key, plan, schema));
        }
    }
    attributes
}

/// The attributes of a column.
pub(super) fn of_column(model: &Model<'_>, plan: &Plan<'_>, column: &Column, field: &str) -> Vec<String> {
    let table = model.table;
    let mut attributes = Vec::new();
    let reference = model.keys_of_columns().remove(column.name.as_str());
    let is_key = table.primary_key.contains(&column.name);
    let default = column.default.as_ref().map(|default| self::default(default, &column.ty, plan));
    if is_key {
        attributes.push("key".to_owned());
        let is_said = default.as_ref().is_some_and(|default| default.starts_with("default = "));
        let usual =
            table.primary_key.len() == 1 && column.ty.integer_range().is_some() && reference.is_none() && !is_said;
        match (column.auto, usual) {
            (true, false) => attributes.push("auto".to_owned()),
            (false, true) => attributes.push("auto = false".to_owned()),
            _ => {}
        }
    }
    if field != column.name {
        attributes.push(format!("column = {:?}", column.name));
    }
    match &column.ty {
        ColumnType::Text { max_len: Some(most) } => attributes.push(format!("max_len = {most}")),
        ColumnType::Decimal { precision, scale } => attributes.push(format!("decimal({precision}, {scale})")),
        _ => {}
    }
    if column.case_insensitive {
        attributes.push("case_insensitive".to_owned());
    }
    attributes.extend(default);
    if let Some(index) = index_of(model, &column.name) {
        attributes.push(if index.unique { "unique" } else { "index" }.to_owned());
    }
    if let Some(key) = reference {
        attributes.extend(references(model, key, plan));
    }
    if let Some(generated) = &column.generated {
        let word = if generated.stored { "generated" } else { "generated_virtual" };
        attributes.push(sql(word, &generated.expression));
    }
    let check = table.checks.iter().find(|check| check.name == check_name(model, &column.name));
    if let Some(check) = check.filter(|check| !model.lacks.checks.contains_key(&check.name)) {
        attributes.push(sql("check", &check.expression));
    }
    attributes.extend(column.comment.as_ref().map(|comment| format!("comment = {comment:?}")));
    attributes
}

fn check_name(model: &Model<'_>, column: &str) -> String {
    constraint_name(&model.table.name, &[column], "ck")
}

/// Whether the column is a field.
fn stands(model: &Model<'_>, column: &Column) -> bool {
    !model.lacks.columns.contains_key(&column.name)
}

/// The index that stands at a column, because it is over it alone and has the name that Covet gives it.
fn index_of<'m>(model: &'m Model<'_>, column: &str) -> Option<&'m Index> {
    let table = model.table;
    let key = [column.to_owned()];
    let usual = |unique: bool| {
        let name = constraint_name(&table.name, &[column], if unique { "key" } else { "idx" });
        let wanted = Index::new(name, [column], unique);
        table.indexes.iter().find(|index| **index == wanted && !model.lacks.indexes.contains_key(&index.name))
    };
    // The key is unique already; an index over it that is there all the same has to be named.
    if table.primary_key == key {
        return None;
    }
    usual(true).or_else(|| usual(false))
}

/// `unique(a, desc(b), name = "…")`
fn index(model: &Model<'_>, index: &Index, without_name: &mut Vec<Vec<String>>) -> String {
    let field = |column: &str| written(model.field(column).unwrap_or(column));
    let mut parts: Vec<String> = index
        .terms
        .iter()
        .map(|term| match &term.over {
            Over::Column(column) if term.descending => format!("desc({})", field(column)),
            Over::Column(column) => field(column),
            Over::Expression(expression) => in_list(expression),
        })
        .collect();
    if let Some(condition) = &index.condition {
        parts.push(sql("where", condition));
    }
    if !index.include.is_empty() {
        let included: Vec<String> = index.include.iter().map(|column| field(column)).collect();
        parts.push(format!("include({})", included.join(", ")));
    }
    parts.extend(index.method.as_ref().map(|method| format!("using = {method:?}")));
    if index.nulls_agree {
        parts.push("nulls_agree".to_owned());
    }
    let classes: Vec<String> = index
        .terms
        .iter()
        .filter_map(|term| Some(format!("{} = {:?}", field(term.as_column()?), term.class.as_ref()?)))
        .collect();
    if !classes.is_empty() {
        parts.push(format!("opclass({})", classes.join(", ")));
    }
    let columns = index.column_names();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let usual = constraint_name(&model.table.name, &names, if index.unique { "key" } else { "idx" });
    let plain = columns.len() == index.terms.len();
    let known = without_name.contains(&columns) || index.unique && columns == model.table.primary_key;
    if plain && index.name == usual && !known {
        without_name.push(columns);
    } else {
        parts.push(format!("name = {:?}", index.name));
    }
    list(if index.unique { "unique" } else { "index" }, &parts)
}

/// `word(a, b)`, as rustfmt would write it: a long list has a line for each part.
fn list(word: &str, parts: &[String]) -> String {
    let line = parts.join(", ");
    if parts.len() > 1 && line.chars().count() > LIST {
        return format!("{word}(\n    {}\n)", parts.join(",\n    "));
    }
    format!("{word}({line})")
}

/// `references = User, on_delete = cascade`
fn references(model: &Model<'_>, key: &ForeignKey, plan: &Plan<'_>) -> Vec<String> {
    let Some(target) = plan.models.iter().find(|model| model.table.name == key.target) else { return Vec::new() };
    let mut parts = vec![match key.target_columns.as_slice() {
        [column] if target.table.primary_key != [column.clone()] => {
            format!("references = {}::{}", target.name, written(target.field(column).unwrap_or(column)))
        }
        _ => format!("references = {}", target.name),
    }];
    parts.extend(what_it_does(key));
    let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    if key.name != constraint_name(&model.table.name, &columns, "fkey") {
        parts.push(format!("constraint = {:?}", key.name));
    }
    parts
}

fn what_it_does(key: &ForeignKey) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(action(key.on_delete).map(|action| format!("on_delete = {action}")));
    parts.extend(action(key.on_update).map(|action| format!("on_update = {action}")));
    parts.extend(timing(key.timing).map(str::to_owned));
    parts
}

/// `foreign_key(a, b, references = City(country, name), name = "…")`
fn foreign_key(model: &Model<'_>, key: &ForeignKey, plan: &Plan<'_>, schema: &Schema) -> Option<String> {
    schema.table(&key.target)?;
    let target = plan.models.iter().find(|model| model.table.name == key.target)?;
    let fields = |model: &Model<'_>, columns: &[String]| -> String {
        let fields = columns.iter().map(|column| written(model.field(column).unwrap_or(column)));
        fields.collect::<Vec<_>>().join(", ")
    };
    let mut parts = vec![
        fields(model, &key.columns),
        format!("references = {}({})", target.name, fields(target, &key.target_columns)),
    ];
    parts.extend(what_it_does(key));
    let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    if key.name != constraint_name(&model.table.name, &columns, "fkey") {
        parts.push(format!("name = {:?}", key.name));
    }
    Some(format!("foreign_key({})", parts.join(", ")))
}

fn default(default: &ColumnDefault, ty: &ColumnType, plan: &Plan<'_>) -> String {
    let value = match (default, ty) {
        (ColumnDefault::Expression(expression), _) => return sql("default_sql", expression),
        (ColumnDefault::Text(label), ColumnType::Enum(ty)) => {
            let known = plan.enums.iter().find(|known| known.ty == ty);
            let variant = known.and_then(|known| {
                let at = ty.labels.iter().position(|other| other == label)?;
                Some(format!("{}::{}", known.name, known.variants.get(at)?))
            });
            variant.unwrap_or_else(|| format!("{label:?}"))
        }
        (ColumnDefault::Text(text), _) => format!("{text:?}"),
        (ColumnDefault::Bool(value), _) => value.to_string(),
        (ColumnDefault::Int(number), _) => number.to_string(),
        // A whole number that is too large for an integer of Rust is written with a point.
        (ColumnDefault::Number(text), _) => match text.contains(['.', 'e', 'E']) || text.parse::<i64>().is_ok() {
            true => text.to_string(),
            false => format!("{text}.0"),
        },
        (ColumnDefault::Now, _) => "now".to_owned(),
    };
    format!("default = {value}")
}

/// `word = "…"`, or `word(postgres = "…")`.
fn sql(word: &str, expression: &Expression) -> String {
    match expression {
        Expression::Same(text) => format!("{word} = {:?}", &**text),
        Expression::Each(_) => format!("{word}({})", each(expression)),
    }
}

/// `sql("…")`, or `sql(postgres = "…")`.
fn in_list(expression: &Expression) -> String {
    match expression {
        Expression::Same(text) => format!("sql({:?})", &**text),
        Expression::Each(_) => format!("sql({})", each(expression)),
    }
}

fn each(expression: &Expression) -> String {
    let Expression::Each(texts) = expression else { return String::new() };
    texts.iter().map(|(name, text)| format!("{name} = {:?}", &**text)).collect::<Vec<_>>().join(", ")
}

/// Whether it is an identifier that needs no `r#`.
fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && written(word) == word
        && !matches!(word, "self" | "super" | "crate")
}
