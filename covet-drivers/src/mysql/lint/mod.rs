//! What to look for in the migrations of MySQL and MariaDB: copies of tables, attributes and values lost without a word.
//!
//! Both products read one file, each with the comments that it executes, so a script is read twice.

mod columns;
mod cost;
mod keys;
mod session;
mod steps;
mod words;

use crate::lint::{Lint, Reading, Rule};
use crate::mysql::dialect::QUOTING;

/// The rules of MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MySqlLint;

static RULES: &[Rule] = &[
    steps::MA01,
    steps::MA02,
    columns::MA03,
    session::MA04,
    columns::MA05,
    cost::MA06,
    cost::MA07,
    cost::MA08,
    keys::MA09,
    keys::MA10,
    keys::MA11,
    keys::MA12,
    keys::MA13,
    keys::MA14,
    keys::MA15,
    words::MA16,
    columns::MA17,
    session::MA18,
    columns::MA19,
    words::MA20,
    words::MA21,
];

/// As MariaDB reads: its own comments, and those of MySQL up to 5.6.
fn mariadb(rest: &str) -> Option<usize> {
    if let Some(inside) = rest.strip_prefix("/*M!") {
        return Some(4 + digits(inside).len());
    }
    let version = digits(rest.strip_prefix("/*!")?);
    let skipped = version.parse::<u32>().is_ok_and(|version| (50_700..100_000).contains(&version));
    (!skipped).then_some(3 + version.len())
}

/// As MySQL reads: everything that no later version than its own is asked for.
fn mysql(rest: &str) -> Option<usize> {
    rest.strip_prefix("/*!").map(|inside| 3 + digits(inside).len())
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

impl Lint for MySqlLint {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn readings(&self) -> &'static [Reading] {
        &[Reading { quoting: QUOTING, code: mariadb }, Reading { quoting: QUOTING, code: mysql }]
    }

    fn max_identifier(&self) -> usize {
        64
    }

    fn one_transaction(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{mariadb, mysql};

    #[test]
    fn each_product_executes_its_own_comments() {
        for (comment, maria, my) in [
            ("/* a */", None, None),
            ("/*M! a */", Some(4), None),
            ("/*M!100600 a */", Some(10), None),
            ("/*!80000 a */", None, Some(8)),
            ("/*!40101 a */", Some(8), Some(8)),
            ("/*! a */", Some(3), Some(3)),
            ("/*!100300 a */", Some(9), Some(9)),
        ] {
            assert_eq!((mariadb(comment), mysql(comment)), (maria, my), "{comment}");
        }
    }
}
