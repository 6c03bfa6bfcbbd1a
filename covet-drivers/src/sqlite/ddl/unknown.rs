//! Guards against a rebuild that would lose what the schema does not know: the table may have been altered by others.

use crate::contract::Step;
use crate::error::Result;
use crate::sqlite::ddl::create;
use crate::sqlite::ddl::line::Line;
use crate::sqlite::ddl::literal::literal;

/// What can stand beside a word of SQL, other than a blank.
const BESIDE: [char; 11] = ['\t', '\n', '\r', '(', ')', ',', '"', '\'', '`', ']', '/'];

/// Guards for columns, defaults, checks and collations.
pub(super) fn guards(line: &Line) -> Result<Vec<Step>> {
    let name = &line.table.name;
    let lower = |name: &String| literal(&name.to_ascii_lowercase());
    let stored = || line.sources.iter().filter_map(|source| source.old.as_ref());
    let known: Vec<String> = stored().map(|old| &old.name).chain(&line.leaving).map(lower).collect();
    let columns = Step::guard(
        format!(
            "SELECT count(*) FROM pragma_table_xinfo({}) WHERE lower(name) NOT IN ({})",
            literal(name),
            known.join(", ")
        ),
        format!("columns of {name} are not in the schema, and the rebuild of the table would drop them"),
    );
    let filled = stored().filter(|old| old.default.is_some()).map(|old| &old.name);
    let filled: Vec<String> = filled.chain(&line.leaving).map(lower).collect();
    let defaults = Step::guard(
        format!(
            "SELECT count(*) FROM pragma_table_info({}) WHERE dflt_value IS NOT NULL AND lower(name) NOT IN ({})",
            literal(name),
            filled.join(", ")
        ),
        format!("columns of {name} have a DEFAULT that is not in the schema, and its rebuild would drop it"),
    );
    let text = create::table(&line.old, name)?;
    Ok(vec![columns, defaults, words(name, &text, "CHECK"), words(name, &text, "COLLATE")])
}

/// A guard that counts a word in the text of the table, where SQLite has no other way to ask. As a part of a name, which
/// a constraint keeps when its table or column gets another, the word does not count.
fn words(table: &str, text: &str, word: &str) -> Step {
    let word = format!(" {word} ");
    let known = text.to_ascii_uppercase().replace(BESIDE, " ").matches(&word).count();
    let code = |c: char| if c.is_control() { format!("char({})", u32::from(c)) } else { literal(&c.to_string()) };
    let apart = BESIDE.iter().fold("upper(sql)".to_owned(), |sql, c| format!("replace({sql}, {}, ' ')", code(*c)));
    Step::guard(
        format!(
            "SELECT count(*) FROM (SELECT {apart} AS sql FROM sqlite_schema WHERE type = 'table' AND name = {}) \
             WHERE length(sql) - length(replace(sql, '{word}', '')) > {}",
            literal(table),
            known * word.len()
        ),
        format!("{table} has a {} that is not in the schema, and its rebuild would drop it", word.trim()),
    )
}
