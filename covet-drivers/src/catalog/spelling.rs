//! Texts in one spelling, so that two of them can be compared.
//!
//! A change that is not seen is never made, and a change that is none costs a statement. So whatever databases do not
//! agree about is compared as it stands, with all that is behind it: where a comment, a dollar-quoted text or a text
//! with backslashes ends hangs on the database, and which quotes open something hangs on where those end.

use std::borrow::Cow;

use crate::catalog::words::{Piece, PieceKind, is_type, is_word, pieces};

/// Words that mean something else without their quotes: values, functions that are called without parentheses, and
/// what expressions are built of.
const SPOKEN: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "at",
    "between",
    "binary",
    "case",
    "cast",
    "collate",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "distinct",
    "div",
    "else",
    "end",
    "escape",
    "exists",
    "false",
    "from",
    "glob",
    "ilike",
    "in",
    "interval",
    "is",
    "isnull",
    "like",
    "localtime",
    "localtimestamp",
    "match",
    "mod",
    "not",
    "notnull",
    "null",
    "or",
    "overlaps",
    "regexp",
    "rlike",
    "row",
    "select",
    "similar",
    "some",
    "then",
    "true",
    "unknown",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "values",
    "when",
    "xor",
];

/// Further ones of PostgreSQL, which does not take a backtick for a quote.
const SPOKEN_BEHIND_STANDARD_QUOTES: &[&str] = &["session_user", "system_user", "user"];

/// What operators are made of.
const OPERATORS: &str = "+-*/<>=~!@%^&|?";

/// Operators of PostgreSQL that have one of these may end in a sign.
const BEFORE_A_SIGN: &str = "~!@%^&|?";

/// The parts of an expression, without parentheses around the whole: the case of words and quotes that are not needed
/// make no difference, because a server that keeps an expression as a tree writes it anew.
pub(super) fn of_expression(text: &str) -> Vec<Cow<'_, str>> {
    let mut parts = parts(text, |all, at| {
        let Some(piece) = all.get(at) else { return Cow::Borrowed("") };
        let found = piece.text(text);
        match piece.kind {
            PieceKind::Word => found.to_ascii_lowercase().into(),
            PieceKind::Quoted if !needs_quotes(text, all, at, piece) => piece.inside(text),
            PieceKind::Quoted | PieceKind::Text | PieceKind::Symbol => found.into(),
        }
    });
    while encloses(&parts) {
        parts.remove(0);
        parts.pop();
    }
    parts
}

/// The parts of what stands behind `CREATE … name`: blanks between them make no difference, and neither do the ends of
/// lines, which are others where a text is included from a file that was checked out elsewhere.
pub(super) fn of_object(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let parts = parts(text, |all, at| all.get(at).map(|piece| piece.text(text)).unwrap_or_default().into());
    parts.into_iter().map(Cow::into_owned).collect()
}

/// The pieces, as they are spelled; an empty one stands between two that are one to a database. From the first of which
/// databases think differently on, the rest is one part.
fn parts<'t>(text: &'t str, spelled: impl Fn(&[Piece], usize) -> Cow<'t, str>) -> Vec<Cow<'t, str>> {
    let all = pieces(text);
    let mut parts = Vec::with_capacity(all.len());
    let mut end = 0;
    for (at, piece) in all.iter().enumerate() {
        let blanks = text.get(end..piece.at.start).unwrap_or_default();
        // Not every database takes every blank of Unicode for one.
        if !blanks.is_ascii() || is_unsure(text, piece) {
            let from = if blanks.is_ascii() { piece.at.start } else { end };
            parts.push(text.get(from..).unwrap_or_default().into());
            return parts;
        }
        if blanks.is_empty() && belongs_together(text, &all, at) {
            parts.push("".into());
        }
        parts.push(spelled(&all, at));
        end = piece.at.end;
    }
    parts
}

