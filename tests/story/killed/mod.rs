//! `kill -9` of the runner at every statement of a migration of twelve, and eight runners at once.
//!
//! The migration is run by a process of its own, which is killed when it asks the database for the n-th time: before
//! the statement is sent, while it is under way, or when it is done. Then another run must come to the same end as one
//! that nobody killed. `COVET_TORTURE=1` takes every call and every moment; else one moment of every other call.

pub(crate) mod deadly;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use covet_orm::drivers::contract::{ConnectUrl, adapter_for};
use covet_orm::migrate::{Goal, Migrator, Standing};
use covet_orm::{Db, DbOptions};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Shape, Words};
use crate::rows::Rows;
use crate::tool;
use deadly::{Deadly, Fate, Moment};

const URL: &str = "COVET_KILLED_URL";
const FOLDER: &str = "COVET_KILLED_FOLDER";
const AT: &str = "COVET_KILLED_AT";
const MOMENT: &str = "COVET_KILLED_MOMENT";
const WAY: &str = "COVET_KILLED_WAY";

/// A call that never comes.
pub(crate) const NEVER: usize = usize::MAX;

/// What is there before.
const START: &str = "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, x BIGINT NOT NULL);\n\
    CREATE TABLE b (id BIGINT NOT NULL PRIMARY KEY, a_id BIGINT NOT NULL);\n\
    CREATE TABLE old (id BIGINT NOT NULL PRIMARY KEY);\n\
    INSERT INTO a VALUES (1, 10), (2, 20), (3, 30);\nINSERT INTO b VALUES (1, 1), (2, 3);\n";

const START_OF_SQLITE: &str = "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x INTEGER NOT NULL) STRICT;\n\
    CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, a_id INTEGER NOT NULL) STRICT;\n\
    CREATE TABLE old (id INTEGER NOT NULL PRIMARY KEY) STRICT;\n\
    INSERT INTO a VALUES (1, 10), (2, 20), (3, 30);\nINSERT INTO b VALUES (1, 1), (2, 3);\n";

fn up(kind: Kind) -> &'static str {
    match kind {
        Kind::Mysql => {
            "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, note BIGINT) ENGINE=InnoDB;\n\
            ALTER TABLE a ADD COLUMN n INT NULL;\nUPDATE a SET n = x + 1;\n\
            -- covet:guard a.n is NULL\nSELECT COUNT(*) FROM a WHERE n IS NULL;\n\
            ALTER TABLE a MODIFY COLUMN n BIGINT NOT NULL;\nCREATE INDEX a_n ON a (n);\n\
            INSERT INTO c SELECT id, x FROM a;\nUPDATE a SET x = x + 1;\n\
            ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a (id);\n\
            ALTER TABLE c RENAME COLUMN note TO other;\nRENAME TABLE c TO d;\nDROP TABLE old;\n"
        }
        Kind::Postgres => {
            "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, note BIGINT);\n\
            ALTER TABLE a ADD COLUMN n BIGINT;\nUPDATE a SET n = x + 1;\n\
            -- covet:alone\nCREATE INDEX CONCURRENTLY a_n ON a (n);\n\
            -- covet:alone\nALTER TYPE mood ADD VALUE 'high';\nUPDATE a SET x = x + 1;\n\
            INSERT INTO c SELECT id, x FROM a;\n\
            -- covet:alone\nCREATE UNIQUE INDEX CONCURRENTLY c_note ON c (note, id);\n\
            -- covet:alone\nALTER TABLE c RENAME COLUMN note TO other;\n\
            ALTER TABLE a ALTER COLUMN n SET NOT NULL;\n\
            -- covet:alone\nDROP INDEX CONCURRENTLY a_n;\nDROP TABLE old;\n"
        }
        Kind::Sqlite => {
            "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, note INTEGER) STRICT;\n\
            ALTER TABLE a ADD COLUMN n INTEGER;\nUPDATE a SET n = x + 1;\n\
            -- covet:alone\nCREATE TABLE e (id INTEGER NOT NULL PRIMARY KEY) STRICT;\n\
            -- covet:alone\nVACUUM;\nUPDATE a SET x = x + 1;\nINSERT INTO c SELECT id, x FROM a;\n\
            -- covet:alone\nALTER TABLE c RENAME COLUMN note TO other;\n\
            -- covet:alone\nPRAGMA optimize;\nCREATE INDEX a_n ON a (n);\n\
            -- covet:alone\nALTER TABLE c RENAME TO d;\nDROP TABLE old;\n"
        }
    }
}

