//! A text in its pieces, by the quoting of the database at hand: what is quoted and what is a comment stays whole.

use crate::error::{Error, ErrorKind, Result};

/// How a database quotes.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each stands for one habit, and any of them may meet any other")]
pub struct Quoting {
    /// A backslash escapes inside `'…'` and `"…"`, and both are texts (MySQL).
    pub backslash: bool,
    /// `` `…` `` quotes an identifier (MySQL, SQLite).
    pub backtick: bool,
    /// `[…]` quotes an identifier (SQLite).
    pub brackets: bool,
    /// `$tag$…$tag$` quotes text (PostgreSQL).
    pub dollar: bool,
    /// A backslash escapes inside `E'…'` (PostgreSQL).
    pub escape_texts: bool,
    /// `#` starts a comment (MySQL).
    pub hash_comment: bool,
    /// `--` starts a comment only where a blank follows: `5--3` is a sum (MySQL).
    pub spaced_dashes: bool,
    /// `/* /* */ */` nests (PostgreSQL).
    pub nested_comments: bool,
}

impl Quoting {
    /// What the standard knows, and nothing else: `'…'`, `"…"`, `--` and `/* … */`.
    pub const ANSI: Quoting = Quoting {
        backslash: false,
        backtick: false,
        brackets: false,
        dollar: false,
        escape_texts: false,
        hash_comment: false,
        spaced_dashes: false,
        nested_comments: false,
    };
    /// PostgreSQL's.
    pub const POSTGRES: Quoting = Quoting { dollar: true, escape_texts: true, nested_comments: true, ..Quoting::ANSI };
    /// That of MySQL and MariaDB.
    pub const MYSQL: Quoting =
        Quoting { backslash: true, backtick: true, hash_comment: true, spaced_dashes: true, ..Quoting::ANSI };
    /// SQLite's.
    pub const SQLITE: Quoting = Quoting { backtick: true, brackets: true, ..Quoting::ANSI };
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blanks.
    Blank,
    /// A comment.
    Comment,
    /// `/*! … */` and `/*M! … */`, which are code to MySQL and MariaDB.
    Code,
    /// A keyword, a number, or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A text in quotes.
    Text,
    /// Any other character.
    Sign,
}

/// A piece of a text, as it stands there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// What is not closed, if something is: it ends with the text.
    open: Option<&'static str>,
    /// Whether a backslash escapes in it.
    escapes: bool,
}

impl Piece<'_> {
    /// What a quoted piece says.
    pub(crate) fn unquoted(&self) -> String {
        let Some(quote) = self.text.chars().next() else { return String::new() };
        let mark = if quote == '$' { dollar_tag(self.text).map_or(1, str::len) } else { 1 };
        let end = self.text.len().saturating_sub(if self.open.is_some() { 0 } else { mark });
        let inner = self.text.get(mark..end).unwrap_or_default();
        if matches!(quote, '$' | '[') {
            return inner.to_owned();
        }
        let mut said = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            if c == '\\' && self.escapes {
                said.extend(chars.next());
            } else {
                said.push(c);
                if c == quote {
                    // Two of them stand for one.
                    chars.next();
                }
            }
        }
        said
    }
}

