//! Which semicolons of a statement stand in its body and end nothing: those between `BEGIN` and `END`, in `IF`, `CASE`,
//! `LOOP`, `REPEAT`, `WHILE` and `FOR` of a routine, and in parentheses.
//!
//! The words of these are names and functions elsewhere (`IF(a, b, c)`, `IF NOT EXISTS`, `FOR UPDATE`, a column `begin`),
//! so they count only where a statement can begin; a routine's header is read as far as to know where that is.

use crate::sql::lexer::Quoting;

/// Follows one statement, piece by piece.
pub(super) struct Body {
    at: At,
    before: Before,
    /// What is open, the innermost last.
    blocks: Vec<Block>,
    /// `CASE` within the statement at hand, which is an expression and ends with a bare `END`.
    cases: u32,
    parentheses: u32,
    /// It is an `ALTER`, of which only events have a body.
    alters: bool,
    /// Whether a block needs no routine around it.
    alone: bool,
}

/// Where in a statement the next piece stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing came yet.
    Start,
    /// Behind `CREATE` or `ALTER`, before the word that says of what.
    Made,
    /// Behind `DEFINER` or its `@`, before a name.
    Definer,
    /// Behind that word, before the name.
    Name(Routine),
    /// In the header.
    Header(Routine),
    /// Behind the `ON` of a trigger, before the name of its table.
    Table,
    /// Behind the table of a trigger.
    Trigger,
    /// Behind the `FOR EACH ROW` of a trigger.
    Row,
    /// Behind `FOLLOWS` or `PRECEDES`, before the name of another trigger.
    Other,
    /// Where a statement of a body can begin.
    Statement,
    /// Behind the first word of one, which is a label where a colon follows.
    Label,
    /// Behind `DECLARE`.
    Declare,
    /// Among the conditions of a handler.
    Handler,
    /// Behind one of them: the next one follows, or the statement.
    Handled,
    /// In a condition, or the head of a loop, that `THEN` or `DO` ends, or the `END` of a `REPEAT`.
    Test,
    /// Anywhere else in a statement.
    Within,
}

/// What has a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Routine {
    Function,
    Procedure,
    Trigger,
    Event,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// `BEGIN`, `LOOP` and `REPEAT`: statements follow at once.
    Plain,
    /// `IF` and `CASE`: statements follow a `THEN`.
    Then,
    /// `WHILE` and `FOR`: statements follow a `DO`.
    Do,
}

/// The piece before, where it says what the word after it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A point or `AS`: the word is a name.
    Named,
    /// `BEGIN`, or `BEGIN NOT`.
    Begin,
    Else,
}

/// What stands between the parameters of a procedure and its body. (That of a function begins with one of few words.)
const TRAITS: &[&str] = &[
    "comment",
    "language",
    "sql",
    "not",
    "deterministic",
    "contains",
    "no",
    "reads",
    "modifies",
    "data",
    "security",
    "definer",
    "invoker",
    "as",
    "is",
];

impl Body {
    /// Before the first piece.
    pub(super) fn new(quoting: Quoting) -> Self {
        Body {
            at: At::Start,
            before: Before::Else,
            blocks: Vec::new(),
            cases: 0,
            parentheses: 0,
            alters: false,
            // MariaDB takes them as statements; elsewhere no statement begins with these words, or (in other databases
            // than Covet's own) one does that has no `END`.
            alone: quoting.backslash,
        }
    }

    /// Whether a semicolon ends the statement here.
    pub(super) fn ends(&self) -> bool {
        self.blocks.is_empty() && self.parentheses == 0
    }

    /// A quoted name or text.
    pub(super) fn quoted(&mut self) {
        let is_name = std::mem::replace(&mut self.before, Before::Else) == Before::Named;
        if self.parentheses > 0 || is_name {
            return;
        }
        self.at = match self.at {
            At::Definer => At::Made,
            At::Name(routine) => At::Header(routine),
            At::Table => At::Trigger,
            At::Other => At::Statement,
            At::Statement => At::Label,
            At::Handler => At::Handled,
            At::Start | At::Made | At::Row | At::Label | At::Declare | At::Handled => At::Within,
            at @ (At::Header(_) | At::Trigger | At::Test | At::Within) => at,
        };
    }

