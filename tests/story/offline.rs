//! Scripts of migrations that the database's own program runs, in place of the runner.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use covet_orm::drivers::contract::{ConnectUrl, adapter_for};
use covet_orm::migrate::{Folder, Goal, Standing, Target, offline_script};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, Words, on, on_each};

on_each! { x21_a_script_is_run_elsewhere x21_a_script_that_stops }

/// How the database's own program runs a script that stops at the first error; `None` where there is none.
fn program(place: &Place) -> Option<Command> {
    let url: ConnectUrl = place.url.url.parse().unwrap();
    let shells = adapter_for(url.scheme()).unwrap().admin().unwrap().shells(&url).unwrap();
    let folder = match place.kind {
        Kind::Postgres => std::env::var_os("COVET_TEST_PG_BIN").map(PathBuf::from),
        Kind::Mysql => std::env::var_os("COVET_TEST_MYSQL_BIN").map(PathBuf::from),
        Kind::Sqlite => None,
    };
    for shell in shells {
        let program = folder.as_ref().map_or_else(|| PathBuf::from(shell.program), |path| path.join(shell.program));
        if Command::new(&program).arg("--version").output().is_err() {
            continue;
        }
        let mut command = Command::new(program);
        match place.kind {
            Kind::Postgres => command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]),
            Kind::Mysql => &mut command,
            Kind::Sqlite => command.arg("-bail"),
        };
        command.args(&shell.arguments).envs(shell.environment.iter().map(|(name, value)| (*name, value.reveal())));
        return Some(command);
    }
    None
}

/// Runs a script, and gives what the program said when it stopped.
fn run(mut command: Command, script: &str) -> Result<(), String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that stops reads no further.
    let _ = stdin.write_all(script.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(said) }
}

fn script(place: &Place, from: usize) -> String {
    let folder = Folder::read(place.migrations()).unwrap();
    let range: Vec<_> = folder.migrations().iter().skip(from).collect();
    offline_script(&folder, &range, Target::of(&*place.db.backend())).unwrap()
}

/// What a statement may look like, and what a text may hold.
const FIRST: &str = "t{id auto; a text(30) ='it's~a~\\~--~\"text\"'; e enum(mood,sad,glad); n i32?} \
    log{id auto; what text(20)} u{id auto; t_id i64 ->t.id cascade ix}";

const SECOND: &str = "t{id auto; b text(30) ='it's~a~\\~--~\"text\"'; e enum(mood,sad,so,glad); n i32 ck:n~>=~0; uq(b)} \
    log{id auto; what text(20)} u{id auto; t_id i64 ->t.id cascade ix} \
    view seen{SELECT id FROM t} \
    function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN INSERT INTO log (what) VALUES ('a;b'); RETURN NEW; END $$} \
    trigger note on t{\
        @postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note() \
        @mysql AFTER INSERT ON t FOR EACH ROW BEGIN INSERT INTO log (what) VALUES ('a;b'); END \
        @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES ('a;b'); END}";

