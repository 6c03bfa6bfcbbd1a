//! Moving a running program to another server: nothing fails, and nothing is written to the old one once something has
//! been written to the new one.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_drivers::contract::{Backend, BoxFuture, ConnectUrl, Connection, Probe, Role, adapter_for};
use covet_drivers::pool::{Idle, Stopped};
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate;

/// How often the target is asked whether it has come as far.
const INTERVAL: Duration = Duration::from_millis(20);

/// The longest that an old server is waited for that may be left.
const SILENT: Duration = Duration::from_secs(2);

type Hook = Box<dyn FnOnce() -> BoxFuture<'static, Result<(), Box<dyn StdError + Send + Sync>>> + Send>;

/// How [`Db::switch_to_with`] goes about it.
#[must_use]
pub struct SwitchOptions {
    deadline: Duration,
    promote: Option<Hook>,
    abandon: bool,
}

/// What a switch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Switched {
    /// Whether the target is known to have everything that the old server had when the last transaction had ended: it
    /// follows the old server, did so before it was promoted, or is the same server. Otherwise nothing can tell.
    pub caught_up: bool,
    /// For how long no connection was lent.
    pub pause: Duration,
}

impl SwitchOptions {
    /// The defaults.
    pub fn new() -> Self {
        SwitchOptions { deadline: Duration::from_secs(10), promote: None, abandon: false }
    }

    /// How long it may take from when nothing is lent any more; 10 seconds unless said. Keep it below the pool's
    /// `acquire_timeout`, or those who wait may give up.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Is called once the target has everything that can be waited for, and before it is asked to take writes: the place
    /// to stop its replication and to promote it. It is called whether or not the target takes writes already. Without
    /// it, whoever promotes the target does so within the deadline.
    pub fn when_caught_up<F>(mut self, promote: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        self.promote = Some(Box::new(|| Box::pin(promote())));
        self
    }

    /// Switches although the old server does not answer, so that nobody can tell what of it the target has. The target is
    /// then asked to take writes only if [`when_caught_up`](Self::when_caught_up) has something to call; otherwise the
    /// log warns when it does not.
    pub fn abandon_old(mut self) -> Self {
        self.abandon = true;
        self
    }
}

impl Default for SwitchOptions {
    fn default() -> Self {
        SwitchOptions::new()
    }
}

impl Db {
    /// Moves this database, and every clone of it, to another server of the same kind while it is used:
    /// `db.switch_to("postgres://standby/shop").await?`.
    ///
    /// Statements and transactions that begin from now on wait. When those that are under way have ended, the target is
    /// looked at: it must be of the same product and able to do the same, have the same migrations, have everything
    /// that the old server has, where replication can tell, and take writes if the old one does. Then whoever waits goes
    /// on there. In every other case everything goes on with the old server, and the error says why. What listens
    /// (`db.listen`) is told `Lost` and `Established`.
    ///
    /// The old server is left as it is: see to it that other programs do not write to it any more.
    ///
    /// # Errors
    /// `SwitchRefused` with what is not as it should be; `PoolTimeout` naming who holds connections, when transactions
    /// do not end in time; `Deadline`; those of connecting to either server. After an error nothing has changed.
    pub async fn switch_to(&self, url: &str) -> Result<Switched> {
        self.switch_to_with(url, SwitchOptions::new()).await
    }

    /// As [`switch_to`](Db::switch_to), with options.
    ///
    /// # Errors
    /// As there.
    pub async fn switch_to_with(&self, url: &str, options: SwitchOptions) -> Result<Switched> {
        let url: ConnectUrl = url.parse()?;
        let backend = adapter_for(url.scheme())?.open(&url)?;
        // What cannot be cured by waiting is found before anybody has to.
        let mut target = Target { connection: self.open_target(&backend).await?, backend };
        let began = Instant::now();
        let stopped = self.pool().stop(options.deadline).await?;
        let rest = options.deadline.saturating_sub(began.elapsed());
        let Ok(examined) = tokio::time::timeout(rest, self.examine_target(&stopped, &mut target, options, rest)).await
        else {
            let text = format!("the switch to {} took longer than it may", target.backend.target());
            return Err(Error::new(ErrorKind::Deadline, text));
        };
        let caught_up = examined?;
        let server = target.connection.server().clone();
        let name = target.backend.target();
        stopped.switch(target.backend, target.connection)?;
        self.shared().set_server(server);
        let pause = began.elapsed();
        if !caught_up {
            tracing::warn!(target: "covet::switch", database = %name, "switched to a server of which nothing can tell whether it has everything");
        }
        Ok(Switched { caught_up, pause })
    }

    async fn open_target(&self, backend: &Arc<dyn Backend>) -> Result<Box<dyn Connection>> {
        let (old, new) = (self.backend(), backend.target());
        if old.dialect().name() != backend.dialect().name() {
            return Err(refused(format!("{new} is another kind of database"))
                .with_help("a program moves between servers of one kind"));
        }
        if let Some(most) = backend.max_connections() {
            return Err(refused(format!("{new} takes {most} connection at most")).with_help("use a database in a file"));
        }
        let connection = backend.connect().await.map_err(|error| error.about(&new))?;
        if connection.server().product != self.server().product {
            return Err(refused(format!(
                "{new} is {}, and not {}",
                connection.server().product,
                self.server().product
            )));
        }
        if self.shared().assumed(*connection.capabilities()) != *self.capabilities() {
            return Err(refused(format!("{new} is {} and cannot do the same", connection.server().version))
                .with_help("statements are written for what the server can do: start the program anew with this URL"));
        }
        Ok(connection)
    }

