//! TLS (F10): which certificates are taken, what a client shows of its own, and that nobody in between can talk
//! TLS away. The servers are the test's own.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::ColumnType;
use covet_drivers::value::Value;

use crate::postgres::proxy::Behaviour;
use crate::postgres::{Place, kind, open, rows};
use crate::private::certificates::{Authority, GOOD, Pair, Wanted, client};
use crate::private::postgres::{PASSWORD, Server};

const ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// What comes of connecting: whether it is encrypted, or what refused.
async fn outcome(url: &str) -> Result<bool, ErrorKind> {
    let mut connection = open(url).map_err(|error| error.kind())?.connect().await.map_err(|error| {
        assert!(!error.to_string().contains(PASSWORD), "{error}");
        error.kind()
    })?;
    let found = rows(connection.as_mut(), ENCRYPTED, &[], &[ColumnType::Bool]).await.unwrap();
    Ok(found == [[Value::Bool(true)]])
}

#[tokio::test]
async fn f10_certificates() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let ours = server.room.write("ours.pem", &authority.certificate);
    let url = |host: &str, query: &str| {
        let authority = format!("sslrootcert={}", ours.display()).replace("/", "%2F");
        let query = query.replace("CA", &authority);
        format!("postgres://covet:{PASSWORD}@{host}:{}/postgres?{query}", server.port)
    };
    for (query, expected) in [
        ("", Ok(false)),
        ("sslmode=disable", Ok(false)),
        ("insecure=plaintext", Ok(false)),
        ("sslmode=require", Ok(true)),
        ("insecure=any-certificate", Ok(true)),
        ("sslmode=require&CA", Ok(true)),
        ("sslmode=verify-ca&CA", Ok(true)),
        ("sslmode=verify-full&CA", Ok(true)),
        ("sslmode=verify-full&channel_binding=require&CA", Ok(true)),
        // The public authorities do not know it.
        ("sslmode=verify-full", Err(ErrorKind::Tls)),
        ("sslmode=prefer", Err(ErrorKind::Config)),
        ("sslmode=allow", Err(ErrorKind::Config)),
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
    // What the server shows; by verify-full at the name and at the address; by verify-ca.
    for (what, shown, by_name, by_address, by_authority) in [
        ("a chain", chain, good, good, good),
        ("a name", authority.sign(named), good, bad, good),
        ("an address", authority.sign(numbered), bad, good, good),
        ("another host", authority.sign(elsewhere), bad, bad, good),
        ("a common name alone", authority.sign(unnamed), bad, bad, good),
        ("expired", authority.sign(Wanted { until: 2021, ..GOOD }), bad, bad, bad),
        ("not valid yet", authority.sign(Wanted { from: 2090, ..GOOD }), bad, bad, bad),
        ("a client's", authority.sign(Wanted { for_client: true, ..GOOD }), bad, bad, bad),
        ("self-signed", GOOD.self_signed(), bad, bad, bad),
        ("another authority's", stranger.sign(GOOD), bad, bad, bad),
        ("a namesake's", Authority::new("ours").sign(GOOD), bad, bad, bad),
    ] {
        server.show(&shown).await;
        assert_eq!(outcome(&url("localhost", "sslmode=verify-full&CA")).await, by_name, "{what}, by name");
        assert_eq!(outcome(&url("127.0.0.1", "sslmode=verify-full&CA")).await, by_address, "{what}, by address");
        assert_eq!(outcome(&url("localhost", "sslmode=verify-ca&CA")).await, by_authority, "{what}, by authority");
        assert_eq!(outcome(&url("localhost", "insecure=any-certificate")).await, good, "{what}, unchecked");
    }
}

#[tokio::test]
async fn f10_certificates_of_clients() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let ours = server.room.write("ours.pem", &authority.certificate);
    let url = |user: &str, identity: Option<&Pair>| {
        let mut url = format!(
            "postgres://{user}@localhost:{}/postgres?sslmode=verify-full&sslrootcert={}",
            server.port,
            ours.display()
        );
        if let Some(pair) = identity {
            let certificate = server.room.write("client.pem", &pair.certificate);
            let key = server.room.write("client.key", &pair.key);
            url.push_str(&format!("&sslcert={}&sslkey={}", certificate.display(), key.display()));
        }
        url
    };
    let vouched = format!("vouched:{PASSWORD}");
    let known = authority.sign(client("known"));
    for (what, user, identity, expected) in [
        ("given", &*vouched, Some(&known), Ok(true)),
        ("missing", &*vouched, None, Err(ErrorKind::Authentication)),
        ("of a stranger", &*vouched, Some(&stranger.sign(client("known"))), Err(ErrorKind::Tls)),
        ("expired", &*vouched, Some(&authority.sign(Wanted { until: 2021, ..client("known") })), Err(ErrorKind::Tls)),
        ("a server's", &*vouched, Some(&authority.sign(GOOD)), Err(ErrorKind::Tls)),
        ("instead of a password", "known", Some(&known), Ok(true)),
        ("in another name", "known", Some(&authority.sign(client("other"))), Err(ErrorKind::Authentication)),
        ("no password beside it", "vouched", Some(&known), Err(ErrorKind::Authentication)),
        ("where nobody asks", &*format!("covet:{PASSWORD}"), Some(&known), Ok(true)),
        (
            "with another's key",
            &*vouched,
            Some(&Pair { key: stranger.sign(GOOD).key, ..known.clone() }),
            Err(ErrorKind::Config),
        ),
    ] {
        assert_eq!(outcome(&url(user, identity)).await, expected, "{what}");
    }
    // The client asks for TLS although it is on this machine, because the account is reached no other way.
    let plain = format!("postgres://bound:{PASSWORD}@localhost:{}/postgres", server.port);
    assert_eq!(outcome(&plain).await, Err(ErrorKind::Authentication));
}

#[tokio::test]
async fn another_host_is_refused_only_where_the_host_counts() {
    let Some(place) = Place::new().await else { return };
    let Ok(authority) = std::env::var("COVET_TEST_POSTGRES_CA") else { return };
    for (mode, refused) in [("verify-full", true), ("verify-ca", false)] {
        let parameters = format!("sslmode={mode}&sslrootcert={authority}");
        let url = place.by_proxy(Behaviour::Honest, &parameters).await;
        let connected = kind(open(&url).unwrap().connect().await);
        assert_eq!(connected, refused.then_some(ErrorKind::Tls), "{mode}");
    }
}

#[tokio::test]
async fn f10_nobody_in_between_can_talk_tls_away() {
    let Some(place) = Place::new().await else { return };
    let Ok(authority) = std::env::var("COVET_TEST_POSTGRES_CA") else { return };
    for behaviour in [Behaviour::NoTls, Behaviour::StuffedTls] {
        for mode in ["sslmode=require", "sslmode=verify-ca&sslrootcert=CA", "sslmode=verify-full&sslrootcert=CA"] {
            let url = place.by_proxy(behaviour, &mode.replace("CA", &authority)).await;
            let error = open(&url).unwrap().connect().await.expect_err(mode);
            assert_eq!(error.kind(), ErrorKind::Tls, "{mode}: {error:?}");
        }
    }
}
