//! Rows as a table for people.

/// A table: the heads, a line, and the rows. Cells keep to one line each.
pub(in crate::cli) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(index, head)| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(head.chars().count())
        })
        .collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut lines = vec![line(&heads), line(&rule)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Control characters would move the cursor, or more.
fn one_line(cell: &str) -> String {
    cell.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn cells_stand_below_their_heads_and_move_no_cursor() {
        let rows = [vec!["1".to_owned(), "größe".to_owned()], vec!["22".to_owned(), "a\nb\u{1b}[2J".to_owned()]];
        assert_eq!(table(&["id", "n"], &rows), "id  n\n--  -------------\n1   größe\n22  a\\nb\\u{1b}[2J");
    }
}
