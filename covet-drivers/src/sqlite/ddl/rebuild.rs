//! The rebuild of a table: guards, a new table, its rows, and its name.
//!
//! It runs between `begin_migration` and `commit_migration`, which switch the foreign keys off (or
//! dropping the old table would take the rows of others along) and make triggers and indexes again that the schema does
//! not know. A trigger that is declared is made again here, so that a script without a runner has it as well.

use crate::catalog::{Column, ColumnType, Expression, ForeignKey, Index, Object, Term, constraint_name, shorten};
use crate::contract::Step;
use crate::error::{Error, Result};
use crate::sqlite::ddl::convert::convert;
use crate::sqlite::ddl::create::{self, names, quote};
use crate::sqlite::ddl::line::{Line, Source};
use crate::sqlite::ddl::literal::{self, literal, unsupported};
use crate::sqlite::ddl::unknown;
use crate::sqlite::dialect::NAME;
use crate::sqlite::migration::KEPT;

/// Makes the table named [`KEPT`].
pub(super) const MAKE_KEPT: &str =
    "CREATE TEMP TABLE IF NOT EXISTS \"_covet_kept\" (name TEXT NOT NULL, sql TEXT NOT NULL)";

/// Where the values of a column are at this point.
pub(super) enum Place {
    /// Under this name.
    At(String),
    /// Nowhere: each row of the table gets a number on the way, if it has none by now.
    Numbered,
    /// Nowhere yet.
    Later,
}

pub(super) type Stored<'s> = dyn Fn(&str, &str) -> Place + 's;

/// The statements of the rebuild.
///
/// `stored` is told a table and a column as they will be, and says where the values of the column are by now;
/// `triggers` are the declared ones that are on the table at this point.
pub(super) fn steps(line: &Line, stored: &Stored<'_>, triggers: &[&Object]) -> Result<Vec<Step>> {
    let table = &line.table;
    let name = &table.name;
    let (old, new) = (quote(name), shorten(format!("_covet_new_{name}")));
    if let Some(column) = table.columns.iter().find(|column| matches!(column.ty, ColumnType::Other(_))) {
        return Err(unsupported(format_args!(
            "a rebuild of table {name}: its column {} is of type {}",
            column.name, column.ty
        ))
        .with_table(name)
        .with_column(&column.name)
        .with_help("write this step of the migration by hand"));
    }
    let mut steps = unknown::guards(line)?;
    let mut values = Vec::new();
    let written = || table.columns.iter().zip(&line.sources).filter(|(column, _)| column.generated.is_none());
    for (column, source) in written() {
        values.push(value(line, column, source, &mut steps)?);
    }
    steps.extend(misfits(line));
    steps.extend(line.new_foreign_keys.iter().filter_map(|key| orphans(line, key, stored)));
    steps.extend(keep(line, triggers));
    let mut created = Step::new(create::table(table, &new)?);
    created.note = format!("table {name} is rebuilt: SQLite cannot change it in place");
    created.rebuilds = Some(name.clone());
    steps.push(created);
    let columns: Vec<&str> = written().map(|(column, _)| column.name.as_str()).collect();
    steps.push(Step::new(format!(
        "INSERT INTO {} ({}) SELECT {} FROM {old}",
        quote(&new),
        names(&columns),
        values.join(", ")
    )));
    let is_auto = |columns: &[Column]| columns.iter().any(|column| column.auto);
    if is_auto(&table.columns) && is_auto(&line.old.columns) {
        // Numbers of rows that were deleted must not come again.
        let (name, new) = (literal(name), literal(&new));
        steps.push(Step::new(format!("DELETE FROM sqlite_sequence WHERE name = {new}")));
        steps.push(Step::new(format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence WHERE name = {name}"
        )));
    }
    steps.push(Step::new(format!("DROP TABLE {old}")));
    steps.push(Step::new(format!("ALTER TABLE {} RENAME TO {old}", quote(&new))));
    let mut indexes = table.indexes.clone();
    indexes.sort_by(|a, b| a.name.cmp(&b.name));
    for index in &indexes {
        let mut index = index.clone();
        if index.unique && line.new_indexes.contains(&index.name) {
            steps.push(create::twice(name, &index));
        }
        if index.name.starts_with("sqlite_autoindex_") {
            // That name cannot be given to an index; the constraint becomes an index with a name of ours.
            let columns: Vec<&str> = index.columns().collect();
            index.name = constraint_name(name, &columns, "key");
        }
        steps.push(Step::new(create::index(name, &index)));
    }
    steps.extend(triggers.iter().filter_map(|trigger| trigger.create(NAME, quote)).map(Step::new));
    Ok(steps)
}

