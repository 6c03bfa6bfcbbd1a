//! What of a schema models can say, and why not the rest: a database that was made by others may have more.

use std::collections::BTreeMap;

use covet_drivers::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Index, Over, Qualified, Schema,
    Table,
};

/// The most bytes of a name in a model.
const MOST: usize = 63;

/// The most columns of a model's key.
const MAX_KEY: usize = 4;

/// What models cannot say of a table: names, each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unsayable {
    /// Why there can be no model of the table at all.
    pub(crate) table: Option<String>,
    pub(crate) columns: BTreeMap<String, String>,
    pub(crate) indexes: BTreeMap<String, String>,
    pub(crate) foreign_keys: BTreeMap<String, String>,
    pub(crate) checks: BTreeMap<String, String>,
}

/// What models cannot say of each table, by its name.
pub(crate) fn unsayable(schema: &Schema) -> BTreeMap<String, Unsayable> {
    let mut enums: BTreeMap<&str, &EnumType> = BTreeMap::new();
    let mut all: BTreeMap<String, Unsayable> = BTreeMap::new();
    for table in &schema.tables {
        let mut found = Unsayable::default();
        for column in &table.columns {
            if let Some(why) = of_column(table, column, &mut enums) {
                found.columns.insert(column.name.clone(), why);
            }
        }
        what_reads(table, &mut found);
        found.table = of_table(table, &found);
        all.insert(table.name.clone(), found);
    }
    for table in &schema.tables {
        for key in &table.foreign_keys {
            if let Some(why) = of_foreign_key(table, key, schema, &all)
                && let Some(found) = all.get_mut(&table.name)
            {
                found.foreign_keys.insert(key.name.clone(), why);
            }
        }
    }
    all
}

/// What reads a column that is left out cannot be said either.
fn what_reads(table: &Table, found: &mut Unsayable) {
    loop {
        let reads = |column: &&Column| {
            let generated = column.generated.as_ref()?;
            let left_out = found.columns.keys().find(|name| generated.expression.mentions(name))?;
            let new = !found.columns.contains_key(&column.name);
            new.then(|| (column.name.clone(), format!("it is generated from {left_out}, which is left out")))
        };
        match table.columns.iter().find_map(|column| reads(&column)) {
            Some((name, why)) => found.columns.insert(name, why),
            None => break,
        };
    }
    for index in &table.indexes {
        if let Some(why) = of_index(index, found) {
            found.indexes.insert(index.name.clone(), why);
        }
    }
    for check in &table.checks {
        if let Some(why) = of_check(check, found) {
            found.checks.insert(check.name.clone(), why);
        }
    }
}

fn of_table(table: &Table, found: &Unsayable) -> Option<String> {
    if let Some(why) = of_name(&Qualified::of(&table.name).name) {
        return Some(why);
    }
    if table.primary_key.is_empty() {
        return Some("it has no primary key".to_owned());
    }
    if table.primary_key.len() > MAX_KEY {
        return Some(format!(
            "its primary key has {} columns, and a model's has at most {MAX_KEY}",
            table.primary_key.len()
        ));
    }
    let (column, why) = table.primary_key.iter().find_map(|name| Some((name, found.columns.get(name)?)))?;
    Some(format!("{column} is of its primary key, and {why}"))
}

fn of_name(name: &str) -> Option<String> {
    if name.is_empty() || name.contains('\0') {
        return Some("its name is empty or has a NUL".to_owned());
    }
    (name.len() > MOST).then(|| format!("its name has more than {MOST} bytes"))
}

