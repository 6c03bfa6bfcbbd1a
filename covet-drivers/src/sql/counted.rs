//! How many values a statement takes, by the server's word and by its own text.

use crate::error::{Error, ErrorKind};
use crate::sql::lexer::{Kind, Lexer, Quoting};
use crate::sql::marks::digits;

/// The wrong number of values for a prepared statement, and whether the session is to blame: the text is asked how many
/// it takes, because a server's answer may have been spoilt on its way, and a session keeps what it was told.
#[cold]
pub(crate) fn miscounted(sql: &str, quoting: Quoting, told: usize, given: usize) -> (Error, bool) {
    match takes(sql, quoting) {
        Some(count) if count != told => (misdescribed(told), true),
        _ => (wrong_number(told, given), false),
    }
}

/// The caller's mistake.
pub(crate) fn wrong_number(told: usize, given: usize) -> Error {
    let text = format!("the statement takes {told} values and {given} were given");
    Error::new(ErrorKind::InvalidInput, text)
}

/// The server described a statement in a way that its text does not bear out.
pub(crate) fn misdescribed(told: usize) -> Error {
    let text =
        format!("the server says that the statement takes {told} values, and its text has another number of places");
    Error::new(ErrorKind::Protocol, text)
}

/// How many values a statement takes by its own text: as many as it has `?`, or the highest number behind a `$`. A `?` in
/// a comment that only some servers run says nothing.
fn takes(sql: &str, quoting: Quoting) -> Option<usize> {
    let (mut lexer, mut count) = (Lexer::new(sql, quoting), 0);
    // What is not closed has not been prepared either.
    while let Ok(Some(piece)) = lexer.next() {
        match (piece.kind, piece.text) {
            (Kind::Sign, "$") if quoting.dollar => count = count.max(digits(lexer.rest()).parse().unwrap_or(0)),
            (Kind::Code, text) if text.contains('?') => return None,
            (Kind::Sign, "?") if !quoting.dollar => count += 1,
            _ => {}
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::{miscounted, takes};
    use crate::error::ErrorKind;
    use crate::sql::Quoting;

    #[test]
    fn a_text_says_how_many_values_it_takes() {
        for (quoting, sql, count) in [
            (Quoting::POSTGRES, "SELECT $2, $10, '$11', a$12, \"$13\" /* $14 */ -- $15", 10),
            (Quoting::POSTGRES, "SELECT $$ $1 $$, a ? 'b'", 0),
            (Quoting::MYSQL, "SELECT ?, '?', `?`, \"?\", '\\'?', ? /* ? */ # ?", 2),
            (Quoting::MYSQL, "SELECT /*!50000 1, */ ? -- ?", 1),
        ] {
            assert_eq!(takes(sql, quoting), Some(count), "{sql}");
            let (error, broken) = miscounted(sql, quoting, count, count + 1);
            assert_eq!((error.kind(), broken), (ErrorKind::InvalidInput, false), "{sql}");
            let (error, broken) = miscounted(sql, quoting, count + 1, count);
            assert_eq!((error.kind(), broken), (ErrorKind::Protocol, true), "{sql}");
        }
        let (error, broken) = miscounted("SELECT /*!99999 ?, */ ?", Quoting::MYSQL, 1, 2);
        assert_eq!((error.kind(), broken), (ErrorKind::InvalidInput, false));
    }
}