/// The value of a column for each row of the old table, and guards for the rows that have none.
fn value(line: &Line, column: &Column, source: &Source, guards: &mut Vec<Step>) -> Result<String> {
    let table = &line.table.name;
    let place = format!("{table}.{}", column.name);
    let fill = |fill| literal::default(table, column, fill);
    let Some(old) = &source.old else {
        let given = source.backfill.as_ref().or(column.default.as_ref());
        return Ok(match given {
            Some(given) => fill(given)?,
            // An automatic number is given for NULL.
            None if column.nullable || column.auto => String::from("NULL"),
            None => {
                let found = format!("rows of {table} have no value for the new column {place}, which is NOT NULL");
                guards.push(Step::guard(format!("SELECT count(*) FROM {}", quote(table)), found));
                String::from("NULL")
            }
        });
    };
    let c = mapped(quote(&old.name), &source.map);
    let conversion = convert(&c, &old.ty, &column.ty).ok_or_else(|| -> Error {
        unsupported(format_args!("turning {place} from {} to {} without losing data", old.ty, column.ty))
            .with_table(table)
            .with_column(&column.name)
            .with_help("add a new column, copy what can be copied, and drop the old one")
    })?;
    if let Some(misfit) = conversion.misfit {
        let sql = format!("SELECT count(*) FROM {} WHERE {c} IS NOT NULL AND ({misfit})", quote(table));
        guards.push(Step::guard(sql, format!("values of {place} do not fit {}", column.ty)));
    }
    // Not every conversion takes NULL for NULL.
    let value = if old.nullable && conversion.value != c {
        format!("CASE WHEN {c} IS NOT NULL THEN {} END", conversion.value)
    } else {
        conversion.value
    };
    if column.nullable || (!old.nullable && source.backfill.is_none()) {
        return Ok(value);
    }
    match &source.backfill {
        Some(given) => {
            let value = format!("coalesce({value}, {})", fill(given)?);
            guards.extend(twice_filled(line, &column.name, &value));
            Ok(value)
        }
        None => {
            let sql = format!("SELECT count(*) FROM {} WHERE {c} IS NULL", quote(table));
            guards.push(Step::guard(sql, format!("values of {place} are NULL, which it no longer allows")));
            Ok(value)
        }
    }
}

/// Guards for a value that would be there more than once where it is to be unique: in indexes whose other columns stay.
fn twice_filled(line: &Line, column: &str, value: &str) -> Vec<Step> {
    let stays = |name: &str| {
        let mut columns = line.table.columns.iter().zip(&line.sources).filter(|(column, _)| column.name == name);
        columns.any(|(column, source)| {
            source.backfill.is_none() && source.old.as_ref().is_some_and(|old| old.name == name && old.ty == column.ty)
        })
    };
    let kept = |term: &Term| term.as_column().is_some_and(|name| name == column || stays(name));
    let unique = |index: &&Index| index.unique && index.condition.is_none() && index.has(column);
    let mut steps = Vec::new();
    for index in line.table.indexes.iter().filter(unique).filter(|index| index.terms.iter().all(kept)) {
        let mut index = index.clone();
        for term in index.terms.iter_mut().filter(|term| term.as_column() == Some(column)) {
            *term = Term::expression(Expression::new(value.to_owned()));
        }
        steps.push(create::twice(&line.table.name, &index));
    }
    steps
}

/// The value with another label in place of one that goes.
fn mapped(c: String, map: &[(String, String)]) -> String {
    if map.is_empty() {
        return c;
    }
    let cases: String = map.iter().map(|(from, to)| format!(" WHEN {} THEN {}", literal(from), literal(to))).collect();
    format!("(CASE {c}{cases} ELSE {c} END)")
}

