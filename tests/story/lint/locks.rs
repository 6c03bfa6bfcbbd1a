//! The servers do what the rules say: locks are read from the running server, algorithms are forced on it, and what is
//! said to be refused is refused.

use covet_orm::drivers::catalog::ColumnType;
use covet_orm::drivers::contract::{Command, Connection, Flow, Reuse, Row};
use covet_tests::Kind;

use crate::place::Place;

/// Tables in SQL that all three take.
const TABLES: &[&str] = &[
    "CREATE TABLE users (id bigint NOT NULL PRIMARY KEY, email varchar(200) NOT NULL, age int, score int NOT NULL DEFAULT 0, \
     short varchar(50), bio text)",
    "CREATE TABLE posts (id bigint NOT NULL PRIMARY KEY, user_id bigint)",
    "CREATE INDEX posts_user_idx ON posts (user_id)",
    "INSERT INTO users (id, email, age) VALUES (1, 'a', 18), (2, 'b', 19)",
    "INSERT INTO posts (id, user_id) VALUES (1, 1)",
];

async fn place(kind: Kind) -> Option<Place> {
    let place = Place::new(kind).await?;
    for sql in TABLES {
        place.sql(sql).await;
    }
    Some(place)
}

async fn texts(connection: &mut dyn Connection, sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        found.push(row.get::<String>(0, &ColumnType::Text { max_len: None })?);
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await.unwrap();
    found
}

/// A statement on PostgreSQL: the lock that it takes on a table, and whether it writes the table anew.
struct Lock {
    rule: &'static str,
    setup: &'static [&'static str],
    sql: &'static str,
    table: &'static str,
    mode: &'static str,
    rewrites: bool,
}

const fn lock(rule: &'static str, sql: &'static str, table: &'static str, mode: &'static str) -> Lock {
    Lock { rule, setup: &[], sql, table, mode, rewrites: false }
}

const EXCLUSIVE: &str = "AccessExclusiveLock";

const LOCKS: &[Lock] = &[
    lock("PG01", "CREATE INDEX i ON users (age)", "users", "ShareLock"),
    lock("PG04", "DROP INDEX posts_user_idx", "posts", EXCLUSIVE),
    lock("PG05", "ALTER TABLE users ADD CONSTRAINT u UNIQUE (email)", "users", EXCLUSIVE),
    lock("PG06", "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0)", "users", EXCLUSIVE),
    // The safer way of PG06.
    Lock {
        setup: &["ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID"],
        ..lock("PG06", "ALTER TABLE users VALIDATE CONSTRAINT c", "users", "ShareUpdateExclusiveLock")
    },
    lock(
        "PG07",
        "ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
        "posts",
        "ShareRowExclusiveLock",
    ),
    lock(
        "PG07",
        "ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
        "users",
        "ShareRowExclusiveLock",
    ),
    // The safer way of PG07.
    Lock {
        setup: &["ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID"],
        ..lock("PG07", "ALTER TABLE posts VALIDATE CONSTRAINT f", "users", "RowShareLock")
    },
    lock("PG08", "ALTER TABLE users ALTER COLUMN age SET NOT NULL", "users", EXCLUSIVE),
    Lock { rewrites: true, ..lock("PG09", "ALTER TABLE users ALTER COLUMN age TYPE bigint", "users", EXCLUSIVE) },
    // What PG09 lets pass.
    lock("PG09", "ALTER TABLE users ALTER COLUMN email TYPE varchar(300)", "users", EXCLUSIVE),
    lock("PG09", "ALTER TABLE users ALTER COLUMN email TYPE text", "users", EXCLUSIVE),
    Lock {
        rewrites: true,
        ..lock("PG10", "ALTER TABLE users ADD COLUMN r float8 DEFAULT random()", "users", EXCLUSIVE)
    },
    Lock { rewrites: true, ..lock("PG10", "ALTER TABLE users ADD COLUMN n serial", "users", EXCLUSIVE) },
    Lock {
        rewrites: true,
        ..lock("PG10", "ALTER TABLE users ADD COLUMN g int GENERATED ALWAYS AS (age + 1) STORED", "users", EXCLUSIVE)
    },
    Lock {
        rewrites: true,
        ..lock("PG10", "ALTER TABLE users ADD COLUMN i int GENERATED ALWAYS AS IDENTITY", "users", EXCLUSIVE)
    },
    // What PG10 lets pass.
    lock("PG10", "ALTER TABLE users ADD COLUMN t timestamptz NOT NULL DEFAULT now()", "users", EXCLUSIVE),
    Lock {
        setup: &[
            "CREATE TYPE mood AS ENUM ('a')",
            "ALTER TABLE users ADD COLUMN m mood",
            "CREATE TYPE mood2 AS ENUM ('a', 'b')",
        ],
        rewrites: true,
        ..lock("PG12", "ALTER TABLE users ALTER COLUMN m TYPE mood2 USING m::text::mood2", "users", EXCLUSIVE)
    },
    lock("PG13", "ALTER TABLE users ADD COLUMN a int", "users", EXCLUSIVE),
    // Held until the transaction ends: what PG14 is about.
    Lock {
        setup: &["ALTER TABLE users ADD COLUMN a int"],
        ..lock("PG14", "UPDATE posts SET user_id = 2 WHERE id = 1", "users", EXCLUSIVE)
    },
    lock(
        "PG15",
        "CREATE TABLE c (id bigint PRIMARY KEY, u bigint REFERENCES users (id))",
        "users",
        "ShareRowExclusiveLock",
    ),
    lock("PG15", "ALTER TABLE posts ADD COLUMN u bigint REFERENCES users (id)", "users", "ShareRowExclusiveLock"),
    Lock {
        setup: &["ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)"],
        ..lock("PG15", "ALTER TABLE posts DROP CONSTRAINT f", "users", EXCLUSIVE)
    },
    Lock {
        setup: &["CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"],
        ..lock(
            "PG21",
            "CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION t()",
            "users",
            "ShareRowExclusiveLock",
        )
    },
    lock("PG21", "ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING btree (email WITH =)", "users", EXCLUSIVE),
    Lock { rewrites: true, ..lock("PG21", "CLUSTER users USING users_pkey", "users", EXCLUSIVE) },
    lock("PG21", "REINDEX TABLE users", "users", "ShareLock"),
];

