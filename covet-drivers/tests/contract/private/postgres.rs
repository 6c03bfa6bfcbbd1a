//! A PostgreSQL server of a test's own.

use std::time::{Duration, Instant};

use covet_drivers::Result;
use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row};
use covet_drivers::postgres::PostgresBackend;

use super::certificates::Pair;
use super::{Kept, Room, free_port, program};

/// Who gets in how: the account `covet` with its password, with or without TLS; `bound` with TLS alone;
/// `vouched` with a certificate and a password; `known` with a certificate alone.
const ACCESS: &str = "
local all covet trust
hostssl all vouched all scram-sha-256 clientcert=verify-ca
hostssl all known all cert
hostssl all all all scram-sha-256
hostnossl all covet all scram-sha-256
";

/// The password of every account.
pub(crate) const PASSWORD: &str = "right";

pub(crate) struct Server {
    _kept: Kept,
    pub(crate) room: Room,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one that shows this certificate and trusts this authority for its clients.
    pub(crate) async fn start(shown: &Pair, trusted: &str) -> Option<Server> {
        let postgres = program("COVET_TEST_PG_BIN", Some("postgres"), "postgres")?;
        let room = Room::new("postgres");
        let data = room.path().join("data").display().to_string();
        let initdb = postgres.with_file_name("initdb");
        let words = ["--username=covet", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", &data];
        room.run(&initdb, &words.map(str::to_owned));
        show(&room, shown);
        room.write("trusted.pem", trusted);
        room.write("access.conf", ACCESS);
        let folder = room.path().display();
        let port = free_port();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={folder}"),
            format!("hba_file={folder}/access.conf"),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={folder}/server.pem"),
            format!("ssl_key_file={folder}/server.key"),
            format!("ssl_ca_file={folder}/trusted.pem"),
            "fsync=off".to_owned(),
        ];
        let mut words = vec!["-D".to_owned(), data];
        words.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        let kept = room.start("INT", &postgres, &words);
        let server = Server { _kept: kept, room, port };
        let mut admin = server.first().await;
        admin
            .script(&format!(
                "ALTER ROLE covet PASSWORD '{PASSWORD}'; CREATE ROLE bound LOGIN PASSWORD '{PASSWORD}'; \
                 CREATE ROLE vouched LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE known LOGIN"
            ))
            .await
            .unwrap();
        Some(server)
    }

    async fn first(&self) -> Box<dyn Connection> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            match self.admin().await {
                Ok(connection) => return connection,
                Err(error) => assert!(Instant::now() < until, "{error}\n{}", self.room.log()),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A session over the socket.
    pub(crate) async fn admin(&self) -> Result<Box<dyn Connection>> {
        let folder = self.room.path().display();
        let url = format!("postgres:///postgres?host={folder}&port={}&user=covet", self.port);
        PostgresBackend::open(&url.parse()?)?.connect().await.map(|connection| Box::new(connection) as _)
    }

    /// Shows another certificate from here on.
    pub(crate) async fn show(&self, shown: &Pair) {
        let before = self.loaded().await;
        show(&self.room, shown);
        self.admin().await.unwrap().script("SELECT pg_reload_conf()").await.unwrap();
        // New sessions see when their parent read its settings, the certificate among them.
        while self.loaded().await == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!self.room.log().contains("not reloaded"), "{}", self.room.log());
    }

    async fn loaded(&self) -> String {
        let mut admin = self.admin().await.unwrap();
        let mut found = String::new();
        let mut sink = |row: &mut Row<'_>| {
            found = row.get(0, &ColumnType::Text { max_len: None })?;
            Ok(Flow::Continue)
        };
        let sql = "SELECT pg_conf_load_time()::text";
        admin.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await.unwrap();
        found
    }
}

fn show(room: &Room, shown: &Pair) {
    room.write("server.key", &shown.key);
    room.write("server.pem", &shown.certificate);
}