/// Guards for rows that a new check or a new primary key would refuse, as far as the table shows them as it is.
fn misfits(line: &Line) -> Vec<Step> {
    let (name, on) = (&line.table.name, quote(&line.table.name));
    let stays = |column: &Column, source: &Source| {
        source.backfill.is_none()
            && source.old.as_ref().is_some_and(|old| old.name == column.name && old.ty == column.ty)
    };
    let columns = || line.table.columns.iter().zip(&line.sources);
    let mut steps = Vec::new();
    for check in &line.new_checks {
        let mut expression = check.expression.clone();
        for (column, source) in columns().filter(|(_, source)| source.old.is_none()) {
            let value = source.backfill.as_ref().or(column.default.as_ref());
            let value = value.and_then(|value| literal::default(name, column, value).ok());
            if column.generated.is_none() {
                expression = expression.with_value(&column.name, value.as_deref().unwrap_or("NULL"));
            }
        }
        let shows = columns().all(|(column, source)| stays(column, source) || !expression.mentions(&column.name));
        if let (true, Some(asked), Some(said)) = (shows, expression.on(NAME), check.expression.on(NAME)) {
            let found = format!("rows of {name} for which {said} does not hold");
            steps.push(Step::guard(format!("SELECT count(*) FROM {on} WHERE NOT ({asked})"), found));
        }
    }
    let key = &line.table.primary_key;
    if line.new_key && columns().all(|(column, source)| !key.contains(&column.name) || source.old.is_some()) {
        let nulls: Vec<String> = key.iter().map(|column| format!("{} IS NULL", quote(column))).collect();
        let found = format!("rows of {name} have NULL in its new primary key ({})", key.join(", "));
        steps.push(Step::guard(format!("SELECT count(*) FROM {on} WHERE {}", nulls.join(" OR ")), found));
        steps.push(create::twice(name, &Index::new("", key, true)));
    }
    steps
}

/// Counts the rows that a new foreign key would refuse; none where one of the columns, here or there, is new as well.
/// What is left to find is found when the migration commits. Nothing points at a row by a number that it gets only now.
fn orphans(line: &Line, key: &ForeignKey, stored: &Stored<'_>) -> Option<Step> {
    let own = |column: &String| match stored(&line.table.name, column) {
        Place::At(name) => Some(format!("c.{}", quote(&name))),
        Place::Numbered | Place::Later => None,
    };
    let columns: Vec<String> = key.columns.iter().map(own).collect::<Option<_>>()?;
    let set: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let any = format!("SELECT count(*) FROM {} AS c WHERE {}", quote(&line.table.name), set.join(" AND "));
    let (mut same, mut is_numbered) = (Vec::new(), false);
    for (column, their) in columns.iter().zip(&key.target_columns) {
        match stored(&key.target, their) {
            Place::At(name) => same.push(format!("p.{} = {column}", quote(&name))),
            Place::Numbered => is_numbered = true,
            Place::Later => return None,
        }
    }
    let sql = if is_numbered {
        any
    } else {
        format!("{any} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})", quote(&key.target), same.join(" AND "))
    };
    Some(Step::guard(sql, key.found_orphans(&line.table.name, is_numbered)))
}

/// Keeps the texts of triggers and indexes that the schema does not know, for `commit_migration`.
fn keep(line: &Line, triggers: &[&Object]) -> [Step; 2] {
    let indexes = line.table.indexes.iter().filter(|index| !line.new_indexes.contains(&index.name));
    let known: Vec<String> = indexes.map(|index| literal(&index.name)).collect();
    let declared: Vec<String> = triggers.iter().map(|trigger| literal(&trigger.name)).collect();
    let beyond = match declared.is_empty() {
        true => String::new(),
        false => format!(" AND name COLLATE NOCASE NOT IN ({})", declared.join(", ")),
    };
    let mut create = Step::new(MAKE_KEPT);
    create.note = String::from("triggers and indexes beyond the schema are made again when the migration commits");
    let fill = Step::new(format!(
        "INSERT INTO temp.{} SELECT name, sql FROM main.sqlite_schema WHERE tbl_name = {} COLLATE NOCASE \
         AND sql IS NOT NULL AND (type = 'trigger'{beyond} OR (type = 'index' AND name NOT IN ({})))",
        quote(KEPT),
        literal(&line.table.name),
        known.join(", ")
    ));
    [create, fill]
}
