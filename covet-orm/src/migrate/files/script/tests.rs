//! Marks where people write them, and where nobody would heed them.
#![allow(clippy::unwrap_used)]

use covet_drivers::contract::{Step, adapters};
use covet_drivers::render::Dialect;
use covet_drivers::sql::Quoting;

use super::Script;

fn dialects() -> impl Iterator<Item = &'static dyn Dialect> {
    adapters().into_iter().map(|adapter| adapter.dialect())
}

/// One whose texts and comments are such.
fn dialect(is_such: fn(Quoting) -> bool) -> &'static dyn Dialect {
    dialects().find(|dialect| is_such(dialect.quoting())).unwrap()
}

/// The steps, in short: what is marked, the step in Rust or the statement.
fn told(text: &str, on: &dyn Dialect) -> Vec<String> {
    let script = Script::parse(text, on).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let marks = |step: &Step| {
        let marks = [(step.guard, "guard "), (step.alone, "alone "), (step.begins, "begins ")];
        let batches = step.batches.as_ref().map(|batches| format!("{} ", batches.size)).unwrap_or_default();
        marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect::<String>() + &batches
    };
    let step = |step: &Step| match &step.rust {
        Some(name) => format!("rust {name}"),
        None => format!("{}{}", marks(step), step.sql),
    };
    script.steps.iter().map(step).collect()
}

#[test]
fn marks_are_heeded_behind_comments_of_any_kind() {
    for on in dialects() {
        assert_eq!(
            told("/* reviewed: DBA */\n-- covet:rust full_names\nALTER TABLE users DROP COLUMN first;\n", on),
            ["rust full_names", "/* reviewed: DBA */\nALTER TABLE users DROP COLUMN first"]
        );
        assert_eq!(
            told(
                "-- why\n/* a\n b */\n  -- covet:guard rows\n/*+ hint */ SELECT 1;\n/**/\n-- covet:alone\nVACUUM;",
                on
            ),
            ["guard /* a\n b */\n  /*+ hint */ SELECT 1", "alone /**/\nVACUUM"]
        );
        assert_eq!(
            told("/* c */ /* d */\n-- covet:batches 10 of t by id\nUPDATE t SET a = 1 WHERE b /* covet:range */", on),
            ["10 /* c */ /* d */\nUPDATE t SET a = 1 WHERE b /* covet:range */"]
        );
        // Behind the last statement, with and without a semicolon.
        for text in [
            "SELECT 1;\n-- covet:rust one\n/* end */\n-- covet:rust two\n/* really */",
            "SELECT 1\n-- covet:rust one\n/* end */\n-- covet:rust two",
        ] {
            assert_eq!(told(text, on), ["SELECT 1", "rust one", "rust two"]);
        }
        assert_eq!(told("-- covet:rust one\n;\nSELECT 1;", on), ["rust one", "SELECT 1"]);
    }
    assert_eq!(
        told("# reviewed\n-- covet:transaction\nSELECT 1;", dialect(|words| words.hash_comment)),
        ["begins # reviewed\nSELECT 1"]
    );
    // What a text or a quoted body says is no comment.
    let quoted = "DO $$\n-- covet:alone\n$$;\nSELECT '\n-- covet:irreversible no\n';";
    assert_eq!(told(quoted, dialect(|words| words.dollar)).len(), 2);
    assert_eq!(Script::parse(quoted, dialect(|words| words.dollar)).unwrap().irreversible, None);
    let why = Script::parse("/* a */\n-- covet:irreversible labels went\n", dialect(|words| words.brackets)).unwrap();
    assert_eq!((why.irreversible.as_deref(), why.steps.len()), (Some("labels went"), 0));
}

#[test]
fn lines_are_those_of_the_file() {
    let text = "-- heading\n\n/* a */\n-- covet:rust one\n-- covet:allow X why\nSELECT 1;\n\n-- b\nSELECT 2;\n-- covet:rust two";
    let script = Script::parse(text, dialect(|words| words.brackets)).unwrap();
    let lines: Vec<usize> = script.places.iter().map(|place| place.line).collect();
    assert_eq!(lines, [4, 3, 9, 10]);
    assert_eq!(script.places[1].allows.len(), 1);
}

#[test]
fn what_looks_like_a_mark_and_is_none_is_refused_with_its_line() {
    let trigger = "CREATE TRIGGER x AFTER INSERT ON t BEGIN\nDELETE FROM u;\n-- covet:alone\nEND;";
    for (text, said) in [
        ("SELECT 1;\n--covet:alone\nSELECT 2;", "line 2: nobody would heed the comment `--covet:alone`: a mark begins"),
        (
            "/* covet:guard rows */\nSELECT 1;",
            "line 1: nobody would heed the comment `/* covet:guard rows */`: a mark begins",
        ),
        (
            "/*\n * covet:rust f\n */\nSELECT 1;",
            "line 1: nobody would heed the comment `/* * covet:rust f */`: a mark begins",
        ),
        (
            "SELECT 1;\nSELECT 2; -- covet:alone\nSELECT 3;",
            "line 2: nobody would heed the comment `-- covet:alone`: a mark has",
        ),
        ("/* a */ -- covet:alone\nSELECT 1;", "line 1: nobody would heed the comment `-- covet:alone`: a mark has"),
        ("SELECT 1 -- covet:rust f", "line 1: nobody would heed the comment `-- covet:rust f`: a mark has"),
        ("SELECT 1\n-- covet:alone\n;", "line 2: nobody would heed the comment `-- covet:alone`: it stands inside"),
        (trigger, "line 3: nobody would heed the comment `-- covet:alone`: it stands inside"),
        (
            "UPDATE t SET a = 1 WHERE b /* covet:range */;",
            "line 1: nobody would heed the comment `/* covet:range */`: it is for",
        ),
        ("SELECT 1;\n\n-- covet:guard rows\n", "line 3: no statement follows `-- covet:guard`"),
        ("-- covet:alone\n;\nSELECT 1;", "line 1: no statement follows `-- covet:alone`"),
        ("SELECT 1;\n-- covet:allow X why", "line 2: no statement follows `-- covet:allow`"),
        ("-- covet:gard rows\nSELECT 1;", "line 1: `-- covet:gard` is not known"),
        ("\n-- covet:rust\nSELECT 1;", "line 2: `-- covet:rust ` names no function"),
    ] {
        for on in dialects() {
            if on.quoting().spaced_dashes && text.contains("--covet") {
                // There it is no comment, and the server refuses it.
                continue;
            }
            let error = Script::parse(text, on).expect_err(text);
            assert!(error.to_string().contains(said) && error.help().is_some(), "{text}: {error}");
        }
    }
    let error = Script::parse("SELECT 1;\n#covet:alone\nSELECT 2;", dialect(|words| words.hash_comment)).unwrap_err();
    assert!(error.to_string().contains("line 2: nobody would heed the comment `#covet:alone`"), "{error}");
}

#[test]
fn what_the_history_kept_is_read_as_it_was_applied() {
    let text = "/* covet: reviewed */ SELECT 1;\nSELECT 2; -- covet:allow X why\n-- covet:rust one\n-- covet:alone";
    for on in dialects() {
        let script = Script::parse_kept(text, on).unwrap();
        let told: Vec<&str> = script.steps.iter().map(|step| step.sql.as_str()).collect();
        assert_eq!(told, ["/* covet: reviewed */ SELECT 1", "SELECT 2", "-- covet:rust one"]);
        assert!(Script::parse(text, on).is_err());
    }
}
