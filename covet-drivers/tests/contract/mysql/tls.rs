//! TLS (F10): which certificates are taken, what a client shows of its own, and that nobody in between can talk
//! TLS away. The servers are the test's own.

use std::net::SocketAddr;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::Adapter as _;
use covet_drivers::mysql::MySql;
use covet_drivers::{ErrorKind, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::mysql::text;
use crate::private::certificates::{Authority, GOOD, Pair, Wanted, client};
use crate::private::mariadb::{PASSWORD, Server};

/// What comes of connecting: whether it is encrypted, or what refused.
async fn outcome(url: &str) -> Result<bool, ErrorKind> {
    let backend = MySql.open(&url.parse().unwrap()).map_err(|error| error.kind())?;
    let mut connection = backend.connect().await.map_err(|error| {
        assert!(!error.to_string().contains(PASSWORD), "{error}");
        error.kind()
    })?;
    let words = [ColumnType::Text { max_len: None }, ColumnType::Text { max_len: None }];
    let sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
    let cipher = crate::mysql::query(connection.as_mut(), sql, &[], &words).await.unwrap();
    Ok(cipher[0][1] != text(""))
}

#[tokio::test]
async fn f10_certificates() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let ours = server.room.write("ours.pem", &authority.certificate).display().to_string();
    let url = |host: &str, query: &str| {
        let query = query.replace("CA", &ours);
        format!("mysql://covet:{PASSWORD}@{host}:{}/mysql?{query}", server.port)
    };
    for (query, expected) in [
        ("", Ok(false)),
        ("sslmode=disable", Ok(false)),
        ("insecure=plaintext", Ok(false)),
        ("ssl-mode=REQUIRED", Ok(true)),
        ("insecure=any-certificate", Ok(true)),
        ("sslmode=verify-full&sslrootcert=CA", Ok(true)),
        ("ssl-mode=VERIFY_IDENTITY&ssl-ca=CA", Ok(true)),
        // The public authorities do not know it.
        ("sslmode=verify-full", Err(ErrorKind::Tls)),
        ("sslmode=verify-ca&sslrootcert=CA", Err(ErrorKind::Config)),
        ("sslmode=prefer", Err(ErrorKind::Config)),
        ("ssl-mode=PREFERRED", Err(ErrorKind::Config)),
    ] {
        assert_eq!(outcome(&url("localhost", query)).await, expected, "{query}");
    }
    let below = authority.intermediate("between");
    let chain = below.sign(GOOD);
    let chain = Pair { certificate: format!("{}{}", chain.certificate, below.certificate), ..chain };
    let named = Wanted { addresses: &[], ..GOOD };
    let numbered = Wanted { names: &[], ..GOOD };
    let elsewhere = Wanted { names: &["db.example"], addresses: &["192.0.2.7"], ..GOOD };
    let unnamed = Wanted { names: &[], addresses: &[], common_name: "localhost", ..GOOD };
    let (good, bad) = (Ok(true), Err(ErrorKind::Tls));
    for (what, shown, by_name, by_address) in [
        ("a chain", chain, good, good),
        ("a name", authority.sign(named), good, bad),
        ("an address", authority.sign(numbered), bad, good),
        ("another host", authority.sign(elsewhere), bad, bad),
        ("a common name alone", authority.sign(unnamed), bad, bad),
        ("expired", authority.sign(Wanted { until: 2021, ..GOOD }), bad, bad),
        ("not valid yet", authority.sign(Wanted { from: 2090, ..GOOD }), bad, bad),
        ("a client's", authority.sign(Wanted { for_client: true, ..GOOD }), bad, bad),
        ("self-signed", GOOD.self_signed(), bad, bad),
        ("another authority's", stranger.sign(GOOD), bad, bad),
        ("a namesake's", Authority::new("ours").sign(GOOD), bad, bad),
    ] {
        server.show(&shown).await;
        let checked = "sslmode=verify-full&sslrootcert=CA";
        assert_eq!(outcome(&url("localhost", checked)).await, by_name, "{what}, by name");
        assert_eq!(outcome(&url("127.0.0.1", checked)).await, by_address, "{what}, by address");
        assert_eq!(outcome(&url("localhost", "insecure=any-certificate")).await, good, "{what}, unchecked");
    }
}

#[tokio::test]
async fn f10_certificates_of_clients() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let ours = server.room.write("ours.pem", &authority.certificate);
    let ours = ours.display();
    let known = authority.sign(client("vouched"));
    for (what, user, identity, expected) in [
        ("given", "vouched", Some(&known), Ok(true)),
        ("missing", "vouched", None, Err(ErrorKind::Authentication)),
        ("of a stranger", "vouched", Some(&stranger.sign(client("vouched"))), Err(ErrorKind::Tls)),
        ("expired", "vouched", Some(&authority.sign(Wanted { until: 2021, ..client("x") })), Err(ErrorKind::Tls)),
        ("where nobody asks", "covet", Some(&known), Ok(true)),
        (
            "with another's key",
            "vouched",
            Some(&Pair { key: stranger.sign(GOOD).key, ..known.clone() }),
            Err(ErrorKind::Config),
        ),
    ] {
        let place = format!("{user}:{PASSWORD}@localhost:{}/", server.port);
        let mut url = format!("mysql://{place}?sslmode=verify-full&sslrootcert={ours}");
        if let Some(pair) = identity {
            let certificate = server.room.write("client.pem", &pair.certificate);
            let key = server.room.write("client.key", &pair.key);
            url.push_str(&format!("&sslcert={}&sslkey={}", certificate.display(), key.display()));
        }
        assert_eq!(outcome(&url).await, expected, "{what}");
    }
}

/// Hands everything on but what the server says of TLS in its greeting.
async fn strip(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let mut upstream = TcpStream::connect(server).await?;
    let mut head = [0; 4];
    upstream.read_exact(&mut head).await?;
    let mut greeting = vec![0; usize::from(head[0]) + (usize::from(head[1]) << 8)];
    upstream.read_exact(&mut greeting).await?;
    // Behind the version's text and its NUL: a number of 4 bytes, 8 bytes of salt, a NUL, what the server can do.
    let version = greeting[1..].iter().position(|byte| *byte == 0).unwrap();
    let low = 1 + version + 1 + 4 + 8 + 1;
    // CLIENT_SSL is bit 11.
    greeting[low + 1] &= !0x08;
    client.write_all(&[&head[..], &greeting].concat()).await?;
    copy_bidirectional(&mut client, &mut upstream).await.map(drop)
}

#[tokio::test]
async fn f10_nobody_in_between_can_talk_tls_away() {
    let authority = Authority::new("ours");
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let ours = server.room.write("ours.pem", &authority.certificate);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap().port();
    let real = SocketAddr::from(([127, 0, 0, 1], server.port));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(strip(client, real));
        }
    });
    let url = |query: &str| format!("mysql://covet:{PASSWORD}@localhost:{proxy}/mysql?{query}");
    for query in ["sslmode=require", "insecure=any-certificate", "sslmode=verify-full"] {
        assert_eq!(outcome(&url(query)).await, Err(ErrorKind::Tls), "{query}");
    }
    let checked = format!("sslmode=verify-full&sslrootcert={}", ours.display());
    assert_eq!(outcome(&url(&checked)).await, Err(ErrorKind::Tls));
    // The proxy is no hindrance to those who go without.
    assert_eq!(outcome(&url("insecure=plaintext")).await, Ok(false));
}
