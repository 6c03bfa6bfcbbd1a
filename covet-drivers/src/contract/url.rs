//! Connection URLs: `scheme://user:password@host:port/database?parameter=value`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::contract::nearest;
use crate::error::{Error, ErrorKind, Result};

/// A password. It never shows: `Debug` prints `***`, and there is no `Display`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Keeps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Password(password.into())
    }

    /// The password itself, for handing it to a driver.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A connection URL, taken apart and percent-decoded. `Display` and `Debug` hide the password.
///
/// ```
/// use covet_drivers::contract::ConnectUrl;
/// let url: ConnectUrl = "postgres://ann:s3cret@db.example:5433/blog?sslmode=require".parse().unwrap();
/// assert_eq!((url.host(), url.port(), url.database()), (Some("db.example"), Some(5433), Some("blog")));
/// assert_eq!(url.to_string(), "postgres://ann:***@db.example:5433/blog");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectUrl {
    scheme: String,
    user: Option<String>,
    password: Option<Password>,
    host: Option<String>,
    port: Option<u16>,
    path: String,
    parameters: Vec<(String, String)>,
    /// Whether `//` stands behind the scheme.
    slashes: bool,
}

impl ConnectUrl {
    /// The scheme, lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// That the URL leads to a server: `//` stands behind its scheme. Without it there is neither user nor host, and
    /// what was meant for them would be taken for a path.
    ///
    /// # Errors
    /// `Config` when it does not.
    pub fn to_a_server(&self) -> Result<()> {
        if self.slashes {
            return Ok(());
        }
        Err(malformed("has no `//` behind the scheme").with_help(format!("write {}://user@host/database", self.scheme)))
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// The host name or address, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// What follows the host, without the first slash.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        let name = self.path.strip_prefix('/').unwrap_or(&self.path);
        (!name.is_empty()).then_some(name)
    }

    /// What follows the scheme and host as it is: a file's path, for databases that are files.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        ConnectUrl { path: format!("/{name}"), ..self.clone() }
    }

    /// The same URL with this parameter, unless it has it already.
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: &str) -> Self {
        let mut url = self.clone();
        if !url.parameters.iter().any(|(given, _)| given == name) {
            url.parameters.push((name.to_owned(), value.to_owned()));
        }
        url
    }

    /// The parameters, to be taken one by one.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters { left: self.parameters.clone(), known: Vec::new() }
    }
}

impl FromStr for ConnectUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(|| {
            malformed("has no scheme").with_help("write for example sqlite:blog.db or postgres://user@host/database")
        })?;
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || !scheme.chars().all(valid) {
            return Err(malformed("has no scheme")
                .with_help("write for example sqlite:blog.db or postgres://user@host/database"));
        }
        // A `?` or `/` that stands in a password as it is would make the rest of it a parameter, a port or a
        // path, and whatever named those would tell it.
        let query_at = rest.find('?').unwrap_or(rest.len());
        let authority_at = rest.strip_prefix("//").map(|after| 2 + after.find('/').unwrap_or(after.len()));
        let first = authority_at.unwrap_or(query_at).min(query_at);
        if !scheme.eq_ignore_ascii_case("sqlite") && rest[first..].contains('@') {
            return Err(malformed("has an `@` behind the host").with_help(
                "in a user name or password `/` is written %2F, `?` is %3F, `@` is %40, and `@` in a parameter is %40",
            ));
        }
        let slashes = authority_at.is_some();
        // What is no file's path here is a login, and as a path it would be shown.
        if !slashes && !scheme.eq_ignore_ascii_case("sqlite") && rest[..query_at].contains('@') {
            return Err(malformed("has no `//` before its user")
                .with_help("write for example postgres://user:password@host/database"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = ConnectUrl {
            scheme: scheme.to_ascii_lowercase(),
            user: None,
            password: None,
            host: None,
            port: None,
            path: String::new(),
            parameters: parameters(query)?,
            slashes,
        };
        let Some(after) = rest.strip_prefix("//") else {
            url.path = decode(rest)?;
            return Ok(url);
        };
        // `sqlite://blog.db` and `sqlite:///srv/blog.db` name files: there is no host in a file's URL.
        if url.scheme == "sqlite" {
            url.path = decode(after)?;
            return Ok(url);
        }
        let (authority, path) = match after.find('/') {
            Some(slash) => after.split_at(slash),
            None => (after, ""),
        };
        url.path = decode(path)?;
        let server = match authority.rsplit_once('@') {
            Some((login, server)) => {
                let (user, password) = match login.split_once(':') {
                    Some((user, password)) => (user, Some(password)),
                    None => (login, None),
                };
                url.user = Some(decode(user)?).filter(|user| !user.is_empty());
                url.password = password.map(decode).transpose()?.map(Password::new);
                server
            }
            None => authority,
        };
        (url.host, url.port) = host_and_port(server)?;
        Ok(url)
    }
}

fn host_and_port(server: &str) -> Result<(Option<String>, Option<u16>)> {
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| malformed("has a `[` that is not closed"))?;
        (host, after.strip_prefix(':'))
    } else {
        match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        }
    };
    if host.contains(':') && !server.starts_with('[') {
        return Err(malformed("has more than one `:` in its host").with_help("an IPv6 address stands in brackets"));
    }
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse().map_err(|_| malformed("has a port that is no number from 0 to 65535"))?),
    };
    Ok((Some(decode(host)?).filter(|host| !host.is_empty()), port))
}

