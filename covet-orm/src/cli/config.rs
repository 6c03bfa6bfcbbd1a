//! `covet.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::context::{Chosen, Source, VARIABLE, read};

/// The file.
pub(super) const FILE: &str = "covet.toml";

/// A program with models, and its `covet.toml`.
#[derive(Debug)]
pub(super) struct Project {
    /// The folder of `covet.toml`.
    pub(super) root: PathBuf,
    /// The file.
    pub(super) file: PathBuf,
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
    online: bool,
    #[serde(default)]
    tool: Tool,
    #[serde(default)]
    production: Production,
    #[serde(default)]
    seed: Option<Seed>,
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

/// Which databases must not be harmed by mistake.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Production {
    /// Names from `[url]`.
    #[serde(default)]
    pub(super) databases: Vec<String>,
    /// Hosts; `*` stands for any text.
    #[serde(default)]
    pub(super) hosts: Vec<String>,
}

/// What fills an empty database: one of these.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(super) enum Seed {
    /// A file of statements.
    Sql(PathBuf),
    /// A binary of the package.
    Bin(String),
    /// An example of the package.
    Example(String),
}

fn default_migrations() -> PathBuf {
    PathBuf::from("migrations")
}

impl Project {
    /// The project of this folder, or of the nearest one above.
    pub(super) fn find(start: &Path) -> Result<Self> {
        let root = start.ancestors().find(|folder| folder.join(FILE).is_file()).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("there is no {FILE} in {} or above", start.display()))
                .with_help("write one with `cargo covet init`")
        })?;
        Self::read(&root.join(FILE))
    }

    /// The project of this file.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let config = parse(&read(file)?, file)?;
        let root = file.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Ok(Project { root, file: file.to_owned(), config })
    }

    /// Where the migrations are.
    pub(super) fn migrations(&self) -> PathBuf {
        self.root.join(&self.config.migrations)
    }

    /// The kinds of database that migrations are made for.
    pub(super) fn databases(&self) -> &[String] {
        &self.config.databases
    }

    /// Whether migrations are made so that others read and write while they run.
    pub(super) fn online(&self) -> bool {
        self.config.online
    }

    /// Which program has the models.
    pub(super) fn tool(&self) -> &Tool {
        &self.config.tool
    }

    /// Which databases must not be harmed by mistake.
    pub(super) fn production(&self) -> &Production {
        &self.config.production
    }

    /// What fills an empty database.
    pub(super) fn seed(&self) -> Option<&Seed> {
        self.config.seed.as_ref()
    }

    /// The URL of this name, or the only one.
    pub(super) fn url(&self, name: Option<&str>) -> Result<Chosen> {
        let mut urls = self.config.url.iter();
        let (key, url) = match (name, urls.next(), urls.next()) {
            (Some(name), ..) => self.config.url.get_key_value(name).ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("{FILE} has no URL for `{name}` in its section [url]"))
            })?,
            (None, Some(only), None) => only,
            (None, None, _) => {
                let help = format!("give --url, or set {VARIABLE} in the environment, in .env, or [url] in {FILE}");
                return Err(Error::new(ErrorKind::Config, "which database is not said").with_help(help));
            }
            (None, Some(_), Some(_)) => {
                let names: Vec<&str> = self.config.url.keys().map(String::as_str).collect();
                return Err(Error::new(ErrorKind::Config, format!("{FILE} has more than one URL"))
                    .with_help(format!("say which with --database {}", names.join(" | "))));
            }
        };
        Chosen::new(url, Some(key), Source::Config)
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

    use super::{Seed, parse};

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

    #[test]
    fn the_seed_is_one_thing() {
        let seed = |text: &str| parse(&format!("databases = []\n[seed]\n{text}"), Path::new("c")).map(|c| c.seed);
        assert!(matches!(seed("bin = \"x\"").unwrap(), Some(Seed::Bin(name)) if name == "x"));
        assert!(matches!(seed("sql = \"x.sql\"").unwrap(), Some(Seed::Sql(_))));
        assert!(seed("bin = \"x\"\nsql = \"y\"").is_err());
    }
}
