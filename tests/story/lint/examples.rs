//! The list of the rules: whole, told in pages, and true of its own examples.

use covet_orm::drivers::catalog::Schema;
use covet_orm::drivers::contract::adapter_for;
use covet_orm::drivers::lint::{Check, Rule, Scene, Statement, read};
use covet_orm::lint::{neutral_rules, page, rules_of};
use covet_orm::migrate::Target;

use crate::lint::{Bench, KINDS, ids};
use crate::tool::workspace;

/// The groups of the specification, and how many rules each has.
const GROUPS: [(&str, usize); 7] = [("DST", 9), ("DAT", 5), ("BRK", 3), ("SYS", 9), ("PG", 22), ("MA", 21), ("SL", 16)];

fn of(kind: &str) -> &'static [Rule] {
    rules_of(&Target::named(kind).unwrap()).unwrap()
}

#[test]
fn every_rule_of_the_specification_is_there() {
    let mut found: Vec<&str> =
        neutral_rules().iter().chain(KINDS.iter().flat_map(|kind| of(kind))).map(|rule| rule.id).collect();
    let mut wanted: Vec<String> =
        GROUPS.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}{n:02}"))).collect();
    found.sort_unstable();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn every_rule_is_found_in_its_examples_and_not_beside_them() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for kind in KINDS {
        for rule in neutral_rules().iter().chain(of(kind)) {
            let live = matches!(rule.check, Check::Live(_));
            assert!(live || (!rule.fires.is_empty() && !rule.silent.is_empty()), "{} has no example", rule.id);
            // Where a rule of the database says more, it speaks instead.
            let instead: Vec<&str> =
                of(kind).iter().filter(|other| other.covers.contains(&rule.id)).map(|other| other.id).collect();
            for (examples, fires) in [(rule.fires, true), (rule.silent, false)] {
                for example in examples {
                    bench.script(kind, example);
                    let found = ids(&bench.lint(kind));
                    let is_found = found.contains(&rule.id);
                    let stood_for = instead.iter().any(|other| found.contains(other));
                    if (fires && !is_found && !stood_for) || (!fires && is_found) {
                        let how = if fires { "is not found" } else { "is found" };
                        wrong.push(format!("{kind}: {} {how} in\n{example}\n(found: {found:?})", rule.id));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_pages_are_made_from_the_rules() {
    let pages = [
        ("neutral", "Rules for every database", neutral_rules()),
        ("postgres", "Rules for PostgreSQL", of("postgres")),
        ("mysql", "Rules for MySQL and MariaDB", of("mysql")),
        ("sqlite", "Rules for SQLite", of("sqlite")),
    ];
    for (name, title, rules) in pages {
        let path = workspace().join("docs/lint").join(format!("{name}.md"));
        let text = page(title, rules);
        if std::env::var("COVET_BLESS").is_ok() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "docs/lint/{name}.md is not what the rules say; write it with COVET_BLESS=1");
    }
    let readme = std::fs::read_to_string(workspace().join("docs/lint/README.md")).unwrap();
    assert!(pages.iter().all(|(name, ..)| readme.contains(&format!("]({name}.md)"))));
}

/// A file for MySQL and MariaDB is read as each of them does.
#[test]
fn what_only_one_product_executes_counts() {
    let bench = Bench::new();
    for (text, rule) in [
        ("/*!80000 ALTER TABLE users DROP COLUMN age */", "DST02"),
        ("ALTER TABLE users /*M! DROP COLUMN age */ /*!80000 ADD COLUMN a int NOT NULL */", "DST02"),
        ("ALTER TABLE users /*M! DROP COLUMN age */ /*!80000 ADD COLUMN a int NOT NULL */", "MA03"),
        ("/* ALTER TABLE users DROP COLUMN bio */ /*!DROP TABLE logs*/", "DST01"),
        ("INSERT INTO logs (at) VALUES ('/*! */');\nDROP TABLE `logs` -- ;", "DST01"),
    ] {
        bench.script("mysql", text);
        assert!(ids(&bench.lint("mysql")).contains(&rule), "{rule}: {text}: {:?}", bench.lint("mysql"));
    }
    for text in [
        "/* DROP TABLE logs */ SELECT 1",
        "SELECT 'DROP TABLE logs'",
        "SELECT 1 # DROP TABLE logs",
        "-- DROP TABLE logs\nSELECT 1",
    ] {
        bench.script("mysql", text);
        assert_eq!(ids(&bench.lint("mysql")), [] as [&str; 0], "{text}");
    }
}

/// Whatever is cut off, opened and never closed, or put in another order: it is read, or said not to be.
#[test]
fn broken_statements_do_no_harm() {
    let nothing = Schema::default();
    let mut unread = 0;
    for kind in KINDS {
        let lint = adapter_for(kind).unwrap().lint();
        for rule in neutral_rules().iter().chain(of(kind)) {
            for example in rule.fires.iter().chain(rule.silent) {
                let backwards: String = example.split_inclusive(' ').rev().collect();
                for text in [*example, &backwards] {
                    for (end, _) in text.char_indices() {
                        for reading in lint.readings() {
                            let read = read(&text[..end], reading);
                            unread += usize::from(!read.is_whole);
                            let sql = text[..end].to_owned();
                            let statement = Statement {
                                index: 0,
                                sql,
                                read,
                                guard: false,
                                alone: false,
                                begins: false,
                                batched: false,
                                generated: false,
                            };
                            let scene = Scene::new(vec![statement], &nothing, &nothing);
                            assert!(rule.hits(&scene).iter().all(|hit| hit.statement == 0), "{text}");
                        }
                    }
                }
            }
        }
    }
    assert!(unread > 1000, "{unread}");
}
