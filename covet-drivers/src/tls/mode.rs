//! How much TLS a connection insists on, and the one way to insist on less.

use crate::contract::Parameters;
use crate::error::{Error, ErrorKind, Result};

/// What a connection insists on, weakest first. None of them can be talked down by whoever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// No TLS: on this machine, or with `insecure=plaintext`.
    Disable,
    /// TLS with whoever answers: on this machine, or with `insecure=any-certificate`. Together with a root
    /// certificate it means `verify-ca`.
    Require,
    /// TLS, and the server's certificate comes from the authority in `sslrootcert`.
    VerifyCa,
    /// TLS, a trusted certificate, and it is this host's.
    VerifyFull,
}

impl SslMode {
    /// The words of the URL parameter `sslmode`.
    pub const WORDS: &[(&str, SslMode)] = &[
        ("disable", SslMode::Disable),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];

    /// The word of libpq for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SslMode::Disable => "disable",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        }
    }

    /// Takes the mode from a parameter, by the words of `sslmode` or by others.
    ///
    /// # Errors
    /// `Config` for a word that is no mode. A mode that leaves TLS to the other side (`allow`, `prefer`,
    /// `preferred`) is refused by its name: whoever stands between could leave it out.
    pub fn take(parameters: &mut Parameters, name: &'static str, words: &[(&str, SslMode)]) -> Result<Option<SslMode>> {
        let said = parameters.clone().take(name).unwrap_or_default();
        let yields = ["allow", "prefer", "preferred"].into_iter().find(|word| said.eq_ignore_ascii_case(word));
        if let Some(word) = yields {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{name}={word} does not exist here: whoever stands between could switch TLS off unseen"),
            )
            .with_help(format!(
                "leave `{name}` out to get verify-full over a network; insecure=plaintext goes without TLS"
            )));
        }
        parameters.choice(name, words)
    }
}

/// What a connection over a network goes without, by the explicit choice `insecure` in its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insecure {
    /// No TLS: everybody on the way can read and change everything.
    Plaintext,
    /// TLS with whoever answers: nobody can listen, but whoever stands between can take the server's place.
    AnyCertificate,
}

impl Insecure {
    /// The words of the URL parameter `insecure`.
    pub const WORDS: &[(&str, Insecure)] =
        &[("plaintext", Insecure::Plaintext), ("any-certificate", Insecure::AnyCertificate)];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Insecure::Plaintext => "plaintext",
            Insecure::AnyCertificate => "any-certificate",
        }
    }
}

/// Whether the host is this machine, which no wire leads to: a socket, `localhost`, or a loopback address.
#[must_use]
pub fn is_local(host: &str) -> bool {
    is_socket(host)
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the host is the folder of a socket.
#[must_use]
pub fn is_socket(host: &str) -> bool {
    host.starts_with('/')
}
