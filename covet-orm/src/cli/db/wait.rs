//! `cargo covet db wait`: until the database answers.

use std::time::{Duration, Instant};

use covet_drivers::contract::{Backend, adapter_for};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::db::args::Wait;
use crate::cli::out::{GOOD, paint};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// What the last attempt has at least, and the only one where nothing is to be waited for.
const ATTEMPT: Duration = Duration::from_secs(1);

pub(super) async fn wait(context: &Context, options: &Wait) -> Result<()> {
    let chosen = context.database(&options.database)?;
    let admin = chosen.admin()?;
    let backend = adapter_for(chosen.url.scheme())?.open(&admin.existing(&chosen.url))?;
    let begin = Instant::now();
    let limit = Duration::from_secs(options.timeout);
    let mut last: Option<Error> = None;
    loop {
        let left = limit.saturating_sub(begin.elapsed());
        match tokio::time::timeout(left.max(ATTEMPT), answers(&*backend)).await {
            Ok(Ok(server)) => {
                let took = begin.elapsed();
                context.out.done(format_args!("{} after {took:.1?}: {server}", paint(GOOD, &"it answers")));
                return context.out.json(&json!({ "server": server, "seconds": took.as_secs_f64() }));
            }
            Ok(Err(error)) if may_come(error.kind()) => {
                if last.is_none() {
                    context.out.note(format_args!("waiting for {}: {}", backend.target(), error.message()));
                }
                last = Some(error);
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => {}
        }
        if begin.elapsed() + PAUSE >= limit {
            let target = backend.target();
            let late =
                Error::new(ErrorKind::Unreachable, format!("{target} did not answer within {} s", options.timeout));
            return Err(match last {
                Some(error) => match error.help().map(str::to_owned) {
                    Some(help) => late.with_help(help).with_source(error),
                    None => late.with_source(error),
                },
                None => late,
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether time may help: a server that starts, and creates its database.
fn may_come(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionLost, LockTimeout, Protocol, TooManyConnections, UnknownDatabase, Unreachable};
    matches!(kind, Unreachable | UnknownDatabase | TooManyConnections | ConnectionLost | LockTimeout | Protocol)
}

async fn answers(backend: &dyn Backend) -> Result<String> {
    let mut connection = backend.connect().await?;
    connection.ping().await?;
    let server = format!("{} {}", connection.server().product, connection.server().version);
    connection.close().await?;
    Ok(server)
}
