//! SQL in tokens, by the quoting of the database at hand: enough to see what a statement does.

use crate::sql::{Kind, Lexer, Quoting};

/// How the statements of a script are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// How the database quotes.
    pub quoting: Quoting,
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
    let mut lexer = Lexer::new(sql, reading.quoting);
    let mut in_code = 0_u32;
    loop {
        let rest = lexer.rest();
        if let Some(opening) = rest.starts_with("/*").then(|| (reading.code)(rest)).flatten() {
            in_code += 1;
            lexer.skip(opening);
        } else if in_code > 0 && rest.starts_with("*/") {
            in_code -= 1;
            lexer.skip(2);
        } else if let Some((kind, len)) = unquoted(rest) {
            found.push(Token { kind, text: rest.get(..len).unwrap_or_default().to_owned() });
            lexer.skip(len);
        } else {
            let Some(piece) = lexer.next_or_rest() else { return found };
            let (kind, text) = match piece.kind {
                Kind::Blank | Kind::Comment | Kind::Code => continue,
                Kind::Name => (TokenKind::Name, piece.unquoted()),
                Kind::Text => (TokenKind::Text, piece.unquoted()),
                Kind::Word => (TokenKind::Word, piece.text.to_owned()),
                Kind::Sign => (TokenKind::Symbol, piece.text.to_owned()),
            };
            found.push(Token { kind, text });
        }
    }
}

/// The number or the word at the start, which may be a variable, and how many bytes it has.
fn unquoted(rest: &str) -> Option<(TokenKind, usize)> {
    let mut chars = rest.chars();
    let (first, second) = (chars.next()?, chars.next());
    let end = |is_inside: fn(char) -> bool| rest.find(|c: char| !is_inside(c)).unwrap_or(rest.len());
    if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
        return Some((TokenKind::Number, end(|c| c.is_ascii_alphanumeric() || c == '.')));
    }
    let is_word = first.is_alphabetic() || matches!(first, '_' | '@');
    is_word.then(|| (TokenKind::Word, end(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@'))))
}

#[cfg(test)]
mod tests {
    use super::{Reading, TokenKind, no_code, tokens};
    use crate::sql::Quoting;

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
        let pg = Reading { quoting: Quoting::POSTGRES, code: no_code };
        let found = texts("a \"b\"\"c\" 'd''e' $x$ f $x$ /* /* */ g */ 1.5e3 $1 -- h\n::é", &pg);
        assert_eq!(found, ["a", "n:b\"c", "t:d'e", "t: f ", "#1.5e3", "s:$", "#1", "s::", "s::", "é"]);
        let lite = Reading { quoting: Quoting::SQLITE, code: no_code };
        assert_eq!(texts("[a b].\"c\" 'open", &lite), ["n:a b", "s:.", "n:c", "t:open"]);
    }

    #[test]
    fn a_comment_that_is_executed_is_code() {
        let code = |rest: &str| rest.starts_with("/*!").then_some(3);
        let my = Reading { quoting: Quoting::MYSQL, code };
        assert_eq!(texts("a /*! b */ /*M! c */ `d` \"e\" # f\n 'g\\'h'", &my), ["a", "b", "n:d", "t:e", "t:g'h"]);
        assert_eq!(texts("/*! a /*! b */ c */ d", &my), ["a", "b", "c", "d"]);
    }
}
