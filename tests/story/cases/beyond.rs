//! What a model says in its own words: checks, generated values, expressions, comments; and primary keys and enums that
//! change.

use covet_tests::Kind;

use crate::cases::Outcome::{Nothing, OnlyOn, Refused, RefusedOn, Stops};
use crate::cases::{CASE, Case};

const AGES: &[&str] = &["INSERT INTO t (age) VALUES (0), (18), (99)"];
const PRICES: &[&str] = &["INSERT INTO t (price, n) VALUES (5, 2), (0, 7), (-3, 1)"];
const MOODS: &[&str] = &["INSERT INTO t (m) VALUES ('a'), ('b'), ('c')"];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "K01 a check comes, and every row fits",
        before: "t{id auto; age i32}",
        after: "t{id auto; age i32 ck:age~>=~0}",
        rows: AGES,
        fails: &["INSERT INTO t (age) VALUES (-1)"],
        works: &["INSERT INTO t (age) VALUES (1)"],
        ..CASE
    },
    Case {
        id: "K01b a check comes, and a row does not fit",
        before: "t{id auto; age i32}",
        after: "t{id auto; age i32; ck:adult(age~>=~18)}",
        rows: AGES,
        outcome: Stops("age >= 18 does not hold (1 row)"),
        ..CASE
    },
    Case {
        id: "K01c a check goes",
        before: "t{id auto; age i32; ck:adult(age~<~100~AND~age~<>~50)}",
        after: "t{id auto; age i32}",
        rows: AGES,
        works: &["INSERT INTO t (age) VALUES (500)"],
        ..CASE
    },
    Case {
        id: "K03 a check that is spelled in another way",
        before: "t{id auto; age i32; ck:adult(age~>=~0~AND~age~<~200)}",
        after: "t{id auto; age i32; ck:adult((age>=0~and~\"age\"<200))}",
        outcome: Nothing,
        ..CASE
    },
    Case {
        // Without quotes it is who is connected, on PostgreSQL.
        id: "K03b a check gets the quotes that a name needs",
        before: "t{id auto; user text(20); ck:own(user~<>~'x')}",
        after: "t{id auto; user text(20); ck:own(\"user\"~<>~'x')}",
        rows: &["INSERT INTO t ([user]) VALUES ('a')"],
        fails: &["INSERT INTO t ([user]) VALUES ('x')"],
        works: &["INSERT INTO t ([user]) VALUES ('X')"],
        ..CASE
    },
    Case {
        id: "K05 several checks change at once, on two tables",
        before: "t{id auto; age i32; ck:a(age~>~-5); ck:b(age~<~500)} u{id auto; age i32; ck:a(age~<~7)}",
        after: "t{id auto; age i32; ck:a(age~>~-6); ck:c(age~<~500)} u{id auto; age i32; ck:a(age~<~8)}",
        rows: AGES,
        ..CASE
    },
    Case {
        id: "K07 a check over two columns, and a column under it gets another name",
        before: "t{id auto; low i32; high i32; ck:order(low~<=~high)}",
        after: "t{id auto; least i32; high i32; ck:order(least~<=~high)}",
        decide: &["rename column t.low to t.least"],
        rows: &["INSERT INTO t (low, high) VALUES (1, 1), (2, 5)"],
        fails: &["INSERT INTO t (least, high) VALUES (2, 1)"],
        ..CASE
    },
    Case {
        id: "K08 a column under a check gets another type",
        before: "t{id auto; age i32; ck:adult(age~>=~0)}",
        after: "t{id auto; age i64; ck:adult(age~>=~0)}",
        rows: AGES,
        fails: &["INSERT INTO t (age) VALUES (-1)"],
        ..CASE
    },
    Case {
        id: "K09 a check on a type that has one of its own",
        before: "t{id auto; age u8}",
        after: "t{id auto; age u8 ck:age~<~150}",
        rows: AGES,
        fails: &["INSERT INTO t (age) VALUES (200)", "INSERT INTO t (age) VALUES (-1)"],
        ..CASE
    },
    Case {
        id: "K10 the table of a check gets another name",
        before: "t{id auto; age i32; ck:adult(age~>=~0)}",
        after: "v{id auto; age i32; ck:adult(age~>=~0)}",
        decide: &["rename table t to v"],
        rows: AGES,
        fails: &["INSERT INTO v (age) VALUES (-1)"],
        ..CASE
    },
    Case {
        id: "C15 a new column's default does not meet its check",
        before: "t{id auto; age i32}",
        after: "t{id auto; age i32; n i32 =0 ck:n~>~0}",
        rows: AGES,
        outcome: Stops("n > 0 does not hold (3 rows)"),
        ..CASE
    },
    Case {
        id: "C21 a column goes that a check reads",
        before: "t{id auto; a i32; b i32; ck:x(a~<~b)}",
        after: "t{id auto; a i32; ck:x(a~<~b)}",
        decide: &["drop column t.b"],
        outcome: Refused("the check t_x_ck still reads it"),
        ..CASE
    },
    Case {
        id: "C21b a column goes that a generated one reads",
        before: "t{id auto; a i32; b i32; g i32? stored:a+b}",
        after: "t{id auto; a i32; g i32? stored:a+b}",
        decide: &["drop column t.b"],
        outcome: Refused("the generated column g still reads it"),
        ..CASE
    },
    Case {
        id: "C22 a column goes together with the check that reads it",
        before: "t{id auto; a i32; b i32; ck:x(a~<~b)}",
        after: "t{id auto; a i32}",
        decide: &["drop column t.b"],
        rows: &["INSERT INTO t (a, b) VALUES (1, 2)"],
        no_way_back: Some("t"),
        ..CASE
    },
    Case {
        id: "G01 a generated column comes, stored",
        before: "t{id auto; price i32; n i32}",
        after: "t{id auto; price i32; n i32; total i32? stored:price~*~n}",
        rows: PRICES,
        holds: &[("SELECT SUM(total) FROM t", 7), ("SELECT COUNT(*) FROM t WHERE total = price * n", 3)],
        works: &["UPDATE t SET n = 10"],
        sees: &[("SELECT SUM(total) FROM t", 20)],
        ..CASE
    },
    Case {
        id: "G01b a generated column comes, not stored",
        before: "t{id auto; price i32; n i32}",
        after: "t{id auto; price i32; n i32; total i32? virtual:price~*~n}",
        rows: PRICES,
        outcome: RefusedOn(Kind::Postgres, "write `stored`"),
        holds: &[("SELECT SUM(total) FROM t", 7)],
        ..CASE
    },
    Case {
        id: "G02 a generated column is made in another way",
        before: "t{id auto; price i32; n i32; total i32? stored:price~*~n ix}",
        after: "t{id auto; price i32; n i32; total i32? stored:price~+~n ix}",
        rows: PRICES,
        changed: &["t.total"],
        holds: &[("SELECT SUM(total) FROM t", 12)],
        ..CASE
    },
    Case {
        id: "G03 a generated column is no longer stored",
        before: "t{id auto; price i32; n i32; total i32? stored:price~*~n}",
        after: "t{id auto; price i32; n i32; total i32? virtual:price~*~n}",
        rows: PRICES,
        outcome: RefusedOn(Kind::Postgres, "write `stored`"),
        holds: &[("SELECT SUM(total) FROM t", 7)],
        ..CASE
    },
    Case {
        id: "G04 a generated column goes",
        before: "t{id auto; price i32; n i32; total i32? stored:price~*~n}",
        after: "t{id auto; price i32; n i32}",
        rows: PRICES,
        ..CASE
    },
    Case {
        id: "G05 a column becomes generated",
        before: "t{id auto; price i32; n i32}",
        after: "t{id auto; price i32; n i32? stored:price~*~2}",
        asks: &["drop column t.n"],
        decide: &["drop column t.n"],
        rows: PRICES,
        changed: &["t.n"],
        no_way_back: Some("n"),
        ..CASE
    },
    Case {
        id: "G06 a table with a generated column is built anew",
        before: "t{id auto; total i32? stored:price~*~n; price i32; n i32}",
        after: "t{id auto; total i32? stored:price~*~n; price i32; n i32 ck:n~>~0}",
        rows: PRICES,
        ..CASE
    },
    Case {
        id: "G07 a generated column is unique",
        before: "t{id auto; email text(50)}",
        after: "t{id auto; email text(50); folded text(50)? stored:lower(email) uq}",
        rows: &["INSERT INTO t (email) VALUES ('a'), ('B')"],
        fails: &["INSERT INTO t (email) VALUES ('A')"],
        ..CASE
    },
    Case {
        id: "G08 a generated column keeps its values and is written from now on",
        before: "t{id auto; price i32; n i32; total i32? stored:price~*~n}",
        after: "t{id auto; price i32; n i32; total i32?}",
        rows: PRICES,
        works: &["UPDATE t SET total = 1"],
        ..CASE
    },
    Case {
        id: "Y23 a column that a generated one reads gets another type",
        before: "t{id auto; price i32; n i32; total i64? stored:price~+~1}",
        after: "t{id auto; price i64; n i32; total i64? stored:price~+~1}",
        rows: PRICES,
        holds: &[("SELECT SUM(total) FROM t", 5)],
        ..CASE
    },
    Case {
        id: "Y24 a column that a generated one reads gets another name",
        before: "t{id auto; price i32; n i32; total i32? stored:price~*~n}",
        after: "t{id auto; cost i32; n i32; total i32? stored:cost~*~n}",
        decide: &["rename column t.price to t.cost"],
        rows: PRICES,
        holds: &[("SELECT SUM(total) FROM t", 7)],
        ..CASE
    },
    Case {
        id: "N07 a default that is an expression comes, changes and goes",
        before: "t{id auto; age i32; n i32 =sql:1~+~1; m i32 =sql:3~*~3}",
        after: "t{id auto; age i32 =sql:5~*~5; n i32; m i32 =sql:4~*~4}",
        rows: AGES,
        works: &["INSERT INTO t (n) VALUES (1)"],
        sees: &[("SELECT age + m FROM t WHERE n = 1", 41)],
        ..CASE
    },
    Case {
        id: "N08 a new column with a default that is an expression",
        before: "t{id auto; age i32}",
        after: "t{id auto; age i32; n i32 =sql:1~+~1}",
        rows: AGES,
        holds: &[("SELECT SUM(n) FROM t", 6)],
        ..CASE
    },
    Case {
        id: "T17 comments come",
        before: "t{id auto; age i32; at timestamp?}",
        after: "t{#people's~ages~[utc]; id auto; age i32 #in~years; at timestamp? #of~the~visit}",
        rows: AGES,
        ..CASE
    },
    Case {
        id: "I09 an index over some rows comes",
        before: "t{id auto; age i32; b bool?}",
        after: "t{id auto; age i32; b bool?; uq(age)?age~>~0}",
        rows: &["INSERT INTO t (age) VALUES (0), (0), (7)"],
        outcome: RefusedOn(Kind::Mysql, "an index of some rows"),
        fails: &["INSERT INTO t (age) VALUES (7)"],
        works: &["INSERT INTO t (age) VALUES (0)"],
        ..CASE
    },
    Case {
        id: "I09b the rows of an index are others",
        before: "t{id auto; age i32; ix(age)?age~>~0}",
        after: "t{id auto; age i32; ix(age)?age~>~1}",
        rows: AGES,
        not_on: Some((Kind::Mysql, "an index of some rows")),
        ..CASE
    },
    Case {
        id: "I10 an index over an expression, and a column under it gets another name",
        before: "t{id auto; mail text(50); uq(<lower(mail)>)}",
        after: "t{id auto; email text(50); uq:t_expr_key(<lower(email)>)}",
        decide: &["rename column t.mail to t.email"],
        rows: &["INSERT INTO t (mail) VALUES ('a'), ('B')"],
        not_on: Some((Kind::Mysql, "an index over an expression")),
        fails: &["INSERT INTO t (email) VALUES ('A')"],
        ..CASE
    },
    Case {
        id: "I11b an operator class comes, changes and goes",
        before: "t{id auto; a text(20); b text(20); ix:one(a); ix:two(b/text_pattern_ops)}",
        after: "t{id auto; a text(20); b text(20); ix:one(a/text_pattern_ops,b); ix:two(b)}",
        rows: &["INSERT INTO t (a, b) VALUES ('x', 'y'), ('z', 'z')"],
        only_on: Some((Kind::Postgres, "with the operator class text_pattern_ops")),
        ..CASE
    },
    Case {
        id: "I11 an index that includes, and one of another kind",
        before: "t{id auto; a i32; b i32; j json}",
        after: "t{id auto; a i32; b i32; j json; ix(a)+b; ix:gin(j)!gin}",
        outcome: OnlyOn(Kind::Postgres, "index"),
        ..CASE
    },
    Case {
        id: "I12 an index with a direction",
        before: "t{id auto; a i32; b i32?; ix:both(a,b)}",
        after: "t{id auto; a i32; b i32?; ix:both(a,-b); ix(-a)}",
        rows: &["INSERT INTO t (a, b) VALUES (1, 2), (1, NULL)"],
        ..CASE
    },
    Case {
        id: "F09 a foreign key over two columns comes",
        before: "p{a i32; b i32; pk(a,b)} c{id auto; x i32?; y i32?}",
        after: "p{a i32; b i32; pk(a,b)} c{id auto; x i32?; y i32?; fk(x,y)->p(a,b) cascade}",
        rows: &["INSERT INTO p (a, b) VALUES (1, 2), (2, 1)", "INSERT INTO c (x, y) VALUES (1, 2), (NULL, 5)"],
        fails: &["INSERT INTO c (x, y) VALUES (2, 2)"],
        works: &["DELETE FROM p WHERE a = 1"],
        sees: &[("SELECT COUNT(*) FROM c", 1)],
        ..CASE
    },
    Case {
        id: "F10 a foreign key waits for the end of the transaction",
        before: "p{id auto} c{id auto; p_id i64 ->p.id}",
        after: "p{id auto} c{id auto; p_id i64 ->p.id deferred}",
        rows: &[],
        outcome: RefusedOn(Kind::Mysql, "wait for the end of the transaction"),
        ..CASE
    },
    Case {
        id: "F10b what waits for the end of the transaction gets a value for NULL",
        before: "p{id auto} c{id auto; p_id i64? ->p.id deferred ix}",
        after: "p{id auto} c{id auto; p_id i64 ->p.id deferred ix}",
        rows: &["INSERT INTO p (id) VALUES (1), (2)", "INSERT INTO c (p_id) VALUES (NULL), (2), (NULL)"],
        decide: &["backfill c.p_id with 1"],
        changed: &["c.p_id"],
        not_on: Some((Kind::Mysql, "wait for the end of the transaction")),
        holds: &[("SELECT count(*) FROM c WHERE p_id = 1", 2)],
        fails: &["INSERT INTO c (p_id) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "P01 a table gets a primary key",
        before: "t{a i32; b text(10)?}",
        after: "t{a i32 pk; b text(10)?}",
        rows: &["INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL)"],
        fails: &["INSERT INTO t (a) VALUES (1)"],
        ..CASE
    },
    Case {
        id: "P01b a column that was NULL becomes the primary key",
        before: "t{a i32?; b i32}",
        after: "t{a i32 pk; b i32}",
        decide: &["no nulls in t.a"],
        rows: &["INSERT INTO t (a, b) VALUES (1, 1), (NULL, 2), (NULL, 3)"],
        outcome: Stops("(2 rows)"),
        ..CASE
    },
    Case {
        id: "P02 values are twice in what becomes the primary key",
        before: "t{a i32; b i32}",
        after: "t{a i32 pk; b i32}",
        rows: &["INSERT INTO t (a, b) VALUES (1, 1), (1, 2)"],
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "P03 a column of the primary key goes",
        before: "t{a i32; b i32; c i32; pk(a,b)}",
        after: "t{a i32; c i32; pk(a)}",
        decide: &["drop column t.b"],
        rows: &["INSERT INTO t (a, b, c) VALUES (1, 1, 1), (2, 1, 2)"],
        no_way_back: Some("b"),
        ..CASE
    },
    Case {
        id: "P04 another column becomes the primary key",
        before: "t{a i32 pk; b i32 uq}",
        after: "t{a i32 uq; b i32 pk}",
        rows: &["INSERT INTO t (a, b) VALUES (1, 7), (2, 8)"],
        fails: &["INSERT INTO t (a, b) VALUES (9, 7)", "INSERT INTO t (a, b) VALUES (1, 9)"],
        ..CASE
    },
    Case {
        id: "P04b the primary key that foreign keys point at becomes a unique",
        before: "p{a i32 pk; b i32} c{id auto; p_a i32 ->p.a cascade}",
        after: "p{a i32 uq; b i32 pk} c{id auto; p_a i32 ->p.a cascade}",
        rows: &["INSERT INTO p (a, b) VALUES (1, 7), (2, 8)", "INSERT INTO c (p_a) VALUES (1), (2)"],
        fails: &["INSERT INTO c (p_a) VALUES (7)"],
        works: &["DELETE FROM p WHERE b = 7"],
        sees: &[("SELECT COUNT(*) FROM c", 1)],
        ..CASE
    },
    Case {
        id: "P05 the key is numbered from now on",
        before: "t{id i64 pk; a i32}",
        after: "t{id auto; a i32}",
        rows: &["INSERT INTO t (id, a) VALUES (7, 1), (9, 2)"],
        works: &["INSERT INTO t (a) VALUES (3)"],
        sees: &[("SELECT id FROM t WHERE a = 3", 10)],
        ..CASE
    },
    Case {
        id: "P06 the key is no longer numbered",
        before: "t{id auto; a i32}",
        after: "t{id i64 pk; a i32}",
        rows: &["INSERT INTO t (a) VALUES (1), (2)"],
        works: &["INSERT INTO t (id, a) VALUES (30, 3)"],
        ..CASE
    },
    Case {
        id: "P11 rows without a key get numbers",
        before: "t{a i32}",
        after: "t{id auto; a i32}",
        rows: &["INSERT INTO t (a) VALUES (5), (6), (7)"],
        holds: &[("SELECT SUM(id) FROM t", 6)],
        works: &["INSERT INTO t (a) VALUES (8)"],
        sees: &[("SELECT id FROM t WHERE a = 8", 4)],
        ..CASE
    },
    Case {
        id: "E07 a label goes that no row has",
        before: "t{id auto; m enum(mood,a,b,c,d)}",
        after: "t{id auto; m enum(mood,a,b,c)}",
        asks: &["drop label 'd' of mood", "map label 'd' of mood to 'a'"],
        decide: &["drop label 'd' of mood"],
        rows: MOODS,
        ..CASE
    },
    Case {
        id: "E07b a label goes that a row has",
        before: "t{id auto; m enum(mood,a,b,c)}",
        after: "t{id auto; m enum(mood,a,b)}",
        decide: &["drop label 'c' of mood"],
        rows: MOODS,
        outcome: Stops("(1 row)"),
        ..CASE
    },
    Case {
        id: "E07c a label goes, and its rows get another",
        before: "t{id auto; m enum(mood,a,b,c)}",
        after: "t{id auto; m enum(mood,a,b)}",
        decide: &["map label 'c' of mood to 'a'"],
        rows: MOODS,
        changed: &["t.m"],
        holds: &[("SELECT COUNT(*) FROM t WHERE m = 'a'", 2)],
        ..CASE
    },
    Case {
        id: "E08 a label gets another name",
        before: "t{id auto; m enum(mood,a,b,c) ='a'}",
        after: "t{id auto; m enum(mood,alpha,b,c) ='alpha'}",
        asks: &["map label 'a' of mood to 'alpha'"],
        decide: &["map label 'a' of mood to 'alpha'"],
        rows: MOODS,
        changed: &["t.m"],
        holds: &[("SELECT COUNT(*) FROM t WHERE m = 'alpha'", 1)],
        works: &["INSERT INTO t (id) VALUES (9)"],
        sees: &[("SELECT COUNT(*) FROM t WHERE m = 'alpha'", 2)],
        ..CASE
    },
    Case {
        id: "E09 all labels are others, and so is the default",
        before: "t{id auto; m enum(mood,a,b,c) ='b'} u{id auto; n enum(mood,a,b,c)?}",
        after: "t{id auto; m enum(mood,x,y) ='y'} u{id auto; n enum(mood,x,y)?}",
        decide: &["map label 'a' of mood to 'x'", "map label 'b' of mood to 'y'", "map label 'c' of mood to 'y'"],
        rows: &["INSERT INTO t (m) VALUES ('a'), ('b'), ('c')", "INSERT INTO u (n) VALUES ('c'), (NULL)"],
        changed: &["t.m", "u.n"],
        holds: &[("SELECT COUNT(*) FROM t WHERE m = 'y'", 2), ("SELECT COUNT(*) FROM u WHERE n = 'y'", 1)],
        no_way_back: Some("mood"),
        ..CASE
    },
    Case {
        id: "E10 labels change their order",
        before: "t{id auto; m enum(mood,a,b,c)}",
        after: "t{id auto; m enum(mood,c,a,b)}",
        rows: MOODS,
        ..CASE
    },
];
