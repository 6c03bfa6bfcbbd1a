//! `$1`, `$2` … in a statement, as the database writes them.

use covet_drivers::render::Dialect;
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

/// The statement with the database's own marks, and the values in their order. What stands in quotes and comments is left
/// as it is.
///
/// # Errors
/// `InvalidInput` for a mark without a value, and a value without a mark.
pub(super) fn placed<'v>(sql: &str, values: &'v [Value], dialect: &dyn Dialect) -> Result<(String, Vec<&'v Value>)> {
    let (mut out, mut args, mut used) = (String::with_capacity(sql.len()), Vec::new(), vec![false; values.len()]);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let quoted = passed(rest, dialect);
        if quoted > 0 {
            let (text, after) = rest.split_at(quoted);
            out.push_str(text);
            rest = after;
            continue;
        }
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if first != '$' || digits == 0 || out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            out.push(first);
            rest = after;
            continue;
        }
        let (number, after) = after.split_at(digits);
        let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some((at, value)) = at.and_then(|at| Some((at, values.get(at)?))) else {
            return Err(wrong(format!("the statement names ${number}, and has {} values", values.len())));
        };
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
        args.push(value);
        dialect.placeholder(args.len(), &mut out);
        rest = after;
    }
    match used.iter().position(|used| !used) {
        None => Ok((out, args)),
        Some(at) => Err(wrong(format!("no ${} stands for value {} of {}", at + 1, at + 1, values.len()))),
    }
}

#[cold]
fn wrong(text: String) -> Error {
    Error::new(ErrorKind::InvalidInput, text).with_help("$1 stands for the first value of the tuple, $2 for the second")
}

/// How many bytes from here on are a text in quotes, or a comment.
fn passed(rest: &str, dialect: &dyn Dialect) -> usize {
    let end_of = |mark: &str, from: usize| {
        let found = rest.get(from..).and_then(|rest| rest.find(mark));
        found.map_or(rest.len(), |at| from + at + mark.len())
    };
    if rest.starts_with("--") {
        return end_of("\n", 2);
    }
    if rest.starts_with("/*") {
        return end_of("*/", 2);
    }
    let Some(quote) = rest.chars().next().filter(|first| matches!(first, '\'' | '"' | '`')) else { return 0 };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && dialect.quoting().backslash && quote != '`' {
            escaped = true;
        } else if c == quote {
            // A doubled one ends this text and begins the next.
            return at + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use covet_drivers::contract::adapters;
    use covet_drivers::render::Dialect;
    use covet_drivers::value::Value;

    use super::placed;

    fn each(check: impl Fn(&dyn Dialect)) {
        adapters().iter().for_each(|adapter| check(adapter.dialect()));
    }

    fn written(dialect: &dyn Dialect, sql: &str, count: usize) -> Result<(String, Vec<i64>), String> {
        let values: Vec<Value> = (1..=count).map(|n| Value::Int(i64::try_from(n).unwrap())).collect();
        let (sql, args) = placed(sql, &values, dialect).map_err(|error| error.to_string())?;
        let args = args.into_iter().map(|value| if let Value::Int(n) = value { *n } else { 0 });
        Ok((sql, args.collect()))
    }

    fn mark(dialect: &dyn Dialect, number: usize) -> String {
        let mut mark = String::new();
        dialect.placeholder(number, &mut mark);
        mark
    }

    #[test]
    fn marks_are_the_databases_own() {
        let sql = "UPDATE t SET a = $2, b = '$1 it''s', \"c$1\" = $2 /* $1 */ WHERE id = $1 -- $1";
        each(|dialect| {
            let [x, y, z] = [1, 2, 3].map(|number| mark(dialect, number));
            let wanted = format!("UPDATE t SET a = {x}, b = '$1 it''s', \"c$1\" = {y} /* $1 */ WHERE id = {z} -- $1");
            assert_eq!(written(dialect, sql, 2).unwrap(), (wanted, vec![2, 2, 1]));
            if dialect.quoting().backslash {
                let sql = written(dialect, "SELECT '\\'$1', a$1, $1", 1).unwrap().0;
                assert_eq!(sql, format!("SELECT '\\'$1', a$1, {x}"));
            }
            if dialect.quoting().dollar {
                assert_eq!(written(dialect, "SELECT $$ a $1 $$", 1).unwrap().1, [1], "a body is no text");
            }
        });
    }

    #[test]
    fn what_does_not_come_out_even_is_refused() {
        each(|dialect| {
            assert!(written(dialect, "SELECT $2", 1).unwrap_err().contains("names $2, and has 1 values"));
            assert!(written(dialect, "SELECT $0", 1).unwrap_err().contains("$0"));
            assert!(written(dialect, "SELECT $1", 2).unwrap_err().contains("no $2 stands for value 2 of 2"));
            assert!(written(dialect, "SELECT '", 0).is_ok());
        });
    }
}
