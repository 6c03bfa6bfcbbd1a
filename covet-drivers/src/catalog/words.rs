//! The pieces of a text in SQL: which of them name a column, and whether one of them names something at all.

use std::borrow::Cow;
use std::collections::HashSet;
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
    /// The piece as it stands there.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.at.clone()).unwrap_or_default()
    }

    /// What stands between the quotes of a piece that has some.
    pub(super) fn inside<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.text(text);
        let inside = found.get(1..found.len().saturating_sub(1)).unwrap_or_default();
        let mark = found.get(..1).unwrap_or_default();
        if inside.contains(mark) { inside.replace(&mark.repeat(2), mark).into() } else { inside.into() }
    }

    /// The quotes around it.
    pub(super) fn mark(&self, text: &str) -> Option<char> {
        self.text(text).chars().next().filter(|_| self.kind == PieceKind::Quoted)
    }

    pub(super) fn is(&self, text: &str, word: &str) -> bool {
        self.kind != PieceKind::Quoted && self.text(text).eq_ignore_ascii_case(word)
    }

    fn is_any(&self, text: &str, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(text, word))
    }

    fn is_name(&self, text: &str, name: &str) -> bool {
        match self.kind {
            PieceKind::Word => self.text(text).eq_ignore_ascii_case(name),
            PieceKind::Quoted => self.inside(text) == name,
            PieceKind::Text | PieceKind::Symbol => false,
        }
    }
}

/// The pieces of a text. Databases do not agree on where a text or a comment ends: this is what most of them say, and
/// [`spelling`](super::spelling) takes nothing for the same that hangs on it.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    cut(text, false)
}