/// Whether databases do not agree on what begins here.
fn is_unsure(text: &str, piece: &Piece) -> bool {
    let found = piece.text(text);
    match piece.kind {
        PieceKind::Text | PieceKind::Quoted => found.contains('\\'),
        // `$q$…$q$`, and `U&"…"`, which is `u & "…"` to others.
        PieceKind::Word => {
            let behind = text.get(piece.at.end..).unwrap_or_default();
            found.contains('$')
                || found.eq_ignore_ascii_case("u") && ["&'", "&\""].iter().any(|b| behind.starts_with(b))
        }
        PieceKind::Symbol => {
            let rest = text.get(piece.at.start..).unwrap_or_default();
            ["--", "/*", "#", "\\"].iter().any(|mark| rest.starts_with(mark)) || is_name_in_brackets(rest)
        }
    }
}

/// Whether it may be a name as SQLite quotes some, of more than a word: `[it's a name]`.
fn is_name_in_brackets(rest: &str) -> bool {
    let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(inside, _)| inside);
    inside.starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) && !inside.chars().all(is_word)
}

/// Whether the piece is one with that before it, right beside which it stands: `E'x'`, `<@`.
fn belongs_together(text: &str, all: &[Piece], at: usize) -> bool {
    let (Some(before), Some(piece)) = (at.checked_sub(1).and_then(|before| all.get(before)), all.get(at)) else {
        return false;
    };
    let found = before.text(text);
    if before.kind == PieceKind::Word {
        return piece.kind == PieceKind::Text && (found.chars().count() == 1 || found.starts_with('_'));
    }
    let operator = |piece: &Piece| {
        piece.text(text).chars().next().filter(|c| piece.kind == PieceKind::Symbol && OPERATORS.contains(*c))
    };
    let (Some(_), Some(own)) = (operator(before), operator(piece)) else { return false };
    // A sign is the operand's but behind certain operators: `a >=-1`, `a @-@ b`.
    let run = text.get(..piece.at.start).unwrap_or_default();
    let mut run = run.chars().rev().take_while(|c| OPERATORS.contains(*c));
    !matches!(own, '+' | '-') || run.any(|c| BEFORE_A_SIGN.contains(c))
}

/// Whether a name means something else, or may do so, without its quotes.
fn needs_quotes(text: &str, all: &[Piece], at: usize, piece: &Piece) -> bool {
    let name = piece.inside(text);
    let is_plain = |c: char| c == '_' || c.is_alphanumeric() && !c.is_uppercase();
    let is_word = name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_numeric()) && !name.is_empty();
    let is_spoken =
        SPOKEN.contains(&&*name) || piece.mark(text) == Some('"') && SPOKEN_BEHIND_STANDARD_QUOTES.contains(&&*name);
    // `coalesce(a)` is no call of a function, and `char` is another type than `"char"`.
    let is_called = all.get(at + 1).is_some_and(|next| next.is(text, "("));
    !is_word || is_spoken || is_called || is_type(text, all, at)
}

