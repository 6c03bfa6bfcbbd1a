//! Columns: they come, go, get other names; NULL and defaults.

use crate::cases::Outcome::Stops;
use crate::cases::{CASE, Case};

const U: &[&str] = &["INSERT INTO u (id) VALUES (1), (2), (3)"];
const NAMES: &[&str] = &["INSERT INTO t (a, n) VALUES ('it''s', 1), ('', 2), ('日本', -2147483648)"];
const MAYBE: &[&str] = &["INSERT INTO t (a) VALUES (NULL), (5), (-2147483648), (2147483647)"];
const SURE: &[&str] = &["INSERT INTO t (a) VALUES (0), (5), (-2147483648), (2147483647)"];

pub(crate) const CASES: &[Case] = &[
    Case { id: "C01 may be NULL", before: "u{id auto}", after: "u{id auto; age i32?}", rows: U, ..CASE },
    Case {
        id: "C03 must not be NULL, and there are rows",
        before: "u{id auto}",
        after: "u{id auto; age i32}",
        rows: U,
        decide: &["table u is empty"],
        asks: &["backfill u.age with <an integer from -2147483648 to 2147483647>", "table u is empty"],
        outcome: Stops("(3 rows)"),
        ..CASE
    },
    Case {
        id: "C05 must not be NULL, and rows get a value",
        before: "u{id auto}",
        after: "u{id auto; age i32; name text(20); on bool; role enum(role,a,b); price decimal(10,2)}",
        rows: U,
        decide: &[
            "backfill u.age with 42",
            "backfill u.name with 'it''s \\ \"ü\"'",
            "backfill u.\"on\" with true",
            "backfill u.role with 'b'",
            "backfill u.price with -1.5",
        ],
        holds: &[
            ("SELECT count(*) FROM u WHERE age = 42 AND role = 'b' AND price = {-1.50/2}", 3),
            ("SELECT count(*) FROM u WHERE CHAR_LENGTH(name) = 10", 3),
        ],
        fails: &["INSERT INTO u (name) VALUES ('x')"],
        ..CASE
    },
    Case {
        id: "C07 the time",
        before: "u{id auto}",
        after: "u{id auto; created timestamp =now}",
        rows: U,
        holds: &[("SELECT count(DISTINCT created) FROM u", 1), ("SELECT count(created) FROM u", 3)],
        ..CASE
    },
    Case { id: "C09 unique", before: "u{id auto}", after: "u{id auto; code text(10)? uq}", rows: U, ..CASE },
    Case {
        id: "C11 C13 a foreign key that is set to NULL",
        before: "u{id auto} p{id auto}",
        after: "u{id auto; p_id i64? ->p.id setnull} p{id auto}",
        rows: &["INSERT INTO u (id) VALUES (1), (2)", "INSERT INTO p (id) VALUES (1)"],
        holds: &[("SELECT count(*) FROM u WHERE p_id IS NULL", 2)],
        fails: &["UPDATE u SET p_id = 9"],
        works: &["UPDATE u SET p_id = 1", "DELETE FROM p"],
        sees: &[("SELECT count(*) FROM u WHERE p_id IS NULL", 2)],
        ..CASE
    },
    Case {
        id: "C17 an indexed column goes",
        before: "t{id auto; a text(10) ix; n i32? uq; uq(a,n)}",
        after: "t{id auto; a text(10) ix}",
        rows: NAMES,
        decide: &["drop column t.n"],
        asks: &["drop column t.n"],
        ..CASE
    },
    Case {
        id: "C19 half of a unique goes, the other half is not",
        before: "t{id auto; a text(10); n i32?; uq(a,n)}",
        after: "t{id auto; a text(10); uq(a)}",
        rows: &["INSERT INTO t (a, n) VALUES ('x', 1), ('x', 2)"],
        decide: &["drop column t.n"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "C25 a column gets another name, or goes",
        before: "t{id auto; a text(10); n i32}",
        after: "t{id auto; b text(10); n i32}",
        rows: NAMES,
        decide: &["rename column t.a to b"],
        asks: &["rename column t.a to t.b", "drop column t.a", "table t is empty"],
        ..CASE
    },
    Case {
        id: "C27 a key that is pointed at gets another name",
        before: "p{id auto; x i32?} c{id auto; p_id i64 ->p.id cascade}",
        after: "p{pid auto; x i32?} c{id auto; p_id i64 ->p.pid cascade}",
        rows: &["INSERT INTO p (x) VALUES (1), (NULL)", "INSERT INTO c (p_id) VALUES (1), (2), (2)"],
        decide: &["rename column p.id to pid"],
        fails: &["INSERT INTO c (p_id) VALUES (9)"],
        works: &["INSERT INTO p (x) VALUES (3)", "DELETE FROM p WHERE pid = 2"],
        sees: &[("SELECT max(pid) FROM p", 3), ("SELECT count(*) FROM c", 1)],
        ..CASE
    },
    Case {
        id: "C29 both columns of a unique get other names",
        before: "t{id auto; a text(10); n i32; uq(a,n)}",
        after: "t{id auto; x text(10); y i32; uq(x,y)}",
        rows: NAMES,
        decide: &["rename column t.a to x", "rename column t.n to y"],
        fails: &["INSERT INTO t (x, y) VALUES ('', 2)"],
        ..CASE
    },
    Case {
        id: "C31 the old name is given to another column",
        before: "t{id auto; a text(10); n i32}",
        after: "t{id auto; b text(10); a text(10)?; n i32}",
        rows: NAMES,
        decide: &["rename column t.a to b"],
        holds: &[("SELECT count(a) FROM t", 0), ("SELECT count(b) FROM t", 3)],
        ..CASE
    },
    Case {
        id: "C33 another name, and NULL is allowed",
        before: "t{id auto; a text(10) ix; n i32}",
        after: "t{id auto; b text(10)? ix; n i32}",
        rows: NAMES,
        decide: &["rename column t.a to b"],
        ..CASE
    },
    Case {
        id: "C35 only the case of a name changes",
        before: "t{id auto; A text(10); n i32}",
        after: "t{id auto; a text(10); n i32}",
        rows: &["INSERT INTO t ([A], n) VALUES ('x', 1)"],
        decide: &["rename column t.A to a"],
        ..CASE
    },
    Case {
        id: "C37 only the table that is meant",
        before: "t{id auto; a i32?} u{id auto; a i32?}",
        after: "t{id auto; a i32?} u{id auto; a i32}",
        rows: MAYBE,
        decide: &["no nulls in u.a"],
        ..CASE
    },
    Case {
        id: "C39 a text goes, and a foreign key of a like name comes",
        before: "p{id auto; name text(20)} b{id auto; p_name text(20)?}",
        after: "p{id auto; name text(20)} b{id auto; p_id i64? ->p.id}",
        rows: &["INSERT INTO p (name) VALUES ('x')", "INSERT INTO b (p_name) VALUES ('x'), (NULL)"],
        asks: &["drop column b.p_name"],
        decide: &["drop column b.p_name"],
        holds: &[("SELECT count(*) FROM b WHERE p_id IS NULL", 2)],
        ..CASE
    },
    Case {
        id: "N01 NULL is no longer allowed, and there is none",
        before: "t{id auto; a i32? ix; b text(5)?}",
        after: "t{id auto; a i32 ix; b text(5)?}",
        rows: SURE,
        decide: &["no nulls in t.a"],
        asks: &["no nulls in t.a"],
        fails: &["INSERT INTO t (a) VALUES (NULL)"],
        ..CASE
    },
    Case {
        id: "N01b NULL is no longer allowed, and there is one",
        before: "t{id auto; a i32? ix}",
        after: "t{id auto; a i32 ix}",
        rows: MAYBE,
        decide: &["no nulls in t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "N03 a default does not fill in for NULL",
        before: "t{id auto; a i32?}",
        after: "t{id auto; a i32 =30}",
        rows: MAYBE,
        decide: &["no nulls in t.a"],
        asks: &["backfill t.a with <an integer from -2147483648 to 2147483647>", "no nulls in t.a"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "N03b unless that is decided",
        before: "t{id auto; a i32?}",
        after: "t{id auto; a i32 =30}",
        rows: MAYBE,
        decide: &["backfill t.a with 30"],
        changed: &["t.a"],
        holds: &[("SELECT count(*) FROM t WHERE a = 30", 1), ("SELECT count(*) FROM t WHERE a = 5", 1)],
        ..CASE
    },
    Case {
        id: "N05 a default comes",
        before: "t{id auto; a i32?; s text(30)?; b bool?}",
        after: "t{id auto; a i32? =-1; s text(30)? ='it's~\\~\"ü\"~%'; b bool? =false}",
        rows: MAYBE,
        works: &["INSERT INTO t (id) VALUES (77)"],
        sees: &[("SELECT count(*) FROM t WHERE a = -1 AND CHAR_LENGTH(s) = 12 AND NOT b", 1)],
        ..CASE
    },
    Case {
        id: "N05b a default changes, another goes",
        before: "t{id auto; a i32? =1; s text(10)? =''}",
        after: "t{id auto; a i32? =2; s text(10)?}",
        rows: MAYBE,
        works: &["INSERT INTO t (id) VALUES (77)"],
        sees: &[("SELECT count(*) FROM t WHERE a = 2 AND s IS NULL", 1)],
        ..CASE
    },
    Case {
        id: "N09 only NULL is allowed anew, and all else of the column stays",
        before: "t{id auto; a i32 =5 #it's~a ck:a~>~0; s text(20) ='x' ci #of~s; at timestamp =now}",
        after: "t{id auto; a i32? =5 #it's~a ck:a~>~0; s text(20)? ='x' ci #of~s; at timestamp? =now}",
        rows: &["INSERT INTO t (s) VALUES ('x'), ('x')"],
        fails: &["INSERT INTO t (a) VALUES (-1)"],
        works: &["INSERT INTO t (a) VALUES (NULL)", "INSERT INTO t (s) VALUES (NULL)"],
        sees: &[("SELECT count(*) FROM t WHERE a = 5", 3), ("SELECT count(*) FROM t WHERE s = 'X'", 3)],
        ..CASE
    },
];
