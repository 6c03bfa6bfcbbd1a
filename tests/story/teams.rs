//! Migrations of several people: branches that come together, late ones, one made again, several made one.

use std::path::{Path, PathBuf};

use covet_orm::drivers::catalog::Schema;
use covet_orm::migrate::{Folder, Goal, Project, Standing};
use covet_orm::schema::schema_of;
use covet_orm::{ErrorKind, models};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Shape, Words, by_name, id, on_each};

on_each! {
    x07_branches_that_commute
    x08_branches_that_touch_the_same
    x09_a_late_one_runs_or_is_refused
    a_migration_is_made_again_on_top
    several_become_one
    several_with_edits_become_one
}

const BASE: &str = "users{id auto; name text(20)?} posts{id auto; title text(20)?}";

/// Makes a migration as somebody would who knows nothing of those that came after the first.
pub(crate) fn branch(place: &Place, to: &str, decisions: &[&str]) -> PathBuf {
    let (all, away) = (place.migrations(), place.dir.path().join("away"));
    std::fs::create_dir_all(&away).unwrap();
    let later: Vec<PathBuf> = folders(&all).into_iter().skip(1).collect();
    for path in &later {
        std::fs::rename(path, away.join(path.file_name().unwrap())).unwrap();
    }
    let made = place.make(&schema(to), decisions).unwrap().unwrap();
    for path in &later {
        std::fs::rename(away.join(path.file_name().unwrap()), path).unwrap();
    }
    made
}

