//! What differs from run to run, replaced by words in brackets.

use std::path::Path;

/// Replaces what is known to differ.
pub(super) struct Normal {
    known: Vec<(String, &'static str)>,
}

impl Normal {
    pub(super) fn new(folder: &Path, url: Option<&str>) -> Normal {
        let mut known = Vec::new();
        for path in [folder.canonicalize().unwrap(), folder.to_owned()] {
            known.push((path.display().to_string(), "[FOLDER]"));
        }
        if let Some((server, database)) = url.and_then(|url| url.split('?').next()).and_then(|url| url.rsplit_once('/'))
        {
            let authority = server.split("://").nth(1).unwrap_or_default();
            let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
            known.push((format!("{database}_other"), "[OTHER]"));
            known.push((database.to_owned(), "[DATABASE]"));
            known.push((host.to_owned(), "[HOST]"));
            if let Some((user, _)) = login.split_once(':') {
                known.push((format!("{user}:***@"), "[USER]:***@"));
                known.push((format!("{user}@"), "[USER]@"));
            }
        }
        Normal { known }
    }

    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (known, word) in &self.known {
            text = text.replace(known.as_str(), word);
        }
        let text = shaped(&text, "ddddddddTddddddZ_aaaa", "[ID]");
        let text = shaped(&text, "dddd-dd-dd dd:dd:dd", "[TIME]");
        let text = text.replace(&format!("cargo-covet {}", env!("CARGO_PKG_VERSION")), "cargo-covet [VERSION]");
        text.lines().map(|line| durations(&versions(&seconds(line))) + "\n").collect()
    }
}

/// Replaces what has this shape: `d` is a digit, `a` a digit or small letter, everything else itself.
fn shaped(text: &str, shape: &str, word: &str) -> String {
    let fits = |at: &str| {
        let mut chars = at.chars();
        shape.chars().all(|wanted| match (wanted, chars.next()) {
            ('d', Some(found)) => found.is_ascii_digit(),
            ('a', Some(found)) => found.is_ascii_digit() || found.is_ascii_lowercase(),
            (wanted, found) => found == Some(wanted),
        })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if fits(rest) {
            out.push_str(word);
            rest = &rest[shape.len()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// `1.2ms` and the like.
fn durations(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let inside = out.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit = ["ns", "µs", "ms", "s"].into_iter().find(|unit| {
            rest[number..].strip_prefix(unit).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        });
        match unit {
            Some(unit) if !inside && first.is_ascii_digit() => {
                out.push_str("[DURATION]");
                rest = &rest[number + unit.len()..];
            }
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// The word after a product's name.
fn versions(line: &str) -> String {
    let mut line = line.to_owned();
    for product in ["PostgreSQL ", "MariaDB ", "MySQL ", "SQLite "] {
        if let Some((before, after)) = line.split_once(product)
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            let end = after.find([' ', ',', '"', ';']).unwrap_or(after.len());
            // What Debian puts in parentheses behind it belongs to it.
            let mut rest = &after[end..];
            if rest.starts_with(" (")
                && let Some(close) = rest.find(')')
            {
                rest = &rest[close + 1..];
            }
            line = format!("{before}{product}[VERSION]{rest}");
        }
    }
    match line.split_once("\"version\": \"") {
        Some((before, after)) => {
            let rest = after.split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}\"version\": \"[VERSION]\"{rest}")
        }
        None => line,
    }
}

/// A number of seconds in JSON.
fn seconds(line: &str) -> String {
    match line.split_once("seconds\": ") {
        Some((before, after)) if after.starts_with(|c: char| c.is_ascii_digit()) => {
            let end = if after.ends_with(',') { "," } else { "" };
            format!("{before}seconds\": [SECONDS]{end}")
        }
        _ => line.to_owned(),
    }
}

#[test]
fn what_differs_is_replaced_and_nothing_else() {
    let normal = Normal::new(Path::new("/"), Some("postgres://covet:pw@127.0.0.1:5/covet_t_1_2?x=y"));
    let normal = Normal { known: normal.known.into_iter().skip(2).collect() };
    for (text, wanted) in [
        ("20260922T101530Z_k3f9_initial", "[ID]_initial"),
        ("applied a (2 statements, 1.2ms)", "applied a (2 statements, [DURATION])"),
        ("within 30 s; v1.5s x2s", "within 30 s; v1.5s x2s"),
        ("2026-09-22 10:15:30 a", "[TIME] a"),
        ("PostgreSQL 15.20 (Debian 15.20-1), x", "PostgreSQL [VERSION], x"),
        ("postgres://covet:***@127.0.0.1:5/covet_t_1_2", "postgres://[USER]:***@[HOST]/[DATABASE]"),
        ("    \"latency_seconds\": 0.1,", "    \"latency_seconds\": [SECONDS],"),
    ] {
        assert_eq!(normal.text(text), format!("{wanted}\n"));
    }
}
