//! Expressions in SQL that a model states in its own words: conditions, generated values, defaults.
//!
//! Covet hands them on as they are. It reads only as much of them as it must: which names they hold, so that they
//! follow a column that gets another name, and whether two of them are spelled differently and mean the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An expression in SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// The same text on every database.
    Same(Cow<'static, str>),
    /// A text for each kind of database, by its name.
    Each(Cow<'static, [(Cow<'static, str>, Cow<'static, str>)]>),
}

impl Expression {
    /// The same text on every database.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Expression::Same(text.into())
    }

    /// The text for this kind of database; `None` when there is one for others only.
    #[must_use]
    pub fn on(&self, database: &str) -> Option<&str> {
        match self {
            Expression::Same(text) => Some(text),
            Expression::Each(texts) => texts.iter().find(|(name, _)| name == database).map(|(_, text)| &**text),
        }
    }

    /// Whether both mean the same for all that Covet can tell: blanks, the case of words, quotes that are not
    /// needed and parentheses around the whole make no difference.
    ///
    /// ```
    /// use covet_drivers::catalog::Expression;
    /// assert!(Expression::new("(age >= 18 AND \"age\" < 99)").means(&Expression::new("age>=18 and age < 99")));
    /// assert!(!Expression::new("name = 'A'").means(&Expression::new("name = 'a'")));
    /// ```
    #[must_use]
    pub fn means(&self, other: &Expression) -> bool {
        match (self, other) {
            (Expression::Same(a), Expression::Same(b)) => same(a, b),
            (Expression::Each(a), Expression::Each(b)) => {
                a.len() == b.len() && a.iter().all(|(name, text)| other.on(name).is_some_and(|b| same(text, b)))
            }
            _ => false,
        }
    }

    /// The expression in one spelling, which all that [mean](Expression::means) the same have.
    #[must_use]
    pub fn plain(&self) -> Self {
        self.each(|text| normal(text).join(" "))
    }

    /// The expression after a column has another name.
    #[must_use]
    pub fn renamed(&self, from: &str, to: &str) -> Self {
        self.each(|text| renamed(text, from, to))
    }

    /// The expression with a value, in SQL, in place of a column.
    #[must_use]
    pub fn with_value(&self, column: &str, value: &str) -> Self {
        self.each(|text| replaced(text, column, |_| format!("({value})")))
    }

    fn each(&self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Expression::Same(text) => Expression::Same(change(text).into()),
            Expression::Each(texts) => {
                Expression::Each(texts.iter().map(|(name, text)| (name.clone(), change(text).into())).collect())
            }
        }
    }

    /// Whether a text of it holds this name.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        let texts: Vec<&str> = match self {
            Expression::Same(text) => vec![text],
            Expression::Each(texts) => texts.iter().map(|(_, text)| &**text).collect(),
        };
        texts.iter().any(|text| pieces(text).iter().any(|piece| piece.is_name(text, name)))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Same(text) => f.write_str(text),
            Expression::Each(texts) => {
                for (index, (name, text)) in texts.iter().enumerate() {
                    write!(f, "{}{name}: {text}", if index > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Expression::Same(text) => serializer.serialize_str(text),
            Expression::Each(texts) => {
                let texts: BTreeMap<&str, &str> = texts.iter().map(|(name, text)| (&**name, &**text)).collect();
                texts.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Same(String),
            Each(BTreeMap<String, String>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Same(text) => Expression::new(text),
            Form::Each(texts) => {
                Expression::Each(texts.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
            }
        })
    }
}

/// A piece of a text: its place, and what it is.
#[derive(Debug)]
struct Piece {
    at: Range<usize>,
    kind: PieceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PieceKind {
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
    /// The piece in one spelling.
    fn normal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = text.get(self.at.clone()).unwrap_or_default();
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

    fn is_name(&self, text: &str, name: &str) -> bool {
        match self.kind {
            PieceKind::Word => text.get(self.at.clone()).is_some_and(|word| word.eq_ignore_ascii_case(name)),
            PieceKind::Quoted => self.normal(text) == name,
            PieceKind::Text | PieceKind::Symbol => false,
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
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

fn same(a: &str, b: &str) -> bool {
    a == b || normal(a) == normal(b)
}

/// The pieces in one spelling, without parentheses around the whole.
fn normal(text: &str) -> Vec<Cow<'_, str>> {
    let mut normal: Vec<Cow<'_, str>> = pieces(text).iter().map(|piece| piece.normal(text)).collect();
    while encloses(&normal) {
        normal.remove(0);
        normal.pop();
    }
    normal
}

/// Whether the first parenthesis is closed by the last.
fn encloses(pieces: &[Cow<'_, str>]) -> bool {
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate() {
        match &**piece {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index > 0 && index + 1 == pieces.len();
        }
    }
    false
}

fn renamed(text: &str, from: &str, to: &str) -> String {
    replaced(text, from, |mark| match mark {
        Some(mark) => format!("{mark}{}{mark}", to.replace(mark, &String::from(mark).repeat(2))),
        None => to.to_owned(),
    })
}

/// The text with something in place of a name; it is told the quotes around the name.
fn replaced(text: &str, name: &str, by: impl Fn(Option<char>) -> String) -> String {
    let mut out = String::new();
    let mut last = 0;
    for piece in pieces(text).iter().filter(|piece| piece.is_name(text, name)) {
        let found = text.get(piece.at.clone()).unwrap_or_default();
        out.push_str(text.get(last..piece.at.start).unwrap_or_default());
        out.push_str(&by(found.chars().next().filter(|_| piece.kind == PieceKind::Quoted)));
        last = piece.at.end;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::{Expression, renamed, same};

    #[test]
    fn what_only_looks_different_is_the_same() {
        for (a, b) in [
            ("a > 0", " A>0 "),
            ("((a) > 0)", "(a) > 0"),
            ("(a > 0) AND (b > 0)", "((a > 0) and (b > 0))"),
            ("\"a\" = `b`", "a = b"),
            ("x IN ('it''s', 'B')", "x in ('it''s','B')"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a = 'x'", "a = 'X'"),
            ("a > 0 AND b > 0", "a > 0 or b > 0"),
            ("(a) + (b)", "a) + (b"),
            ("\"A\" > 0", "a > 0"),
            ("a = 'x y'", "a = 'x  y'"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn names_follow_and_texts_do_not() {
        assert_eq!(
            renamed("a > 0 AND \"a\" <> 'a' AND aa = A", "a", "b\"c"),
            "b\"c > 0 AND \"b\"\"c\" <> 'a' AND aa = b\"c"
        );
        assert_eq!(renamed("größe + 'größe'", "größe", "x"), "x + 'größe'");
        let each = Expression::Each(vec![("x".into(), "lower(a)".into()), ("y".into(), "'a'".into())].into());
        assert!(each.mentions("a") && !each.mentions("lowe") && each.on("z").is_none());
        assert_eq!(each.renamed("a", "b").on("x"), Some("lower(b)"));
        assert_eq!(each.with_value("A", "-1").on("x"), Some("lower((-1))"));
        assert!(each.means(&each.clone()) && !each.means(&Expression::new("lower(a)")));
    }
}
