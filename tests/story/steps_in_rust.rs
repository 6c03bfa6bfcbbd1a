//! Steps of a migration that are written in Rust, between those of the schema.

use std::fs;
use std::path::Path;
use std::time::Duration;

use covet_orm::migrate::{Data, DataStep, Folder, Goal, Standing, Target, offline_script};
use covet_orm::{Db, ErrorKind, Result};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Words, on_each};

on_each! {
    x19_a_step_in_rust_between_schema_steps
    x19_a_step_behind_a_comment_is_run
    x19_a_step_that_nobody_knows_is_refused
    x19_a_step_that_fails_is_run_once_in_the_end
    x19_a_run_that_is_lost_in_a_step
}

/// Runs on the schema of its day: the models of today have neither `first` nor `last`.
async fn full_names(mut data: Data<'_>) -> Result<()> {
    for (id, first, last) in
        data.rows::<(i64, Option<String>, Option<String>)>("SELECT id, first, last FROM t", ()).await?
    {
        let full = format!("{} {}", first.unwrap_or_default(), last.unwrap_or_default());
        let changed =
            data.execute("UPDATE t SET full_name = $2, n = $1 WHERE id = $3 AND '$1' = '$1'", (7, full, id)).await?;
        assert_eq!(changed, 1);
    }
    Ok(())
}
covet_orm::data_step!(full_names);

async fn first_names(mut data: Data<'_>) -> Result<()> {
    data.execute("UPDATE t SET first = full_name, last = $1", ("?".to_owned(),)).await?;
    Ok(())
}
covet_orm::data_step!(first_names);

/// Counts how often it was run, as far as that was kept.
async fn count_up(mut data: Data<'_>) -> Result<()> {
    data.execute("UPDATE counter SET n = n + 1", ()).await?;
    Ok(())
}
covet_orm::data_step!(count_up);

/// The same, and takes its time over it.
async fn count_slowly(mut data: Data<'_>) -> Result<()> {
    data.execute("UPDATE counter SET n = n + 1", ()).await?;
    // Long the first time, which is marked by a row that the test takes away.
    if !data.rows::<(i64,)>("SELECT id FROM slow", ()).await?.is_empty() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    Ok(())
}
covet_orm::data_step!(count_slowly);

/// Ends the transaction that it shares with its note.
async fn commits(mut data: Data<'_>) -> Result<()> {
    data.execute("COMMIT", ()).await?;
    Ok(())
}
covet_orm::data_step!(commits);

fn edit(place: &Place, migration: &Path, way: &str, edit: impl Fn(&str) -> String) {
    let file = place.file(migration, way);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, edit(&text)).unwrap();
}

