//! `cargo covet init`: writes `covet.toml` and `.env.example`, and says what comes next.

mod edit;

use std::path::{Path, PathBuf};

use covet_drivers::contract::{ConnectUrl, adapter_for, adapters, feature_for};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::config::FILE;
use crate::cli::context::{Context, VARIABLE, read, write_new};
use crate::cli::out::{GOOD, paint};
use crate::cli::package::{self, Package};
use crate::migrate::Target;

/// What the example of a `.env` is called.
const EXAMPLE: &str = ".env.example";

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The databases that migrations are made for, by their URLs' schemes; else those of the package's features
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    databases: Vec<String>,
}

/// A kind of database, and a URL to begin with.
struct Kind {
    name: &'static str,
    url: String,
    is_remote: bool,
}

pub(super) fn init(context: &Context, args: &Init) -> Result<()> {
    let package = package(context, args)?;
    let folder = match &package {
        Some(package) => package.folder(),
        None => context.root()?,
    };
    let file = context.globals.config.clone().unwrap_or_else(|| folder.join(FILE));
    if file.exists() {
        return Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists already", file.display()))
            .with_help("edit it, or remove it and begin again"));
    }
    let name = package.as_ref().map_or_else(|| "app".to_owned(), |package| package.name.replace('-', "_"));
    let mut kinds: Vec<Kind> = Vec::new();
    for database in databases(context, args, package.as_ref())? {
        let kind = kind(&database, &name)?;
        if kinds.iter().all(|known| known.name != kind.name) {
            kinds.push(kind);
        }
    }
    write_new(&file, &config(&kinds))?;
    let mut wrote = vec![file.clone()];
    let example = folder.join(EXAMPLE);
    if example.exists() {
        context.out.note(format_args!("{EXAMPLE} is there already, and stays as it is"));
    } else {
        write_new(&example, &dotenv(&kinds))?;
        wrote.push(example);
    }
    for file in &wrote {
        context.out.done(format_args!("{} {}", paint(GOOD, &"wrote"), shown(file, &folder)));
    }
    let line = tool_line(context, &folder)?;
    say_next(context, &kinds, line.as_deref());
    context.out.json(&json!({ "wrote": wrote, "databases": kinds.iter().map(|kind| kind.name).collect::<Vec<_>>() }))
}