    /// Looks at the target, while nothing is under way. Whether it is known to have everything.
    async fn examine_target(
        &self,
        stopped: &Stopped,
        target: &mut Target,
        options: SwitchOptions,
        rest: Duration,
    ) -> Result<bool> {
        let mut from = self.old_server(stopped, options.abandon, rest).await?;
        let backend = Arc::clone(&target.backend);
        let probe = backend.probe();
        let mut caught_up = false;
        if let (Some(from), Some(probe)) = (&mut from, probe) {
            caught_up = follows(from.connection(), target, probe).await?;
        }
        if let Some(from) = &mut from {
            let kind = migrate::Target::of(&*self.backend());
            let (theirs, ours) =
                (migrate::heads(&mut *target.connection, kind).await?, migrate::heads(from.connection(), kind).await?);
            if theirs != ours {
                let last = |heads: &[(String, String)]| heads.last().map_or("none", |(id, _)| id).to_owned();
                let text = format!(
                    "{} has other migrations: the last one is {}, and here it is {}",
                    target.backend.target(),
                    last(&theirs),
                    last(&ours)
                );
                return Err(refused(text).with_help("`cargo covet migrate status` shows what is missing where"));
            }
        }
        // Of a server that does not answer nobody knows whether it took writes.
        let old = self.backend();
        let must_write = match (&mut from, old.probe()) {
            (Some(from), Some(probe)) => probe.vitals(from.connection()).await?.writable != Some(false),
            _ => options.promote.is_some(),
        };
        if let Some(promote) = options.promote {
            promote().await.map_err(|cause| refused("the target could not be promoted").with_source(cause))?;
            // A session from before may be bound to what the server was then.
            target.connection = target.backend.connect().await?;
        }
        if let Some(probe) = probe {
            if must_write {
                target.takes_writes(probe).await?;
            } else if from.is_none() && probe.vitals(&mut *target.connection).await?.writable == Some(false) {
                let name = target.backend.target();
                tracing::warn!(target: "covet::switch", database = %name, "switched to a server that takes no writes");
            }
        }
        Ok(caught_up)
    }

    /// A connection to the server that is left; none if it does not answer and may be abandoned.
    async fn old_server(&self, stopped: &Stopped, abandon: bool, rest: Duration) -> Result<Option<Old>> {
        let old = self.backend();
        // What the program has written is where its connections lead to, whoever answers to the name by now.
        let connect = async {
            match stopped.idle().await {
                Some(idle) => Ok(Old::Idle(idle)),
                None => old.connect().await.map(Old::New),
            }
        };
        let connected = if abandon {
            // One that may be left is not waited for until there is no time for anything else.
            let limit = SILENT.min(rest / 4);
            tokio::time::timeout(limit, connect).await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Unreachable, format!("{} did not answer within {limit:?}", old.target())))
            })
        } else {
            connect.await
        };
        match connected {
            Ok(connection) => Ok(Some(connection)),
            Err(error) if abandon => {
                tracing::warn!(target: "covet::switch", %error, "the old server is left without an answer");
                Ok(None)
            }
            Err(error) => {
                Err(refused(format!("{} does not answer, so nothing can tell what of it the target has", old.target()))
                    .with_help(
                        "`SwitchOptions::abandon_old` switches all the same, and may lose what was not replicated",
                    )
                    .with_source(error))
            }
        }
    }
}

/// A connection to the server that is left.
enum Old {
    Idle(Idle),
    New(Box<dyn Connection>),
}

impl Old {
    fn connection(&mut self) -> &mut dyn Connection {
        match self {
            Old::Idle(idle) => &mut **idle,
            Old::New(connection) => &mut **connection,
        }
    }
}

struct Target {
    backend: Arc<dyn Backend>,
    connection: Box<dyn Connection>,
}

impl Target {
    /// Waits until it takes writes.
    async fn takes_writes(&mut self, probe: &dyn Probe) -> Result<()> {
        loop {
            let vitals = probe.vitals(&mut *self.connection).await?;
            if vitals.writable != Some(false) {
                return Ok(());
            }
            if vitals.role == Role::Embedded {
                let text = format!("{} is open for reading alone", self.backend.target());
                return Err(refused(text).with_help("leave out `mode=ro`"));
            }
            tokio::time::sleep(INTERVAL).await;
            // A session from before may be bound to what the server was then.
            self.connection = self.backend.connect().await?;
        }
    }
}

/// Waits until the target has what the old server has now. `false` where nothing can tell.
async fn follows(from: &mut dyn Connection, target: &mut Target, probe: &dyn Probe) -> Result<bool> {
    let Some(position) = probe.position(from).await? else { return Ok(false) };
    loop {
        match probe.has_reached(&position, &mut *target.connection).await? {
            Some(true) => break,
            Some(false) => tokio::time::sleep(INTERVAL).await,
            None => return Ok(false),
        }
    }
    // One that follows another replica may be ahead of this one.
    let follows_nobody = probe.vitals(from).await?.role != Role::Replica;
    if follows_nobody && probe.has_other(&position, &mut *target.connection, from).await? {
        let text = format!(
            "{} has what the server that is left never had: it follows another one, and may miss what was written here",
            target.backend.target()
        );
        return Err(refused(text).with_help("see which server is the primary, and what each of them has"));
    }
    Ok(true)
}

fn refused(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::SwitchRefused, text)
}

impl fmt::Debug for SwitchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwitchOptions")
            .field("deadline", &self.deadline)
            .field("promotes", &self.promote.is_some())
            .field("abandon_old", &self.abandon)
            .finish()
    }
}
