//! `docs/claims.md` and `docs/scenarios.md` say which test shows what on which database. Here they are held to that: a
//! test that they name is there and runs on that database, and where there is none the reason stands instead.

use std::fs;

use covet_tests::program::workspace;

/// The columns of a table, and the folders of tests that one database has for itself.
const DATABASES: [(&str, &str); 3] = [("PostgreSQL", "postgres"), ("MySQL, MariaDB", "mysql"), ("SQLite", "sqlite")];

/// A reason is a sentence and not a word.
const REASON: usize = 15;

struct Claim {
    line: usize,
    text: String,
    cells: Vec<String>,
}

/// The rows of a document's tables.
fn claims(document: &str) -> Vec<Claim> {
    let text = fs::read_to_string(workspace().join(document)).unwrap();
    let heads = ["| claim |", "| scenario |"];
    let rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| ") && !heads.iter().any(|head| line.starts_with(head)));
    rows.map(|(line, row)| {
        let mut cells = row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        let text = cells.next().unwrap();
        Claim { line: line + 1, text, cells: cells.collect() }
    })
    .collect()
}

#[test]
fn each_claim_has_a_test_or_a_reason_for_each_database() {
    let claims = claims("docs/claims.md");
    assert!(claims.len() >= 30, "only {} claims were found", claims.len());
    let wrong: Vec<String> = claims.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "docs/claims.md:\n{}", wrong.join("\n"));
}

/// The scenarios that there are: a letter, and the numbers from one to another.
const SCENARIOS: [(&str, u32, u32); 5] = [("A", 1, 18), ("B", 1, 25), ("C", 1, 16), ("D", 1, 11), ("F", 8, 11)];

#[test]
fn each_scenario_has_a_test_or_a_reason_for_each_database() {
    let rows = claims("docs/scenarios.md");
    let wrong: Vec<String> = rows.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "docs/scenarios.md:\n{}", wrong.join("\n"));
    let ids = rows.iter().map(|row| row.text.split(' ').next().unwrap_or_default().to_owned());
    let all = SCENARIOS.iter().flat_map(|(letter, first, last)| (*first..=*last).map(move |n| format!("{letter}{n}")));
    assert_eq!(ids.collect::<Vec<_>>(), all.collect::<Vec<_>>());
    let shown = rows.iter().filter(|row| row.cells.iter().any(|cell| cell.contains("::"))).count();
    println!("{shown} of {} scenarios have a test", rows.len());
    assert!(shown * 10 >= rows.len() * 9, "{shown} of {} scenarios have a test", rows.len());
}

fn wrong(claim: &Claim) -> Vec<String> {
    let place = |what: String| format!("line {}, {}: {what}", claim.line, claim.text);
    if claim.cells.len() != DATABASES.len() {
        return vec![place(format!("{} cells instead of one for each database", claim.cells.len()))];
    }
    let mut wrong = Vec::new();
    let mut before: Option<&String> = None;
    for ((database, folder), cell) in DATABASES.iter().zip(&claim.cells) {
        let cell = match (cell.as_str(), before) {
            ("same", Some(before)) => before,
            _ => cell,
        };
        before = Some(cell);
        let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
        if tests.is_empty() && cell.len() < REASON {
            wrong.push(place(format!("{database}: neither a test nor a reason")));
        }
        wrong.extend(
            tests.iter().filter_map(|test| missing(test, folder)).map(|what| place(format!("{database}: {what}"))),
        );
    }
    wrong
}

/// What is wrong with a test that is named as `path/of/file.rs::function`.
fn missing(test: &str, folder: &str) -> Option<String> {
    let (file, function) = test.split_once("::")?;
    let Ok(source) = fs::read_to_string(workspace().join(file)) else { return Some(format!("there is no {file}")) };
    let Some(at) = source.find(&format!("fn {function}(")) else { return Some(format!("{file} has no {function}")) };
    let own = DATABASES.iter().find(|(_, own)| file.split('/').any(|part| part.trim_end_matches(".rs") == *own));
    match own {
        Some((_, own)) if *own != folder => Some(format!("{test} runs on {own} alone")),
        _ if is_test(&source, at)
            || is_listed(&source, function)
            || file.starts_with("covet-drivers/src/conformance/") =>
        {
            None
        }
        _ => Some(format!("{test} is no test")),
    }
}

/// Whether the function at this place is marked as a test, or written for each database.
fn is_test(source: &str, at: usize) -> bool {
    let before = &source[..at];
    let attributes = before.rfind("\n\n").map_or(before, |blank| &before[blank..]);
    attributes.contains("#[test]") || attributes.contains("#[tokio::test") || inside_macro(before)
}

/// Whether a macro makes a test of the function for each database.
fn is_listed(source: &str, function: &str) -> bool {
    source
        .split_once("on_each! {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .is_some_and(|(list, _)| list.split_whitespace().any(|word| word == function))
}

/// Whether the last `on_each_database!` is still open here.
fn inside_macro(before: &str) -> bool {
    ["on_each_database! {", "on_each_server! {", "on_postgres! {", "proptest! {"]
        .iter()
        .filter_map(|opening| before.rfind(opening))
        .any(|opening| {
            // The macro ends with the first brace that stands at the beginning of a line.
            !before[opening..].contains("\n}")
        })
}

#[test]
fn what_is_wrong_is_found() {
    let claim = |cells: &[&str]| Claim {
        line: 1,
        text: "a claim".into(),
        cells: cells.iter().map(|cell| (*cell).into()).collect(),
    };
    let here = "`tests/all/claims.rs::what_is_wrong_is_found`";
    assert_eq!(wrong(&claim(&[here, "same", "no server, so there is nothing to lose"])).len(), 0);
    assert_eq!(wrong(&claim(&[here, "same"])).len(), 1);
    assert_eq!(wrong(&claim(&[here, "same", "–"])).len(), 1);
    assert_eq!(wrong(&claim(&["`tests/all/claims.rs::gone`", "same", "same"])).len(), 3);
    assert_eq!(wrong(&claim(&["`tests/all/claims.rs::inside_macro`", here, here])).len(), 1);
    assert_eq!(wrong(&claim(&["`tests/all/nowhere.rs::x`", here, here])).len(), 1);
    assert_eq!(
        wrong(&claim(&[
            "`covet-drivers/tests/contract/sqlite/pool.rs::nobody_waits_while_a_connection_lies_idle`",
            here,
            here
        ]))
        .len(),
        1
    );
}
