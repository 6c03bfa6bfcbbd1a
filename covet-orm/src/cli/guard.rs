//! What cannot be undone is confirmed before; what hits a production database, by its name.

use covet_drivers::{Error, ErrorKind, Result};

use crate::cli::ask::confirmed;
use crate::cli::config::Production;
use crate::cli::context::{Chosen, Context};

/// The variable of the environment that says where the tool runs.
const ENVIRONMENT: &str = "COVET_ENV";

/// Goes on only if somebody wants this: `what` in words, as in `drop the database blog.db`.
///
/// # Errors
/// `Decision` when nobody has said so and nobody can be asked, and for a production database that was not named;
/// `Cancelled` when the answer is no.
pub(super) fn confirm(context: &Context, chosen: &Chosen, what: &str) -> Result<()> {
    if production_only(context, chosen, what)? == Kind::Production || context.globals.yes {
        return Ok(());
    }
    confirmed(context, &format!("{what}?"), what, "confirm it with --yes")
}

/// What kind of database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that was named on the command line, because harm to it matters.
    Production,
    /// Any other.
    Other,
}

/// As [`confirm`], for what is asked for in so many words already: only a production database must be named.
///
/// # Errors
/// `Decision` for a production database that was not named.
pub(super) fn production_only(context: &Context, chosen: &Chosen, what: &str) -> Result<Kind> {
    let Some(why) = production(context, chosen)? else { return Ok(Kind::Other) };
    let name = chosen.name();
    match &context.globals.yes_production {
        Some(given) if *given == name => Ok(Kind::Production),
        Some(_) => Err(Error::new(
            ErrorKind::Decision,
            format!("--yes-production does not name this database, which is `{name}`"),
        )),
        None => {
            let message = format!("`{name}` is a production database ({why}), and nobody has confirmed: {what}");
            Err(Error::new(ErrorKind::Decision, message)
                .with_help(format!("if that is what you want, say it: --yes-production {name}")))
        }
    }
}

/// Why the database counts as production.
fn production(context: &Context, chosen: &Chosen) -> Result<Option<String>> {
    if std::env::var(ENVIRONMENT).is_ok_and(|value| value.eq_ignore_ascii_case("production")) {
        return Ok(Some(format!("{ENVIRONMENT}=production")));
    }
    match context.project() {
        Ok(project) => Ok(declared(project.production(), chosen)),
        // No covet.toml says anything about it; one that cannot be read may.
        Err(_) if context.globals.config.is_none() && !context.has_project() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why covet.toml counts it as production.
fn declared(production: &Production, chosen: &Chosen) -> Option<String> {
    if let Some(key) = chosen.key.as_ref().filter(|key| production.databases.contains(key)) {
        return Some(format!("`{key}` in [production]"));
    }
    let mut hosts: Vec<String> = chosen.url.host().unwrap_or_default().split(',').map(str::to_owned).collect();
    hosts.extend(chosen.url.parameters().take("host").iter().flat_map(|hosts| hosts.split(',')).map(str::to_owned));
    production.hosts.iter().find_map(|pattern| {
        let host = hosts.iter().find(|host| matches(pattern, host))?;
        Some(format!("host {host} in [production]"))
    })
}

/// Whether the text is what the pattern says; `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{declared, matches};
    use crate::cli::config::Production;
    use crate::cli::context::{Chosen, Source};

    #[test]
    fn patterns() {
        for (pattern, text, is) in [
            ("db.example", "DB.example", true),
            ("db.example", "db.example.org", false),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("db*.prod.*", "db1.prod.example", true),
            ("db*.prod.*", "db1.test.example", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn a_database_is_known_by_its_key_or_any_of_its_hosts() {
        let production = Production { databases: vec!["live".to_owned()], hosts: vec!["*.prod".to_owned()] };
        let why = |url: &str, key: Option<&str>| declared(&production, &Chosen::new(url, key, Source::Config).unwrap());
        assert_eq!(why("x://h/d", None), None);
        assert_eq!(why("x://h/d", Some("live")).as_deref(), Some("`live` in [production]"));
        assert_eq!(why("x://a,b.prod/d", None).as_deref(), Some("host b.prod in [production]"));
        assert_eq!(why("x:///d?host=c.prod", None).as_deref(), Some("host c.prod in [production]"));
    }
}
