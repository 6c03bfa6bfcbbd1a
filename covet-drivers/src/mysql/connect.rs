//! From a URL to a session: parameters, TLS, set-up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::{ClientIdentity, Opts, OptsBuilder, Row, SslOpts};

use crate::contract::{ConnectUrl, Parameters};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::connection::MySqlConnection;
use crate::mysql::dialect::{literal, quote};
use crate::mysql::errors::{Phase, of_driver};
use crate::mysql::numbered::IDENTITY;
use crate::mysql::raw::Raw;
use crate::mysql::reaper::Reaper;
use crate::mysql::server::{Product, Server};
use crate::tls::{Asked, SslMode, Trust, client_config, is_local, provider};

/// What a URL asks for, read and checked.
#[derive(Clone)]
pub(crate) struct Options {
    /// Where it goes, for messages.
    pub(crate) target: String,
    opts: Opts,
    reaper: Reaper,
    trust: Trust,
    connect_timeout: Duration,
    statement_timeout: Option<u64>,
    lock_timeout: Option<u64>,
    cache: usize,
    database: Option<String>,
}

/// What a session was opened with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The statements that set a session up that was reset.
    pub(crate) set_up: String,
    /// The statement that brings the timeouts back that the session was opened with.
    pub(crate) limits: String,
    /// The database of the URL.
    pub(crate) database: Option<String>,
    /// Who the server says that it is.
    pub(crate) identity: Arc<str>,
    /// The most bytes of one packet that the server takes.
    pub(crate) max_packet: usize,
    /// How many prepared statements are kept.
    pub(crate) cache: usize,
}

/// The modes that every session has.
pub(crate) const MODES: &str = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";

/// A mode that MariaDB alone knows.
pub(crate) const MARIADB_MODE: &str = "SIMULTANEOUS_ASSIGNMENT";

/// What else every session is set to.
pub(crate) const SETTINGS: &str = "SESSION time_zone = '+00:00', SESSION autocommit = 1, \
    SESSION completion_type = 'NO_CHAIN', SESSION foreign_key_checks = 1, SESSION unique_checks = 1";

/// The words that MySQL's own tools use.
const MYSQL_WORDS: &[(&str, SslMode)] = &[
    ("DISABLED", SslMode::Disable),
    ("REQUIRED", SslMode::Require),
    ("VERIFY_CA", SslMode::VerifyCa),
    ("VERIFY_IDENTITY", SslMode::VerifyFull),
];

impl Options {
    /// Reads a URL and the certificate files that it names.
    pub(crate) fn read(url: &ConnectUrl) -> Result<Self> {
        url.to_a_server()?;
        let mut parameters = url.parameters();
        let socket = parameters.take("socket");
        let host = if socket.is_some() { None } else { Some(url.host().unwrap_or("127.0.0.1")) };
        let trust = trust(&mut parameters, host)?;
        let secure = tls(&trust)?;
        if let Some(charset) = parameters.take("charset")
            && !charset.eq_ignore_ascii_case("utf8mb4")
        {
            return Err(config(
                "the parameter `charset` of the connection URL must be utf8mb4: nothing else holds every text",
            ));
        }
        let connect_timeout =
            Duration::from_secs(parameters.parse("connect_timeout", "a number of seconds")?.unwrap_or(10));
        let statement_timeout = parameters.parse::<u64>("statement_timeout", "a number of milliseconds")?;
        let lock_timeout = parameters.parse::<u64>("lock_timeout", "a number of milliseconds")?;
        let cache = parameters.parse("statement_cache_size", "a number of statements")?.unwrap_or(256);
        let application = parameters.take("application_name");
        parameters.finish()?;
        let user = url
            .user()
            .ok_or_else(|| config("the connection URL names no user").with_help("write mysql://user@host/database"))?;
        let mut builder = OptsBuilder::default()
            .user(Some(user))
            .pass(url.password().map(|password| password.reveal().to_owned()))
            .db_name(url.database())
            .prefer_socket(false)
            .client_found_rows(true)
            // The cache is our own: it knows more about a statement, and is bounded by it alone.
            .stmt_cache_size(0)
            // The protocol's limit; the server's is read at the set-up and checked before sending.
            .max_allowed_packet(Some(1 << 30))
            .wait_timeout(Some(28_800))
            .tcp_keepalive(Some(Duration::from_secs(60)));
        builder = match (&socket, host) {
            (Some(socket), _) => builder.socket(Some(socket.clone())),
            (None, Some(host)) => builder.ip_or_hostname(host).tcp_port(url.port().unwrap_or(3306)),
            (None, None) => builder,
        };
        if let Some(name) = application {
            builder = builder.connect_attribute("program_name", name);
        }
        let target = match &socket {
            Some(socket) => format!("{}@{socket}{}", user, url.path()),
            None => url.to_string(),
        };
        trust.warn(&target);
        let opts: Opts = builder.ssl_opts(secure).into();
        Ok(Options {
            target,
            reaper: Reaper::new(opts.clone()),
            opts,
            trust,
            connect_timeout: if connect_timeout.is_zero() { Duration::MAX } else { connect_timeout },
            statement_timeout: statement_timeout.filter(|limit| *limit > 0),
            lock_timeout: lock_timeout.filter(|limit| *limit > 0),
            cache,
            database: url.database().map(str::to_owned),
        })
    }

