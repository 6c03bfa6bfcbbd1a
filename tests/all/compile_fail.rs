//! What must not compile, and how long the message is.
//!
//! `tests/ui/model/` has mistakes that a macro sees and says itself, `tests/ui/query/` those that only
//! the type checker sees. The expected messages are rustc's own, beside each case.

use std::fs;
use std::path::Path;

#[test]
fn messages_are_as_written() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/model/*.rs");
    cases.compile_fail("ui/query/*.rs");
}

/// The lengths of all messages of a folder, in lines, with the case; sorted.
fn lengths(folder: &str) -> Vec<(usize, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(folder);
    let mut lengths = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Messages are separated by an empty line and begin at the margin.
        let mut messages: Vec<usize> = Vec::new();
        for line in text.lines() {
            if line.starts_with("error") || line.starts_with("warning") {
                messages.push(0);
            }
            if let Some(last) = messages.last_mut()
                && !line.is_empty()
            {
                *last += 1;
            }
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        lengths.extend(messages.into_iter().map(|length| (length, name.clone())));
    }
    lengths.sort();
    lengths
}

/// A case, and the most lines of its message.
type Exception = (&'static str, usize);

/// The most lines of a message, and the messages that rustc does not let be shorter, with their own limit:
/// `docs/errors.md` gives the reasons.
const LIMITS: [(&str, usize, &[Exception]); 2] = [
    ("model", 6, &[]),
    (
        "query",
        12,
        &[("executor_by_value", 17), ("executor_type", 15), ("transaction_that_changes_something_outside", 16)],
    ),
];

#[test]
fn messages_are_short() {
    for (folder, most, exceptions) in LIMITS {
        let lengths = lengths(folder);
        let (worst, median) = (lengths.last().unwrap(), lengths[lengths.len() / 2].0);
        println!("{folder}: {} messages, median {median}, worst {} ({})", lengths.len(), worst.0, worst.1);
        let limit = |case: &str| exceptions.iter().find(|(name, _)| *name == case).map_or(most, |(_, limit)| *limit);
        let over: Vec<_> = lengths.iter().filter(|(length, case)| *length > limit(case)).collect();
        assert!(over.is_empty(), "{folder}: over {most} lines: {over:?}");
        let needless: Vec<_> = exceptions
            .iter()
            .filter(|(name, _)| !lengths.iter().any(|(length, case)| case == name && *length > most))
            .collect();
        assert!(needless.is_empty(), "{folder}: no exceptions any more: {needless:?}");
    }
}

#[test]
fn a_mistake_is_one_message() {
    for (folder, ..) in LIMITS {
        let mut cases: Vec<String> = lengths(folder).into_iter().map(|(_, case)| case).collect();
        cases.sort();
        for several in cases.chunk_by(|a, b| a == b).filter(|several| several.len() > 1) {
            let case = &several[0];
            let source = std::fs::read_to_string(format!("ui/{folder}/{case}.rs")).unwrap();
            // A file of many small mistakes has each in an attribute of its own.
            let attributes = source.matches("#[covet(").count();
            let meant = case == "several_mistakes" || several.len() <= attributes;
            assert!(meant, "{folder}/{case}: {} messages of {attributes} attributes", several.len());
        }
    }
}
