//! What a schema has no word for is told, each by kind, name and table; schemas there are none.

use covet_drivers::ErrorKind;
use covet_drivers::contract::Introspect;
use covet_drivers::mysql::MySqlIntrospect;

use crate::mysql::on_mysql;

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