fn down(kind: Kind) -> &'static str {
    match kind {
        Kind::Mysql => {
            "CREATE TABLE old (id BIGINT NOT NULL PRIMARY KEY);\nRENAME TABLE d TO c;\n\
            ALTER TABLE b DROP FOREIGN KEY b_a;\nDROP INDEX b_a ON b;\nUPDATE a SET x = x - 1;\n\
            DROP TABLE c;\nDROP INDEX a_n ON a;\nALTER TABLE a DROP COLUMN n;\n"
        }
        Kind::Postgres => {
            "CREATE TABLE old (id BIGINT NOT NULL PRIMARY KEY);\nUPDATE a SET x = x - 1;\n\
            -- covet:alone\nDROP INDEX CONCURRENTLY c_note;\nDROP TABLE c;\n\
            -- covet:alone\nALTER TABLE a DROP COLUMN n;\n"
        }
        Kind::Sqlite => {
            "CREATE TABLE old (id INTEGER NOT NULL PRIMARY KEY) STRICT;\nUPDATE a SET x = x - 1;\n\
            -- covet:alone\nDROP TABLE d;\nDROP TABLE e;\nDROP INDEX a_n;\n\
            -- covet:alone\nALTER TABLE a DROP COLUMN n;\n"
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_statement_sqlite() {
    at_every_statement(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_statement_postgres() {
    at_every_statement(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_statement_mysql() {
    at_every_statement(Kind::Mysql).await;
}

async fn at_every_statement(kind: Kind) {
    let Some(place) = Place::new(kind).await else { return };
    for way in ["up", "down"] {
        begin(&place, way).await;
        assert!(worker(&place, way, NEVER, Moment::After).status.success());
        let calls: usize = std::fs::read_to_string(place.dir.path().join("calls")).unwrap().parse().unwrap();
        let wanted = state(&place).await;
        let torture = std::env::var_os("COVET_TORTURE").is_some();
        let stride = match (torture, way) {
            (true, _) => 1,
            (false, "up") => 2,
            (false, _) => 4,
        };
        for at in (0..calls).step_by(stride) {
            for moment in Moment::ALL.into_iter().filter(|moment| torture || *moment as usize == at / stride % 3) {
                begin(&place, way).await;
                let output = worker(&place, way, at, moment);
                assert_eq!(output.status.signal(), Some(9), "{output:?}");
                let told = format!("{way}, killed {} call {at} of {calls}", moment.name());
                let ran = if way == "up" { place.up().await } else { place.down(Goal::All).await };
                ran.unwrap_or_else(|error| panic!("{told}: {error}"));
                let found = state(&place).await;
                found.0.is(&wanted.0, &told);
                assert_eq!((found.1, found.2), (wanted.1.clone(), wanted.2.clone()), "{told}");
            }
        }
    }
    place.end().await;
}

async fn state(place: &Place) -> (Shape, Rows, Vec<Standing>) {
    (place.shape(Words::Own).await, place.rows().await, place.standings().await)
}

/// The database and the folder as they are before the run; before a way back the migration is applied.
async fn begin(place: &Place, way: &str) {
    place.wipe().await;
    place.sql(if place.kind == Kind::Sqlite { START_OF_SQLITE } else { START }).await;
    if place.kind == Kind::Postgres {
        place.sql("CREATE TYPE mood AS ENUM ('low')").await;
    }
    let path = place.make(&schema("a{id auto}"), &[]).unwrap().unwrap();
    std::fs::write(place.file(&path, "up"), up(place.kind)).unwrap();
    std::fs::write(place.file(&path, "down"), down(place.kind)).unwrap();
    if way == "down" {
        place.up().await.unwrap();
    }
}

pub(crate) fn worker(place: &Place, way: &str, at: usize, moment: Moment) -> std::process::Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["killed::process", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(URL, &place.url.url).env(FOLDER, place.dir.path()).env(AT, at.to_string());
    command.env(MOMENT, moment.name()).env(WAY, way).stdin(Stdio::null()).output().unwrap()
}

/// Runs in the process that is killed; elsewhere there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests of this module, in a process of its own"]
async fn process() {
    let url: ConnectUrl = std::env::var(URL).unwrap().parse().unwrap();
    let folder = std::env::var(FOLDER).unwrap();
    let at = std::env::var(AT).unwrap().parse().unwrap();
    let fate = Fate::new(at, Moment::named(&std::env::var(MOMENT).unwrap()));
    let inner = adapter_for(url.scheme()).unwrap().open(&url).unwrap();
    let backend = Arc::new(Deadly { inner, fate: Arc::clone(&fate) });
    let db = Db::open(backend, DbOptions::new().max_connections(1)).await.unwrap();
    let migrator = Migrator::from_dir(Path::new(&folder).join("migrations")).unwrap();
    if std::env::var(WAY).unwrap() == "up" {
        migrator.up(&db).await.unwrap();
    } else {
        migrator.down(&db, Goal::All).await.unwrap();
    }
    std::fs::write(Path::new(&folder).join("calls"), fate.calls().to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_sqlite() {
    eight_at_once(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_postgres() {
    eight_at_once(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_mysql() {
    eight_at_once(Kind::Mysql).await;
}

/// Eight processes, three migrations, statements outside of transactions in the middle: each is applied once.
async fn eight_at_once(kind: Kind) {
    let Some(place) = Place::new(kind).await else { return };
    let schemas = ["runs{id auto; n i32}", "runs{id auto; n i32; a i32?}", "runs{id auto; n i32; a i32?; b i32?}"];
    for (number, text) in schemas.iter().enumerate() {
        let path = place.make(&schema(text), &[]).unwrap().unwrap();
        let file = place.file(&path, "up");
        let good = std::fs::read_to_string(&file).unwrap();
        let more = if number == 0 { "INSERT INTO runs (n) VALUES (1)" } else { "UPDATE runs SET n = n + 1" };
        let alone = match kind {
            Kind::Postgres => format!("CREATE INDEX CONCURRENTLY runs_{number} ON runs (n)"),
            Kind::Mysql => format!("CREATE INDEX runs_{number} ON runs (n)"),
            Kind::Sqlite => format!("CREATE TABLE runs_{number} (id INTEGER PRIMARY KEY)"),
        };
        let mark = if kind == Kind::Mysql { "" } else { "-- covet:alone\n" };
        std::fs::write(&file, format!("{good}\n{more};\n\n{mark}{alone};\n\n{more};\n")).unwrap();
    }
    std::fs::write(place.dir.path().join("covet.toml"), format!("databases = [\"{}\"]\n", kind.name())).unwrap();
    let spawn = |_| -> Child {
        let mut command = tool::command(place.dir.path(), &["migrate", "up", "--url", &place.url.url]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<Child> = (0..8).map(spawn).collect();
    let mut applied = 0;
    for run in runs {
        let said = tool::said(&run.wait_with_output().unwrap());
        said.is(0, &[]);
        applied += said.out.matches("applied").count();
    }
    assert_eq!(applied, 3);
    assert_eq!(place.number("SELECT count(*) FROM runs").await, 2);
    assert_eq!(place.number("SELECT max(n) FROM runs").await, 5);
    assert_eq!(place.number("SELECT min(n) FROM runs").await, 5);
    assert_eq!(place.standings().await, [Standing::Applied; 3]);
    place.end().await;
}
