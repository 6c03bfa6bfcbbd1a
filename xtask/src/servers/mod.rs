//! Private PostgreSQL and MariaDB servers in one temporary folder, on loopback ports and sockets of their own.

mod account;
mod home;
mod install;
mod keep;
mod keeper;
mod mariadb;
mod postgres;
mod programs;
mod tls;

use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use home::Home;
use keeper::Kept;
use programs::Programs;

pub(crate) use keep::keep;

/// How long a server may take until it answers a query.
const READY_WITHIN: Duration = Duration::from_secs(90);
const ASK_EVERY: Duration = Duration::from_millis(100);
/// A free port can be taken between our look and the server's bind, so a start is tried again.
const START_ATTEMPTS: u32 = 3;

/// Running servers. Dropping this stops them and removes their folder.
#[derive(Debug)]
pub(crate) struct Servers {
    // Order matters: servers stop before their folder goes.
    postgres: Kept,
    mariadb: Kept,
    _home: Home,
    variables: Vec<(&'static str, String)>,
    /// Time spent on installing what was missing.
    pub(crate) install: Duration,
    /// Time spent on creating, starting and reaching both servers.
    pub(crate) start: Duration,
}

/// One server that answers queries, and what a client must know of it.
#[derive(Debug)]
struct Running {
    kept: Kept,
    variables: Vec<(&'static str, String)>,
}

impl Servers {
    /// Installs what is missing, starts both servers and returns once both have answered a query.
    pub(crate) fn start() -> Outcome<Self> {
        let began = Instant::now();
        let programs = match Programs::find() {
            Ok(programs) => programs,
            Err(missing) => install::install(&missing)?,
        };
        let install = began.elapsed();

        let began = Instant::now();
        let home = Home::create()?;
        let (postgres, mariadb) = thread::scope(|scope| {
            let postgres = scope.spawn(|| postgres::start(&programs, &home));
            let mariadb = scope.spawn(|| mariadb::start(&programs, &home));
            (joined(postgres), joined(mariadb))
        });
        let (postgres, mariadb) = (postgres?, mariadb?);
        let mut variables = postgres.variables;
        variables.extend(mariadb.variables);
        variables.push(("TMPDIR", home.temporary()?));
        Ok(Self {
            postgres: postgres.kept,
            mariadb: mariadb.kept,
            _home: home,
            variables,
            install,
            start: began.elapsed(),
        })
    }

    /// The environment that tells the tests where the servers are.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The name of the first server that has ended by itself, if any.
    pub(crate) fn ended(&mut self) -> Option<&'static str> {
        [&mut self.postgres, &mut self.mariadb].into_iter().find_map(Kept::ended)
    }
}

/// Tries a start again when its port was taken in the meantime.
fn retry_start(mut start: impl FnMut() -> Outcome<Running>) -> Outcome<Running> {
    let mut attempt = 1;
    loop {
        match start() {
            Err(message) if attempt < START_ATTEMPTS && message.contains("ddress already in use") => attempt += 1,
            answer => return answer,
        }
    }
}

/// Waits until the server answers; a server that ends or stays silent gives its log in the error.
fn until_ready(mut kept: Kept, mut ask: impl FnMut() -> Outcome<String>) -> Outcome<Kept> {
    let began = Instant::now();
    loop {
        let answer = ask();
        let trouble = match answer {
            Ok(_) => return Ok(kept),
            Err(_) if kept.ended().is_some() => String::from("it ended"),
            Err(_) if began.elapsed() < READY_WITHIN => {
                thread::sleep(ASK_EVERY);
                continue;
            }
            Err(message) => message,
        };
        return Err(format!(
            "{} did not start: {trouble}
its log ends with:\n{}",
            kept.name(),
            kept.log_tail()
        ));
    }
}

fn joined(handle: thread::ScopedJoinHandle<'_, Outcome<Running>>) -> Outcome<Running> {
    handle.join().unwrap_or_else(|_| Err(String::from("a server's start panicked")))
}
