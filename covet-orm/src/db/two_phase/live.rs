//! The transactions of this process that have not ended: a recovery leaves them alone.

use std::sync::{Arc, PoisonError};

use crate::db::two_phase::Inner;

/// A transaction that has not ended. It has when this value is dropped.
pub(super) struct Live {
    inner: Arc<Inner>,
    transaction: [u8; 16],
}

impl Live {
    pub(super) fn begin(inner: &Arc<Inner>) -> Self {
        let transaction = inner.log.new_transaction();
        inner.live.lock().unwrap_or_else(PoisonError::into_inner).insert(transaction);
        Live { inner: Arc::clone(inner), transaction }
    }

    pub(super) fn transaction(&self) -> [u8; 16] {
        self.transaction
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.transaction);
    }
}
