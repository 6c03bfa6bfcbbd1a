//! Logging in by SCRAM (F11): bound to the certificate where that is asked for, and never at a price that the
//! server names.

use std::time::{Duration, Instant};

use covet_drivers::ErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::postgres::{kind, open};
use crate::private::certificates::{Authority, GOOD, Wanted};
use crate::private::postgres::{PASSWORD, Server};

#[tokio::test]
async fn f11_channel_binding_works_or_refuses() {
    let authority = Authority::new("ours");
    let Some(server) = Server::start(&authority.sign(GOOD), &authority.certificate).await else { return };
    let stranger = Authority::with("ed25519", &rcgen::PKCS_ED25519);
    let p384 = Authority::with("p384", &rcgen::PKCS_ECDSA_P384_SHA384);
    let file = server.room.write("all.pem", &[&authority, &stranger, &p384].map(|one| &*one.certificate).concat());
    let url = |user: &str, query: &str| {
        let place = format!("{user}@localhost:{}/postgres", server.port);
        format!("postgres://{place}?sslmode=verify-full&sslrootcert={}&{query}", file.display())
    };
    let login = format!("covet:{PASSWORD}");
    // The hash of the binding is that of the certificate's signature; Ed25519 has none, so there is no binding.
    for (what, shown, bound) in [
        ("p256", authority.sign(GOOD), true),
        ("p384", p384.sign(Wanted { algorithm: &rcgen::PKCS_ECDSA_P384_SHA384, ..GOOD }), true),
        ("ed25519", stranger.sign(GOOD), false),
    ] {
        server.show(&shown).await;
        for query in ["", "channel_binding=prefer", "channel_binding=disable"] {
            assert_eq!(kind(open(&url(&login, query)).unwrap().connect().await), None, "{what} {query}");
        }
        let required = open(&url(&login, "channel_binding=require")).unwrap().connect().await;
        assert_eq!(kind(required), (!bound).then_some(ErrorKind::Authentication), "{what}");
        let wrong = open(&url("covet:wrong", "channel_binding=require")).unwrap().connect().await;
        assert_eq!(kind(wrong), Some(ErrorKind::Authentication), "{what}");
    }
    // A login that asks for no password has nothing to bind.
    let known = authority.sign(crate::private::certificates::client("known"));
    let certificate = server.room.write("client.pem", &known.certificate);
    let key = server.room.write("client.key", &known.key);
    let identity = format!("channel_binding=require&sslcert={}&sslkey={}", certificate.display(), key.display());
    let known = open(&url("known", &identity)).unwrap().connect().await;
    assert_eq!(kind(known), Some(ErrorKind::Authentication));
}

/// A server that begins a login by SCRAM and asks for so many rounds of hashing.
async fn demanding(rounds: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(demand(client, rounds));
        }
    });
    port
}

async fn demand(mut client: TcpStream, rounds: &str) -> std::io::Result<()> {
    let length = usize::try_from(client.read_u32().await?).unwrap() - 4;
    client.read_exact(&mut vec![0; length]).await?;
    client.write_all(&message(10, b"SCRAM-SHA-256\0\0")).await?;
    let mut answer = vec![0; 1024];
    let read = client.read(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    let (_, nonce) = answer.rsplit_once("r=").unwrap();
    client.write_all(&message(11, format!("r={nonce}more,s=c2FsdHNhbHQ=,i={rounds}").as_bytes())).await?;
    client.read(&mut [0; 1024]).await.map(drop)
}

/// A message about logging in: its kind, then what it says.
fn message(kind: u32, said: &[u8]) -> Vec<u8> {
    let length = u32::try_from(said.len() + 8).unwrap();
    [b"R".as_slice(), &length.to_be_bytes(), &kind.to_be_bytes(), said].concat()
}

#[tokio::test]
async fn f11_a_server_cannot_name_the_price_of_a_login() {
    for (rounds, refused) in [("1000000000", true), ("4294967295", true), ("99999999999", true), ("100000", false)] {
        let port = demanding(rounds).await;
        let began = Instant::now();
        let connected = open(&format!("postgres://u:hunter2@127.0.0.1:{port}/d")).unwrap().connect().await;
        let error = connected.expect_err("this server lets nobody in");
        // The most that is taken on is hashed within the time of a login; then this server says no more.
        assert!(began.elapsed() < Duration::from_secs(9), "{rounds}: {:?}", began.elapsed());
        assert_eq!(error.kind() == ErrorKind::Authentication, refused, "{rounds}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    }
}
