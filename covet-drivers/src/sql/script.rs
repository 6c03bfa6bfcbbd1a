//! A script cut into its statements, for migrations: strings, comments and bodies stay whole.

use crate::error::Result;
use crate::sql::body::Body;
use crate::sql::lexer::{Kind, Lexer, Piece, Quoting};

/// A comment, with the signs that make it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// Its text.
    pub text: &'a str,
    /// Where it begins in the script, in bytes.
    pub at: usize,
}

/// A statement of a script with the comments around it, or comments without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section<'a> {
    /// The statement with all comments before and in it, without the closing semicolon; empty without a statement.
    pub text: &'a str,
    /// Where that begins in the script, in bytes.
    pub at: usize,
    /// Where the statement itself begins, behind the comments before it.
    pub begins: usize,
    /// The comments before it.
    pub before: Vec<Comment<'a>>,
    /// The comments in it. What stands in a quoted body is no comment.
    pub inside: Vec<Comment<'a>>,
}

/// The statements of a script, without the closing semicolons, in order. A statement keeps the
/// comments before it; a piece that holds only blanks and comments is no statement.
///
/// # Errors
/// `Syntax` when a string, comment or quoted name is not closed, with the line on which it begins.
pub fn split(script: &str, quoting: Quoting) -> Result<Vec<&str>> {
    let mut lexer = Lexer::new(script, quoting);
    let mut statements = Vec::new();
    while let Some(Cut { section, .. }) = cut(&mut lexer, script)? {
        statements.extend(Some(section.text).filter(|text| !text.is_empty()));
    }
    Ok(statements)
}

/// The statements of a script as [`split`] gives them, with their comments; and the comments that belong to none: before
/// a semicolon with nothing else before it, and behind the last statement.
///
/// # Errors
/// As [`split`].
pub fn sections(script: &str, quoting: Quoting) -> Result<Vec<Section<'_>>> {
    let mut lexer = Lexer::new(script, quoting);
    let mut found = Vec::new();
    while let Some(Cut { mut section, ends }) = cut(&mut lexer, script)? {
        let mut last = Section::default();
        // Without a semicolon nothing says where the statement ends: at the first line behind it that is a comment.
        let is_behind =
            |comment: &Comment<'_>| ends.is_some_and(|ends| comment.at >= ends) && !comment.text.starts_with("/*");
        if let Some(place) = section.inside.iter().position(is_behind) {
            last.before = section.inside.split_off(place);
            let at = last.before.first().map_or(script.len(), |comment| comment.at);
            section.text = script[section.at..at].trim_end();
        }
        found.push(section);
        found.push(last);
    }
    found.retain(|section| !section.text.is_empty() || !section.before.is_empty());
    Ok(found)
}

/// A piece of a script.
struct Cut<'a> {
    section: Section<'a>,
    /// Where the statement ends without a semicolon.
    ends: Option<usize>,
}

/// The piece up to the next semicolon that ends one, or to the end.
fn cut<'a>(lexer: &mut Lexer<'a>, script: &'a str) -> Result<Option<Cut<'a>>> {
    let start = lexer.at();
    let mut section = Section::default();
    let mut body = Body::new(lexer.quoting());
    let mut has_content = false;
    let (mut end, mut ends) = (script.len(), None);
    while let Some(Piece { kind, text, .. }) = lexer.next()? {
        let at = lexer.at() - text.len();
        match kind {
            Kind::Sign if text == ";" && body.ends() => {
                (end, ends) = (at, None);
                break;
            }
            Kind::Blank => continue,
            Kind::Comment if has_content => section.inside.push(Comment { text, at }),
            Kind::Comment => section.before.push(Comment { text, at }),
            Kind::Word | Kind::Sign | Kind::Name | Kind::Text | Kind::Code => {
                if !has_content {
                    section.begins = at;
                }
                ends = Some(lexer.at());
                has_content = true;
                match kind {
                    Kind::Word => body.word(text),
                    Kind::Sign => body.sign(text),
                    Kind::Name | Kind::Text => body.quoted(),
                    // What is code to some servers is whole, whatever it says.
                    Kind::Code | Kind::Blank | Kind::Comment => {}
                }
            }
        }
    }
    if start == script.len() {
        return Ok(None);
    }
    if has_content {
        let whole = &script[start..end];
        section.text = whole.trim();
        section.at = start + (whole.len() - whole.trim_start().len());
    }
    Ok(Some(Cut { section, ends }))
}

