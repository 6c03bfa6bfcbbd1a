//! SQLite's SQL in tokens, for reading back the texts that it keeps.

use std::ops::Range;

/// A token. Comments and blanks are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes.
    Word(String),
    /// A name in quotes of any kind, without them.
    Quoted(String),
    /// A text literal, without its quotes.
    Text(String),
    /// A blob literal: its hexadecimal digits.
    Blob(String),
    /// A number, as it is written.
    Number(String),
    /// Any other character.
    Symbol(char),
}

impl Token {
    /// Whether it is this word, in any case; a quoted name is never a keyword.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    /// Whether it is this character.
    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        matches!(self, Token::Symbol(found) if *found == symbol)
    }

    /// The name that it is: SQLite also takes a text literal for one where a name must stand.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) | Token::Text(name) => Some(name),
            _ => None,
        }
    }

    /// The token in one spelling.
    pub(super) fn normal(&self) -> String {
        let quoted = |text: &str, quote: char| {
            let mut out = String::new();
            crate::render::ansi::quoted(text, quote, &mut out);
            out
        };
        match self {
            Token::Word(word) => word.to_ascii_lowercase(),
            Token::Quoted(name) => quoted(name, '"'),
            Token::Text(text) => quoted(text, '\''),
            Token::Blob(hex) => format!("x'{}'", hex.to_ascii_lowercase()),
            Token::Number(number) => number.clone(),
            Token::Symbol(symbol) => symbol.to_string(),
        }
    }
}

/// All tokens of a text; `None` when a quote is not closed.
pub(super) fn tokens(sql: &str) -> Option<Vec<Token>> {
    Some(placed(sql)?.0)
}

/// All tokens of a text, and the place of each in it; `None` when a quote is not closed.
pub(super) fn placed(sql: &str) -> Option<(Vec<Token>, Vec<Range<usize>>)> {
    let mut found: Vec<Token> = Vec::new();
    let mut places = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (begins, known) = (sql.len() - rest.len(), found.len());
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if matches!(first, '"' | '`' | '\'') {
            let (text, after) = quoted(rest, first)?;
            found.push(if first == '\'' { Token::Text(text) } else { Token::Quoted(text) });
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (name, after) = inner.split_once(']')?;
            found.push(Token::Quoted(name.to_owned()));
            rest = after;
        } else if matches!(first, 'x' | 'X') && rest.get(1..2) == Some("'") {
            let (hex, after) = quoted(rest.get(1..)?, '\'')?;
            found.push(Token::Blob(hex));
            rest = after;
        } else if first.is_ascii_digit() || (first == '.' && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit)) {
            let (number, after) = rest.split_at(number_len(rest));
            found.push(Token::Number(number.to_owned()));
            rest = after;
        } else if is_word(first) {
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            found.push(Token::Word(word.to_owned()));
            rest = after;
        } else {
            found.push(Token::Symbol(first));
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        if found.len() > known {
            places.push(begins..sql.len() - rest.len());
        }
    }
    Some((found, places))
}

/// SQLite takes every character beyond ASCII for a letter.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// The text in quotes at the start, with doubled quotes made one, and what follows.
fn quoted(rest: &str, quote: char) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Some((text, rest.get(index + 1..)?));
        }
    }
    None
}

fn number_len(rest: &str) -> usize {
    let mut before = ' ';
    rest.find(|c: char| {
        let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        before = c;
        !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign)
    })
    .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    #[test]
    fn all_quotes_and_numbers() {
        let found = tokens("a \"b\"\"c\" `d` [e]] 'f''g' X'0aF' 1.5e-3 .5 <= é /* x */ -- y").unwrap_or_default();
        let normal: Vec<String> = found.iter().map(Token::normal).collect();
        let want = ["a", "\"b\"\"c\"", "\"d\"", "\"e\"", "]", "'f''g'", "x'0af'", "1.5e-3", ".5", "<", "=", "é"];
        assert_eq!(normal, want);
        assert_eq!(tokens("'a"), None);
    }
}
