//! A MariaDB server of a test's own.

use std::time::{Duration, Instant};

use covet_drivers::Result;
use covet_drivers::contract::{Adapter as _, Connection};
use covet_drivers::mysql::MySql;

use super::certificates::Pair;
use super::{Kept, Room, free_port, program};

/// The password of every account.
pub(crate) const PASSWORD: &str = "right";

pub(crate) struct Server {
    _kept: Kept,
    pub(crate) room: Room,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one that shows this certificate and trusts this authority for its clients. The account `covet`
    /// gets in with its password, `vouched` with a certificate as well.
    pub(crate) async fn start(shown: &Pair, trusted: &str) -> Option<Server> {
        let mysqld = program("COVET_TEST_MYSQLD", None, "mysql")?;
        let install = program("COVET_TEST_MYSQL_BIN", Some("mariadb-install-db"), "mysql")?;
        let room = Room::new("mysql");
        let folder = room.path().display().to_string();
        let create = [
            "--no-defaults".to_owned(),
            format!("--datadir={folder}/data"),
            "--auth-root-authentication-method=normal".to_owned(),
            "--skip-test-db".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--innodb-log-file-size=16M".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
        ];
        room.run(&install, &create);
        show(&room, shown);
        room.write("trusted.pem", trusted);
        room.write(
            "first.sql",
            &format!(
                "CREATE USER covet@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO covet@'%';\n\
                 CREATE USER vouched@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE X509;\n"
            ),
        );
        let port = free_port();
        let words = [
            "--no-defaults".to_owned(),
            format!("--datadir={folder}/data"),
            format!("--socket={folder}/sock"),
            format!("--pid-file={folder}/pid"),
            format!("--init-file={folder}/first.sql"),
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--innodb-buffer-pool-size=16M".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            format!("--ssl-cert={folder}/server.pem"),
            format!("--ssl-key={folder}/server.key"),
            format!("--ssl-ca={folder}/trusted.pem"),
        ];
        let kept = room.start("TERM", &mysqld, &words);
        let server = Server { _kept: kept, room, port };
        let until = Instant::now() + Duration::from_secs(60);
        while let Err(error) = server.admin().await {
            assert!(Instant::now() < until, "{error}\n{}", server.room.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(server)
    }

    /// A session over the socket.
    async fn admin(&self) -> Result<Box<dyn Connection>> {
        let socket = self.room.path().join("sock");
        let url = format!("mysql://covet:{PASSWORD}@localhost/mysql?socket={}", socket.display());
        MySql.open(&url.parse()?)?.connect().await
    }

    /// Shows another certificate from here on.
    pub(crate) async fn show(&self, shown: &Pair) {
        show(&self.room, shown);
        self.admin().await.unwrap().script("FLUSH SSL").await.unwrap();
    }
}

fn show(room: &Room, shown: &Pair) {
    room.write("server.key", &shown.key);
    room.write("server.pem", &shown.certificate);
}
