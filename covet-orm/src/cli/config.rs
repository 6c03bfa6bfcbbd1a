//! `covet.toml`, and which database is meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::args::Database;
use crate::cli::dotenv;

/// The file.
pub(super) const FILE: &str = "covet.toml";

/// The variable of the environment that names the database.
const VARIABLE: &str = "DATABASE_URL";

/// A program with models, and its `covet.toml`.
#[derive(Debug)]
pub(super) struct Project {
    /// The folder of `covet.toml`.
    pub(super) root: PathBuf,
    config: Config,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    databases: Vec<String>,
    #[serde(default = "default_migrations")]
    migrations: PathBuf,
    #[serde(default)]
    url: BTreeMap<String, String>,
    #[serde(default)]
    tool: Tool,
}

/// Which program has the models.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    /// The binary, where the package has more than one.
    pub(super) bin: Option<String>,
    /// An example, instead of a binary.
    pub(super) example: Option<String>,
    /// Cargo features to build it with.
    #[serde(default)]
    pub(super) features: Vec<String>,
}

fn default_migrations() -> PathBuf {
    PathBuf::from("migrations")
}

impl Project {
    /// The project of this folder, or of the nearest one above.
    pub(super) fn find(start: &Path) -> Result<Self> {
        let root = start.ancestors().find(|folder| folder.join(FILE).is_file()).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("there is no {FILE} in {} or above", start.display()))
                .with_help("write one with `cargo covet init --databases NAME`")
        })?;
        let path = root.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
        })?;
        Ok(Project { root: root.to_owned(), config: parse(&text, &path)? })
    }

    /// Where the migrations are.
    pub(super) fn migrations(&self) -> PathBuf {
        self.root.join(&self.config.migrations)
    }

    /// The kinds of database that migrations are made for.
    pub(super) fn databases(&self) -> &[String] {
        &self.config.databases
    }

    /// Which program has the models.
    pub(super) fn tool(&self) -> &Tool {
        &self.config.tool
    }

    /// The connection URL: of the command line, of the environment, of `.env`, of `covet.toml`.
    pub(super) fn url(&self, asked: &Database) -> Result<String> {
        if let Some(url) = &asked.url {
            return Ok(url.clone());
        }
        if let Some(name) = &asked.database {
            return self.config.url.get(name).cloned().ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("{FILE} has no URL for `{name}` in its section [url]"))
            });
        }
        if let Some(url) = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Ok(url);
        }
        if let Some(url) = dotenv::variable(&self.root.join(".env"), VARIABLE)? {
            return Ok(url);
        }
        let mut urls = self.config.url.iter();
        match (urls.next(), urls.next()) {
            (Some((_, url)), None) => Ok(url.clone()),
            (None, _) => Err(Error::new(ErrorKind::Config, "which database is not said")
                .with_help(format!("give --url, or set {VARIABLE} in the environment, in .env, or [url] in {FILE}"))),
            (Some(_), Some(_)) => {
                let names: Vec<&str> = self.config.url.keys().map(String::as_str).collect();
                Err(Error::new(ErrorKind::Config, format!("{FILE} has more than one URL"))
                    .with_help(format!("say which with --database {}", names.join(" | "))))
            }
        }
    }
}

fn parse(text: &str, path: &Path) -> Result<Config> {
    // The source is left away: it would show the line, which may hold a password.
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let at = line.map(|line| format!(":{line}")).unwrap_or_default();
        Error::new(ErrorKind::Config, format!("{}{at}: {}", path.display(), without_value(error.message())))
    })
}

/// The message without the text that was found where something else was wanted: it may be a URL, with a password.
fn without_value(message: &str) -> String {
    match (message.find(" string \""), message.rfind("\", expected ")) {
        (Some(begin), Some(end)) if begin < end => {
            let (before, after) = (message.get(..begin), message.get(end + 1..));
            format!("{} string{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::parse;

    #[test]
    fn unknown_words_are_refused_and_no_password_shows() {
        let config = parse("databases = [\"a\"]\n[tool]\nbin = \"x\"", Path::new("covet.toml")).unwrap();
        assert_eq!((config.migrations.to_str(), config.tool.bin.as_deref()), (Some("migrations"), Some("x")));
        let wrong = "databases = [\"a\"]\nurll = \"x://u:hunter2@h/d\"\n";
        let error = format!("{:?}", parse(wrong, Path::new("covet.toml")).unwrap_err());
        assert!(error.contains("covet.toml:2") && error.contains("urll") && !error.contains("hunter2"), "{error}");
        for wrong in ["url = \"x://u:hunter2@h/d\"", "url.a = [\"x://u:hunter2@h/d\"]", "migrations = [\"hunter2\"]"] {
            let wrong = format!("databases = [\"a\"]\n{wrong}\n");
            let error = format!("{:?}", parse(&wrong, Path::new("covet.toml")).unwrap_err());
            assert!(error.contains("covet.toml:2") && !error.contains("hunter2"), "{error}");
        }
        let error = format!("{:?}", parse("databases = \"a \\\", expected hunter2\"", Path::new("c")).unwrap_err());
        assert!(error.contains("invalid type: string, expected a sequence") && !error.contains("hunter2"), "{error}");
    }
}
