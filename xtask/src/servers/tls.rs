//! A throw-away certificate authority for each server, so that the tests can verify the right one and refuse the other's.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::home::write_private;
use crate::Outcome;
use crate::process::capture;

const CONFIG: &str = "
[req]
prompt = no
distinguished_name = name
[name]
CN = covet tests
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
";

/// What a server and its clients need, as files in the server's folder.
#[derive(Debug)]
pub(super) struct Certificates {
    /// What clients trust.
    pub(super) authority: PathBuf,
    /// What the server shows, for `localhost` and 127.0.0.1.
    pub(super) certificate: PathBuf,
    /// The certificate's private key.
    pub(super) key: PathBuf,
}

impl Certificates {
    /// Makes an authority and a server certificate signed by it.
    pub(super) fn make(openssl: &Path, account: &Account, room: &Path) -> Outcome<Self> {
        let config = room.join("openssl.cnf");
        write_private(&config, CONFIG, account)?;
        let authority_key = room.join("ca.key");
        let made =
            Self { authority: room.join("ca.pem"), certificate: room.join("server.pem"), key: room.join("server.key") };
        let sign = |section: &str, key: &Path, out: &Path, issuer: Option<&Path>| {
            let mut command = account.command(openssl);
            command.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
            ]);
            command.args(["-extensions", section, "-subj", &format!("/CN=covet tests {section}")]);
            command.arg("-config").arg(&config).arg("-keyout").arg(key).arg("-out").arg(out);
            if let Some(issuer) = issuer {
                command.arg("-CA").arg(issuer).arg("-CAkey").arg(&authority_key);
            }
            capture(command.current_dir(room)).map(drop)
        };
        sign("authority", &authority_key, &made.authority, None)?;
        sign("server", &made.key, &made.certificate, Some(&made.authority))?;
        Ok(made)
    }
}
