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
    Case {
        id: "R08 a table gets another name, and a column in it allows no NULL any more",
        before: "t{id auto; n i32?}",
        after: "u{id auto; n i32}",
        decide: &["rename table t to u", "no nulls in u.n"],
        rows: &["INSERT INTO t (n) VALUES (NULL)"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "R09 a column gets another name and a smaller type",
        before: "t{id auto; n i64}",
        after: "t{id auto; m i16}",
        decide: &["rename column t.n to m", "narrow t.m"],
        rows: &["INSERT INTO t (n) VALUES (70000)"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "R10 a value in place of NULL points at no row",
        before: "p{id auto} t{id auto; p i64? ->p.id}",
        after: "p{id auto} t{id auto; p i64 ->p.id}",
        decide: &["backfill t.p with 9"],
        rows: &["INSERT INTO t (p) VALUES (NULL)"],
        // Who refuses it has words of its own on each database.
        outcome: Stops("t"),
        ..CASE
    },
    Case {
        id: "R11 a label comes, and rows of a table with another name do not fit",
        before: "t{id auto; n i32?; e enum(mood,a)}",
        after: "u{id auto; n i32; e enum(mood,a,b)}",
        decide: &["rename table t to u", "no nulls in u.n"],
        rows: &["INSERT INTO t (n, e) VALUES (NULL, 'a')"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "R12 a value in place of NULL is one that a check refuses, and a label comes",
        before: "t{id auto; n i32?; e enum(mood,a); ck:c(n~<>~7)}",
        after: "t{id auto; n i32; e enum(mood,a,b); ck:c(n~<>~7)}",
        decide: &["backfill t.n with 7"],
        rows: &["INSERT INTO t (n, e) VALUES (NULL, 'a')"],
        outcome: Stops("t"),
        ..CASE
    },
    Case {
        id: "R13 an enum loses a label, and a table goes that has a value generated from it",
        before: "t{id auto; e enum(mood,a,b); g bool? stored:e~IS~NULL} u{id auto; e enum(mood,a,b)?}",
        after: "u{id auto; e enum(mood,a)?}",
        decide: &["drop table t", "drop label 'b' of mood"],
        rows: &["INSERT INTO u (e) VALUES ('a')"],
        ..CASE
    },
    Case {
        id: "R14 an enum gets a label, and a table comes that has a value generated from it",
        before: "u{id auto; e enum(mood,a)?}",
        after: "t{id auto; e enum(mood,a,b); g bool? stored:e~IS~NULL; ck:c(e~IS~NOT~NULL)} u{id auto; e enum(mood,a,b)?}",
        rows: &["INSERT INTO u (e) VALUES ('a')"],
        ..CASE
    },
    Case {
        id: "R15 a table goes that points at one with another key from then on",
        before: "t{id auto; u_id i64? ->u.id} u{id i64; n i64; pk(id)}",
        after: "u{id i64; n i64; pk(n)}",
        decide: &["drop table t"],
        rows: &["INSERT INTO u (id, n) VALUES (1, 2)"],
        ..CASE
    },
    Case {
        id: "R16 a table comes that points at one with another key from then on",
        before: "u{id i64; n i64; pk(id)}",
        after: "t{id auto; u_n i64? ->u.n} u{id i64; n i64; pk(n)}",
        rows: &["INSERT INTO u (id, n) VALUES (1, 2)"],
        ..CASE
    },
    Case {
        id: "R17 a key that is numbered goes, another is there meanwhile, and it comes back",
        before: "t{id auto; n i32}",
        after: "t{n i32; pk(n)}",
        decide: &["drop column t.id"],
        rows: &["INSERT INTO t (n) VALUES (5), (6)"],
        ..CASE
    },
    Case {
        id: "R18 the key that serves a foreign key gives way to a number",
        before: "p{id auto} t{id auto; p i64; fk(p)->p(id)}",
        after: "p{id auto} t{id i64; p i64; pk(p,id); fk(p)->p(id)}",
        rows: &["INSERT INTO p (id) VALUES (1)", "INSERT INTO t (p) VALUES (1), (1)"],
        ..CASE
    },
    Case {
        id: "R19 a foreign key that sets NULL comes to a column of which a stored one is made",
        before: "p{id auto} t{id auto; p i64?; g i64? stored:coalesce(p,~0)}",
        after: "p{id auto} t{id auto; p i64?; g i64? stored:coalesce(p,~0); fk(p)->p(id) setnull}",
        rows: &["INSERT INTO t (p) VALUES (NULL)"],
        fails: &["INSERT INTO t (p) VALUES (7)"],
        outcome: RefusedOn(Kind::Mysql, "the stored column t.g made of columns that the foreign key t_p_fkey writes"),
        ..CASE
    },
    Case {
        id: "R20 a number that rows point at goes, and other numbers come back",
        before: "p{id auto; name text(9)} t{id auto; p i64? ->p.id}",
        after: "p{name text(9)} t{id auto; p i64?}",
        decide: &["drop column p.id"],
        // Two of them would point at another row than they did, and nobody would notice.
        rows: &["INSERT INTO p (id, name) VALUES (2, 'a'), (3, 'b')", "INSERT INTO t (p) VALUES (2), (2), (NULL)"],
        no_way_back: Some("rows of t (p) point at rows of p, which get new numbers (id) (2 rows)"),
        ..CASE
    },
    Case {
        id: "R21 rows point at a number that comes",
        before: "p{name text(9)} t{id auto; p i64?}",
        after: "p{id auto; name text(9)} t{id auto; p i64? ->p.id}",
        rows: &["INSERT INTO p (name) VALUES ('one')", "INSERT INTO t (p) VALUES (1), (NULL)"],
        outcome: Stops("rows of t (p) point at rows of p, which get new numbers (id) (1 row)"),
        ..CASE
    },
    Case {
        id: "R22 a key that others point at is numbered no more, and another column of it gets another name",
        before: "p{id auto; age i32?} t{p i64?; fk(p)->p(id)}",
        after: "p{id i64; years i32?; pk(id)} t{p i64?; fk(p)->p(id)}",
        decide: &["rename column p.age to p.years"],
        rows: &["INSERT INTO p (age) VALUES (5)", "INSERT INTO t (p) VALUES (1), (NULL)"],
        fails: &["INSERT INTO t (p) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "R23 the only column goes, and others come",
        before: "t{age decimal(10,4)?}",
        after: "t{age bool? stored:state~IS~NULL; state decimal(5,2)?}",
        decide: &["drop column t.age"],
        rows: &["INSERT INTO t (age) VALUES ({1.5000/4})"],
        ..CASE
    },
    Case {
        id: "R24 a table goes, and another has an index with the name of its index",
        before: "p{id auto; n i32; uq:by~name(n)} t{id auto; p_n i32; fk(p_n)->p(n)}",
        after: "q{id auto; name text(9); ix:by~name(name)}",
        decide: &["drop table p", "drop table t"],
        rows: &["INSERT INTO p (n) VALUES (7)", "INSERT INTO t (p_n) VALUES (7)"],
        ..CASE
    },
    Case {
        id: "R25 a stored column is generated no longer, and gets another type",
        before: "t{id auto; n u8?; g u8? stored:n}",
        after: "t{id auto; n u8?; g text(9)?}",
        decide: &["narrow t.g"],
        rows: &["INSERT INTO t (n) VALUES (7), (NULL)"],
        changed: &["t.g"],
        ..CASE
    },
    Case {
        id: "R26 a table points at a key that is numbered from now on, whose other column gets another name",
        before: "p{id i64; age i32?; pk(id)}",
        after: "p{id auto; years i32?} t{id auto; p i64? ->p.id}",
        decide: &["rename column p.age to p.years"],
        rows: &["INSERT INTO p (id, age) VALUES (1, 5)"],
        ..CASE
    },
    Case {
        id: "R27 the same, where the foreign key points at what is made of the column as well",
        before: "p{id i64; name text(9); kind text(9)? stored:upper(name); pk(id); uq:p~key(id,kind)} \
            t{id auto; p_id i64; p_kind text(9)?; fk(p_id,p_kind)->p(id,kind)}",
        after: "p{id auto; title text(9); kind text(9)? stored:upper(title); uq:p~key(id,kind)} \
            t{id auto; p_id i64; p_kind text(9)?; fk(p_id,p_kind)->p(id,kind)}",
        decide: &["rename column p.name to p.title"],
        rows: &["INSERT INTO p (id, name) VALUES (1, 'a')", "INSERT INTO t (p_id, p_kind) VALUES (1, 'A')"],
        fails: &["INSERT INTO t (p_id, p_kind) VALUES (1, 'B')"],
        ..CASE
    },
    Case {
        id: "R28 a stored column becomes a text of its own while what it read gets another type",
        before: "t{id auto; n i32?; g i32? stored:n}",
        after: "t{id auto; n i64?; g text(9)?}",
        decide: &["narrow t.g"],
        rows: &["INSERT INTO t (n) VALUES (7), (NULL)"],
        changed: &["t.g"],
        holds: &[("SELECT count(*) FROM t WHERE g = '7'", 1)],
        ..CASE
    },
    Case {
        id: "R29 a stored column becomes a text of its own, and what it read is filled",
        before: "t{id auto; n i64?; g i64? stored:n}",
        after: "t{id auto; n i64; g text(9)?}",
        decide: &["narrow t.g", "backfill t.n with 0"],
        rows: &["INSERT INTO t (n) VALUES (7), (NULL)"],
        changed: &["t.g", "t.n"],
        holds: &[("SELECT count(*) FROM t WHERE g IS NULL", 1), ("SELECT count(*) FROM t WHERE n = 0", 1)],
        ..CASE
    },
    Case {
        id: "R30 a stored column becomes a wider one of its own, and the enum that it read loses a label",
        before: "t{id auto; m enum(mood,a,b,c); n i32?; g i32? stored:CASE~WHEN~m~=~'a'~THEN~1~END}",
        after: "t{id auto; m enum(mood,b,a); n i32?; g i64?}",
        decide: &["drop label 'c' of mood"],
        rows: &["INSERT INTO t (m) VALUES ('a'), ('b')"],
        holds: &[("SELECT SUM(g) FROM t", 1)],
        works: &["INSERT INTO t (m, g) VALUES ('b', 5000000000)"],
        ..CASE
    },
    Case {
        id: "R31 a stored column is on its own, and another that it read is made of something else",
        before: "t{id auto; n i32; h i32? stored:n~+~1; g i32? stored:h~*~2}",
        after: "t{id auto; n i32; h i32? stored:n~+~2; g i32?}",
        rows: &["INSERT INTO t (n) VALUES (1)"],
        changed: &["t.h"],
        not_on: Some((Kind::Postgres, "reads the generated column h")),
        holds: &[("SELECT h FROM t", 3), ("SELECT g FROM t", 4)],
        ..CASE
    },
    Case {
        id: "R32 a table goes, and another has a foreign key and a check with the names of its own",
        before: "g{id auto} users{id auto} users_role{id auto; group_id i64? ->g.id; n i32; ck:top(n~<~9)}",
        after: "g{id auto} users{id auto; role_group_id i64? ->g.id} q{id auto; n i32; ck:top(n~<~9)}",
        decide: &["drop table users_role"],
        rows: &["INSERT INTO g (id) VALUES (1)", "INSERT INTO users_role (group_id, n) VALUES (1, 2)"],
        fails: &["INSERT INTO q (n) VALUES (9)", "INSERT INTO users (role_group_id) VALUES (7)"],
        ..CASE
    },
    Case {
        id: "R33 a stored column that was to hold no NULL, which not every database looks at, is on its own",
        before: "t{id auto; n i32?; g i32 stored:n}",
        after: "t{id auto; n i32?; g i32?}",
        rows: &["INSERT INTO t (n) VALUES (7)"],
        works: &["INSERT INTO t (n, g) VALUES (8, NULL)"],
        ..CASE
    },
    Case {
        id: "R34 a stored column under a unique index that only includes it is on its own, and comes back",
        before: "p{id auto; code i32; n i32; g i32? stored:n; uq(code)+g} t{id auto; c i32 ->p.code}",
        after: "p{id auto; code i32; n i32; g i32?; uq(code)+g} t{id auto; c i32 ->p.code}",
        rows: &["INSERT INTO p (code, n) VALUES (7, 1)", "INSERT INTO t (c) VALUES (7)"],
        only_on: Some((Kind::Postgres, "only includes")),
        ..CASE
    },
];
