//! What a URL says about TLS: how much of it, whom to trust, and who we are.

use std::path::PathBuf;

use crate::contract::Parameters;
use crate::error::{Error, ErrorKind, Result};
use crate::tls::{Insecure, SslMode};

/// The parameters about TLS as they stand in a URL, before they are held against each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `sslmode`.
    pub mode: Option<SslMode>,
    /// `insecure`.
    pub insecure: Option<Insecure>,
    /// `sslrootcert`.
    pub root: Option<String>,
    /// `sslcert`.
    pub certificate: Option<String>,
    /// `sslkey`.
    pub key: Option<String>,
}

impl Asked {
    /// Takes `sslmode`, `insecure`, `sslrootcert`, `sslcert` and `sslkey` from a URL.
    ///
    /// # Errors
    /// `Config` for a word that is none of a parameter's.
    pub fn take(parameters: &mut Parameters) -> Result<Self> {
        Ok(Asked {
            mode: SslMode::take(parameters, "sslmode", SslMode::WORDS)?,
            insecure: parameters.choice("insecure", Insecure::WORDS)?,
            root: parameters.take("sslrootcert"),
            certificate: parameters.take("sslcert"),
            key: parameters.take("sslkey"),
        })
    }
}

/// The TLS part of a connection URL, in which nothing contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// How much is insisted on.
    pub mode: SslMode,
    /// What is gone without over a network.
    pub insecure: Option<Insecure>,
    /// A PEM file with the authorities to trust (`sslrootcert`); the public ones when absent.
    pub root: Option<PathBuf>,
    /// PEM files with this client's certificate chain and its key (`sslcert`, `sslkey`).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// What the parameters mean for a host on this machine (`local`) or on a network: where they say
    /// nothing, no TLS for the one and `verify-full` for the other. As in libpq, `require` together with
    /// `sslrootcert` means `verify-ca`.
    ///
    /// # Errors
    /// `Config` for less than a checked certificate over a network without `insecure`, for parameters that
    /// contradict each other, for a certificate without its key or a key without its certificate, for
    /// certificates that nobody would look at, and for `verify-ca` by the public authorities, which give
    /// everybody a certificate.
    pub fn of(asked: Asked, local: bool) -> Result<Self> {
        let identity = match (asked.certificate, asked.key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => return Err(config("`sslcert` of the connection URL needs `sslkey`")),
            (None, Some(_)) => return Err(config("`sslkey` of the connection URL needs `sslcert`")),
        };
        let rooted = asked.root.is_some();
        let mode = match (asked.mode, asked.insecure) {
            (None, None) if local => SslMode::Disable,
            (None, None) => SslMode::VerifyFull,
            (None | Some(SslMode::Disable), Some(Insecure::Plaintext)) => SslMode::Disable,
            (None | Some(SslMode::Require), Some(Insecure::AnyCertificate)) if !rooted => SslMode::Require,
            (Some(SslMode::Require), None) if rooted => SslMode::VerifyCa,
            (Some(SslMode::Disable), None) if !local => return Err(unprotected(SslMode::Disable)),
            (Some(SslMode::Require), None) if !local => return Err(unprotected(SslMode::Require)),
            (Some(said), None) => said,
            (said, Some(insecure)) => return Err(contradiction(said, insecure)),
        };
        if mode == SslMode::Disable && (rooted || identity.is_some()) {
            return Err(config("the connection URL names certificates, but the connection would not use TLS")
                .with_help("add sslmode=verify-full, or leave sslrootcert, sslcert and sslkey out"));
        }
        if mode == SslMode::VerifyCa && !rooted {
            return Err(config(
                "sslmode=verify-ca needs `sslrootcert`: anybody gets a certificate of a public authority",
            )
            .with_help("name the authority's file, or say sslmode=verify-full"));
        }
        Ok(Trust { mode, insecure: asked.insecure.filter(|_| !local), root: asked.root.map(PathBuf::from), identity })
    }

    /// Says in the log what the connection goes without over a network.
    pub fn warn(&self, target: &str) {
        if let Some(insecure) = self.insecure {
            let word = insecure.word();
            tracing::warn!(target, "insecure={word}: whoever stands between can take the server's place");
        }
    }
}

