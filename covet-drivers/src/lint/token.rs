//! SQL in tokens, by the quoting of the database at hand: enough to see what a statement does.

use crate::sql::Quoting;

/// How the statements of a script are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// How the database quotes.
    pub quoting: Quoting,
    /// `[name]` quotes an identifier (SQLite).
    pub brackets: bool,
    /// Whether a comment that begins here is executed, and how many bytes its opening has:
    /// `/*!80000` on MySQL, `/*M!` on MariaDB. Each product is a reading of its own.
    pub code: fn(&str) -> Option<usize>,
}

/// No comment is executed.
#[must_use]
pub fn no_code(_: &str) -> Option<usize> {
    None
}

/// A token. Comments and blanks are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its text, without the quotes around it.
    pub text: String,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A word without quotes: a keyword or a name.
    Word,
    /// A name in quotes.
    Name,
    /// A text literal.
    Text,
    /// A number.
    Number,
    /// Any other character.
    Symbol,
}

impl Token {
    /// Whether it is this word, in any case; what is quoted is never a keyword.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is one of these words.
    #[must_use]
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether it is this character.
    #[must_use]
    pub fn is_symbol(&self, symbol: char) -> bool {
        self.kind == TokenKind::Symbol && self.text.starts_with(symbol)
    }

    /// The name that it can be.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        matches!(self.kind, TokenKind::Word | TokenKind::Name).then_some(self.text.as_str())
    }
}

/// The tokens of a statement. What is not closed ends with the text.
#[must_use]
pub fn tokens(sql: &str, reading: &Reading) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    let mut in_code = 0_u32;
    while let Some(first) = rest.chars().next() {
        let (token, len) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("--") || (reading.quoting.hash_comment && first == '#') {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            match (reading.code)(rest) {
                Some(opening) => {
                    in_code += 1;
                    (None, opening)
                }
                None => (None, comment(rest, reading.quoting.nested_comments)),
            }
        } else if in_code > 0 && rest.starts_with("*/") {
            in_code -= 1;
            (None, 2)
        } else if matches!(first, '\'' | '"' | '`') && (first != '`' || reading.quoting.backtick) {
            let escapes = reading.quoting.backslash && first != '`';
            let (text, len) = quoted(rest, first, escapes);
            // Where a backslash escapes, double quotes hold a text.
            let is_text = first == '\'' || (first == '"' && reading.quoting.backslash);
            (Some((if is_text { TokenKind::Text } else { TokenKind::Name }, text)), len)
        } else if reading.brackets && first == '[' {
            let end = rest.find(']').unwrap_or(rest.len());
            let name = rest.get(1..end).unwrap_or_default().to_owned();
            (Some((TokenKind::Name, name)), (end + 1).min(rest.len()))
        } else if let Some((text, len)) = dollar(rest, reading) {
            (Some((TokenKind::Text, text)), len)
        } else if first.is_ascii_digit() || (first == '.' && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())) {
            let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
            (Some((TokenKind::Number, rest.get(..len).unwrap_or_default().to_owned())), len)
        } else if first.is_alphabetic() || matches!(first, '_' | '@') {
            let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@');
            let len = rest.find(|c: char| !is_inside(c)).unwrap_or(rest.len());
            (Some((TokenKind::Word, rest.get(..len).unwrap_or_default().to_owned())), len)
        } else {
            (Some((TokenKind::Symbol, first.to_string())), first.len_utf8())
        };
        found.extend(token.map(|(kind, text)| Token { kind, text }));
        rest = rest.get(len..).unwrap_or_default();
    }
    found
}

/// How many bytes the comment at the start has.
fn comment(rest: &str, nested: bool) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") && (depth == 0 || nested) {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The text in quotes at the start, and how many bytes it has with them.
fn quoted(rest: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if escapes && c == '\\' {
            text.extend(chars.next().map(|(_, c)| c));
        } else if c != quote {
            text.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return (text, index + quote.len_utf8());
        }
    }
    (text, rest.len())
}

/// `$tag$…$tag$`.
fn dollar(rest: &str, reading: &Reading) -> Option<(String, usize)> {
    let after = rest.strip_prefix('$').filter(|_| reading.quoting.dollar)?;
    let (name, _) = after.split_once('$')?;
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let tag = format!("${name}$");
    let body = rest.strip_prefix(&tag)?;
    let end = body.find(&tag).unwrap_or(body.len());
    let text = body.get(..end).unwrap_or_default().to_owned();
    Some((text, (tag.len() * 2 + end).min(rest.len())))
}

#[cfg(test)]
mod tests {
    use super::{Reading, TokenKind, no_code, tokens};
    use crate::sql::Quoting;

    const PG: Quoting =
        Quoting { backslash: false, backtick: false, dollar: true, hash_comment: false, nested_comments: true };
    const MY: Quoting =
        Quoting { backslash: true, backtick: true, dollar: false, hash_comment: true, nested_comments: false };

    fn texts(sql: &str, reading: &Reading) -> Vec<String> {
        let kind = |kind| match kind {
            TokenKind::Word => "",
            TokenKind::Name => "n:",
            TokenKind::Text => "t:",
            TokenKind::Number => "#",
            TokenKind::Symbol => "s:",
        };
        tokens(sql, reading).iter().map(|token| format!("{}{}", kind(token.kind), token.text)).collect()
    }

    #[test]
    fn quotes_comments_and_numbers() {
        let pg = Reading { quoting: PG, brackets: false, code: no_code };
        let found = texts("a \"b\"\"c\" 'd''e' $x$ f $x$ /* /* */ g */ 1.5e3 $1 -- h\n::é", &pg);
        assert_eq!(found, ["a", "n:b\"c", "t:d'e", "t: f ", "#1.5e3", "s:$", "#1", "s::", "s::", "é"]);
        let lite = Reading { quoting: Quoting { dollar: false, ..PG }, brackets: true, code: no_code };
        assert_eq!(texts("[a b].\"c\" 'open", &lite), ["n:a b", "s:.", "n:c", "t:open"]);
    }

    #[test]
    fn a_comment_that_is_executed_is_code() {
        let code = |rest: &str| rest.starts_with("/*!").then_some(3);
        let my = Reading { quoting: MY, brackets: false, code };
        assert_eq!(texts("a /*! b */ /*M! c */ `d` \"e\" # f\n 'g\\'h'", &my), ["a", "b", "n:d", "t:e", "t:g'h"]);
        assert_eq!(texts("/*! a /*! b */ c */ d", &my), ["a", "b", "c", "d"]);
    }
}
