//! From a URL to a session that is set up: parameters, TLS, the driver's task, version, settings.

use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, Host, LoadBalanceHosts, SslMode as DriverMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::contract::{ConnectUrl, Parameters, Password};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::errors;
use crate::postgres::link::{Opened, session};
use crate::postgres::run::says_yes;
use crate::render::ansi;
use crate::tls::{Asked, SslMode, Trust, client_config, is_local, is_socket};

/// The oldest major version whose behaviour Covet knows.
const OLDEST: u32 = 13;

/// Whether transactions write unless they are told not to: asked together with the settings.
const WRITES: &str = "SELECT current_setting('default_transaction_read_only') = 'off' AND NOT pg_is_in_recovery()";

/// Where to connect to, and how: everything that the URL said.
pub(crate) struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    setup: String,
    cache: usize,
    shown: String,
    trust: Trust,
}

impl Target {
    /// What the URL says.
    pub(crate) fn of(url: &ConnectUrl) -> Result<Self> {
        url.to_a_server()?;
        let mut parameters = url.parameters();
        let hosts = hosts(url, &mut parameters)?;
        let ports = ports(url, &mut parameters)?;
        if ports.len() > 1 && ports.len() != hosts.len() {
            return Err(wrong("the connection URL names other numbers of hosts and ports"));
        }
        let user = either("user", url.user().map(str::to_owned), parameters.take("user"))?;
        let password = either(
            "password",
            url.password().map(|password| password.reveal().to_owned()),
            parameters.take("password"),
        )?;
        let database = either("dbname", url.database().map(str::to_owned), parameters.take("dbname"))?;
        let joined = hosts.join(",");
        let asked = Asked::take(&mut parameters)?;
        let socket = hosts.iter().any(|host| is_socket(host));
        if socket && asked.mode.is_some_and(|mode| mode > SslMode::Disable) {
            return Err(wrong("the connection URL asks for TLS on a socket, and PostgreSQL has none there")
                .with_help("leave sslmode out: a socket never leaves the machine"));
        }
        let trust = Trust::of(asked, hosts.iter().all(|host| is_local(host)))?;
        if socket && trust.mode > SslMode::Disable {
            return Err(wrong("the connection URL lists a socket beside hosts on a network, which want TLS")
                .with_help("name them in URLs of their own"));
        }
        let mut config = Config::new();
        for host in &hosts {
            config.host(host);
        }
        for port in &ports {
            config.port(*port);
        }
        if let Some(user) = &user {
            config.user(user);
        }
        if let Some(password) = &password {
            config.password(password);
        }
        if let Some(database) = &database {
            config.dbname(database);
        }
        let shown = shown(user.as_deref(), &joined, &ports, database.as_deref());
        network(&mut config, &mut parameters)?;
        if trust.mode == SslMode::Disable && config.get_channel_binding() == ChannelBinding::Require {
            return Err(wrong("channel_binding=require of the connection URL needs TLS")
                .with_help("add sslmode=verify-full, or leave channel_binding out"));
        }
        let timeout = parameters.parse("connect_timeout", "a number of seconds")?.unwrap_or(10);
        let setup = setup(&mut parameters)?;
        let cache = parameters.parse("statement_cache_size", "a number of statements")?.unwrap_or(256);
        parameters.finish()?;
        let tls = client_config(&trust)?.map(MakeRustlsConnect::new);
        config.ssl_mode(if tls.is_some() { DriverMode::Require } else { DriverMode::Disable });
        trust.warn(&shown);
        Ok(Target {
            config,
            tls,
            // 0 means no limit, as in libpq.
            timeout: if timeout == 0 { Duration::MAX } else { Duration::from_secs(timeout) },
            setup,
            cache,
            shown,
            trust,
        })
    }

    /// The target in words, without the password.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The statements that set a session up, and set it up again after a reset.
    pub(crate) fn setup(&self) -> &str {
        &self.setup
    }

    /// The most prepared statements kept on a connection.
    pub(crate) fn cache(&self) -> usize {
        self.cache
    }

    /// The name of the database: as the URL says it, or that of the user.
    pub(crate) fn database(&self) -> Option<&str> {
        self.config.get_dbname().or(self.config.get_user())
    }

    /// The same server, another database.
    pub(crate) fn within(mut self, database: &str) -> Self {
        self.config.dbname(database);
        self
    }

