//! `docs/claims.md`, `docs/scenarios.md` and `docs/migration-scenarios.md` say which test shows what on which database.
//! Here they are held to that: a test that they name is there and runs on that database, and where there is none the reason stands instead.

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

/// The scenarios of migrations that there are.
const OF_MIGRATIONS: &str = "\
    T01 T03 T04 T05 T07 T08 T09 T11 T13 T15 T17 T19 T21 T23 T25 \
    C01 C03 C05 C07 C09 C11 C13 C15 C17 C19 C21 C23 C25 C27 C29 C31 C33 C35 C37 C39 C41 \
    Y01 Y03 Y05 Y06 Y07 Y09 Y10 Y11 Y13 Y15 Y16 Y17 Y18 Y19 Y21 Y23 Y25 Y27 Y29 Y31 N01 N03 N05 N07 N09 N11 \
    I01 I03 I05 I07 I09 I11 I13 I15 I17 I19 F01 F03 F04 F05 F07 F08 F09 F11 F13 F15 F16 F17 F18 F19 F21 F23 \
    P01 P03 P05 P07 P08 P09 P11 P13 P15 K01 K03 K03b K05 K07 E01 E03 E05 E07 E09 E11 E13 E15 G01 G03 G05 G06 G07 \
    S01 S02 S03 S04 S08 S10 S10b S11 M01 M03 M05 M07 M09 V01 V02 V02c V02d V03 V05 \
    X01 X03 X04 X05 X07 X08 X09 X11 X12 X13 X15 X17 X19 X21 X23 X25 X27 X29";

#[test]
fn each_scenario_of_migrations_has_a_test_or_a_reason_for_each_database() {
    let rows = claims("docs/migration-scenarios.md");
    let wrong: Vec<String> = rows.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "docs/migration-scenarios.md:\n{}", wrong.join("\n"));
    let ids = rows.iter().map(|row| row.text.split(' ').next().unwrap_or_default());
    assert_eq!(ids.collect::<Vec<_>>(), OF_MIGRATIONS.split_whitespace().collect::<Vec<_>>());
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
    if file.starts_with("tests/story/cases/") && function.starts_with(|c: char| c.is_ascii_uppercase()) {
        return match source.contains(&format!("id: \"{function} ")) || source.contains(&format!(" {function} ")) {
            true => None,
            false => Some(format!("{file} has no story {function}")),
        };
    }
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