/// A statement without the values that stand in its text, for a log: each becomes a `?`. Where the text is cut off in
/// the middle of one, it ends there.
#[must_use]
pub fn without_values(sql: &str, quoting: Quoting) -> String {
    let mut lexer = Lexer::new(sql, quoting);
    let mut shown = String::with_capacity(sql.len());
    loop {
        let is_numbered = quoting.dollar && sql[..lexer.at()].ends_with('$');
        match lexer.next() {
            Ok(None) => return shown,
            Err(_) => {
                shown.push('…');
                return shown;
            }
            Ok(Some(Piece { kind, text, .. })) => match kind {
                Kind::Text | Kind::Code => shown.push('?'),
                Kind::Word if text.starts_with(|c: char| c.is_ascii_digit()) && !is_numbered => shown.push('?'),
                Kind::Blank | Kind::Comment => shown.push(' '),
                Kind::Word | Kind::Name | Kind::Sign => shown.push_str(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Quoting, sections, split, without_values};

    const PG: Quoting = Quoting::POSTGRES;
    const MY: Quoting = Quoting::MYSQL;

    fn parts(script: &str, quoting: Quoting) -> Vec<&str> {
        split(script, quoting).unwrap_or_default()
    }

    #[test]
    fn semicolons_inside_quotes_comments_and_bodies_end_nothing() {
        assert_eq!(parts("a ';' b; c \"x;y\";;\n-- ; no\n", PG), ["a ';' b", "c \"x;y\""]);
        assert_eq!(parts("do $x$ a; $$ b; $x$; z", PG), ["do $x$ a; $$ b; $x$", "z"]);
        assert_eq!(parts("a /* ; /* ; */ ; */; b", PG), ["a /* ; /* ; */ ; */", "b"]);
        assert_eq!(parts("a '\\';'; b `;` # ;\n; c", MY), ["a '\\';'", "b `;` # ;", "c"]);
        assert_eq!(parts("-- why\ncreate table t (x); ", MY), ["-- why\ncreate table t (x)"]);
        let trigger =
            "create trigger t after insert on a begin update b set c = case when 1 then 2 end; delete from d; end";
        assert_eq!(parts(&format!("{trigger}; select 1"), MY), [trigger, "select 1"]);
        let routine = "create procedure p() begin if a then set x = 0; end if; set y = 1; \
                       case a when 1 then set x = 1; end case; while a do set z = 1; end while; begin set y = 1; end; if a then set x = 0; end if; end";
        assert_eq!(parts(&format!("{routine}; select 1"), MY), [routine, "select 1"]);
        assert_eq!(parts("begin; select 1; end;", PG), ["begin", "select 1", "end"]);
        assert_eq!(parts("/*!80000 set x = 1 */; b", MY), ["/*!80000 set x = 1 */", "b"]);
        assert_eq!(parts("a 5--3; b", MY), ["a 5--3", "b"]);
        assert_eq!(parts(r"a E'\';'; b", PG), [r"a E'\';'", "b"]);
        assert_eq!(parts("a [b;c]; d", Quoting::SQLITE), ["a [b;c]", "d"]);
    }

    #[test]
    fn comments_stand_before_a_statement_or_in_it_or_behind_all() {
        let script = "-- a\n/* b */ create /* c */ table t (x); -- d\n; do $$ -- no\n$$ # e\n; select 1 -- f\n/* g */";
        let told = |quoting| {
            let found = sections(script, quoting).unwrap_or_default();
            let texts = |comments: &[super::Comment<'_>]| {
                comments.iter().map(|comment| comment.text).collect::<Vec<_>>().join(" ")
            };
            found
                .iter()
                .map(|section| {
                    let begins = section.text.get(section.begins - section.at.min(section.begins)..);
                    let shown = begins.unwrap_or_default().replace('\n', " ");
                    format!("{} | {shown} | {}", texts(&section.before), texts(&section.inside))
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told(Quoting { dollar: true, ..MY }),
            [
                "-- a /* b */ | create /* c */ table t (x) | /* c */",
                "-- d |  | ",
                " | do $$ -- no $$ # e | # e",
                " | select 1 | ",
                "-- f /* g */ |  | ",
            ]
        );
        let body = "create trigger t after insert on a begin -- one\n delete from b; /* two */ end; -- three";
        let found = sections(body, Quoting::SQLITE).unwrap_or_default();
        let counts: Vec<_> = found.iter().map(|section| (section.before.len(), section.inside.len())).collect();
        assert_eq!(counts, [(0, 2), (1, 0)]);
    }

    #[test]
    fn no_value_stays_in_what_is_shown() {
        for (sql, shown) in [
            (
                "SELECT \"a1\" FROM t WHERE b = 'it''s' AND c = $1 AND d > -12.5",
                "SELECT \"a1\" FROM t WHERE b = ? AND c = $1 AND d > -?.?",
            ),
            ("SELECT E'x' , $q$ secret $q$ -- secret\n, t2.c3", "SELECT E? , ?   , t2.c3"),
            ("SELECT 'cut off", "SELECT …"),
        ] {
            assert_eq!(without_values(sql, PG), shown);
        }
        let sql = "UPDATE `t1` SET a = \"secret\", b = 0xFF /*! secret */ WHERE c = 'a\\'b' # secret";
        assert_eq!(without_values(sql, MY), "UPDATE `t1` SET a = ?, b = ? ? WHERE c = ?  ");
    }

    #[test]
    fn what_is_not_closed_is_named_with_its_line() {
        for script in ["a;\nb 'x", "a;\n/* x", "a;\n$$ x"] {
            let error = split(script, PG).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("line 2"), "{error}");
        }
    }
}
