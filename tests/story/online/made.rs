//! What is written: nothing that lint has a word about, and on PostgreSQL and MySQL nothing that locks for long.

use covet_orm::lint::{Severity, lint_last};
use covet_orm::migrate::{Draft, Folder, Part, Project, Target, Way};
use covet_orm::schema::Decision;

use crate::notation::schema;
use crate::online::{ABLE, ALL};

/// The parts that lead from one schema to another, written behind the first migration.
fn made(kinds: &[&str], before: &str, after: &str, decide: &[&str]) -> (tempfile::TempDir, Vec<Draft>) {
    let dir = tempfile::tempdir().unwrap();
    let project = Project::new(dir.path(), kinds).unwrap().online(true);
    project.draft(&schema(before), None, &[]).unwrap().unwrap().write().unwrap();
    let decisions: Vec<Decision> = decide.iter().map(|text| text.parse().unwrap()).collect();
    let drafts = project.drafts(&schema(after), None, &decisions).unwrap();
    Draft::write_all(&drafts).unwrap();
    (dir, drafts)
}

fn script<'d>(draft: &'d Draft, way: Way, kind: &str) -> &'d str {
    draft.files().iter().find(|(name, _)| *name == way.file(kind)).map(|(_, text)| text.as_str()).unwrap()
}

#[test]
fn lint_has_nothing_to_say() {
    let mut wrong = Vec::new();
    for change in ALL {
        for kind in ABLE.into_iter().filter(|kind| !change.refused.iter().any(|(refused, _)| refused == kind)) {
            let (dir, drafts) = made(&[kind.name()], change.before, change.after, change.decide);
            let folder = Folder::read(dir.path()).unwrap();
            let target = Target::named(kind.name()).unwrap();
            let mut found = lint_last(&folder, &target, drafts.len()).unwrap();
            found.retain(|finding| finding.severity > Severity::Info && !change.found.contains(&finding.rule));
            wrong.extend(found.iter().map(|finding| format!("{} on {}: {finding}", change.id, kind.name())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_postgres_runs() {
    let (_dir, drafts) = made(
        &["postgres"],
        "a{id auto; n i32; b_id i64} b{id auto}",
        "a{id auto; n i32 ix ck:n>0; b_id i64 ->b.id} b{id auto}",
        &[],
    );
    let up: String = drafts.iter().map(|draft| script(draft, Way::Up, "postgres")).collect();
    for wanted in [
        "-- covet:alone\nCREATE INDEX CONCURRENTLY \"a_n_idx\" ON \"a\" (\"n\");",
        "CHECK (n>0) NOT VALID;\n\n-- covet:alone\nALTER TABLE \"a\" VALIDATE CONSTRAINT \"a_n_ck\";",
        "NO ACTION NOT VALID;\n\n-- covet:alone\nALTER TABLE \"a\" VALIDATE CONSTRAINT \"a_b_id_fkey\";",
    ] {
        assert!(up.contains(wanted), "{wanted}: {up}");
    }
    let (_dir, drafts) = made(&["postgres"], "a{id auto; n i32?}", "a{id auto; n i32}", &["backfill a.n with 7"]);
    let fill = script(&drafts[0], Way::Up, "postgres");
    assert!(fill.contains("-- covet:batches 1000 of \"a\" by \"id\"\nUPDATE \"a\" SET \"n\" = 7\nWHERE \"n\" IS NULL /* covet:range */;"), "{fill}");
    let contract = script(&drafts[1], Way::Up, "postgres");
    let at = |text: &str| contract.find(text).unwrap_or_else(|| panic!("{text}: {contract}"));
    assert!(at("NOT VALID") < at("VALIDATE CONSTRAINT") && at("VALIDATE CONSTRAINT") < at("SET NOT NULL"));
    assert!(at("SET NOT NULL") < at("DROP CONSTRAINT \"a_n_not_null\""));
}

#[test]
fn what_mysql_runs() {
    let (_dir, drafts) = made(
        &["mysql"],
        "a{id auto; n i32; m i32 ix; b_id i64} b{id auto}",
        "a{id auto; n i32 ix; m i32; b_id i64 ->b.id; k i32?} b{id auto}",
        &[],
    );
    let all: String = drafts.iter().map(|draft| script(draft, Way::Up, "mysql")).collect();
    for statement in all.split(";\n").filter(|text| text.contains("ALTER TABLE") || text.contains("CREATE INDEX")) {
        assert!(statement.trim_end().ends_with("LOCK=NONE"), "{statement}");
    }
    assert!(all.contains("ALTER TABLE `a` DROP INDEX `a_m_idx`, LOCK=NONE"), "{all}");
    assert!(all.contains("SET foreign_key_checks = 0") && all.contains("SET foreign_key_checks = 1"), "{all}");
}

/// One project for all three: the parts are the same, and what each runs is its own.
#[test]
fn parts_are_shared_and_sqlite_alone_has_none() {
    let parts = |kinds: &[&str]| {
        let (_dir, drafts) = made(kinds, "a{id auto; n i32}", "a{id auto; n i64}", &[]);
        drafts.iter().map(|draft| draft.part().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(parts(&["postgres", "mysql", "sqlite"]), [Part::Expand, Part::Backfill, Part::Contract]);
    assert_eq!(parts(&["sqlite"]), [Part::Whole]);
    let (_dir, online) = made(&["sqlite"], "a{id auto; n i32?}", "a{id auto; n i32 ix}", &["no nulls in a.n"]);
    let dir = tempfile::tempdir().unwrap();
    let plain = Project::new(dir.path(), &["sqlite"]).unwrap();
    plain.draft(&schema("a{id auto; n i32?}"), None, &[]).unwrap().unwrap().write().unwrap();
    let decision = "no nulls in a.n".parse().unwrap();
    let plain = plain.draft(&schema("a{id auto; n i32 ix}"), None, &[decision]).unwrap().unwrap();
    assert_eq!(script(&online[0], Way::Up, "sqlite"), script(&plain, Way::Up, "sqlite"));
    assert_eq!(Project::new("x", &["postgres", "sqlite"]).unwrap().offline().collect::<Vec<_>>(), ["sqlite"]);
}
