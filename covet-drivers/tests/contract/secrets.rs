//! No secret in any output (F8), and no value that the server repeats (F9): whatever goes wrong, neither errors nor
//! debug prints nor the logs at their finest level, the drivers' among them, hold one.

use std::error::Error as _;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use covet_drivers::contract::{Command, ConnectUrl, Connection, Password, Reuse, adapter_for};
use covet_drivers::value::Value;
use covet_drivers::{Error, Result};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Stands for every secret, and nowhere else.
const CANARY: &str = "canary7f3a";

/// What was logged with the canary in it, and how much was logged at all.
struct Log {
    sung: Vec<String>,
    lines: usize,
}

static LOG: Mutex<Log> = Mutex::new(Log { sung: Vec::new(), lines: 0 });

fn heard(line: &str) {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    log.lines += 1;
    if line.contains(CANARY) {
        log.sung.push(line.to_owned());
    }
}

/// Listens to both facades of logging, in the whole process.
struct Ear;

impl log::Log for Ear {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        heard(&format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        heard(&line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        heard(&line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        heard(&line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Ear).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
        tracing::subscriber::set_global_default(Ear).expect("no other subscriber");
    });
}

/// Everything that an error can show of itself.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?} {} {:?}", error.message(), error.help());
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(shown, " {cause} {cause:?}");
        next = cause.source();
    }
    shown
}

async fn connect(url: &str) -> Result<Box<dyn Connection>> {
    let parsed: ConnectUrl = url.parse()?;
    let backend = adapter_for(parsed.scheme())?.open(&parsed)?;
    let print = format!("{parsed} {parsed:?} {:?} {backend:?} {}", parsed.parameters(), backend.target());
    assert!(!print.contains(CANARY), "{print}");
    let connection = backend.connect().await?;
    let print = format!("{connection:?}");
    assert!(!print.contains(CANARY), "{print}");
    Ok(connection)
}

/// Tries to connect in ways that all fail, with the secret wherever one can stand.
async fn fails(urls: &[String]) {
    listen();
    for url in urls {
        let error = connect(url).await.expect_err(url);
        assert!(!shown(&error).contains(CANARY), "{url}: {}", shown(&error));
    }
}

/// Runs statements that bind the secret and fail, and some that do not.
async fn binds(connection: &mut dyn Connection, statements: &[(&str, bool)]) {
    listen();
    let secret = Value::Text(CANARY.into());
    for (sql, works) in statements {
        let sql = sql.replace("CANARY", CANARY);
        let bound: &[&Value] = if sql.contains(['?', '$']) { &[&secret] } else { &[] };
        let result = connection.run(Command { sql: &sql, args: bound, reuse: Reuse::Once }, &mut ()).await;
        let Err(error) = result else {
            assert!(works, "{sql} was to fail");
            continue;
        };
        assert!(!works, "{sql}: {error}");
        assert!(!shown(&error).contains(CANARY), "{sql}: {}", shown(&error));
    }
}

fn nothing_was_logged() {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(log.lines > 0, "nothing was heard at all");
    // What a program writes into a text itself stands in what its driver logs of that text.
    let told: Vec<&String> = log.sung.iter().filter(|line| !line.contains("/* raw */")).collect();
    assert!(told.is_empty(), "{told:#?}");
}

/// The same server with another login, database and parameters.
fn elsewhere(server: &str, login: &str, rest: &str) -> String {
    let (scheme, after) = server.split_once("://").unwrap();
    let (_, place) = after.split_once('@').unwrap();
    let (host, _) = place.split_once('/').unwrap();
    format!("{scheme}://{login}@{host}{rest}")
}

#[test]
fn f8_a_password_does_not_show_itself() {
    let url: ConnectUrl = format!("postgres://u:{CANARY}@db.example/d").parse().unwrap();
    let password = Password::new(CANARY);
    for shown in [format!("{password:?}"), format!("{:?}", Some(password)), format!("{url}"), format!("{url:?}")] {
        assert!(!shown.contains(CANARY) && shown.contains("***"), "{shown}");
    }
}

