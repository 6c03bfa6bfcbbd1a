//! The way in: `tin:path?patience=ms`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use covet_drivers::Result;
use covet_drivers::contract::{Adapter, Backend, BoxFuture, ConnectUrl, Connection, Ddl, Introspect};
use covet_drivers::lint::{Lint, Reading, Rule, no_code};
use covet_drivers::render::Dialect;

use crate::connection::TinConnection;
use crate::ddl::TinDdl;
use crate::dialect::{QUOTING, TinDialect};

/// The adapter.
#[derive(Debug)]
pub(crate) struct Tin;

impl Adapter for Tin {
    fn schemes(&self) -> &'static [&'static str] {
        &["tin"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &TinDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &TinDdl
    }

    fn lint(&self) -> &'static dyn Lint {
        &TinLint
    }

    fn open(&self, url: &ConnectUrl) -> Result<Arc<dyn Backend>> {
        let mut parameters = url.parameters();
        let patience = parameters.parse("patience", "a number of milliseconds")?.unwrap_or(5000);
        parameters.finish()?;
        Ok(Arc::new(Place { path: url.path().into(), patience: Duration::from_millis(patience) }))
    }
}

/// It has no rules of its own.
#[derive(Debug)]
struct TinLint;

impl Lint for TinLint {
    fn rules(&self) -> &'static [Rule] {
        &[]
    }

    fn readings(&self) -> &'static [Reading] {
        &[Reading { quoting: QUOTING, code: no_code }]
    }

    fn max_identifier(&self) -> usize {
        usize::MAX
    }

    fn one_transaction(&self) -> bool {
        true
    }
}

/// A database in a file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) patience: Duration,
}

impl Backend for Place {
    fn dialect(&self) -> &'static dyn Dialect {
        &TinDialect
    }

    fn ddl(&self) -> &'static dyn Ddl {
        &TinDdl
    }

    fn introspect(&self) -> &'static dyn Introspect {
        &TinDdl
    }

    fn max_connections(&self) -> Option<usize> {
        None
    }

    fn target(&self) -> String {
        format!("tin:{}", self.path.display())
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async { Ok(Box::new(TinConnection::open(self.clone()).await?) as Box<dyn Connection>) })
    }
}