/// As [`pieces`]; `escapes` says whether a backslash takes its meaning from a quote that follows it.
fn cut(text: &str, escapes: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut comment = Comment::default();
    while let Some((start, first)) = chars.next() {
        let in_comment = comment.goes_on(text.get(start..).unwrap_or_default(), start);
        let kind = match first {
            c if c.is_whitespace() => continue,
            // An apostrophe in a comment opens nothing.
            '\'' | '"' | '`' if in_comment => PieceKind::Symbol,
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
                    if escapes && c == '\\' {
                        end = chars.next().map_or(end, |(at, c)| at + c.len_utf8());
                    // A quote that is doubled stands for itself.
                    } else if c == first && chars.next_if(|(_, next)| *next == first).is_none() {
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

/// The comment at hand: what ends it, and from where on that can stand.
#[derive(Default)]
struct Comment(Option<(&'static str, usize)>);

impl Comment {
    /// Whether what stands here is in a comment.
    fn goes_on(&mut self, rest: &str, at: usize) -> bool {
        self.0 = match self.0 {
            Some((end, from)) if at >= from && rest.starts_with(end) => None,
            None if rest.starts_with("--") => Some(("\n", at)),
            // `#` is an operator on PostgreSQL, where hardly anything stands behind it but another sign.
            None if rest.starts_with("# ") => Some(("\n", at)),
            None if rest.starts_with("/*") => Some(("*/", at + 2)),
            stays => stays,
        };
        self.0.is_some()
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// What a text may name, be it tables or objects, as far as that can be told: any word counts, also one that is called
/// or that bears a name by chance.
#[derive(Default)]
pub(super) struct Named<'t> {
    /// In lower case.
    words: HashSet<String>,
    texts: Vec<Cow<'t, str>>,
}

impl<'t> Named<'t> {
    /// Takes what this text names.
    pub(super) fn add(&mut self, text: impl Into<Cow<'t, str>>) {
        let text = text.into();
        self.read(&text, false);
        // Where a backslash is at hand, both ways of reading it count.
        if text.contains('\\') {
            self.read(&text, true);
        }
        self.texts.push(text);
    }

    fn read(&mut self, text: &str, escapes: bool) {
        let all = cut(text, escapes);
        for (at, piece) in all.iter().enumerate() {
            match piece.kind {
                PieceKind::Word => {
                    let word = piece.text(text).to_lowercase();
                    // What begins or ends a body may stand right beside a name: `$$INSERT INTO log$$`.
                    self.words.extend(word.split('$').map(str::to_owned));
                    self.words.insert(word);
                }
                PieceKind::Quoted => {
                    self.words.insert(piece.inside(text).to_lowercase());
                }
                // A function's body may be a text: `AS 'SELECT 1'`.
                PieceKind::Text => {
                    let before = at.checked_sub(1).and_then(|at| all.get(at));
                    if before.is_some_and(|before| before.is(text, "as")) {
                        self.add(piece.inside(text).into_owned());
                    }
                }
                PieceKind::Symbol => {}
            }
        }
    }

    /// Whether this name is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        // SQLite has one more kind of quotes.
        self.words.contains(&name.to_lowercase()) || self.texts.iter().any(|text| text.contains(&format!("[{name}]")))
    }
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
    if is_type(text, all, at) {
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

/// Whether it stands where the name of a type or of a collation does, which may say a schema: `a::text`,
/// `CAST(a AS billing.status)`, `a COLLATE "C"`.
pub(super) fn is_type(text: &str, all: &[Piece], at: usize) -> bool {
    let before = |at: usize, steps: usize| at.checked_sub(steps).and_then(|at| all.get(at));
    let is_name = |piece: &Piece| matches!(piece.kind, PieceKind::Word | PieceKind::Quoted);
    let mut first = at;
    while before(first, 1).is_some_and(|piece| piece.is(text, ".")) && before(first, 2).is_some_and(is_name) {
        first -= 2;
    }
    let is_colon = |steps| before(first, steps).is_some_and(|piece| piece.is(text, ":"));
    before(first, 1).is_some_and(|piece| piece.is_any(text, &["as", "collate"])) || is_colon(1) && is_colon(2)
}

#[cfg(test)]
mod tests {
    use super::{Named, columns};

    #[test]
    fn what_only_bears_the_name_of_a_column_is_none() {
        for (name, text) in [
            ("length", "length(a) > 0"),
            ("lower", "\"lower\" (a)"),
            ("text", "a::text = 'x'"),
            ("text", "CAST(a AS text) = 'x'"),
            ("status", "'new'::billing.status <> a"),
            ("status", "'new'::\"billing\" . \"status\"[] <> a"),
            ("status", "CAST('new' AS billing.status) = a"),
            ("status", "'new'::shop.billing.status <> a"),
            ("billing", "'new'::billing.status <> a"),
            ("C", "a COLLATE pg_catalog.\"C\" > b"),
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
            ("status", "t.status = 'new'::billing.status", 1),
            ("status", "a::billing.kind <> status AND CAST(status AS billing.status) = t.status", 3),
            ("a", "b > 0 /* it's */ AND a > 0", 1),
            ("a", "b > 0 -- it's\n AND a > 0", 1),
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

    #[test]
    fn what_is_called_or_written_to_is_named() {
        let names = |text: &'static str, name: &str| {
            let mut named = Named::default();
            named.add(text);
            named.has(name)
        };
        for (name, text) in [
            ("touch", "BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()"),
            ("touch", "EXECUTE FUNCTION billing.TOUCH ( 1 )"),
            ("log", "() RETURNS void LANGUAGE sql AS $$ INSERT INTO log (what) VALUES ('x') $$"),
            ("log", "() RETURNS void LANGUAGE sql AS $x$DELETE FROM log$x$"),
            ("log", "() RETURNS void LANGUAGE sql AS 'INSERT INTO \"log\" (what) VALUES (''x'')'"),
            ("log", "AFTER INSERT ON t BEGIN -- it's\n INSERT INTO log (what) VALUES ('x'); END"),
            ("log", "FOR EACH ROW BEGIN # it's\n INSERT INTO log (what) VALUES ('x'); END"),
            ("log", "FOR EACH ROW BEGIN SET @a = 'it\\'s'; INSERT INTO `log` (what) VALUES ('x'); END"),
            ("my log", "SELECT a FROM [my log]"),
            ("a$b", "SELECT 1 FROM a$b"),
        ] {
            assert!(names(text, name), "{name} in {text}");
        }
        for (name, text) in [("log", "SELECT 'log', logs, login() FROM t"), ("log", "SELECT \"log (x)\" FROM t")] {
            assert!(!names(text, name), "{name} in {text}");
        }
    }
}
