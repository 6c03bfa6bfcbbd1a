//! Bulk inserts: `COPY` only where it does what an insert does.

use covet_drivers::contract::{Bulk, Connection, ConnectionState, Part, RowSupply};
use covet_drivers::postgres::PostgresDialect;
use covet_drivers::value::{Value, ValueWriter};
use covet_drivers::{ErrorKind, Result};

use crate::postgres::{Place, kind, number, run, text};

/// More rows than go as arrays in one statement.
const MANY: i64 = 2000;

/// One part of so many rows.
struct Supply {
    columns: Option<&'static [&'static str]>,
    next: i64,
    most: i64,
    row: fn(i64) -> Vec<Value>,
}

impl RowSupply for Supply {
    fn part(&mut self) -> Result<Option<Part>> {
        Ok(self.columns.take().map(|columns| Part::Rows(columns.iter().copied().collect())))
    }

    fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool> {
        self.next += 1;
        if self.next <= self.most {
            for value in (self.row)(self.next) {
                row.give(value)?;
            }
        }
        Ok(self.next <= self.most)
    }
}

async fn insert(
    connection: &mut dyn Connection,
    table: &'static str,
    columns: &'static [&'static str],
    most: i64,
    row: fn(i64) -> Vec<Value>,
) -> Result<u64> {
    let bulk = Bulk { table, dialect: &PostgresDialect };
    connection.insert_many(bulk, &mut Supply { columns: Some(columns), next: 0, most, row }).await
}

async fn ids(connection: &mut dyn Connection, table: &'static str, most: i64) -> Result<u64> {
    insert(connection, table, &["id"], most, |id| vec![Value::Int(id)]).await
}

#[tokio::test]
async fn rules_hold_for_many_rows_too() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let sql = "CREATE TABLE t (id bigint); CREATE TABLE log (id bigint);
        CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id)";
    connection.script(sql).await.unwrap();
    for rows in [2, MANY] {
        ids(connection.as_mut(), "t", rows).await.unwrap();
        assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM log").await, rows);
        connection.script("TRUNCATE log").await.unwrap();
    }
}

#[tokio::test]
async fn views_take_many_rows() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    connection.script("CREATE TABLE t (id bigint); CREATE VIEW v AS SELECT id FROM t").await.unwrap();
    assert_eq!(ids(connection.as_mut(), "v", MANY).await.unwrap(), MANY.unsigned_abs());
    assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM t").await, MANY);
}

#[tokio::test]
async fn row_level_security_holds_also_when_it_came_later() {
    let Some(place) = Place::new().await else { return };
    let mut owner = place.connect().await;
    let role = format!("{}_role", place.name);
    let sql = format!("CREATE TABLE t (id bigint); CREATE ROLE {role}; GRANT ALL ON t TO {role}");
    owner.script(&sql).await.unwrap();
    let mut other = place.connect().await;
    other.script(&format!("SET ROLE {role}")).await.unwrap();
    ids(other.as_mut(), "t", MANY).await.unwrap();
    let sql = "TRUNCATE t; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON t FOR ALL USING (true) WITH CHECK (id < 1500)";
    owner.script(sql).await.unwrap();
    for within in [false, true] {
        if within {
            run(other.as_mut(), "BEGIN", &[]).await.unwrap();
        }
        let error = ids(other.as_mut(), "t", MANY).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
        assert_eq!(number(other.as_mut(), "SELECT count(*) FROM t").await, 0);
        assert_eq!(ids(other.as_mut(), "t", 1400).await.unwrap(), 1400);
        if within {
            run(other.as_mut(), "ROLLBACK", &[]).await.unwrap();
        }
        owner.script("TRUNCATE t").await.unwrap();
    }
    other.close().await.unwrap();
    owner.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn the_right_to_insert_is_enough() {
    let Some(place) = Place::new().await else { return };
    let mut owner = place.connect().await;
    let role = format!("{}_writer", place.name);
    let sql = format!("CREATE TABLE t (id bigint); CREATE ROLE {role}; GRANT INSERT ON t TO {role}");
    owner.script(&sql).await.unwrap();
    let mut writer = place.connect().await;
    writer.script(&format!("SET ROLE {role}")).await.unwrap();
    for rows in [2, MANY] {
        assert_eq!(ids(writer.as_mut(), "t", rows).await.unwrap(), rows.unsigned_abs());
    }
    writer.close().await.unwrap();
    owner.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn a_column_that_insists_on_its_own_numbers_does() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let sql = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, n bigint)";
    connection.script(sql).await.unwrap();
    for rows in [2, MANY] {
        let error = ids(connection.as_mut(), "t", rows).await.unwrap_err();
        assert_eq!(error.code(), Some("428C9"), "{error}");
    }
    let n = |id| vec![Value::Int(id)];
    insert(connection.as_mut(), "t", &["n"], MANY, n).await.unwrap();
    assert_eq!(number(connection.as_mut(), "SELECT count(DISTINCT id) FROM t").await, MANY);
}