async fn x21_a_script_is_run_elsewhere(place: &Place) {
    let Some(other) = Place::new(place.kind).await else { return };
    let Some(client) = program(place) else {
        eprintln!("NOT RUN: there is no program of {} to run a script", place.kind.name());
        return;
    };
    let (first, second) = (schema(FIRST), schema(SECOND));
    place.make(&first, &[]).unwrap().unwrap();
    run(client, &script(place, 0)).unwrap_or_else(|error| panic!("{error}\n{}", script(place, 0)));
    assert_eq!(place.standings().await, [Standing::Applied]);
    assert_eq!(place.up().await.unwrap(), 0);
    place.sql("INSERT INTO t (e, a) VALUES ('sad', 'x'), ('glad', 'y')").await;
    place.sql("INSERT INTO u (t_id) VALUES (1), (2), (2)").await;

    let decisions = ["rename column t.a to b", "backfill t.n with 7"];
    let made = place.make(&second, &decisions).unwrap().unwrap();
    if place.kind == Kind::Postgres {
        // A statement outside of any transaction, in the middle.
        let file = place.file(&made, "up");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n-- covet:alone\nCREATE INDEX CONCURRENTLY by_n ON t (n);\n")).unwrap();
    }
    place.make(&schema(&SECOND.replace("what text(20)", "what text(20); at timestamp =now")), &[]).unwrap().unwrap();
    let text = script(place, 1);
    run(program(place).unwrap(), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(place.standings().await, [Standing::Applied; 3]);
    assert_eq!(place.up().await.unwrap(), 0);
    assert_eq!(place.number("SELECT count(*) FROM t WHERE n = 7 AND b IN ('x', 'y')").await, 2);
    assert_eq!(place.number("SELECT count(*) FROM u").await, 3);

    // The runner makes the same of the same files, and writes the same rows.
    copy(&place.migrations(), &other.migrations());
    assert_eq!(other.up().await.unwrap(), 3);
    place.shape(Words::Own).await.is(&other.shape(Words::Own).await, "what script and runner make");
    assert_eq!(history(place).await, history(&other).await);

    // What was kept of the way back is what the runner goes.
    assert_eq!(place.down(Goal::All).await.unwrap(), 3);
    assert!(place.shape(Words::Covets).await.schema.tables.is_empty());
    // One that was undone is applied by a script as well.
    run(program(place).unwrap(), &script(place, 0)).unwrap();
    assert_eq!(place.standings().await, [Standing::Applied; 3]);
    other.end().await;
}

/// What the history says, but for the times.
async fn history(place: &Place) -> Vec<String> {
    let columns = "id, name, up_checksum, down_sql, state, steps_done, steps_total, step_hashes, tool, parents, \
        down_checksum, plan_checksum, position";
    let mut rows = Vec::new();
    for column in columns.split(", ") {
        let text = if place.kind == Kind::Mysql { "CHAR" } else { "TEXT" };
        let column = format!("COALESCE(CAST({column} AS {text}), '')");
        let sql = format!("SELECT {column} FROM _covet_migrations ORDER BY position");
        rows.extend(crate::dump::texts(&place.db, &sql, 0).await);
    }
    rows
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a rebuild on SQLite takes along: a declared trigger is made again by the script, and another one stops it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x21_a_script_loses_no_trigger() {
    on(Kind::Sqlite, async |place| {
        const DECLARED: &str = "log{id auto; what i32?} trigger note on t{@sqlite AFTER INSERT ON t BEGIN \
            INSERT INTO log (what) VALUES (NEW.n); END}";
        let Some(client) = program(place) else { return };
        place.make(&schema(&format!("t{{id auto; n i32; m i32?}} {DECLARED}")), &[]).unwrap().unwrap();
        run(client, &script(place, 0)).unwrap();
        place.sql("INSERT INTO t (n) VALUES (1)").await;
        place.make(&schema(&format!("t{{id auto; n i32 ck:n~>=~0; m i32?}} {DECLARED}")), &[]).unwrap().unwrap();
        run(program(place).unwrap(), &script(place, 1)).unwrap();
        place.sql("INSERT INTO t (n) VALUES (2)").await;
        assert_eq!(place.number("SELECT sum(what) FROM log").await, 3);

        let second = place.make(&schema(&format!("t{{id auto; n i32; m i32?}} {DECLARED}")), &[]).unwrap().unwrap();
        let by_hand = "CREATE TRIGGER by_hand AFTER DELETE ON t BEGIN DELETE FROM log; END";
        let beyond = "CREATE INDEX beyond ON t (n COLLATE NOCASE)";
        for (make, drop, name) in
            [(by_hand, "DROP TRIGGER by_hand", "by_hand"), (beyond, "DROP INDEX beyond", "beyond")]
        {
            place.sql(make).await;
            let shape = place.shape(Words::Own).await;
            let said = run(program(place).unwrap(), &script(place, 2)).unwrap_err();
            assert!(said.contains(&format!("{name} would go with the table that is rebuilt")), "{said}");
            place.shape(Words::Own).await.is(&shape, "stopped");
            assert_eq!(place.standings().await, [Standing::Applied, Standing::Applied, Standing::Pending]);
            place.sql(drop).await;
        }
        // The way out that the head of the script names.
        place.sql(by_hand).await;
        let file = place.file(&second, "up");
        let made = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("DROP TRIGGER by_hand;\n{made}\n{by_hand};\n")).unwrap();
        let text = script(place, 2);
        assert!(text.contains("Drop it ahead and create it behind"), "{text}");
        run(program(place).unwrap(), &text).unwrap();
        place.sql("INSERT INTO t (n) VALUES (-3); DELETE FROM t WHERE n = 1").await;
        assert_eq!(place.number("SELECT count(*) FROM log").await, 0);
        // The runner takes it along.
        place.make(&schema(&format!("t{{id auto; n i32 ck:n~>~-9; m i32?}} {DECLARED}")), &[]).unwrap().unwrap();
        place.up().await.unwrap();
        assert_eq!(place.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").await, 2);
    })
    .await;
}

/// A row that does not fit, a migration that is there already or lacks what it follows, and a statement that fails.
async fn x21_a_script_that_stops(place: &Place) {
    let Some(_) = program(place) else { return };
    place.make(&schema("t{id auto; n i32?}"), &[]).unwrap().unwrap();
    let second = place.make(&schema("t{id auto; n i32}"), &["no nulls in t.n"]).unwrap().unwrap();
    run(program(place).unwrap(), &script(place, 1)).unwrap_err();
    assert_eq!(place.standings().await, [Standing::Pending; 2]);

    let folder = Folder::read(place.migrations()).unwrap();
    let target = Target::of(&*place.db.backend());
    let first = offline_script(&folder, &[&folder.migrations()[0]], target).unwrap();
    run(program(place).unwrap(), &first).unwrap();
    run(program(place).unwrap(), &first).unwrap_err();
    place.sql("INSERT INTO t (n) VALUES (1), (NULL)").await;
    let before = place.shape(Words::Own).await;
    let text = script(place, 1);
    assert!(text.contains("-- guard: ") && text.contains("-- It takes no lock"), "{text}");
    run(program(place).unwrap(), &text).unwrap_err();
    place.shape(Words::Own).await.is(&before, "a guard that stopped the script");
    assert_eq!(place.number("SELECT count(*) FROM t").await, 2);

    // The runner goes on where the script ended.
    place.sql("UPDATE t SET n = 2 WHERE n IS NULL").await;
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.standings().await, [Standing::Applied; 2]);
    assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);

    let file = place.file(&second, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("CREATE TABLE extra (id INTEGER);\nDROP TABLE missing;\n{good}")).unwrap();
    run(program(place).unwrap(), &script(place, 1)).unwrap_err();
    let half_way = matches!(place.standings().await[..], [Standing::Applied, Standing::Unfinished { done: 1, .. }]);
    let undone = matches!(place.standings().await[..], [Standing::Applied, Standing::Pending]);
    assert!(if place.kind == Kind::Mysql { half_way } else { undone }, "{:?}", place.standings().await);
    std::fs::write(&file, format!("CREATE TABLE extra (id INTEGER);\nDROP TABLE extra;\n{good}")).unwrap();
    assert_eq!(place.up().await.unwrap(), 1);
}
