//! `cargo covet db execute`: statements, and what comes back.

use std::io::{IsTerminal as _, Read as _};

use covet_drivers::contract::Answer;
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use crate::cli::context::{Context, read};
use crate::cli::db::args::Execute;
use crate::cli::guard;
use crate::cli::out::{Out, table};

pub(super) async fn execute(context: &Context, options: &Execute) -> Result<()> {
    let sql = statements(options)?;
    let chosen = context.database(&options.database)?;
    let admin = chosen.admin()?;
    guard::production_only(context, &chosen, "run statements")?;
    let answers = admin.ask(&admin.existing(&chosen.url), &sql, options.limit).await?;
    for answer in &answers {
        show(&context.out, answer);
    }
    context.out.json(&json!({ "answers": answers.iter().map(as_json).collect::<Vec<_>>() }))
}

fn statements(options: &Execute) -> Result<String> {
    let sql = match (&options.sql, &options.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => read(file)?,
        (None, None) => {
            let mut input = std::io::stdin();
            if input.is_terminal() {
                return Err(Error::new(ErrorKind::Config, "there is nothing to run")
                    .with_help("give the statements as an argument, by --file, or on standard input"));
            }
            let mut sql = String::new();
            input.read_to_string(&mut sql).map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot read standard input: {error}")).with_source(error)
            })?;
            sql
        }
    };
    if sql.trim().is_empty() {
        return Err(Error::new(ErrorKind::Config, "there is nothing to run: the text is empty"));
    }
    Ok(sql)
}

/// An answer for people.
fn show(out: &Out, answer: &Answer) {
    if answer.columns.is_empty() {
        out.done(counted(answer.affected, "changed"));
        return;
    }
    out.line(rows(answer));
    let shown = u64::try_from(answer.rows.len()).unwrap_or(u64::MAX);
    if shown < answer.found {
        out.note(format_args!("{} of {} rows are shown; --limit shows more", shown, answer.found));
    } else {
        out.done(counted(answer.found, ""));
    }
}

/// The rows of an answer as a table.
pub(in crate::cli) fn rows(answer: &Answer) -> String {
    let heads: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let rows: Vec<Vec<String>> = answer.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    table(&heads, &rows)
}

fn counted(rows: u64, word: &str) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("({rows} {noun} {word}").trim_end().to_owned() + ")"
}

/// An answer for programs; two columns of one name are told apart by a number.
fn as_json(answer: &Answer) -> Value {
    let rows: Vec<Value> = answer
        .rows
        .iter()
        .map(|row| {
            let mut object = Map::new();
            for (column, cell) in answer.columns.iter().zip(row) {
                let mut name = column.clone();
                let mut number = 2;
                while object.contains_key(&name) {
                    name = format!("{column}_{number}");
                    number += 1;
                }
                object.insert(name, json!(cell));
            }
            Value::Object(object)
        })
        .collect();
    json!({ "columns": answer.columns, "rows": rows, "found": answer.found, "affected": answer.affected })
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::Answer;

    use super::{as_json, counted, rows};

    #[test]
    fn rows_for_people_and_for_programs() {
        let answer = Answer {
            columns: vec!["id".into(), "id".into()],
            rows: vec![vec![Some("1".into()), None]],
            found: 1,
            affected: 0,
        };
        assert_eq!(rows(&answer), "id  id\n--  ----\n1   NULL");
        let json = as_json(&answer);
        assert_eq!((&json["rows"][0]["id"], &json["rows"][0]["id_2"]), (&"1".into(), &serde_json::Value::Null));
        assert_eq!((counted(1, ""), counted(2, "changed")), ("(1 row)".into(), "(2 rows changed)".into()));
    }
}
