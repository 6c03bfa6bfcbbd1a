//! Migrations that were put in the place of others: what old programs and old databases make of them, and once more.

use std::path::Path;

use covet_orm::ErrorKind;
use covet_orm::lint::lint_last;
use covet_orm::migrate::{Folder, Goal, Migrator, Project, Standing, Target};
use covet_tests::Kind;

use crate::history::{LONG_AGO, ran_long_ago};
use crate::notation::schema;
use crate::place::{Place, id, on_each};

on_each! {
    an_old_program_finds_nothing_to_run
    when_the_old_ones_ran_stays_known
    a_squash_of_a_squash
    a_branch_from_inside_of_a_squash
    an_enum_and_the_tables_that_have_it
}

fn project(place: &Place) -> Project {
    Project::new(place.migrations(), &[place.kind.name()]).unwrap()
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            copied(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn made(place: &Place, schemas: &[&str]) -> Vec<String> {
    schemas.iter().map(|text| id(&place.make(&schema(text), &[]).unwrap().unwrap())).collect()
}

/// A program of before a squash, which may run on a newer database, finds nothing to run.
async fn an_old_program_finds_nothing_to_run(place: &Place) {
    let ids = made(place, &["a{id auto}", "a{id auto} b{id auto}"]);
    place.up().await.unwrap();
    let before = place.dir.path().join("before");
    copied(&place.migrations(), &before);
    project(place).squash(&ids[0], &ids[1], None).unwrap().write().unwrap();
    let old = Migrator::from_dir(&before).unwrap().allow_newer();
    // Once where the old ones were applied, once where they never were.
    for ran in [0, 1] {
        assert_eq!(place.up().await.unwrap(), ran);
        assert_eq!(place.standings().await, [Standing::Applied]);
        assert_eq!(old.up(&place.db).await.unwrap().done.len(), 0);
        let status = old.status(&place.db).await.unwrap();
        let replaced = status.iter().filter(|one| one.standing == Standing::Applied);
        assert!(replaced.clone().all(|one| one.detail.as_ref().unwrap().contains("in its place")), "{status:?}");
        assert_eq!(replaced.count(), 2);
        assert_eq!(place.down(Goal::All).await.unwrap(), 1);
        assert_eq!(old.plan_up(&place.db, Goal::All).await.unwrap().len(), 2);
        place.sql("DELETE FROM _covet_migrations WHERE id <> '*'").await;
    }
}

/// Nothing is run where the old ones were applied, so each of them still ran when it did.
async fn when_the_old_ones_ran_stays_known(place: &Place) {
    let ids = made(place, &["a{id auto}", "a{id auto} b{id auto}"]);
    place.up().await.unwrap();
    let before = place.dir.path().join("before");
    copied(&place.migrations(), &before);
    ran_long_ago(place).await;
    project(place).squash(&ids[0], &ids[1], None).unwrap().write().unwrap();
    assert_eq!(place.up().await.unwrap(), 0);
    let old = Migrator::from_dir(&before).unwrap().allow_newer();
    let status = old.status(&place.db).await.unwrap();
    let times = status.iter().filter(|one| ids.contains(&one.id));
    let times: Vec<_> = times.map(|one| (one.started_at.as_deref(), one.finished_at.as_deref())).collect();
    assert_eq!(times, [LONG_AGO; 2]);
}

async fn a_squash_of_a_squash(place: &Place) {
    let ids = made(
        place,
        &[
            "a{id auto}",
            "a{id auto} b{id auto}",
            "a{id auto} b{id auto} c{id auto}",
            "a{id auto} b{id auto} c{id auto} d{id auto}",
        ],
    );
    place.up().await.unwrap();
    let project = project(place);
    // The last one follows the end of the first squash, and so of the second.
    let inner = id(&project.squash(&ids[1], &ids[2], Some("inner")).unwrap().write().unwrap());
    project.squash(&ids[0], &inner, Some("outer")).unwrap().write().unwrap();
    assert_eq!(place.migrator().folder().migrations().len(), 2);
    // This database never knew the inner one.
    assert_eq!(place.up().await.unwrap(), 0);
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
    assert_eq!(place.down(Goal::All).await.unwrap(), 2);
    assert_eq!(place.up().await.unwrap(), 2);
}

/// Which tables a change of an enum touches is up to the database: where the labels stand in the columns, those.
async fn an_enum_and_the_tables_that_have_it(place: &Place) {
    place.make(&schema("t{id auto; role enum(role,a,b)}"), &[]).unwrap();
    let away = place.dir.path().join("away");
    let label = place.make(&schema("t{id auto; role enum(role,a,b,c)}"), &[]).unwrap().unwrap();
    std::fs::rename(&label, &away).unwrap();
    place.make(&schema("t{id auto; part enum(role,a,b)}"), &["rename column t.role to part"]).unwrap();
    std::fs::rename(&away, &label).unwrap();
    let conflicts = place.migrator().folder().conflicts(|_, _| false).unwrap();
    assert_eq!(conflicts.is_empty(), place.kind == Kind::Postgres, "{conflicts:?}");
}

/// What follows from inside of what is squashed already would be lost by squashing that.
async fn a_branch_from_inside_of_a_squash(place: &Place) {
    let ids = made(place, &["a{id auto}", "a{id auto} b{id auto}"]);
    let inner = id(&project(place).squash(&ids[0], &ids[1], None).unwrap().write().unwrap());
    let away = place.dir.path().join("away");
    let after = made(place, &["a{id auto} b{id auto} c{id auto}"]);
    let path = place.migrator().folder().migration(&after[0]).unwrap().path().to_owned();
    std::fs::rename(&path, &away).unwrap();
    // It knows the squash by the end of what that stands for.
    let side = place.make(&schema("a{id auto} b{id auto} d{id auto}"), &[]).unwrap().unwrap();
    let plan = side.join("plan.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, text.replace(&inner, &ids[1])).unwrap();
    std::fs::rename(&away, &path).unwrap();
    assert_eq!(Folder::read(place.migrations()).unwrap().heads().len(), 2);
    let error = project(place).squash(&inner, &after[0], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert!(error.to_string().contains("in the middle") && error.to_string().contains(&id(&side)), "{error}");
}

/// What follows stands on the schema of what took the place of those that it knows.
#[test]
fn lint_finds_the_same_behind_a_squash() {
    let dir = tempfile::tempdir().unwrap();
    let project = Project::new(dir.path(), &["postgres"]).unwrap();
    let made: Vec<String> = ["a{id auto; n i32}", "a{id auto; n i32} b{id auto}", "a{id auto; n i32 ix} b{id auto}"]
        .iter()
        .map(|text| id(&project.draft(&schema(text), None, &[]).unwrap().unwrap().write().unwrap()))
        .collect();
    let found = || {
        let folder = Folder::read(dir.path()).unwrap();
        let found = lint_last(&folder, &Target::named("postgres").unwrap(), 1).unwrap();
        found.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let before = found();
    assert!(!before.is_empty(), "an index on a table that is in use");
    project.squash(&made[0], &made[1], None).unwrap().write().unwrap();
    assert_eq!(found(), before);
}
