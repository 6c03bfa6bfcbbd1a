//! What PostgreSQL could not hold as a schema asks.

use std::collections::HashMap;

use crate::catalog::{
    Action, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Index, ObjectKind, Over, Qualified, Schema,
    Table,
};
use crate::error::{Error, Result};
use crate::postgres::connection::CAPABILITIES;
use crate::postgres::dialect::NAME;
use crate::postgres::types::{MAX_VARCHAR, native, sequence_name};
use crate::value::Decimal;

/// Names the first thing that does not work.
pub(super) fn check(schema: &Schema) -> Result<()> {
    let mut relations = Names::default();
    let mut enums: HashMap<&str, &[std::borrow::Cow<'static, str>]> = HashMap::new();
    for table in &schema.tables {
        let of = Qualified::of(&table.name);
        relations.add(&of, &of.name, &format!("the table {}", table.name))?;
        if !table.primary_key.is_empty() {
            let name = table.primary_key_name();
            relations.add(&of, &name, &format!("the primary key of {}", table.name))?;
        }
        for column in &table.columns {
            check_column(table, column)?;
            if column.auto {
                let name = sequence_name(&table.name, &column.name);
                relations.add(&of, &name, &format!("the sequence of {}.{}", table.name, column.name))?;
            }
            if let ColumnType::Enum(ty) = &column.ty {
                let known = enums.insert(&ty.name, &ty.labels);
                if known.is_some_and(|labels| labels != &*ty.labels) {
                    return Err(at(table, column, format_args!("two enums of the name {}", ty.name)));
                }
            }
        }
        for index in &table.indexes {
            relations.add(&of, &index.name, &format!("the index {} of {}", index.name, table.name))?;
            check_index(table, index)?;
        }
        for check in &table.checks {
            check_name(&check.name, &format!("a check of {}", table.name))?;
            written(&check.expression, &format!("the check {} of {}", check.name, table.name))?;
        }
        all_there(table, &table.primary_key, "the primary key")?;
        for key in &table.foreign_keys {
            check_foreign_key(schema, table, key)?;
        }
    }
    for name in enums.keys() {
        // A table is a type of its own name.
        let of = Qualified::of(name);
        relations.add(&of, &of.name, &format!("the enum {name}"))?;
    }
    for object in schema.objects.iter().filter(|object| object.definition.on(NAME).is_some()) {
        let what = format!("the {} {}", object.kind.word(), object.name);
        let of = Qualified::of(&object.name);
        match object.kind {
            ObjectKind::View => relations.add(&of, &of.name, &what)?,
            _ if object.has_schema() => check_name(&of.name, &what)?,
            _ => check_name(&object.name, &what)?,
        }
    }
    schema.schemas().iter().try_for_each(|name| check_schema(name))?;
    Ok(())
}

/// Names that share one space: tables, indexes, sequences and types of a schema.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// Something of this name, in the schema that `of` is in.
    fn add(&mut self, of: &Qualified<'_>, name: &str, what: &str) -> Result<()> {
        check_name(name, what)?;
        if let Some(other) = self.0.insert(of.beside(name), what.to_owned()) {
            return Err(Error::unsupported(format_args!("{what} and {other} of the same name {name}"), "PostgreSQL"));
        }
        Ok(())
    }
}

fn check_name(name: &str, what: &str) -> Result<()> {
    let most = CAPABILITIES.max_identifier;
    if name.is_empty() || name.contains('\0') {
        return Err(Error::unsupported(format_args!("the name of {what}: empty or with NUL"), "PostgreSQL"));
    }
    if name.len() > most {
        return Err(Error::unsupported(
            format_args!("the name of {what}: it has more than {most} bytes"),
            "PostgreSQL",
        )
        .with_help("give it a shorter name; PostgreSQL would cut it in silence"));
    }
    Ok(())
}

/// PostgreSQL keeps names for schemas of its own.
fn check_schema(name: &str) -> Result<()> {
    check_name(name, &format!("the schema {name}"))?;
    if name.starts_with("pg_") || name == "information_schema" {
        let what = format_args!("tables of models in the schema {name}, which belongs to the server");
        return Err(Error::unsupported(what, "PostgreSQL").with_help("choose a name that does not begin with pg_"));
    }
    Ok(())
}

