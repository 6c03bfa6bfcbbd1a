//! Migrations that are built into a program: at its start, and when one comes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use covet_orm::ErrorKind;
use covet_orm::migrate::{Embedded, Files, Migrator, Project};
use covet_tests::program::without_cargo;
use covet_tests::{Kind, Url};

use crate::notation::schema;
use crate::place::{Place, Words, by_name, on_each};
use crate::tool::{target, workspace};

on_each! { x25_at_start_up }

/// What the macro makes of a folder.
fn embed(folder: &Path) -> Embedded {
    fn text(path: &Path) -> &'static str {
        Box::leak(std::fs::read_to_string(path).unwrap().into_boxed_str())
    }
    let names = |path: &Path| -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let name = |path: &Path| -> &'static str {
        Box::leak(path.file_name().unwrap().to_str().unwrap().to_owned().into_boxed_str())
    };
    let mut migrations: Vec<(&'static str, Files)> = Vec::new();
    for migration in names(folder).into_iter().filter(|path| path.is_dir()) {
        let files = names(&migration).into_iter().filter(|file| !file.ends_with("schema.toml"));
        let files: Vec<(&'static str, &'static str)> = files.map(|file| (name(&file), text(&file))).collect();
        migrations.push((name(&migration), files.leak()));
    }
    Embedded::new(migrations.leak())
}

/// A program that starts on a database that is older, as old, and newer than itself.
async fn x25_at_start_up(place: &Place) {
    let first = schema("a{id auto; n i32}");
    place.make(&first, &[]).unwrap();
    let old = embed(&place.migrations());
    place.make(&schema("a{id auto; n i32} b{id auto}"), &[]).unwrap();
    let new = embed(&place.migrations());
    assert_eq!(place.db.migrate(&old).await.unwrap().done.len(), 1);
    assert_eq!(place.shape(Words::Covets).await.schema, by_name(&first));
    // Nobody else is waited for.
    let mut other = place.db.backend().connect().await.unwrap();
    other.lock("covet_migrations", Duration::from_secs(1)).await.unwrap();
    assert_eq!(place.db.migrate(&old).await.unwrap().done.len(), 0);
    other.close().await.unwrap();
    assert_eq!(place.db.migrate(&new).await.unwrap().done.len(), 1);
    let error = place.db.migrate(&old).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert!(error.to_string().contains("its files are not here"), "{error}");
    assert!(error.help().unwrap().contains("newer"), "{error:?}");
    assert!(Migrator::embedded(&old).unwrap().allow_newer().up(&place.db).await.unwrap().done.is_empty());
    assert_eq!(place.migrator().status(&place.db).await.unwrap().len(), 2);
}

const PROGRAM: &str = r#"
use covet_orm::Db;
use covet_orm::migrate::Embedded;

static MIGRATIONS: Embedded = covet_orm::embed_migrations!("migrations");

#[tokio::main]
async fn main() {
    let db = Db::connect(&std::env::args().nth(1).unwrap()).await.unwrap();
    println!("applied {}", db.migrate(&MIGRATIONS).await.unwrap().done.len());
}
"#;

/// Whoever adds a migration with `make` and builds the program gets it built in, and an edit of one as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_comes_is_built_in() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starter");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"starter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         covet-orm = {{ path = {:?}, features = [\"postgres\", \"mysql\", \"sqlite\"] }}\n\
         tokio = {{ version = \"1\", features = [\"rt-multi-thread\", \"macros\"] }}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package]\n\
         postgres-protocol = {{ opt-level = 3 }}\nsha2 = {{ opt-level = 3 }}\n",
        workspace().join("covet-orm")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    std::fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    let project = Project::new(folder.join("migrations"), &["sqlite"]).unwrap();
    let make = |text: &str| project.draft(&schema(text), None, &[]).unwrap().unwrap().write().unwrap();
    let url = Url::fresh(Kind::Sqlite).await.unwrap();
    make("a{id auto}");
    assert_eq!(starts(&folder, &url.url), "applied 1");
    assert_eq!(starts(&folder, &url.url), "applied 0");
    let second = make("a{id auto} b{id auto}");
    assert_eq!(starts(&folder, &url.url), "applied 1");
    make("a{id auto} b{id auto} c{id auto}");
    let third = make("a{id auto} b{id auto} c{id auto} d{id auto}");
    let file = third.join("up.sqlite.sql");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\nINSERT INTO d VALUES (7);\n")).unwrap();
    assert_eq!(starts(&folder, &url.url), "applied 2");
    // One that goes is gone as well: the database is newer now.
    let gone = folder.join("gone");
    std::fs::rename(&third, &gone).unwrap();
    make("a{id auto} b{id auto} c{id auto} e{id auto}");
    assert!(starts(&folder, &url.url).contains("its files are not here"));
    assert!(second.exists());
    url.drop_database().await;
}

/// Builds the program, runs it, and gives what it says.
fn starts(folder: &Path, url: &str) -> String {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargo(&mut command).args(["run", "--quiet", "--offline", "--", url]).current_dir(folder);
    let output = command.env("CARGO_TARGET_DIR", target()).output().unwrap();
    let text = if output.status.success() { &output.stdout } else { &output.stderr };
    String::from_utf8_lossy(text).trim().to_owned()
}