    /// What the programs of libpq are told by their environment: all of it but files and options.
    pub(crate) fn environment(&self) -> Vec<(&'static str, Password)> {
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host).collect();
        let ports: Vec<String> = self.config.get_ports().iter().map(u16::to_string).collect();
        let password = self.config.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        let known = [
            ("PGHOST", Some(hosts.join(","))),
            ("PGPORT", Some(ports.join(","))),
            ("PGUSER", self.config.get_user().map(str::to_owned)),
            ("PGPASSWORD", password),
            ("PGDATABASE", self.database().map(str::to_owned)),
            ("PGSSLMODE", Some(self.trust.mode.word().to_owned())),
            // The public authorities, which psql does not take by itself.
            ("PGSSLROOTCERT", (self.trust.mode == SslMode::VerifyFull).then(|| "system".to_owned())),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name, Password::new(value?)))).collect()
    }

    /// The driver's settings, for a session that is not set up.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// TLS, unless the session goes without.
    pub(crate) fn tls(&self) -> Option<MakeRustlsConnect> {
        self.tls.clone()
    }

    /// Opens a session and sets it up.
    pub(crate) async fn open(&self) -> Result<Opened> {
        self.in_time(self.open_at_leisure()).await
    }

    /// Waits for a session to be opened, as long as the URL allows.
    pub(crate) async fn in_time<T>(&self, opening: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.timeout, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::new(
                ErrorKind::Unreachable,
                format!("{} did not answer within {} s", self.shown, self.timeout.as_secs()),
            )
            .with_help("the parameter connect_timeout of the connection URL sets the limit")),
        }
    }

    async fn open_at_leisure(&self) -> Result<Opened> {
        let mut opened = match &self.tls {
            Some(tls) => session(&self.config, tls.clone(), Some(tls.clone())).await?,
            None => session(&self.config, NoTls, None).await?,
        };
        let major: Option<u32> =
            opened.version.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
        if major.is_none_or(|major| major < OLDEST) {
            let text = format!("PostgreSQL {} is older than {OLDEST}, the oldest that works", opened.version);
            return Err(Error::new(ErrorKind::ServerVersion, text));
        }
        let asked = format!("{}; {WRITES}", self.setup);
        opened.writes = says_yes(&opened.client.simple_query(&asked).await.map_err(errors::connecting)?);
        Ok(opened)
    }
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn hosts(url: &ConnectUrl, parameters: &mut Parameters) -> Result<Vec<String>> {
    let given = either("host", url.host().map(str::to_owned), parameters.take("host"))?;
    let hosts: Vec<String> =
        given.as_deref().unwrap_or("localhost").split(',').map(|host| host.trim().to_owned()).collect();
    if hosts.iter().any(String::is_empty) {
        return Err(wrong("the connection URL has an empty host in its list"));
    }
    Ok(hosts)
}

fn ports(url: &ConnectUrl, parameters: &mut Parameters) -> Result<Vec<u16>> {
    let given = either("port", url.port().map(|port| port.to_string()), parameters.take("port"))?;
    given
        .as_deref()
        .unwrap_or("5432")
        .split(',')
        .map(|port| port.trim().parse().map_err(|_| wrong("`port` of the connection URL must be a number to 65535")))
        .collect()
}

/// A part of the URL that a parameter can name too.
fn either(name: &str, part: Option<String>, parameter: Option<String>) -> Result<Option<String>> {
    match (part, parameter) {
        (Some(_), Some(_)) => {
            Err(wrong(format!("the connection URL says `{name}` twice, in its parameters and before them")))
        }
        (part, parameter) => Ok(part.or(parameter).filter(|value| !value.is_empty())),
    }
}

