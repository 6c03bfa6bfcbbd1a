//! Names in decisions: bare where they can be, quoted where they must be.

use std::iter::Peekable;
use std::str::Chars;

use covet_drivers::catalog::Qualified;

/// One piece of a decision's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A bare word.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    /// The dot between a table and a column.
    Dot,
}

/// The pieces of a text; `None` when a quote is not closed.
pub(super) fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut chars = text.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(&first) = chars.peek() {
        match first {
            '"' => pieces.push(Piece::Name(quoted(&mut chars)?)),
            '\'' => pieces.push(Piece::Text(quoted(&mut chars)?)),
            // The dot of a number belongs to the number.
            '.' if !matches!(pieces.last(), None | Some(Piece::Dot)) => {
                chars.next();
                pieces.push(Piece::Dot);
            }
            c if c.is_whitespace() => {
                chars.next();
            }
            _ => pieces.push(Piece::Word(word(&mut chars))),
        }
    }
    Some(pieces)
}

fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(&c) = chars.peek() {
        let number = word.strip_prefix('-').unwrap_or(&word);
        let number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if c.is_whitespace() || c == '"' || c == '\'' || (c == '.' && !number) {
            break;
        }
        word.push(c);
        chars.next();
    }
    word
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let quote = chars.next()?;
    let mut text = String::new();
    loop {
        match chars.next()? {
            c if c == quote => match chars.peek() {
                Some(next) if *next == quote => {
                    chars.next();
                    text.push(quote);
                }
                _ => return Some(text),
            },
            c => text.push(c),
        }
    }
}

/// The name of a table or an enum as a decision writes it, behind that of its schema where it says one.
pub(super) fn show_qualified(name: &str) -> String {
    Qualified::of(name).sql(show)
}

/// The name as a decision writes it.
pub(super) fn show(name: &str) -> String {
    let bare = name.chars().enumerate().all(|(n, c)| c == '_' || c.is_alphabetic() || (n > 0 && c.is_alphanumeric()));
    if bare && !name.is_empty() { name.to_owned() } else { quote(name, '"') }
}

/// The text between two quotes of this kind, with quotes inside doubled.
pub(super) fn quote(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for c in text.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
    out
}