fn of_column<'s>(table: &Table, column: &'s Column, enums: &mut BTreeMap<&'s str, &'s EnumType>) -> Option<String> {
    if let Some(why) = of_name(&column.name) {
        return Some(why);
    }
    match &column.ty {
        ColumnType::Other(name) if name.is_empty() => return Some("it has no type".to_owned()),
        ColumnType::Other(name) => return Some(format!("its type is {name}, for which models have no word")),
        ColumnType::Text { max_len: Some(0) } => return Some("it holds the empty text alone".to_owned()),
        ColumnType::Decimal { precision, scale } if *precision == 0 || *precision > 38 || scale > precision => {
            return Some(format!("its type is {}, of which models have no such", column.ty));
        }
        ColumnType::Enum(ty) => {
            if let Some(why) = of_enum(ty) {
                return Some(why);
            }
            if *enums.entry(&ty.name).or_insert(ty) != ty {
                return Some(format!("there is another enum {} with other labels", ty.name));
            }
        }
        _ => {}
    }
    let is_key = table.primary_key.contains(&column.name);
    if column.auto && (table.primary_key.len() != 1 || !is_key || column.ty.integer_range().is_none()) {
        return Some("the database numbers it, and a model can say that of a key of one integer alone".to_owned());
    }
    if column.generated.is_some() && is_key {
        return Some("it is generated, and a model's key is not".to_owned());
    }
    if column.generated.as_ref().is_some_and(|generated| is_blank(&generated.expression)) {
        return Some("the database does not tell how it is generated".to_owned());
    }
    column.default.as_ref().filter(|default| !fits(&column.ty, default)).map(|default| {
        let said = match default {
            ColumnDefault::Bool(value) => value.to_string(),
            ColumnDefault::Int(value) => value.to_string(),
            ColumnDefault::Number(text) | ColumnDefault::Text(text) => format!("{text:?}"),
            ColumnDefault::Now => "the current time".to_owned(),
            ColumnDefault::Expression(expression) => expression.to_string(),
        };
        format!("its default is {said}, which a model cannot say of {}", column.ty)
    })
}

fn of_enum(ty: &EnumType) -> Option<String> {
    if let Some(why) = of_name(&Qualified::of(&ty.name).name) {
        return Some(format!("of its enum: {why}"));
    }
    if ty.labels.is_empty() {
        return Some(format!("its enum {} has no labels", ty.name));
    }
    let label = ty.labels.iter().find(|label| of_name(label).is_some())?;
    Some(format!("the label {label:?} of its enum is empty or too long"))
}

fn is_blank(expression: &Expression) -> bool {
    let blank = |text: &str| text.trim().is_empty() || text.contains('\0');
    match expression {
        Expression::Same(text) => blank(text),
        Expression::Each(texts) => texts.is_empty() || texts.iter().any(|(_, text)| blank(text)),
    }
}

/// Whether a model can say this default of a column of this type.
fn fits(ty: &ColumnType, default: &ColumnDefault) -> bool {
    match (ty, default) {
        (_, ColumnDefault::Expression(expression)) => !is_blank(expression),
        (ColumnType::Bool, ColumnDefault::Bool(_))
        | (ColumnType::F32 | ColumnType::F64, ColumnDefault::Int(_))
        | (
            ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp,
            ColumnDefault::Now | ColumnDefault::Text(_),
        )
        | (ColumnType::Json | ColumnType::Uuid | ColumnType::Text { max_len: None }, ColumnDefault::Text(_)) => true,
        (ColumnType::Text { max_len: Some(most) }, ColumnDefault::Text(text)) => {
            u32::try_from(text.chars().count()).is_ok_and(|length| length <= *most)
        }
        (ColumnType::Enum(ty), ColumnDefault::Text(label)) => ty.labels.contains(label),
        (ColumnType::F32 | ColumnType::F64, ColumnDefault::Number(text)) => is_literal(text),
        (ColumnType::Decimal { precision, scale }, ColumnDefault::Int(_) | ColumnDefault::Number(_)) => {
            let text = match default {
                ColumnDefault::Int(number) => number.to_string(),
                ColumnDefault::Number(text) => text.to_string(),
                _ => return false,
            };
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let whole = whole.trim_start_matches(['-', '0']);
            is_literal(&text)
                && !text.contains(['e', 'E'])
                && whole.len() <= usize::from(precision.saturating_sub(*scale))
                && fraction.len() <= usize::from(*scale)
                // A whole number of Rust's own has 64 bits.
                && (*scale > 0 || text.parse::<i64>().is_ok())
        }
        (ty, ColumnDefault::Int(number)) => {
            ty.integer_range().is_some_and(|(least, greatest)| (least..=greatest).contains(&(*number).into()))
        }
        _ => false,
    }
}

