//! A database whose program is killed when it asks for the n-th time: before it is sent, while it is under way, or
//! when the answer is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use covet_orm::Result;
use covet_orm::drivers::Capabilities;
use covet_orm::drivers::contract::{
    Backend, BoxFuture, Command, Connection, ConnectionState, Ddl, Introspect, Outcome, RowSink, ServerInfo,
    TransactionOptions,
};
use covet_orm::drivers::render::Dialect;

/// When, of the call at which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    During,
    After,
}

impl Moment {
    pub(crate) const ALL: [Moment; 3] = [Moment::Before, Moment::During, Moment::After];

    pub(crate) fn name(self) -> &'static str {
        ["before", "during", "after"][self as usize]
    }

    pub(crate) fn named(name: &str) -> Moment {
        Moment::ALL.into_iter().find(|moment| moment.name() == name).unwrap()
    }
}

/// What is to happen.
#[derive(Debug)]
pub(crate) struct Fate {
    at: usize,
    moment: Moment,
    calls: AtomicUsize,
}

impl Fate {
    pub(crate) fn new(at: usize, moment: Moment) -> Arc<Fate> {
        Arc::new(Fate { at, moment, calls: AtomicUsize::new(0) })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn meet<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.calls.fetch_add(1, Ordering::Relaxed) != self.at {
            return work.await;
        }
        match self.moment {
            Moment::Before => die(),
            Moment::During => {
                let mut work = std::pin::pin!(work);
                let _ = tokio::time::timeout(Duration::from_millis(1), work.as_mut()).await;
                die()
            }
            Moment::After => {
                let _ = work.await;
                die()
            }
        }
    }
}

/// `kill -9`, of this process.
fn die() -> ! {
    let mut kill = std::process::Command::new("kill");
    let _ = kill.arg("-9").arg(std::process::id().to_string()).status();
    unreachable!("the process was killed")
}

#[derive(Debug)]
pub(crate) struct Deadly {
    pub(crate) inner: Arc<dyn Backend>,
    pub(crate) fate: Arc<Fate>,
}

impl Backend for Deadly {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }

    fn ddl(&self) -> &'static dyn Ddl {
        self.inner.ddl()
    }

    fn introspect(&self) -> &'static dyn Introspect {
        self.inner.introspect()
    }

    fn max_connections(&self) -> Option<usize> {
        self.inner.max_connections()
    }

    fn target(&self) -> String {
        self.inner.target()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async {
            let (inner, fate) = (self.inner.connect().await?, Arc::clone(&self.fate));
            Ok(Box::new(Doomed { inner, fate }) as Box<dyn Connection>)
        })
    }
}

#[derive(Debug)]
struct Doomed {
    inner: Box<dyn Connection>,
    fate: Arc<Fate>,
}

macro_rules! deadly {
    ($($name:ident ( $($argument:ident : $ty:ty),* ) -> $result:ty;)*) => {$(
        fn $name<'a>(&'a mut self $(, $argument: $ty)*) -> BoxFuture<'a, Result<$result>> {
            Box::pin(self.fate.meet(self.inner.$name($($argument),*)))
        }
    )*};
}

macro_rules! harmless {
    ($($name:ident ( $($argument:ident : $ty:ty),* );)*) => {$(
        fn $name<'a>(&'a mut self $(, $argument: $ty)*) -> BoxFuture<'a, Result<()>> {
            self.inner.$name($($argument),*)
        }
    )*};
}

impl Connection for Doomed {
    deadly! {
        run(command: Command<'a>, rows: &'a mut dyn RowSink) -> Outcome;
        script(sql: &'a str) -> ();
        begin(options: &'a TransactionOptions) -> ();
        commit() -> ();
        begin_migration() -> ();
        commit_migration() -> ();
        lock(name: &'a str, wait: Duration) -> ();
        unlock(name: &'a str) -> ();
    }

    harmless! {
        rollback();
        savepoint(depth: u32);
        release(depth: u32);
        rollback_to(depth: u32);
        reset();
        ping();
        rollback_migration();
        limit_locks(limit: Option<Duration>);
    }

    fn state(&self) -> ConnectionState {
        self.inner.state()
    }

    fn is_dirty(&self) -> bool {
        self.inner.is_dirty()
    }

    fn server(&self) -> &ServerInfo {
        self.inner.server()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        self.inner.close()
    }
}
