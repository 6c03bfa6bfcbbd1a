//! A rustls configuration for each mode.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::error::{Error, ErrorKind, Result};
use crate::tls::{SslMode, Trust, provider};

/// The configuration for a mode; `None` when the mode never uses TLS. Reads the certificate files.
///
/// | mode | the server's certificate |
/// |---|---|
/// | `require` | is taken as it comes; the server must hold its key |
/// | `verify-ca` | comes from a trusted authority |
/// | `verify-full` | comes from a trusted authority and names the host |
///
/// # Errors
/// `Config` when a file cannot be read or holds no certificate or key.
pub fn client_config(trust: &Trust) -> Result<Option<ClientConfig>> {
    if trust.mode == SslMode::Disable {
        return Ok(None);
    }
    let provider = provider();
    let verifier = verifier(trust, &provider)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("the TLS provider of this program lacks TLS 1.2 and 1.3").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &trust.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            builder.with_client_auth_cert(certificates(certificate, "sslcert")?, private_key(key)?).map_err(
                |error| wrong("`sslcert` and `sslkey` of the connection URL do not fit together").with_source(error),
            )?
        }
    };
    Ok(Some(config))
}

fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    Ok(match trust.mode {
        SslMode::Disable | SslMode::Require => Arc::new(AnyCertificate(Arc::clone(provider))),
        SslMode::VerifyCa => Arc::new(AnyName { roots: roots(trust)?, provider: Arc::clone(provider) }),
        SslMode::VerifyFull => {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots(trust)?), Arc::clone(provider))
                .build()
                .map_err(|error| wrong("no certificate authority is known").with_source(error))?
        }
    })
}

fn roots(trust: &Trust) -> Result<RootCertStore> {
    let Some(file) = &trust.root else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut store = RootCertStore::empty();
    for certificate in certificates(file, "sslrootcert")? {
        store.add(certificate).map_err(|error| {
            wrong(format!("{} (sslrootcert) holds a certificate that cannot be used", file.display()))
                .with_source(error)
        })?;
    }
    Ok(store)
}

fn certificates(file: &Path, parameter: &str) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable =
        |error| wrong(format!("{} ({parameter}) cannot be read as PEM", file.display())).with_source(error);
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() {
        return Err(wrong(format!("{} ({parameter}) holds no certificate", file.display())));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| wrong(format!("{} (sslkey) holds no private key", file.display())).with_source(error))
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// `require`: whoever answers; that it holds its key is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

/// `verify-ca`: a trusted authority, for whatever name.
#[derive(Debug)]
struct AnyName {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
