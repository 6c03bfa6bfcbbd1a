//! What a statement leaves behind in its session.

use crate::contract::Leaves;
use crate::sql::{Reader, Word, words};
use crate::sqlite::dialect::QUOTING;
use crate::sqlite::migration::KEPT;

/// As [`Ddl::leaves`](crate::contract::Ddl::leaves).
pub(super) fn leaves(sql: &str) -> Leaves {
    words(sql, QUOTING).map_or(Leaves::Nothing, |words| statement(&words))
}

fn statement(all: &[Word<'_>]) -> Leaves {
    let words = Reader::new(all);
    match words.keyword().as_deref() {
        Some("pragma" | "attach" | "detach") => Leaves::Setting,
        // That of a rebuild goes with the commit.
        Some("create") if all.contains(&Word::Name(KEPT.to_owned())) => Leaves::Nothing,
        Some("create") if all.iter().take(2).any(|word| word.is("temp") || word.is("temporary")) => Leaves::State,
        _ => Leaves::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::leaves;
    use crate::contract::Leaves;

    #[test]
    fn what_is_left_behind() {
        for (sql, left) in [
            ("PRAGMA cache_size = 7", Leaves::Setting),
            ("ATTACH 'a.db' AS a", Leaves::Setting),
            ("CREATE TEMP TABLE t (a)", Leaves::State),
            ("create temporary view t as select 1", Leaves::State),
            ("CREATE TEMP TABLE IF NOT EXISTS \"_covet_kept\" (name TEXT)", Leaves::Nothing),
            ("CREATE TABLE t (temp TEXT)", Leaves::Nothing),
            ("INSERT INTO t VALUES (1)", Leaves::Nothing),
        ] {
            assert_eq!(leaves(sql), left, "{sql}");
        }
    }
}
