//! The pieces of an expression in SQL: which of them name a column.

use std::borrow::Cow;
use std::ops::Range;

/// A piece of a text: its place, and what it is.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) at: Range<usize>,
    pub(super) kind: PieceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// A word without quotes: a name, a keyword or a number.
    Word,
    /// A name in quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// Any other character.
    Symbol,
}

impl Piece {
    fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.at.clone()).unwrap_or_default()
    }

    /// The piece in one spelling.
    pub(super) fn normal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.text(text);
        match self.kind {
            PieceKind::Word => found.to_lowercase().into(),
            PieceKind::Quoted => {
                let inside = found.get(1..found.len().saturating_sub(1)).unwrap_or_default();
                let mark = found.get(..1).unwrap_or_default();
                if inside.contains(mark) { inside.replace(&mark.repeat(2), mark).into() } else { inside.into() }
            }
            PieceKind::Text | PieceKind::Symbol => found.into(),
        }
    }

    /// The quotes around it.
    pub(super) fn mark(&self, text: &str) -> Option<char> {
        self.text(text).chars().next().filter(|_| self.kind == PieceKind::Quoted)
    }

    fn is(&self, text: &str, word: &str) -> bool {
        self.kind != PieceKind::Quoted && self.text(text).eq_ignore_ascii_case(word)
    }

    fn is_any(&self, text: &str, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(text, word))
    }

    fn is_name(&self, text: &str, name: &str) -> bool {
        match self.kind {
            PieceKind::Word => self.text(text).eq_ignore_ascii_case(name),
            PieceKind::Quoted => self.normal(text) == name,
            PieceKind::Text | PieceKind::Symbol => false,
        }
    }
}

/// The pieces of a text.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let kind = match first {
            c if c.is_whitespace() => continue,
            '\'' => PieceKind::Text,
            '"' | '`' => PieceKind::Quoted,
            c if is_word(c) => PieceKind::Word,
            _ => PieceKind::Symbol,
        };
        let mut end = start + first.len_utf8();
        match kind {
            PieceKind::Word => {
                while let Some((at, c)) = chars.next_if(|(_, c)| is_word(*c)) {
                    end = at + c.len_utf8();
                }
            }
            PieceKind::Text | PieceKind::Quoted => {
                while let Some((at, c)) = chars.next() {
                    end = at + c.len_utf8();
                    // A quote that is doubled stands for itself.
                    if c == first && chars.next_if(|(_, next)| *next == first).is_none() {
                        break;
                    }
                }
            }
            PieceKind::Symbol => {}
        }
        pieces.push(Piece { at: start..end, kind });
    }
    pieces
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The pieces of the text that name this column: not the function, the type, the collation or the unit of that name.
pub(super) fn columns(text: &str, name: &str) -> Vec<Piece> {
    let all = pieces(text);
    let named: Vec<usize> =
        (0..all.len()).filter(|at| all.get(*at).is_some_and(|piece| piece.is_name(text, name))).collect();
    let named: Vec<usize> = named.into_iter().filter(|at| is_column(text, &all, *at)).collect();
    all.into_iter().enumerate().filter(|(at, _)| named.contains(at)).map(|(_, piece)| piece).collect()
}

/// Whether a name stands where a column can, as far as its neighbours tell.
fn is_column(text: &str, all: &[Piece], at: usize) -> bool {
    let before = |steps: usize| at.checked_sub(steps).and_then(|at| all.get(at));
    let is_before = |steps: usize, words: &[&str]| before(steps).is_some_and(|piece| piece.is_any(text, words));
    let next = all.get(at + 1);
    // `lower(…)`, and `t.c`, of which the second is the column.
    if next.is_some_and(|next| next.is_any(text, &["(", "."])) {
        return false;
    }
    // `date '2000-01-01'`, `x'00'`
    let is_word = all.get(at).is_some_and(|piece| piece.kind == PieceKind::Word);
    if is_word && next.is_some_and(|next| next.kind == PieceKind::Text) {
        return false;
    }
    // `a::text`, `CAST(a AS text)`, `a COLLATE "C"`
    if is_before(1, &["as", "collate"]) || (is_before(1, &[":"]) && is_before(2, &[":"])) {
        return false;
    }
    // `timestamp with time zone`, `a AT TIME ZONE 'UTC'`
    if is_word && is_before(1, &["with", "without", "at", "time", "double", "character"]) {
        return false;
    }
    // `EXTRACT(year FROM a)`, `TIMESTAMPDIFF(DAY, a, b)`
    if is_before(1, &["("]) && is_before(2, &["extract", "timestampadd", "timestampdiff"]) {
        return false;
    }
    // Behind a value there is an operator or a unit: `INTERVAL 1 DAY`.
    let ends_value = |piece: &Piece| {
        piece.kind == PieceKind::Text
            || piece.is(text, ")")
            || piece.kind == PieceKind::Word && piece.text(text).starts_with(|c: char| c.is_ascii_digit())
    };
    !(is_word && before(1).is_some_and(ends_value))
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn what_only_bears_the_name_of_a_column_is_none() {
        for (name, text) in [
            ("length", "length(a) > 0"),
            ("lower", "\"lower\" (a)"),
            ("text", "a::text = 'x'"),
            ("text", "CAST(a AS text) = 'x'"),
            ("date", "a > date '2000-01-01'"),
            ("x", "a = x'00'"),
            ("C", "a COLLATE \"C\" > b"),
            ("nocase", "a = b COLLATE nocase"),
            ("year", "EXTRACT(year FROM a) > 2000"),
            ("day", "timestampdiff(DAY, a, b) > 1"),
            ("day", "a + INTERVAL 1 DAY > b"),
            ("day", "a + INTERVAL (b) DAY > c"),
            ("time", "a::timestamp with time zone > b"),
            ("zone", "a AT TIME ZONE 'UTC' > b"),
            ("precision", "a::double precision > 1"),
            ("t", "t.a > 0"),
            ("a", "b = 'a'"),
        ] {
            assert!(columns(text, name).is_empty(), "{name} in {text}");
        }
        for (name, text, times) in [
            ("length", "length(length) > 0 AND length < 5", 2),
            ("text", "text::text = CAST(text AS text)", 2),
            ("date", "date > date '2000-01-01'", 1),
            ("year", "EXTRACT(year FROM year) > year", 2),
            ("day", "day + INTERVAL 1 DAY > b", 1),
            ("a", "t.a > 0 AND (a) > 1 AND NOT a", 3),
            ("a", "CASE WHEN (b) THEN a WHEN 1 THEN \"a\" END", 2),
            ("a", "a IN (1) OR a LIKE 'x' OR a IS NULL", 3),
            ("a", "b BETWEEN 1 AND a", 1),
        ] {
            assert_eq!(columns(text, name).len(), times, "{name} in {text}");
        }
    }
}
