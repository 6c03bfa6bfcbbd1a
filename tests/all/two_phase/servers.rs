//! Servers whose settings allow distributed transactions: those of the other tests are fast and not durable.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use covet_orm::{Coordinator, Db, DbOptions, Observer};
use covet_tests::server::Server;
use covet_tests::{Kind, create_all};

/// What a PostgreSQL server needs.
pub(crate) const POSTGRES: &[&str] = &["max_prepared_transactions=64", "max_connections=100"];

/// What a MariaDB server needs.
pub(crate) const MYSQL: &[&str] = &["innodb-flush-log-at-trx-commit=1"];

/// One server of each kind, for all tests that are just running.
pub(crate) struct Pair {
    pub(crate) postgres: String,
    pub(crate) mysql: String,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pair {
    /// `None` where the servers' programs are not there.
    pub(crate) fn get() -> Option<Arc<Pair>> {
        static PAIR: Mutex<Weak<Pair>> = Mutex::new(Weak::new());
        let mut known = PAIR.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = known.upgrade() {
            return Some(pair);
        }
        let (tell, told) = channel();
        let (end, ended) = channel();
        // A server ends with the thread that started it.
        let thread = std::thread::spawn(move || {
            let (postgres, mysql) = (Server::start(Kind::Postgres, POSTGRES), Server::start(Kind::Mysql, MYSQL));
            let urls = postgres.as_ref().map(Server::url).zip(mysql.as_ref().map(Server::url));
            let _ = tell.send(urls);
            let _ = ended.recv();
        });
        let (postgres, mysql) = told.recv().ok().flatten()?;
        let pair = Arc::new(Pair { postgres, mysql, end: Some(end), thread: Some(thread) });
        *known = Arc::downgrade(&pair);
        Some(pair)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Two databases that take part, and where decisions are kept: of one test.
pub(crate) struct Both {
    pub(crate) orders: Db,
    pub(crate) stock: Db,
    pub(crate) log: Db,
    /// Their URLs, in this order.
    pub(crate) urls: [String; 3],
    /// A name that no other test has.
    pub(crate) name: String,
    _folder: tempfile::TempDir,
    _pair: Option<Arc<Pair>>,
}

/// Connects to a server that may still be starting.
pub(crate) async fn patiently(url: &str) -> Db {
    let begun = Instant::now();
    loop {
        match Db::connect_with(url, DbOptions::new().max_connections(2)).await {
            Ok(db) => return db,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A new database on a server, with the tables of the models.
pub(crate) async fn database(server: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("covet_x{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = patiently(server).await;
    admin.acquire().await.unwrap().script(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (base, parameters) = server.split_once('?').unwrap();
    let url = format!("{}/{name}?{parameters}", base.rsplit_once('/').unwrap().0);
    create_all(&Db::connect(&url).await.unwrap()).await;
    url
}

impl Both {
    pub(crate) async fn fresh() -> Option<Both> {
        let pair = Pair::get()?;
        let mut both = Both::on(&pair.postgres, &pair.mysql).await;
        both._pair = Some(pair);
        Some(both)
    }

    /// On other servers.
    pub(crate) async fn on(postgres: &str, mysql: &str) -> Both {
        let folder = tempfile::tempdir().unwrap();
        let log = format!("sqlite://{}", folder.path().join("decisions.db").display());
        let urls = [database(postgres).await, database(mysql).await, log];
        let mut databases = Vec::new();
        for url in &urls {
            databases.push(Db::connect(url).await.unwrap());
        }
        let [orders, stock, log] = databases.try_into().unwrap();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Both { orders, stock, log, urls, name, _folder: folder, _pair: None }
    }

    pub(crate) async fn coordinator(&self) -> Coordinator<2> {
        Coordinator::open(&self.name, &self.log, [&self.orders, &self.stock]).await.unwrap()
    }

    /// A coordinator on handles of its own, which tell an observer; and those handles.
    pub(crate) async fn observed(
        &self,
        most: usize,
        observer: impl Observer + Clone + 'static,
    ) -> (Coordinator<2>, [Db; 3]) {
        let urls = self.urls.clone();
        observed(&self.name, urls, most, observer).await.unwrap()
    }
}

/// As [`Both::observed`], by URLs: of both databases, and of the log. Each has so many connections at most.
pub(crate) async fn observed(
    name: &str,
    urls: [String; 3],
    most: usize,
    observer: impl Observer + Clone + 'static,
) -> covet_orm::Result<(Coordinator<2>, [Db; 3])> {
    let [orders, stock, log] = urls;
    let options = || DbOptions::new().max_connections(most).observe(observer.clone());
    let connect = async |url: String| Db::connect_with(&url, options()).await;
    let (orders, stock, log) = (connect(orders).await?, connect(stock).await?, connect(log).await?);
    let both = Coordinator::open(name, &log, [&orders, &stock]).await?;
    Ok((both, [orders, stock, log]))
}

/// Runs a case on both, unless the servers' programs are not there.
pub(crate) fn on_both(case: impl AsyncFnOnce(&Both)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(both) = Both::fresh().await else { return };
        case(&both).await;
    });
}
