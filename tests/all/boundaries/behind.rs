//! What others wrote behind Covet's back: an error of kind `Decode` that names model and field, on every path.

use covet_orm::model::Record as _;
use covet_orm::prelude::*;
use covet_orm::query::Insert;
use covet_orm::{Error, ErrorKind};
use covet_tests::{Kind, TestDb, on_each_database};
use futures_util::TryStreamExt as _;

use super::models::{Edge, EdgeKey, EdgeLink, Mood};
use super::paths::assert_refused;

/// What stands in a column: on SQLite a value in a table that takes any, elsewhere a type and a value of it.
type Wrong = (&'static str, &'static str, &'static str);

/// A list of errors for each field, in the order SQLite, PostgreSQL, MySQL.
macro_rules! wrong {
    ($db:expr, $($field:ident: $sqlite:expr, $postgres:expr, $mysql:expr;)+) => {$(
        let name = stringify!($field);
        put($db, name, [$sqlite, $postgres, $mysql]).await?;
        let wanted = (ErrorKind::Decode, "Edge", name);
        let streamed: Result<Vec<_>, Error> = Edge::query().stream($db).try_collect().await;
        let picked: Result<Vec<_>, Error> = Edge::query().select(Edge::$field).stream($db).try_collect().await;
        for (path, result) in [
            ("find", Edge::find(1).one($db).await.map(drop)),
            ("all", Edge::query().all($db).await.map(drop)),
            ("first", Edge::query().first($db).await.map(drop)),
            ("one", Edge::query().one($db).await.map(drop)),
            ("select", Edge::query().select(Edge::$field).all($db).await.map(drop)),
            ("select of two", Edge::query().select((Edge::id, Edge::$field)).first($db).await.map(drop)),
            ("stream", streamed.map(drop)),
            ("select, stream", picked.map(drop)),
        ] {
            assert_refused(path, result, wanted);
        }
        $db.raw(&format!("UPDATE edges SET {} = NULL", quoted($db, name))).await?;
        Edge::find(1).one($db).await.map_err(|error| format!("{name} is NULL again: {error}"))?;
    )+};
}

/// Makes the column one that can hold it, and puts it there.
async fn put(db: &TestDb, column: &str, wrong: [Wrong; 3]) -> covet_orm::Result<()> {
    let [(sqlite, ..), postgres, mysql] = wrong;
    let (ty, value) = match db.kind() {
        Kind::Sqlite => return db.raw(&format!("UPDATE edges SET {column} = {sqlite}")).await,
        Kind::Postgres => (postgres.0, postgres.1),
        Kind::Mysql => (mysql.0, mysql.1),
    };
    let name = quoted(db, column);
    db.raw(&format!("ALTER TABLE edges DROP COLUMN {name}")).await?;
    db.raw(&format!("ALTER TABLE edges ADD COLUMN {name} {ty}")).await?;
    db.raw(&format!("UPDATE edges SET {name} = {value}")).await
}

fn quoted(db: &TestDb, column: &str) -> String {
    let mut out = String::new();
    db.backend().dialect().identifier(column, &mut out);
    out
}

const fn any(value: &'static str) -> Wrong {
    (value, "", "")
}

const fn of(ty: &'static str, value: &'static str) -> Wrong {
    (ty, value, "")
}

/// On SQLite a table of the same columns that takes every value.
async fn one_row(db: &TestDb) -> covet_orm::Result<()> {
    Insert::<Edge>::new().given::<i64>(Edge::id.meta(), 1).exec(db).await?;
    if db.kind() == Kind::Sqlite {
        db.raw("ALTER TABLE edges RENAME TO strict; CREATE TABLE edges AS SELECT * FROM strict WHERE 0").await?;
        let columns: Vec<&str> = Edge::meta().columns.iter().map(|column| column.column).collect();
        db.raw(&format!("DROP TABLE edges; CREATE TABLE edges ({})", columns.join(", "))).await?;
        db.raw("INSERT INTO edges SELECT * FROM strict; DROP TABLE strict").await?;
    }
    Ok(())
}

on_each_database! {
    async fn numbers_that_others_wrote(db: &TestDb) -> Outcome {
        one_row(db).await?;
        wrong! { db,
            a_bool: any("2"), of("integer", "2"), of("tinyint", "2");
            a_bool: any("'true'"), of("text", "'true'"), of("varchar(5)", "'true'");
            an_i8: any("128"), of("smallint", "128"), of("smallint", "-129");
            an_i16: any("-32769"), of("integer", "32768"), of("int", "32768");
            an_i32: any("2147483648"), of("bigint", "-2147483649"), of("bigint", "2147483648");
            an_i64: any("9223372036854775808"), of("numeric", "9223372036854775808"), of("bigint unsigned", "9223372036854775808");
            an_i64: any("1.5"), of("numeric", "1.5"), of("decimal(3, 1)", "1.5");
            an_i64: any("'1'"), of("text", "'1'"), of("varchar(5)", "'x'");
            a_u8: any("256"), of("smallint", "256"), of("smallint", "256");
            a_u8: any("-1"), of("smallint", "-1"), of("smallint", "-1");
            a_u16: any("65536"), of("integer", "65536"), of("int", "65536");
            a_u32: any("4294967296"), of("bigint", "4294967296"), of("bigint", "4294967296");
            a_u64: any("-1"), of("bigint", "-1"), of("bigint", "-1");
            an_f32: any("0.1"), of("double precision", "0.1"), of("double", "0.1");
            an_f32: any("1e39"), of("double precision", "1e39"), of("double", "1e39");
            an_f64: any("9223372036854775807"), of("bigint", "1"), of("bigint", "9223372036854775807");
            an_f64: any("'x'"), of("text", "'x'"), of("varchar(5)", "'x'");
            digit: any("10"), of("numeric", "10"), of("decimal(3, 0)", "10");
            digit: any("1.5"), of("numeric", "'NaN'"), of("decimal(3, 1)", "1.5");
            fraction: any("1000000000000000000"), of("numeric", "1"), of("int", "1");
            decimal: any("1000000000000000000"), of("numeric", "0.0000001"), of("decimal(20, 7)", "0.0000001");
            decimal: any("1.5"), of("numeric", "'Infinity'"), of("varchar(5)", "'x'");
            wide: any("1"), of("text", "'1'"), of("varchar(5)", "'1e3'");
            wide: any("'x'"), of("numeric", "1000000000000000000"), of("decimal(38, 0)", "1000000000000000000");
            // Within the column's range, and beyond what the field can hold.
            huge: any("'099999999999999999999999999999999999999'"),
                of("numeric(38, 0)", "99999999999999999999999999999999999999"),
                of("decimal(38, 0)", "99999999999999999999999999999999999999");
        }
        Ok(())
    }

    async fn texts_that_others_wrote(db: &TestDb) -> Outcome {
        one_row(db).await?;
        wrong! { db,
            text: any("42"), of("integer", "42"), of("int", "42");
            text: any("X'ff'"), of("bytea", "'x'"), of("varbinary(5)", "X'ff'");
            text: any("CAST(X'61ff' AS TEXT)"), of("boolean", "true"), of("blob", "X'c328'");
            short: any("1.5"), of("double precision", "1.5"), of("double", "1.5");
            email: any("42"), of("integer", "42"), of("int", "42");
            bytes: any("'x'"), of("text", "'x'"), of("int", "5");
            uuid: any("'2027aaaa-0000-7000-8000-000000000000'"), of("text", "'x'"), of("varchar(40)", "'not a uuid'");
            uuid: any("X'000102030405060708090a0b0c0d0e'"), of("bytea", "'x'"), of("varbinary(16)", "X'000102030405060708090a0b0c0d0e'");
            mood: any("'Furious'"), of("text", "'Furious'"), of("varchar(20)", "'Furious'");
            mood: any("'LOW'"), of("text", "''"), of("varchar(20)", "'LOW'");
            mood: any("1"), of("integer", "1"), of("int", "1");
            json: any("'{'"), of("text", "'{}'"), of("longtext", "'{'");
            json: any("X'7b7d'"), of("boolean", "true"), of("int", "1");
            list: any("'{\"a\": 1}'"), of("jsonb", "'{\"a\": 1}'"), of("longtext", "'{\"a\": 1}'");
            list: any("'[2147483648]'"), of("jsonb", "'[2147483648]'"), of("longtext", "'[2147483648]'");
        }
        Ok(())
    }

    async fn times_that_others_wrote(db: &TestDb) -> Outcome {
        one_row(db).await?;
        wrong! { db,
            date: any("'2024-02-30'"), of("date", "'infinity'"), of("varchar(20)", "'2024-02-30'");
            date: any("'10000-01-01'"), of("date", "'5874897-12-31'"), of("datetime", "'2024-01-01 12:00:00'");
            date: any("20240101"), of("text", "'2024-01-01'"), of("int", "20240101");
            time: any("'24:00:00'"), of("time", "'24:00'"), of("time", "'24:00:00'");
            time: any("'1:00'"), of("interval", "'1 hour'"), of("time", "'-01:00:00'");
            datetime: any("'yesterday'"), of("timestamp", "'-infinity'"), of("varchar(20)", "'yesterday'");
            datetime: any("'2024-01-01 25:00:00'"), of("timestamptz", "now()"), of("varchar(20)", "'2024-01-01 25:00:00'");
            timestamp: any("1704067200"), of("timestamp", "'2024-01-01'"), of("int", "1704067200");
            timestamp: any("'2024-01-01T00:00:00Z'"), of("timestamptz", "'294276-12-31 23:59:59.999999+00'"), of("varchar(30)", "'2024-01-01T00:00:00Z'");
        }
        Ok(())
    }

    async fn a_label_that_the_database_does_not_know(db: &TestDb) -> Outcome {
        db.raw(match db.kind() {
            Kind::Sqlite => {
                r#"DROP TABLE edge_links; DROP TABLE edge_keys; CREATE TABLE edge_keys (id INTEGER PRIMARY KEY,
                 mood TEXT CONSTRAINT "edge_keys_mood_check" CHECK ('mood' <> '' AND mood IN ('low'))) STRICT"#
            }
            Kind::Postgres => "ALTER TYPE mood RENAME VALUE 'it''s \\ \"high\"' TO 'highest'",
            Kind::Mysql => "ALTER TABLE edge_links DROP FOREIGN KEY edge_links_mood_fkey; ALTER TABLE edge_keys MODIFY mood enum('low')",
        })
        .await?;
        let new = || Insert::<EdgeKey>::new().given::<Option<Mood>>(EdgeKey::mood.meta(), Some(Mood::High));
        let low = Insert::<EdgeKey>::new().given::<Option<Mood>>(EdgeKey::mood.meta(), Some(Mood::Low));
        let wanted = (ErrorKind::InvalidInput, "EdgeKey", "mood");
        assert_refused("insert_many", EdgeKey::insert_many([new()]).exec(db).await.map(drop), wanted);
        if db.kind() != Kind::Sqlite {
            low.exec(db).await?;
            assert_refused("create", new().exec(db).await.map(drop), wanted);
        }
        let update = EdgeKey::query().filter(EdgeKey::id.gt(0)).update().set(EdgeKey::mood, Some(Mood::High)).exec(db).await;
        if db.kind() != Kind::Sqlite {
            assert_refused("query update", update.map(drop), wanted);
        }
        Ok(())
    }

    async fn a_related_row_that_others_wrote(db: &TestDb) -> Outcome {
        let key = Insert::<EdgeKey>::new()
            .given::<Option<i64>>(EdgeKey::an_i64.meta(), Some(7))
            .given::<Option<i32>>(EdgeKey::an_i32.meta(), Some(8))
            .exec(db)
            .await?;
        Insert::<EdgeLink>::new().given::<Option<i64>>(EdgeLink::an_i64.meta(), Some(7)).exec(db).await?;
        let wide = match db.kind() {
            Kind::Sqlite => "PRAGMA ignore_check_constraints = ON; UPDATE edge_keys SET an_i32 = 2147483648; PRAGMA ignore_check_constraints = OFF",
            Kind::Postgres => "ALTER TABLE edge_links DROP CONSTRAINT edge_links_an_i32_fkey; ALTER TABLE edge_keys ALTER COLUMN an_i32 TYPE bigint; UPDATE edge_keys SET an_i32 = 2147483648",
            Kind::Mysql => "ALTER TABLE edge_links DROP FOREIGN KEY edge_links_an_i32_fkey; ALTER TABLE edge_keys MODIFY an_i32 bigint; UPDATE edge_keys SET an_i32 = 2147483648",
        };
        db.raw(wide).await?;
        let wanted = (ErrorKind::Decode, "EdgeKey", "an_i32");
        let mut link = EdgeLink::query().one(db).await?;
        assert_refused("include", EdgeLink::query().include(EdgeLink::to_an_i64).all(db).await.map(drop), wanted);
        assert_refused("load", EdgeLink::to_an_i64.load(&mut link, db).await, wanted);
        assert_refused("of", EdgeLink::to_an_i64.of(&link).one(db).await.map(drop), wanted);
        assert_refused("find by", EdgeKey::find_by_an_i64(7).one(db).await.map(drop), wanted);
        assert_eq!(EdgeKey::query().select(EdgeKey::id).one(db).await?, key.id);
        Ok(())
    }
}
