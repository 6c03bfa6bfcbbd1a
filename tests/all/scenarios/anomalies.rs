//! What each isolation level of each database keeps away, measured by sessions that take turns. The anomalies are those
//! of Adya's and Berenson's papers, by their usual names; the table in `docs/transactions.md` is what is measured here.

use std::fs;

use covet_drivers::contract::Isolation;
use covet_tests::program::workspace;
use covet_tests::{Kind, on_each_database};
use futures_util::future::try_join_all;

use crate::scenarios::isolation::{Play, play};
use crate::scenarios::open;

/// Something that could not happen if the transactions ran one after the other.
struct Anomaly {
    name: &'static str,
    script: &'static [&'static str],
    happened: fn(&Play) -> bool,
}

const ANOMALIES: &[Anomaly] = &[
    Anomaly {
        name: "G0",
        script: &["1 set 1 11", "2 set 1 12", "1 set 2 21", "1 commit", "2 set 2 22", "2 commit"],
        // The rows are of different writers.
        happened: |play| matches!(play.left[..], [(1, 11), (2, 22)] | [(1, 12), (2, 21)]),
    },
    Anomaly {
        name: "G1a",
        script: &["1 set 1 101", "2 get", "1 rollback", "2 get", "2 commit"],
        happened: |play| play.saw(2, (1, 101)),
    },
    Anomaly {
        name: "G1b",
        script: &["1 set 1 101", "2 get", "1 set 1 11", "1 commit", "2 get", "2 commit"],
        happened: |play| play.saw(2, (1, 101)),
    },
    Anomaly {
        name: "G1c",
        script: &["1 set 1 11", "2 set 2 22", "1 get 2", "2 get 1", "1 commit", "2 commit"],
        happened: |play| play.saw(1, (2, 22)) && play.saw(2, (1, 11)),
    },
    Anomaly {
        name: "OTV",
        script: &[
            "1 set 1 11",
            "1 set 2 19",
            "2 set 1 12",
            "1 commit",
            "3 get",
            "2 set 2 18",
            "3 get",
            "2 commit",
            "3 get",
            "3 commit",
        ],
        happened: |play| {
            let saw = |first: (i64, i64), second: (i64, i64)| play.saw(3, first) || play.saw(3, second);
            saw((1, 11), (2, 19)) && saw((1, 12), (2, 18))
        },
    },
    Anomaly {
        name: "PMP",
        script: &["1 thirds", "2 put 3 30", "2 commit", "1 thirds", "1 commit"],
        happened: |play| play.saw(1, (3, 30)),
    },
    Anomaly {
        name: "P4",
        script: &["1 get 1", "2 get 1", "1 set 1 11", "2 set 1 12", "1 commit", "2 commit"],
        happened: both_went_well_and_saw_the_same,
    },
    Anomaly {
        name: "G-single",
        script: &["1 get 1", "2 get", "2 set 1 12", "2 set 2 18", "2 commit", "1 get 2", "1 commit"],
        happened: |play| play.saw(1, (1, 10)) && play.saw(1, (2, 18)),
    },
    Anomaly {
        name: "G2-item",
        script: &["1 get", "2 get", "1 set 1 11", "2 set 2 21", "1 commit", "2 commit"],
        happened: both_went_well_and_saw_the_same,
    },
    Anomaly {
        name: "G2",
        script: &["1 thirds", "2 thirds", "1 put 3 30", "2 put 4 42", "1 commit", "2 commit"],
        happened: |play| {
            let nothing = |session| play.readings(session).next().is_none();
            play.went_well(1) && play.went_well(2) && nothing(1) && nothing(2)
        },
    },
];

/// Each read what was there in the beginning, and both committed what they made of it.
fn both_went_well_and_saw_the_same(play: &Play) -> bool {
    play.went_well(1) && play.went_well(2) && play.saw(1, (1, 10)) && play.saw(2, (1, 10))
}

const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

/// A row of the table: the anomalies that did not happen are marked.
fn row(database: &str, level: Isolation, happened: &[bool]) -> String {
    let marks: Vec<&str> = happened.iter().map(|happened| if *happened { "–" } else { "✓" }).collect();
    format!("| {database} | {} | {} |", level.sql().to_lowercase(), marks.join(" | "))
}

on_each_database! {
    async fn c12_what_each_level_keeps_away(db: &TestDb) -> Outcome {
        let database = match db.kind() {
            Kind::Postgres => "PostgreSQL",
            Kind::Mysql => "MariaDB",
            Kind::Sqlite => "SQLite",
        };
        let levels = if db.capabilities().isolation_levels { &LEVELS[..] } else { &LEVELS[3..] };
        // SQLite has one writer at a time: the scripts follow each other there.
        let at_once = if db.kind() == Kind::Sqlite { 1 } else { ANOMALIES.len() };
        let pool = open(db.url(), 4 * ANOMALIES.len()).await?;
        let mut measured = Vec::new();
        for (number, level) in levels.iter().enumerate() {
            let mut happened = Vec::new();
            for some in ANOMALIES.chunks(at_once) {
                let plays = some.iter().map(async |anomaly| {
                    let table = format!("t{number}_{}", anomaly.name.to_lowercase().replace('-', "_"));
                    play(&pool, *level, &table, anomaly.script).await.map(|play| (anomaly.happened)(&play))
                });
                happened.extend(try_join_all(plays).await?);
            }
            measured.push(row(database, *level, &happened));
        }
        println!("{}", measured.join("\n"));
        let text = fs::read_to_string(workspace().join("docs/transactions.md"))?;
        let start = format!("| {database} | ");
        let (_, table) = text.split_once("| G0 | G1a |").ok_or("docs/transactions.md has no such table")?;
        let said: Vec<&str> = table.lines().filter(|line| line.starts_with(&start)).collect();
        assert_eq!(said, measured, "docs/transactions.md says something else than what is measured");
        Ok(())
    }
}
