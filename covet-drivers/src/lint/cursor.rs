//! Steps through tokens.

use crate::catalog::Qualified;
use crate::lint::token::{Token, TokenKind};

/// A place between tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(tokens: &'t [Token]) -> Self {
        Cursor { tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(crate) fn next(&mut self) -> Option<&'t Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'t [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// Whether the words come here.
    pub(crate) fn sees(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(n, word)| self.tokens.get(self.at + n).is_some_and(|token| token.is(word)))
    }

    /// Steps over the words, separated by single blanks, if they come here.
    pub(crate) fn words(&mut self, words: &str) -> bool {
        let sees = self.sees(words);
        if sees {
            self.at += words.split(' ').count();
        }
        sees
    }

    /// Steps over one of these, if it comes here.
    pub(crate) fn any(&mut self, all: &[&str]) -> bool {
        all.iter().any(|words| self.words(words))
    }

    pub(crate) fn symbol(&mut self, symbol: char) -> bool {
        let sees = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(sees);
        sees
    }

    /// A name, of whose parts the last one counts: `schema.table`.
    pub(crate) fn name(&mut self) -> Option<String> {
        let mut name = self.part()?;
        while self.peek().is_some_and(|token| token.is_symbol('.')) {
            self.at += 1;
            name = self.part()?;
        }
        Some(name)
    }

    /// The name of a table or of what has a name beside tables, behind that of its schema where it says one: as
    /// [`Qualified`] writes it. Of a name of three parts the first says no more than which database this is.
    pub(crate) fn qualified(&mut self) -> Option<String> {
        let (mut schema, mut name) = (None, self.part()?);
        while self.peek().is_some_and(|token| token.is_symbol('.')) {
            self.at += 1;
            schema = Some(std::mem::replace(&mut name, self.part()?));
        }
        Some(Qualified::text(schema.as_deref(), &name))
    }

    fn part(&mut self) -> Option<String> {
        let token = self.peek()?;
        // Some databases take a text where a name must stand.
        let name = match token.kind {
            TokenKind::Text => token.text.as_str(),
            _ => token.name()?,
        };
        self.at += 1;
        Some(name.to_owned())
    }

    /// The tokens between the parentheses that open here.
    pub(crate) fn group(&mut self) -> Option<&'t [Token]> {
        if !self.symbol('(') {
            return None;
        }
        let start = self.at;
        let mut depth = 1_u32;
        while let Some(token) = self.next() {
            if token.is_symbol('(') {
                depth += 1;
            } else if token.is_symbol(')') {
                depth -= 1;
                if depth == 0 {
                    return self.tokens.get(start..self.at - 1);
                }
            }
        }
        self.tokens.get(start..)
    }

    /// The names between the parentheses that open here; what else stands with them is left out.
    pub(crate) fn names(&mut self) -> Option<Vec<String>> {
        Some(commas(self.group()?).into_iter().filter_map(|item| Cursor::new(item).name()).collect())
    }

    /// One expression as it can follow `DEFAULT`: a literal, a word, a call, or what is in parentheses.
    pub(crate) fn expression(&mut self) -> Vec<Token> {
        let start = self.at;
        if self.peek().is_some_and(|token| token.is_symbol('(')) {
            self.group();
        } else {
            if !self.symbol('-') {
                self.symbol('+');
            }
            self.next();
        }
        loop {
            if self.peek().is_some_and(|token| token.is_symbol('(')) {
                self.group();
            } else if self.symbol(':') {
                self.symbol(':');
                self.next();
            } else if self.peek().is_some_and(|token| token.kind == TokenKind::Text)
                && self.at > start
                && self
                    .tokens
                    .get(self.at - 1)
                    .is_some_and(|token| token.is_any(&["x", "b", "e", "date", "time", "timestamp", "interval"]))
            {
                self.at += 1;
            } else if self.symbol('.') {
                self.next();
            } else {
                break;
            }
        }
        self.tokens.get(start..self.at).unwrap_or_default().to_vec()
    }
}

/// The parts between the commas that stand outside of parentheses.
pub(crate) fn commas(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (index, token) in tokens.iter().enumerate() {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth -= 1;
        } else if token.is_symbol(',') && depth == 0 {
            parts.extend(tokens.get(start..index));
            start = index + 1;
        }
    }
    parts.extend(tokens.get(start..).filter(|rest| !rest.is_empty()));
    parts
}
