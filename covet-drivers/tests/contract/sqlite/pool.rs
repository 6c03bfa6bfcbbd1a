//! Lending: nobody waits while a connection lies idle, wherever it lies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use covet_drivers::ErrorKind;
use covet_drivers::contract::ConnectionState;
use covet_drivers::pool::{Pool, PoolOptions};

use super::Place;

fn pool(place: &Place, max_size: usize) -> Pool {
    let options = PoolOptions { max_size, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() };
    Pool::new(Arc::clone(&place.backend), options).unwrap()
}

/// If a connection were left where no waiter looks, the last waiters would wait in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_while_a_connection_lies_idle() {
    let place = Place::new();
    for most in [1, 2, 3] {
        let pool = pool(&place, most);
        let lent = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (pool, lent) = (pool.clone(), Arc::clone(&lent));
                tokio::spawn(async move {
                    for turn in 0..2000 {
                        let lease = pool.acquire().await.unwrap();
                        assert!(lent.fetch_add(1, Ordering::SeqCst) < most, "more are lent than there may be");
                        if (task + turn) % 3 == 0 {
                            tokio::task::yield_now().await;
                        }
                        lent.fetch_sub(1, Ordering::SeqCst);
                        drop(lease);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let status = pool.status();
        assert_eq!((status.idle, status.waiting), (status.size, 0), "{status:?}");
    }
}

/// A borrower that gives up waiting leaves nothing behind.
#[tokio::test]
async fn who_gives_up_waiting_is_forgotten() {
    let place = Place::new();
    let pool = pool(&place, 1);
    let lease = pool.acquire().await.unwrap();
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(2), pool.acquire()).await.is_err());
    }
    drop(lease);
    for _ in 0..3 {
        assert_eq!(pool.acquire().await.unwrap().state(), ConnectionState::Idle);
    }
    assert_eq!((pool.status().idle, pool.status().size), (1, 1));
}

#[tokio::test]
async fn a_closed_pool_keeps_and_lends_nothing() {
    let place = Place::new();
    let pool = pool(&place, 2);
    let lent = pool.acquire().await.unwrap();
    drop(pool.acquire().await.unwrap());
    pool.close();
    assert_eq!(pool.status().idle, 0);
    assert_eq!(pool.acquire().await.map(drop).unwrap_err().kind(), ErrorKind::PoolClosed);
    drop(lent);
    assert_eq!(pool.status().idle, 0);
    assert_eq!(pool.acquire().await.map(drop).unwrap_err().kind(), ErrorKind::PoolClosed);
}