/// Goes through a text, piece by piece.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    quoting: Quoting,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, quoting: Quoting) -> Self {
        Lexer { text, at: 0, quoting }
    }

    /// How the text quotes.
    pub(crate) fn quoting(&self) -> Quoting {
        self.quoting
    }

    /// How far it has come, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is still to come.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes so many bytes, which must end with a character.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The next piece.
    ///
    /// # Errors
    /// `Syntax` for what is not closed, with the line on which it begins.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'a>>> {
        let begins = self.at;
        let Some(piece) = self.next_or_rest() else { return Ok(None) };
        let Some(what) = piece.open else { return Ok(Some(piece)) };
        let line = self.text[..begins].matches('\n').count() + 1;
        Err(Error::new(ErrorKind::Syntax, format!("{what} that begins on line {line} is not closed")))
    }

    /// The next piece; what is not closed ends with the text.
    pub(crate) fn next_or_rest(&mut self) -> Option<Piece<'a>> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (mut escapes, mut open) = (false, None);
        let mut closed = |end: Option<usize>, what| {
            open = end.is_none().then_some(what);
            end.unwrap_or(rest.len())
        };
        let (kind, len) = if first.is_whitespace() {
            (Kind::Blank, rest.len() - rest.trim_start().len())
        } else if self.is_line_comment(rest) {
            (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            let code = rest.starts_with("/*!") || rest.starts_with("/*M!");
            let len = closed(comment(rest, self.quoting.nested_comments), "a comment");
            (if code { Kind::Code } else { Kind::Comment }, len)
        } else if matches!(first, '\'' | '"') || (first == '`' && self.quoting.backtick) {
            escapes = (self.quoting.backslash && first != '`') || (first == '\'' && self.is_escape_text());
            let is_text = first == '\'' || (first == '"' && self.quoting.backslash);
            let len = closed(quoted(rest, first, escapes), "a quoted text");
            (if is_text { Kind::Text } else { Kind::Name }, len)
        } else if first == '[' && self.quoting.brackets {
            (Kind::Name, closed(rest.find(']').map(|end| end + 1), "a quoted name"))
        } else if first == '$'
            && self.quoting.dollar
            && let Some(tag) = dollar_tag(rest)
        {
            let end = rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len());
            (Kind::Text, closed(end, "a dollar-quoted text"))
        } else if is_word(first) && first != '$' {
            (Kind::Word, rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()))
        } else {
            (Kind::Sign, first.len_utf8())
        };
        self.at += len;
        Some(Piece { kind, text: &rest[..len], open, escapes })
    }

    fn is_line_comment(&self, rest: &str) -> bool {
        if self.quoting.hash_comment && rest.starts_with('#') {
            return true;
        }
        let is_end = |c: char| c.is_whitespace() || c.is_control();
        rest.strip_prefix("--")
            .is_some_and(|rest| !self.quoting.spaced_dashes || rest.chars().next().is_none_or(is_end))
    }

    /// Whether the `'` that comes next stands behind an `E`.
    fn is_escape_text(&self) -> bool {
        let mut before = self.text[..self.at].chars().rev();
        self.quoting.escape_texts && matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_word)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// How many bytes the text in quotes at the start has, with them.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(index + quote.len_utf8());
        }
    }
    None
}

/// How many bytes the comment at the start has.
fn comment(rest: &str, nested: bool) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") && (depth == 0 || nested) {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
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
    use super::{Kind, Lexer, Quoting};

    /// What is neither blank nor comment; what is quoted without its quotes, behind a sign of its kind.
    fn pieces(text: &str, quoting: Quoting) -> Vec<String> {
        let mut lexer = Lexer::new(text, quoting);
        let mut found = Vec::new();
        while let Some(piece) = lexer.next_or_rest() {
            match piece.kind {
                Kind::Blank | Kind::Comment => {}
                Kind::Word | Kind::Sign | Kind::Code => found.push(piece.text.to_owned()),
                Kind::Name => found.push(format!("n:{}", piece.unquoted())),
                Kind::Text => found.push(format!("t:{}", piece.unquoted())),
            }
        }
        found
    }

    #[test]
    fn each_database_quotes_in_its_own_way() {
        let text = r#"a "b""c" 'd''e\' `f` -- g"#;
        assert_eq!(pieces(text, Quoting::ANSI), ["a", "n:b\"c", r"t:d'e\", "`", "f", "`"]);
        assert_eq!(pieces(text, Quoting::SQLITE), ["a", "n:b\"c", r"t:d'e\", "n:f"]);
        assert_eq!(pieces(text, Quoting::MYSQL), ["a", "t:b\"c", "t:d'e' `f` -- g"], "the text is open");
        assert_eq!(pieces("[a 'b] # $c$ d $c$", Quoting::SQLITE), ["n:a 'b", "#", "$", "c$", "d", "$", "c$"]);
        assert_eq!(pieces("a[1] $c$ d $$ $c$ $1", Quoting::POSTGRES), ["a", "[", "1", "]", "t: d $$ ", "$", "1"]);
    }

    #[test]
    fn a_backslash_escapes_in_texts_of_postgres_that_say_so() {
        assert_eq!(pieces(r"E'a\'b' e'\\' re'\' n", Quoting::POSTGRES), ["E", "t:a'b", "e", r"t:\", "re", r"t:\", "n"]);
        assert_eq!(pieces(r"E'a\' b", Quoting::SQLITE), ["E", r"t:a\", "b"]);
    }

    #[test]
    fn dashes_are_a_comment_where_the_database_says_so() {
        assert_eq!(pieces("5--3\n--", Quoting::MYSQL), ["5", "-", "-", "3"]);
        assert_eq!(pieces("5--3\n--", Quoting::POSTGRES), ["5"]);
        assert_eq!(pieces("a -- b\n# c\n/*! d */ /* e */ --\tf", Quoting::MYSQL), ["a", "/*! d */"]);
        assert_eq!(pieces("/* /* */ a */ b", Quoting::POSTGRES), ["b"]);
        assert_eq!(pieces("/* /* */ a */ b", Quoting::MYSQL), ["a", "*", "/", "b"]);
    }
}
