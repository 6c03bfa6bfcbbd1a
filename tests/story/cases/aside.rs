//! What stands on a column while the column goes, comes again or becomes another: keys, indexes, checks, generated
//! columns, defaults; and the names that these have.

use covet_tests::Kind;

use crate::cases::Outcome::{OnlyOn, Refused};
use crate::cases::{CASE, Case};

const MOODS: &[&str] = &["INSERT INTO t (m) VALUES ('a'), ('b'), ('a')"];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "K11 a text for each database, and something else changes",
        before: "t{id auto; a i32; ck:x(@sqlite:a~>~0@postgres:a~>~0@mysql:a>0)}",
        after: "t{id auto; a i32; b i32?; ck:x(@sqlite:a~>~0@postgres:a~>~0@mysql:a>0)}",
        rows: &["INSERT INTO t (a) VALUES (1)"],
        fails: &["INSERT INTO t (a) VALUES (0)"],
        ..CASE
    },
    Case {
        id: "K12 a column under a check, an index and a generated one gets the name of a keyword",
        before: "t{id auto; low i32; high i32 ix; g i32? stored:low~+~1; ck:order(low~<=~high)}",
        after: "t{id auto; order i32; high i32 ix; g i32? stored:\"order\"~+~1; ck:order(\"order\"~<=~high)}",
        decide: &["rename column t.low to t.order"],
        rows: &["INSERT INTO t (low, high) VALUES (1, 1), (2, 5)"],
        fails: &["INSERT INTO t ([order], high) VALUES (2, 1)"],
        sees: &[("SELECT SUM(g) FROM t", 5)],
        ..CASE
    },
    Case {
        id: "K13 a column gets the name of a keyword, and what reads it becomes another",
        before: "t{id auto; low i32; high i32; g i32? stored:low~+~1 uq; ck:order(low~<=~high); ck:top(high~<~90)}",
        after: "t{id auto; order i32; most i32; g i32? stored:\"order\"~+~2 uq; ck:order(\"order\"~<~most)}",
        decide: &["rename column t.low to t.order", "rename column t.high to t.most"],
        rows: &["INSERT INTO t (low, high) VALUES (1, 2), (2, 5)"],
        changed: &["t.g"],
        fails: &["INSERT INTO t ([order], most) VALUES (7, 7)", "INSERT INTO t ([order], most) VALUES (1, 3)"],
        ..CASE
    },
    Case {
        id: "K14 a column has the name of a function and of a type",
        before: "t{id auto; length text(9); date i32; ck:some(length(length)~>~0); ck:x(CAST(date~AS~char(9))~<>~'0')}",
        after: "t{id auto; name text(9); date i32; ck:some(length(name)~>~0); ck:x(CAST(date~AS~char(9))~<>~'0')}",
        decide: &["rename column t.length to t.name"],
        rows: &["INSERT INTO t (length, date) VALUES ('a', 1)"],
        fails: &["INSERT INTO t (name, date) VALUES ('', 1)"],
        ..CASE
    },
    Case {
        id: "C21c a column goes whose name is that of a function in a check",
        before: "t{id auto; length i32; name text(9); ck:some(length(name)~>~0)}",
        after: "t{id auto; name text(9); ck:some(length(name)~>~0)}",
        decide: &["drop column t.length"],
        rows: &["INSERT INTO t (length, name) VALUES (1, 'a')"],
        no_way_back: Some("length"),
        ..CASE
    },
    Case {
        id: "C21d a column goes that a default reads",
        before: "t{id auto; a i32; b i32 =sql:@mysql:a~+~1@sqlite:1~+~1@postgres:1~+~1}",
        after: "t{id auto; b i32 =sql:@mysql:a~+~1@sqlite:1~+~1@postgres:1~+~1}",
        decide: &["drop column t.a"],
        outcome: Refused("the default of the column b still reads it"),
        ..CASE
    },
    Case {
        id: "C28 a column gets another name that a default and generated columns read",
        before: "t{id auto; a i32; b i32 =sql:@mysql:a~+~1@sqlite:1~+~1@postgres:1~+~1; g i32? stored:a~*~2 uq; \
            ck:g(g~<~90)} c{id auto; g i32? ->t.g}",
        after: "t{id auto; c i32; b i32 =sql:@mysql:c~+~1@sqlite:1~+~1@postgres:1~+~1; g i32? stored:c~*~2 uq; \
            ck:g(g~<~90)} c{id auto; g i32? ->t.g}",
        decide: &["rename column t.a to t.c"],
        rows: &["INSERT INTO t (a) VALUES (1), (2)", "INSERT INTO c (g) VALUES (2), (NULL)"],
        fails: &["INSERT INTO c (g) VALUES (3)", "INSERT INTO t (c) VALUES (50)"],
        works: &["INSERT INTO t (c) VALUES (10)"],
        ..CASE
    },
    Case {
        id: "E16 a label goes under what reads the column",
        before: "t{id auto; m enum(mood,a,b,c) ix; n i32?; g i32? stored:CASE~WHEN~m~=~'a'~THEN~1~END ix; \
            ck:m(m~<>~'b'~OR~n~IS~NULL)}",
        after: "t{id auto; m enum(mood,a,b) ix; n i32?; g i32? stored:CASE~WHEN~m~=~'a'~THEN~1~END ix; \
            ck:m(m~<>~'b'~OR~n~IS~NULL)}",
        decide: &["drop label 'c' of mood"],
        rows: MOODS,
        fails: &["INSERT INTO t (m, n) VALUES ('b', 1)"],
        sees: &[("SELECT SUM(g) FROM t", 2)],
        ..CASE
    },
    Case {
        id: "E16b labels change their order under an index of some rows",
        before: "t{id auto; m enum(mood,a,b,c); n i32?; ix:some(n)?m~=~'a'}",
        after: "t{id auto; m enum(mood,c,b,a); n i32?; ix:some(n)?m~=~'a'}",
        rows: MOODS,
        not_on: Some((Kind::Mysql, "an index of some rows")),
        ..CASE
    },
    Case {
        id: "E17 a label comes, and goes again on the way back, under what reads the column",
        before: "t{id auto; m enum(mood,a,b) uq; n i32?; g i32? stored:CASE~WHEN~m~=~'a'~THEN~1~END; \
            ck:m(m~<>~'b'~OR~n~IS~NULL)} \
            c{id auto; m enum(mood,a,b)? ->t.m}",
        after: "t{id auto; m enum(mood,a,x,b) uq; n i32?; g i32? stored:CASE~WHEN~m~=~'a'~THEN~1~END; \
            ck:m(m~<>~'b'~OR~n~IS~NULL)} c{id auto; m enum(mood,a,x,b)? ->t.m}",
        rows: &["INSERT INTO t (m) VALUES ('a'), ('b')", "INSERT INTO c (m) VALUES ('b'), (NULL)"],
        fails: &["INSERT INTO c (m) VALUES ('x')"],
        ..CASE
    },
    Case {
        id: "E18 a label goes under a foreign key, and under a default in SQL",
        before: "p{m enum(mood,a,b,c) pk} c{id auto; m enum(mood,a,b,c) \
            =sql:@postgres:(CASE~WHEN~1~>~0~THEN~'a'~ELSE~'b'~END)::mood@mysql:concat('a','')@sqlite:lower('A') ->p.m}",
        after: "p{m enum(mood,a,b) pk} c{id auto; m enum(mood,a,b) \
            =sql:@postgres:(CASE~WHEN~1~>~0~THEN~'a'~ELSE~'b'~END)::mood@mysql:concat('a','')@sqlite:lower('A') ->p.m}",
        decide: &["drop label 'c' of mood"],
        rows: &["INSERT INTO p (m) VALUES ('a')", "INSERT INTO c (m) VALUES ('a'), ('a')"],
        fails: &["INSERT INTO c (m) VALUES ('b')"],
        works: &["INSERT INTO c (id) VALUES (9)"],
        sees: &[("SELECT COUNT(*) FROM c WHERE m = 'a'", 3)],
        ..CASE
    },
    Case {
        id: "G09 a generated column that points is made in another way",
        before: "p{id i32 pk} t{id auto; a i32; g i32? stored:a~+~1 ->p.id}",
        after: "p{id i32 pk} t{id auto; a i32; g i32? stored:a~+~2 ->p.id}",
        rows: &["INSERT INTO p (id) VALUES (1), (2), (3), (4)", "INSERT INTO t (a) VALUES (1), (2)"],
        changed: &["t.g"],
        fails: &["INSERT INTO t (a) VALUES (3)"],
        ..CASE
    },
    Case {
        id: "G09b a generated column that is pointed at is made in another way",
        before: "p{id auto; a i32; g i32? stored:a~+~1 uq} t{id auto; p_g i32? ->p.g}",
        after: "p{id auto; a i32; g i32? stored:a~+~2 uq} t{id auto; p_g i32? ->p.g}",
        rows: &["INSERT INTO p (a) VALUES (1), (2)", "INSERT INTO t (p_g) VALUES (3), (NULL)"],
        changed: &["p.g"],
        fails: &["INSERT INTO t (p_g) VALUES (2)"],
        ..CASE
    },
    Case {
        id: "G10 a primary key becomes generated",
        before: "t{a i32; g i32 pk} c{id auto; g i32 ->t.g}",
        after: "t{a i32; g i32 pk stored:a~+~1} c{id auto; g i32 ->t.g}",
        decide: &["drop column t.g"],
        outcome: OnlyOn(Kind::Postgres, "generated"),
        rows: &["INSERT INTO t (a, g) VALUES (1, 2)", "INSERT INTO c (g) VALUES (2)"],
        fails: &["INSERT INTO c (g) VALUES (1)", "INSERT INTO t (a) VALUES (1)"],
        no_way_back: Some("g"),
        ..CASE
    },
    Case {
        id: "G11 a generated column is written from now on, with all that stands on it",
        before: "t{id auto; a i32; g i32? stored:a~*~2 uq; ck:big(g~>~-100)} c{id auto; g i32? ->t.g}",
        after: "t{id auto; a i32; g i32? uq; ck:big(g~>~-100)} c{id auto; g i32? ->t.g}",
        rows: &["INSERT INTO t (a) VALUES (1), (2)", "INSERT INTO c (g) VALUES (2), (NULL)"],
        fails: &["INSERT INTO c (g) VALUES (3)", "INSERT INTO t (a, g) VALUES (9, 2)"],
        works: &["INSERT INTO t (a, g) VALUES (9, 3)"],
        ..CASE
    },
    Case {
        id: "G12 a generated column goes and another comes, while what they read becomes another",
        before: "t{id auto; a i32; b i32; g i32? stored:a~+~1 ix; h i32? stored:b~*~2; k i32? stored:a~-~1}",
        after: "t{id auto; a i64; i i64? stored:a~+~2 ix; k i32?}",
        decide: &["drop column t.b"],
        rows: &["INSERT INTO t (a, b) VALUES (1, 0)"],
        no_way_back: Some("b"),
        holds: &[("SELECT i FROM t", 3), ("SELECT k FROM t", 0)],
        ..CASE
    },
    Case {
        id: "G13 a generated column reads another",
        before: "t{id auto; a i32; g i32? stored:a~+~1; h i32? stored:g~*~2 ix}",
        after: "t{id auto; a i32; g i32? stored:a~+~2; h i32? stored:g~*~2 ix}",
        rows: &["INSERT INTO t (a) VALUES (1)"],
        changed: &["t.g", "t.h"],
        not_on: Some((Kind::Postgres, "reads the generated column g")),
        holds: &[("SELECT h FROM t", 6)],
        ..CASE
    },
    Case {
        id: "P14 a primary key that serves a foreign key changes",
        before: "p{id i64 pk} c{p_id i64 ->p.id; n i32; pk(p_id,n)}",
        after: "p{id i64 pk} c{p_id i64 ->p.id; n i32; pk(n,p_id)}",
        rows: &["INSERT INTO p (id) VALUES (1)", "INSERT INTO c (p_id, n) VALUES (1, 1), (1, 2)"],
        fails: &["INSERT INTO c (p_id, n) VALUES (2, 1)", "INSERT INTO c (p_id, n) VALUES (1, 1)"],
        ..CASE
    },
    Case {
        id: "P15 a primary key that serves a foreign key comes",
        before: "p{id i64 pk} c{p_id i64 ->p.id; n i32}",
        after: "p{id i64 pk} c{p_id i64 ->p.id; n i32; pk(p_id,n)}",
        rows: &["INSERT INTO p (id) VALUES (1)", "INSERT INTO c (p_id, n) VALUES (1, 1), (1, 2)"],
        fails: &["INSERT INTO c (p_id, n) VALUES (1, 1)"],
        ..CASE
    },
    Case {
        id: "K15 names that hold words of SQL, and that constraints keep",
        before: "defaults{id auto; is_default u8 =1; collated text(5)?; to_check i32; ck:check(to_check~>~0)}",
        after: "t{id auto; d u8 =1; c text(9)?; n i32; ck:check(n~>~0)}",
        decide: &[
            "rename table defaults to t",
            "rename column t.is_default to t.d",
            "rename column t.collated to t.c",
            "rename column t.to_check to t.n",
        ],
        rows: &["INSERT INTO defaults (collated, to_check) VALUES ('x', 1)"],
        ..CASE
    },
    Case {
        id: "I20 names follow their table and column",
        before: "p{id auto} t{id auto; a i32 ix; b i32 uq ck:b~>~0; p_id i64 ->p.id; s_id i64? ->t.id ix}",
        after: "p{id auto} v{id auto; c i32 ix; b i32 uq ck:b~>~0; q_id i64 ->p.id; s_id i64? ->v.id ix}",
        decide: &["rename table t to v", "rename column v.a to v.c", "rename column v.p_id to v.q_id"],
        rows: &[
            "INSERT INTO p (id) VALUES (1)",
            "INSERT INTO t (a, b, p_id, s_id) VALUES (1, 2, 1, NULL), (1, 3, 1, 1)",
        ],
        fails: &["INSERT INTO v (c, b, q_id) VALUES (1, 2, 1)", "INSERT INTO v (c, b, q_id) VALUES (1, 9, 7)"],
        ..CASE
    },
    Case {
        id: "I21 names follow, and the old ones are taken by others",
        before: "t{id auto; a i32 ix; b i32 uq}",
        after: "v{id auto; a i32 ix; b i32 uq} t{id auto; a text(9) ix; b i64? uq}",
        decide: &["rename table t to v"],
        rows: &["INSERT INTO t (a, b) VALUES (1, 2)"],
        fails: &["INSERT INTO v (a, b) VALUES (1, 2)"],
        ..CASE
    },
    Case {
        id: "Y27 a text that points at another ignores case from now on",
        before: "p{name text(9) pk; t text(9)? ci} c{id auto; name text(9)? ->p.name on:cascade ix}",
        after: "p{name text(9) ci pk; t text(9)? ci} c{id auto; name text(9)? ci ->p.name on:cascade ix}",
        rows: &["INSERT INTO p (name) VALUES ('a'), ('ü')", "INSERT INTO c (name) VALUES ('a'), (NULL)"],
        fails: &["INSERT INTO p (name) VALUES ('A')", "INSERT INTO c (name) VALUES ('x')"],
        ..CASE
    },
    Case {
        id: "E13 an enum gets another name",
        before: "t{id auto; m enum(mood,a,b)? ='a' ix; n i32?; ck:m(m~<>~'b'~OR~n~IS~NULL)}",
        after: "t{id auto; m enum(temper,a,b)? ='a' ix; n i32?; ck:m(m~<>~'b'~OR~n~IS~NULL)}",
        rows: &["INSERT INTO t (m) VALUES ('a'), ('b'), (NULL)"],
        fails: &["INSERT INTO t (m) VALUES ('x')"],
        works: &["INSERT INTO t (id) VALUES (9)"],
        sees: &[("SELECT COUNT(*) FROM t WHERE m = 'a'", 2)],
        ..CASE
    },
    Case {
        id: "E15 a table takes the place of an enum",
        before: "t{id auto; m enum(mood,a,b)}",
        after: "moods{id auto; label text(9) uq} t{id auto; mood_id i64? ->moods.id ix}",
        decide: &["drop column t.m"],
        rows: &["INSERT INTO t (m) VALUES ('a'), ('b')"],
        no_way_back: Some("m"),
        ..CASE
    },
    Case {
        id: "M05 a column gives way to a join table",
        before: "a{id auto; tags text(9)?} tag{id auto}",
        after: "a{id auto} tag{id auto} \
            a_tags{a_id i64 ->a.id cascade; tag_id i64 ->tag.id cascade ix; pk(a_id,tag_id)}",
        decide: &["drop column a.tags"],
        rows: &["INSERT INTO a (tags) VALUES ('x')", "INSERT INTO tag (id) VALUES (1)"],
        works: &["INSERT INTO a_tags (a_id, tag_id) VALUES (1, 1)", "DELETE FROM a"],
        sees: &[("SELECT COUNT(*) FROM a_tags", 0)],
        ..CASE
    },
    Case {
        id: "M05b a join table gives way to a column",
        before: "a{id auto} tag{id auto} \
            a_tags{a_id i64 ->a.id cascade; tag_id i64 ->tag.id cascade ix; pk(a_id,tag_id)}",
        after: "a{id auto; tags text(9)?} tag{id auto}",
        decide: &["drop table a_tags"],
        rows: &[
            "INSERT INTO a (id) VALUES (1)",
            "INSERT INTO tag (id) VALUES (1)",
            "INSERT INTO a_tags (a_id, tag_id) VALUES (1, 1)",
        ],
        ..CASE
    },
    Case {
        id: "M09 a foreign key that is unique together with another column becomes a join table",
        before: "b{id auto} a{id auto; b_id i64 ->b.id; n i32; uq(b_id,n)}",
        after: "b{id auto} a{id auto; n i32} a_b{a_id i64 ->a.id cascade; b_id i64 ->b.id cascade ix; pk(a_id,b_id)}",
        decide: &["drop column a.b_id"],
        rows: &["INSERT INTO b (id) VALUES (1)", "INSERT INTO a (b_id, n) VALUES (1, 1), (1, 2)"],
        no_way_back: Some("b_id"),
        ..CASE
    },
];