/// Whether the number is one as Rust writes it.
fn is_literal(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
        && number.parse::<f64>().is_ok_and(f64::is_finite)
}

fn of_index(index: &Index, found: &Unsayable) -> Option<String> {
    if let Some(why) = of_name(&index.name) {
        return Some(why);
    }
    if let Some(column) = found.columns.keys().find(|column| index.mentions(column)) {
        return Some(format!("it is over {column}, which is left out"));
    }
    let mut seen = Vec::new();
    for term in &index.terms {
        match &term.over {
            Over::Column(name) if seen.contains(&name) => return Some(format!("{name} is in it twice")),
            Over::Column(name) => seen.push(name),
            Over::Expression(expression) if is_blank(expression) => {
                return Some("the database does not tell what it is over".to_owned());
            }
            Over::Expression(_) if term.descending => return Some("an expression in it is descending".to_owned()),
            Over::Expression(_) => {}
        }
        if let (Over::Expression(_), Some(class)) = (&term.over, &term.class) {
            return Some(format!("an expression in it has the operator class {class}"));
        }
    }
    if index.terms.is_empty() {
        return Some("the database does not tell what it is over".to_owned());
    }
    (index.nulls_agree && !index.unique).then(|| "NULLs agree in it although it is not unique".to_owned())
}

fn of_check(check: &Check, found: &Unsayable) -> Option<String> {
    if let Some(why) = of_name(&check.name) {
        return Some(why);
    }
    if is_blank(&check.expression) {
        return Some("the database does not tell its condition".to_owned());
    }
    let column = found.columns.keys().find(|column| check.expression.mentions(column))?;
    Some(format!("it reads {column}, which is left out"))
}

fn of_foreign_key(
    table: &Table,
    key: &ForeignKey,
    schema: &Schema,
    all: &BTreeMap<String, Unsayable>,
) -> Option<String> {
    if let Some(why) = of_name(&key.name) {
        return Some(why);
    }
    let own = all.get(&table.name)?;
    if let Some(column) = key.columns.iter().find(|column| own.columns.contains_key(*column)) {
        return Some(format!("it is of {column}, which is left out"));
    }
    let (Some(target), Some(theirs)) = (schema.table(&key.target), all.get(&key.target)) else {
        return Some(format!("it points at {}, which is not among the tables", key.target));
    };
    if theirs.table.is_some() {
        return Some(format!("it points at {}, which has no model", key.target));
    }
    if let Some(column) = key.target_columns.iter().find(|column| theirs.columns.contains_key(*column)) {
        return Some(format!("it points at {}.{column}, which is left out", key.target));
    }
    let same_columns =
        |index: &&Index| index.keeps_unique(&key.target_columns) && !theirs.indexes.contains_key(&index.name);
    let is_key = target.primary_key.len() == key.target_columns.len()
        && key.target_columns.iter().all(|column| target.primary_key.contains(column));
    if !is_key && !target.indexes.iter().any(|index| same_columns(&index)) {
        return Some(format!(
            "it points at {} ({}), which are not unique there",
            key.target,
            key.target_columns.join(", ")
        ));
    }
    for (own, theirs) in key.columns.iter().zip(&key.target_columns) {
        let (Some(a), Some(b)) = (table.column(own), target.column(theirs)) else {
            return Some(format!("it points at {}.{theirs}, which there is not", key.target));
        };
        if a.ty != b.ty || a.case_insensitive != b.case_insensitive {
            return Some(format!("{own} is {} and points at {}.{theirs}, which is {}", a.ty, key.target, b.ty));
        }
        for action in [key.on_delete, key.on_update] {
            if action == Action::SetNull && !a.nullable {
                return Some(format!("{own} is to be set to NULL, which it does not allow"));
            }
            if action == Action::SetDefault && a.default.is_none() {
                return Some(format!("{own} is to be set to its default, which it has not"));
            }
        }
    }
    (key.columns.is_empty() || key.columns.len() != key.target_columns.len())
        .then(|| "the database does not tell its columns".to_owned())
}
