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

#[test]
fn messages_are_short() {
    for (folder, most) in [("model", 6), ("query", 15)] {
        let lengths = lengths(folder);
        let (worst, median) = (lengths.last().unwrap(), lengths[lengths.len() / 2].0);
        let over: Vec<_> = lengths.iter().filter(|(length, _)| *length > most).collect();
        println!("{folder}: {} messages, median {median}, worst {} ({})", lengths.len(), worst.0, worst.1);
        assert!(median <= most, "{folder}: the median is {median} lines");
        println!("{folder}: over {most} lines: {over:?}");
    }
}
