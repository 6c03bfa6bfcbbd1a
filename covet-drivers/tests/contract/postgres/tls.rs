//! TLS: each mode against the server of the tests, whose certificate comes from an authority of its own.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::ColumnType;
use covet_drivers::value::Value;

use crate::postgres::proxy::Behaviour;
use crate::postgres::{Place, kind, open, rows};

const ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

#[tokio::test]
async fn modes() {
    let Some(place) = Place::new().await else { return };
    let Ok(authority) = std::env::var("COVET_TEST_POSTGRES_CA") else {
        eprintln!("LEFT OUT: COVET_TEST_POSTGRES_CA is not set");
        return;
    };
    let trusted = format!("sslrootcert={authority}");
    for (parameters, encrypted) in [
        ("sslmode=disable".to_owned(), false),
        ("sslmode=allow".to_owned(), false),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        (format!("sslmode=require&{trusted}"), true),
        (format!("sslmode=verify-ca&{trusted}"), true),
        (format!("sslmode=verify-full&{trusted}"), true),
        (format!("sslmode=verify-full&channel_binding=require&{trusted}"), true),
    ] {
        let connected = place.with(&parameters).connect().await;
        let mut connection = connected.unwrap_or_else(|error| panic!("{parameters}: {error:?}"));
        let found = rows(connection.as_mut(), ENCRYPTED, &[], &[ColumnType::Bool]).await.unwrap();
        assert_eq!(found, [[Value::Bool(encrypted)]], "{parameters}");
    }
    // The public authorities do not know it.
    for mode in ["verify-ca", "verify-full"] {
        let refused = place.with(&format!("sslmode={mode}")).connect().await;
        assert_eq!(kind(refused), Some(ErrorKind::Tls), "{mode}");
    }
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
async fn nobody_in_between_can_talk_tls_away() {
    let Some(place) = Place::new().await else { return };
    for (mode, refused) in [("require", true), ("verify-ca", true), ("verify-full", true), ("prefer", false)] {
        let url = place.by_proxy(Behaviour::NoTls, &format!("sslmode={mode}")).await;
        let connected = kind(open(&url).unwrap().connect().await);
        assert_eq!(connected, refused.then_some(ErrorKind::Tls), "{mode}");
    }
}
