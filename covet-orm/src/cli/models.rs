//! Asks the user's program for its models: builds it, and runs it with a variable set.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::config::Project;
use crate::cli::context::{Chosen, Context};
use crate::cli::package;
use crate::migrate::Report;
use crate::migrate::delegate::{self, Request};
use crate::schema::{Hints, tool};

/// How long the program may take to answer. One that does not is not asked as it should be.
const PATIENCE: Duration = Duration::from_secs(20);

const HELP: &str = "write `covet_orm::tool!();` as the first line of its `fn main`";

/// The schema that the models of the program ask for.
pub(super) fn schema(context: &Context) -> Result<Schema> {
    Ok(schema_and_hints(context)?.0)
}

/// The schema that the models of the program ask for, and what they say about their own past.
pub(super) fn schema_and_hints(context: &Context) -> Result<(Schema, Hints)> {
    let project = context.project()?;
    let program = build(project, context.out.is_interactive())?;
    context.out.detail(format_args!("program: {}", program.display()));
    let mut command = Command::new(&program);
    command.current_dir(&project.root).env(tool::VARIABLE, tool::SCHEMA);
    tool::read(&answer(spawned(&mut command, &program)?, &program, Some(PATIENCE))?)
}

/// Lets the program run migrations, because it has their steps in Rust.
pub(super) fn migrate(context: &Context, chosen: &Chosen, request: &Request) -> Result<Report> {
    let project = context.project()?;
    let program = build(project, context.out.is_interactive())?;
    context.out.detail(format_args!("program: {}", program.display()));
    let json = serde_json::to_string(request)
        .map_err(|error| Error::new(ErrorKind::Migration, "the program cannot be asked").with_source(error))?;
    let mut command = Command::new(&program);
    // What a file names is seen from its folder, all else from where the tool was started.
    if chosen.is_of_file() {
        command.current_dir(&project.root);
    }
    command.env(tool::VARIABLE, tool::MIGRATE).env(delegate::REQUEST, json).env(delegate::URL, chosen.text.reveal());
    // It takes as long as it takes.
    let said = answer(spawned(&mut command, &program)?, &program, None)?;
    Ok(Report { done: tool::read_migrated(&said)?.result()? })
}

fn spawned(command: &mut Command, program: &Path) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("cannot run {}", program.display()), error))
}

/// What the program prints, at most as long as patience lasts, if it is not to last for ever.
fn answer(mut child: Child, program: &Path, patience: Option<Duration>) -> Result<String> {
    let output = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        output.map_or(Ok(0), |mut output| output.read_to_end(&mut bytes)).map(|_| bytes)
    });
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if patience.is_none_or(|patience| begin.elapsed() < patience) => {
                thread::sleep(Duration::from_millis(10));
            }
            Ok(None) => {
                // It must not go on doing whatever it does; that it may just have ended is no matter.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("{} did not say which models it has within {PATIENCE:?}", program.display()),
                )
                .with_help(HELP));
            }
            Err(error) => return Err(failed(&format!("cannot wait for {}", program.display()), error)),
        }
    }
    let bytes = reader
        .join()
        .map_err(|_| Error::new(ErrorKind::Io, "the answer of the program was lost"))?
        .map_err(|error| failed("cannot read the answer of the program", error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A message of cargo, as far as it matters.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The part of a manifest that says which binary is the main one.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    package: Package,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    #[serde(default)]
    default_run: Option<String>,
}

/// Builds the program and says where it is. Where somebody watches, cargo shows how far it is.
fn build(project: &Project, watched: bool) -> Result<PathBuf> {
    let manifest = project.root.join("Cargo.toml");
    let tool = project.tool();
    let default = default_run(&manifest)?;
    let wanted = tool.example.as_ref().or(tool.bin.as_ref()).or(default.as_ref());
    let mut cargo = Command::new(package::cargo());
    cargo.args(["build", "--message-format", "json-render-diagnostics", "--manifest-path"]).arg(&manifest);
    if !watched {
        cargo.arg("--quiet");
    }
    match (&tool.example, wanted) {
        (Some(example), _) => cargo.args(["--example", example]),
        (None, Some(bin)) => cargo.args(["--bin", bin]),
        (None, None) => cargo.arg("--bins"),
    };
    if !tool.features.is_empty() {
        cargo.args(["--features", &tool.features.join(",")]);
    }
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed("cannot run cargo, which builds the program that has the models", error))?;
    if !output.status.success() {
        return Err(Error::new(ErrorKind::Migration, "the program that has the models does not build"));
    }
    choose(&String::from_utf8_lossy(&output.stdout))
}

/// The one program that was built.
fn choose(messages: &str) -> Result<PathBuf> {
    let mut built: BTreeMap<String, PathBuf> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| Some((message.target?.name, message.executable?)))
        .collect();
    if built.len() > 1 {
        let names: Vec<&str> = built.keys().map(String::as_str).collect();
        return Err(Error::new(ErrorKind::Config, format!("the package has the programs {}", names.join(", ")))
            .with_help("say in covet.toml which has the models: `[tool]`, `bin = \"…\"`"));
    }
    built.pop_first().map(|(_, path)| path).ok_or_else(|| {
        Error::new(ErrorKind::Config, "the package has no program that could be asked for its models").with_help(
            "give it one: `src/bin/models.rs` with `fn main() { covet_orm::tool!(); }` and the models in reach",
        )
    })
}

fn default_run(manifest: &Path) -> Result<Option<String>> {
    let text = std::fs::read_to_string(manifest).map_err(|error| {
        failed(&format!("cannot read {}", manifest.display()), error)
            .with_help("covet.toml belongs beside the Cargo.toml of the package that has the models")
    })?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error: toml::de::Error| {
        Error::new(ErrorKind::Config, format!("{}: {}", manifest.display(), error.message()))
    })?;
    Ok(manifest.package.default_run)
}

fn failed(what: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what}: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::choose;

    #[test]
    fn the_one_program_is_found_among_the_messages() {
        let library = r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":null}"#;
        let program = r#"{"reason":"compiler-artifact","target":{"name":"b"},"executable":"/x/b"}"#;
        let other = r#"{"reason":"compiler-artifact","target":{"name":"c"},"executable":"/x/c"}"#;
        assert_eq!(choose(&format!("{library}\nnoise\n{program}\n")).unwrap().to_str(), Some("/x/b"));
        assert!(choose(&format!("{program}\n{other}")).unwrap_err().to_string().contains("programs b, c"));
        assert!(choose(library).unwrap_err().to_string().contains("no program"));
    }
}
