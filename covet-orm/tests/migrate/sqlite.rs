//! Migrations that really run, on SQLite.

use std::path::Path;

use covet_orm::drivers::ErrorKind;
use covet_orm::drivers::catalog::{Column, Schema, Table};
use covet_orm::migrate::{Folder, Goal, Migrator, Standing};
use covet_orm::schema::MissingDecisions;

use crate::home::{Home, normal, posts, schema, table, text, users};

#[tokio::test]
async fn a_guard_stops_the_migration_before_anything_changed() {
    let home = Home::new().await;
    let note = |nullable| Column { nullable, ..text("note") };
    home.make(&schema(vec![table("t", vec![note(true)])]), &[]);
    home.up().await;
    home.sql("INSERT INTO t (note) VALUES (NULL), ('x')").await;
    let strict = schema(vec![table("extra", Vec::new()), table("t", vec![note(false)])]);
    home.make(&strict, &["no nulls in t.note"]);
    let before = home.introspected().await;
    let error = home.migrator().up(&home.db).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert!(error.to_string().contains("alter_column_t_note") || error.to_string().contains("(1 row)"), "{error}");
    assert_eq!(home.introspected().await, before);
    assert_eq!(home.standings().await, [Standing::Applied, Standing::Pending]);
    home.sql("UPDATE t SET note = 'y' WHERE note IS NULL").await;
    home.up().await;
    assert_eq!(home.introspected().await, normal(&strict));
}

#[tokio::test]
async fn a_statement_that_fails_leaves_nothing_behind() {
    let home = Home::new().await;
    let path = home.make(&schema(vec![users(Vec::new())]), &[]);
    let file = path.join("up.sqlite.sql");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}\nINSERT INTO nowhere VALUES (1);\n")).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UndefinedTable);
    assert!(error.to_string().contains("(initial)") && error.to_string().contains("of 3"), "{error}");
    assert_eq!(home.introspected().await, Schema::default());
    std::fs::write(&file, format!("{good}\nCOMMIT;\n")).unwrap();
    assert!(home.migrator().up(&home.db).await.is_err());
    std::fs::write(&file, &good).unwrap();
}

#[tokio::test]
async fn an_edited_or_lost_migration_is_refused_by_name() {
    let home = Home::new().await;
    let path = home.make(&schema(vec![users(Vec::new())]), &[]);
    home.up().await;
    let file = path.join("up.sqlite.sql");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("\u{feff}{}\r\n", good.replace('\n', "\r\n"))).unwrap();
    assert!(home.up().await.is_empty());
    std::fs::write(&file, format!("{good}-- note\n")).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("(initial)") && error.contains("edited"), "{error}");
    assert_eq!(home.standings().await, [Standing::Edited]);
    std::fs::write(&file, &good).unwrap();

    let elsewhere = home.dir.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let older = Migrator::from_dir(&elsewhere).unwrap();
    let error = older.up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("its files are not here"), "{error}");
    assert_eq!(older.status(&home.db).await.unwrap()[0].standing, Standing::Missing);
    // The way back is kept in the database.
    assert_eq!(older.down(&home.db, Goal::Count(1)).await.unwrap().done.len(), 1);
    assert_eq!(home.introspected().await, Schema::default());
}

#[tokio::test]
async fn a_dropped_run_can_be_taken_up_again() {
    let home = Home::new().await;
    home.make(&schema(vec![users(Vec::new()), posts()]), &[]);
    // However far it came, what is there afterwards is nothing or everything.
    for polls in 0..40 {
        let migrator = home.migrator();
        let mut run = std::pin::pin!(migrator.up(&home.db));
        let mut left = polls;
        let ended = std::future::poll_fn(|cx| {
            if left == 0 {
                return std::task::Poll::Ready(false);
            }
            left -= 1;
            run.as_mut().poll(cx).map(|result| {
                result.unwrap();
                true
            })
        })
        .await;
        if ended {
            break;
        }
    }
    home.up().await;
    assert_eq!(home.introspected().await.tables.len(), 2);
    assert_eq!(home.standings().await, [Standing::Applied]);
}

#[tokio::test]
async fn a_database_in_memory_is_migrated_on_its_one_connection() {
    let memory = Home::in_memory().await;
    let all = schema(vec![users(Vec::new()), posts()]);
    memory.make(&all, &[]);
    assert_eq!(memory.up().await, ["initial"]);
    assert_eq!(memory.introspected().await, normal(&all));
    // The session is as it was: foreign keys are checked.
    let mut lease = memory.db.acquire().await.unwrap();
    assert_eq!(lease.script("INSERT INTO posts (user_id) VALUES (9)").await.unwrap_err().kind(), ErrorKind::ForeignKey);
}

