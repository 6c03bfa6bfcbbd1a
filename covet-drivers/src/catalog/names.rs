//! Names of tables, with the schema that they are in; and names of constraints and indexes: explicit, the same on every
//! run, short enough for every database.

use std::borrow::Cow;

/// The name of a table, an enum or an object, and the schema that it is in where one is said.
///
/// In a [`Schema`](crate::catalog::Schema), in changes and in models both are one text, as SQL writes it:
/// `invoices`, or `billing.invoices`. A part with a dot in it, or with a double quote at its beginning, stands in
/// double quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualified<'a> {
    /// The schema; `None` for the one in which tables are made whose name says none.
    pub schema: Option<Cow<'a, str>>,
    /// The name in it.
    pub name: Cow<'a, str>,
}

impl<'a> Qualified<'a> {
    /// The two parts of a text. Whatever the text is, it has a meaning.
    ///
    /// ```
    /// use covet_drivers::catalog::Qualified;
    /// let qualified = Qualified::of("billing.invoices");
    /// assert_eq!((qualified.schema.as_deref(), &*qualified.name), (Some("billing"), "invoices"));
    /// assert_eq!(Qualified::of("\"a.b\""), Qualified { schema: None, name: "a.b".into() });
    /// ```
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        match part(text) {
            (first, Some(rest)) => Qualified { schema: Some(first), name: whole(rest) },
            (_, None) => Qualified { schema: None, name: whole(text) },
        }
    }

    /// The text for a name in a schema.
    ///
    /// ```
    /// use covet_drivers::catalog::Qualified;
    /// assert_eq!(Qualified::text(Some("billing"), "invoices"), "billing.invoices");
    /// assert_eq!(Qualified::text(None, "a.b"), "\"a.b\"");
    /// ```
    #[must_use]
    pub fn text(schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", said(schema), said(name)),
            None => said(name).into_owned(),
        }
    }

    /// The text for another name in the same schema.
    #[must_use]
    pub fn beside(&self, name: &str) -> String {
        Self::text(self.schema.as_deref(), name)
    }

    /// Written in SQL, each part quoted by `quote`.
    #[must_use]
    pub fn sql(&self, quote: impl Fn(&str) -> String) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote(schema), quote(&self.name)),
            None => quote(&self.name),
        }
    }
}

/// The first part of a text, and what stands behind its dot.
fn part(text: &str) -> (Cow<'_, str>, Option<&str>) {
    if !text.starts_with('"') {
        return match text.split_once('.') {
            Some((first, rest)) if !first.is_empty() && !rest.is_empty() => (first.into(), Some(rest)),
            _ => (text.into(), None),
        };
    }
    let mut end = 1;
    loop {
        let Some(quote) = text.get(end..).and_then(|rest| rest.find('"')) else { return (text.into(), None) };
        end += quote + 1;
        if !text.get(end..).is_some_and(|rest| rest.starts_with('"')) {
            break;
        }
        end += 1;
    }
    let first = text.get(1..end - 1).unwrap_or_default();
    let first = if first.contains('"') { first.replace("\"\"", "\"").into() } else { first.into() };
    match text.get(end..) {
        Some("") => (first, None),
        Some(rest) => match rest.strip_prefix('.').filter(|rest| !rest.is_empty()) {
            Some(rest) => (first, Some(rest)),
            None => (text.into(), None),
        },
        None => (text.into(), None),
    }
}

/// The name that a text is which has no dot, or is all quoted.
fn whole(text: &str) -> Cow<'_, str> {
    match text.starts_with('"').then(|| part(text)) {
        Some((name, None)) => name,
        _ => text.into(),
    }
}

/// A part as it stands in the text.
fn said(part: &str) -> Cow<'_, str> {
    match part.contains('.') || part.starts_with('"') {
        true => format!("\"{}\"", part.replace('"', "\"\"")).into(),
        false => part.into(),
    }
}

/// The most bytes of a name that every database keeps (PostgreSQL cuts at 63 in silence).
const MOST: usize = 63;

/// `table_column_column_suffix`, shortened with a hash when it is too long. The schema of the table is no part of it.
///
/// ```
/// use covet_drivers::catalog::constraint_name;
/// assert_eq!(constraint_name("posts", &["author_id"], "fkey"), "posts_author_id_fkey");
/// assert_eq!(constraint_name("blog.posts", &["author_id"], "fkey"), "posts_author_id_fkey");
/// ```
#[must_use]
pub fn constraint_name(table: &str, columns: &[&str], suffix: &str) -> String {
    let mut name = Qualified::of(table).name.into_owned();
    for part in columns.iter().copied().chain([suffix]) {
        name.push('_');
        name.push_str(part);
    }
    shorten(name)
}

/// The name itself when it is short enough, else its beginning and a hash of the whole.
#[must_use]
pub fn shorten(name: String) -> String {
    if name.len() <= MOST {
        return name;
    }
    // FNV-1a: tiny, and stable for ever, which a name in a database must be.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut end = MOST - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], hash >> 32)
}

/// The triggers by which one column follows another, where a trigger has one event: event and name.
#[must_use]
pub fn followers(table: &str, column: &str) -> [(&'static str, String); 2] {
    let name = |word: &str| constraint_name(table, &[column], word);
    [("INSERT", name("follow_insert")), ("UPDATE", name("follow_update"))]
}

#[cfg(test)]
mod tests {
    use super::{Qualified, constraint_name, shorten};

    #[test]
    fn every_pair_of_names_is_one_text() {
        let names = ["a", "a.b", "\"", "\"a\".b", "a\"", ".", "a.", "\"a\"", "\"\".\"\"", "é.ü"];
        let mut seen = std::collections::HashSet::new();
        for name in names {
            for schema in names.map(Some).into_iter().chain([None]) {
                let text = Qualified::text(schema, name);
                let read = Qualified::of(&text);
                assert_eq!((read.schema.as_deref(), &*read.name), (schema, name), "{text}");
                assert!(seen.insert(text));
            }
        }
    }

    #[test]
    fn any_text_has_a_meaning() {
        for text in ["", ".", "..", "a.", ".a", "\"", "\"a", "\"a\"b", "\"a\".", "\"\"", "a.b.c", "a.\"b", "\"a\"\""] {
            let read = Qualified::of(text);
            let said = Qualified::text(read.schema.as_deref(), &read.name);
            assert_eq!(Qualified::of(&said), read, "{text}");
        }
    }

    #[test]
    fn long_names_stay_apart_and_whole() {
        let (a, b) = (shorten("é".repeat(40) + "a"), shorten("é".repeat(40) + "b"));
        assert!(a != b && a.len() <= 63 && b.len() <= 63);
        assert_eq!(constraint_name("a", &["b", "c"], "idx"), "a_b_c_idx");
        assert_eq!(shorten("x".repeat(63)), "x".repeat(63));
    }
}
