//! Coordinators that go away in the middle: the future of a transaction is dropped, or the whole runtime with it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::time::Duration;

use covet_orm::{Coordinator, Event};

use crate::two_phase::servers::{Both, observed, on_both};
use crate::two_phase::{nothing_happened, put_both};

/// Commands of a transaction with a statement in each of two databases, from BEGIN to the last branch that is told.
pub(crate) const STEPS: usize = 9;

/// Polled so many times and dropped: nobody recovers, and all the same nothing is left.
#[test]
fn a_dropped_transaction_comes_to_an_end_by_itself() {
    on_both(async |both| {
        let c = both.coordinator().await;
        put_both(&c, "warm").await.unwrap().everywhere().unwrap();
        let (mut committed, mut longest) = (0, Duration::ZERO);
        for polls in 0..200 {
            let row = format!("polled {polls}");
            let ended = {
                let mut future = pin!(put_both(&c, &row));
                let mut ended = false;
                for _ in 0..polls {
                    let mut context = Context::from_waker(Waker::noop());
                    if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
                        done.unwrap().everywhere().unwrap();
                        ended = true;
                        break;
                    }
                    tokio::time::sleep(Duration::from_micros(300)).await;
                }
                ended
            };
            // What has begun to end goes on for a moment.
            tokio::time::sleep(Duration::from_millis(20)).await;
            longest = longest.max(both.nothing_left(Duration::from_secs(10)).await);
            let there = both.both_have(&row).await;
            assert!(there || !ended);
            committed += usize::from(there);
            if ended {
                println!(
                    "dropped after 0 to {} polls: {committed} committed, the rest not at all; longest wait {longest:?}",
                    polls - 1
                );
                both.nobody_holds_a_connection().await;
                return;
            }
        }
        panic!("200 polls are not enough");
    });
}

/// Runs a transaction in a runtime that ends behind one of its commands, and with it every task.
fn leave(both: &Both, row: &str, step: usize) {
    let (urls, name, row) = (both.urls.clone(), both.name.clone(), row.to_owned());
    let (tell, told) = channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.spawn(async move {
        let seen = Arc::new(AtomicUsize::new(usize::MAX / 2));
        let count = Arc::clone(&seen);
        let observer = move |_: &Event<'_>| {
            if count.fetch_add(1, Ordering::SeqCst) == step {
                let _ = tell.send(());
            }
        };
        let (c, _handles) = observed(&name, urls, 4, observer).await.unwrap();
        seen.store(0, Ordering::SeqCst);
        let _ = put_both(&c, &row).await;
    });
    let ended = tokio::task::block_in_place(|| told.recv_timeout(Duration::from_secs(20)));
    runtime.shutdown_background();
    assert!(ended.is_ok(), "step {step} was not reached");
}

/// A coordinator that is being opened recovers, and may be dropped while it does.
#[test]
fn an_opening_that_is_dropped_is_made_good_by_the_next_one() {
    on_both(async |both| {
        let stride = if covet_tests::torture() { 5 } else { 25 };
        let (mut dropped, mut committed) = (0, 0);
        for (time, millis) in (0..).step_by(stride).enumerate() {
            let row = format!("opened {millis}");
            // With one branch prepared or both, and with the commit decided.
            leave(both, &row, 4 + time % 3);
            let opening = Coordinator::open(&both.name, &both.log, [&both.orders, &both.stock]);
            let opened = tokio::time::timeout(Duration::from_millis(millis), opening).await.is_ok();
            dropped += usize::from(!opened);
            let c = both.coordinator().await;
            both.nothing_left(Duration::from_secs(10)).await;
            committed += usize::from(both.both_have(&row).await);
            nothing_happened(&c.recover().await.unwrap());
            if opened && time >= 5 {
                println!("{dropped} openings were dropped; {committed} of {} transactions committed", time + 1);
                return;
            }
            assert!(millis < 5_000);
        }
    });
}

/// The runtime ends behind each command, and with it every task; then another process recovers.
#[test]
fn whatever_a_runtime_leaves_behind_is_recovered() {
    on_both(async |both| {
        let times = if covet_tests::torture() { 20 } else { 1 };
        let (mut committed, mut found) = (0, 0);
        for (step, time) in (0..STEPS).flat_map(|step| (0..times).map(move |time| (step, time))) {
            let row = format!("runtime {step} {time}");
            leave(both, &row, step);
            let c = both.coordinator().await;
            both.nothing_left(Duration::from_secs(10)).await;
            committed += usize::from(both.both_have(&row).await);
            let report = c.recover().await.unwrap();
            assert!(report.mixed.is_empty(), "{report:?}");
            found += report.committed.len() + report.rolled_back.len();
            nothing_happened(&c.recover().await.unwrap());
        }
        println!(
            "{} runtimes ended, {committed} transactions committed; {found} branches were found late",
            STEPS * times
        );
        assert!(committed > 0);
    });
}