async fn x19_a_step_in_rust_between_schema_steps(place: &Place) {
    place.make(&schema("t{id auto; first text(20)?; last text(20)?; n i32?}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO t (first, last) VALUES ('Ada', 'L''ace'), ('Al', NULL)").await;
    // Behind the last statement of one, and before the first of the next.
    let all = "t{id auto; first text(20)?; last text(20)?; full_name text(50); n i32?}";
    let adds = place.make(&schema(all), &["backfill t.full_name with ''"]).unwrap().unwrap();
    edit(place, &adds, "up", |text| format!("{text}\n-- what it is for\n-- covet:rust full_names\n"));
    let decisions = ["drop column t.first", "drop column t.last"];
    let drops =
        place.make(&schema("t{id auto; full_name text(50); n i32}"), &[&decisions[..], &["no nulls in t.n"]].concat());
    let drops = drops.unwrap().unwrap();
    edit(place, &drops, "up", |text| format!("-- covet:rust full_names\n{text}"));
    let planned = place.migrator().plan_up(&place.db, Goal::All).await.unwrap();
    assert!(planned.iter().all(|planned| planned.sql.contains("-- covet:rust full_names")), "{planned:?}");

    assert_eq!(place.up().await.unwrap(), 2);
    assert_eq!(place.number("SELECT count(*) FROM t WHERE n = 7 AND full_name IN ('Ada L''ace', 'Al ')").await, 2);
    assert_eq!(place.number("SELECT steps_total - steps_done FROM _covet_migrations WHERE position = 3").await, 0);
    let done = place.migrator().status(&place.db).await.unwrap();
    assert!(done.iter().all(|status| status.standing == Standing::Applied), "{done:?}");

    // The way back has one, too, behind the columns that come.
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    edit(place, &drops, "down", |text| format!("{text}\n-- covet:rust first_names\n"));
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM t WHERE first = full_name AND last = '?'").await, 2);

    // What a script cannot do is said by name.
    let folder = Folder::read(place.migrations()).unwrap();
    let range: Vec<_> = folder.migrations().iter().collect();
    let error = offline_script(&folder, &range, Target::of(&*place.db.backend())).unwrap_err().to_string();
    assert!(error.contains("has a step in Rust, `full_names`"), "{error}");
}

/// Comments of other kinds hide no mark, and what would not be heeded stops the migration with file and line.
async fn x19_a_step_behind_a_comment_is_run(place: &Place) {
    let all = "t{id auto; first text(20)?; last text(20)?; full_name text(50)?; n i32?}";
    place.make(&schema(all), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO t (first, last) VALUES ('Ada', 'L''ace')").await;
    let decisions = ["drop column t.first", "drop column t.last"];
    let drops = place.make(&schema("t{id auto; full_name text(50)?; n i32?}"), &decisions).unwrap().unwrap();
    let made = fs::read_to_string(place.file(&drops, "up")).unwrap();
    let before = place.shape(Words::Own).await;
    let line = 3 + made.lines().count();
    for (edited, said) in [
        (format!("/* covet:rust full_names */\n{made}"), "line 1: nobody would heed".to_owned()),
        (format!("{made}\n/* end */\n/* covet:rust full_names */\n"), format!("line {line}: nobody would heed")),
        (format!("{made}-- covet:guard rows\n"), "no statement follows `-- covet:guard`".to_owned()),
        (
            format!("{made}-- covet:irreversible no\n"),
            "nobody would heed `-- covet:irreversible` on the way".to_owned(),
        ),
    ] {
        edit(place, &drops, "up", |_| edited.clone());
        let error = place.up().await.unwrap_err();
        let file = format!("up.{}.sql", place.kind.name());
        assert!(error.to_string().contains(&said) && error.to_string().contains(&file), "{error}");
        place.shape(Words::Own).await.is(&before, "refused");
    }
    edit(place, &drops, "up", |_| format!("/* reviewed: DBA */\n-- covet:rust full_names\n{made}"));
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM t WHERE n = 7 AND full_name = 'Ada L''ace'").await, 1);
}

async fn x19_a_step_that_nobody_knows_is_refused(place: &Place) {
    place.make(&schema("t{id auto}"), &[]).unwrap().unwrap();
    let second = place.make(&schema("t{id auto} u{id auto}"), &[]).unwrap().unwrap();
    let good = fs::read_to_string(place.file(&second, "up")).unwrap();
    edit(place, &second, "up", |text| format!("{text}-- covet:rust nobody_knows_it\n"));
    let error = place.up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert!(error.to_string().contains("the step `nobody_knows_it` is written in Rust"), "{error}");
    assert!(error.help().unwrap().contains("data_step!(nobody_knows_it)"), "{error:?}");
    // Nothing was run, not even what comes before it.
    assert_eq!(place.standings().await, [Standing::Pending; 2]);
    assert!(place.shape(Words::Covets).await.schema.tables.is_empty());
    // One that is told to this runner alone.
    let known = || place.migrator().step(DataStep::new("nobody_knows_it", |_| Box::pin(std::future::ready(Ok(())))));
    assert_eq!(known().up(&place.db).await.unwrap().done.len(), 2);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
    let twice = known().step(DataStep::new("nobody_knows_it", |_| Box::pin(std::future::ready(Ok(())))));
    let error = twice.up(&place.db).await.unwrap_err().to_string();
    assert!(error.contains("two functions are the step `nobody_knows_it`"), "{error}");
    // On the way back, too.
    fs::write(place.file(&second, "up"), good).unwrap();
    edit(place, &second, "down", |text| format!("-- covet:rust nobody_knows_it\n{text}"));
    assert_eq!(place.up().await.unwrap(), 1);
    let error = place.down(Goal::All).await.unwrap_err().to_string();
    assert!(error.contains("on the way back") && error.contains("nobody_knows_it"), "{error}");
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
}

/// A statement behind the step fails: where statements share a transaction all of them go back, else the step is done,
/// and is not done again.
async fn x19_a_step_that_fails_is_run_once_in_the_end(place: &Place) {
    place.make(&schema("counter{id auto; n i32}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO counter (n) VALUES (0)").await;
    let second = place.make(&schema("counter{id auto; n i32} u{id auto}"), &[]).unwrap().unwrap();
    let good = fs::read_to_string(place.file(&second, "up")).unwrap();
    edit(place, &second, "up", |text| {
        format!("{text}-- covet:rust count_up\nALTER TABLE missing ADD COLUMN x INTEGER;\n")
    });
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("ALTER TABLE missing"), "{error}");
    let counted = place.number("SELECT n FROM counter").await;
    if place.kind == Kind::Mysql {
        assert_eq!(counted, 1);
        assert_eq!(place.standings().await[1], Standing::Unfinished { done: 2, total: 3 });
        // What is done is known by its name.
        edit(place, &second, "up", |text| text.replace("count_up", "count_slowly"));
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("statement 2 was edited after it was done"), "{error}");
    } else {
        assert_eq!(counted, 0);
        assert_eq!(place.standings().await[1], Standing::Pending);
    }
    fs::write(place.file(&second, "up"), format!("{good}-- covet:rust count_up\nCREATE TABLE w (id INTEGER);\n"))
        .unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT n FROM counter").await, 1);
    place.down(Goal::Count(1)).await.unwrap();
    place.sql("DROP TABLE w").await;

    // It may not end the transaction that it shares with its note.
    fs::write(place.file(&second, "up"), format!("-- covet:rust commits\n{good}")).unwrap();
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("transaction"), "{error}");
    assert_ne!(place.standings().await[1], Standing::Applied);
}

/// The runner goes while the step is under way: the next one does it, once.
async fn x19_a_run_that_is_lost_in_a_step(place: &Place) {
    place.make(&schema("counter{id auto; n i32} slow{id auto}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO counter (n) VALUES (0)").await;
    place.sql("INSERT INTO slow (id) VALUES (1)").await;
    let second = place.make(&schema("counter{id auto; n i32} slow{id auto} u{id auto}"), &[]).unwrap().unwrap();
    edit(place, &second, "up", |text| format!("{text}-- covet:rust count_slowly\n"));
    let db = Db::connect(&place.url.url).await.unwrap();
    let migrator = place.migrator();
    let lost = tokio::time::timeout(Duration::from_secs(2), migrator.up(&db)).await;
    assert!(lost.is_err(), "it takes its time: {lost:?}");
    db.close();
    drop(db);
    // Its transaction ends with its connection, which the server may notice a little later.
    let begin = std::time::Instant::now();
    while let Err(error) = place.try_sql("DELETE FROM slow").await {
        assert!(begin.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.number("SELECT n FROM counter").await, 1);
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
}
