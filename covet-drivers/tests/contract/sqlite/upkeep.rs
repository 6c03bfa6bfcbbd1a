//! Upkeep: backups while others write, checkpoints that somebody is in the way of, damage that is found.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::contract::{
    BackupPace, BackupProgress, Checkpoint, CheckpointMode, Connection, ConnectionState, TransactionOptions,
};
use covet_drivers::{ErrorKind, Result};

use crate::sqlite::{Place, kind, memory, number, open, run};

/// Two numbers that every transaction changes together, and rows to make the database large.
const TABLES: &str =
    "CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER) STRICT; INSERT INTO pair VALUES (1, 0), (2, 0);
    CREATE TABLE bulk (id INTEGER PRIMARY KEY, text TEXT) STRICT;
    INSERT INTO bulk WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
        SELECT i, hex(zeroblob(100)) FROM n";

const SMALL: BackupPace = BackupPace { pages: 10, pause: Duration::ZERO };

async fn backup(c: &mut dyn Connection, to: &Path, pace: BackupPace) -> Result<Vec<BackupProgress>> {
    let mut seen = Vec::new();
    c.maintenance().unwrap().backup(to, pace, &mut |progress| seen.push(progress)).await?;
    Ok(seen)
}

async fn checkpoint(c: &mut dyn Connection, mode: CheckpointMode) -> Result<Checkpoint> {
    c.maintenance().unwrap().checkpoint(mode).await
}

async fn faults(c: &mut dyn Connection) -> Vec<String> {
    c.maintenance().unwrap().integrity_check().await.unwrap()
}

/// What lies in the folder beside the database and its log.
fn files(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(&place.folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| !name.starts_with("test.db")).collect()
}

