//! A script cut into its statements, for migrations: strings, comments and bodies stay whole.

use crate::error::{Error, ErrorKind, Result};

/// How a database quotes.
#[derive(Clone, Copy, Debug)]
pub struct Quoting {
    /// A backslash escapes inside `'…'` and `"…"` (MySQL).
    pub backslash: bool,
    /// `` `…` `` quotes an identifier (MySQL, SQLite).
    pub backtick: bool,
    /// `$tag$…$tag$` quotes text (PostgreSQL).
    pub dollar: bool,
    /// `#` starts a comment (MySQL).
    pub hash_comment: bool,
    /// `/* /* */ */` nests (PostgreSQL).
    pub nested_comments: bool,
}

/// The statements of a script, without the closing semicolons, in order. A statement keeps the
/// comments before it; a piece that holds only blanks and comments is no statement.
///
/// # Errors
/// `Syntax` when a string, comment or quoted name is not closed, with the line on which it begins.
pub fn split(script: &str, quoting: Quoting) -> Result<Vec<&str>> {
    let mut statements = Vec::new();
    let mut lexer = Lexer { script, at: 0, quoting };
    let mut start = 0;
    let mut body = Body::default();
    while let Some(token) = lexer.next()? {
        match token {
            Token::Semicolon if !body.is_open() => {
                if body.has_content {
                    statements.push(script[start..lexer.at - 1].trim());
                }
                start = lexer.at;
                body = Body::default();
            }
            Token::Word(word) => body.word(word),
            Token::Other | Token::Semicolon => {
                body.has_content = true;
                body.ended = false;
            }
            Token::Blank => {}
        }
    }
    if body.has_content {
        statements.push(script[start..].trim());
    }
    Ok(statements)
}

/// A statement without the values that stand in its text, for a log: each becomes a `?`. Where the text is cut off in
/// the middle of one, it ends there.
#[must_use]
pub fn without_values(sql: &str, quoting: Quoting) -> String {
    let mut lexer = Lexer { script: sql, at: 0, quoting };
    let mut shown = String::with_capacity(sql.len());
    loop {
        let start = lexer.at;
        let token = match lexer.next() {
            Ok(Some(token)) => token,
            Ok(None) => return shown,
            Err(_) => {
                shown.push('…');
                return shown;
            }
        };
        let text = &sql[start..lexer.at];
        let placeholder = quoting.dollar && sql[..start].ends_with('$');
        let is_value = match token {
            Token::Word(word) => word.starts_with(|c: char| c.is_ascii_digit()) && !placeholder,
            // Where a backslash escapes, double quotes may hold a text.
            Token::Other if text.starts_with('"') => quoting.backslash,
            Token::Other => text.len() > 1 && text.starts_with(['\'', '$', '/']),
            Token::Blank | Token::Semicolon => false,
        };
        match token {
            _ if is_value => shown.push('?'),
            // A comment, or blanks of any kind.
            Token::Blank => shown.push(' '),
            _ => shown.push_str(text),
        }
    }
}

/// Follows `CREATE TRIGGER … BEGIN …; …; END`, whose inner semicolons end nothing.
#[derive(Default)]
struct Body {
    has_content: bool,
    words: u32,
    creates: bool,
    routine: bool,
    depth: u32,
    /// The word before was `END`.
    ended: bool,
}

impl Body {
    fn word(&mut self, word: &str) {
        self.has_content = true;
        self.words += 1;
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if self.words == 1 {
            self.creates = is("create");
        } else if self.creates && self.words <= 8 && ["trigger", "procedure", "function", "event"].iter().any(|w| is(w))
        {
            self.routine = true;
        }
        if self.routine {
            // `END IF`, `END LOOP` … end what was not counted; `END CASE` ends what was, and opens nothing.
            match std::mem::take(&mut self.ended) {
                true if ["if", "loop", "while", "repeat"].iter().any(|w| is(w)) => self.depth += 1,
                true if is("case") => return,
                _ => {}
            }
            if is("begin") || is("case") {
                self.depth += 1;
            } else if is("end") {
                self.depth = self.depth.saturating_sub(1);
                self.ended = true;
            }
        }
    }

    fn is_open(&self) -> bool {
        self.depth > 0
    }
}

/// What the lexer finds, piece by piece.
pub(crate) enum Token<'a> {
    Blank,
    Semicolon,
    Word(&'a str),
    Other,
}

/// Goes through a text: a quoted piece or a comment is one.
pub(crate) struct Lexer<'a> {
    pub(crate) script: &'a str,
    pub(crate) at: usize,
    pub(crate) quoting: Quoting,
}

