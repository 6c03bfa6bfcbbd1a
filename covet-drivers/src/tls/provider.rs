//! The cryptography beneath TLS: what the program has chosen, else ring.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// The provider that every TLS configuration is built with.
///
/// A program that has installed one as the process default gets that one. Where none is
/// installed, ring becomes the default: some drivers look only there, and with more than one provider
/// built in rustls refuses to choose by itself.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    if let Some(chosen) = CryptoProvider::get_default() {
        return Arc::clone(chosen);
    }
    match ring::default_provider().install_default() {
        Ok(()) => CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone),
        // Another thread was faster: its choice holds.
        Err(ring) => CryptoProvider::get_default().map_or(ring, Arc::clone),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;

    use crate::tls::provider;

    #[test]
    fn the_process_default_is_taken_and_kept() {
        let first = provider();
        assert!(CryptoProvider::get_default().is_some_and(|default| Arc::ptr_eq(default, &first)));
        assert!(Arc::ptr_eq(&first, &provider()));
    }
}
