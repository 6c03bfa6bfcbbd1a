//! The small tables in `.config`: one row a line, the last column free text that says why.

use std::fs;

use crate::Outcome;
use crate::process::workspace;

/// Rows of `columns` words and then a reason, which every row must have. `#` starts a comment line.
pub(super) fn rows(file: &str, columns: usize) -> Outcome<Vec<Vec<String>>> {
    let path = workspace().join(file);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {file}: {error}"))?;
    parse(&text, columns)
        .map_err(|(number, line)| format!("{file}:{number}: wanted {columns} words and a reason, got `{line}`"))
}

fn parse(text: &str, columns: usize) -> Result<Vec<Vec<String>>, (usize, String)> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.len() <= columns {
            return Err((index + 1, line.to_owned()));
        }
        let (cells, reason) = words.split_at(columns);
        let mut row: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        row.push(reason.join(" "));
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::parse;

    #[test]
    fn a_row_without_a_reason_is_refused() {
        assert_eq!(parse("# c\n\na 1.0 why  not\n", 2).unwrap(), [["a", "1.0", "why not"]]);
        assert_eq!(parse("a 1.0\n", 2).unwrap_err().0, 1);
    }
}
