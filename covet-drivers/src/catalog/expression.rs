//! Expressions in SQL that a model states in its own words: conditions, generated values, defaults.
//!
//! Covet hands them on as they are. It reads only as much of them as it must: which names they hold, so that they
//! follow a column that gets another name, and whether two of them are spelled differently and mean the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalog::spelling;
use crate::catalog::words::{Named, columns};

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
    /// needed and parentheses around the whole make no difference. What databases read differently (comments,
    /// backslashes, dollars) is compared as it stands, with all that is behind it.
    ///
    /// ```
    /// use covet_drivers::catalog::Expression;
    /// assert!(Expression::new("(age >= 18 AND \"age\" < 99)").means(&Expression::new("age>=18 and age < 99")));
    /// assert!(!Expression::new("name = 'A'").means(&Expression::new("name = 'a'")));
    /// ```
    #[must_use]
    pub fn means(&self, other: &Expression) -> bool {
        self.agrees(other, |a, b| spelling::of_expression(a) == spelling::of_expression(b))
    }

    /// Whether both are the same texts but for blanks between the words, as those of views, triggers and functions have
    /// to be. The database keeps these texts, or shows names of theirs, as they are written.
    ///
    /// ```
    /// use covet_drivers::catalog::Expression;
    /// assert!(Expression::new("SELECT a,\n  b FROM t").says(&Expression::new("SELECT a, b FROM t")));
    /// assert!(!Expression::new("SELECT a FROM t").says(&Expression::new("SELECT A FROM t")));
    /// ```
    #[must_use]
    pub fn says(&self, other: &Expression) -> bool {
        self.agrees(other, |a, b| spelling::of_object(a) == spelling::of_object(b))
    }

    fn agrees(&self, other: &Expression, same: impl Fn(&str, &str) -> bool) -> bool {
        match (self, other) {
            (Expression::Same(a), Expression::Same(b)) => a == b || same(a, b),
            (Expression::Each(a), Expression::Each(b)) => {
                let is_same = |text: &str, other: Option<&str>| other.is_some_and(|b| text == b || same(text, b));
                a.len() == b.len() && a.iter().all(|(name, text)| is_same(text, other.on(name)))
            }
            _ => false,
        }
    }

    /// The expression in one spelling, which all that [mean](Expression::means) the same have: texts for single
    /// databases stand in the order of their names.
    #[must_use]
    pub fn plain(&self) -> Self {
        let mut plain = self.each(|text| spelling::of_expression(text).join(" "));
        if let Expression::Each(texts) = &mut plain {
            texts.to_mut().sort();
        }
        plain
    }

    /// The expression after a column has another name, which stands in quotes: as the old one did, else in those of
    /// the standard.
    #[must_use]
    pub fn renamed(&self, from: &str, to: &str) -> Self {
        self.each(|text| replaced(text, from, |mark| quoted(to, mark.unwrap_or('"'))))
    }

    /// The expression with the names of these columns in other quotes, for a database that does not take those of the
    /// standard for quotes of names. Any other text in them stays as it is.
    #[must_use]
    pub fn requoted<'c>(&self, columns: impl IntoIterator<Item = &'c str>, mark: char) -> Self {
        columns.into_iter().fold(self.clone(), |found, column| {
            let standard = quoted(column, '"');
            let is_quoted = |text: &str| text.contains(&standard);
            found.each(|text| {
                if !is_quoted(text) {
                    return text.to_owned();
                }
                replaced(text, column, |old| old.map_or_else(|| column.to_owned(), |_| quoted(column, mark)))
            })
        })
    }

    /// The expression with a value, in SQL, in place of a column.
    #[must_use]
    pub fn with_value(&self, column: &str, value: &str) -> Self {
        self.with_values(&[(column, value)])
    }

    /// The expression with a value, in SQL, in place of each of these columns, at once: a value may name columns.
    #[must_use]
    pub fn with_values(&self, values: &[(&str, &str)]) -> Self {
        self.each(|text| {
            let places = values.iter().flat_map(|(name, value)| {
                columns(text, name).into_iter().map(move |piece| (piece.at, format!("({value})")))
            });
            spliced(text, places.collect())
        })
    }

    fn each(&self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Expression::Same(text) => Expression::Same(change(text).into()),
            Expression::Each(texts) => {
                Expression::Each(texts.iter().map(|(name, text)| (name.clone(), change(text).into())).collect())
            }
        }
    }

    /// Whether a text of it names this column.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        self.texts().any(|text| !columns(text, name).is_empty())
    }

    /// What its texts may name of tables and objects.
    pub(super) fn named(&self) -> Named<'_> {
        let mut named = Named::default();
        self.texts().for_each(|text| named.add(text));
        named
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let (same, each) = match self {
            Expression::Same(text) => (Some(&**text), &[][..]),
            Expression::Each(texts) => (None, &**texts),
        };
        same.into_iter().chain(each.iter().map(|(_, text)| &**text))
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

