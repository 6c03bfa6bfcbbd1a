//! Walks through the tokens of a `CREATE TABLE`, one construct at a time.

use std::ops::Range;

use crate::catalog::{Action, Timing};
use crate::sqlite::parse::ParsedForeignKey;
use crate::sqlite::token::Token;

/// A place among tokens.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    text: Text<'a>,
}

/// Where tokens stand in the text that they come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) sql: &'a str,
    /// The place of each token, from the first of the reader on.
    pub(super) places: &'a [Range<usize>],
}

impl<'a> Reader<'a> {
    /// At the first token.
    pub(super) fn new(tokens: &'a [Token], text: Text<'a>) -> Self {
        Reader { tokens, at: 0, text }
    }

    /// How many tokens have been passed.
    pub(super) fn passed(&self) -> usize {
        self.at
    }

    /// What stands in the text from one token up to another.
    pub(super) fn text(&self, tokens: Range<usize>) -> String {
        let place = |at: usize| self.text.places.get(at);
        match (place(tokens.start), tokens.end.checked_sub(1).and_then(place)) {
            (Some(first), Some(last)) if tokens.start < tokens.end => {
                self.text.sql.get(first.start..last.end).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }

    /// As [`group`](Reader::group), with what stands in the text.
    pub(super) fn group_text(&mut self) -> Option<(&'a [Token], String)> {
        let start = self.at + 1;
        let group = self.group()?;
        Some((group, self.text(start..self.at - 1)))
    }

    /// A reader of what stands between the parenthesis here and its partner.
    pub(super) fn inside(&mut self) -> Option<Reader<'a>> {
        let start = self.at + 1;
        let tokens = self.group()?;
        let places = self.text.places.get(start..).unwrap_or_default();
        Some(Reader::new(tokens, Text { places, ..self.text }))
    }

    /// The token here.
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Passes one token.
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// Whether there is no token left.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Passes this keyword, if it stands here.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_word(word));
        self.at += usize::from(found);
        found
    }

    /// Passes this character, if it stands here.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(found);
        found
    }

    /// Passes a name.
    pub(super) fn name(&mut self) -> Option<String> {
        let name = self.peek()?.name()?.to_owned();
        self.at += 1;
        Some(name)
    }

    /// What stands between the parenthesis here and its partner.
    pub(super) fn group(&mut self) -> Option<&'a [Token]> {
        if !self.symbol('(') {
            return None;
        }
        let start = self.at;
        let mut depth = 1_u32;
        while depth > 0 {
            let token = self.peek()?;
            if token.is_symbol('(') {
                depth += 1;
            } else if token.is_symbol(')') {
                depth -= 1;
            }
            self.at += 1;
        }
        self.tokens.get(start..self.at - 1)
    }

    /// `(a, b COLLATE c DESC, …)`: the names.
    pub(super) fn names(&mut self) -> Option<Vec<String>> {
        self.group()?.split(|token| token.is_symbol(',')).map(|part| part.first()?.name().map(str::to_owned)).collect()
    }

    /// The words of a type, which may be none, with what stands in parentheses.
    pub(super) fn type_words(&mut self) -> String {
        const ENDS: [&str; 12] = [
            "constraint",
            "primary",
            "not",
            "null",
            "unique",
            "check",
            "default",
            "collate",
            "references",
            "generated",
            "as",
            "autoincrement",
        ];
        let mut words = String::new();
        while let Some(token) = self.peek() {
            if let Some(name) = token.name()
                && !ENDS.iter().any(|word| token.is_word(word))
            {
                if !words.is_empty() {
                    words.push(' ');
                }
                words.push_str(name);
                self.at += 1;
            } else {
                break;
            }
        }
        if self.peek().is_some_and(|token| token.is_symbol('('))
            && let Some(group) = self.group()
        {
            let inside: Vec<String> = group.iter().map(Token::normal).collect();
            words.push_str(&format!("({})", inside.concat()));
        }
        words
    }

    /// Passes what follows `DEFAULT`.
    pub(super) fn default(&mut self) -> Option<(Vec<Token>, String)> {
        if self.peek()?.is_symbol('(') {
            return self.group_text().map(|(tokens, text)| (tokens.to_vec(), text));
        }
        let start = self.at;
        let mut value = Vec::new();
        if let Some(sign) = self.peek().filter(|token| token.is_symbol('-') || token.is_symbol('+')) {
            value.push(sign.clone());
            self.at += 1;
        }
        value.push(self.peek()?.clone());
        self.at += 1;
        Some((value, self.text(start..self.at)))
    }

    /// Passes `ON CONFLICT …`, if it stands here.
    pub(super) fn conflict_clause(&mut self) {
        if self.peek().is_some_and(|token| token.is_word("on"))
            && self.tokens.get(self.at + 1).is_some_and(|token| token.is_word("conflict"))
        {
            self.at += 3;
        }
    }

    /// What follows `REFERENCES`.
    pub(super) fn references(&mut self, name: Option<String>, columns: Vec<String>) -> Option<ParsedForeignKey> {
        let target = self.name()?;
        let target_columns =
            if self.peek().is_some_and(|token| token.is_symbol('(')) { self.names()? } else { Vec::new() };
        let (mut on_delete, mut on_update) = (Action::NoAction, Action::NoAction);
        let mut timing = Timing::Immediate;
        loop {
            if self.word("on") {
                let slot = if self.word("delete") {
                    &mut on_delete
                } else if self.word("update") {
                    &mut on_update
                } else {
                    return None;
                };
                *slot = if self.word("cascade") {
                    Action::Cascade
                } else if self.word("restrict") {
                    Action::Restrict
                } else if self.word("no") {
                    self.word("action");
                    Action::NoAction
                } else if self.word("set") {
                    if self.word("null") {
                        Action::SetNull
                    } else {
                        self.word("default");
                        Action::SetDefault
                    }
                } else {
                    return None;
                };
            } else if self.word("match") {
                self.name()?;
            } else if self.peek().is_some_and(|token| token.is_word("not"))
                && self.tokens.get(self.at + 1).is_some_and(|token| token.is_word("deferrable"))
            {
                self.at += 2;
            } else if self.word("deferrable") {
                timing = Timing::Deferrable;
            } else if self.word("initially") {
                // Not deferrable, whatever it says, it is checked with each statement.
                if self.name()?.eq_ignore_ascii_case("deferred") && timing == Timing::Deferrable {
                    timing = Timing::Deferred;
                }
            } else {
                break;
            }
        }
        Some(ParsedForeignKey { name, columns, target, target_columns, on_delete, on_update, timing })
    }
}
