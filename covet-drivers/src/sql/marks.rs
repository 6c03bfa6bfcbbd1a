//! `$1`, `$2` … in a statement of one's own, as the database writes them.

use crate::error::{Error, ErrorKind, Result};
use crate::sql::lexer::{Lexer, Quoting};
use crate::value::Value;

/// The statement with the database's own marks, which `mark` writes by their number from 1, and the values in their order.
/// What stands in quotes and comments is left as it is.
///
/// # Errors
/// `InvalidInput` for a mark without a value, and a value without a mark; `Syntax` for what is not closed.
pub fn marked<'v>(
    sql: &str,
    values: &'v [Value],
    quoting: Quoting,
    mark: impl Fn(usize, &mut String),
) -> Result<(String, Vec<&'v Value>)> {
    let (mut out, mut args, mut used) = (String::with_capacity(sql.len()), Vec::new(), vec![false; values.len()]);
    let mut lexer = Lexer::new(sql, quoting);
    while let Some(piece) = lexer.next()? {
        let digits = if piece.text == "$" { digits(lexer.rest()) } else { "" };
        if digits.is_empty() {
            out.push_str(piece.text);
            continue;
        }
        let at = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some((at, value)) = at.and_then(|at| Some((at, values.get(at)?))) else {
            return Err(wrong(format!("the statement names ${digits}, and has {} values", values.len())));
        };
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
        args.push(value);
        mark(args.len(), &mut out);
        lexer.skip(digits.len());
    }
    match used.iter().position(|used| !used) {
        None => Ok((out, args)),
        Some(at) => Err(wrong(format!("no ${} stands for value {} of {}", at + 1, at + 1, values.len()))),
    }
}

/// The number at the start.
pub(super) fn digits(rest: &str) -> &str {
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

#[cold]
fn wrong(text: String) -> Error {
    Error::new(ErrorKind::InvalidInput, text).with_help("$1 stands for the first value of the tuple, $2 for the second")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::marked;
    use crate::sql::Quoting;
    use crate::value::Value;

    fn written(quoting: Quoting, sql: &str, count: usize) -> Result<(String, Vec<i64>), String> {
        let values: Vec<Value> = (1..=count).map(|n| Value::Int(i64::try_from(n).unwrap())).collect();
        let mark = |number: usize, out: &mut String| out.push_str(&format!("?{number}"));
        let (sql, args) = marked(sql, &values, quoting, mark).map_err(|error| error.to_string())?;
        let args = args.into_iter().map(|value| if let Value::Int(n) = value { *n } else { 0 });
        Ok((sql, args.collect()))
    }

    const EACH: [Quoting; 4] = [Quoting::ANSI, Quoting::POSTGRES, Quoting::MYSQL, Quoting::SQLITE];

    #[test]
    fn marks_are_the_databases_own() {
        for quoting in EACH {
            let sql = "UPDATE t SET a = $2, b = '$1 it''s', \"c$1\" = $2 /* $1 */ WHERE id = $1 -- $1";
            let wanted = "UPDATE t SET a = ?1, b = '$1 it''s', \"c$1\" = ?2 /* $1 */ WHERE id = ?3 -- $1";
            assert_eq!(written(quoting, sql, 2).unwrap(), (wanted.to_owned(), vec![2, 2, 1]));
            assert_eq!(written(quoting, "SELECT a$1, $1", 1).unwrap().0, "SELECT a$1, ?1");
        }
        assert_eq!(written(Quoting::MYSQL, "SELECT '\\'$1', $1 # $2", 1).unwrap().0, "SELECT '\\'$1', ?1 # $2");
        let body = "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 $$";
        assert_eq!(written(Quoting::POSTGRES, body, 0).unwrap().0, body, "a body has arguments of its own");
    }

    #[test]
    fn what_does_not_come_out_even_is_refused() {
        for quoting in EACH {
            assert!(written(quoting, "SELECT $2", 1).unwrap_err().contains("names $2, and has 1 values"));
            assert!(written(quoting, "SELECT $0", 1).unwrap_err().contains("$0"));
            assert!(written(quoting, "SELECT $1", 2).unwrap_err().contains("no $2 stands for value 2 of 2"));
            assert!(written(quoting, "SELECT '", 0).unwrap_err().contains("line 1 is not closed"));
        }
    }
}