/// Runs what both branches follow and one of them, and then the other: the end is the same whichever comes first. The way
/// back is the caller's.
pub(crate) async fn in_both_orders(place: &Place, branches: [&Path; 2], wanted: &Shape, back: impl AsyncFn()) {
    let [first, second] = branches;
    let hidden = place.dir.path().join("hidden");
    for last in [second, first] {
        std::fs::rename(last, &hidden).unwrap();
        assert_eq!(place.up().await.unwrap(), 2);
        std::fs::rename(&hidden, last).unwrap();
        assert_eq!(place.up().await.unwrap(), 1);
        place.shape(Words::Own).await.is(wanted, "both orders");
        back().await;
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    // Ids of one second are in no order.
    found.sort_by_key(|path| std::fs::metadata(path.join("plan.toml")).unwrap().modified().unwrap());
    found
}

fn project(place: &Place) -> Project {
    Project::new(place.migrations(), &[place.kind.name()]).unwrap()
}

fn conflicts(place: &Place) -> Vec<Vec<String>> {
    let folder = Folder::read(place.migrations()).unwrap();
    folder.conflicts(|_, _| false).unwrap().into_iter().map(|conflict| conflict.parts).collect()
}

/// Two branches that touch different columns: both orders give the same, and the next migration follows both.
async fn x07_branches_that_commute(place: &Place) {
    let one = "users{id auto; name text(20)?; age i32?} posts{id auto; title text(20)?}";
    let two = "users{id auto; name text(20)?; town text(20)? ix} posts{id auto; title text(20)?} tags{id auto; user_id i64 ->users.id}";
    let both = "users{id auto; name text(20)?; age i32?; town text(20)? ix} posts{id auto; title text(20)?} tags{id auto; user_id i64 ->users.id}";
    let wanted = place.fresh(&schema(both)).await;
    place.make(&schema(BASE), &[]).unwrap();
    let first = branch(place, one, &[]);
    let second = branch(place, two, &[]);
    assert_eq!(conflicts(place), Vec::<Vec<String>>::new());
    let folder = Folder::read(place.migrations()).unwrap();
    assert_eq!(folder.heads().len(), 2);
    assert_eq!(by_name(&folder.schema().unwrap()), by_name(&schema(both)));
    // Nothing is left to be made; what is made next follows both.
    assert!(place.make(&schema(both), &[]).unwrap().is_none());
    in_both_orders(place, [&first, &second], &wanted, async || {
        place.down(Goal::All).await.unwrap();
    })
    .await;
    let merged = place.make(&schema(&format!("{both} more{{id auto}}")), &[]).unwrap().unwrap();
    let plan = std::fs::read_to_string(merged.join("plan.toml")).unwrap();
    assert!(plan.contains(&id(&first)) && plan.contains(&id(&second)), "{plan}");
    assert_eq!(Folder::read(place.migrations()).unwrap().heads().len(), 1);
    assert_eq!(place.up().await.unwrap(), 4);
    assert_eq!(place.down(Goal::All).await.unwrap(), 4);
    assert_eq!(place.shape(Words::Covets).await.schema, Schema::default());
}

/// What one branch makes and decides, what the other does, and what both touch.
type Case = (&'static str, &'static [&'static str], &'static str, &'static [&'static str], &'static str);

async fn x08_branches_that_touch_the_same(place: &Place) {
    let base = "users{id auto; name text(20)?; role enum(role,a,b)} posts{id auto}";
    let cases: [Case; 5] = [
        (
            "users{id auto; name text(30)?; role enum(role,a,b)} posts{id auto}",
            &[],
            "users{id auto; name text?; role enum(role,a,b)} posts{id auto}",
            &[],
            "the column users.name",
        ),
        (
            "users{id auto; name text(20)?; role enum(role,a,b)}",
            &["drop table posts"],
            "users{id auto; name text(20)?; role enum(role,a,b)} posts{id auto; n i32?}",
            &[],
            "the column posts.n",
        ),
        (
            "users{id auto; name text(20)?; role enum(role,a,b)} posts{id auto} tags{id auto}",
            &[],
            "users{id auto; name text(20)?; role enum(role,a,b)} posts{id auto} tags{id auto; n i32}",
            &[],
            "the table tags",
        ),
        (
            "users{id auto; name text(20)?; role enum(role,a,b,c)} posts{id auto}",
            &[],
            "users{id auto; name text(20)?; role enum(role,a,b,d)} posts{id auto}",
            &[],
            "the enum role",
        ),
        (
            "people{id auto; name text(20)?; role enum(role,a,b)} posts{id auto}",
            &["rename table users to people"],
            "users{id auto; name text(20)?; role enum(role,a,b); n i32?} posts{id auto}",
            &[],
            "the column users.n",
        ),
    ];
    for (one, decided, two, decided_too, part) in cases {
        place.make(&schema(base), &[]).unwrap();
        let first = branch(place, one, decided);
        let second = branch(place, two, decided_too);
        let found = conflicts(place);
        assert!(found.concat().iter().any(|found| found == part), "{part}: {found:?}");
        for error in [place.make(&schema(two), &[]).unwrap_err(), place.up().await.unwrap_err()] {
            let text = error.to_string();
            for word in [first.to_str().unwrap(), second.to_str().unwrap(), part] {
                assert!(text.contains(word), "{word}: {text}");
            }
            assert!(error.help().unwrap().contains("rebase"), "{error:?}");
        }
        let standings = place.standings().await;
        assert_eq!(standings.iter().filter(|standing| **standing == Standing::Conflicting).count(), 2, "{standings:?}");
        place.wipe().await;
    }
    // A script that was edited by hand may touch anything.
    place.make(&schema(BASE), &[]).unwrap();
    let first = branch(place, &format!("{BASE} x{{id auto}}"), &[]);
    branch(place, &format!("{BASE} y{{id auto}}"), &[]);
    assert_eq!(conflicts(place).len(), 0);
    let file = place.file(&first, "up");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "UPDATE posts SET title = '';\n").unwrap();
    assert!(conflicts(place).concat()[0].contains("everything"));
}

/// A branch comes that was begun before what is applied.
async fn x09_a_late_one_runs_or_is_refused(place: &Place) {
    place.make(&schema(BASE), &[]).unwrap();
    let late = branch(place, &format!("{BASE} tags{{id auto}}"), &[]);
    let hidden = place.dir.path().join("hidden");
    std::fs::rename(&late, &hidden).unwrap();
    branch(place, "users{id auto; name text(20)?; age i32?} posts{id auto; title text(20)?}", &[]);
    assert_eq!(place.up().await.unwrap(), 2);
    std::fs::rename(&hidden, &late).unwrap();
    let planned = place.migrator().plan_up(&place.db, Goal::All).await.unwrap();
    assert_eq!(planned.iter().map(|planned| planned.id.clone()).collect::<Vec<_>>(), [id(&late)]);
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.standings().await, [Standing::Applied; 3]);
    // The one that ran last is undone first, whatever its id.
    let planned = place.migrator().plan_down(&place.db, Goal::Count(1)).await.unwrap();
    assert_eq!(planned[0].id, id(&late));
    let other = branch(place, "users{id auto; name text(20)?; age i64?} posts{id auto; title text(20)?}", &[]);
    let error = place.up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert!(error.to_string().contains("users.age") && error.to_string().contains(other.to_str().unwrap()), "{error}");
    let status = place.migrator().status(&place.db).await.unwrap();
    let refused = status.iter().find(|status| status.id == id(&other)).unwrap();
    assert_eq!(refused.standing, Standing::Conflicting);
    assert!(refused.detail.as_ref().unwrap().contains("users.age"), "{refused:?}");
}

