//! What a schema has no word for is told, each by kind, name and table; schemas there are none.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{ConnectUrl, Introspect};
use covet_drivers::mysql::MySqlIntrospect;

use crate::mysql::{Db, number, on_mysql};

#[test]
fn what_no_model_says_is_told() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        assert_eq!(MySqlIntrospect.unmodelled(conn, &[]).await.unwrap(), []);
        for sql in [
            "CREATE TABLE t (id BIGINT PRIMARY KEY, a VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci, \
             at TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP, FULLTEXT INDEX words (a), INDEX begins (a(5)))",
            "CREATE VIEW v AS SELECT 1 AS x",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 1",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t",
            "CREATE TABLE old (id BIGINT PRIMARY KEY) ENGINE = MyISAM",
            "CREATE TABLE `a.b` (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
            "CREATE TABLE _covet_migrations (id INT) ENGINE = MyISAM",
        ] {
            conn.script(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        let found = MySqlIntrospect.unmodelled(conn, &[]).await.unwrap();
        assert!(found.is_sorted());
        let mut told: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} of {}", one.kind, one.name, one.table.as_deref().unwrap_or("-")))
            .collect();
        told.sort_unstable();
        let mut wanted = [
            "collation t of t",
            "value on update at of t",
            "index words of t",
            "index begins of t",
            "view v of -",
            "trigger g of t",
            "procedure p of -",
            "event e of -",
            "engine old of old",
            "partitioning a.b of \"a.b\"",
        ];
        wanted.sort_unstable();
        assert_eq!(told, wanted);
        let names: Vec<String> =
            MySqlIntrospect.read(conn, &[]).await.unwrap().tables.into_iter().map(|table| table.name).collect();
        assert_eq!(names, ["\"a.b\"", "old", "t"]);
    });
}

#[test]
fn a_schema_is_refused_by_name() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let schemas = ["billing".to_owned()];
        for error in [
            MySqlIntrospect.read(conn.as_mut(), &schemas).await.unwrap_err(),
            MySqlIntrospect.unmodelled(conn.as_mut(), &schemas).await.unwrap_err(),
        ] {
            let told = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(told.contains("the schema billing") && told.contains("a schema is a database"), "{told}");
        }
    });
}

/// A view is created anew from what is told of it, in whatever database: the name of the one it was read from is gone, and
/// the name of a table, or of what stands for one, that is the same stays.
#[test]
fn a_view_may_name_a_table_that_is_called_as_the_database() {
    on_mysql(async |db| {
        let own = db.url.database().unwrap().to_owned();
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let tables = format!(
            "CREATE TABLE `{own}` (id INT PRIMARY KEY, at DATE); CREATE TABLE u (id INT, at DATE); \
             INSERT INTO `{own}` VALUES (1, '2001-01-01'), (2, '2002-01-01'); INSERT INTO u VALUES (2, '2003-01-01')"
        );
        conn.script(&tables).await.unwrap();
        let views = [
            format!("SELECT `{own}`.id FROM `{own}` JOIN u ON u.id = `{own}`.id"),
            format!(
                "SELECT `{own}`.id, EXTRACT(YEAR FROM `{own}`.at) AS year FROM u AS `{own}`, u WHERE u.id = `{own}`.id"
            ),
            format!(
                "SELECT `{own}`.id FROM (`{own}` LEFT JOIN u ON u.id = `{own}`.id) WHERE EXISTS (SELECT 1 FROM `{own}` w WHERE w.id > `{own}`.id)"
            ),
            format!(
                "WITH w AS (SELECT id FROM `{own}`) SELECT `{own}`.id FROM w AS `{own}` JOIN u ON u.id = `{own}`.id"
            ),
        ];
        for (at, view) in views.iter().enumerate() {
            conn.script(&format!("CREATE VIEW v{at} AS {view}")).await.unwrap();
        }
        let found = MySqlIntrospect.unmodelled(conn, &[]).await.unwrap();
        let other = format!("{own}_other");
        conn.script(&format!("CREATE DATABASE `{other}`")).await.unwrap();
        let elsewhere = Db { url: db.url.with_database(&other), text: db.text.clone() };
        let mut there = elsewhere.connect().await;
        let there = there.as_mut();
        there.script(&tables).await.unwrap();
        let mut told = Vec::new();
        for at in 0..views.len() {
            let one = found.iter().find(|one| one.name == format!("v{at}")).unwrap();
            let text = one.definition.as_deref().unwrap();
            let made = there.script(&format!("CREATE VIEW v{at} AS {text}")).await;
            let reads = format!("SELECT SUM(id) FROM v{at}");
            let sums = match made {
                Ok(()) => format!("{} and {}", number(conn, &reads).await, number(there, &reads).await),
                Err(error) => error.to_string(),
            };
            let foreign = format!(
                "SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '{other}' AND \
                 VIEW_DEFINITION LIKE '%from%`{own}`.`{own}`%'"
            );
            told.push((sums, number(there, &foreign).await, text.to_owned()));
        }
        conn.script(&format!("DROP DATABASE `{other}`")).await.unwrap();
        let sums: Vec<(&str, i64)> = told.iter().map(|(sums, foreign, _)| (sums.as_str(), *foreign)).collect();
        assert_eq!(sums, [("2 and 2", 0), ("2 and 2", 0), ("1 and 1", 0), ("2 and 2", 0)], "{told:#?}");
    });
}

/// Whoever may not see a text is told so, by name; it is not taken for an empty one.
#[test]
fn a_text_that_is_not_shown_is_said_to_be_hidden() {
    on_mysql(async |db| {
        let own = db.url.database().unwrap();
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script(&format!(
            "CREATE TABLE t (id INT); CREATE VIEW v AS SELECT id FROM t; \
             CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1; \
             CREATE USER {own} IDENTIFIED BY 'Reader1!'; GRANT SELECT, EXECUTE ON `{own}`.* TO {own}"
        ))
        .await
        .unwrap();
        let (scheme, rest) = db.text.split_once("://").unwrap();
        let text = format!("{scheme}://{own}:Reader1!@{}", rest.split_once('@').unwrap().1);
        let reader = Db { url: text.parse::<ConnectUrl>().unwrap().with_database(own), text };
        let mut there = reader.connect().await;
        let found = MySqlIntrospect.unmodelled(there.as_mut(), &[]).await;
        there.close().await.unwrap();
        conn.script(&format!("GRANT SHOW VIEW ON `{own}`.* TO {own}")).await.unwrap();
        let mut there = reader.connect().await;
        let shown = MySqlIntrospect.unmodelled(there.as_mut(), &[]).await;
        there.close().await.unwrap();
        conn.script(&format!("DROP USER {own}")).await.unwrap();
        let said: Vec<(String, Option<String>)> =
            found.unwrap().into_iter().map(|one| (one.to_string(), one.definition)).collect();
        let hidden = "its text is not shown to this user, who needs";
        let wanted = [
            (format!("function f: {hidden} to be its owner or to have the right to see all routines"), None),
            (format!("view v: {hidden} the right SHOW VIEW"), None),
        ];
        assert_eq!(said, wanted);
        let view = shown.unwrap().into_iter().find(|one| one.kind == "view").unwrap();
        assert_eq!((view.definition.as_deref(), &*view.detail), (Some("select `t`.`id` AS `id` from `t`"), ""));
    });
}
