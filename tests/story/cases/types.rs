//! Types: nothing is cut, rounded or zeroed in silence.

use crate::cases::Outcome::Stops;
use crate::cases::{CASE, Case};

const INTEGERS: &[&str] = &["INSERT INTO t (a) VALUES (2147483647), (-2147483648), (0), (NULL)"];
const TEXTS: &[&str] = &["INSERT INTO t (a) VALUES ('it''s'), (''), ('日本語🦀x'), (NULL)"];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "Y01 an integer widens",
        before: "t{id auto; a i32? ix}",
        after: "t{id auto; a i64? ix}",
        rows: INTEGERS,
        works: &["INSERT INTO t (a) VALUES (9223372036854775807)"],
        ..CASE
    },
    Case {
        id: "Y01b an integer that is a key and pointed at widens",
        before: "p{id i32 pk} c{id auto; p_id i32 ->p.id cascade}",
        after: "p{id i64 pk} c{id auto; p_id i64 ->p.id cascade}",
        rows: &["INSERT INTO p (id) VALUES (2147483647), (1)", "INSERT INTO c (p_id) VALUES (1), (2147483647), (1)"],
        fails: &["INSERT INTO c (p_id) VALUES (9)"],
        works: &["DELETE FROM p WHERE id = 1"],
        sees: &[("SELECT count(*) FROM c", 1)],
        ..CASE
    },
    Case {
        id: "Y03 an integer narrows, and one is too large",
        before: "t{id auto; a i64?}",
        after: "t{id auto; a i32?}",
        rows: &["INSERT INTO t (a) VALUES (3000000000), (1)"],
        decide: &["narrow t.a"],
        asks: &["narrow t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "Y03b an integer narrows, and all fit",
        before: "t{id auto; a i64? ix; b i64 =7}",
        after: "t{id auto; a i32? ix; b i16 =7}",
        rows: INTEGERS,
        decide: &["narrow t.a", "narrow t.b"],
        ..CASE
    },
    Case {
        id: "Y05 a text narrows, and all fit",
        before: "t{id auto; a text(20)? uq}",
        after: "t{id auto; a text(5)? uq}",
        rows: TEXTS,
        decide: &["narrow t.a"],
        fails: &["INSERT INTO t (a) VALUES ('123456')"],
        ..CASE
    },
    Case {
        id: "Y06 a text narrows, and one is too long",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a text(5)?}",
        rows: &["INSERT INTO t (a) VALUES ('1234567890'), ('12345  ')"],
        decide: &["narrow t.a"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "Y07 a text gets no limit",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a text?}",
        rows: TEXTS,
        ..CASE
    },
    Case {
        id: "Y07b and a limit again",
        before: "t{id auto; a text?}",
        after: "t{id auto; a text(20)?}",
        rows: TEXTS,
        decide: &["narrow t.a"],
        ..CASE
    },
    Case {
        id: "Y09 texts that are integers",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a i32?}",
        rows: &["INSERT INTO t (a) VALUES ('12'), ('-7'), (NULL)"],
        decide: &["narrow t.a"],
        holds: &[("SELECT sum(a) FROM t", 5)],
        ..CASE
    },
    Case {
        id: "Y10 texts of which one is no integer",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a i32?}",
        rows: &["INSERT INTO t (a) VALUES ('12'), ('x'), ('')"],
        decide: &["narrow t.a"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "Y11 a text default becomes a number",
        before: "t{id auto; a text(20) ='5'}",
        after: "t{id auto; a i32 =5}",
        rows: &["INSERT INTO t (a) VALUES ('12'), ('7')", "INSERT INTO t (id) VALUES (9)"],
        decide: &["narrow t.a"],
        holds: &[("SELECT sum(a) FROM t", 24)],
        ..CASE
    },
    Case {
        id: "Y13 a text becomes JSON",
        before: "t{id auto; a text?}",
        after: "t{id auto; a json?}",
        rows: &["INSERT INTO t (a) VALUES ('true'), (NULL)"],
        decide: &["narrow t.a"],
        changed: &["t.a"],
        ..CASE
    },
    Case {
        id: "Y13b a text is no JSON",
        before: "t{id auto; a text?}",
        after: "t{id auto; a json?}",
        rows: &["INSERT INTO t (a) VALUES ('true'), ('nope')"],
        decide: &["narrow t.a"],
        outcome: Stops("a"),
        ..CASE
    },
    Case {
        id: "Y15 a time without a zone becomes one in UTC",
        before: "t{id auto; a datetime?}",
        after: "t{id auto; a timestamp?}",
        rows: &["INSERT INTO t (a) VALUES ('2024-01-01 00:00:00.000000'), (NULL)"],
        decide: &["narrow t.a"],
        changed: &["t.a"],
        holds: &[("SELECT count(*) FROM t WHERE a = '2024-01-01 00:00:00.000000'", 1)],
        ..CASE
    },
    Case {
        id: "Y16 a text becomes a date",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a date?}",
        rows: &["INSERT INTO t (a) VALUES ('2024-02-29'), (NULL)"],
        decide: &["narrow t.a"],
        changed: &["t.a"],
        holds: &[("SELECT count(*) FROM t WHERE a = '2024-02-29'", 1)],
        ..CASE
    },
    Case {
        id: "Y16b a text is no date",
        before: "t{id auto; a text(20)?}",
        after: "t{id auto; a date?}",
        rows: &["INSERT INTO t (a) VALUES ('2024-02-28'), ('2024-02-30')"],
        decide: &["narrow t.a"],
        outcome: Stops("date"),
        ..CASE
    },
    Case {
        id: "Y17 a decimal grows",
        before: "t{id auto; a decimal(10,2)?}",
        after: "t{id auto; a decimal(12,4)?}",
        rows: &["INSERT INTO t (a) VALUES ({99999999.99/2}), ({-0.01/2}), (NULL)"],
        holds: &[("SELECT count(*) FROM t WHERE a = {-0.01/4}", 1)],
        ..CASE
    },
    Case {
        id: "Y18 a decimal would be rounded",
        before: "t{id auto; a decimal(10,4)?}",
        after: "t{id auto; a decimal(10,2)?}",
        rows: &["INSERT INTO t (a) VALUES ({1.2355/4}), ({1.5/4})"],
        decide: &["narrow t.a"],
        asks: &["narrow t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "Y19 a float would be rounded",
        before: "t{id auto; a f64?}",
        after: "t{id auto; a i32?}",
        rows: &["INSERT INTO t (a) VALUES (2.7), (3)"],
        decide: &["narrow t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "Y19b a small float of many digits would be rounded",
        before: "t{id auto; a f32?}",
        after: "t{id auto; a i32?}",
        rows: &["INSERT INTO t (a) VALUES (123456.75), (123456), (-0.5)"],
        decide: &["narrow t.a"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "Y19c a float of many digits would be rounded",
        before: "t{id auto; a f64?}",
        after: "t{id auto; a i64?}",
        rows: &["INSERT INTO t (a) VALUES (1234567890123456.5), (1e19), (12345)"],
        decide: &["narrow t.a"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "Y19d whole floats become integers, however many digits they have",
        before: "t{id auto; a f32?; b f64?}",
        after: "t{id auto; a i32?; b i64?}",
        rows: &[
            "INSERT INTO t (a, b) VALUES (16777215, 9007199254740991), (-16777215, -9007199254740991), (NULL, NULL)",
        ],
        decide: &["narrow t.a", "narrow t.b"],
        holds: &[
            ("SELECT count(*) FROM t WHERE a = 16777215 AND b = 9007199254740991", 1),
            ("SELECT count(*) FROM t WHERE a = -16777215 AND b = -9007199254740991", 1),
        ],
        ..CASE
    },
    Case {
        id: "Y21 a key with two tables that point at it becomes a text",
        before: "p{id i32 pk} c{id auto; p_id i32 ->p.id} d{id auto; p_id i32? ->p.id setnull}",
        after: "p{id text(20) pk} c{id auto; p_id text(20) ->p.id} d{id auto; p_id text(20)? ->p.id setnull}",
        rows: &[
            "INSERT INTO p (id) VALUES (1), (-20)",
            "INSERT INTO c (p_id) VALUES (1), (-20), (1)",
            "INSERT INTO d (p_id) VALUES (1), (NULL)",
        ],
        decide: &["narrow p.id", "narrow c.p_id", "narrow d.p_id"],
        // Sorted as texts, -20 stands before 1.
        changed: &["p.id"],
        fails: &["INSERT INTO c (p_id) VALUES ('9')"],
        works: &["DELETE FROM c", "DELETE FROM p WHERE id = '1'"],
        sees: &[("SELECT count(*) FROM d WHERE p_id IS NULL", 2)],
        ..CASE
    },
    Case {
        id: "Y25 an integer loses its sign",
        before: "t{id auto; a i32?}",
        after: "t{id auto; a u32?}",
        rows: &["INSERT INTO t (a) VALUES (0), (7), (2147483647), (NULL)"],
        decide: &["narrow t.a"],
        fails: &["INSERT INTO t (a) VALUES (-1)"],
        ..CASE
    },
    Case {
        id: "Y25b an integer loses its sign, and one is below zero",
        before: "t{id auto; a i32?}",
        after: "t{id auto; a u32?}",
        rows: &["INSERT INTO t (a) VALUES (0), (-1)"],
        decide: &["narrow t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "E01 an enum with a default",
        before: "t{id auto}",
        after: "t{id auto; role enum(role,a,it's) ='a'}",
        rows: &["INSERT INTO t (id) VALUES (100)"],
        fails: &["INSERT INTO t (role) VALUES ('x')"],
        works: &["INSERT INTO t (role) VALUES ('it''s')"],
        ..CASE
    },
    Case {
        id: "E03 a label comes between",
        before: "t{id auto; role enum(role,a,b)?}",
        after: "t{id auto; role enum(role,first,a,x,b,z)?}",
        rows: &["INSERT INTO t (role) VALUES ('a'), ('b'), (NULL)"],
        works: &["INSERT INTO t (role) VALUES ('x')"],
        ..CASE
    },
    Case {
        id: "E05 a label comes and is the default at once",
        before: "t{id auto; role enum(role,a) ='a'}",
        after: "t{id auto; role enum(role,a,b) ='b'}",
        rows: &["INSERT INTO t (role) VALUES ('a')"],
        works: &["INSERT INTO t (id) VALUES (9)"],
        sees: &[("SELECT count(*) FROM t WHERE role = 'b'", 1), ("SELECT count(*) FROM t WHERE role = 'a'", 1)],
        ..CASE
    },
    Case {
        id: "E11 a text becomes an enum",
        before: "t{id auto; role text(20)?}",
        after: "t{id auto; role enum(role,a,b)?}",
        rows: &["INSERT INTO t (role) VALUES ('a'), ('b'), (NULL)"],
        decide: &["narrow t.role"],
        ..CASE
    },
    Case {
        id: "E11b a text is no label",
        before: "t{id auto; role text(20)?}",
        after: "t{id auto; role enum(role,a,b)?}",
        rows: &["INSERT INTO t (role) VALUES ('a'), ('A'), ('a ')"],
        decide: &["narrow t.role"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "E11c an enum becomes a text, and goes",
        before: "t{id auto; role enum(role,a,b)? ='a'}",
        after: "t{id auto; role text(20)? ='a'}",
        rows: &["INSERT INTO t (role) VALUES ('a'), ('b'), (NULL)"],
        decide: &["narrow t.role"],
        ..CASE
    },
];
