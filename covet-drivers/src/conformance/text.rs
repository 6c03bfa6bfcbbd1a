//! Text goes by code point: two texts are equal when they are the same, and sort as their characters do.

use crate::catalog::{Column, ColumnType};
use crate::conformance::fixture::{SHORT, index, insert, int, is, schema, select, table, text};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::error::ErrorKind;
use crate::sql::{BinaryOp, Node, Ref};

/// Texts that some order or some collation takes for each other, in the order of their code points.
const SORTED: &[&str] = &[
    "", " ", "!", "%", "1", "10", "9", "A", "B", "STRASSE", "Z", "\\", "_", "a", "a ", "aa", "b", "e\u{301}", "ss",
    "z", "À", "ß", "á", "é", "İ", "ı", "Σ", "ς", "σ", "日", "日本", "ﬁ", "😀",
];

async fn filled(bed: &Bed, unique: bool) -> Result<Session, Failure> {
    let mut session = bed.connect().await?;
    let mut t = table("t", [Column::new("c", SHORT)]);
    if unique {
        t.indexes.push(index("t_c_key", &["c"], true));
    }
    session.make(&schema([t])).await?;
    let rows = SORTED.iter().rev().zip(1..).map(|(value, id)| vec![int(id), text(value)]);
    session.exec(insert("t", &["id", "c"], rows)).await?;
    Ok(session)
}

/// `=`, `<` and `ORDER BY`.
pub async fn compares_and_sorts_by_code_point(bed: &Bed) -> Outcome {
    let mut session = filled(bed, false).await?;
    let found = session.texts(select("t", "c", None)).await?;
    check!(found == SORTED, "sorted as {found:?}");
    for (place, value) in SORTED.iter().enumerate() {
        let found = session.texts(select("t", "c", Some(is("c", text(value))))).await?;
        check!(found == [*value], "{value:?} is equal to {found:?}");
        let below = Node::binary(BinaryOp::Lt, Node::column("c"), text(value));
        let found = session.texts(select("t", "c", Some(below))).await?.len();
        check!(found == place, "{found} texts are below {value:?}, and not {place}");
        let among = Node::In(Ref::new(Node::column("c")), [text(value)].into_iter().collect());
        let found = session.texts(select("t", "c", Some(among.negated()))).await?.len();
        check!(found == SORTED.len() - 1, "{value:?} is among {found}");
    }
    Ok(())
}

/// A unique index lets in whatever differs, and nothing that is the same.
pub async fn is_unique_by_code_point(bed: &Bed) -> Outcome {
    let mut session = filled(bed, true).await?;
    for (value, id) in SORTED.iter().zip(1000..) {
        let again = session.exec(insert("t", &["id", "c"], [vec![int(id), text(value)]])).await;
        let kind = again.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Unique), "{value:?} a second time gave {kind:?}");
    }
    Ok(())
}

/// A column without case is equal and unique without it, and keeps the text as it was given.
pub async fn without_case_where_it_is_asked_for(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let mut t = table("t", [Column { case_insensitive: true, ..Column::new("c", SHORT) }]);
    t.indexes.push(index("t_c_key", &["c"], true));
    let schema = schema([t]);
    match session.try_make(&schema).await? {
        Applied::Done => {}
        Applied::Unsupported => return Ok(()),
        Applied::Refused(why) => return Err(Failure::new(why)),
    }
    let made = session.schema().await?;
    check!(made == schema, "read as {made:#?}");
    for (id, value) in [(1, "Ann@x"), (2, "ÄRGER"), (3, "a"), (4, "a "), (5, "á")] {
        session.exec(insert("t", &["id", "c"], [vec![int(id), text(value)]])).await?;
    }
    for (value, equal) in [("aNN@X", "Ann@x"), ("ärger", "ÄRGER"), ("A", "a"), ("A ", "a "), ("Á", "á")] {
        let found = session.texts(select("t", "c", Some(is("c", text(value))))).await?;
        check!(found == [equal], "{value:?} is equal to {found:?}");
        let again = session.exec(insert("t", &["id", "c"], [vec![int(9), text(value)]])).await;
        let kind = again.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Unique), "{value:?} beside {equal:?} gave {kind:?}");
    }
    Ok(())
}

/// `%` is any text, `_` one code point, `!` escapes, and nothing else means anything.
pub async fn like_matches_code_points(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    session.make(&schema([table("t", [Column::new("c", ColumnType::Text { max_len: None })])])).await?;
    let all = ["a_b", "a%b", "a!b", "axb", "AXB", "a\\b", "Ärger", "😀", "[a]", "*", "ab\nc"];
    let rows = all.iter().zip(1..).map(|(value, id)| vec![int(id), text(value)]);
    session.exec(insert("t", &["id", "c"], rows)).await?;
    for (pattern, fold, want) in [
        ("a!_b", false, &["a_b"][..]),
        ("a!%b", false, &["a%b"]),
        ("a!!b", false, &["a!b"]),
        ("a\\b", false, &["a\\b"]),
        ("a_b", false, &["a!b", "a%b", "a\\b", "a_b", "axb"]),
        ("axb", false, &["axb"]),
        ("axb", true, &["AXB", "axb"]),
        ("ÄRG%", true, &["Ärger"]),
        ("ärg%", false, &[]),
        ("_", false, &["*", "😀"]),
        ("[a]", false, &["[a]"]),
        ("*", false, &["*"]),
        ("%c", false, &["ab\nc"]),
        ("", false, &[]),
        ("a", false, &[]),
    ] {
        let like = Node::Like { operands: Ref::new([Node::column("c"), text(pattern)]), fold };
        let found = match session.texts(select("t", "c", Some(like))).await {
            Err(error) if fold && error.kind() == ErrorKind::Unsupported => continue,
            found => found?,
        };
        check!(found == want, "{pattern:?} (fold: {fold}) matches {found:?}");
    }
    Ok(())
}

/// A text begins with another by code point.
pub async fn begins_with_a_text(bed: &Bed) -> Outcome {
    let mut session = filled(bed, true).await?;
    // The beginning, and the first text behind all that begin so.
    for (begin, behind) in [("a", "b"), ("A", "B"), ("ST", "SU"), ("日", "旦"), ("é", "ê"), ("1", "2")] {
        let want: Vec<&str> = SORTED.iter().copied().filter(|value| value.starts_with(begin)).collect();
        let prefix = Node::Prefix {
            text: Ref::new(Node::column("c")),
            pattern: Ref::new(text(&format!("{begin}%"))),
            range: Ref::new([text(begin), text(behind)]),
        };
        let found = session.texts(select("t", "c", Some(prefix))).await?;
        check!(found == want, "{found:?} begin with {begin:?}");
    }
    Ok(())
}
