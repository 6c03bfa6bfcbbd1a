//! Views, triggers, functions and extensions that are declared beside the models.

use covet_tests::Kind;

use crate::cases::Outcome::{Nothing, Refused, RefusedOn};
use crate::cases::{CASE, Case};

const AGES: &[&str] = &["INSERT INTO t (name, age) VALUES ('a', 17), ('it''s', 18), ('', 99)"];

pub(crate) const CASES: &[Case] = &[
    Case {
        id: "V10 a view comes",
        before: "t{id auto; name text(20); age i32}",
        after: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM adults", 2)],
        ..CASE
    },
    Case {
        id: "V11 a view says something else",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        after: "t{id auto; name text(20); age i32} view adults{SELECT id, age FROM t WHERE age > 18}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM adults WHERE age > 18", 1)],
        ..CASE
    },
    Case {
        id: "V11b a view is written with other blanks",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        after: "t{id auto; name text(20); age i32} view adults{\n  SELECT  id,name\n  FROM t WHERE age>=18\n}",
        outcome: Nothing,
        ..CASE
    },
    Case {
        // On MySQL the name in these quotes is a text.
        id: "V11c a view is written with other letters and quotes",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        after: "t{id auto; name text(20); age i32} view adults{select id, \"name\" from t where age >= 18}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM adults", 2)],
        ..CASE
    },
    Case {
        id: "V11d a text in a view changes between comments with apostrophes",
        before: "t{id auto; name text(20); age i32} view some{SELECT id FROM t /* it's */ WHERE name = 'A' /* isn't */}",
        after: "t{id auto; name text(20); age i32} view some{SELECT id FROM t /* it's */ WHERE name = 'a' /* isn't */}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM [some]", 1)],
        ..CASE
    },
    Case {
        id: "V12 a view goes",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        after: "t{id auto; name text(20); age i32}",
        rows: AGES,
        fails: &["INSERT INTO t (name) SELECT name FROM adults"],
        ..CASE
    },
    Case {
        id: "V05 a column that a view reads gets another type",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, age FROM t WHERE age >= 18}",
        after: "t{id auto; name text(20); age i64} view adults{SELECT id, age FROM t WHERE age >= 18}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM adults", 2)],
        works: &["UPDATE t SET age = 5000000000"],
        sees: &[("SELECT max(age) FROM adults", 5_000_000_000)],
        ..CASE
    },
    Case {
        id: "V05b a column that a view read goes",
        before: "t{id auto; name text(20); age i32?} view adults{SELECT id, name, age FROM t WHERE id > 0}",
        after: "t{id auto; name text(20)} view adults{SELECT id, name FROM t WHERE id > 0}",
        rows: AGES,
        decide: &["drop column t.age"],
        holds: &[("SELECT count(*) FROM adults", 3)],
        ..CASE
    },
    Case {
        id: "V05c a column comes, and the view reads all of them",
        before: "t{id auto; name text(20)} view everything{SELECT * FROM t}",
        after: "t{id auto; name text(20); age i32 =7} view everything{SELECT * FROM t}",
        rows: &["INSERT INTO t (name) VALUES ('a'), ('b')"],
        holds: &[("SELECT count(*) FROM everything WHERE age = 7", 2)],
        ..CASE
    },
    Case {
        id: "V06 table and column of a view get other names",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, name FROM t WHERE age >= 18}",
        after: "people{id auto; name text(20); years i32} view adults{SELECT id, name FROM people WHERE years >= 18}",
        rows: AGES,
        decide: &["rename table t to people", "rename column people.age to years"],
        holds: &[("SELECT count(*) FROM adults", 2)],
        ..CASE
    },
    Case {
        id: "V07 a view that reads a view, and the column under both changes",
        before: "t{id auto; name text(20); age i32} view adults{SELECT id, age FROM t WHERE age >= 18} \
            view elders{SELECT id FROM adults WHERE age > 60}",
        after: "t{id auto; name text(20); age i64} view adults{SELECT id, age FROM t WHERE age >= 18} \
            view elders{SELECT id FROM adults WHERE age > 60}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM elders", 1)],
        ..CASE
    },
    Case {
        id: "V07b views come and go in the order in which they read each other",
        before: "t{id auto; name text(20); age i32} view b{SELECT id, age FROM t} view a{SELECT id FROM b}",
        after: "t{id auto; name text(20); age i32} view y{SELECT id, age FROM t} view x{SELECT id FROM y}",
        rows: AGES,
        holds: &[("SELECT count(*) FROM x", 3)],
        ..CASE
    },
    Case {
        id: "V02 a trigger comes, and its table is built anew",
        before: "t{id auto; name text(20); age i32} log{id auto; what text(20)}",
        after: "t{id auto; name text(20); age i32 ck:age~<~500} log{id auto; what text(20)} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES (NEW.name); RETURN NEW; END $$} \
            trigger note on t{\
                @postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note() \
                @mysql AFTER INSERT ON t FOR EACH ROW BEGIN INSERT INTO log (what) VALUES (NEW.name); END \
                @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES (NEW.name); END}",
        rows: AGES,
        works: &["INSERT INTO t (name, age) VALUES ('new', 1)"],
        sees: &[("SELECT count(*) FROM log", 1)],
        ..CASE
    },
    Case {
        id: "V02b the table of a trigger is built anew, and a column gets another name",
        before: "t{id auto; name text(20); age i32} log{id auto; what text(20)} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES (NEW.name); RETURN NEW; END $$} \
            trigger note on t{\
                @postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note() \
                @mysql AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES (NEW.name) \
                @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES (NEW.name); END}",
        after: "t{id auto; title text(20); age i64} log{id auto; what text(20)} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES (NEW.title); RETURN NEW; END $$} \
            trigger note on t{\
                @postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note() \
                @mysql AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES (NEW.title) \
                @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES (NEW.title); END}",
        rows: &["INSERT INTO t (name, age) VALUES ('a', 17)"],
        decide: &["rename column t.name to title"],
        works: &["INSERT INTO t (title, age) VALUES ('new', 1)"],
        sees: &[("SELECT count(*) FROM log", 2), ("SELECT count(*) FROM log WHERE what = 'new'", 1)],
        ..CASE
    },
    Case {
        id: "V02e a trigger whose body is one statement with others in it",
        before: "t{id auto; name text(20); age i32}",
        after: "t{id auto; name text(20); age i64} \
            function cap{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN IF NEW.age > 99 THEN NEW.age := 99; NEW.name := 'old'; END IF; RETURN NEW; END $$} \
            trigger cap on t{\
                @postgres BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION cap() \
                @mysql BEFORE INSERT ON t FOR EACH ROW \
                    IF NEW.age > 99 THEN SET NEW.age = 99; SET NEW.name = 'old'; END IF \
                @sqlite AFTER INSERT ON t WHEN CASE WHEN NEW.age > 99 THEN 1 END BEGIN \
                    UPDATE t SET age = CASE WHEN age > 99 THEN 99 END, name = 'old' WHERE id = NEW.id; SELECT 1; END}",
        rows: AGES,
        works: &["INSERT INTO t (name, age) VALUES ('new', 100)"],
        sees: &[("SELECT count(*) FROM t WHERE name = 'old' AND age = 99", 1)],
        ..CASE
    },
    Case {
        id: "V02c the function of a trigger says something else, and neither trigger nor table changes",
        before: "t{id auto; name text(20)} log{id auto; what text(20)} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES ('before'); RETURN NEW; END $$} \
            trigger note on t{@postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()} \
            trigger other on t{\
                @mysql AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES ('before') \
                @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES ('before'); END}",
        after: "t{id auto; name text(20)} log{id auto; what text(20)} \
            function note{@postgres () RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN INSERT INTO log (what) VALUES ('after'); RETURN NEW; END $$} \
            trigger note on t{@postgres AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()} \
            trigger other on t{\
                @mysql AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES ('after') \
                @sqlite AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES ('after'); END}",
        rows: &["INSERT INTO t (name) VALUES ('a')"],
        works: &["INSERT INTO t (name) VALUES ('new')"],
        sees: &[("SELECT count(*) FROM log", 2), ("SELECT count(*) FROM log WHERE what = 'after'", 1)],
        ..CASE
    },
    Case {
        id: "V02d functions come that read a table that comes with them, one by the other",
        before: "t{id auto}",
        after: "t{id auto} log{id auto; what text(20)} \
            function again{@postgres () RETURNS void LANGUAGE sql AS $$ SELECT tell('a'); SELECT tell('b') $$} \
            function tell{@postgres (said text) RETURNS void LANGUAGE sql AS $$ INSERT INTO log (what) VALUES (said) $$}",
        rows: &["INSERT INTO t (id) VALUES (1)"],
        works: &["INSERT INTO log (what) VALUES ('a')"],
        ..CASE
    },
    Case {
        id: "V03 a trigger of another table writes to what is built anew",
        before: "p{id auto; n i32?} q{id auto} trigger count on q{\
                @mysql AFTER INSERT ON q FOR EACH ROW UPDATE p SET n = n + 1 \
                @sqlite AFTER INSERT ON q BEGIN UPDATE p SET n = n + 1; END}",
        after: "p{id auto; n i32} q{id auto} trigger count on q{\
                @mysql AFTER INSERT ON q FOR EACH ROW UPDATE p SET n = n + 1 \
                @sqlite AFTER INSERT ON q BEGIN UPDATE p SET n = n + 1; END}",
        rows: &["INSERT INTO p (n) VALUES (0)"],
        decide: &["no nulls in p.n"],
        works: &["INSERT INTO q (id) VALUES (1)"],
        sees: &[("SELECT count(*) FROM q", 1)],
        ..CASE
    },
    Case {
        id: "V08 the table of a trigger and of a view goes with them",
        before: "t{id auto; name text(20)} u{id auto} view v{SELECT id FROM t} trigger note on t{\
                @mysql AFTER INSERT ON t FOR EACH ROW DELETE FROM u \
                @sqlite AFTER INSERT ON t BEGIN DELETE FROM u; END}",
        after: "u{id auto}",
        rows: &["INSERT INTO t (name) VALUES ('a')"],
        decide: &["drop table t"],
        ..CASE
    },
    Case {
        id: "V08b the table of a trigger goes and the trigger stays",
        before: "t{id auto; name text(20)} u{id auto} trigger note on t{@sqlite AFTER INSERT ON t BEGIN DELETE FROM u; END}",
        after: "u{id auto} trigger note on t{@sqlite AFTER INSERT ON t BEGIN DELETE FROM u; END}",
        decide: &["drop table t"],
        outcome: Refused("the trigger note is on the table t, which no model has"),
        ..CASE
    },
    Case {
        id: "V09 an extension comes",
        before: "t{id auto; name text(20)}",
        after: "t{id auto; name text(20)} extension pg_trgm{@postgres}",
        rows: &["INSERT INTO t (name) VALUES ('a')"],
        ..CASE
    },
    Case {
        id: "V09b a function that SQLite cannot have",
        before: "t{id auto; n i32}",
        after: "t{id auto; n i32} function twice{(x INT) RETURNS INT RETURN x * 2}",
        outcome: RefusedOn(Kind::Sqlite, "the function twice"),
        ..CASE
    },
];
