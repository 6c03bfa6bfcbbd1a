//! Changes that are made while others read and write.

mod busy;
mod cases;
mod killed;
mod made;
mod runs;

use covet_orm::migrate::Part;
use covet_tests::Kind;

/// A change that is made online.
pub(crate) struct Change {
    pub(crate) id: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    /// Statements that fill the tables before; `[name]` is quoted.
    pub(crate) rows: &'static [&'static str],
    pub(crate) decide: &'static [&'static str],
    /// The parts that it has where a database can change its schema online.
    pub(crate) parts: &'static [Part],
    /// The databases on which it is refused, and why.
    pub(crate) refused: &'static [(Kind, &'static str)],
    /// What counts are afterwards.
    pub(crate) holds: &'static [(&'static str, i64)],
    /// What lint still says about it, as of any such change.
    pub(crate) found: &'static [&'static str],
}

/// What most have.
const CHANGE: Change = Change {
    id: "",
    before: "",
    after: "",
    rows: &[],
    decide: &[],
    parts: &[Part::Whole],
    refused: &[],
    holds: &[],
    found: &[],
};

/// The databases that can.
const ABLE: [Kind; 2] = [Kind::Postgres, Kind::Mysql];

pub(crate) const ALL: &[Change] = &[
    Change {
        id: "O01 an index",
        before: "a{id auto; n i32}",
        after: "a{id auto; n i32 ix}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (1)"],
        ..CHANGE
    },
    Change {
        id: "O02 a unique index, and one that goes",
        before: "a{id auto; n i32; m i32 ix}",
        after: "a{id auto; n i32 uq; m i32}",
        rows: &["INSERT INTO [a] ([n], [m]) VALUES (1, 1), (2, 1)"],
        ..CHANGE
    },
    Change {
        id: "O03 a foreign key",
        before: "a{id auto; b_id i64?} b{id auto; n i32}",
        after: "a{id auto; b_id i64? ->b.id cascade} b{id auto; n i32}",
        rows: &["INSERT INTO [b] ([n]) VALUES (1), (2)", "INSERT INTO [a] ([b_id]) VALUES (1), (2), (NULL)"],
        ..CHANGE
    },
    Change {
        id: "O04 a check",
        before: "a{id auto; n i32}",
        after: "a{id auto; n i32 ck:n>0}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1)"],
        refused: &[(Kind::Mysql, "the check")],
        ..CHANGE
    },
    Change {
        id: "O05 no NULL any more",
        before: "a{id auto; n i32?}",
        after: "a{id auto; n i32}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (NULL), (NULL)"],
        decide: &["backfill a.n with 7"],
        parts: &[Part::Backfill, Part::Contract],
        holds: &[("SELECT count(*) FROM [a] WHERE [n] = 7", 2)],
        ..CHANGE
    },
    Change {
        id: "O06 a new column that allows no NULL",
        before: "a{id auto}",
        after: "a{id auto; n i32}",
        rows: &["INSERT INTO [a] ([id]) VALUES (1), (2)"],
        decide: &["backfill a.n with 7"],
        parts: &[Part::Expand, Part::Contract],
        holds: &[("SELECT count(*) FROM [a] WHERE [n] = 7", 2)],
        ..CHANGE
    },
    Change {
        id: "O07 another type",
        before: "a{id auto; n i32; m i32?}",
        after: "a{id auto; n i64 =5; m i64?}",
        rows: &["INSERT INTO [a] ([n], [m]) VALUES (1, NULL), (2, 3)"],
        parts: &[Part::Expand, Part::Backfill, Part::Contract],
        holds: &[("SELECT sum([n]) FROM [a]", 3), ("SELECT sum([m]) FROM [a]", 3)],
        ..CHANGE
    },
    Change {
        id: "O08 another type and no NULL any more",
        before: "a{id auto; n u8?}",
        after: "a{id auto; n u32}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (NULL)"],
        decide: &["backfill a.n with 7"],
        parts: &[Part::Expand, Part::Backfill, Part::Contract],
        holds: &[("SELECT sum([n]) FROM [a]", 8)],
        ..CHANGE
    },
    Change {
        id: "O09 a new column whose default is computed",
        before: "a{id auto}",
        after: "a{id auto; t text(20) =sql:lower('A')}",
        rows: &["INSERT INTO [a] ([id]) VALUES (1), (2)"],
        parts: &[Part::Expand, Part::Backfill, Part::Contract],
        holds: &[("SELECT count(*) FROM [a] WHERE [t] = 'a'", 2)],
        ..CHANGE
    },
    Change {
        id: "O10 one column comes and another goes",
        before: "a{id auto; n i32?}",
        after: "a{id auto; m i32?}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1)"],
        decide: &["drop column a.n"],
        parts: &[Part::Expand, Part::Contract],
        ..CHANGE
    },
    Change {
        id: "O11 a text that grows in its place",
        before: "a{id auto; t text(20)}",
        after: "a{id auto; t text(40)}",
        rows: &["INSERT INTO [a] ([t]) VALUES ('x')"],
        ..CHANGE
    },
    Change {
        id: "O12 a type that holds less",
        before: "a{id auto; n i64}",
        after: "a{id auto; n i32}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1)"],
        decide: &["narrow a.n"],
        refused: &[(Kind::Postgres, "may not fit"), (Kind::Mysql, "may not fit")],
        ..CHANGE
    },
    Change {
        id: "O13 another name",
        before: "a{id auto; n i32}",
        after: "a{id auto; m i32}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1)"],
        decide: &["rename column a.n to m"],
        refused: &[(Kind::Postgres, "a rename is not made online"), (Kind::Mysql, "a rename is not made online")],
        ..CHANGE
    },
    Change {
        id: "O14 a new table that points at an old one",
        before: "a{id auto}",
        after: "a{id auto} b{id auto; a_id i64 ->a.id ix; n u8}",
        rows: &["INSERT INTO [a] ([id]) VALUES (1)"],
        ..CHANGE
    },
    Change {
        id: "O15 another primary key",
        before: "a{x i64; y i64; pk(x)}",
        after: "a{x i64; y i64; pk(x,y)}",
        rows: &["INSERT INTO [a] ([x], [y]) VALUES (1, 1), (2, 1)"],
        found: &["DAT05"],
        ..CHANGE
    },
    Change {
        id: "O16 no NULL any more under an index",
        before: "a{id auto; n i32? ix; m i32? uq}",
        after: "a{id auto; n i32 ix; m i32 uq}",
        rows: &["INSERT INTO [a] ([n], [m]) VALUES (1, 1), (1, 2)"],
        decide: &["no nulls in a.n", "no nulls in a.m"],
        ..CHANGE
    },
    Change {
        id: "O17 a column of a small type",
        before: "a{id auto}",
        after: "a{id auto; n u8 =3}",
        rows: &["INSERT INTO [a] ([id]) VALUES (1)"],
        holds: &[("SELECT sum([n]) FROM [a]", 3)],
        ..CHANGE
    },
    Change {
        id: "O18 another type under an index",
        before: "a{id auto; n i32 ix}",
        after: "a{id auto; n i64 ix}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1)"],
        refused: &[(Kind::Postgres, "the index a_n_idx stands on it"), (Kind::Mysql, "the index a_n_idx stands on it")],
        ..CHANGE
    },
    Change {
        id: "O19 another type under a view",
        before: "a{id auto; n i32} view v{SELECT id, n FROM a WHERE n > 1} view w{SELECT id FROM v}",
        after: "a{id auto; n i64} view v{SELECT id, n FROM a WHERE n > 1} view w{SELECT id FROM v}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (2), (3)"],
        parts: &[Part::Expand, Part::Backfill, Part::Contract],
        holds: &[("SELECT sum([n]) FROM [v]", 5), ("SELECT count(*) FROM [w]", 2)],
        ..CHANGE
    },
    Change {
        id: "O20 another type under a trigger",
        before: "a{id auto; n i32} log{id auto; what i64} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES (NEW.n); RETURN NEW; END $$} \
            trigger note on a{\
                @postgres AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION note() \
                @mysql AFTER INSERT ON a FOR EACH ROW INSERT INTO log (what) VALUES (NEW.n) \
                @sqlite AFTER INSERT ON a BEGIN INSERT INTO log (what) VALUES (NEW.n); END}",
        after: "a{id auto; n i64} log{id auto; what i64} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES (NEW.n); RETURN NEW; END $$} \
            trigger note on a{\
                @postgres AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION note() \
                @mysql AFTER INSERT ON a FOR EACH ROW INSERT INTO log (what) VALUES (NEW.n) \
                @sqlite AFTER INSERT ON a BEGIN INSERT INTO log (what) VALUES (NEW.n); END}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (2)"],
        parts: &[Part::Expand, Part::Backfill, Part::Contract],
        holds: &[("SELECT sum([what]) FROM [log]", 3)],
        ..CHANGE
    },
    Change {
        id: "O21 an index comes by the name of one that goes with its table, and a foreign key needs it",
        before: "a{id auto; n i32; uq:by~name(n)} t{id auto; a_n i32; fk(a_n)->a(n)}",
        after: "b{id auto; name i32; uq:by~name(name)} c{id auto; b_name i32; fk(b_name)->b(name)}",
        decide: &["drop table a", "drop table t"],
        parts: &[Part::Expand, Part::Contract],
        found: &["PG15"],
        ..CHANGE
    },
    Change {
        id: "O22 a stored column is on its own, and no NULL is left in it",
        before: "a{id auto; n i32?; g i32? stored:n}",
        after: "a{id auto; n i32?; g i32}",
        rows: &["INSERT INTO [a] ([n]) VALUES (1), (NULL)"],
        decide: &["backfill a.g with 5"],
        refused: &[(Kind::Mysql, "another way to generate a.g")],
        parts: &[Part::Whole],
        holds: &[("SELECT sum([g]) FROM [a]", 6)],
        ..CHANGE
    },
    Change {
        id: "O23 a new table points at a key that gives way",
        before: "p{id i64 pk}",
        after: "p{id i64 uq; key i64 pk =0} t{id auto; p i64 ->p.id}",
        rows: &[],
        parts: &[Part::Expand, Part::Contract],
        found: &["DAT05", "SYS07"],
        ..CHANGE
    },
];
