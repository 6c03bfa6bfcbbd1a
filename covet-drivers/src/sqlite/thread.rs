//! The thread of a connection, for what takes long. It starts with its first job.

use std::sync::mpsc;

use crate::error::{Error, ErrorKind, Result};

type Job = Box<dyn FnOnce() + Send>;

/// The near end of the thread. The thread ends when this is dropped and its last job is done.
#[derive(Debug, Default)]
pub(super) struct Thread(Option<mpsc::Sender<Job>>);

impl Thread {
    /// Starts the thread, where it has not been started.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.0.is_some() {
            return Ok(());
        }
        let (jobs, queue) = mpsc::channel::<Job>();
        let body = move || {
            while let Ok(job) = queue.recv() {
                job();
            }
        };
        std::thread::Builder::new().name(String::from("covet-sqlite")).spawn(body).map_err(|error| {
            Error::new(ErrorKind::Resources, "no thread can be started for the connection").with_source(error)
        })?;
        self.0 = Some(jobs);
        Ok(())
    }

    /// Whether it was started.
    #[cfg(test)]
    pub(super) fn is_started(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a job. An error, with the job gone, means that the thread has ended or was never started.
    pub(super) fn send(&self, job: impl FnOnce() + Send + 'static) -> Result<()> {
        self.0.as_ref().and_then(|jobs| jobs.send(Box::new(job)).ok()).ok_or_else(lost)
    }
}

/// Does something that may take long, and for which a connection has no thread yet or any more.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.map_err(|error| lost().with_source(error)),
        // Whoever polls this is no worker of a runtime.
        Err(_) => Ok(work()),
    }
}

/// Drops something for which that may take long, where the thread does not matter.
pub(super) fn drop_aside<T: Send + 'static>(value: T) {
    match tokio::runtime::Handle::try_current() {
        // Nobody waits for it.
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(value))),
        Err(_) => drop(value),
    }
}

/// The session is gone, with the thread that had it.
#[cold]
pub(super) fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the thread of the connection has ended")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::sync::oneshot;

    use super::{Thread, aside};

    #[tokio::test]
    async fn it_starts_once_and_does_jobs_in_order() {
        let mut thread = Thread::default();
        assert!(!thread.is_started());
        assert!(thread.send(|| ()).is_err());
        let mut ids = Vec::new();
        for _ in 0..2 {
            thread.start().unwrap();
            let (answer, wait) = oneshot::channel();
            thread.send(move || answer.send(std::thread::current().id()).unwrap()).unwrap();
            ids.push(wait.await.unwrap());
        }
        assert_eq!(ids.first(), ids.last());
        assert_ne!(ids.first(), Some(&std::thread::current().id()));
    }

    #[test]
    fn aside_works_outside_of_a_runtime() {
        let mut future = std::pin::pin!(aside(|| 1));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(future.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(1))));
    }
}