    /// A character that is neither of a word nor a quote.
    pub(super) fn sign(&mut self, sign: &str) {
        self.before = if sign == "." { Before::Named } else { Before::Else };
        match sign {
            "(" => self.parentheses += 1,
            ")" => {
                self.parentheses = self.parentheses.saturating_sub(1);
                return;
            }
            _ => {}
        }
        // What the first one stands behind is said by where that is; behind it, nothing is.
        if self.parentheses > u32::from(sign == "(") {
            return;
        }
        self.at = match (self.at, sign) {
            (_, ";") => {
                self.cases = 0;
                At::Statement
            }
            (At::Label, ":") => At::Statement,
            (At::Handled, ",") => At::Handler,
            (At::Made, "@") => At::Definer,
            (At::Start | At::Statement | At::Label | At::Declare | At::Handled, _) => At::Within,
            (at, _) => at,
        };
    }

    /// A word without quotes.
    pub(super) fn word(&mut self, word: &str) {
        let before = std::mem::replace(&mut self.before, Before::Else);
        if self.parentheses > 0 || before == Before::Named {
            return;
        }
        let word = &*word.to_ascii_lowercase();
        match word {
            "as" if matches!(self.at, At::Test | At::Within) => self.before = Before::Named,
            "begin" => self.before = Before::Begin,
            "not" => self.before = before,
            // The body of a function of PostgreSQL, whose header says what it likes; and a block alone on MariaDB.
            "atomic" if before == Before::Begin && self.blocks.is_empty() => return self.open(Block::Plain),
            _ => {}
        }
        self.at = match (self.at, word) {
            (At::Start, "create") => At::Made,
            (At::Start, "alter") => {
                self.alters = true;
                At::Made
            }
            (At::Start, _) if self.alone && word != "begin" && self.opens(word) => return,
            (At::Start, _) => At::Within,
            (At::Made, _) => self.made(word),
            (At::Definer, _) => At::Made,
            (At::Name(routine), "if" | "not" | "exists") => At::Name(routine),
            (At::Name(routine), _) => At::Header(routine),
            (At::Header(routine), _) => return self.header(routine, word),
            (At::Table, _) => At::Trigger,
            (At::Trigger, "row") => At::Row,
            (At::Trigger, "begin") => return self.open(Block::Plain),
            // PostgreSQL's triggers have no body.
            (At::Trigger, "execute") => At::Within,
            // SQLite's `WHEN` has an expression, behind which only `BEGIN` can come.
            (At::Trigger, _) | (At::Row, "when") => At::Trigger,
            (At::Row, "follows" | "precedes") => At::Other,
            (At::Other, _) => At::Statement,
            (At::Row | At::Statement | At::Handled, _) => return self.statement(word),
            (At::Declare, "continue" | "exit" | "undo") => At::Handler,
            (At::Handler, "handler" | "for" | "sqlstate" | "value" | "not") => At::Handler,
            (At::Handler, _) => At::Handled,
            (At::Test | At::Label | At::Declare | At::Within, _) => return self.within(word),
        };
    }

    /// What is created, by a word behind `CREATE`.
    fn made(&self, word: &str) -> At {
        match word {
            "event" => At::Name(Routine::Event),
            "definer" => At::Definer,
            _ if self.alters => At::Within,
            "trigger" => At::Name(Routine::Trigger),
            "function" => At::Name(Routine::Function),
            "procedure" => At::Name(Routine::Procedure),
            "or" | "replace" | "alter" | "aggregate" | "constraint" | "temp" | "temporary" => At::Made,
            _ => At::Within,
        }
    }

    /// A word of a routine's header, or the first one of its body.
    fn header(&mut self, routine: Routine, word: &str) {
        match (routine, word) {
            (Routine::Trigger, "on") => self.at = At::Table,
            (Routine::Event, "do") => self.at = At::Statement,
            // What is returned ends with the statement; PostgreSQL's `TRANSFORM FOR TYPE` begins no loop.
            (Routine::Function, "return" | "transform") => self.at = At::Within,
            (Routine::Function, _) => {
                self.opens(word);
            }
            (Routine::Procedure, _) if !TRAITS.contains(&word) => self.statement(word),
            (Routine::Trigger | Routine::Event | Routine::Procedure, _) => {}
        }
    }

    /// The first word of a statement.
    fn statement(&mut self, word: &str) {
        self.at = match word {
            _ if self.opens(word) => return,
            "end" => return self.close(),
            "elseif" | "when" | "until" => At::Test,
            // `BEGIN NOT ATOMIC` is a `BEGIN`.
            "else" | "not" | "atomic" => At::Statement,
            "declare" => At::Declare,
            _ => At::Label,
        };
    }

