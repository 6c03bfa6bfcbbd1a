//! What every adapter must pass, on SQLite: in a file that sessions share, in memory, and there without a
//! statement on its caller's thread.

use std::sync::atomic::{AtomicU32, Ordering};

use covet_drivers::conformance::Setup;
use covet_drivers::{Error, ErrorKind, Result};

mod file {
    use super::{AtomicU32, Error, ErrorKind, Ordering, Result, Setup};

    async fn fresh() -> Result<Option<Setup>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("covet-suite-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)
            .map_err(|error| Error::new(ErrorKind::Io, "no folder for the test").with_source(error))?;
        let setup = Setup::new(format!("sqlite://{}/test.db", folder.display()));
        Ok(Some(setup.with_cleanup(async move { std::fs::remove_dir_all(&folder).unwrap() })))
    }

    covet_drivers::conformance!(fresh);
}

mod thread {
    use super::Setup;

    covet_drivers::conformance!(|| async { Ok(Some(Setup::new("sqlite::memory:?inline_budget=0"))) });
}

mod memory {
    use super::Setup;

    covet_drivers::conformance!(|| async { Ok(Some(Setup::new("sqlite::memory:"))) });
}
