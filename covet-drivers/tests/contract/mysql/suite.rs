//! What every adapter must pass, on MySQL and MariaDB.

use std::sync::atomic::{AtomicU32, Ordering};

use covet_drivers::Result;
use covet_drivers::conformance::Setup;
use covet_drivers::contract::Adapter as _;
use covet_drivers::mysql::MySql;

async fn fresh() -> Result<Option<Setup>> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(server) = crate::mysql::server() else { return Ok(None) };
    let name = format!("covet_s_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut root = MySql.open(&server.parse()?)?.connect().await?;
    root.script(&format!("CREATE DATABASE `{name}`")).await?;
    let (place, query) = server.split_once('?').unwrap_or((&server, ""));
    let place = place.rsplit_once('/').map_or(place, |(place, _)| place);
    let setup = Setup::new(format!("{place}/{name}?{query}"));
    Ok(Some(setup.with_cleanup(async move {
        root.script(&format!("DROP DATABASE `{name}`")).await.unwrap();
        root.close().await.unwrap();
    })))
}

covet_drivers::conformance!(fresh);