    /// How much TLS is insisted on.
    pub(crate) fn mode(&self) -> SslMode {
        self.trust.mode
    }

    /// Opens a session and sets it up.
    pub(crate) async fn connect(&self) -> Result<MySqlConnection> {
        let opened = tokio::time::timeout(self.connect_timeout, async {
            let raw = self.open().await?;
            self.set_up(raw).await
        });
        opened.await.unwrap_or_else(|_| {
            let seconds = self.connect_timeout.as_secs();
            Err(Error::new(ErrorKind::Unreachable, format!("no connection within {seconds} seconds"))
                .with_help("the parameter `connect_timeout` of the URL is the limit"))
        })
    }

    async fn open(&self) -> Result<Raw> {
        if self.trust.mode > SslMode::Disable {
            // The driver takes the process default, which this sees to.
            drop(provider());
        }
        Raw::open(self.opts.clone()).await.map_err(|error| of_driver(error, Phase::Connect))
    }

    async fn set_up(&self, mut raw: Raw) -> Result<MySqlConnection> {
        let failed = |error| of_driver(error, Phase::Connect);
        // MariaDB reads what stands in its own kind of comment, and MySQL 8 what stands in the other.
        let ask = format!(
            "SELECT VERSION(), @@version_comment, CAST(@@max_allowed_packet AS UNSIGNED), {IDENTITY} \
             /*M!, CURRENT_ROLE() */ /*!80000 , CURRENT_ROLE() */"
        );
        let told = raw.first(&ask).await.map_err(failed)?;
        let Facts { version, comment, packet, identity, role } = told
            .as_ref()
            .and_then(facts)
            .ok_or_else(|| Error::new(ErrorKind::Protocol, "the server tells nothing about itself"))?;
        let server = Server::read(&version, &comment)?;
        server.check()?;
        let set_up = self.statements(&server);
        raw.say(&set_up).await.map_err(failed)?;
        // No reset of the servers' own changes the role.
        let role = match (server.product, role) {
            // A list of quoted names, or NONE. The roles of a login need not be the default ones.
            (Product::MySql, Some(roles)) => roles,
            (Product::MariaDb, Some(role)) => quote(&role),
            (_, None) => "NONE".to_owned(),
        };
        let settings = Settings {
            set_up: format!("{set_up}; SET ROLE {role}"),
            limits: format!("SET {}", self.limits(&server, "DEFAULT").join(", ")),
            database: self.database.clone(),
            identity: identity.into(),
            max_packet: usize::try_from(packet).unwrap_or(usize::MAX),
            cache: self.cache,
        };
        Ok(MySqlConnection::new(raw, server, settings, self.reaper.clone()))
    }

    /// What makes a new session, or one that was reset, ours.
    fn statements(&self, server: &Server) -> String {
        let modes = match server.product {
            Product::MariaDb => format!("{MODES},{MARIADB_MODE}"),
            Product::MySql => MODES.to_owned(),
        };
        let mut out = String::new();
        if let Some(database) = &self.database {
            out.push_str(&format!("USE {}; ", quote(database)));
        }
        out.push_str(&format!(
            "SET NAMES utf8mb4 COLLATE {}, SESSION sql_mode = {}, {SETTINGS}",
            server.collation(),
            literal(&modes)
        ));
        for limit in self.limits(server, "") {
            out.push_str(", ");
            out.push_str(&limit);
        }
        out
    }