fn parameters(query: &str) -> Result<Vec<(String, String)>> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            malformed("has a parameter without a value")
                .with_help(format!("its name has {} characters; write name=value", pair.chars().count()))
        })?;
        let name = decode(name)?;
        if parameters.iter().any(|(known, _)| *known == name) {
            return Err(malformed(format!("names the parameter `{name}` twice")));
        }
        parameters.push((name, decode(value)?));
    }
    Ok(parameters)
}

fn decode(text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let whole = bytes.iter().enumerate().all(|(index, byte)| {
        *byte != b'%' || bytes.get(index + 1..index + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    if !whole {
        return Err(malformed("has a `%` that is not followed by two hexadecimal digits")
            .with_help("a `%` in a password is written %25"));
    }
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| malformed("is not UTF-8 when percent-decoded"))
}

/// Never with the URL itself in the message: a malformed URL may hold a password anywhere.
fn malformed(what: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("the connection URL {what}"))
}

impl fmt::Display for ConnectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if self.host.is_some() || self.user.is_some() {
            f.write_str("//")?;
        }
        if let Some(user) = &self.user {
            write!(f, "{user}{}@", if self.password.is_some() { ":***" } else { "" })?;
        }
        if let Some(host) = &self.host {
            if host.contains(':') { write!(f, "[{host}]")? } else { f.write_str(host)? }
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for ConnectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectUrl({self})")
    }
}

/// The parameters of a URL while an adapter takes them; what is left over at the end is unknown.
#[derive(Clone)]
pub struct Parameters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Parameters {
    /// The value of a parameter, if it was given.
    pub fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let index = self.left.iter().position(|(given, _)| given == name)?;
        Some(self.left.swap_remove(index).1)
    }

    /// The value of a parameter, read as a type.
    ///
    /// # Errors
    /// `Config` when the value cannot be read; the message says what is wanted, not what was given.
    pub fn parse<T: FromStr>(&mut self, name: &'static str, wanted: &str) -> Result<Option<T>> {
        self.take(name).map(|value| value.parse().map_err(|_| wrong(name, wanted))).transpose()
    }

    /// The value of a switch: on, true, yes, 1 or off, false, no, 0.
    ///
    /// # Errors
    /// `Config` for anything else.
    pub fn switch(&mut self, name: &'static str) -> Result<Option<bool>> {
        self.take(name)
            .map(|value| match value.to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Ok(true),
                "off" | "false" | "no" | "0" => Ok(false),
                _ => Err(wrong(name, "on or off")),
            })
            .transpose()
    }

    /// The value of a parameter that is one of these words.
    ///
    /// # Errors
    /// `Config` for any other word, naming the nearest.
    pub fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        if let Some((_, choice)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&value)) {
            return Ok(Some(*choice));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let error = wrong(name, &format!("one of {}", known.join(", ")));
        Err(match nearest(&value, known) {
            Some(meant) => error.with_help(format!("did you mean `{meant}`?")),
            None => error,
        })
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// `Config` for a parameter that nobody took, naming the nearest known one.
    pub fn finish(self) -> Result<()> {
        let Some((name, _)) = self.left.first() else { return Ok(()) };
        let error = Error::new(ErrorKind::Config, format!("the connection URL has an unknown parameter `{name}`"));
        Err(match nearest(name, self.known.iter().copied()) {
            Some(meant) => error.with_help(format!("did you mean `{meant}`?")),
            None => error.with_help(format!("known are {}", self.known.join(", "))),
        })
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value may be a password (`?password=`), so only names are shown.
        f.debug_list().entries(self.left.iter().map(|(name, _)| name)).finish()
    }
}

