//! What a URL says about certificates: whom to trust, and who we are.

use std::path::PathBuf;

use crate::contract::Parameters;
use crate::error::{Error, ErrorKind, Result};
use crate::tls::{SslMode, choose};

/// The TLS part of a connection URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// How much is insisted on.
    pub mode: SslMode,
    /// A PEM file with the authorities to trust (`sslrootcert`); the public ones when absent.
    pub root: Option<PathBuf>,
    /// PEM files with this client's certificate chain and its key (`sslcert`, `sslkey`).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// Takes `sslmode`, `sslrootcert`, `sslcert` and `sslkey` from a URL. As in libpq, `require`
    /// together with `sslrootcert` means `verify-ca`.
    ///
    /// # Errors
    /// `Config` for an unknown mode, for a certificate without its key or a key without its
    /// certificate, and for certificates that no TLS would ever look at.
    pub fn take(parameters: &mut Parameters, host: Option<&str>) -> Result<Self> {
        let mut mode = choose(parameters, host)?;
        let root = parameters.take("sslrootcert").map(PathBuf::from);
        let identity = match (parameters.take("sslcert"), parameters.take("sslkey")) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => return Err(config("`sslcert` of the connection URL needs `sslkey`")),
            (None, Some(_)) => return Err(config("`sslkey` of the connection URL needs `sslcert`")),
        };
        if mode == SslMode::Disable && (root.is_some() || identity.is_some()) {
            return Err(config("the connection URL names certificates, but the connection would not use TLS")
                .with_help("add sslmode=verify-full, or leave sslrootcert, sslcert and sslkey out"));
        }
        if mode == SslMode::Require && root.is_some() {
            mode = SslMode::VerifyCa;
        }
        Ok(Trust { mode, root, identity })
    }
}

fn config(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use crate::contract::ConnectUrl;
    use crate::error::Result;
    use crate::tls::{SslMode, Trust};

    fn take(query: &str, host: &str) -> Result<Trust> {
        let url: ConnectUrl = format!("postgres://{host}/d?{query}").parse()?;
        let mut parameters = url.parameters();
        let trust = Trust::take(&mut parameters, url.host())?;
        parameters.finish()?;
        Ok(trust)
    }

    #[test]
    fn modes() -> Result<()> {
        assert_eq!(take("", "db.example")?.mode, SslMode::VerifyFull);
        assert_eq!(take("", "localhost")?.mode, SslMode::Disable);
        assert_eq!(take("sslmode=require", "db.example")?.mode, SslMode::Require);
        assert_eq!(take("sslmode=require&sslrootcert=/ca.pem", "db.example")?.mode, SslMode::VerifyCa);
        for wrong in ["sslmode=on", "sslcert=/c.pem", "sslkey=/k.pem", "sslmode=disable&sslrootcert=/ca.pem"] {
            assert!(take(wrong, "db.example").is_err(), "{wrong}");
        }
        Ok(())
    }
}
