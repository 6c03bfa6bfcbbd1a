//! A statement as words, for those who have to know what a text does: names without their quotes, no comments.

use crate::error::Result;
use crate::sql::lexer::{Kind, Lexer, Quoting};

/// A word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// A keyword, a number, or a name without quotes.
    Plain(&'a str),
    /// A name that stood in quotes.
    Name(String),
    /// A text with its quotes, as it stands there.
    Text(&'a str),
    /// A comment that is code to some servers (MySQL's `/*! … */`).
    Code(&'a str),
    /// Any other character.
    Sign(char),
}

impl Word<'_> {
    /// Whether it is this keyword.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Word::Plain(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// What stands in a comment that is code to some servers, behind the version that it is for.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let Word::Code(code) = self else { return None };
        let inner = code.trim_start_matches("/*").trim_start_matches('M').trim_start_matches('!');
        Some(inner.trim_start_matches(|c: char| c.is_ascii_digit()).trim_end_matches("*/"))
    }
}

/// The words of a statement, in order.
///
/// # Errors
/// `Syntax` for what is not closed.
pub fn words(sql: &str, quoting: Quoting) -> Result<Vec<Word<'_>>> {
    let mut lexer = Lexer::new(sql, quoting);
    let mut found = Vec::new();
    while let Some(piece) = lexer.next()? {
        match piece.kind {
            Kind::Blank | Kind::Comment => {}
            Kind::Word => found.push(Word::Plain(piece.text)),
            Kind::Name => found.push(Word::Name(piece.unquoted())),
            Kind::Text => found.push(Word::Text(piece.text)),
            Kind::Code => found.push(Word::Code(piece.text)),
            Kind::Sign => found.extend(piece.text.chars().map(Word::Sign)),
        }
    }
    Ok(found)
}

/// Goes through the words of a statement.
#[derive(Clone, Debug)]
pub struct Reader<'w> {
    words: &'w [Word<'w>],
}

impl<'w> Reader<'w> {
    /// From the first word on.
    #[must_use]
    pub fn new(words: &'w [Word<'w>]) -> Self {
        Reader { words }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.words.is_empty()
    }

    /// The next word, which stays.
    #[must_use]
    pub fn peek(&self) -> Option<&'w Word<'w>> {
        self.words.first()
    }

    /// The next word, if it is a keyword or a name without quotes: in lower case, and it stays.
    #[must_use]
    pub fn keyword(&self) -> Option<String> {
        match self.words.first() {
            Some(Word::Plain(word)) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Takes these keywords, all of them or none.
    pub fn eat(&mut self, keywords: &[&str]) -> bool {
        let mut rest = self.words;
        for keyword in keywords {
            match rest.split_first() {
                Some((Word::Plain(word), after)) if word.eq_ignore_ascii_case(keyword) => rest = after,
                _ => return false,
            }
        }
        self.words = rest;
        true
    }

    /// Takes this character.
    pub fn sign(&mut self, sign: char) -> bool {
        match self.words.split_first() {
            Some((Word::Sign(found), after)) if *found == sign => {
                self.words = after;
                true
            }
            _ => false,
        }
    }

    /// Takes a word, whatever it is.
    pub fn take(&mut self) -> Option<&'w Word<'w>> {
        let (word, after) = self.words.split_first()?;
        self.words = after;
        Some(word)
    }

    /// Takes a name: `fold` is what the database makes of one without quotes.
    pub fn name(&mut self, fold: fn(&str) -> String) -> Option<String> {
        let (word, after) = self.words.split_first()?;
        let name = match word {
            Word::Plain(name) if !name.starts_with(|c: char| c.is_ascii_digit()) => fold(name),
            Word::Name(name) => name.clone(),
            _ => return None,
        };
        self.words = after;
        Some(name)
    }

    /// Goes on behind the next comma that stands in no parentheses, and says whether there was one.
    pub fn next_clause(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(word) = self.take() {
            match word {
                Word::Sign('(') => depth += 1,
                Word::Sign(')') => depth = depth.saturating_sub(1),
                Word::Sign(',') if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }

    /// Whether one of these keywords is still to come.
    #[must_use]
    pub fn has(&self, keywords: &[&str]) -> bool {
        self.words.iter().any(|word| keywords.iter().any(|keyword| word.is(keyword)))
    }
}

/// Whether the words call something that is none of these, which are parted by blanks: whatever else stands before a
/// parenthesis is taken for a function, and nobody knows what that does.
#[must_use]
pub fn calls(words: &[Word<'_>], known: &str) -> bool {
    let mut before = None;
    for (word, next) in words.iter().zip(words.iter().skip(1)) {
        let is_call = *next == Word::Sign('(')
            && match word {
                Word::Plain(word) => {
                    before == Some(&Word::Sign('.')) || !known.split(' ').any(|known| word.eq_ignore_ascii_case(known))
                }
                Word::Name(_) => true,
                Word::Text(_) | Word::Code(_) | Word::Sign(_) => false,
            };
        if is_call {
            return true;
        }
        before = Some(word);
    }
    words.iter().any(|word| matches!(word, Word::Code(_)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Reader, Word, calls, words};
    use crate::sql::Quoting;

    const MYSQL: Quoting = Quoting::MYSQL;

    #[test]
    fn names_lose_their_quotes_and_texts_keep_them() {
        let sql = "-- c\nCREATE/* x */ `a``b` \"t\\\"\" 'it''s' /*!80000 x */ (1)";
        let found = words(sql, MYSQL).unwrap();
        let wanted = [
            Word::Plain("CREATE"),
            Word::Name("a`b".into()),
            Word::Text("\"t\\\"\""),
            Word::Text("'it''s'"),
            Word::Code("/*!80000 x */"),
            Word::Sign('('),
            Word::Plain("1"),
            Word::Sign(')'),
        ];
        assert_eq!(found, wanted);
        assert!(words("`a", MYSQL).is_err());
    }

    #[test]
    fn clauses_end_at_commas_outside_of_parentheses() {
        let found = words("ADD a DECIMAL(1, 2), DROP b", MYSQL).unwrap();
        let mut reader = Reader::new(&found);
        assert!(!reader.eat(&["add", "b"]) && reader.eat(&["ADD"]));
        assert_eq!(reader.name(str::to_uppercase), Some("A".to_owned()));
        assert!(reader.next_clause() && reader.eat(&["drop"]) && reader.has(&["B"]));
        assert!(!reader.next_clause() && reader.is_end());
    }

    #[test]
    fn what_is_called() {
        let found = |sql| calls(&words(sql, MYSQL).unwrap(), "count in and");
        assert!(!found("SELECT COUNT(*), 'f(1)' FROM t WHERE a in (1) AND (b)"));
        for sql in ["SELECT f(1)", "SELECT `count`(1)", "SELECT s.count (1)", "SELECT /*! f(1) */ 1"] {
            assert!(found(sql), "{sql}");
        }
    }
}