#[tokio::test]
async fn statements_that_run_alone_are_noted_one_by_one() {
    let home = Home::new().await;
    let path = home.make(&schema(vec![users(Vec::new())]), &[]);
    let script = "-- covet:alone\nCREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;\n\n\
        CREATE TABLE b (id INTEGER PRIMARY KEY) STRICT;\nCREATE TABLE c (id INTEGER PRIMARY KEY) STRICT;\n\
        -- covet:alone\nCREATE INDEX i ON missing (x);\nCREATE TABLE d (id INTEGER PRIMARY KEY) STRICT;\n";
    let file = path.join("up.sqlite.sql");
    std::fs::write(&file, script).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err();
    assert!(error.to_string().contains("statement 4 of 5"), "{error}");
    assert_eq!(home.standings().await, [Standing::Unfinished { done: 3, total: 5 }]);
    let status = home.migrator().status(&home.db).await.unwrap();
    assert!(status[0].error.as_ref().is_some_and(|error| error.contains("statement 4")), "{status:?}");
    assert!(home.migrator().down(&home.db, Goal::Count(1)).await.unwrap_err().to_string().contains("half-way"));

    // What is done must stay as it was; what is not may be put right.
    std::fs::write(&file, script.replace("TABLE b", "TABLE bb")).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("statement 2 was edited"), "{error}");
    std::fs::write(&file, script.replace("INDEX i ON missing (x)", "INDEX i ON a (id)")).unwrap();
    let done = home.migrator().up(&home.db).await.unwrap().done;
    assert_eq!(done[0].statements, 2);
    assert_eq!(home.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('a','b','c','d','i')").await, 5);
    assert_eq!(home.standings().await, [Standing::Applied]);
}

#[tokio::test]
async fn goals_and_previews() {
    let home = Home::new().await;
    home.make(&schema(vec![users(Vec::new())]), &[]);
    home.make(&schema(vec![users(Vec::new()), posts()]), &[]);
    let planned = home.migrator().plan_up(&home.db, Goal::Count(1)).await.unwrap();
    assert_eq!((planned.len(), planned[0].name.as_str()), (1, "initial"));
    assert!(planned[0].sql.contains("CREATE TABLE"));
    assert_eq!(home.introspected().await, Schema::default());
    assert_eq!(home.migrator().up_to(&home.db, Goal::Count(1)).await.unwrap().done.len(), 1);
    let error = home.migrator().up_to(&home.db, Goal::To("nowhere")).await.unwrap_err().to_string();
    assert!(error.contains("`nowhere`"), "{error}");
    let back = home.migrator().plan_down(&home.db, Goal::All).await.unwrap();
    assert!(back.len() == 1 && back[0].sql.contains("DROP TABLE"), "{back:?}");
}

#[tokio::test]
async fn the_folder_is_checked() {
    let home = Home::new().await;
    let first = home.make(&schema(vec![users(Vec::new())]), &[]);
    let second = home.make(&schema(vec![users(Vec::new()), posts()]), &[]);
    let folder = home.dir.path().join("migrations");
    let wrong = |what: &str| {
        let error = Folder::read(&folder).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    let plan = std::fs::read_to_string(second.join("plan.toml")).unwrap();
    // Two branches made one each.
    let id = first.file_name().unwrap().to_string_lossy().chars().take(21).collect::<String>();
    std::fs::write(second.join("plan.toml"), plan.replace(&format!("parents = [\"{id}\"]"), "parents = []")).unwrap();
    let error = Folder::read(&folder).unwrap().schema().unwrap_err().to_string();
    assert!(error.contains("users") && error.contains("posts"), "{error}");
    std::fs::write(second.join("plan.toml"), plan.replace(&format!("parents = [\"{id}\"]"), "parents = [\"x\"]"))
        .unwrap();
    wrong("follows x, which is not there");
    std::fs::write(second.join("plan.toml"), "id =").unwrap();
    wrong("malformed");
    std::fs::write(second.join("plan.toml"), &plan).unwrap();
    Folder::read(&folder).unwrap();
    let snapshot = std::fs::read_to_string(second.join("schema.toml")).unwrap();
    std::fs::write(second.join("schema.toml"), snapshot.replace("posts", "pests")).unwrap();
    assert!(Folder::read(&folder).unwrap().schema().unwrap_err().to_string().contains("hash"));
    std::fs::remove_file(second.join("schema.toml")).unwrap();
    wrong("has no schema.toml");
    std::fs::write(second.join("schema.toml"), &snapshot).unwrap();
    copy(&second, &folder.join("copy"));
    wrong("renamed or copied");
    std::fs::remove_dir_all(folder.join("copy")).unwrap();
    std::fs::remove_file(first.join("up.sqlite.sql")).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("not made for sqlite"), "{error}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_decided_is_not_written() {
    let home = Home::new().await;
    home.make(&schema(vec![users(vec![text("name")])]), &[]);
    let error = home.project.draft(&schema(vec![users(Vec::new())]), None, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decision);
    let missing = MissingDecisions::of(&error).unwrap();
    assert_eq!(missing.missing[0].answers[0].decision, "drop column users.name");
    assert!(error.to_string().contains("drop column users.name"));
    assert_eq!(Folder::read(home.dir.path().join("migrations")).unwrap().migrations().len(), 1);
}

#[tokio::test]
async fn made_twice_the_files_are_the_same() {
    let (a, b) = (Home::new().await, Home::new().await);
    let all = vec![users(Vec::new()), posts(), table("tags", vec![text("name")])];
    let mut turned = all.clone();
    turned.reverse();
    let files = |home: &Home, tables: Vec<Table>| {
        let draft = home.project.draft(&Schema::of(tables), Some("x"), &[]).unwrap().unwrap();
        let id = draft.name().trim_end_matches("_x").to_owned();
        draft.files().iter().map(|(name, text)| (name.clone(), text.replace(&id, ""))).collect::<Vec<_>>()
    };
    assert_eq!(files(&a, all), files(&b, turned));
}
