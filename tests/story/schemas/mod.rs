//! Models in schemas of PostgreSQL: their queries, what becomes of a schema that others use too, and the tool.

mod models;
mod queries;
#[rustfmt::skip]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod pulled;

use covet_orm::migrate::{Goal, Migrator, Project};
use covet_orm::schema::{Models, schema_of};
use covet_tests::{Kind, Url};

use crate::notation::schema;
use crate::place::{Place, on};
use crate::teams::{branch, in_both_orders};
use crate::tool::{Said, run, workspace};

const BEFORE: &str = "users{id auto} billing.t{id auto}";

/// A place in which the last table of a schema is to go.
async fn emptied(work: impl AsyncFnOnce(&Place)) {
    on(Kind::Postgres, async |place| {
        place.make(&schema(BEFORE), &[]).unwrap();
        place.up().await.unwrap();
        work(place).await;
    })
    .await;
}

async fn is_there(place: &Place, name: &str) -> bool {
    place.number(&format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{name}'")).await == 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_kept_stays_both_ways() {
    emptied(async |place| {
        place.sql("CREATE TABLE billing.other (x INT)").await;
        let after = schema("users{id auto}");
        place.make(&after, &["drop table billing.t", "keep schema billing"]).unwrap();
        place.up().await.unwrap();
        assert!(is_there(place, "billing").await);
        assert!(place.make(&after, &[]).unwrap().is_none(), "there is nothing more to do");
        place.down(Goal::Count(1)).await.unwrap();
        assert_eq!(place.number("SELECT count(*) FROM billing.t").await, 0);
        assert_eq!(place.number("SELECT count(*) FROM billing.other").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_else_is_in_a_schema_stops_its_end_and_nothing_is_changed() {
    emptied(async |place| {
        place.sql("CREATE TABLE billing.other (x INT); INSERT INTO billing.t DEFAULT VALUES").await;
        place.make(&schema("users{id auto}"), &["drop table billing.t", "drop schema billing"]).unwrap();
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("billing") && error.contains("other"), "{error}");
        assert_eq!(place.number("SELECT count(*) FROM billing.t").await, 1);
        place.sql("DROP TABLE billing.other").await;
        place.up().await.unwrap();
        assert!(!is_there(place, "billing").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_leaves_a_schema_that_others_use() {
    on(Kind::Postgres, async |place| {
        place.sql("CREATE SCHEMA billing; CREATE TABLE billing.other (x INT)").await;
        place.make(&schema("users{id auto}"), &[]).unwrap();
        place.make(&schema(BEFORE), &[]).unwrap();
        place.up().await.unwrap();
        place.down(Goal::Count(1)).await.unwrap();
        assert_eq!(place.number("SELECT count(*) FROM billing.other").await, 0);
        place.sql("DROP TABLE billing.other").await;
        place.up().await.unwrap();
        place.down(Goal::Count(1)).await.unwrap();
        assert!(!is_there(place, "billing").await);
    })
    .await;
}

/// A name that is taken where the table goes is told when the migration is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_whose_name_is_taken_in_the_other_schema_is_refused() {
    on(Kind::Postgres, async |place| {
        place.make(&schema("one.a{id auto; x i32; ix:i(x)} two.b{id auto; y i32; ix:i(y)}"), &[]).unwrap();
        let after = schema("two.a{id auto; x i32; ix:j(x)} two.b{id auto; y i32; ix:i(y)}");
        let decisions = ["rename table one.a to two.a", "drop schema one"];
        let error = place.make(&after, &decisions).unwrap_err().to_string();
        assert!(error.contains("has an index i already"), "{error}");
    })
    .await;
}

/// Migrations that were made side by side may both bring the same schema: whichever runs first makes it, and whichever
/// goes back last takes it away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_branches_may_bring_one_schema() {
    on(Kind::Postgres, async |place| {
        let both = "t{id auto} shop.a{id auto; n i32?} shop.b{id auto}";
        let wanted = place.fresh(&schema(both)).await;
        place.make(&schema("t{id auto}"), &[]).unwrap();
        let first = branch(place, "t{id auto} shop.a{id auto; n i32?}", &[]);
        let second = branch(place, "t{id auto} shop.b{id auto}", &[]);
        assert!(place.make(&schema(both), &[]).unwrap().is_none());
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'";
        in_both_orders(place, [&first, &second], &wanted, async || {
            assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
            assert_eq!(place.number(schemas).await, 1, "the other's table is in it");
            place.down(Goal::All).await.unwrap();
            assert_eq!(place.number(schemas).await, 0);
        })
        .await;
    })
    .await;
}

/// One name in two schemas is two things.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_apart_by_their_schemas() {
    on(Kind::Postgres, async |place| {
        let both = schema("t{id auto; a i32 ix} one.t{id auto; a i32 ix} two.t{id auto; a i32 ix}");
        place.make(&both, &[]).unwrap();
        place.up().await.unwrap();
        let after = schema("t{id auto; a i32 ix} one.t{id auto; a i32} two.t{id auto; a i32 ix}");
        place.make(&after, &[]).unwrap();
        place.up().await.unwrap();
        let left = "SELECT count(*) FROM pg_indexes WHERE indexname = 't_a_idx' AND schemaname IN ('public', 'two')";
        assert_eq!(place.number(left).await, 2);
        assert_eq!(place.number("SELECT count(*) FROM pg_indexes WHERE indexname = 't_a_idx'").await, 2);
    })
    .await;
}

/// What others wrote, in two schemas.
const WRITTEN: &str = "\
CREATE SCHEMA billing;
CREATE SCHEMA apart;
CREATE TYPE billing.state AS ENUM ('open', 'paid');
CREATE TABLE customers (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, name text NOT NULL);
CREATE TABLE entries (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY);
CREATE TABLE billing.invoices (
  id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  customer_id bigint NOT NULL REFERENCES public.customers (id) ON DELETE CASCADE,
  state billing.state NOT NULL DEFAULT 'open',
  number varchar(20) NOT NULL CONSTRAINT invoices_number_ck CHECK (number <> ''));
CREATE UNIQUE INDEX invoices_number_key ON billing.invoices (number);
CREATE TABLE billing.entries (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  invoice_id bigint NOT NULL REFERENCES billing.invoices (id));
CREATE TABLE apart.nobody (id bigint PRIMARY KEY);
CREATE VIEW billing.large AS SELECT id FROM billing.invoices;";

/// The models that were pulled.
fn pulled() -> Models {
    Models::registered().of_module(&format!("{}::pulled", module_path!()))
}

struct Written {
    folder: tempfile::TempDir,
    url: Url,
}

impl Written {
    async fn sql(&self, sql: &str) {
        let db = covet_orm::Db::connect(&self.url.url).await.unwrap();
        db.acquire().await.unwrap().script(sql).await.unwrap();
        db.close();
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Said {
        run(self.folder.path(), &[args, &["--url", self.url.url.as_str()][..]].concat())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_pulled_from_schemas_and_leave_nothing_to_migrate() {
    let Some(url) = Url::fresh(Kind::Postgres).await else { return };
    let written = Written { folder: tempfile::tempdir().unwrap(), url };
    written.sql(WRITTEN).await;
    std::fs::write(written.folder.path().join("covet.toml"), "databases = [\"postgres\"]\n").unwrap();
    // Without a word only the first of the search path.
    let first = written.run(&["db", "pull"]);
    first.is(0, &["pub struct Customer", "schema billing: tables: 2"]);
    assert!(!first.out.contains("invoices"), "{first:?}");
    let text = written.run(&["db", "pull", "--schema", "billing"]).is(0, &[]).out.clone();
    assert_eq!(text, written.run(&["db", "pull", "--schema", "billing"]).out, "the same bytes");
    let file = workspace().join("tests/story/schemas/pulled.rs");
    if std::env::var_os("COVET_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "COVET_BLESS=1 writes {} anew", file.display());

    let wanted = schema_of(&pulled()).unwrap();
    let migrations = written.folder.path().join("migrations");
    let project = Project::new(&migrations, &["postgres"]).unwrap();
    project.draft(&wanted, None, &[]).unwrap().expect("the first migration").write().unwrap();
    written.run(&["migrate", "baseline"]).is(0, &["recorded"]);
    assert!(project.draft(&wanted, None, &[]).unwrap().is_none(), "there is something to migrate");
    let db = covet_orm::Db::connect(&written.url.url).await.unwrap();
    assert!(Migrator::from_dir(&migrations).unwrap().up(&db).await.unwrap().done.is_empty());
    db.close();

    run(written.folder.path(), &["migrate", "lint"]).is(0, &[]);
    let graph = run(written.folder.path(), &["schema", "graph"]);
    graph.is(0, &["\"billing.entries\"", "    entries {"]);
    let dump = run(written.folder.path(), &["schema", "dump"]);
    dump.is(0, &["CREATE SCHEMA IF NOT EXISTS \"billing\";", "CREATE TABLE \"billing\".\"entries\""]);
    let live = written.run(&["schema", "dump", "--schema", "billing"]);
    live.is(0, &["CREATE TABLE \"billing\".\"invoices\"", "CREATE TYPE \"billing\".\"state\""]);

    written.run(&["db", "drift"]).is(0, &["apart    view billing.large", "apart    schema apart"]);
    written
        .sql("ALTER TABLE billing.entries ADD COLUMN surprise integer; DROP INDEX billing.invoices_number_key")
        .await;
    let said = written.run(&["db", "drift"]);
    said.is(1, &["extra    column billing.entries.surprise", "missing  index invoices_number_key on billing.invoices"]);
    written.url.drop_database().await;
}
