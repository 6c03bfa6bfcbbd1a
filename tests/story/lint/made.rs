//! What a user sees about migrations that Covet made: what was decided, guarded or made anew is silent.

use covet_orm::lint::{Severity, lint, lint_last};
use covet_orm::migrate::{Folder, Target};

use crate::lint::{Bench, KINDS, ids};

/// From one schema to another, and what is found on PostgreSQL, MySQL and SQLite.
struct Made {
    before: &'static str,
    after: &'static str,
    decide: &'static [&'static str],
    found: [&'static [&'static str]; 3],
}

const ALL: &[Made] = &[
    // A new table, with index and enum: there is nothing to say.
    Made {
        before: "a{id auto}",
        after: "a{id auto} b{id auto; n i32 ix; e enum(e,x,y)}",
        decide: &[],
        found: [&[], &[], &[]],
    },
    // That points at an old one: PostgreSQL locks it too.
    Made {
        before: "a{id auto}",
        after: "a{id auto} b{id auto; a_id i64 ->a.id cascade}",
        decide: &[],
        found: [&["PG15"], &[], &[]],
    },
    // What can be NULL, and what has a default.
    Made { before: "a{id auto}", after: "a{id auto; n i32?; m i32 =1}", decide: &[], found: [&[], &[], &[]] },
    // The decisions are consent.
    Made {
        before: "a{id auto; n i32} b{id auto}",
        after: "a{id auto}",
        decide: &["drop column a.n", "drop table b"],
        found: [&[], &[], &[]],
    },
    // What stood on them goes with them.
    Made {
        before: "a{id auto} b{id auto; a_id i64 ->a.id; u i32 uq} c{id auto; b_id i64 ->b.id}",
        after: "a{id auto} b{id auto}",
        decide: &["drop column b.a_id", "drop column b.u", "drop table c"],
        found: [&["PG04", "PG15"], &[], &[]],
    },
    // A foreign key that goes alone.
    Made {
        before: "a{id auto} b{id auto; a_id i64 ->a.id}",
        after: "a{id auto} b{id auto; a_id i64}",
        decide: &[],
        found: [&["DST06", "PG15"], &["DST06"], &["DST06"]],
    },
    // A rename is a rename, also when it is decided: programs still run.
    Made {
        before: "a{id auto; n i32}",
        after: "a{id auto; m i32}",
        decide: &["rename column a.n to m"],
        found: [&["BRK01"], &["BRK01"], &["BRK01"]],
    },
    // Guards stop what does not fit; the lock stays.
    Made {
        before: "a{id auto; n i32?; t text(20)}",
        after: "a{id auto; n i32; t text(10)}",
        decide: &["no nulls in a.n", "narrow a.t"],
        found: [&["PG08", "PG09", "PG14"], &["MA06", "MA07"], &[]],
    },
    // A backfill in the transaction of the change.
    Made {
        before: "a{id auto; n i32?}",
        after: "a{id auto; n i32}",
        decide: &["backfill a.n with 0"],
        found: [&["PG08", "SYS03"], &["MA07", "SYS03"], &[]],
    },
    // An index, a unique one with its guard, and a foreign key with its.
    Made {
        before: "a{id auto; n i32; m i64} b{id auto}",
        after: "a{id auto; n i32 ix; m i64 uq ->b.id} b{id auto}",
        decide: &[],
        found: [&["PG01", "PG07"], &["MA06"], &[]],
    },
    // SQLite's rebuild is Covet's own, and says only what becomes of the schema.
    Made {
        before: "a{id auto; n i32 =1; e enum(e,x)}",
        after: "a{id auto; n i32? =2; e enum(e,x,y)}",
        decide: &[],
        found: [&["BRK02", "BRK03"], &["BRK02", "MA07"], &["BRK02", "BRK03"]],
    },
];

#[test]
fn what_covet_made_is_found_where_it_matters() {
    for made in ALL {
        let bench = Bench::of(made.before, made.after, made.decide);
        for (kind, wanted) in KINDS.into_iter().zip(made.found) {
            let mut found = bench.lint(kind);
            found.retain(|finding| finding.severity > Severity::Info);
            assert_eq!(ids(&found), wanted, "{kind}: {} to {}: {found:#?}", made.before, made.after);
        }
    }
}

/// Each migration is seen with the schemas around it, however many are asked for.
#[test]
fn a_whole_folder_is_looked_through() {
    let bench = Bench::new();
    bench.script("postgres", "DROP INDEX posts_title_slug_idx");
    let folder = Folder::read(bench.dir.path()).unwrap();
    let target = Target::named("postgres").unwrap();
    let all = lint(&folder, &target).unwrap();
    assert_eq!(ids(&all), ["PG04"]);
    assert_eq!(all, lint_last(&folder, &target, 2).unwrap());
    assert_eq!(all, lint_last(&folder, &target, 1).unwrap());
    assert_eq!(all[0].table.as_deref(), Some("posts"), "it is known from the schema before");
    assert!(lint_last(&folder, &target, 0).unwrap().is_empty());
    // The first one alone has a table without a key.
    let fresh = Bench::new();
    let folder = Folder::read(fresh.dir.path()).unwrap();
    assert_eq!(ids(&lint(&folder, &target).unwrap()), ["SYS07"]);
}

/// Covet's own statement without Covet's own guard is a finding, also where the decision was made; another guard takes
/// the place of the one that was taken away.
#[test]
fn a_guard_that_was_taken_away_is_missed() {
    for (after, decision, rule) in [
        ("a{id auto; n i32; t text(20)}", "no nulls in a.n", "DAT02"),
        ("a{id auto; n i32?; t text(10)}", "narrow a.t", "DST04"),
        ("a{id auto; n i32?; t i32}", "narrow a.t", "DST04"),
        ("a{id auto; n i32?; t text(20); m i32}", "table a is empty", "DAT01"),
    ] {
        let bench = Bench::of("a{id auto; n i32?; t text(20)}", after, &[decision]);
        for (kind, file) in KINDS.map(|kind| (kind, bench.second.join(format!("up.{kind}.sql")))) {
            let text = std::fs::read_to_string(&file).unwrap();
            let rule = if kind == "mysql" && rule == "DAT01" { "MA03" } else { rule };
            let is_found = |text: &str| {
                std::fs::write(&file, text).unwrap();
                ids(&bench.lint(kind)).contains(&rule)
            };
            assert!(text.contains("covet:guard"), "{kind}: {text}");
            assert!(!is_found(&text), "{kind}: {text}");
            let parts = text.split_inclusive(";\n").filter(|part| !part.contains("covet:guard"));
            let without = parts.collect::<String>();
            let guard = "-- covet:guard rows do not fit\nSELECT count(*) FROM a WHERE id > 0;\n";
            assert!(is_found(&without), "{kind}, {rule}: {without}");
            assert!(!is_found(&format!("{guard}{without}")), "{kind}: {without}");
        }
    }
}
