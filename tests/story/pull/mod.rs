//! `db pull` and `db drift` on schemas as others write them, with all that a database can have: the models compile
//! (they are modules of this test), the same bytes come twice, and there is nothing to migrate afterwards.
//!
//! `COVET_BLESS=1` writes the models anew; they are compiled when the test is built the next time.

#[rustfmt::skip]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod mysql;
#[rustfmt::skip]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod postgres;
#[rustfmt::skip]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod sqlite;

use std::path::{Path, PathBuf};

use covet_orm::Db;
use covet_orm::migrate::{Migrator, Project};
use covet_orm::schema::{Models, schema_of};
use covet_tests::{Kind, Url};
use serde_json::Value;

use crate::tool::{run, workspace};

/// The models of one database: those of its module.
fn models(kind: Kind) -> Models {
    Models::registered().of_module(&format!("{}::{}", module_path!(), kind.name()))
}

fn beside(name: &str) -> PathBuf {
    workspace().join("tests/story/pull").join(name)
}

struct Place {
    folder: tempfile::TempDir,
    url: Url,
}

impl Place {
    /// A database with the schema that others wrote.
    async fn new(kind: Kind) -> Option<Place> {
        let url = Url::fresh(kind).await?;
        let place = Place { folder: tempfile::tempdir().unwrap(), url };
        place.sql(&std::fs::read_to_string(beside(&format!("{}.sql", kind.name()))).unwrap()).await;
        let toml = format!("databases = [\"{}\"]\n", kind.name());
        std::fs::write(place.folder.path().join("covet.toml"), toml).unwrap();
        Some(place)
    }