#[tokio::test]
async fn types_that_covet_has_no_value_for_go_as_text() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let sql = "CREATE DOMAIN small AS int CHECK (VALUE < 3000);
        CREATE TABLE t (a inet, b int[], c small, d interval, e varchar(5), f numeric(10, 2), g char(3))";
    connection.script(sql).await.unwrap();
    let row = |id: i64| {
        let [a, b, d] = ["10.0.0.1", "{1,NULL,3}", "1 day"].map(|text| Value::Text(text.into()));
        vec![a, b, Value::Int(id), d, Value::Text("abcde".into()), Value::Null, Value::Text("ab".into())]
    };
    for rows in [2, MANY] {
        insert(connection.as_mut(), "t", &["a", "b", "c", "d", "e", "f", "g"], rows, row).await.unwrap();
    }
    let sql = "SELECT concat(host(a), b, d, e, g, '.') FROM t WHERE c = 2000";
    assert_eq!(text(connection.as_mut(), sql).await, "10.0.0.1{1,NULL,3}P1Dabcdeab .");
    // Without the foreign columns it is `COPY`; what the others refuse they refuse.
    let domain = insert(connection.as_mut(), "t", &["c"], 3500, |id| vec![Value::Int(id)]).await;
    assert_eq!(kind(domain), Some(ErrorKind::Check));
    for rows in [2, MANY] {
        let long = |_| vec![Value::Text("abcdef".into())];
        assert_eq!(kind(insert(connection.as_mut(), "t", &["e"], rows, long).await), Some(ErrorKind::OutOfRange));
        let wrong = |_| vec![Value::Text("no address".into())];
        let error = insert(connection.as_mut(), "t", &["a"], rows, wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!error.to_string().contains("no address"), "{error}");
    }
    assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM t").await, MANY + 2);
}

/// The binary format has no types: eight bytes of a number are also eight bytes of a time.
#[tokio::test]
async fn a_type_of_the_same_length_is_not_mistaken_for_the_old_one() {
    let Some(place) = Place::new().await else { return };
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (id bigint)").await.unwrap();
    for rows in [2, MANY] {
        ids(two.as_mut(), "t", rows).await.unwrap();
    }
    one.script("TRUNCATE t; ALTER TABLE t ALTER id TYPE double precision").await.unwrap();
    for rows in [2, MANY] {
        ids(two.as_mut(), "t", rows).await.unwrap();
        assert_eq!(number(one.as_mut(), "SELECT sum(id)::bigint FROM t").await, rows * (rows + 1) / 2);
        one.script("TRUNCATE t").await.unwrap();
    }
    one.script("ALTER TABLE t ALTER id TYPE timestamptz USING to_timestamp(id)").await.unwrap();
    for rows in [MANY, 2] {
        assert_eq!(kind(ids(two.as_mut(), "t", rows).await), Some(ErrorKind::InvalidInput));
        assert_eq!(two.state(), ConnectionState::Idle);
    }
    assert_eq!(number(two.as_mut(), "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn what_the_commit_refuses_is_an_error() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    connection.script("CREATE TABLE t (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    for rows in [2, MANY] {
        let twice = |id: i64| vec![Value::Int(id / 2)];
        let error = insert(connection.as_mut(), "t", &["id"], rows + 1, twice).await.unwrap_err();
        assert_eq!((error.kind(), error.constraint()), (ErrorKind::Unique, Some("t_id_key")), "{error}");
        assert_eq!(connection.state(), ConnectionState::Idle);
        assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM t").await, 0);
    }
}

#[tokio::test]
async fn without_a_cache_of_statements_too() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.with("statement_cache_size=0").connect().await.unwrap();
    connection.script("CREATE TABLE t (id bigint)").await.unwrap();
    for rows in [2, MANY, MANY] {
        assert_eq!(ids(connection.as_mut(), "t", rows).await.unwrap(), rows.unsigned_abs());
    }
}

/// A trigger may keep rows out; they are not counted.
#[tokio::test]
async fn rows_that_a_trigger_keeps_out_are_not_counted() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let sql = "CREATE TABLE t (id bigint);
        CREATE FUNCTION even() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.id % 2 = 0 THEN RETURN NEW; END IF; RETURN NULL; END $$;
        CREATE TRIGGER e BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION even()";
    connection.script(sql).await.unwrap();
    for rows in [2, MANY] {
        assert_eq!(ids(connection.as_mut(), "t", rows).await.unwrap(), (rows / 2).unsigned_abs());
    }
}

#[tokio::test]
async fn a_refusal_of_the_statement_as_a_whole_leaves_the_session_in_step() {
    let Some(place) = Place::new().await else { return };
    let (mut connection, mut other) = (place.connect().await, place.connect().await);
    connection.script("CREATE TABLE t (id bigint)").await.unwrap();
    ids(other.as_mut(), "t", MANY).await.unwrap();
    let sql = "TRUNCATE t; CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'never' USING ERRCODE = '23514'; END $$;
        CREATE TRIGGER n BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION never()";
    connection.script(sql).await.unwrap();
    for connection in [connection.as_mut(), other.as_mut()] {
        assert_eq!(kind(ids(connection, "t", MANY).await), Some(ErrorKind::Check));
        assert_eq!(connection.state(), ConnectionState::Idle);
        for n in 0..5 {
            assert_eq!(number(connection, &format!("SELECT {n}::bigint + count(*) FROM t")).await, n);
        }
    }
    // A lock that is not had in time, and a transaction that only reads.
    connection.script("DROP TRIGGER n ON t; SET lock_timeout = 100").await.unwrap();
    run(other.as_mut(), "BEGIN", &[]).await.unwrap();
    run(other.as_mut(), "LOCK TABLE t", &[]).await.unwrap();
    assert_eq!(kind(ids(connection.as_mut(), "t", MANY).await), Some(ErrorKind::LockTimeout));
    assert_eq!(connection.state(), ConnectionState::Idle);
    run(other.as_mut(), "ROLLBACK", &[]).await.unwrap();
    ids(connection.as_mut(), "t", MANY).await.unwrap();
    connection.script("SET default_transaction_read_only = on").await.unwrap();
    for rows in [MANY, 2] {
        assert_eq!(kind(ids(connection.as_mut(), "t", rows).await), Some(ErrorKind::ReadOnly));
        assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM t").await, MANY);
    }
}