/// The package that has the models; none where the databases are named and there is no package at all.
fn package(context: &Context, args: &Init) -> Result<Option<Package>> {
    let all = match package::all(context.globals.manifest_path.as_deref()) {
        Ok(all) => all,
        Err(_) if !args.databases.is_empty() => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(name) = &context.globals.package {
        let folder = package::folder(context.globals.manifest_path.as_deref(), name)?;
        return Ok(all.into_iter().find(|package| package.folder() == folder));
    }
    let here = context.root()?;
    let around = all.iter().filter(|package| here.starts_with(package.folder()));
    if let Some(nearest) = around.max_by_key(|package| package.folder().components().count()) {
        return Ok(Some(nearest.clone()));
    }
    // The folder of a workspace is no package.
    let able: Vec<Package> = all.into_iter().filter(Package::uses_covet).collect();
    match &able[..] {
        [only] => Ok(Some(only.clone())),
        [] => Err(Error::new(ErrorKind::Config, "no package of the workspace depends on covet-orm")
            .with_help("add it to the one that has the models: cargo add covet-orm -p NAME --features DATABASE")),
        several => {
            let names: Vec<String> = several.iter().map(|package| package.name.clone()).collect();
            let picked = match context.asker() {
                Some(mut asker) => asker.pick("which package has the models?", &names)?,
                None => None,
            };
            match picked.and_then(|index| several.get(index)) {
                Some(package) => Ok(Some(package.clone())),
                None => Err(Error::new(
                    ErrorKind::Decision,
                    format!("the packages {} depend on covet-orm", names.join(", ")),
                )
                .with_help("say which has the models: -p NAME")),
            }
        }
    }
}

/// The databases: as said, as the package's features say, or as somebody answers.
fn databases(context: &Context, args: &Init, package: Option<&Package>) -> Result<Vec<String>> {
    if !args.databases.is_empty() {
        return Ok(args.databases.iter().map(|name| name.trim().to_owned()).collect());
    }
    let features = package.map(Package::features).unwrap_or_default();
    if let Some(off) = features.iter().find_map(|feature| feature_for(feature)) {
        return Err(Error::new(
            ErrorKind::Config,
            format!("the package uses `{off}`, for which this tool was not built"),
        )
        .with_help(format!("install it again with that feature too: --features cli,{off}")));
    }
    let known: Vec<String> = features.into_iter().filter(|feature| Target::named(feature).is_ok()).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let names: Vec<String> = adapters().iter().map(|adapter| adapter.dialect().name().to_owned()).collect();
    let picked = match context.asker() {
        Some(mut asker) => asker.pick("which database is it for?", &names)?,
        None => None,
    };
    match picked.and_then(|index| names.get(index)) {
        Some(name) => Ok(vec![name.clone()]),
        None => Err(Error::new(ErrorKind::Decision, "the package asks for no database of covet-orm").with_help(
            format!("switch one on (cargo add covet-orm --features NAME), or say it: --databases {}", names.join(",")),
        )),
    }
}

fn kind(database: &str, name: &str) -> Result<Kind> {
    let adapter = adapter_for(database)?;
    let url = match adapter.admin() {
        Some(admin) => admin.example(name),
        None => format!("{database}://localhost/{name}"),
    };
    let is_remote = adapter.open(&url.parse::<ConnectUrl>()?).is_ok_and(|backend| backend.is_remote());
    Ok(Kind { name: adapter.dialect().name(), url, is_remote })
}

fn config(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("\"{}\"", kind.name)).collect();
    let mut urls = String::new();
    for (index, kind) in kinds.iter().enumerate() {
        let comment = if index == 0 { "" } else { "# " };
        urls.push_str(&format!("{comment}{} = \"{}\"\n", kind.name, kind.url));
    }
    format!(
        "# The databases that migrations are made for.\ndatabases = [{}]\n\n\
         # Where the migrations are, seen from this file.\nmigrations = \"migrations\"\n\n\
         # The database to work with, unless --url, {VARIABLE} or .env names another. Keep passwords in .env.\n\
         [url]\n{urls}\n\
         # The program that has the models, where the package has more than one.\n\
         # [tool]\n# bin = \"…\"\n\n\
         # Databases that nothing may harm by mistake: what destroys then wants --yes-production NAME.\n\
         # [production]\n# hosts = [\"*.example.com\"]\n\n\
         # What fills an empty database: a file of statements, or a program of the package.\n\
         # [seed]\n# sql = \"seed.sql\"\n",
        names.join(", "),
    )
}

fn dotenv(kinds: &[Kind]) -> String {
    let mut text = String::from("# Copy this to .env, which belongs in .gitignore, and fill it in.\n");
    for (index, kind) in kinds.iter().enumerate() {
        let comment = if index == 0 { "" } else { "# " };
        text.push_str(&format!("{comment}{VARIABLE}='{}'\n", kind.url));
    }
    text
}

/// Sees to the line in `fn main`: gives the file in which it still has to be written, if any.
fn tool_line(context: &Context, folder: &Path) -> Result<Option<String>> {
    let main = PathBuf::from("src/main.rs");
    let path = folder.join(&main);
    if !path.is_file() {
        return Ok(Some("the program that has the models".to_owned()));
    }
    let text = read(&path)?;
    if text.contains("tool!") {
        return Ok(None);
    }
    if let Some(edited) = edit::with_line(&text) {
        let question = format!("write `{}` into {}, so that the models can be asked for?", edit::LINE, main.display());
        let wanted = match context.asker() {
            _ if context.globals.yes => true,
            Some(mut asker) => asker.yes(&question)?,
            None => false,
        };
        if wanted {
            std::fs::write(&path, edited).map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display())).with_source(error)
            })?;
            context.out.done(format_args!("{} {}: `{}`", paint(GOOD, &"edited"), main.display(), edit::LINE));
            return Ok(None);
        }
    }
    Ok(Some(main.display().to_string()))
}

fn say_next(context: &Context, kinds: &[Kind], line: Option<&str>) {
    let mut steps = Vec::new();
    if let Some(file) = line {
        steps.push(format!("write this as the first line of `fn main` in {file}:  {}", edit::LINE));
    }
    if let Some(first) = kinds.first().filter(|kind| kind.is_remote) {
        steps.push(format!("see that {} is right, in covet.toml or as {VARIABLE} in .env", first.url));
        steps.push("cargo covet db create".to_owned());
    }
    steps.push("cargo covet migrate make".to_owned());
    steps.push("cargo covet migrate up".to_owned());
    context.out.done("next:");
    for (number, step) in (1..).zip(steps) {
        context.out.done(format_args!("  {number}. {step}"));
    }
}

/// The file, seen from the folder.
fn shown(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}
