//! Errors: a code, the place, the cause and the way out; the same for people and for programs.
//!
//! The code is the error's kind, as `docs/errors.md` lists it.

use std::error::Error as StdError;

use covet_drivers::Error;
use serde_json::{Value, json};

use crate::cli::out::{BAD, FAINT, GOOD, paint};
use crate::schema::MissingDecisions;

/// For people.
pub(super) fn as_text(error: &Error) -> String {
    let head = paint(BAD, &format!("error[{:?}]", error.kind()));
    let help = paint(GOOD, &"help");
    if let Some(missing) = MissingDecisions::of(error) {
        return format!(
            "{head}: {}{missing}\n{help}: give each decision with --decide, or all of them in a file: --decide @FILE",
            error.message()
        );
    }
    let place = place(error);
    let colon = if place.is_empty() { "" } else { ": " };
    let code = error.code().map(|code| format!(" [{code}]")).unwrap_or_default();
    let mut text = format!("{head}: {place}{colon}{}{code}", error.message());
    for cause in causes(error) {
        text.push_str(&format!("\n{}: {cause}", paint(FAINT, &"cause")));
    }
    if let Some(way_out) = error.help() {
        text.push_str(&format!("\n{help}: {way_out}"));
    }
    text
}

/// For programs.
pub(super) fn as_json(error: &Error) -> Value {
    let mut value = json!({
        "error": {
            "code": format!("{:?}", error.kind()),
            "message": error.message(),
            "place": {
                "model": error.model(),
                "field": error.field(),
                "table": error.table(),
                "column": error.column(),
                "constraint": error.constraint(),
            },
            "database_code": error.code(),
            "causes": causes(error),
            "help": error.help(),
        }
    });
    if let (Some(missing), Some(object)) = (MissingDecisions::of(error), value.as_object_mut()) {
        object.insert("missing_decisions".to_owned(), json!(missing.missing));
    }
    value
}

/// Where it happened, in the user's names.
fn place(error: &Error) -> String {
    let own = [error.model(), error.field()];
    let parts: Vec<&str> = own.into_iter().flatten().collect();
    parts.join(".")
}

/// What led to it, without what the message says already.
fn causes(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&dyn StdError> = error.source();
    while let Some(cause) = next {
        let text = match cause.downcast_ref::<Error>() {
            Some(error) => error.message().to_owned(),
            None => cause.to_string(),
        };
        // `Error code 14: unable to open …` says no more than `unable to open …` before it.
        let core = text.rsplit(": ").next().unwrap_or(&text);
        let known = error.message().contains(&text) || causes.iter().any(|known| known.contains(core));
        if !known && cause.downcast_ref::<MissingDecisions>().is_none() {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use covet_drivers::{Error, ErrorKind};

    use super::{as_json, as_text};

    #[test]
    fn code_place_cause_and_way_out() {
        let inner = Error::new(ErrorKind::Io, "the wire is cut");
        let error = Error::new(ErrorKind::Unreachable, "nobody answers")
            .with_model("User")
            .with_field("email")
            .with_code("57P01")
            .with_help("plug it in")
            .with_source(inner);
        let text = anstream::adapter::strip_str(&as_text(&error)).to_string();
        assert_eq!(
            text,
            "error[Unreachable]: User.email: nobody answers [57P01]\ncause: the wire is cut\nhelp: plug it in"
        );
        let json = as_json(&error);
        assert_eq!(json["error"]["code"], "Unreachable");
        assert_eq!(json["error"]["place"]["field"], "email");
        assert_eq!(json["error"]["causes"][0], "the wire is cut");
    }
}
