//! Schemas of PostgreSQL: they come and go with what is in them, and tables move from one to another.

use covet_tests::Kind;

use crate::cases::Outcome::{OnlyOn, Refused};
use crate::cases::{CASE, Case};

/// What the other databases say.
const ONLY: Option<(Kind, &str)> = Some((Kind::Postgres, "the schema billing of the table"));

const INVOICES: &[&str] = &[
    "INSERT INTO billing.invoices (number) VALUES ('a'), ('b'), ('it''s')",
    "INSERT INTO posts (invoice_id) VALUES (1), (3)",
];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "S01 a first table in a schema",
        before: "users{id auto}",
        after: "users{id auto} billing.invoices{id auto; user_id i64 ->users.id cascade ix; number text(20) uq; n u8 ck:n>~3}",
        rows: &["INSERT INTO users (id) VALUES (1)"],
        outcome: OnlyOn(Kind::Postgres, "the schema billing of the table invoices"),
        ..CASE
    },
    Case {
        id: "S02 a table and its schema go",
        before: "posts{id auto; invoice_id i64? ->billing.invoices.id} billing.invoices{id auto; number text(20) uq}",
        after: "posts{id auto}",
        rows: INVOICES,
        decide: &["drop table billing.invoices", "drop column posts.invoice_id", "drop schema billing"],
        asks: &["drop table billing.invoices", "drop schema billing", "keep schema billing"],
        only_on: ONLY,
        ..CASE
    },
    Case {
        id: "S03 tables of one name in two schemas",
        before: "t{id auto; a text(20) uq} one.t{id auto; a i32 ix; t_id i64 ->t.id} two.t{id auto; a bool}",
        after: "t{id auto; a text(30) uq} one.t{id auto; b i64 ix; t_id i64 ->t.id} two.t{id auto; a bool; c i32}",
        rows: &[
            "INSERT INTO t (a) VALUES ('x'), ('y')",
            "INSERT INTO one.t (a, t_id) VALUES (5, 1), (6, 2)",
            "INSERT INTO two.t (a) VALUES (true)",
        ],
        decide: &["rename column one.t.a to one.t.b", "backfill two.t.c with 7"],
        asks: &["rename column one.t.a to one.t.b", "table two.t is empty"],
        holds: &[("SELECT count(*) FROM one.t WHERE b > 5", 1), ("SELECT count(*) FROM two.t WHERE c = 7", 1)],
        fails: &["INSERT INTO one.t (b, t_id) VALUES (1, 99)", "INSERT INTO t (a) VALUES ('x')"],
        only_on: Some((Kind::Postgres, "the schema one of the table t")),
        ..CASE
    },
    Case {
        id: "S04 a table moves into a schema",
        before: "invoices{id auto; number text(20) uq; n u8 ix} posts{id auto; invoice_id i64 ->invoices.id cascade}",
        after: "billing.invoices{id auto; number text(20) uq; n u8 ix} \
                posts{id auto; invoice_id i64 ->billing.invoices.id cascade}",
        rows: &[
            "INSERT INTO invoices (number, n) VALUES ('a', 1), ('b', 2)",
            "INSERT INTO posts (invoice_id) VALUES (2)",
        ],
        decide: &["rename table invoices to billing.invoices"],
        asks: &["rename table invoices to billing.invoices", "drop table invoices"],
        outcome: OnlyOn(Kind::Postgres, "the schema billing of the table invoices"),
        holds: &[("SELECT count(*) FROM billing.invoices", 2), ("SELECT count(*) FROM posts", 1)],
        fails: &[
            "INSERT INTO posts (invoice_id) VALUES (99)",
            "INSERT INTO billing.invoices (number, n) VALUES ('a', 1)",
        ],
        works: &[
            "INSERT INTO billing.invoices (number, n) VALUES ('c', 1)",
            "DELETE FROM billing.invoices WHERE id = 2",
        ],
        sees: &[("SELECT count(*) FROM billing.invoices WHERE id > 2", 1), ("SELECT count(*) FROM posts", 0)],
        ..CASE
    },
    Case {
        id: "S05 a table moves out of a schema, which goes",
        before: "billing.invoices{id auto; number text(20) uq} posts{id auto; invoice_id i64 ->billing.invoices.id}",
        after: "bills{id auto; number text(20) uq} posts{id auto; invoice_id i64 ->bills.id}",
        rows: INVOICES,
        decide: &["rename table billing.invoices to bills", "drop schema billing"],
        asks: &["rename table billing.invoices to bills", "drop schema billing"],
        holds: &[("SELECT count(*) FROM bills", 3)],
        fails: &["INSERT INTO bills (number) VALUES ('a')"],
        works: &["INSERT INTO bills (number) VALUES ('c')"],
        sees: &[("SELECT count(*) FROM bills WHERE id > 3", 1)],
        only_on: ONLY,
        ..CASE
    },
    Case {
        id: "S06 a table moves from schema to schema, and gets a name that another has where it was",
        before: "one.a{id auto; x text(9) ix} one.b{id auto} two.a{id auto; y i32}",
        after: "two.b{id auto; x text(9) ix} one.b{id auto} two.a{id auto; y i32}",
        rows: &["INSERT INTO one.a (x) VALUES ('p'), ('q')", "INSERT INTO two.a (y) VALUES (4)"],
        decide: &["rename table one.a to two.b"],
        holds: &[
            ("SELECT count(*) FROM two.b WHERE x IN ('p', 'q')", 2),
            ("SELECT count(*) FROM two.a WHERE y = 4", 1),
        ],
        only_on: Some((Kind::Postgres, "the schema one of the table a")),
        ..CASE
    },
    Case {
        id: "S07 two tables change places between schemas",
        before: "one.t{id auto; x text(9)} two.t{id auto; y i32}",
        after: "one.t{id auto; y i32} two.t{id auto; x text(9)}",
        rows: &["INSERT INTO one.t (x) VALUES ('p'), ('q')", "INSERT INTO two.t (y) VALUES (4)"],
        decide: &["rename table one.t to two.t", "rename table two.t to one.t"],
        holds: &[("SELECT count(*) FROM one.t WHERE y = 4", 1), ("SELECT count(*) FROM two.t", 2)],
        only_on: Some((Kind::Postgres, "the schema one of the table t")),
        ..CASE
    },
    Case {
        id: "S08 columns, indexes, checks and keys of a table in a schema",
        before: "billing.t{id auto; a i32 ix; b text(20) uq; c i64?; d decimal(8,2) =1; ck:small(a<1000); u u16}",
        after: "billing.t{id auto; a i64 uq; b text(40); c i64 =5; e text(5)?; ck:large(a<100000); ix(b,-c)?c>0; u u32} \
                billing.more{t_id i64 ->billing.t.id cascade; n i32; pk(t_id,n)}",
        rows: &["INSERT INTO billing.t (a, b, c, u) VALUES (1, 'x', NULL, 7), (2, 'y', 3, 60000)"],
        decide: &["drop column billing.t.d", "backfill billing.t.c with 9"],
        asks: &["drop column billing.t.d", "no nulls in billing.t.c"],
        holds: &[("SELECT count(*) FROM billing.t WHERE c = 9", 1)],
        changed: &["billing.t.c"],
        fails: &[
            "INSERT INTO billing.t (a, b, u) VALUES (1, 'z', 1)",
            "INSERT INTO billing.t (a, b, u) VALUES (9, 'z', -1)",
        ],
        works: &["INSERT INTO billing.more (t_id, n) VALUES (1, 1)", "DELETE FROM billing.t WHERE id = 1"],
        sees: &[("SELECT count(*) FROM billing.more", 0)],
        only_on: Some((Kind::Postgres, "the schema billing of the table")),
        ..CASE
    },
    Case {
        id: "S09 an enum in a schema",
        before: "billing.t{id auto; s enum(billing.state,open,paid,lost) ='open'} u{id auto; s enum(state,x,y)}",
        after: "billing.t{id auto; s enum(billing.state,open,settled,late) ='open'} u{id auto; s enum(state,x,y,z)}",
        rows: &["INSERT INTO billing.t (s) VALUES ('open'), ('paid')", "INSERT INTO u (s) VALUES ('y')"],
        decide: &["map label 'paid' of billing.state to 'settled'", "drop label 'lost' of billing.state"],
        asks: &["map label 'paid' of billing.state to 'settled'", "drop label 'lost' of billing.state"],
        changed: &["billing.t.s"],
        holds: &[("SELECT count(*) FROM billing.t WHERE s = 'settled'", 1)],
        only_on: ONLY,
        ..CASE
    },
    Case {
        id: "S10 views, functions and triggers that name schemas",
        before: "billing.t{id auto; a i32} t{id auto} \
                 view billing.large{@postgres SELECT id, a FROM billing.t WHERE a > 10} \
                 function billing.twice{@postgres (x INT) RETURNS INT LANGUAGE sql IMMUTABLE AS $$ SELECT x * 2 $$} \
                 function billing.touch{@postgres () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := NEW.a + 1; RETURN NEW; END $$} \
                 trigger touched on billing.t{@postgres BEFORE INSERT ON billing.t FOR EACH ROW EXECUTE FUNCTION billing.touch()}",
        after: "billing.t{id auto; a i64} t{id auto} \
                view billing.large{@postgres SELECT id, a FROM billing.t WHERE a > 10} \
                function billing.twice{@postgres (x INT) RETURNS INT LANGUAGE sql IMMUTABLE AS $$ SELECT x * 2 $$} \
                function billing.touch{@postgres () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := NEW.a + 1; RETURN NEW; END $$} \
                trigger touched on billing.t{@postgres BEFORE INSERT ON billing.t FOR EACH ROW EXECUTE FUNCTION billing.touch()}",
        rows: &["INSERT INTO billing.t (a) VALUES (9), (19)"],
        holds: &[("SELECT count(*) FROM billing.large", 1), ("SELECT billing.twice(4)::bigint", 8)],
        works: &["INSERT INTO billing.t (a) VALUES (10)"],
        sees: &[("SELECT count(*) FROM billing.large", 2)],
        only_on: ONLY,
        ..CASE
    },
    Case {
        id: "S10b a column goes whose name is that of a type in a schema, and another gets its name",
        before: "billing.t{id auto; status enum(billing.status,new,old)?; a enum(billing.status,new,old); \
                 ck:a(a~<>~'old'::billing.status)}",
        after: "billing.t{id auto; b enum(billing.status,new,old); ck:a(b~<>~CAST('old'~AS~billing.status))}",
        rows: &["INSERT INTO billing.t (status, a) VALUES ('old', 'new')"],
        decide: &["drop column billing.t.status", "rename column billing.t.a to b"],
        fails: &["INSERT INTO billing.t (b) VALUES ('old')"],
        works: &["INSERT INTO billing.t (b) VALUES ('new')"],
        only_on: ONLY,
        ..CASE
    },
    Case {
        id: "S11 names that need quotes",
        before: "x{id auto}",
        after: "x{id auto} my~Schema.\"a.b\"{id auto; c text(9) uq; ix:by(c)} \"c.d\"{id auto; t_id i64 ->my~Schema.\"a.b\".id}",
        outcome: OnlyOn(Kind::Postgres, "the schema my Schema of the table a.b"),
        ..CASE
    },
    Case {
        id: "S12 a table whose name has a dot",
        before: "\"a.b\"{id auto; n text(9) uq} t{id auto; p i64 ->\"a.b\".id}",
        after: "\"a.c\"{id auto; n text(9) uq; m i32?} t{id auto; p i64 ->\"a.c\".id}",
        rows: &["INSERT INTO [a.b] (n) VALUES ('x'), ('y')", "INSERT INTO t (p) VALUES (2)"],
        decide: &["rename table \"a.b\" to \"a.c\""],
        holds: &[("SELECT count(*) FROM [a.c]", 2)],
        fails: &["INSERT INTO t (p) VALUES (9)"],
        ..CASE
    },
    Case {
        id: "S13 a schema that belongs to the server",
        before: "x{id auto}",
        after: "x{id auto} pg_own.t{id auto}",
        outcome: Refused("the schema pg_own"),
        ..CASE
    },
];
