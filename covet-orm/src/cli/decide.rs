//! Decisions: from the command line, from files, and from a terminal.

use std::path::Path;
use std::str::FromStr;

use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::ask::{Ask, nothing_done};
use crate::cli::context::read;
use crate::migrate::{Draft, Project};
use crate::schema::{Decision, MissingDecisions, Question};
use covet_drivers::catalog::Schema;

/// A file of decisions; a `plan.toml` is one.
#[derive(Deserialize)]
struct Decisions {
    decisions: Vec<String>,
}

/// The decisions of `--decide`: each a text, or `@` and a file of them.
pub(super) fn given(given: &[String]) -> Result<Vec<Decision>> {
    let mut decisions = Vec::new();
    for text in given {
        match text.strip_prefix('@') {
            Some(file) => {
                for text in listed(Path::new(file))? {
                    decisions.push(Decision::from_str(&text)?);
                }
            }
            None => decisions.push(Decision::from_str(text)?),
        }
    }
    Ok(decisions)
}

fn listed(path: &Path) -> Result<Vec<String>> {
    let file: Decisions = toml::from_str(&read(path)?).map_err(|error: toml::de::Error| {
        Error::new(ErrorKind::Config, format!("{}: {}", path.display(), error.message()))
            .with_help("it must hold `decisions = [\"…\", \"…\"]`")
    })?;
    Ok(file.decisions)
}

/// The migrations to this schema: none, one, or the parts of one. What is not decided is asked, where somebody is there to answer.
pub(super) fn drafts(
    maker: &Project,
    schema: &Schema,
    name: Option<&str>,
    mut decisions: Vec<Decision>,
    mut asker: Option<Box<dyn Ask>>,
) -> Result<Vec<Draft>> {
    let mut answered = 0;
    loop {
        let error = match maker.drafts(schema, name, &decisions) {
            Err(error) => error,
            made => return made,
        };
        let Some(ask) = &mut asker else { return Err(error) };
        match MissingDecisions::of(&error).and_then(|missing| missing.missing.first()) {
            Some(question) => {
                decisions.push(answer(&mut **ask, question)?);
                answered += 1;
            }
            // What was answered last does not do: it is asked again.
            None if answered > 0 && error.kind() == ErrorKind::Migration => {
                ask.tell(error.message());
                decisions.pop();
                answered -= 1;
            }
            None => return Err(error),
        }
    }
}

/// One answer to one question.
fn answer(ask: &mut dyn Ask, question: &Question) -> Result<Decision> {
    let options: Vec<String> = question
        .answers
        .iter()
        .map(|answer| match answer.similarity {
            Some(percent) => format!("{}  ({}; {percent} % alike)", answer.decision, answer.effect),
            None => format!("{}  ({})", answer.decision, answer.effect),
        })
        .collect();
    loop {
        let picked = ask.pick(&format!("{}: {}", question.about, question.found), &options)?;
        let chosen = picked.and_then(|index| question.answers.get(index)).ok_or_else(nothing_done)?;
        let text = match chosen.decision.split_once('<') {
            None => chosen.decision.clone(),
            Some((before, hint)) => {
                let hint = hint.trim_end_matches('>');
                let value = ask.text(before.trim_end(), hint)?;
                format!("{before}{}", if hint.starts_with('\'') { quoted(&value) } else { value })
            }
        };
        match text.parse() {
            Ok(decision) => return Ok(decision),
            Err(error) => ask.tell(&error.to_string()),
        }
    }
}

/// A text in single quotes, unless it stands in them.
fn quoted(text: &str) -> String {
    if text.len() >= 2 && text.starts_with('\'') && text.ends_with('\'') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{answer, given, quoted};
    use crate::cli::ask::tests::Script;
    use crate::schema::Question;
    use crate::schema::diff::Answer;

    fn question() -> Question {
        let answer = |decision: &str, similarity| Answer {
            decision: decision.to_owned(),
            effect: "that happens".to_owned(),
            similarity,
        };
        Question {
            about: "users.name".to_owned(),
            found: "it is gone".to_owned(),
            answers: vec![
                answer("rename column users.name to users.full_name", Some(71)),
                answer("drop column users.name", None),
                answer("backfill users.name with <'a text'>", None),
            ],
        }
    }

    #[test]
    fn an_answer_is_a_decision() {
        let mut script = Script { answers: ["rename"].into(), ..Script::default() };
        assert_eq!(
            answer(&mut script, &question()).unwrap().to_string(),
            "rename column users.name to users.full_name"
        );
        assert!(script.asked[0].contains("users.name: it is gone") && script.asked[0].contains("71 % alike"));
        let mut script = Script { answers: ["backfill", "O'Brien"].into(), ..Script::default() };
        assert_eq!(answer(&mut script, &question()).unwrap().to_string(), "backfill users.name with 'O''Brien'");
        let mut nobody = Script::default();
        assert!(answer(&mut nobody, &question()).unwrap_err().to_string().contains("nothing was done"));
    }

    #[test]
    fn texts_and_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("d.toml");
        std::fs::write(&file, "id = \"other things do not matter\"\ndecisions = [\"drop table a\"]\n").unwrap();
        let decisions = given(&[format!("@{}", file.display()), "narrow t.c".to_owned()]).unwrap();
        let texts: Vec<String> = decisions.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["drop table a", "narrow t.c"]);
        assert!(given(&["@/no/such".to_owned()]).unwrap_err().to_string().contains("/no/such"));
        assert_eq!((quoted("a"), quoted("'a'"), quoted("'")), ("'a'".into(), "'a'".into(), "''''".into()));
    }
}