#[tokio::test]
async fn postgres_takes_the_locks_that_the_rules_name() {
    let Some(place) = place(Kind::Postgres).await else { return };
    let mut wrong = Vec::new();
    for case in LOCKS {
        let mut connection = place.db.acquire().await.unwrap();
        connection.script("BEGIN").await.unwrap();
        let (mut held, mut written) = (Vec::new(), false);
        let mut failed = None;
        // What was set up before holds locks of its own, which are not what is asked about, except for PG14.
        for sql in case.setup {
            connection.script(sql).await.unwrap();
        }
        if case.rule != "PG14" && !case.setup.is_empty() {
            connection.script("COMMIT; BEGIN").await.unwrap();
        }
        let file = format!("SELECT pg_relation_filenode('{}')::text", case.table);
        let before = texts(&mut *connection, &file).await;
        match connection.script(case.sql).await {
            Ok(()) => {
                let locks = format!(
                    "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation = '{}'::regclass",
                    case.table
                );
                held = texts(&mut *connection, &locks).await;
                written = texts(&mut *connection, &file).await != before;
            }
            Err(error) => failed = Some(error),
        }
        connection.script("ROLLBACK").await.unwrap();
        drop(connection);
        if !case.setup.is_empty() && case.rule != "PG14" {
            // As it was, for the next one.
            place.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            for sql in TABLES {
                place.sql(sql).await;
            }
        }
        if failed.is_some() || !held.iter().any(|mode| mode == case.mode) || written != case.rewrites {
            wrong.push(format!("{}: {}: {held:?}, written anew: {written}, {failed:?}", case.rule, case.sql));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    place.end().await;
}

/// What is refused, with the code of the refusal.
#[tokio::test]
async fn postgres_refuses_what_the_rules_say() {
    let Some(place) = place(Kind::Postgres).await else { return };
    place.sql("CREATE TYPE mood AS ENUM ('a'); ALTER TABLE users ADD COLUMN m mood").await;
    for (rule, sql, code) in [
        ("PG02", "BEGIN; CREATE INDEX CONCURRENTLY i ON users (age)", "25001"),
        ("PG02", "BEGIN; DROP INDEX CONCURRENTLY posts_user_idx", "25001"),
        ("PG11", "BEGIN; ALTER TYPE mood ADD VALUE 'b'; UPDATE users SET m = 'b'", "55P04"),
    ] {
        let mut connection = place.db.acquire().await.unwrap();
        let mut failed = None;
        for part in sql.split("; ") {
            failed = connection.script(part).await.err();
        }
        assert_eq!(failed.as_ref().and_then(|error| error.code()), Some(code), "{rule}: {sql}: {failed:?}");
        connection.script("ROLLBACK").await.unwrap();
    }
    // An explicit cast cuts, the plain change of type refuses (PG16).
    place.sql("UPDATE users SET bio = 'abcdef'").await;
    assert!(place.try_sql("ALTER TABLE users ALTER COLUMN bio TYPE varchar(3)").await.is_err());
    place.sql("ALTER TABLE users ALTER COLUMN bio TYPE varchar(3) USING bio::varchar(3)").await;
    assert_eq!(place.number("SELECT count(*) FROM users WHERE bio = 'abc'").await, 2);
    // A column takes an index along that covers others too (PG19).
    place.sql("CREATE INDEX both_idx ON users (age, score); ALTER TABLE users DROP COLUMN score").await;
    assert_eq!(place.number("SELECT count(*) FROM pg_class WHERE relname = 'both_idx'").await, 0);
    // A column that numbers itself begins at 1, whatever there is (PG18).
    place.sql("ALTER TABLE users ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY").await;
    let error = place.try_sql("INSERT INTO users (email) VALUES ('c')").await.unwrap_err();
    assert_eq!(error.code(), Some("23505"));
    place.end().await;
}

/// A change on MariaDB, the quickest way in which the server makes it, and one in which it refuses.
struct Way {
    rule: &'static str,
    change: &'static str,
    takes: &'static str,
    refuses: Option<&'static str>,
}

const fn way(rule: &'static str, change: &'static str, takes: &'static str, refuses: &'static str) -> Way {
    Way { rule, change, takes, refuses: Some(refuses) }
}

const COPY: &str = "ALGORITHM=COPY";
const INPLACE: &str = "ALGORITHM=INPLACE";
const INSTANT: &str = "ALGORITHM=INSTANT";
const SHARED: &str = "LOCK=SHARED";
const NONE: &str = "LOCK=NONE";

const WAYS: &[Way] = &[
    way("MA06", "MODIFY age bigint NULL", COPY, INPLACE),
    way("MA06", "MODIFY short varchar(70) NULL", COPY, INPLACE),
    way("MA06", "MODIFY short varchar(5) NULL", COPY, INPLACE),
    way("MA06", "MODIFY short text NULL", COPY, INPLACE),
    way("MA06", "MODIFY mood enum('b','a') NULL", COPY, INPLACE),
    way("MA06", "MODIFY mood enum('a') NULL", COPY, INPLACE),
    way("MA06", "ADD COLUMN g int GENERATED ALWAYS AS (age + 1) STORED", COPY, INPLACE),
    way("MA06", "ADD CONSTRAINT c CHECK (age > 0)", COPY, INPLACE),
    way("MA06", "ADD CONSTRAINT f FOREIGN KEY (age) REFERENCES ages (age)", COPY, INPLACE),
    way("MA06", "ADD COLUMN u char(36) DEFAULT (uuid())", COPY, INPLACE),
    way("MA06", "MODIFY id bigint NOT NULL AUTO_INCREMENT", COPY, INPLACE),
    way("MA06", "CONVERT TO CHARACTER SET latin1", COPY, INPLACE),
    way("MA07", "MODIFY age int NOT NULL", INPLACE, INSTANT),
    way("MA07", "MODIFY score int NULL DEFAULT 0", INPLACE, INSTANT),
    way("MA07", "DROP PRIMARY KEY, ADD PRIMARY KEY (id, age)", INPLACE, INSTANT),
    way("MA07", "ADD FULLTEXT INDEX ft (bio)", SHARED, NONE),
    way("MA07", "DROP PRIMARY KEY, ADD COLUMN n bigint NOT NULL AUTO_INCREMENT PRIMARY KEY", SHARED, NONE),
    way("MA08", "ADD COLUMN a int", INSTANT, ""),
    way("MA08", "DROP COLUMN bio", INSTANT, ""),
    way("MA08", "RENAME COLUMN age TO years", INSTANT, ""),
    way("MA08", "ALTER COLUMN age SET DEFAULT 1", INSTANT, ""),
    way("MA08", "MODIFY mood enum('a','b','c') NULL", INSTANT, ""),
    way("MA08", "MODIFY short varchar(60) NULL", INSTANT, ""),
    way("MA08", "MODIFY email varchar(300) NOT NULL", INSTANT, ""),
];

#[tokio::test]
async fn mariadb_takes_the_ways_that_the_rules_name() {
    let Some(place) = place(Kind::Mysql).await else { return };
    place.sql("CREATE TABLE ages (age int PRIMARY KEY)").await;
    place.sql("INSERT INTO ages VALUES (18), (19)").await;
    let create = "CREATE OR REPLACE TABLE t (id bigint NOT NULL PRIMARY KEY, email varchar(200) NOT NULL, age int, \
                  score int NOT NULL DEFAULT 0, short varchar(50), bio text, mood enum('a','b')) DEFAULT CHARACTER SET utf8mb4";
    let mut wrong = Vec::new();
    for Way { rule, change, takes, refuses } in WAYS {
        place.sql(create).await;
        place.sql("INSERT INTO t (id, email, age) VALUES (1, 'a', 18), (2, 'b', 19)").await;
        if let Some(refuses) = refuses.filter(|word| !word.is_empty()) {
            let refused = place.try_sql(&format!("ALTER TABLE t {change}, {refuses}")).await;
            let code = refused.as_ref().err().and_then(|error| error.code().map(str::to_owned));
            if !matches!(code.as_deref(), Some("1845" | "1846" | "4134")) {
                wrong.push(format!("{rule}: {change}, {refuses} is not refused so: {refused:?}"));
                place.sql(create).await;
                place.sql("INSERT INTO t (id, email, age) VALUES (1, 'a', 18), (2, 'b', 19)").await;
            }
        }
        if let Err(error) = place.try_sql(&format!("ALTER TABLE t {change}, {takes}")).await {
            wrong.push(format!("{rule}: {change}, {takes}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    place.end().await;
}

#[tokio::test]
async fn mariadb_does_what_the_rules_say() {
    let Some(place) = place(Kind::Mysql).await else { return };
    // Values that nobody gave (MA03).
    place.sql("ALTER TABLE users ADD COLUMN a int NOT NULL").await;
    assert_eq!(place.number("SELECT COUNT(*) FROM users WHERE a = 0").await, 2);
    // What is left out is lost (MA05).
    place.sql("ALTER TABLE users MODIFY score int").await;
    let kept = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'users' \
                AND COLUMN_NAME = 'score' AND (IS_NULLABLE = 'NO' OR COLUMN_DEFAULT = '0')";
    assert_eq!(place.number(kept).await, 0);
    // Orphans are accepted while the checks are off (MA09).
    place.sql("INSERT INTO posts VALUES (2, 99)").await;
    let key = "ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)";
    assert!(place.try_sql(key).await.is_err());
    place.sql(&format!("SET foreign_key_checks = 0; {key}; SET foreign_key_checks = 1")).await;
    // A column under a foreign key (MA11), drop and add in one (MA12), an index that is needed (MA13).
    for (rule, sql, codes) in [
        ("MA11", "ALTER TABLE posts MODIFY user_id int", ["1832", "1833"]),
        ("MA11", "ALTER TABLE users MODIFY id int NOT NULL", ["1832", "1833"]),
        (
            "MA12",
            "ALTER TABLE posts DROP FOREIGN KEY f, ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
            ["1005", "121"],
        ),
        ("MA13", "DROP INDEX posts_user_idx ON posts", ["1553", "1553"]),
        ("MA16", "CREATE INDEX i ON users (age) WHERE age > 0", ["1064", "1064"]),
    ] {
        let error = place.try_sql(sql).await.err();
        let code = error.as_ref().and_then(|error| error.code());
        assert!(code.is_some_and(|code| codes.contains(&code)), "{rule}: {sql}: {error:?}");
    }
    // An index is shortened without a word (MA14).
    place.sql("CREATE INDEX both_idx ON users (age, score); ALTER TABLE users DROP COLUMN score").await;
    let parts = "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'both_idx'";
    assert_eq!(place.number(parts).await, 1);
    // DDL commits the rows that were changed (MA02).
    place.sql("START TRANSACTION; UPDATE users SET age = 1; ALTER TABLE users ADD COLUMN b int; ROLLBACK").await;
    assert_eq!(place.number("SELECT COUNT(*) FROM users WHERE age = 1").await, 2);
    place.end().await;
}

#[tokio::test]
async fn sqlite_does_what_the_rules_say() {
    let place = place(Kind::Sqlite).await.unwrap();
    for (rule, sql) in [
        ("SL09", "ALTER TABLE users ADD COLUMN c text UNIQUE"),
        ("SL09", "ALTER TABLE users ADD COLUMN c integer NOT NULL"),
        ("SL09", "ALTER TABLE users ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP"),
        ("SL09", "ALTER TABLE users ADD COLUMN c text DEFAULT (random())"),
        ("SL09", "ALTER TABLE users ADD COLUMN c integer AS (age + 1) STORED"),
        ("SL09", "ALTER TABLE users ADD COLUMN c integer DEFAULT 1 REFERENCES posts (id)"),
        ("SL10", "ALTER TABLE users DROP COLUMN id"),
        ("SL10", "ALTER TABLE posts DROP COLUMN user_id"),
        ("SL11", "ALTER TABLE users RENAME TO Users"),
    ] {
        assert!(place.try_sql(sql).await.is_err(), "{rule}: {sql}");
    }
    // DROP TABLE deletes the rows that point at it, deferred or not, and the pragma does nothing in a transaction (SL01).
    place.sql("CREATE TABLE c (u integer REFERENCES users (id) ON DELETE CASCADE); INSERT INTO c VALUES (1)").await;
    place.sql("BEGIN; PRAGMA foreign_keys = OFF; PRAGMA defer_foreign_keys = ON; DROP TABLE users; COMMIT").await;
    assert_eq!(place.number("SELECT count(*) FROM c").await, 0);
    // What points at a table follows it to its other name (SL02), and its indexes go with it (SL04).
    place
        .sql(
            "CREATE TABLE p (id integer PRIMARY KEY); CREATE INDEX p_idx ON p (id); CREATE TABLE k (p integer REFERENCES p (id)); \
             ALTER TABLE p RENAME TO p_old; CREATE TABLE p (id integer PRIMARY KEY); DROP TABLE p_old",
        )
        .await;
    assert_eq!(place.number("SELECT count(*) FROM sqlite_schema WHERE name = 'k' AND sql LIKE '%p_old%'").await, 1);
    assert_eq!(place.number("SELECT count(*) FROM sqlite_schema WHERE name = 'p_idx'").await, 0);
    // A rebuild fails under a view that names the table (SL03).
    place.sql("CREATE TABLE v (a integer); CREATE VIEW w AS SELECT a FROM v; CREATE TABLE v_new (a integer); DROP TABLE v").await;
    assert!(place.try_sql("ALTER TABLE v_new RENAME TO v").await.is_err());
    place.sql("DROP VIEW w").await;
    // SELECT * goes by place (SL05); a number that was used is given again (SL06).
    place
        .sql(
            "CREATE TABLE n (id integer PRIMARY KEY AUTOINCREMENT, a text); INSERT INTO n (a) VALUES ('x'), ('y'); \
             DELETE FROM n WHERE id = 2; CREATE TABLE n_new (a text, id integer PRIMARY KEY AUTOINCREMENT); \
             INSERT INTO n_new (id, a) SELECT id, a FROM n; DROP TABLE n; ALTER TABLE n_new RENAME TO n; INSERT INTO n (a) VALUES ('z'); \
             CREATE TABLE s (a text, id text); INSERT INTO s SELECT * FROM n",
        )
        .await;
    assert_eq!(place.number("SELECT max(id) FROM n").await, 2);
    // A cast makes a number of anything (SL07), lengths limit nothing and a key can be NULL (SL08).
    assert_eq!(place.number("SELECT CAST('abc' AS INTEGER)").await, 0);
    place
        .sql("CREATE TABLE l (k text PRIMARY KEY, n varchar(3)); INSERT INTO l VALUES (NULL, 'abcdef'), (NULL, 'x')")
        .await;
    assert_eq!(place.number("SELECT count(*) FROM l WHERE length(n) > 3 OR k IS NULL").await, 2);
    // The index of UNIQUE cannot be dropped (SL13).
    place.sql("CREATE TABLE q (n text UNIQUE)").await;
    assert!(place.try_sql("DROP INDEX sqlite_autoindex_q_1").await.is_err());
}
