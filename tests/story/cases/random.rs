//! What pairs of schemas by chance found, each as small as it could be made.

use covet_tests::Kind;

use crate::cases::Outcome::{RefusedOn, Stops};
use crate::cases::{CASE, Case};

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "R01 a check over an expression, and the column under it gets a smaller type",
        before: "t{id auto; n i64; ck:c(coalesce(n,~0)~<>~7)}",
        after: "t{id auto; n i32; ck:c(coalesce(n,~0)~<>~7)}",
        decide: &["narrow t.n"],
        rows: &["INSERT INTO t (n) VALUES (1), (-5)"],
        fails: &["INSERT INTO t (n) VALUES (7)"],
        ..CASE
    },
    Case {
        id: "R02 an index with a condition, and the column under it gets a smaller type",
        before: "t{id auto; n i64; ix(id)?coalesce(n,~0)~>~1}",
        after: "t{id auto; n i32; ix(id)?coalesce(n,~0)~>~1}",
        decide: &["narrow t.n"],
        rows: &["INSERT INTO t (n) VALUES (1), (-5)"],
        not_on: Some((Kind::Mysql, "an index of some rows")),
        ..CASE
    },
    Case {
        id: "R03 a key that is numbered gives way to another, and comes back",
        before: "t{id auto; n i64}",
        after: "t{id i64; n i64; pk(n)}",
        rows: &["INSERT INTO t (n) VALUES (5), (6)"],
        fails: &["INSERT INTO t (id, n) VALUES (9, 5)"],
        works: &["INSERT INTO t (id, n) VALUES (9, 7)"],
        ..CASE
    },
    Case {
        id: "R04 a key that was numbered becomes a text",
        before: "t{id auto; n i32}",
        after: "t{id text(30); n i32; pk(id)}",
        decide: &["narrow t.id"],
        rows: &["INSERT INTO t (n) VALUES (5), (6)"],
        works: &["INSERT INTO t (id, n) VALUES ('x', 7)"],
        ..CASE
    },
    Case {
        id: "R05 a table that points at itself loses its key, and gets it back",
        before: "t{id auto; parent i64? ->t.id; n i32}",
        after: "t{n i32}",
        decide: &["drop column t.id", "drop column t.parent"],
        rows: &["INSERT INTO t (n) VALUES (5)"],
        ..CASE
    },
    Case {
        id: "R06 a value in place of NULL would be there twice where it is to be unique",
        before: "t{id auto; code i32? uq}",
        after: "t{id auto; code i32 uq}",
        decide: &["backfill t.code with 0"],
        rows: &["INSERT INTO t (code) VALUES (NULL), (0)"],
        outcome: Stops("that more than one row has (1 row)"),
        ..CASE
    },
    Case {
        id: "R07 a check reads a column that is numbered",
        before: "t{id auto; n i32}",
        after: "t{id auto; n i32; ck:c(id~>~0)}",
        rows: &["INSERT INTO t (n) VALUES (5)"],
        outcome: RefusedOn(Kind::Mysql, "which reads the numbered column id"),
        ..CASE
    },
];