    /// A word in the middle of a statement.
    fn within(&mut self, word: &str) {
        let ends_test = self.at == At::Test && self.cases == 0;
        if self.at != At::Test {
            self.at = At::Within;
        }
        match (word, self.blocks.last()) {
            ("case", _) => self.cases += 1,
            ("end", _) if ends_test => self.close(),
            ("end", _) => self.cases = self.cases.saturating_sub(1),
            ("then", Some(Block::Then)) | ("do", Some(Block::Do)) if ends_test => self.at = At::Statement,
            _ => {}
        }
    }

    /// Opens a block if this word does, and says whether it did.
    fn opens(&mut self, word: &str) -> bool {
        self.open(match word {
            "begin" | "loop" | "repeat" => Block::Plain,
            "if" | "case" => Block::Then,
            "while" | "for" => Block::Do,
            _ => return false,
        });
        true
    }

    fn open(&mut self, block: Block) {
        self.blocks.push(block);
        self.cases = 0;
        self.at = if block == Block::Plain { At::Statement } else { At::Test };
    }

    /// An `END`; what it is of, and its label, follow.
    fn close(&mut self) {
        self.blocks.pop();
        self.cases = 0;
        self.at = At::Within;
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::{Quoting, split};

    const PG: Quoting = Quoting::POSTGRES;
    const MY: Quoting = Quoting::MYSQL;
    const LITE: Quoting = Quoting::SQLITE;

    /// Each is one statement, before another and behind it.
    #[track_caller]
    fn whole(quoting: Quoting, statements: &[&str]) {
        for one in statements {
            let script = format!("{one}; SELECT 'next'; {one}");
            assert_eq!(split(&script, quoting).unwrap_or_default(), [*one, "SELECT 'next'", *one]);
        }
    }

    #[test]
    fn a_body_of_mysql_needs_no_begin() {
        whole(
            MY,
            &[
                "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW IF NEW.a > 1 THEN SET NEW.a = 1; SET NEW.b = 2; END IF",
                "CREATE TRIGGER `g` BEFORE INSERT ON `t` FOR EACH ROW FOLLOWS `h` IF (NEW.a) THEN SET NEW.a = 1; \
                 ELSEIF IF(a, b, c) THEN SET NEW.a = 2; ELSE IF x THEN SET NEW.a = 3; END IF; END IF",
                "CREATE TRIGGER g AFTER UPDATE ON s.t FOR EACH ROW PRECEDES begin CASE NEW.a WHEN 1 THEN SET @a = 1; \
                 ELSE BEGIN END; END CASE",
                "CREATE PROCEDURE p(IN n INT) WHILE n > CASE WHEN a THEN 1 END DO SET n = n - 1; DO SLEEP(IF(n, 1, 2)); END WHILE",
                "CREATE PROCEDURE p() COMMENT 'begin' NOT DETERMINISTIC READS SQL DATA SQL SECURITY INVOKER \
                 l: LOOP SET @a = 1; LEAVE l; END LOOP l",
                "CREATE PROCEDURE p() `l`: REPEAT SET @a = 1; UNTIL CASE @a WHEN 1 THEN 1 END = 1 END REPEAT `l`",
                "CREATE PROCEDURE p() CASE WHEN EXISTS (SELECT 1) THEN SET @a = CASE WHEN 1 THEN 2 END; END CASE",
                "CREATE FUNCTION f(a DECIMAL(5, 2)) RETURNS ENUM('a', 'b') CHARSET utf8mb4 DETERMINISTIC \
                 IF a THEN RETURN 'a'; ELSE RETURN 'b'; END IF",
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY ON COMPLETION PRESERVE DO \
                 IF a THEN DELETE FROM t; END IF",
                "ALTER DEFINER = CURRENT_USER() EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; DELETE FROM u; END",
            ],
        );
    }

    #[test]
    fn loops_blocks_and_handlers_stand_in_each_other() {
        whole(
            MY,
            &[
                "CREATE PROCEDURE p() FOR i IN 1..10 DO SET @a = i; END FOR",
                "CREATE PROCEDURE p() BEGIN FOR r IN (SELECT a FROM t FOR UPDATE) DO FOR i IN REVERSE 0..r.a DO \
                 SET @a = i; END FOR; END FOR; END",
                "CREATE OR REPLACE DEFINER = `a`@`%` PROCEDURE IF NOT EXISTS p() l: BEGIN NOT ATOMIC \
                 DECLARE c CURSOR FOR SELECT a FROM t WHERE b = CASE WHEN a THEN 1 END FOR UPDATE; \
                 DECLARE EXIT HANDLER FOR SQLSTATE VALUE '23000', 1062, NOT FOUND, own IF a THEN SET @a = 1; END IF; \
                 DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; \
                 DROP TABLE IF EXISTS u; CREATE TABLE IF NOT EXISTS u (a INT); \
                 SELECT a INTO b FROM t FOR UPDATE; SET a = REPEAT('x', 2), b = IF(a, 1, 2); \
                 m: LOOP REPEAT SET a = 1; UNTIL a END REPEAT; LEAVE m; END LOOP m; END l",
                "CREATE FUNCTION f() RETURNS INT BEGIN RETURN CASE WHEN 1 THEN IF(1, 2, 3) ELSE 4 END; END",
                "CREATE AGGREGATE FUNCTION f(x INT) RETURNS INT BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN 1; \
                 LOOP FETCH GROUP NEXT ROW; END LOOP; END",
                "BEGIN NOT ATOMIC IF a THEN SET @a = 1; END IF; END",
                "IF a THEN SET @a = 1; END IF",
                "WHILE a DO SET @a = 1; END WHILE",
                "CREATE PROCEDURE p() BEGIN INSERT INTO log (begin, end) VALUES (1, 2); UPDATE log SET log.end = 1, \
                 log.begin = 2; SELECT begin AS end FROM log; END",
            ],
        );
    }

    #[test]
    fn words_that_open_nothing_are_names_and_functions() {
        whole(
            MY,
            &[
                "CREATE TABLE event (begin DATETIME, `end` DATETIME)",
                "CREATE TABLE function (a INT DEFAULT (CASE WHEN 1 THEN 2 END), begin INT)",
                "CREATE TABLE t (a INT) COMMENT 'trigger begin'",
                "CREATE INDEX trigger ON event (begin)",
                "CREATE DEFINER = root@127.0.0.1 VIEW v AS SELECT event, begin FROM t",
                "CREATE PROCEDURE p() SELECT begin, IF(a, 1, 2) FROM t FOR UPDATE",
                "CREATE DEFINER=`event`@`%` SQL SECURITY INVOKER VIEW begin AS SELECT 1 AS begin",
                "CREATE TRIGGER begin BEFORE INSERT ON begin FOR EACH ROW SET NEW.begin = IF(NEW.begin, 1, 2)",
                "CREATE FUNCTION f(a INT) RETURNS INT RETURN IF(a, CASE a WHEN 1 THEN 2 END, 3)",
                "CREATE /*!50017 DEFINER = `a`@`b` */ TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END",
                "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'",
                "BEGIN",
                "BEGIN WORK",
                "REPLACE INTO t VALUES (1)",
                "DO IF(1, 2, 3)",
                "ALTER TABLE event ADD COLUMN begin INT",
            ],
        );
        whole(
            LITE,
            &[
                "CREATE TABLE event (begin, trigger)",
                "CREATE TEMP TRIGGER IF NOT EXISTS main.g AFTER UPDATE OF begin, \"end\" ON begin FOR EACH ROW \
                 WHEN CASE WHEN NEW.begin THEN 1 ELSE 0 END BEGIN UPDATE t SET a = CASE WHEN 1 THEN 2 END; SELECT 1 AS x; END",
                "CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT CASE WHEN 1 THEN RAISE(ABORT, 'no;') END; END",
                "BEGIN IMMEDIATE",
                "END TRANSACTION",
            ],
        );
    }

    #[test]
    fn postgres_has_bodies_of_the_standard_and_rules_of_several_statements() {
        whole(
            PG,
            &[
                "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (NEW.a); DELETE FROM v WHERE (a = 1))",
                "CREATE OR REPLACE FUNCTION s.f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM t; \
                 SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END AS end; END",
                "CREATE PROCEDURE p(a int) LANGUAGE sql SET search_path = s BEGIN ATOMIC INSERT INTO t VALUES (a); \
                 MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE; END",
                "CREATE FUNCTION f(a int) RETURNS int RETURN CASE WHEN a > 1 THEN 2 END",
                "CREATE FUNCTION f(a hstore) RETURNS int LANGUAGE plpython3u TRANSFORM FOR TYPE hstore AS $$ ; $$",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
                "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION begin()",
                "CREATE EVENT TRIGGER g ON ddl_command_end EXECUTE FUNCTION f()",
                "CREATE TABLE procedure (begin int, \"end\" int)",
                "SELECT a FROM t FOR UPDATE",
                "BEGIN ISOLATION LEVEL SERIALIZABLE, NOT DEFERRABLE",
            ],
        );
    }
}