fn check_column(table: &Table, column: &Column) -> Result<()> {
    check_name(&column.name, &format!("the column {}.{}", table.name, column.name))?;
    match &column.ty {
        ColumnType::Text { max_len: Some(most) } if *most == 0 || *most > MAX_VARCHAR => {
            return Err(at(table, column, format_args!("text({most})"))
                .with_help(format!("the limit can be 1 to {MAX_VARCHAR}; leave it out for longer text")));
        }
        ColumnType::Decimal { precision, scale }
            if *precision == 0 || *precision > Decimal::MAX_PRECISION || scale > precision =>
        {
            return Err(at(table, column, format_args!("decimal({precision}, {scale})"))
                .with_help("the precision can be 1 to 38, and the scale up to the precision"));
        }
        ColumnType::Enum(ty) => {
            for label in ty.labels.iter() {
                check_name(label, &format!("a label of the enum {}", ty.name))?;
            }
        }
        _ => {}
    }
    if column.auto && (column.ty.integer_range().is_none() || column.nullable || column.default.is_some()) {
        return Err(at(
            table,
            column,
            format_args!("numbering a column that is no integer, allows NULL or has a default"),
        ));
    }
    if let Some(generated) = &column.generated {
        let place = format!("the generated column {}.{}", table.name, column.name);
        written(&generated.expression, &place)?;
        if !generated.stored {
            return Err(at(table, column, format_args!("a generated column that is not stored"))
                .with_help("write `stored`; PostgreSQL keeps such columns in the row"));
        }
        if column.auto || column.default.is_some() {
            return Err(at(table, column, format_args!("a generated column that is numbered or has a default")));
        }
        let mut others = table.columns.iter().filter(|other| other.generated.is_some());
        let other = others.find(|other| is_read(&generated.expression, &other.name));
        if let Some(other) = other {
            let what = format_args!("a generated column that reads the generated column {}", other.name);
            return Err(at(table, column, what).with_help("write out what that is generated from"));
        }
    }
    if column.case_insensitive && !column.ty.is_text() {
        return Err(at(table, column, format_args!("ignoring case in a column that is not text")));
    }
    let fits = match &column.default {
        None => true,
        Some(ColumnDefault::Bool(_)) => column.ty == ColumnType::Bool,
        Some(ColumnDefault::Int(value)) => match column.ty.integer_range() {
            Some((low, high)) => (low..=high).contains(&i128::from(*value)),
            None => matches!(column.ty, ColumnType::Decimal { .. } | ColumnType::F32 | ColumnType::F64),
        },
        Some(ColumnDefault::Number(_)) => {
            matches!(column.ty, ColumnType::Decimal { .. } | ColumnType::F32 | ColumnType::F64)
        }
        Some(ColumnDefault::Text(text)) => match &column.ty {
            ColumnType::Enum(ty) => ty.labels.contains(text),
            ColumnType::Text { max_len } => max_len.is_none_or(|most| text.chars().count() <= most as usize),
            _ => false,
        },
        Some(ColumnDefault::Now) => {
            matches!(column.ty, ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp)
        }
        Some(ColumnDefault::Expression(expression)) => {
            written(expression, &format!("the default of {}.{}", table.name, column.name))?;
            if let Some(other) = table.columns.iter().find(|other| is_read(expression, &other.name)) {
                return Err(at(table, column, format_args!("a default that reads the column {}", other.name))
                    .with_help("generate the column, or give the value with the row"));
            }
            true
        }
    };
    if !fits {
        return Err(at(table, column, format_args!("a default that the type {} does not have", column.ty)));
    }
    Ok(())
}

fn check_index(table: &Table, index: &Index) -> Result<()> {
    let what = format!("the index {} of {}", index.name, table.name);
    let columns: Vec<String> = index.columns().map(str::to_owned).chain(index.include.iter().cloned()).collect();
    all_there(table, &columns, &index.name)?;
    let expressions = index.terms.iter().filter_map(|term| match &term.over {
        Over::Expression(expression) => Some(expression),
        Over::Column(_) => None,
    });
    expressions.chain(&index.condition).try_for_each(|expression| written(expression, &what))
}

/// Whether the text for this database names the column.
fn is_read(expression: &Expression, column: &str) -> bool {
    expression.on(NAME).is_some_and(|text| Expression::new(text.to_owned()).mentions(column))
}

/// There must be a text of it for this database.
fn written(expression: &Expression, what: &str) -> Result<()> {
    match expression.on(NAME) {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err(Error::unsupported(format_args!("{what}: there is no expression for it"), "PostgreSQL")
            .with_help(format!("write one text for all databases, or one named {NAME}"))),
    }
}

fn check_foreign_key(schema: &Schema, table: &Table, key: &ForeignKey) -> Result<()> {
    let refuse = |what: std::fmt::Arguments<'_>| {
        Error::unsupported(format_args!("the foreign key {} of {}: {what}", key.name, table.name), "PostgreSQL")
            .with_table(&table.name)
            .with_constraint(&key.name)
    };
    check_name(&key.name, &format!("a foreign key of {}", table.name))?;
    all_there(table, &key.columns, &key.name)?;
    let Some(target) = schema.table(&key.target) else {
        return Err(refuse(format_args!("there is no table {}", key.target)));
    };
    if key.columns.is_empty() || key.columns.len() != key.target_columns.len() {
        return Err(refuse(format_args!("it has other numbers of columns on its two sides")));
    }
    if !target.is_unique(&key.target_columns) {
        let names = key.target_columns.join(", ");
        return Err(refuse(format_args!("{} ({names}) is not unique", key.target))
            .with_help("point at the primary key, or make these columns unique together"));
    }
    for (own, other) in key.columns.iter().zip(&key.target_columns) {
        let (Some(from), Some(to)) = (table.column(own), target.column(other)) else {
            return Err(refuse(format_args!("there is no column {}.{other}", key.target)));
        };
        if native(&from.ty) != native(&to.ty) || from.case_insensitive != to.case_insensitive {
            return Err(refuse(format_args!("{own} is {}, and {}.{other} is {}", from.ty, key.target, to.ty)));
        }
        if !from.nullable && [key.on_delete, key.on_update].contains(&Action::SetNull) {
            return Err(refuse(format_args!("it would set {own} to NULL, which does not allow it")));
        }
    }
    Ok(())
}

fn all_there(table: &Table, columns: &[String], what: &str) -> Result<()> {
    match columns.iter().find(|name| table.column(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let text = format!("{what} over the column {}.{name}, which is not there", table.name);
            Err(Error::unsupported(text, "PostgreSQL").with_table(&table.name).with_column(name))
        }
    }
}

fn at(table: &Table, column: &Column, what: std::fmt::Arguments<'_>) -> Error {
    Error::unsupported(format_args!("{what} ({}.{})", table.name, column.name), "PostgreSQL")
        .with_table(&table.name)
        .with_column(&column.name)
}