fn network(config: &mut Config, parameters: &mut Parameters) -> Result<()> {
    let seconds = |parameters: &mut Parameters, name: &'static str, otherwise: u64| {
        let given = parameters.parse(name, "a number of seconds")?;
        Ok::<_, Error>(Duration::from_secs(given.unwrap_or(otherwise)))
    };
    config.application_name(parameters.take("application_name").unwrap_or_else(|| "covet".to_owned()));
    if let Some(options) = parameters.take("options") {
        config.options(options);
    }
    config.keepalives(parameters.switch("keepalives")?.unwrap_or(true));
    config.keepalives_idle(seconds(parameters, "keepalives_idle", 60)?);
    config.keepalives_interval(seconds(parameters, "keepalives_interval", 15)?);
    config.keepalives_retries(parameters.parse("keepalives_retries", "a number")?.unwrap_or(4));
    // Keepalives do not fire while sent data waits for its answer, and the system's own limit is a quarter of an hour.
    let unanswered = parameters.parse("tcp_user_timeout", "a number of milliseconds")?.unwrap_or(30_000);
    config.tcp_user_timeout(Duration::from_millis(unanswered));
    let bindings = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    if let Some(binding) = parameters.choice("channel_binding", &bindings)? {
        config.channel_binding(binding);
    }
    let attributes = [
        ("any", TargetSessionAttrs::Any),
        ("read-write", TargetSessionAttrs::ReadWrite),
        ("read-only", TargetSessionAttrs::ReadOnly),
    ];
    if let Some(attribute) = parameters.choice("target_session_attrs", &attributes)? {
        config.target_session_attrs(attribute);
    }
    let orders = [("disable", LoadBalanceHosts::Disable), ("random", LoadBalanceHosts::Random)];
    if let Some(order) = parameters.choice("load_balance_hosts", &orders)? {
        config.load_balance_hosts(order);
    }
    Ok(())
}

/// The settings of every session. They are set by statements and not in the start-up message, which
/// poolers cut down.
fn setup(parameters: &mut Parameters) -> Result<String> {
    let mut sql = String::from(
        "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; \
         SET standard_conforming_strings = on; SET client_encoding = 'UTF8'",
    );
    let path = match (parameters.take("schema"), parameters.take("search_path")) {
        (Some(_), Some(_)) => return Err(wrong("the connection URL says both `schema` and `search_path`")),
        (Some(schema), None) => vec![schema],
        (None, Some(path)) => path.split(',').map(|schema| schema.trim().trim_matches('"').to_owned()).collect(),
        (None, None) => Vec::new(),
    };
    for (index, schema) in path.iter().enumerate() {
        if schema.is_empty() || schema.contains('\0') {
            return Err(wrong("the connection URL names a schema that cannot be one"));
        }
        sql.push_str(if index == 0 { "; SET search_path = " } else { ", " });
        // The server knows `"$user"` as the user's own schema.
        ansi::identifier(schema, &mut sql);
    }
    for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        if let Some(millis) = parameters.parse::<u32>(name, "a number of milliseconds")? {
            sql.push_str(&format!("; SET {name} = {millis}"));
        }
    }
    Ok(sql)
}

fn shown(user: Option<&str>, hosts: &str, ports: &[u16], database: Option<&str>) -> String {
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("postgres://{user}{hosts}:{}/{}", ports.join(","), database.unwrap_or_default())
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::Target;
    use crate::error::Result;

    fn target(url: &str) -> Result<Target> {
        Target::of(&url.parse()?)
    }

    #[test]
    fn urls() -> Result<()> {
        let socket = target("postgres:///blog?host=/run/pg&user=ann&port=5433&password=hunter2")?;
        assert_eq!(socket.shown(), "postgres://ann@/run/pg:5433/blog");
        assert!(socket.tls.is_none());
        assert!(target("postgres:///d?host=localhost,127.0.0.1")?.tls.is_none());
        assert!(target("postgres:///d?host=localhost,db.example")?.tls.is_some());
        assert!(target("postgres://db.example/d?insecure=plaintext")?.tls.is_none());
        let remote = target("postgres://ann:hunter2@db.example/blog?schema=a\"b&lock_timeout=50")?;
        assert!(remote.tls.is_some() && !remote.shown().contains("hunter2"));
        assert!(remote.setup().ends_with("SET search_path = \"a\"\"b\"; SET lock_timeout = 50"), "{}", remote.setup());
        Ok(())
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        for url in [
            "postgres:h/d",
            "postgres:/h/d",
            "postgres://h/d?sslmod=require",
            "postgres://ann@h/d?user=bob",
            "postgres://h/d?schema=a&search_path=b",
            "postgres://h/d?statement_timeout=1s",
            "postgres:///d?host=/run/pg&sslmode=require",
            "postgres:///d?host=/run/pg,db.example",
            "postgres:///d?host=db.example,/run/pg&sslmode=disable",
            "postgres:///d?host=localhost,db.example&sslmode=disable",
            "postgres://h/d?insecure=plaintext&channel_binding=require",
            "postgres:///d?host=a,b&port=1,2,3",
            "postgres://h/d?sslrootcert=/no/such/file.pem",
        ] {
            assert!(target(url).is_err(), "{url}");
        }
    }
}