fn wrong(name: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the parameter `{name}` of the connection URL must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::ConnectUrl;
    use crate::error::{ErrorKind, Result};

    fn parse(text: &str) -> Result<ConnectUrl> {
        text.parse()
    }

    #[test]
    fn parts() -> Result<()> {
        let url = parse("mysql://a%40b:p%3Aq@[::1]:3307/x%2Fy?a=1&b=%26")?;
        assert_eq!((url.user(), url.password().map(|p| p.reveal())), (Some("a@b"), Some("p:q")));
        assert_eq!((url.host(), url.port(), url.database()), (Some("::1"), Some(3307), Some("x/y")));
        let mut parameters = url.parameters();
        assert_eq!((parameters.take("a"), parameters.take("b")), (Some("1".into()), Some("&".into())));
        assert_eq!(parse("sqlite::memory:")?.path(), ":memory:");
        assert_eq!(parse("sqlite://a/b.db")?.path(), "a/b.db");
        assert_eq!(parse("sqlite:///a/b.db")?.path(), "/a/b.db");
        assert_eq!(parse("sqlite:b.db?mode=ro")?.path(), "b.db");
        assert_eq!(parse("postgres:///db")?.host(), None);
        let mut parameters =
            parse("sqlite:b.db?mode=ro")?.with_parameter("mode", "rw").with_parameter("a", "b").parameters();
        assert_eq!((parameters.take("mode"), parameters.take("a")), (Some("ro".into()), Some("b".into())));
        Ok(())
    }

    #[test]
    fn no_message_and_no_debug_holds_a_secret() {
        for text in [
            "postgres://u:hunter2@h:hunter2/d",
            "postgres://u:hunter2%@h/d",
            "postgres://u:hunter2%ff@h/d",
            "postgres://u:hunter2@[::1/d",
            "hunter2",
            "postgres://u:hunter2@h/d?password=hunter2&password=hunter2",
            "postgres://u:a?hunter2@h/d",
            "postgres://u:a?hunter2=b@h/d",
            "postgres://u:1/hunter2@h/d",
            "postgres://u:1/hunter2@h/d?x=y",
            "mysql://u:1/a?hunter2@h/d",
            "postgres:u:hunter2@h/d",
            "postgres:/u:hunter2@h/d",
            "mysql:u:hunter2@h",
            "mariadb:/u:hunter2@h/d?x=y",
            "tin:u:hunter2@h/d",
        ] {
            let shown = match parse(text) {
                Ok(url) => format!("{url:?} {url} {:?}", url.parameters()),
                Err(error) => format!("{error:?} {error}"),
            };
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn unknown_parameters_name_the_nearest() -> Result<()> {
        let mut parameters = parse("postgres://h/d?sslmod=require")?.parameters();
        parameters.take("sslmode");
        let error = parameters.finish().err();
        assert_eq!(error.as_ref().map(|e| e.kind()), Some(ErrorKind::Config));
        let text = error.map(|e| e.to_string()).unwrap_or_default();
        assert!(text.contains("sslmod`") && text.contains("did you mean `sslmode`"), "{text}");
        Ok(())
    }
}
