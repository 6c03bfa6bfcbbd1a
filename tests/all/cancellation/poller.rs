//! Polls a future so many times and no more.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;

/// A future in the hands of somebody who may drop it after any poll. Only polls that the future
/// asked for are made, and counted.
pub(crate) struct Cancellable<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    bell: Arc<Bell>,
    polls: usize,
}

/// Rings for the future, and passes it on to whoever polls.
struct Bell {
    rung: AtomicBool,
    outer: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.outer.wake();
    }
}

/// Where the part of a future begins that is looked at: what comes before it is preparation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// The preparation is over. Goes on with the first poll that counts.
    pub(crate) async fn start(&self) {
        poll_fn(|_| if self.0.swap(true, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn is_reached(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl<'a, T> Cancellable<'a, T> {
    pub(crate) fn new(future: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), outer: AtomicWaker::new() });
        Cancellable { future, bell, polls: 0 }
    }

    /// Runs to the line, where counting begins. Gives the future's value if it ends before.
    pub(crate) async fn prepare(&mut self, line: &Line) -> Result<(), T> {
        poll_fn(|context| {
            let ended = self.poll(context, usize::MAX, || line.is_reached());
            match ended {
                Poll::Ready(Some(value)) => Poll::Ready(Err(value)),
                _ if line.is_reached() => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            }
        })
        .await?;
        self.bell.rung.store(true, Ordering::SeqCst);
        self.polls = 0;
        Ok(())
    }

    /// Polls until so many polls have been made in all, or the future has ended.
    pub(crate) async fn until(&mut self, most: usize) -> Option<T> {
        poll_fn(|context| self.poll(context, most, || false)).await
    }

    /// Polls until the future has not asked for another poll for a while.
    pub(crate) async fn until_quiet(&mut self) -> Option<T> {
        loop {
            let before = self.polls;
            if let Ok(Some(value)) = tokio::time::timeout(Duration::from_millis(2), self.until(usize::MAX)).await {
                return Some(value);
            }
            if self.polls == before {
                return None;
            }
        }
    }

    /// How often it was polled since the line.
    pub(crate) fn polls(&self) -> usize {
        self.polls
    }

    fn poll(&mut self, context: &mut Context<'_>, most: usize, enough: impl Fn() -> bool) -> Poll<Option<T>> {
        self.bell.outer.register(context.waker());
        if self.polls >= most {
            return Poll::Ready(None);
        }
        if enough() || !self.bell.rung.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.polls += 1;
        let waker = Waker::from(Arc::clone(&self.bell));
        if let Poll::Ready(value) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(Some(value));
        }
        // The next poll, if it was asked for meanwhile, comes from the runtime: it alone gives the task a
        // new budget, and a future that waits for one would be polled in vain for ever.
        if self.polls >= most { Poll::Ready(None) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::coop::consume_budget;

    use super::*;

    #[tokio::test]
    async fn a_future_that_used_up_its_budget_gets_a_new_one() {
        let mut future = Cancellable::new(Box::pin(async {
            for _ in 0..1000 {
                consume_budget().await;
            }
        }));
        assert_eq!(future.until(usize::MAX).await, Some(()));
        assert!(future.polls() > 1, "one poll has a budget of 128");
    }
}