    /// The timeouts as settings of the session; one that the URL does not speak of gets the other word, if there is one.
    fn limits(&self, server: &Server, otherwise: &str) -> Vec<String> {
        let statement = match server.product {
            Product::MariaDb => {
                ("max_statement_time", self.statement_timeout.map(|ms| format!("{}.{:03}", ms / 1000, ms % 1000)))
            }
            Product::MySql => ("max_execution_time", self.statement_timeout.map(|ms| ms.to_string())),
        };
        let lock = self.lock_timeout.map(|ms| ms.div_ceil(1000).to_string());
        let settings = [statement, ("innodb_lock_wait_timeout", lock.clone()), ("lock_wait_timeout", lock)];
        let written = settings.into_iter().filter(|(_, value)| value.is_some() || !otherwise.is_empty());
        written.map(|(name, value)| format!("SESSION {name} = {}", value.as_deref().unwrap_or(otherwise))).collect()
    }
}

/// What a server tells about itself.
struct Facts {
    version: String,
    comment: String,
    /// The largest packet.
    packet: u64,
    identity: String,
    /// What the session begins with: a role of MariaDB, or a list of MySQL's.
    role: Option<String>,
}

/// Reads what the server tells. The driver's own way to read a row panics when a value does not fit.
fn facts(row: &Row) -> Option<Facts> {
    let text = |index: usize| row.get_opt::<String, _>(index)?.ok();
    let packet = row.get_opt::<u64, _>(2)?.ok()?;
    Some(Facts { version: text(0)?, comment: text(1)?, packet, identity: text(3)?, role: text(4) })
}

/// Never with a password, and never with a certificate's bytes.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("target", &self.target).field("mode", &self.trust.mode).finish_non_exhaustive()
    }
}

/// What the URL says about TLS, in the words of `libpq` or in those of MySQL's own tools.
fn trust(parameters: &mut Parameters, host: Option<&str>) -> Result<Trust> {
    let native = SslMode::take(parameters, "ssl-mode", MYSQL_WORDS)?;
    let mut asked = Asked::take(parameters)?;
    asked.mode = once("sslmode", asked.mode, "ssl-mode", native)?;
    asked.root = once("sslrootcert", asked.root, "ssl-ca", parameters.take("ssl-ca"))?;
    asked.certificate = once("sslcert", asked.certificate, "ssl-cert", parameters.take("ssl-cert"))?;
    asked.key = once("sslkey", asked.key, "ssl-key", parameters.take("ssl-key"))?;
    if host.is_none() && asked.mode.is_some_and(|mode| mode > SslMode::Disable) {
        return Err(config("a socket carries no TLS").with_help("leave the TLS mode out of the connection URL"));
    }
    let trust = Trust::of(asked, host.is_none_or(is_local))?;
    if trust.mode == SslMode::VerifyCa {
        return Err(config(
            "sslmode=verify-ca cannot be had here: the driver checks the host's name with the certificate",
        )
        .with_help("say sslmode=verify-full, with the host by the name in its certificate"));
    }
    Ok(trust)
}

/// What the driver needs to know to speak TLS.
fn tls(trust: &Trust) -> Result<Option<SslOpts>> {
    // The driver reads the files only when it connects; what is wrong with them shall be said now.
    if client_config(trust)?.is_none() {
        return Ok(None);
    }
    let mut ssl = SslOpts::default();
    if trust.mode < SslMode::VerifyFull {
        ssl = ssl.with_danger_skip_domain_validation(true).with_danger_accept_invalid_certs(true);
    }
    if let Some(file) = &trust.root {
        ssl = ssl.with_root_certs(vec![read("sslrootcert", file)?.into()]).with_disable_built_in_roots(true);
    }
    if let Some((certificate, key)) = &trust.identity {
        let identity = ClientIdentity::new(read("sslcert", certificate)?.into(), read("sslkey", key)?.into());
        ssl = ssl.with_client_identity(Some(identity));
    }
    Ok(Some(ssl))
}