fn unprotected(mode: SslMode) -> Error {
    let (insecure, what) = match mode {
        SslMode::Disable => (Insecure::Plaintext, "sends everything in clear text"),
        _ => (Insecure::AnyCertificate, "checks no certificate"),
    };
    let (mode, insecure) = (mode.word(), insecure.word());
    config(format!("sslmode={mode} {what} over a network, and the connection URL does not say that it may")).with_help(
        format!("leave sslmode out to get verify-full, with `sslrootcert` for an authority of your own; or add insecure={insecure}"),
    )
}

fn contradiction(mode: Option<SslMode>, insecure: Insecure) -> Error {
    let insecure = insecure.word();
    match mode {
        Some(mode) if mode != SslMode::Require || insecure == Insecure::Plaintext.word() => config(format!(
            "the connection URL says both sslmode={} and insecure={insecure}, which contradict each other",
            mode.word()
        ))
        .with_help("leave one of them out"),
        _ => config(format!("insecure={insecure} of the connection URL would not look at `sslrootcert`"))
            .with_help("leave insecure out"),
    }
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use crate::contract::ConnectUrl;
    use crate::error::{Error, ErrorKind, Result};
    use crate::tls::{Asked, SslMode, Trust, is_local};

    fn take(query: &str, host: &str) -> Result<SslMode> {
        let url: ConnectUrl = format!("postgres://{host}/d?{query}").parse()?;
        let mut parameters = url.parameters();
        let trust = Trust::of(Asked::take(&mut parameters)?, url.host().is_none_or(is_local))?;
        parameters.finish()?;
        Ok(trust.mode)
    }

    #[test]
    fn what_is_said_and_what_it_means() -> Result<()> {
        for (query, host, mode) in [
            ("", "db.example", SslMode::VerifyFull),
            ("", "192.0.2.7", SslMode::VerifyFull),
            ("sslmode=verify-ca&sslrootcert=/ca.pem", "db.example", SslMode::VerifyCa),
            ("sslmode=require&sslrootcert=/ca.pem", "db.example", SslMode::VerifyCa),
            ("insecure=any-certificate", "db.example", SslMode::Require),
            ("sslmode=require&insecure=any-certificate", "db.example", SslMode::Require),
            ("insecure=plaintext", "db.example", SslMode::Disable),
            ("sslmode=disable&insecure=plaintext", "db.example", SslMode::Disable),
            ("", "localhost", SslMode::Disable),
            ("", "127.0.0.1", SslMode::Disable),
            ("", "[::1]", SslMode::Disable),
            ("sslmode=disable", "localhost", SslMode::Disable),
            ("sslmode=require", "localhost", SslMode::Require),
            ("sslmode=verify-full", "localhost", SslMode::VerifyFull),
            ("insecure=plaintext", "localhost", SslMode::Disable),
        ] {
            assert_eq!(take(query, host)?, mode, "{host} {query}");
        }
        Ok(())
    }

    /// F10: less than verify-full over a network is an explicit choice, and nothing that is said is dropped.
    #[test]
    fn f10_what_is_refused_says_the_way_out() {
        for (query, word) in [
            ("sslmode=disable", "insecure=plaintext"),
            ("sslmode=require", "insecure=any-certificate"),
            ("sslmode=allow", "sslmode=allow does not exist"),
            ("sslmode=Prefer", "sslmode=prefer does not exist"),
            ("sslmode=verify-ca", "needs `sslrootcert`"),
            ("sslmode=on", "must be one of"),
            ("insecure=yes", "must be one of plaintext, any-certificate"),
            ("insecure=plaintex", "did you mean `plaintext`"),
            ("sslmode=verify-full&insecure=plaintext", "contradict"),
            ("sslmode=require&insecure=plaintext", "contradict"),
            ("sslmode=disable&insecure=any-certificate", "contradict"),
            ("sslmode=verify-full&insecure=any-certificate", "contradict"),
            ("insecure=any-certificate&sslrootcert=/ca.pem", "would not look at `sslrootcert`"),
            ("insecure=plaintext&sslrootcert=/ca.pem", "would not use TLS"),
            ("sslcert=/c.pem", "needs `sslkey`"),
            ("sslkey=/k.pem", "needs `sslcert`"),
        ] {
            let error = take(query, "db.example").err();
            assert_eq!(error.as_ref().map(Error::kind), Some(ErrorKind::Config), "{query}");
            let text = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(text.contains(word), "{query}: {text}");
        }
        assert!(take("sslrootcert=/ca.pem", "localhost").is_err());
    }

    #[test]
    fn what_only_looks_like_this_machine_is_a_network() {
        for host in ["localhost.example", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "::", "::ffff:127.0.0.1", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