/// Whether the first parenthesis is closed by the last.
fn encloses(parts: &[Cow<'_, str>]) -> bool {
    let mut depth = 0_usize;
    for (index, part) in parts.iter().enumerate() {
        match &**part {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index > 0 && index + 1 == parts.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{of_expression, of_object};

    fn same(a: &str, b: &str) -> bool {
        of_expression(a) == of_expression(b)
    }

    fn same_object(a: &str, b: &str) -> bool {
        of_object(a) == of_object(b)
    }

    #[test]
    fn what_only_looks_different_is_the_same() {
        for (a, b) in [
            ("a > 0", " A>0 "),
            ("((a) > 0)", "(a) > 0"),
            ("(a > 0) AND (b > 0)", "((a > 0) and (b > 0))"),
            ("\"a\" = `b`", "a = b"),
            ("x IN ('it''s', 'B')", "x in ('it''s','B')"),
            ("a >= -1", "a>=-1"),
            ("a::text[]", "a :: TEXT [ ]"),
            ("`user` <> 'x'", "user <> 'x'"),
            ("\"größe\" > 0", "größe > 0"),
            ("a = 'costs $5 -- or /* more'", "(A='costs $5 -- or /* more')"),
            ("a ~ '\\d'", "A  ~ '\\d'"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a = 'x'", "a = 'X'"),
            ("a > 0 AND b > 0", "a > 0 or b > 0"),
            ("(a) + (b)", "a) + (b"),
            ("\"A\" > 0", "a > 0"),
            ("a = 'x y'", "a = 'x  y'"),
            ("a > 0 /* it's */ OR b = 'X'", "a > 0 /* it's */ OR b = 'x'"),
            ("a > 0 -- it's\n OR b = 'X'", "a > 0 -- it's\n OR b = 'x'"),
            ("a > 0 # it's\n OR b = 'X'", "a > 0 # it's\n OR b = 'x'"),
            ("a -- b\n > 0", "a -- b > 0\n"),
            ("5--3 = a", "5 - -3 = a"),
            ("a = $q$X$q$", "a = $q$x$q$"),
            ("a = $$it's$$ OR a = 'X'", "a = $$it's$$ OR a = 'x'"),
            ("a = 'it\\'s' OR a = 'X'", "a = 'it\\'s' OR a = 'x'"),
            ("a = E'\\''  AND b = 'X'", "a = E'\\'' AND b = 'x'"),
            ("a = E'\\n'", "a = '\\n'"),
            ("a = E'x'", "a = E 'x'"),
            ("user <> 'x'", "\"user\" <> 'x'"),
            ("current_date > a", "\"current_date\" > a"),
            ("current_date > a", "`current_date` > a"),
            ("true", "\"true\""),
            ("array[1] > b", "\"array\"[1] > b"),
            ("coalesce(a)", "\"coalesce\"(a)"),
            ("a::\"char\" = 'x'", "a::char = 'x'"),
            ("a = \"B\"", "a = `B`"),
            ("U&\"a\" > 0", "u & \"a\" > 0"),
            ("[it's] = 'A'", "[it's] = 'a'"),
            ("[a  b] > 0", "[a b] > 0"),
            ("a <@ b", "a < @ b"),
            ("@-@ a", "@ - @ a"),
            ("a\u{a0}> 0", "a > 0"),
            ("Ä > 0", "ä > 0"),
        ] {
            assert!(!same(a, b), "{a} {b}");
            assert!(!same_object(a, b), "{a} {b}");
        }
        // Something stands behind an expression, and the comment would go on over it.
        assert!(!same("a > 0 -- b", "a > 0 -- b\n"));
    }

    #[test]
    fn objects_are_their_texts_but_for_blanks() {
        for (a, b) in [
            ("SELECT a, b FROM t", "  SELECT a,b\n  FROM t\n"),
            ("() RETURNS int AS $$ SELECT 1 $$", "()\nRETURNS int AS $$ SELECT 1 $$"),
            ("SELECT a -- all\r\nFROM t", "SELECT a -- all\nFROM t\n"),
        ] {
            assert!(same_object(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("SELECT a FROM t", "SELECT A FROM t"),
            ("SELECT a FROM t", "select a FROM t"),
            ("SELECT a FROM t", "SELECT \"a\" FROM t"),
            ("SELECT a FROM t", "(SELECT a FROM t)"),
            ("SELECT a -- b\n, c FROM t", "SELECT a -- b , c\n FROM t"),
            ("() AS $$ SELECT 'a b' $$", "() AS $$ SELECT 'a  b' $$"),
            ("() AS 'SELECT 1'", "() AS 'SELECT  1'"),
        ] {
            assert!(!same_object(a, b), "{a} {b}");
        }
    }

    /// Whatever stands around a text, another text in its place is seen: each of these opens a quote for someone who
    /// does not know what it is.
    #[test]
    fn another_text_is_seen_between_all_that_looks_like_quotes() {
        let around = [
            "",
            "a",
            "-- it's\n",
            "/* it's */",
            "/* /* ' */ */",
            "# it's\n",
            "$$ ' $$",
            "$q$'$q$",
            "E'\\''",
            "'\\'",
            "\"'\"",
            "`'`",
            "[it's]",
            "''''",
            "\"\"\"\"",
            "'\"'",
            "\\",
            "U&'\\0041'",
            "$1",
            "ARRAY['a', 'b']",
        ];
        for first in around {
            for second in around {
                for third in around {
                    let text = |text: &str| format!("{first} {second} '{text}' {third}");
                    for (a, b) in [("X", "x"), ("a b", "a  b"), ("a -- b", "a -- B"), ("(", "((")] {
                        assert!(!same(&text(a), &text(b)), "{} {}", text(a), text(b));
                        assert!(!same_object(&text(a), &text(b)), "{} {}", text(a), text(b));
                    }
                }
            }
        }
    }
}
