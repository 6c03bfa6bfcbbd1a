//! How alike two tables or columns are, to put the likely rename first.

use std::collections::BTreeSet;

use covet_drivers::catalog::{Column, Qualified, Table};

/// Percent. Names count half; the other half is type, nullability, default and the rest.
pub(super) fn columns(a: &Column, b: &Column) -> u8 {
    let same = [
        a.ty == b.ty,
        a.ty == b.ty,
        a.nullable == b.nullable,
        a.default == b.default,
        (a.auto, a.case_insensitive) == (b.auto, b.case_insensitive),
    ];
    percent(words(&a.name, &b.name), same.iter().filter(|same| **same).count(), same.len())
}

/// Percent. Names count half; the other half is the share of columns that both have.
pub(super) fn tables(a: &Table, b: &Table) -> u8 {
    let names = |table: &Table| -> BTreeSet<(String, String)> {
        table.columns.iter().map(|column| (column.name.clone(), column.ty.to_string())).collect()
    };
    let (a_columns, b_columns) = (names(a), names(b));
    let (both, all) = (a_columns.intersection(&b_columns).count(), a_columns.union(&b_columns).count());
    percent(words(&Qualified::of(&a.name).name, &Qualified::of(&b.name).name), both, all.max(1))
}

fn percent(name: u8, part: usize, whole: usize) -> u8 {
    let rest = u8::try_from(part * 100 / whole).unwrap_or(100);
    u8::midpoint(name, rest)
}

/// Percent of shared pairs of neighbouring letters, without regard to case (Dice).
fn words(a: &str, b: &str) -> u8 {
    let pairs = |word: &str| -> Vec<(char, char)> {
        let letters: Vec<char> = format!("^{}$", word.to_lowercase()).chars().collect();
        letters.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    let shared = a
        .iter()
        .filter(|pair| match b.iter().position(|other| other == *pair) {
            Some(index) => {
                b.swap_remove(index);
                true
            }
            None => false,
        })
        .count();
    u8::try_from(shared * 200 / all.max(1)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use covet_drivers::catalog::{Column, ColumnType};

    use super::columns;

    #[test]
    fn a_likely_rename_scores_higher() {
        let text = |name: &str| Column::new(name, ColumnType::Text { max_len: None });
        let (name, full, size) = (text("name"), text("full_name"), Column::new("size", ColumnType::I32));
        assert_eq!(columns(&name, &name), 100);
        assert!(columns(&name, &full) > 60 && columns(&name, &size) < 50);
    }
}