    async fn sql(&self, sql: &str) {
        let db = Db::connect(&self.url.url).await.unwrap();
        db.acquire().await.unwrap().script(sql).await.unwrap();
        db.close();
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> crate::tool::Said {
        let at = ["--url", self.url.url.as_str()];
        run(self.folder.path(), &[args, &at[..]].concat())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

async fn on_each(work: impl AsyncFn(&Place)) {
    for kind in Kind::ALL {
        if let Some(place) = Place::new(kind).await {
            work(&place).await;
            place.url.drop_database().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_of_any_schema_compile_and_leave_nothing_to_migrate() {
    on_each(async |place| {
        let kind = place.url.kind;
        let on_standard_output = place.run(&["db", "pull"]);
        let first = on_standard_output.is(0, &[]).out.clone();
        place.run(&["db", "pull", "-o", "models.rs"]).is(0, &["wrote models.rs", "left out"]);
        let text = std::fs::read_to_string(place.path().join("models.rs")).unwrap();
        assert_eq!(first, text, "{kind:?}");
        place.run(&["db", "pull", "-o", "models.rs"]).is(0, &["says this already"]);
        let checked_in = beside(&format!("{}.rs", kind.name()));
        if std::env::var_os("COVET_BLESS").is_some() {
            std::fs::write(&checked_in, &text).unwrap();
            return;
        }
        let known = std::fs::read_to_string(&checked_in).unwrap();
        assert!(known == text, "{kind:?}: COVET_BLESS=1 writes {} anew", checked_in.display());

        let schema = schema_of(&models(kind)).unwrap();
        let folder = place.path().join("migrations");
        let project = Project::new(&folder, &[kind.name()]).unwrap();
        project.draft(&schema, None, &[]).unwrap().expect("the first migration").write().unwrap();
        place.run(&["migrate", "baseline"]).is(0, &["recorded"]);
        assert!(project.draft(&schema, None, &[]).unwrap().is_none(), "{kind:?}: there is something to migrate");
        let db = Db::connect(&place.url.url).await.unwrap();
        assert!(Migrator::from_dir(&folder).unwrap().up(&db).await.unwrap().done.is_empty());
        db.close();

        // What the models make on a new database is what was there.
        let none = place.run(&["db", "drift", "--json"]);
        let told: Value = serde_json::from_str(&none.is(0, &[]).out).unwrap();
        assert_eq!((&told["drift"], &told["differences"]), (&Value::from(false), &Value::Array(Vec::new())));
        let apart: Vec<&str> =
            told["unmanaged"].as_array().unwrap().iter().map(|one| one["object"].as_str().unwrap()).collect();
        assert!(apart.contains(&"table keyless") && apart.contains(&"table wide_key"), "{apart:?}");
        let kinds: Vec<&str> =
            told["unmodelled"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"view") && !kinds.contains(&"trigger"), "{kinds:?}");
        place.run(&["db", "drift", "--all"]).is(1, &["apart", "table keyless"]);

        place
            .sql(
                "ALTER TABLE authors ADD COLUMN surprise integer; ALTER TABLE shops ADD COLUMN more integer;\n\
                 CREATE INDEX surprise_idx ON posts (words); CREATE TABLE nobody_knows (id integer primary key);\n\
                 DROP VIEW adult_authors; CREATE VIEW adult_authors AS SELECT id FROM authors WHERE age > 18",
            )
            .await;
        let said = place.run(&["db", "drift"]);
        said.is(1, &["extra    column authors.surprise", "extra    column shops.more", "extra    index surprise_idx"]);
        said.is(1, &["apart    table nobody_knows: no model has it", "differs  view adult_authors: ", "4 differences"]);
    })
    .await;
}

/// What the models leave out of a table is left as it is, or the rebuild of the table is stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_models_leave_out_stops_a_rebuild() {
    let place = Place::new(Kind::Sqlite).await.unwrap();
    let schema = schema_of(&models(Kind::Sqlite)).unwrap();
    let folder = place.path().join("migrations");
    let project = Project::new(&folder, &["sqlite"]).unwrap();
    project.draft(&schema, None, &[]).unwrap().expect("the first migration").write().unwrap();
    place.run(&["migrate", "baseline"]).is(0, &["recorded"]);
    let db = Db::connect(&place.url.url).await.unwrap();
    for (table, column, said) in [
        ("posts", "words", "columns of posts have a foreign key that is not in the schema"),
        ("authors", "email", "authors has a COLLATE that is not in the schema"),
    ] {
        let mut changed = schema.clone();
        let found = changed.tables.iter_mut().find(|known| known.name == table).unwrap();
        found.columns.iter_mut().find(|known| known.name == column).unwrap().nullable = true;
        let made = project.draft(&changed, None, &[]).unwrap().unwrap().write().unwrap();
        let error = Migrator::from_dir(&folder).unwrap().up(&db).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        std::fs::remove_dir_all(made).unwrap();
    }
    db.close();
    place.url.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_not_written_over_unasked_and_tables_are_chosen() {
    on_each(async |place| {
        std::fs::write(place.path().join("models.rs"), "// mine\n").unwrap();
        let asked = place.run(&["db", "pull", "-o", "models.rs"]);
        asked.is(3, &["nobody has confirmed", "models.rs", "--force"]);
        assert_eq!(std::fs::read_to_string(place.path().join("models.rs")).unwrap(), "// mine\n");
        place.run(&["db", "pull", "--tables", "posts,tagz", "-o", "models.rs"]).is(1, &["no table `tagz`", "`tags`"]);
        place.run(&["db", "pull", "--tables", "tags", "--force", "-o", "models.rs"]).is(0, &["1 model, 0 enums"]);
        let text = std::fs::read_to_string(place.path().join("models.rs")).unwrap();
        assert!(text.contains("pub struct Tag {") && !text.contains("authors"), "{text}");
        let told: Value = serde_json::from_str(&place.run(&["db", "pull", "--json"]).is(0, &[]).out).unwrap();
        assert!(told["source"].as_str().unwrap().contains("pub struct Author {"));
        let left: Vec<&str> =
            told["left_out"].as_array().unwrap().iter().map(|one| one["object"].as_str().unwrap()).collect();
        assert!(left.contains(&"table keyless"), "{left:?}");
        place.run(&["db", "pull", "-o", "no/such/folder.rs"]).is(1, &["cannot write no/such/folder.rs"]);
    })
    .await;
}
