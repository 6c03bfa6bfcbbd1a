//! Authorities and certificates, good and bad, made for a test.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SignatureAlgorithm, date_time_ymd,
};

/// A certificate with its key, as PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: String,
}

/// What a certificate is to say.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) names: &'a [&'a str],
    pub(crate) addresses: &'a [&'a str],
    pub(crate) common_name: &'a str,
    pub(crate) until: i32,
    pub(crate) from: i32,
    pub(crate) for_client: bool,
    pub(crate) algorithm: &'static SignatureAlgorithm,
}

/// A certificate that nothing is wrong with, for this machine.
pub(crate) const GOOD: Wanted<'static> = Wanted {
    names: &["localhost"],
    addresses: &["127.0.0.1"],
    common_name: "covet tests",
    from: 2020,
    until: 2100,
    for_client: false,
    algorithm: &rcgen::PKCS_ECDSA_P256_SHA256,
};

/// A client's certificate for the account of this name.
pub(crate) fn client(name: &str) -> Wanted<'_> {
    Wanted { names: &[], addresses: &[], common_name: name, for_client: true, ..GOOD }
}

impl Wanted<'_> {
    fn parameters(self) -> CertificateParams {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = called(self.common_name);
        let names = self.names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        let addresses = self.addresses.iter().map(|text| SanType::IpAddress(text.parse::<IpAddr>().unwrap()));
        parameters.subject_alt_names = names.chain(addresses).collect();
        parameters.not_before = date_time_ymd(self.from, 1, 1);
        parameters.not_after = date_time_ymd(self.until, 1, 1);
        parameters.extended_key_usages = vec![match self.for_client {
            true => ExtendedKeyUsagePurpose::ClientAuth,
            false => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        parameters
    }

    /// A certificate that vouches for itself.
    pub(crate) fn self_signed(self) -> Pair {
        let key = KeyPair::generate_for(self.algorithm).unwrap();
        let certificate = self.parameters().self_signed(&key).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, GOOD.algorithm)
    }

    pub(crate) fn with(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let (parameters, key) = (authority(name), KeyPair::generate_for(algorithm).unwrap());
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(parameters, key), certificate }
    }

    /// An authority below this one.
    pub(crate) fn intermediate(&self, name: &str) -> Authority {
        let (parameters, key) = (authority(name), KeyPair::generate().unwrap());
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        Authority { issuer: Issuer::new(parameters, key), certificate }
    }

    pub(crate) fn sign(&self, wanted: Wanted<'_>) -> Pair {
        let key = KeyPair::generate_for(wanted.algorithm).unwrap();
        let certificate = wanted.parameters().signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = called(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn called(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
