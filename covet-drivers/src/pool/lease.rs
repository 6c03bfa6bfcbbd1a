//! A borrowed connection, and what happens to it in the end.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Object;

use crate::contract::{Connection, ConnectionState};
use crate::error::Result;
use crate::pool::Source;
use crate::pool::warm::Warm;

/// A borrowed connection. When it is dropped the connection goes back clean, or is closed.
pub struct Lease {
    object: Option<Object<Source>>,
    warm: Arc<Warm>,
    /// How long cleaning it may take before the connection is closed.
    cleaning: Duration,
    /// The database goes with its one connection, so that is never closed.
    only: bool,
}

impl Lease {
    pub(super) fn new(object: Object<Source>, warm: Arc<Warm>, cleaning: Duration, only: bool) -> Self {
        Lease { object: Some(object), warm, cleaning, only }
    }

    /// Closes the connection instead of giving it back.
    pub fn discard(mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Deref for Lease {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        match &self.object {
            Some(object) => &***object,
            None => unreachable!("a lease is empty only while it is dropped"),
        }
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.object {
            Some(object) => &mut ***object,
            None => unreachable!("a lease is empty only while it is dropped"),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.object).finish()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        match object.state() {
            ConnectionState::Idle if !object.is_dirty() => self.warm.put(object),
            ConnectionState::Broken => drop(Object::take(object)),
            // What a borrower left behind may hold locks: it goes now, and not when somebody borrows next.
            ConnectionState::Idle | ConnectionState::InTransaction | ConnectionState::Failed => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    // The next borrower's turn begins with the cleaning.
                    if !self.only {
                        drop(Object::take(object));
                    }
                    return;
                };
                let (limit, only) = (self.cleaning, self.only);
                runtime.spawn(async move {
                    let clean = matches!(tokio::time::timeout(limit, clean(&mut object)).await, Ok(Ok(())));
                    if !only && (!clean || object.state() != ConnectionState::Idle) {
                        drop(Object::take(object));
                    }
                });
            }
        }
    }
}

async fn clean(connection: &mut Object<Source>) -> Result<()> {
    if connection.state() != ConnectionState::Idle {
        connection.rollback().await?;
    }
    if connection.is_dirty() { connection.reset().await } else { Ok(()) }
}
