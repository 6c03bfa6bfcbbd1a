//! How much TLS a connection insists on: libpq's table.

use crate::contract::Parameters;
use crate::error::Result;

/// The modes of libpq, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS only when the server refuses to go without.
    Allow,
    /// TLS when the server offers it; no certificate is checked. Going on without is logged.
    Prefer,
    /// TLS or no connection; no certificate is checked (with a root certificate given, as `verify-ca`).
    Require,
    /// TLS, and the server's certificate comes from a trusted authority.
    VerifyCa,
    /// TLS, a trusted certificate, and it is this host's.
    VerifyFull,
}

impl SslMode {
    /// The words of the URL parameter `sslmode`.
    pub const WORDS: &[(&str, SslMode)] = &[
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
}

/// The mode of a connection: what the URL says in `sslmode`; where it says nothing, `verify-full`
/// for a host on a network, and no TLS on a socket or on loopback, which no wire carries.
///
/// # Errors
/// `Config` for a word that is no mode.
pub fn choose(parameters: &mut Parameters, host: Option<&str>) -> Result<SslMode> {
    let said = parameters.choice("sslmode", SslMode::WORDS)?;
    Ok(said.unwrap_or(if host.is_none_or(is_local) { SslMode::Disable } else { SslMode::VerifyFull }))
}

/// Whether the host is this machine: a socket's folder, `localhost`, or a loopback address.
fn is_local(host: &str) -> bool {
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
