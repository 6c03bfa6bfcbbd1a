//! What every command needs: the way out, the project, and which database is meant.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

use covet_drivers::contract::{Admin, ConnectUrl, Password, adapter_for};
use covet_drivers::{Error, ErrorKind, Result};

use crate::cli::args::{Database, Globals};
use crate::cli::ask::{Ask, Terminal};
use crate::cli::config::{FILE, Project};
use crate::cli::dotenv;
use crate::cli::out::Out;
use crate::cli::package;
use crate::db::{Db, DbOptions};

/// The variable of the environment that names the database.
pub(super) const VARIABLE: &str = "DATABASE_URL";

/// One run of the tool.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) out: Out,
    pub(super) globals: Globals,
    project: OnceCell<Project>,
}

/// The database that a command is about.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// How to reach it.
    pub(super) url: ConnectUrl,
    /// The URL as it was given, for a program that is to reach it too.
    pub(super) text: Password,
    /// Its name in `[url]` of `covet.toml`, where it was found there.
    pub(super) key: Option<String>,
    /// Who named it.
    pub(super) from: Source,
}

/// Who named a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `--url`.
    Flag,
    /// The environment.
    Environment,
    /// `.env`.
    DotEnv,
    /// `covet.toml`.
    Config,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Flag => "--url",
            Source::Environment => VARIABLE,
            Source::DotEnv => ".env",
            Source::Config => FILE,
        })
    }
}

/// What a command does to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It only looks: a database that is not there is not created.
    Read,
    /// It changes something.
    Write,
}

impl Context {
    pub(super) fn new(globals: Globals) -> Self {
        Context { out: Out::new(&globals), globals, project: OnceCell::new() }
    }

    /// Where to look for covet.toml: the folder of the manifest or package that was named, or where the tool was
    /// started.
    pub(super) fn root(&self) -> Result<PathBuf> {
        let manifest = self.globals.manifest_path.as_deref();
        let start = match (&self.globals.package, manifest) {
            (Some(name), manifest) => package::folder(manifest, name)?,
            (None, Some(manifest)) => manifest.parent().map(|parent| parent.join(".")).unwrap_or_default(),
            (None, None) => PathBuf::from("."),
        };
        start.canonicalize().map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot find {}: {error}", start.display())).with_source(error)
        })
    }

    /// The project.
    pub(super) fn project(&self) -> Result<&Project> {
        if let Some(project) = self.project.get() {
            return Ok(project);
        }
        let project = match &self.globals.config {
            Some(file) => Project::read(file)?,
            None => Project::find(&self.root()?)?,
        };
        self.out.detail(format_args!("config: {}", project.file.display()));
        Ok(self.project.get_or_init(|| project))
    }

    /// Whether there is a covet.toml, whatever is in it.
    pub(super) fn has_project(&self) -> bool {
        self.root().is_ok_and(|root| root.ancestors().any(|folder| folder.join(FILE).is_file()))
    }

    /// The database that is meant: that of the command line, of the environment, of `.env`, of `covet.toml`.
    pub(super) fn database(&self, asked: &Database) -> Result<Chosen> {
        let mut chosen = self.choose(asked)?;
        // What a file names is seen from its folder, wherever the tool was started.
        if chosen.is_of_file()
            && let Ok(project) = self.project()
            && std::env::current_dir().is_ok_and(|here| here != project.root)
            && let Ok(admin) = chosen.admin()
        {
            chosen.url = admin.written_in(&chosen.url, &project.root);
        }
        self.out.detail(format_args!("database: {} (from {})", chosen.url, chosen.from));
        Ok(chosen)
    }

    fn choose(&self, asked: &Database) -> Result<Chosen> {
        if let Some(url) = &asked.url {
            return Chosen::new(url, None, Source::Flag);
        }
        if let Some(name) = &asked.database {
            return self.project()?.url(Some(name));
        }
        if let Some(url) = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Chosen::new(&url, None, Source::Environment);
        }
        if let Some(url) = self.dotenv()? {
            return Chosen::new(&url, None, Source::DotEnv);
        }
        self.project()?.url(None)
    }

    fn dotenv(&self) -> Result<Option<String>> {
        if self.globals.no_dotenv {
            return Ok(None);
        }
        let folder = match self.project() {
            Ok(project) => project.root.clone(),
            // Without a project there may be a `.env` all the same.
            Err(_) if !self.has_project() => self.root()?,
            Err(error) => return Err(error),
        };
        dotenv::variable(&folder.join(".env"), VARIABLE)
    }

    /// Connects, with one connection.
    pub(super) async fn connect(&self, chosen: &Chosen, access: Access) -> Result<Db> {
        let adapter = adapter_for(chosen.url.scheme())?;
        let url = match (access, adapter.admin()) {
            (Access::Read, Some(admin)) => admin.existing(&chosen.url),
            _ => chosen.url.clone(),
        };
        let connected = Db::open(adapter.open(&url)?, DbOptions::new().max_connections(1)).await;
        connected.map_err(|error| match error.kind() {
            ErrorKind::UnknownDatabase => error.with_help("create it with `cargo covet db create`"),
            // Connecting would have created it, if this command did more than look.
            ErrorKind::Unreachable if url != chosen.url => {
                error.with_help("if it is not there yet, create it with `cargo covet db create`")
            }
            _ => error,
        })
    }

    /// Who answers questions, where somebody is there.
    pub(super) fn asker(&self) -> Option<Box<dyn Ask>> {
        self.out.is_interactive().then(|| Box::new(Terminal) as Box<dyn Ask>)
    }
}

impl Chosen {
    /// The database of a URL.
    pub(super) fn new(url: &str, key: Option<&str>, from: Source) -> Result<Self> {
        Ok(Chosen { url: url.parse()?, text: Password::new(url), key: key.map(str::to_owned), from })
    }

    /// Whether a file of the project named it.
    pub(super) fn is_of_file(&self) -> bool {
        matches!(self.from, Source::Config | Source::DotEnv)
    }

    /// How databases of this kind are administered.
    pub(super) fn admin(&self) -> Result<&'static dyn Admin> {
        adapter_for(self.url.scheme())?.admin().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("the adapter for `{}:` has no tools", self.url.scheme()))
        })
    }

    /// What the database is called.
    pub(super) fn name(&self) -> String {
        self.admin().and_then(|admin| admin.name(&self.url)).unwrap_or_else(|_| self.url.to_string())
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
    })
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, content: &str) -> Result<()> {
    use std::io::Write as _;
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(content.as_bytes()));
    written.map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display())).with_source(error)
    })
}
