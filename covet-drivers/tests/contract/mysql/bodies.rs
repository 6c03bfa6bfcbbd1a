//! Scripts with bodies of all forms: each arrives as the one statement that it is.

use covet_drivers::ErrorKind;

use crate::mysql::{exec, number, on_mysql};

/// For both servers. What stands behind the last body is run as well.
const BODIES: &str = "
    CREATE TABLE event (id INT PRIMARY KEY AUTO_INCREMENT, begin INT, `end` INT);
    CREATE INDEX trigger_begin ON event (begin);
    CREATE TABLE t (a INT, b INT);
    CREATE TRIGGER capped BEFORE INSERT ON t FOR EACH ROW
        IF NEW.a > 9 THEN SET NEW.a = 9; SET NEW.b = IF(NEW.b, 1, 2); END IF;
    CREATE TRIGGER begin AFTER UPDATE ON t FOR EACH ROW
        CASE NEW.a WHEN 1 THEN INSERT INTO event (begin, end) VALUES (1, 2); ELSE BEGIN END; END CASE;
    CREATE DEFINER = CURRENT_USER() PROCEDURE during(IN n INT) MODIFIES SQL DATA
        WHILE n > CASE WHEN 1 THEN 0 END DO INSERT INTO t VALUES (n, 0); SET n = n - 1; END WHILE;
    CREATE PROCEDURE looped() COMMENT 'begin' SQL SECURITY INVOKER
        l: LOOP INSERT INTO t VALUES (20, 1); LEAVE l; END LOOP l;
    CREATE PROCEDURE repeated()
        REPEAT INSERT INTO t VALUES (30, 1); UNTIL CASE WHEN 1 THEN 1 END = 1 END REPEAT;
    CREATE PROCEDURE whole(IN n INT) l: BEGIN
        DECLARE found INT DEFAULT CASE WHEN n THEN 1 ELSE 0 END;
        DECLARE c CURSOR FOR SELECT a FROM t FOR UPDATE;
        DECLARE EXIT HANDLER FOR SQLSTATE '45000' IF n > 0 THEN DELETE FROM t; END IF;
        DECLARE CONTINUE HANDLER FOR NOT FOUND, 1062 BEGIN SET found = 0; END;
        DROP TABLE IF EXISTS nowhere;
        OPEN c; FETCH c INTO found; CLOSE c;
        IF n = 0 THEN LEAVE l; ELSEIF n = 1 THEN SET found = REPEAT('1', 1); ELSE
            CASE WHEN n = 2 THEN SIGNAL SQLSTATE '45000'; ELSE SET found = 2; END CASE;
        END IF;
    END l;
    CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN IF(n, CASE WHEN 1 THEN n * 2 END, 0);
    CREATE FUNCTION sign_of(n INT) RETURNS VARCHAR(1) CHARACTER SET utf8mb4 DETERMINISTIC
        IF n < 0 THEN RETURN '-'; ELSE RETURN '+'; END IF;
    CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY ON COMPLETION PRESERVE DISABLE
        DO IF 1 THEN DELETE FROM t; DELETE FROM event; END IF;
    ALTER EVENT e DO BEGIN DELETE FROM event; DELETE FROM t; END;
    INSERT INTO t VALUES (1, 1)";

const OF_MARIADB: &str = "
    CREATE OR REPLACE PROCEDURE counted() FOR i IN 1..3 DO INSERT INTO t VALUES (i, 0); END FOR;
    CREATE OR REPLACE PROCEDURE read_all() BEGIN NOT ATOMIC
        FOR r IN (SELECT a FROM t FOR UPDATE) DO FOR i IN REVERSE 1..r.a DO INSERT INTO event (begin) VALUES (i); END FOR; END FOR;
    END;
    CREATE SEQUENCE sequence;
    BEGIN NOT ATOMIC IF 1 THEN INSERT INTO t VALUES (2, 0); END IF; INSERT INTO t VALUES (3, 0); END;
    IF (SELECT COUNT(*) FROM t) > 0 THEN DELETE FROM t; INSERT INTO t VALUES (2, 0); END IF;
    CALL read_all(); CALL counted()";

#[test]
fn a_body_is_one_statement_whatever_it_is_made_of() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        conn.script(BODIES).await.unwrap();
        let conn = conn.as_mut();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t WHERE a = 1").await, 1);
        conn.script("CALL during(3); CALL looped(); CALL repeated(); CALL whole(0); CALL whole(1)").await.unwrap();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, 6);
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t WHERE a = 9 AND b = 1").await, 2);
        conn.script("UPDATE t SET b = 5 WHERE a = 1").await.unwrap();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM event WHERE begin = 1 AND `end` = 2").await, 2);
        assert_eq!(number(conn, "SELECT twice(2) + (sign_of(-1) = '-')").await, 5);
        let told = "SELECT EVENT_DEFINITION LIKE 'BEGIN%event; DELETE FROM t; END' FROM information_schema.EVENTS \
            WHERE EVENT_SCHEMA = DATABASE()";
        assert_eq!(number(conn, told).await, 1);
        conn.script("CALL whole(2)").await.unwrap();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, 0, "the handler's IF");
        if conn.server().product == "MariaDB" {
            conn.script(OF_MARIADB).await.unwrap();
            assert_eq!(number(conn, "SELECT SUM(a) FROM t").await, 8);
            assert_eq!(number(conn, "SELECT COUNT(*) FROM event").await, 4);
        }
    });
}

/// A text that is to be one statement is one where its body has semicolons, and two are refused as before.
#[test]
fn one_statement_may_have_a_body_and_two_are_refused() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (a INT)").await.unwrap();
        let body = "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET NEW.a = 1; END IF";
        exec(conn, body, &[]).await.unwrap();
        for two in [
            "CREATE TRIGGER h BEFORE DELETE ON t FOR EACH ROW SET @a = IF(1, 2, 3); DROP TABLE t",
            "BEGIN; DROP TABLE t",
        ] {
            let error = exec(conn, two, &[]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Syntax, "{error}");
        }
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, 0);
    });
}