/// A file that is no key, with the secret in it.
fn key() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n{CANARY}\n");
    std::fs::write(file.path(), text).unwrap();
    file
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn f8_f9_postgres_keeps_secrets_to_itself() {
    let Some(place) = crate::postgres::Place::new().await else { return };
    listen();
    let (url, file) = (place.url(""), key());
    let (login, key) = (format!("covet:{CANARY}"), file.path().display());
    let mut urls: Vec<String> = [
        "/postgres".to_owned(),
        "/postgres?sslmode=require".to_owned(),
        "/postgres?sslmode=verify-full".to_owned(),
        "/postgres?sslmode=prefer".to_owned(),
        "/postgres?sslmode=disable&channel_binding=require".to_owned(),
        format!("/postgres?password={CANARY}"),
        format!("/postgres?passwort={CANARY}"),
        format!("/postgres?sslmode=verify-full&sslrootcert={key}&sslcert={key}&sslkey={key}"),
        format!("/postgres?sslmode=verify-full&sslcert={key}&sslkey={key}"),
        format!("/postgres?sslmode={CANARY}"),
        format!("/postgres?insecure={CANARY}"),
        format!("/postgres?connect_timeout={CANARY}"),
    ]
    .iter()
    .map(|rest| elsewhere(&url, &login, rest))
    .collect();
    urls.push(format!("postgres://u:{CANARY}@127.0.0.1:1/d"));
    urls.push(format!("postgres://u:{CANARY}@no-such-host.invalid/d"));
    urls.push(format!("postgres://u:{CANARY}@db.example/d?sslmode=disable"));
    urls.push(format!("postgres://u@127.0.0.1:1/d?password={CANARY}"));
    fails(&urls).await;

    let mut connection = place.connect().await;
    // A password that is right is a secret as well.
    let sql = format!("/* raw */ CREATE ROLE r_{} LOGIN PASSWORD '{CANARY}'", std::process::id());
    connection.script(&sql).await.unwrap();
    let role = format!("r_{}:{CANARY}", std::process::id());
    drop(connect(&elsewhere(&url, &role, "/postgres")).await.unwrap());
    connection.script(&format!("DROP ROLE r_{}", std::process::id())).await.unwrap();

    connection
        .script(
            "CREATE TABLE secret (name text PRIMARY KEY, pin int CHECK (pin > 0), \
             CONSTRAINT short CHECK (length(name) < 20)); CREATE TABLE other (name text REFERENCES secret)",
        )
        .await
        .unwrap();
    binds(
        connection.as_mut(),
        &[
            ("INSERT INTO secret (name) VALUES ($1)", true),
            // DETAIL: Key (name)=(…) already exists.
            ("INSERT INTO secret (name) VALUES ($1)", false),
            // DETAIL: Failing row contains (…).
            ("INSERT INTO secret (name) VALUES ($1 || $1)", false),
            ("INSERT INTO secret (name, pin) VALUES ($1 || 'x', 0)", false),
            // DETAIL: Key (name)=(…) is not present in table "secret".
            ("INSERT INTO other VALUES ($1 || 'y')", false),
            // invalid input syntax for type integer: "…"
            ("SELECT $1::text::int", false),
            ("SELECT $1::text::date", false),
            ("SELECT $1::text::json", false),
            ("SELECT $1::text FROM nowhere", false),
            ("/* raw */ SELECT 'CANARY' FROM nowhere", false),
        ],
    )
    .await;
    nothing_was_logged();
}

#[cfg(feature = "mysql")]
#[test]
fn f8_f9_mysql_keeps_secrets_to_itself() {
    crate::mysql::on_mysql(async |db| {
        listen();
        let (url, file) = (&db.text, key());
        let (login, key) = (format!("covet:{CANARY}"), file.path().display());
        let mut urls: Vec<String> = [
            "/mysql".to_owned(),
            "/mysql?sslmode=require".to_owned(),
            "/mysql?sslmode=verify-full".to_owned(),
            "/mysql?ssl-mode=PREFERRED".to_owned(),
            format!("/mysql?password={CANARY}"),
            format!("/mysql?sslmode=verify-full&sslrootcert={key}&sslcert={key}&sslkey={key}"),
            format!("/mysql?sslmode=verify-full&sslcert={key}&sslkey={key}"),
            format!("/mysql?insecure={CANARY}"),
            format!("/mysql?charset={CANARY}"),
        ]
        .iter()
        .map(|rest| elsewhere(url, &login, rest))
        .collect();
        urls.push(format!("mysql://u:{CANARY}@127.0.0.1:1/d"));
        urls.push(format!("mysql://u:{CANARY}@no-such-host.invalid/d"));
        urls.push(format!("mysql://u:{CANARY}@db.example/d?sslmode=disable"));
        fails(&urls).await;

        let mut connection = db.connect().await;
        let user = format!("u{}", std::process::id());
        connection.script(&format!("/* raw */ CREATE USER {user} IDENTIFIED BY '{CANARY}'")).await.unwrap();
        drop(connect(&elsewhere(url, &format!("{user}:{CANARY}"), "/")).await.unwrap());
        connection.script(&format!("DROP USER {user}")).await.unwrap();
        connection
            .script(
                "CREATE TABLE secret (name varchar(40) PRIMARY KEY, pin int CHECK (pin > 0)); \
                 CREATE TABLE other (name varchar(40), FOREIGN KEY (name) REFERENCES secret (name))",
            )
            .await
            .unwrap();
        binds(
            connection.as_mut(),
            &[
                ("INSERT INTO secret (name) VALUES (?)", true),
                // Duplicate entry '…' for key 'PRIMARY'
                ("INSERT INTO secret (name) VALUES (?)", false),
                ("INSERT INTO secret (name, pin) VALUES (CONCAT(?, 'x'), 0)", false),
                ("INSERT INTO secret (name) VALUES (REPEAT(?, 9))", false),
                ("INSERT INTO other VALUES (CONCAT(?, 'y'))", false),
                // Incorrect integer value: '…' for column
                ("INSERT INTO secret (name, pin) VALUES ('z', ?)", false),
                ("INSERT INTO secret (name, pin) VALUES ('z', CAST(? AS DATE))", false),
                ("SELECT ? FROM nowhere", false),
                // You have an error in your SQL syntax; … near '…'
                ("/* raw */ SELEC 'CANARY'", false),
                ("/* raw */ SELECT 'CANARY' FROM nowhere", false),
            ],
        )
        .await;
        nothing_was_logged();
    });
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn f8_f9_sqlite_keeps_secrets_to_itself() {
    listen();
    let mut connection = connect("sqlite::memory:").await.unwrap();
    let tables = "CREATE TABLE secret (name text PRIMARY KEY, pin int CHECK (pin > 0)) STRICT";
    connection.script(tables).await.unwrap();
    binds(
        connection.as_mut(),
        &[
            ("INSERT INTO secret (name) VALUES (?)", true),
            ("INSERT INTO secret (name) VALUES (?)", false),
            ("INSERT INTO secret (name, pin) VALUES (? || 'x', 0)", false),
            ("INSERT INTO secret (name, pin) VALUES ('z', ?)", false),
            ("SELECT ? FROM nowhere", false),
        ],
    )
    .await;
}