/// The name in these quotes.
fn quoted(name: &str, mark: char) -> String {
    format!("{mark}{}{mark}", name.replace(mark, &String::from(mark).repeat(2)))
}

/// The text with something in place of the name of a column; it is told the quotes around the name.
fn replaced(text: &str, name: &str, by: impl Fn(Option<char>) -> String) -> String {
    let places = columns(text, name).into_iter().map(|piece| (piece.at.clone(), by(piece.mark(text))));
    spliced(text, places.collect())
}

/// The text with something in these places.
fn spliced(text: &str, mut places: Vec<(Range<usize>, String)>) -> String {
    places.sort_by_key(|(at, _)| at.start);
    places.dedup_by_key(|(at, _)| at.start);
    let mut out = String::new();
    let mut last = 0;
    for (at, by) in places {
        out.push_str(text.get(last..at.start).unwrap_or_default());
        out.push_str(&by);
        last = at.end;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn names_follow_and_texts_do_not() {
        let renamed = |text: &str, from: &str, to: &str| {
            Expression::new(text.to_owned()).renamed(from, to).on("x").map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(
            renamed("a > 0 AND \"a\" <> 'a' AND aa = A", "a", "b\"c"),
            "\"b\"\"c\" > 0 AND \"b\"\"c\" <> 'a' AND aa = \"b\"\"c\""
        );
        assert_eq!(renamed("größe + 'größe'", "größe", "order"), "\"order\" + 'größe'");
        assert_eq!(renamed("text::text <> lower(`text`)", "text", "body"), "\"body\"::text <> lower(`body`)");
        let each = Expression::Each(vec![("x".into(), "lower(a)".into()), ("y".into(), "'a'".into())].into());
        assert!(each.mentions("a") && !each.mentions("lower") && each.on("z").is_none());
        assert_eq!(each.renamed("a", "b").on("x"), Some("lower(\"b\")"));
        assert_eq!(each.with_value("A", "-1").on("x"), Some("lower((-1))"));
        let sum = Expression::new("a + b").with_values(&[("b", "a"), ("a", "b * 2")]);
        assert_eq!(sum.on("x"), Some("(b * 2) + (a)"));
        assert!(each.means(&each.clone()) && !each.means(&Expression::new("lower(a)")));
    }

    #[test]
    fn the_order_of_databases_says_nothing() {
        let each = |texts: [(&'static str, &'static str); 2]| {
            Expression::Each(texts.map(|(name, text)| (name.into(), text.into())).to_vec().into())
        };
        let (a, b) = (each([("x", "A > 0"), ("y", "b")]), each([("y", "b"), ("x", "(a>0)")]));
        assert!(a.means(&b) && a.plain() == b.plain());
    }

    #[test]
    fn only_columns_get_other_quotes() {
        let text = Expression::new("\"or`der\" > 0 AND a = \"a\" AND b = \"open\" AND c = 'x \"a\"'");
        let found = text.requoted(["or`der", "a", "b"], '`');
        assert_eq!(found.on("x"), Some("`or``der` > 0 AND a = `a` AND b = \"open\" AND c = 'x \"a\"'"));
    }
}
