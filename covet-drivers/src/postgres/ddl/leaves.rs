//! What a statement leaves behind in its session.

use crate::contract::Leaves;
use crate::postgres::dialect::QUOTING;
use crate::sql::{Reader, Word, words};

/// As [`Ddl::leaves`](crate::contract::Ddl::leaves).
pub(super) fn leaves(sql: &str) -> Leaves {
    words(sql, QUOTING).map_or(Leaves::Nothing, |words| statement(&words))
}

fn statement(all: &[Word<'_>]) -> Leaves {
    let words = Reader::new(all);
    let temporary = || all.iter().take(4).any(|word| word.is("temp") || word.is("temporary"));
    match words.keyword().as_deref() {
        // Until the end of the transaction, and of no use outside of one.
        Some("set") if all.get(1).is_some_and(|word| word.is("constraints")) => Leaves::Nothing,
        Some("set" | "reset" | "discard" | "listen" | "unlisten" | "prepare" | "deallocate" | "load") => {
            Leaves::Setting
        }
        Some("create") if temporary() => Leaves::State,
        Some("select" | "with") if words.has(&["into"]) && words.has(&["temp", "temporary"]) => Leaves::State,
        // A setting whose value is read at the time is none that can be made again.
        Some("select" | "with" | "do" | "call") if words.has(&["set_config"]) => {
            if all.iter().filter(|word| word.is("select")).count() > 1 || words.has(&["from"]) {
                Leaves::State
            } else {
                Leaves::Setting
            }
        }
        _ => Leaves::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::leaves;
    use crate::contract::Leaves;

    #[test]
    fn what_is_left_behind() {
        for sql in ["SET search_path = a", "RESET ALL", "SELECT set_config('a.b', '1', false)"] {
            assert_eq!(leaves(sql), Leaves::Setting, "{sql}");
        }
        for sql in [
            "CREATE TEMP TABLE t (id INT)",
            "create local temporary table t as select 1",
            "SELECT 1 AS a INTO TEMP t",
            "SELECT set_config('a.b', (SELECT max(id)::text FROM t), false)",
        ] {
            assert_eq!(leaves(sql), Leaves::State, "{sql}");
        }
        for sql in [
            "CREATE TABLE t (temp INT)",
            "UPDATE t SET a = 1",
            "SELECT 1",
            "DROP TABLE t",
            "SET CONSTRAINTS ALL IMMEDIATE",
        ] {
            assert_eq!(leaves(sql), Leaves::Nothing, "{sql}");
        }
    }
}