impl<'a> Lexer<'a> {
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>> {
        let rest = &self.script[self.at..];
        let Some(first) = rest.chars().next() else { return Ok(None) };
        if first.is_whitespace() {
            self.at += first.len_utf8();
            return Ok(Some(Token::Blank));
        }
        if rest.starts_with("--") || (self.quoting.hash_comment && first == '#') {
            self.at += rest.find('\n').unwrap_or(rest.len());
            return Ok(Some(Token::Blank));
        }
        if rest.starts_with("/*") {
            // `/*! … */` and `/*M! … */` are code to MySQL and MariaDB.
            let code = rest.starts_with("/*!") || rest.starts_with("/*M!");
            self.at += self.comment(rest)?;
            return Ok(Some(if code { Token::Other } else { Token::Blank }));
        }
        if first == '\'' || first == '"' || (self.quoting.backtick && first == '`') {
            self.at += self.quoted(rest, first)?;
            return Ok(Some(Token::Other));
        }
        if self.quoting.dollar
            && first == '$'
            && let Some(tag) = dollar_tag(rest)
        {
            let body = &rest[tag.len()..];
            let end = body.find(tag).ok_or_else(|| self.open("a dollar-quoted text"))?;
            self.at += tag.len() + end + tag.len();
            return Ok(Some(Token::Other));
        }
        if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            self.at += end;
            return Ok(Some(Token::Word(&rest[..end])));
        }
        self.at += first.len_utf8();
        Ok(Some(if first == ';' { Token::Semicolon } else { Token::Other }))
    }

    fn quoted(&self, rest: &str, quote: char) -> Result<usize> {
        let escapes = self.quoting.backslash && quote != '`';
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((index, c)) = chars.next() {
            if escapes && c == '\\' {
                chars.next();
            } else if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                } else {
                    return Ok(index + quote.len_utf8());
                }
            }
        }
        Err(self.open("a quoted text"))
    }

    fn comment(&self, rest: &str) -> Result<usize> {
        let mut depth = 0_u32;
        let mut at = 0;
        while at < rest.len() {
            if rest[at..].starts_with("/*") && (depth == 0 || self.quoting.nested_comments) {
                depth += 1;
                at += 2;
            } else if rest[at..].starts_with("*/") {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Ok(at);
                }
            } else {
                at += rest[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        Err(self.open("a comment"))
    }

    fn open(&self, what: &str) -> Error {
        let line = self.script[..self.at].matches('\n').count() + 1;
        Error::new(ErrorKind::Syntax, format!("{what} that begins on line {line} is not closed"))
    }
}

/// `$$` or `$tag$` at the start of the text.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 2;
    let name = &rest[1..end - 1];
    let begins_well = name.chars().next().is_none_or(|c| c.is_alphabetic() || c == '_');
    (begins_well && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::{Quoting, split, without_values};

    const PG: Quoting =
        Quoting { backslash: false, backtick: false, dollar: true, hash_comment: false, nested_comments: true };
    const MY: Quoting =
        Quoting { backslash: true, backtick: true, dollar: false, hash_comment: true, nested_comments: false };

    fn parts(script: &str, quoting: Quoting) -> Vec<&str> {
        split(script, quoting).unwrap_or_default()
    }

    #[test]
    fn semicolons_inside_quotes_comments_and_bodies_end_nothing() {
        assert_eq!(parts("a ';' b; c \"x;y\";;\n-- ; no\n", PG), ["a ';' b", "c \"x;y\""]);
        assert_eq!(parts("do $x$ a; $$ b; $x$; z", PG), ["do $x$ a; $$ b; $x$", "z"]);
        assert_eq!(parts("a /* ; /* ; */ ; */; b", PG), ["a /* ; /* ; */ ; */", "b"]);
        assert_eq!(parts("a '\\';'; b `;` # ;\n; c", MY), ["a '\\';'", "b `;` # ;", "c"]);
        assert_eq!(parts("-- why\ncreate table t (x); ", MY), ["-- why\ncreate table t (x)"]);
        let trigger =
            "create trigger t after insert on a begin update b set c = case when 1 then 2 end; delete from d; end";
        assert_eq!(parts(&format!("{trigger}; select 1"), MY), [trigger, "select 1"]);
        let routine = "create procedure p() begin if a then set x = 0; end if; set y = 1; \
                       case a when 1 then set x = 1; end case; while a do set z = 1; end while; begin set y = 1; end; if a then set x = 0; end if; end";
        assert_eq!(parts(&format!("{routine}; select 1"), MY), [routine, "select 1"]);
        assert_eq!(parts("begin; select 1; end;", PG), ["begin", "select 1", "end"]);
        assert_eq!(parts("/*!80000 set x = 1 */; b", MY), ["/*!80000 set x = 1 */", "b"]);
    }

    #[test]
    fn no_value_stays_in_what_is_shown() {
        for (sql, shown) in [
            (
                "SELECT \"a1\" FROM t WHERE b = 'it''s' AND c = $1 AND d > -12.5",
                "SELECT \"a1\" FROM t WHERE b = ? AND c = $1 AND d > -?.?",
            ),
            ("SELECT E'x' , $q$ secret $q$ -- secret\n, t2.c3", "SELECT E? , ?   , t2.c3"),
            ("SELECT 'cut off", "SELECT …"),
        ] {
            assert_eq!(without_values(sql, PG), shown);
        }
        let sql = "UPDATE `t1` SET a = \"secret\", b = 0xFF /*! secret */ WHERE c = 'a\\'b' # secret";
        assert_eq!(without_values(sql, MY), "UPDATE `t1` SET a = ?, b = ? ? WHERE c = ?  ");
    }

    #[test]
    fn what_is_not_closed_is_named_with_its_line() {
        for script in ["a;\nb 'x", "a;\n/* x", "a;\n$$ x"] {
            let error = split(script, PG).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("line 2"), "{error}");
        }
    }
}
