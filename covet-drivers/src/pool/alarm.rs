//! The timer of somebody who waits. To make one and take it back costs as much as the rest of a wait, and nearly every wait
//! ends long before its deadline. So timers are kept: one that was set for an earlier wait rings earlier than the next one
//! has to end, and is set anew only then.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep};

/// The most that are kept; whoever waits beside so many others makes its own.
const MOST: usize = 64;

/// A timer.
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    /// Where it was made: it rings only while that lives, and must not be asked after. tokio gives no number twice, although
    /// it does not promise that for those that have ended.
    runtime: Id,
}

/// Timers that nobody needs now. The one that has been here for longest is used first, so that those of a runtime that is
/// gone do not stay: each holds a part of it.
#[derive(Default)]
pub(super) struct Alarms(VecDeque<Alarm>);

impl Alarms {
    pub(super) fn take(&mut self) -> Option<Alarm> {
        self.0.pop_front()
    }

    /// Keeps it, or gives it back to be dropped.
    pub(super) fn keep(&mut self, alarm: Alarm) -> Option<Alarm> {
        if self.0.len() == MOST {
            return Some(alarm);
        }
        self.0.push_back(alarm);
        None
    }
}

impl Alarm {
    /// A timer for this deadline: the one that was kept, if it will do.
    pub(super) fn set(kept: Option<Alarm>, deadline: Instant) -> Self {
        let runtime = Handle::current().id();
        match kept {
            Some(alarm) if alarm.runtime == runtime && alarm.sleep.deadline() <= deadline => alarm,
            _ => Alarm { sleep: Box::pin(tokio::time::sleep_until(deadline)), runtime },
        }
    }

    /// Waits for the deadline.
    pub(super) fn poll(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        while self.sleep.as_mut().poll(context).is_ready() {
            if self.sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
