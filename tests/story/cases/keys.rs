//! Indexes, uniques, foreign keys, and tables that SQLite has to build anew.

use covet_tests::Kind;

use crate::cases::Outcome::{Refused, RefusedOn, Stops};
use crate::cases::{CASE, Case};

const PAIRS: &[&str] = &["INSERT INTO t (a, b) VALUES (1, 'x'), (2, ''), (2, 'ü'), (3, NULL)"];
const FAMILY: &[&str] =
    &["INSERT INTO p (name) VALUES ('a'), ('b')", "INSERT INTO c (p_id) VALUES (1), (1), (2), (2), (2)"];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "I01 an index over two columns comes",
        before: "t{id auto; a i32; b text(10)?}",
        after: "t{id auto; a i32; b text(10)?; ix(a,b)}",
        rows: PAIRS,
        ..CASE
    },
    Case {
        id: "I03 the order in an index",
        before: "t{id auto; a i32; b text(10)?; ix:by_both(a,b)}",
        after: "t{id auto; a i32; b text(10)?; ix:by_both(b,a)}",
        rows: PAIRS,
        ..CASE
    },
    Case {
        id: "I05 an index becomes unique, and values are twice there",
        before: "t{id auto; a i32 ix; b text(10)?}",
        after: "t{id auto; a i32 uq; b text(10)?}",
        rows: PAIRS,
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "I05b an index of the same name becomes unique",
        before: "t{id auto; a i32; b text(10)?; ix:same(b)}",
        after: "t{id auto; a i32; b text(10)?; uq:same(b)}",
        rows: PAIRS,
        fails: &["INSERT INTO t (a, b) VALUES (9, 'x')"],
        works: &["INSERT INTO t (a) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "I07 a unique moves from one column to another",
        before: "t{id auto; a i32 uq; b text(10)? ix}",
        after: "t{id auto; a i32; b text(10)? uq}",
        rows: &["INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL), (3, NULL)"],
        ..CASE
    },
    Case {
        id: "I13 a unique goes",
        before: "t{id auto; a i32; b text(10)? uq}",
        after: "t{id auto; a i32; b text(10)?}",
        rows: PAIRS,
        ..CASE
    },
    Case {
        id: "I17 two indexes over the same column",
        before: "t{id auto; a i32; b text(10)?; ix:one(a)}",
        after: "t{id auto; a i32; b text(10)?; ix:one(a); ix:two(a); uq:three(a,b)}",
        rows: PAIRS,
        ..CASE
    },
    Case {
        id: "I19 a unique on text without a limit",
        before: "t{id auto; a i32; b text?}",
        after: "t{id auto; a i32; b text? uq}",
        rows: PAIRS,
        outcome: RefusedOn(Kind::Mysql, "t.b"),
        ..CASE
    },
    Case {
        id: "I19b a unique on a long text",
        before: "t{id auto; a i32; b text(1000)?}",
        after: "t{id auto; a i32; b text(1000)? uq}",
        rows: PAIRS,
        outcome: RefusedOn(Kind::Mysql, "bytes"),
        ..CASE
    },
    Case {
        id: "F01 a foreign key comes",
        before: "p{id auto; name text(9)} c{id auto; p_id i64}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id}",
        rows: FAMILY,
        fails: &["INSERT INTO c (p_id) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "F01b a foreign key comes, and rows point nowhere",
        before: "p{id auto; name text(9)} c{id auto; p_id i64?}",
        after: "p{id auto; name text(9); n i32?} c{id auto; p_id i64? ->p.id cascade; n i32?}",
        rows: &["INSERT INTO p (name) VALUES ('a')", "INSERT INTO c (p_id) VALUES (1), (7), (8), (NULL)"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "F03 a foreign key goes, its column and index stay",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id ix}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ix}",
        rows: FAMILY,
        works: &["INSERT INTO c (p_id) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "F03b the index goes, the foreign key stays",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id ix}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id}",
        rows: FAMILY,
        ..CASE
    },
    Case {
        id: "F04 restrict becomes cascade",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id restrict}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id cascade}",
        rows: FAMILY,
        works: &["DELETE FROM p WHERE id = 2"],
        sees: &[("SELECT count(*) FROM c", 2)],
        ..CASE
    },
    Case {
        id: "F04b cascade becomes set null",
        before: "p{id auto; name text(9)} c{id auto; p_id i64? ->p.id cascade}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64? ->p.id setnull}",
        rows: FAMILY,
        works: &["DELETE FROM p WHERE id = 2"],
        sees: &[("SELECT count(*) FROM c WHERE p_id IS NULL", 3)],
        ..CASE
    },
    Case {
        id: "F05 on update changes",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id on:cascade}",
        rows: FAMILY,
        works: &["UPDATE p SET id = 20 WHERE id = 2"],
        sees: &[("SELECT count(*) FROM c WHERE p_id = 20", 3)],
        ..CASE
    },
    Case {
        id: "F07 set null on what allows no NULL",
        before: "p{id auto; name text(9)} c{id auto; p_id i64}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id setnull}",
        outcome: Refused("NULL"),
        ..CASE
    },
    Case {
        id: "F08 set default",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 =1}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 =1 ->p.id setdefault}",
        rows: FAMILY,
        outcome: RefusedOn(Kind::Mysql, "SET DEFAULT"),
        works: &["DELETE FROM p WHERE id = 2"],
        sees: &[("SELECT count(*) FROM c WHERE p_id = 1", 5)],
        ..CASE
    },
    Case {
        id: "F11 a foreign key to what is not unique",
        before: "p{id auto; name text(9) ix} c{id auto; name text(9)}",
        after: "p{id auto; name text(9) ix} c{id auto; name text(9) ->p.name}",
        outcome: Refused("unique"),
        ..CASE
    },
    Case {
        id: "F13 two tables with foreign keys of like names",
        before: "p{id auto} a{id auto; p_id i64?} b{id auto; p_id i64?}",
        after: "p{id auto} a{id auto; p_id i64? ->p.id} b{id auto; p_id i64? ->p.id setnull}",
        rows: &[
            "INSERT INTO p (id) VALUES (1)",
            "INSERT INTO a (p_id) VALUES (NULL)",
            "INSERT INTO b (p_id) VALUES (1)",
        ],
        fails: &["INSERT INTO a (p_id) VALUES (2)", "INSERT INTO b (p_id) VALUES (2)"],
        works: &["DELETE FROM p"],
        sees: &[("SELECT count(*) FROM b WHERE p_id IS NULL", 1)],
        ..CASE
    },
    Case {
        id: "F15 the parent is built anew, the children would go with it",
        before: "p{id auto; name text(9)?} c{id auto; p_id i64 ->p.id cascade}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id cascade}",
        rows: FAMILY,
        decide: &["no nulls in p.name"],
        holds: &[("SELECT count(*) FROM p", 2), ("SELECT count(*) FROM c", 5)],
        fails: &["INSERT INTO c (p_id) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "F16 the parent is built anew, the children would lose it",
        before: "p{id auto; name text(9)?} c{id auto; p_id i64? ->p.id setnull} d{id auto; p_id i64? ->p.id}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64? ->p.id setnull} d{id auto; p_id i64? ->p.id}",
        rows: &[
            "INSERT INTO p (name) VALUES ('a'), ('b')",
            "INSERT INTO c (p_id) VALUES (1), (2), (NULL)",
            "INSERT INTO d (p_id) VALUES (1), (2), (NULL)",
        ],
        decide: &["no nulls in p.name"],
        holds: &[("SELECT count(*) FROM c WHERE p_id IS NULL", 1), ("SELECT count(p_id) FROM d", 2)],
        ..CASE
    },
    Case {
        id: "F17 a chain, of which two are built anew",
        before: "a{id auto; n i32?} b{id auto; n i32?; a_id i64 ->a.id cascade} c{id auto; b_id i64 ->b.id cascade}",
        after: "a{id auto; n i32 =0} b{id auto; n i64 =1; a_id i64 ->a.id cascade} c{id auto; b_id i64 ->b.id cascade}",
        rows: &[
            "INSERT INTO a (n) VALUES (1)",
            "INSERT INTO b (n, a_id) VALUES (2, 1)",
            "INSERT INTO c (b_id) VALUES (1), (1)",
        ],
        decide: &["no nulls in a.n", "no nulls in b.n"],
        holds: &[("SELECT count(*) FROM c", 2)],
        works: &["DELETE FROM a"],
        sees: &[("SELECT count(*) FROM c", 0)],
        ..CASE
    },
    Case {
        id: "F18 a table that points at itself is built anew",
        before: "t{id auto; n i32?; t_id i64? ->t.id cascade}",
        after: "t{id auto; n i32 =0; t_id i64? ->t.id cascade}",
        rows: &["INSERT INTO t (n, t_id) VALUES (1, NULL), (2, 1), (3, 2), (4, 4)"],
        decide: &["no nulls in t.n"],
        works: &["DELETE FROM t WHERE id = 1"],
        sees: &[("SELECT count(*) FROM t", 1)],
        ..CASE
    },
    Case {
        id: "F21 one of two foreign keys to a table changes",
        before: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id cascade; q_id i64? ->p.id}",
        after: "p{id auto; name text(9)} c{id auto; p_id i64 ->p.id cascade; q_id i64? ->p.id setnull}",
        rows: FAMILY,
        works: &["UPDATE c SET q_id = 2 WHERE id = 1", "DELETE FROM p WHERE id = 2"],
        sees: &[("SELECT count(*) FROM c", 2), ("SELECT count(q_id) FROM c", 0)],
        ..CASE
    },
    Case {
        id: "F23 a unique and a foreign key to it come together",
        before: "p{id auto; code text(9)} c{id auto; code text(9)?}",
        after: "p{id auto; code text(9) uq} c{id auto; code text(9)? ->p.code on:cascade}",
        rows: &["INSERT INTO p (code) VALUES ('a'), ('ü')", "INSERT INTO c (code) VALUES ('ü'), (NULL)"],
        works: &["UPDATE p SET code = 'z' WHERE code = 'ü'"],
        sees: &[("SELECT count(*) FROM c WHERE code = 'z'", 1)],
        ..CASE
    },
    Case {
        id: "I15 a unique that is pointed at gets another name",
        before: "p{id auto; code text(9); uq:one(code)} c{id auto; code text(9)? ->p.code}",
        after: "p{id auto; code text(9); uq:two(code)} c{id auto; code text(9)? ->p.code}",
        rows: &["INSERT INTO p (code) VALUES ('a')", "INSERT INTO c (code) VALUES ('a'), (NULL)"],
        fails: &["INSERT INTO c (code) VALUES ('b')"],
        ..CASE
    },
    Case {
        id: "P09 a number that is a key becomes a UUID",
        before: "t{id i32 pk; a i32?}",
        after: "t{id uuid pk; a i32?}",
        rows: &["INSERT INTO t (id) VALUES (1)"],
        decide: &["narrow t.id"],
        outcome: Refused("to uuid"),
        ..CASE
    },
    Case {
        id: "P08 a number that was used does not come again",
        before: "t{id auto; a i32?}",
        after: "t{id auto; a i32 =0}",
        rows: &["INSERT INTO t (a) VALUES (1), (2), (3)", "DELETE FROM t WHERE id = 3"],
        decide: &["no nulls in t.a"],
        works: &["INSERT INTO t (a) VALUES (4)"],
        sees: &[("SELECT max(id) FROM t", 4)],
        ..CASE
    },
];
