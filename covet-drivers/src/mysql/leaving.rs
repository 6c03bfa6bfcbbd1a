//! Sessions that end while they hold a branch of a distributed transaction.
//!
//! MariaDB (10.11.19) lets go of the branch before the session has left it. Whoever ends it in between is told that it
//! is done, and it is not: the branch is in no list any more, keeps its locks, and is prepared again once the server is
//! started anew. So what this process has closed it ends only once the session has gone from the server's list.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::contract::BranchId;
use crate::mysql::numbered::Numbered;

/// What nobody has asked for by then was ended by somebody else.
const KEPT: Duration = Duration::from_secs(60);

/// A session that was closed.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    pub(crate) session: Numbered,
    pub(crate) since: Instant,
}

/// The session of this branch is closed from now on.
pub(crate) fn note(branch: &BranchId, session: Numbered) {
    let mut leaving = all();
    leaving.retain(|_, old| old.since.elapsed() < KEPT);
    leaving.insert(branch.clone(), Leaving { session, since: Instant::now() });
}

/// The session that had the branch, if this process has closed it a short time ago.
pub(crate) fn session_of(branch: &BranchId) -> Option<Leaving> {
    all().get(branch).filter(|leaving| leaving.since.elapsed() < KEPT).cloned()
}

/// It has gone.
pub(crate) fn forget(branch: &BranchId) {
    all().remove(branch);
}

/// Of the whole process: databases of one server list each other's branches.
fn all() -> MutexGuard<'static, HashMap<BranchId, Leaving>> {
    static ALL: LazyLock<Mutex<HashMap<BranchId, Leaving>>> = LazyLock::new(Mutex::default);
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}