/// Both renamed the same column; mine is made again on top of theirs, with what I had decided.
async fn a_migration_is_made_again_on_top(place: &Place) {
    place.make(&schema(BASE), &[]).unwrap();
    let theirs = "users{id auto; name text(20)?} posts{id auto; headline text(20)?; n i32}";
    let decided = ["rename column posts.title to headline", "backfill posts.n with 7"];
    branch(place, theirs, &decided);
    let mine = "users{id auto; full text(20)?} posts{id auto; headline text(20)?; m i32}";
    let mine = branch(
        place,
        mine,
        &["rename column users.name to full", "rename column posts.title to headline", "backfill posts.m with 9"],
    );
    assert!(place.up().await.is_err());
    let both = schema("users{id auto; full text(20)?} posts{id auto; headline text(20)?; n i32; m i32}");
    let project = project(place);
    let first = Folder::read(place.migrations()).unwrap().migrations()[0].id().to_owned();
    assert!(project.rebase(&both, &first, &[]).unwrap_err().to_string().contains("follow"));
    let rebased = project.rebase(&both, &id(&mine), &[]).unwrap();
    let dropped: Vec<String> = rebased.dropped().iter().map(ToString::to_string).collect();
    assert_eq!(dropped, ["rename column posts.title to posts.headline"]);
    let written = rebased.write().unwrap().unwrap();
    assert!(!mine.exists() && written.exists());
    assert_eq!(written.to_str().unwrap().rsplit('_').next(), mine.to_str().unwrap().rsplit('_').next());
    assert_eq!(conflicts(place).len(), 0);
    assert_eq!(Folder::read(place.migrations()).unwrap().heads().len(), 1);
    place.up().await.unwrap();
    assert_eq!(place.shape(Words::Covets).await.schema, by_name(&both));
    place.down(Goal::All).await.unwrap();
    // What was edited by hand would be lost.
    let file = place.file(&written, "up");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "-- mine\n").unwrap();
    let error = project.rebase(&both, &id(&written), &[]).unwrap_err().to_string();
    assert!(error.contains("edited by hand"), "{error}");
}

const STEPS: [&str; 3] = [
    BASE,
    "users{id auto; name text(20)?; age i32?} posts{id auto; title text(20)?}",
    "users{id auto; name text(20)?; age i32? ix} posts{id auto; title text(20)?} tags{id auto}",
];

/// One takes the place of three: new databases run it, old ones know that they have it.
async fn several_become_one(place: &Place) {
    let wanted = place.fresh(&schema(STEPS[2])).await;
    let paths: Vec<PathBuf> = STEPS.iter().map(|step| place.make(&schema(step), &[]).unwrap().unwrap()).collect();
    place.up().await.unwrap();
    let tail = place.make(&schema(&format!("{} more{{id auto}}", STEPS[2])), &[]).unwrap().unwrap();
    let project = project(place);
    assert!(project.squash(&id(&paths[0]), &id(&paths[0]), None).is_err());
    let squashed = project.squash(&id(&paths[0]), &id(&paths[2]), None).unwrap();
    assert_eq!(squashed.replaced().len(), 3);
    let written = squashed.write().unwrap();
    assert!(paths.iter().all(|path| !path.exists()));
    let folder = Folder::read(place.migrations()).unwrap();
    assert_eq!(folder.migrations().len(), 2);
    assert_eq!(folder.migrations()[0].id(), id(&written));
    assert_eq!(folder.migrations()[1].id(), id(&tail));
    assert_eq!(place.standings().await, [Standing::Applied, Standing::Pending]);
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM _covet_migrations WHERE state = 'replaced'").await, 3);
    assert_eq!(place.standings().await, [Standing::Applied, Standing::Applied]);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    place.shape(Words::Own).await.is(&wanted, "squashed, on an old database");
    assert_eq!(place.down(Goal::All).await.unwrap(), 1);
    assert_eq!(place.shape(Words::Covets).await.schema, Schema::default());
    // The history knows it now by its own name, as a new database does.
    assert_eq!(place.up().await.unwrap(), 2);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    place.shape(Words::Own).await.is(&wanted, "squashed, on a new database");
}

/// Scripts that were edited go into the new one as they are; a database with a part of them is told so.
async fn several_with_edits_become_one(place: &Place) {
    let paths: Vec<PathBuf> = STEPS.iter().map(|step| place.make(&schema(step), &[]).unwrap().unwrap()).collect();
    let side = branch(place, &format!("{BASE} side{{id auto}}"), &[]);
    let hidden = place.dir.path().join("hidden");
    let squash = |name| project(place).squash(&id(&paths[0]), &id(&paths[2]), name);
    assert!(squash(None).unwrap_err().to_string().contains("in the middle"));
    std::fs::rename(&side, &hidden).unwrap();
    let file = place.file(&paths[1], "up");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}\nINSERT INTO users (name) VALUES ('by hand');\n")).unwrap();
    place.migrator().up_to(&place.db, Goal::Count(2)).await.unwrap();
    squash(Some("all of it")).unwrap().write().unwrap();
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("only a part") && error.contains(&id(&paths[2])), "{error}");
    place.sql("DELETE FROM _covet_migrations").await;
    place.sql("DROP TABLE users").await;
    place.sql("DROP TABLE posts").await;
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(place.shape(Words::Covets).await.schema, by_name(&schema(STEPS[2])));
    // A branch that was begun in the middle knows nothing of what came behind.
    std::fs::rename(&hidden, &side).unwrap();
    let error = Folder::read(place.migrations()).unwrap_err().to_string();
    assert!(error.contains("from the middle") && error.contains(&id(&side)), "{error}");
}

#[test]
fn no_model_at_all_is_no_way_to_squash() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new(folder.path(), &[Kind::Sqlite.name()]).unwrap();
    assert!(project.squash("a", "b", None).unwrap_err().to_string().contains("there is no migration `a`"));
    let empty = schema_of(&models![]).unwrap();
    assert!(project.rebase(&empty, "a", &[]).unwrap_err().to_string().contains("there is no migration `a`"));
}
