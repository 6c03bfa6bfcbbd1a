//! What the program says to the command line tool: the schema of its models, and what came of migrations that only it can
//! run.

use std::io::Write;

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::migrate::delegate;
use crate::schema::{Hints, Models, hints_of, schema_of};

/// The variable of the environment by which the tool asks.
pub const VARIABLE: &str = "COVET_TOOL";

/// What the variable says when the schema is wanted.
pub const SCHEMA: &str = "schema";

/// What the variable says when migrations are to be run that have steps in Rust.
pub const MIGRATE: &str = "migrate";

/// The line before the answer; whatever else the program prints does not matter.
const BEGIN: &str = "<<<<<<<< covet";

/// The line after the answer.
const END: &str = ">>>>>>>> covet";

/// Raised when an older tool could not read the answer.
const FORMAT: u32 = 1;

/// The answer of the program.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    format: u32,
    version: String,
    #[serde(default)]
    schema: Option<Schema>,
    #[serde(default)]
    hints: Hints,
    #[serde(default)]
    error: Option<String>,
}

/// Answers the tool and ends the program, if it was the tool that started it; else does nothing.
/// [`tool!`](crate::tool!) calls it.
#[allow(clippy::exit)] // the program must not go on: it was started for the answer alone
pub fn answer(models: impl FnOnce() -> Models) {
    let json = match std::env::var(VARIABLE) {
        Ok(wanted) if wanted == SCHEMA => serde_json::to_string(&asked(&models())),
        Ok(wanted) if wanted == MIGRATE => serde_json::to_string(&delegate::answer()),
        _ => return,
    };
    let code = match json {
        Ok(json) => {
            let mut out = std::io::stdout().lock();
            i32::from(writeln!(out, "\n{BEGIN}\n{json}\n{END}").and_then(|()| out.flush()).is_err())
        }
        Err(_) => 1,
    };
    std::process::exit(code);
}

/// What the models ask for and say.
fn asked(models: &Models) -> Answer {
    let (schema, hints, error) = match schema_of(models).and_then(|schema| Ok((schema, hints_of(models)?))) {
        Ok((schema, hints)) => (Some(schema), hints, None),
        Err(error) => (None, Hints::default(), Some(error.to_string())),
    };
    Answer { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), schema, hints, error }
}

/// The line of a program's output that is its answer.
fn line(printed: &str) -> Result<&str> {
    printed.lines().skip_while(|line| *line != BEGIN).nth(1).ok_or_else(|| {
        Error::new(ErrorKind::Migration, "the program did not say which models it has")
            .with_help("write `covet_orm::tool!();` as the first line of its `fn main`")
    })
}

/// What a program says of the migrations that it was to run.
///
/// # Errors
/// As [`read`].
#[cfg(feature = "cli")]
pub(crate) fn read_migrated(printed: &str) -> Result<delegate::Answer> {
    serde_json::from_str(line(printed)?).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Migration, "the answer of the program cannot be read").with_source(error)
}

/// The schema in what a program printed, and what the models say about their past.
///
/// # Errors
/// `Migration`: what the program found wrong with its models, or that it gave no answer.
pub fn read(printed: &str) -> Result<(Schema, Hints)> {
    let answer: Answer = serde_json::from_str(line(printed)?).map_err(unreadable)?;
    if answer.format != FORMAT {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("the program uses covet-orm {}, this tool is {}", answer.version, env!("CARGO_PKG_VERSION")),
        )
        .with_help("install the tool in the version that the program uses"));
    }
    match (answer.schema, answer.error) {
        (Some(schema), None) => Ok((schema, answer.hints)),
        (_, error) => Err(Error::new(
            ErrorKind::Migration,
            error.unwrap_or_else(|| "the answer of the program is empty".to_owned()),
        )),
    }
}

/// Lets `cargo covet` ask the program for its models: the first line of `fn main`.
///
/// It does nothing unless the tool started the program. Without arguments it answers with every
/// model that is linked into the program; with a list, with these.
///
/// ```
/// # #[allow(clippy::needless_doctest_main)]
/// fn main() {
///     covet_orm::tool!();
///     // … the program …
/// }
/// ```
#[macro_export]
macro_rules! tool {
    () => {
        $crate::schema::tool::answer($crate::schema::Models::registered)
    };
    ($models:expr) => {
        $crate::schema::tool::answer(|| $models)
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{BEGIN, END, read};

    #[test]
    fn the_answer_is_found_among_other_output() {
        let answer = r#"{"format":1,"version":"0","schema":{"table":[]}}"#;
        let text = format!("hello\n{BEGIN}\n{answer}\n{END}\nbye");
        let (schema, hints) = read(&text).unwrap();
        assert!(schema.tables.is_empty() && hints.is_empty());
    }

    #[test]
    fn what_went_wrong_is_said() {
        let says = |answer: &str| read(&format!("{BEGIN}\n{answer}\n{END}")).unwrap_err().to_string();
        assert!(says(r#"{"format":1,"version":"0","error":"Post.a: points nowhere"}"#).contains("Post.a"));
        assert!(says(r#"{"format":2,"version":"9.9"}"#).contains("9.9"));
        assert!(says("{").contains("cannot be read"));
        assert!(read("hello").unwrap_err().to_string().contains("covet_orm::tool!()"));
    }
}
