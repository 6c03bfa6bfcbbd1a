//! `-- covet:allow ID reason`.

use covet_orm::lint::Severity;
use covet_orm::migrate::Standing;
use covet_tests::Kind;

use crate::lint::{Bench, ids};
use crate::notation::schema;
use crate::place::Place;

#[test]
fn what_is_allowed_is_told_and_does_not_count() {
    let bench = Bench::new();
    let text = "-- two of three\n\nSELECT 1;\n\n-- covet:allow DST01 nobody  reads it\n-- and a note\nDROP TABLE\n  logs;\nDROP TABLE pairs";
    bench.script("postgres", text);
    let found = bench.lint("postgres");
    let [logs, pairs] = &found[..] else { panic!("{found:?}") };
    assert_eq!((logs.rule, logs.line, logs.statement), ("DST01", 7, 2));
    assert_eq!((logs.table.as_deref(), logs.allowed.as_deref()), (Some("logs"), Some("nobody  reads it")));
    assert!(!logs.counts(Severity::Info) && pairs.counts(Severity::Error));
    assert_eq!((pairs.line, pairs.statement, pairs.allowed.as_deref()), (9, 3, None));
    assert!(pairs.file.ends_with("up.postgres.sql") && pairs.database == "postgres");
}

#[test]
fn an_allow_needs_a_rule_that_exists_and_a_reason() {
    let bench = Bench::new();
    for (line, says) in [
        ("-- covet:allow DST1 why not", "did you mean DST01?"),
        ("-- covet:allow PG01", "gives no reason"),
        ("-- covet:allow", "gives no reason"),
        ("-- covet:allows PG01 why", "`-- covet:allows` is not known"),
        // A rule of another database is none here.
        ("-- covet:allow SL05 why", "no rule"),
    ] {
        bench.script("postgres", &format!("{line}\nDROP TABLE logs"));
        let error = bench.try_lint("postgres").unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("up.postgres.sql"), "{error}");
    }
}

#[test]
fn an_allow_without_a_finding_is_a_finding() {
    let bench = Bench::new();
    bench.script("sqlite", "-- covet:allow DST02 gone\n-- covet:allow DST01 gone\nDROP TABLE logs");
    assert_eq!(ids(&bench.lint("sqlite")), ["SYS09"]);
    // Whether a rule that asks a server would find something is not known here.
    bench.script("sqlite", "-- covet:allow SL12 at night\nDROP TABLE logs");
    assert_eq!(ids(&bench.lint("sqlite")), ["DST01"]);
}

/// An applied file may still be given an allow, and nothing else.
#[tokio::test]
async fn an_applied_file_can_still_be_allowed_something() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let file = place.file(&path, "up");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("CREATE", "-- covet:allow SYS07 it stays small\nCREATE")).unwrap();
    assert_eq!(place.standings().await, [Standing::Applied]);
    std::fs::write(&file, text.replace("CREATE", "-- covet:alone\nCREATE")).unwrap();
    assert_eq!(place.standings().await, [Standing::Edited]);
}