/// Changes the pair until it is told to stop; says how often.
async fn write(place: &Place, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<i64> {
    let mut writer = place.connect().await;
    tokio::spawn(async move {
        let mut written = 0;
        while !stop.load(Ordering::Relaxed) {
            writer.begin(&TransactionOptions::default()).await.unwrap();
            for id in 1..=2 {
                run(writer.as_mut(), &format!("UPDATE pair SET n = n + 1 WHERE id = {id}"), &[]).await.unwrap();
            }
            writer.commit().await.unwrap();
            written += 1;
        }
        written
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_one_moment_of_a_database_that_is_written_to() {
    for parameters in ["", "journal_mode=delete&synchronous=off"] {
        let place = Place::with(parameters);
        let mut c = place.connect().await;
        c.script(TABLES).await.unwrap();
        c.reset().await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let writer = write(&place, Arc::clone(&stop)).await;
        let waiting = std::pin::pin!(tokio::time::sleep(Duration::from_millis(50)));
        waiting.await;
        let to = place.folder.join("copy.db");
        let wal = parameters.is_empty();
        // Without a log each write begins the copy anew, so the steps are large there.
        // The pauses give whoever is told the time to listen.
        let pace = match wal {
            true => BackupPace { pause: Duration::from_millis(2), ..SMALL },
            false => BackupPace { pages: 100_000, ..SMALL },
        };
        let before = number(c.as_mut(), "SELECT n FROM pair WHERE id = 1").await;
        let seen = backup(c.as_mut(), &to, pace).await.unwrap();
        let after = number(c.as_mut(), "SELECT n FROM pair WHERE id = 1").await;
        let last = seen.last().unwrap();
        assert!(last.copied == last.total && last.total > 1000, "{last:?}");
        assert!(!wal || seen.len() > 10, "{} steps were told", seen.len());
        assert!(seen.windows(2).all(|pair| !wal || pair[0].copied <= pair[1].copied));
        stop.store(true, Ordering::Relaxed);
        assert!(writer.await.unwrap() > 0);
        assert!(after > before || !wal, "nothing was written meanwhile");
        assert_eq!(c.state(), ConnectionState::Idle);
        assert!(!c.is_dirty());
        assert_eq!(files(&place), ["copy.db"]);

        let copied = open(&format!("sqlite://{}?mode=ro", to.display())).unwrap();
        let mut copied = copied.connect().await.unwrap();
        let one = number(copied.as_mut(), "SELECT n FROM pair WHERE id = 1").await;
        assert_eq!(number(copied.as_mut(), "SELECT n FROM pair WHERE id = 2").await, one, "half of a transaction");
        assert!((before..=after).contains(&one), "{before} <= {one} <= {after}");
        assert_eq!(number(copied.as_mut(), "SELECT count(*) FROM bulk").await, 20_000);
        assert_eq!(faults(copied.as_mut()).await, Vec::<String>::new());
        // Nothing is overwritten.
        assert_eq!(kind(backup(c.as_mut(), &to, SMALL).await), Some(ErrorKind::Io));
        assert_eq!(kind(backup(c.as_mut(), &place.folder.join("test.db"), SMALL).await), Some(ErrorKind::Io));
    }
}

#[tokio::test]
async fn a_database_in_memory_is_copied_into_a_file() {
    let place = Place::new();
    let mut c = memory().await;
    c.script(TABLES).await.unwrap();
    let to = place.folder.join("copy.db");
    backup(c.as_mut(), &to, BackupPace::default()).await.unwrap();
    let copied = open(&format!("sqlite://{}", to.display())).unwrap();
    assert_eq!(number(copied.connect().await.unwrap().as_mut(), "SELECT count(*) FROM bulk").await, 20_000);
    assert_eq!(kind(backup(c.as_mut(), Path::new("/no/such/folder/copy.db"), SMALL).await), Some(ErrorKind::Io));
}

#[tokio::test]
async fn a_backup_holds_no_thread_of_the_runtime_and_leaves_nothing_when_it_is_dropped() {
    let place = Place::new();
    let mut c = place.connect().await;
    c.script(TABLES).await.unwrap();
    let to = place.folder.join("copy.db");
    let pace = BackupPace { pages: 1, pause: Duration::from_millis(1) };
    {
        let (mut late, mut last) = (Duration::ZERO, Instant::now());
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        let mut copying = std::pin::pin!(backup(c.as_mut(), &to, pace));
        for _ in 0..200 {
            tokio::select! {
                done = &mut copying => panic!("{done:?}"),
                _ = ticks.tick() => {}
            }
            late = late.max(last.elapsed());
            last = Instant::now();
        }
        assert!(late < Duration::from_millis(100), "{late:?}");
        let files = files(&place);
        assert!(files.len() == 1 && files[0].ends_with(".partial"), "{files:?}");
    }
    // The session waits for the job, which has seen that nobody wants it.
    assert_eq!(number(c.as_mut(), "SELECT count(*) FROM pair").await, 2);
    assert_eq!((c.state(), files(&place)), (ConnectionState::Idle, Vec::new()));
    backup(c.as_mut(), &to, BackupPace::default()).await.unwrap();
}

#[tokio::test]
async fn a_checkpoint_says_what_it_did_and_who_was_in_the_way() {
    let place = Place::with("busy_timeout=100");
    let mut c = place.connect().await;
    c.script("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT").await.unwrap();
    c.reset().await.unwrap();
    run(c.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let done = checkpoint(c.as_mut(), CheckpointMode::Full).await.unwrap();
    assert!(!done.busy && done.log > 0 && done.copied == done.log, "{done:?}");
    // A reader of today holds up what is written tomorrow.
    let mut reader = place.elsewhere("").connect().await.unwrap();
    reader.begin(&TransactionOptions { read_only: true, ..Default::default() }).await.unwrap();
    assert_eq!(number(reader.as_mut(), "SELECT count(*) FROM t").await, 1);
    run(c.as_mut(), "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    let passive = checkpoint(c.as_mut(), CheckpointMode::Passive).await.unwrap();
    assert!(!passive.busy && passive.copied < passive.log, "{passive:?}");
    for mode in [CheckpointMode::Full, CheckpointMode::Restart, CheckpointMode::Truncate] {
        let began = Instant::now();
        let done = checkpoint(c.as_mut(), mode).await.unwrap();
        assert!(done.busy && done.copied < done.log, "{mode:?}: {done:?}");
        assert!(began.elapsed() >= Duration::from_millis(90), "{mode:?} did not wait");
    }
    // Nobody is kept from writing meanwhile.
    let mut writer = place.connect().await;
    let (held, written) = tokio::join!(
        checkpoint(c.as_mut(), CheckpointMode::Full),
        run(writer.as_mut(), "INSERT INTO t VALUES (3)", &[])
    );
    assert!(held.unwrap().busy && written.is_ok());
    reader.rollback().await.unwrap();
    let done = checkpoint(c.as_mut(), CheckpointMode::Truncate).await.unwrap();
    assert_eq!(done, Checkpoint { busy: false, log: 0, copied: 0 });
    assert_eq!(std::fs::metadata(place.folder.join("test.db-wal")).unwrap().len(), 0);
    // A writer of another process.
    let mut writer = place.elsewhere("").connect().await.unwrap();
    writer.begin(&TransactionOptions::default()).await.unwrap();
    run(writer.as_mut(), "INSERT INTO t VALUES (4)", &[]).await.unwrap();
    assert!(checkpoint(c.as_mut(), CheckpointMode::Full).await.unwrap().busy);
    writer.rollback().await.unwrap();
    assert!(!checkpoint(c.as_mut(), CheckpointMode::Full).await.unwrap().busy);
    assert!(!c.is_dirty());
    for mut without in [memory().await, Place::with("journal_mode=delete").connect().await] {
        let error = checkpoint(without.as_mut(), CheckpointMode::Passive).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}

#[tokio::test]
async fn damage_is_found_and_named() {
    let place = Place::with("journal_mode=delete");
    let mut c = place.connect().await;
    c.script(TABLES).await.unwrap();
    c.script("CREATE INDEX bulk_text ON bulk (text)").await.unwrap();
    assert_eq!(faults(c.as_mut()).await, Vec::<String>::new());
    let size = u64::try_from(number(c.as_mut(), "PRAGMA page_size").await).unwrap();
    let pages = u64::try_from(number(c.as_mut(), "PRAGMA page_count").await).unwrap();
    c.close().await.unwrap();
    let file = std::fs::OpenOptions::new().read(true).write(true).open(place.folder.join("test.db")).unwrap();
    let page = pages / 2;
    file.write_all_at(&vec![0x5a; usize::try_from(size).unwrap()], (page - 1) * size).unwrap();
    let mut c = place.connect().await;
    let found = faults(c.as_mut()).await;
    assert!(found.iter().any(|fault| fault.contains(&format!("page {page}"))), "{found:?}");
    // The connection stays as it was.
    assert_eq!((c.state(), number(c.as_mut(), "SELECT n FROM pair WHERE id = 1").await), (ConnectionState::Idle, 0));
    drop(c);
    // The schema itself: then there is no list, but the fault all the same.
    file.write_all_at(&[0x5a; 500], 100).unwrap();
    match place.backend.connect().await {
        Ok(mut c) => assert!(!faults(c.as_mut()).await.is_empty()),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Database | ErrorKind::Unreachable), "{error:?}"),
    }
}

#[tokio::test]
async fn a_search_for_damage_can_be_dropped() {
    let place = Place::new();
    let mut c = place.connect().await;
    c.script(TABLES).await.unwrap();
    {
        let mut search = std::pin::pin!(faults(c.as_mut()));
        assert!(futures_util::poll!(&mut search).is_pending());
    }
    assert_eq!(number(c.as_mut(), "SELECT count(*) FROM pair").await, 2);
    assert_eq!(c.state(), ConnectionState::Idle);
}
