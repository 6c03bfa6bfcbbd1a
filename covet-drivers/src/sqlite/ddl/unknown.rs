//! Guards against a rebuild that would lose what the schema does not know: the table may have been altered by others.

use crate::contract::Step;
use crate::error::Result;
use crate::sqlite::ddl::create;
use crate::sqlite::ddl::line::Line;
use crate::sqlite::ddl::literal::literal;

/// What can stand beside a word of SQL, other than a blank.
const BESIDE: [char; 11] = ['\t', '\n', '\r', '(', ')', ',', '"', '\'', '`', ']', '/'];

/// Guards for columns, defaults, foreign keys, checks, collations, `ON CONFLICT` and `WITHOUT ROWID`.
pub(super) fn guards(line: &Line) -> Result<Vec<Step>> {
    let name = &line.table.name;
    let stored = || line.sources.iter().filter_map(|source| source.old.as_ref());
    let known: Vec<String> = stored().map(|old| &old.name).chain(&line.leaving).map(|name| lower(name)).collect();
    let columns = Step::guard(
        format!(
            "SELECT count(*) FROM pragma_table_xinfo({}) WHERE lower(name) NOT IN ({})",
            literal(name),
            known.join(", ")
        ),
        format!("columns of {name} are not in the schema, and the rebuild of the table would drop them"),
    );
    let filled = stored().filter(|old| old.default.is_some()).map(|old| &old.name);
    let filled: Vec<String> = filled.chain(&line.leaving).map(|name| lower(name)).collect();
    let defaults = Step::guard(
        format!(
            "SELECT count(*) FROM pragma_table_info({}) WHERE dflt_value IS NOT NULL AND lower(name) NOT IN ({})",
            literal(name),
            filled.join(", ")
        ),
        format!("columns of {name} have a DEFAULT that is not in the schema, and its rebuild would drop it"),
    );
    let rowid = Step::guard(
        format!("SELECT count(*) FROM pragma_table_list({}) WHERE schema = 'main' AND wr", literal(name)),
        format!("{name} is WITHOUT ROWID, which is not in the schema, and its rebuild would drop that"),
    );
    let text = create::table(&line.old, name)?;
    let words = |word| words(name, &text, word);
    Ok(vec![columns, defaults, foreign_keys(line), rowid, words("CHECK"), words("COLLATE"), words("ON CONFLICT")])
}

/// A name as a literal to compare with `lower(…)`: SQLite folds the case of letters of ASCII.
fn lower(name: &str) -> String {
    literal(&name.to_ascii_lowercase())
}

/// A guard that counts the columns of foreign keys which the table did not have when the changes began: `db pull` leaves
/// out those that no model can say. A key that names no columns of its target means the primary key there.
fn foreign_keys(line: &Line) -> Step {
    let name = &line.table.name;
    let mut sql = format!("SELECT count(*) FROM pragma_foreign_key_list({}) WHERE true", literal(name));
    for key in &line.old.foreign_keys {
        let (target, on_delete, on_update) = (lower(&key.target), key.on_delete.sql(), key.on_update.sql());
        for (place, (column, theirs)) in key.columns.iter().zip(&key.target_columns).enumerate() {
            let (column, theirs) = (lower(column), lower(theirs));
            sql.push_str(&format!(
                " AND NOT (seq = {place} AND lower(\"table\") = {target} AND lower(\"from\") = {column} \
                 AND coalesce(lower(\"to\"), {theirs}) = {theirs} AND on_delete = '{on_delete}' \
                 AND on_update = '{on_update}')"
            ));
        }
    }
    Step::guard(
        sql,
        format!("columns of {name} have a foreign key that is not in the schema, and its rebuild would drop it"),
    )
}

/// A guard that counts words in the text of the table, where SQLite has no other way to ask. As a part of a name, which
/// a constraint keeps when its table or column gets another, the words do not count.
fn words(table: &str, text: &str, word: &str) -> Step {
    let word = format!(" {word} ");
    let mut text = text.to_ascii_uppercase().replace(BESIDE, " ");
    let code = |c: char| if c.is_control() { format!("char({})", u32::from(c)) } else { literal(&c.to_string()) };
    let mut sql = BESIDE.iter().fold("upper(sql)".to_owned(), |sql, c| format!("replace({sql}, {}, ' ')", code(*c)));
    if word.trim().contains(' ') {
        // Whatever stands between them becomes one blank: each second blank is marked, and a mark takes the blank
        // behind it along.
        sql = format!("replace(replace(replace({sql}, '  ', ' ' || char(1)), char(1) || ' ', ''), char(1), '')");
        text = text.split(' ').filter(|word| !word.is_empty()).fold(" ".to_owned(), |all, word| all + word + " ");
    }
    let known = text.matches(&word).count();
    Step::guard(
        format!(
            "SELECT count(*) FROM (SELECT {sql} AS sql FROM sqlite_schema WHERE type = 'table' AND name = {}) \
             WHERE length(sql) - length(replace(sql, '{word}', '')) > {}",
            literal(table),
            known * word.len()
        ),
        format!("{table} has a {} that is not in the schema, and its rebuild would drop it", word.trim()),
    )
}
