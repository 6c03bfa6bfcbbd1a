//! What the driver cannot read is an error to the program and no panic: at some answers that no server should give, an
//! empty packet among rows for one, the driver panics.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use mysql_async::{DriverError, Error};

/// Waits for the driver. Nothing of ours may run in it: what panics in a program shall be seen there.
pub(super) async fn caught<T>(exchange: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match AssertUnwindSafe(exchange).catch_unwind().await {
        Ok(done) => done,
        Err(_) => Err(Error::Driver(DriverError::UnexpectedPacket { payload: Vec::new() })),
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let nothing: [u8; 0] = [];
        let reads = async { Ok(nothing[std::hint::black_box(0)]) };
        assert!(caught(reads).await.is_err());
        assert!(matches!(caught(async { Ok(7) }).await, Ok(7)));
    }
}