/// A parameter that has two names, and may be given by one of them.
fn once<T>(name: &str, first: Option<T>, other: &str, second: Option<T>) -> Result<Option<T>> {
    match (first, second) {
        (Some(_), Some(_)) => Err(config(format!("the connection URL says both `{name}` and `{other}`"))),
        (first, second) => Ok(first.or(second)),
    }
}

fn read(parameter: &str, file: &Path) -> Result<Vec<u8>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(config(format!("{} ({parameter}) cannot be read", file.display())).with_source(error)),
    }
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::error::{Error, ErrorKind, Result};
    use crate::mysql::server::Server;
    use crate::tls::SslMode;

    fn read(text: &str) -> Result<Options> {
        Options::read(&text.parse()?)
    }

    fn message(text: &str) -> String {
        let error = read(text).err();
        assert_eq!(error.as_ref().map(Error::kind), Some(ErrorKind::Config), "{text}");
        error.map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn wrong_parameters_are_named() {
        assert!(message("mysql:h/d").contains("write mysql://user@host/database"));
        assert!(message("mysql://u@h/d?charset=latin1").contains("charset"));
        assert!(message("mysql://u@h/d?connect_timeout=soon").contains("connect_timeout"));
        assert!(message("mysql://u@h/d?sslmod=require").contains("did you mean `sslmode`"));
        assert!(message("mysql://u@h/d?ssl-mode=VERIFY_CAT").contains("did you mean `VERIFY_CA`"));
        assert!(message("mysql://u@h/d?ssl-mode=PREFERRED").contains("ssl-mode=preferred does not exist"));
        assert!(message("mysql://u@h/d?sslmode=verify-full&ssl-mode=DISABLED").contains("both"));
        assert!(message("mysql://u@h/d?ssl-ca=/a&sslrootcert=/b").contains("both"));
        assert!(message("mysql://u@h/d?ssl-mode=DISABLED").contains("insecure=plaintext"));
        assert!(message("mysql://u@h/d?ssl-mode=VERIFY_CA&ssl-ca=/a").contains("verify-full"));
        assert!(message("mysql://u@h/d?sslrootcert=/no/such").contains("/no/such"));
        assert!(message("mysql://h/d").contains("user"));
        assert!(message("mysql://u@h/d?socket=/s&sslmode=require").contains("socket"));
    }

    #[test]
    fn modes_in_both_vocabularies() -> Result<()> {
        for (query, mode) in [
            ("", SslMode::VerifyFull),
            ("?sslmode=require&insecure=any-certificate", SslMode::Require),
            ("?ssl-mode=REQUIRED&insecure=any-certificate", SslMode::Require),
            ("?ssl-mode=verify_identity", SslMode::VerifyFull),
            ("?ssl-mode=DISABLED&insecure=plaintext", SslMode::Disable),
            ("?socket=/run/s", SslMode::Disable),
        ] {
            assert_eq!(read(&format!("mysql://u:hunter2@db.example/d{query}"))?.trust.mode, mode, "{query}");
        }
        assert_eq!(read("mariadb://u@localhost/d")?.trust.mode, SslMode::Disable);
        Ok(())
    }

    #[test]
    fn the_set_up_follows_the_product() -> Result<()> {
        let options = read("mysql://u:hunter2@localhost/a`b?statement_timeout=1500&lock_timeout=1")?;
        let maria = options.statements(&Server::read("10.11.1-MariaDB", "")?);
        assert!(maria.starts_with("USE `a``b`; SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin,"), "{maria}");
        assert!(maria.contains("max_statement_time = 1.500") && maria.contains("innodb_lock_wait_timeout = 1,"));
        assert!(maria.contains("SIMULTANEOUS_ASSIGNMENT"));
        let mysql = options.statements(&Server::read("8.0.36", "")?);
        assert!(mysql.contains("utf8mb4_0900_bin") && mysql.contains("max_execution_time = 1500"));
        assert!(!mysql.contains("SIMULTANEOUS_ASSIGNMENT") && !format!("{options:?}").contains("hunter2"));
        Ok(())
    }
}
