//! Strings in connection URLs: names of files, databases and schemas, the program's name, passwords.

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::{Kind, Outcome, TestDb, on_each_database};

use super::storable;
use super::strings::listed;

/// Every byte as URLs write it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Some of the strings, from all over the list.
fn some(kind: Kind, count: usize, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let all: Vec<String> =
        storable(kind, listed()).into_iter().filter(|text| !text.contains('\0') && fits(text)).collect();
    all.iter().step_by((all.len() / count).max(1)).cloned().collect()
}

fn quoted(db: &TestDb, name: &str) -> String {
    let mut out = String::new();
    db.backend().dialect().identifier(name, &mut out);
    out
}

/// The URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (base, _) = base.rsplit_once('/').unwrap();
    format!("{base}/{}?{parameters}", encoded(name))
}

async fn one(url: &str) -> covet_orm::Result<Db> {
    Db::connect_with(url, DbOptions::new().max_connections(1)).await
}

async fn file(name: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let db = one(&format!("sqlite://{}/{}", folder.path().display(), encoded(name))).await?;
    db.acquire().await?.script("CREATE TABLE t (a INTEGER)").await?;
    assert!(folder.path().join(name).exists(), "{name:?} is there");
    let others = std::fs::read_dir(folder.path())?.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(others.into_iter().all(|other| other.starts_with(name)), "and nothing else but its logs");
    Ok(())
}

on_each_database! {
    async fn names_of_databases(db: &TestDb) -> Outcome {
        match db.kind() {
            Kind::Sqlite => {
                let fits = |text: &str| (1..=200).contains(&text.len()) && !text.contains('/') && ![".", ".."].contains(&text);
                for name in some(db.kind(), 60, fits) {
                    file(&name).await.map_err(|error| format!("{name:?}: {error}"))?;
                }
            }
            Kind::Postgres | Kind::Mysql => {
                // MySQL's names have no characters beyond U+FFFF and end in no blank.
                let plain = |text: &str| text.chars().all(|c| c <= '\u{ffff}') && text.trim() == text;
                let fits = |text: &str| (4..=60).contains(&text.len()) && (db.kind() == Kind::Postgres || plain(text));
                for name in some(db.kind(), 10, fits) {
                    db.raw(&format!("CREATE DATABASE {}", quoted(db, &name))).await?;
                    let there = one(&with_database(db.url(), &name)).await.map_err(|error| format!("{name:?}: {error}"))?;
                    there.ping().await?;
                    there.close();
                    drop(there);
                    let force = if db.kind() == Kind::Postgres { " WITH (FORCE)" } else { "" };
                    db.raw(&format!("DROP DATABASE {}{force}", quoted(db, &name))).await?;
                }
            }
        }
        Ok(())
    }

    async fn names_of_schemas_and_programs(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Sqlite {
            return Ok(()); // has neither
        }
        for name in some(db.kind(), 40, |text| (1..=63).contains(&text.len())) {
            let there = one(&format!("{}&application_name={}", db.url(), encoded(&name))).await;
            there.map_err(|error| format!("{name:?}: {error}"))?.ping().await?;
        }
        if db.kind() == Kind::Postgres {
            for name in some(db.kind(), 40, |text| (1..=63).contains(&text.len())) {
                db.raw(&format!("CREATE SCHEMA {0}; CREATE TABLE {0}.here (a text); INSERT INTO {0}.here VALUES ('x')", quoted(db, &name))).await?;
                let there = one(&format!("{}&schema={}", db.url(), encoded(&name))).await?;
                there.acquire().await?.script("UPDATE here SET a = current_schema()").await.map_err(|error| format!("{name:?}: {error}"))?;
                assert_eq!(db.raw_rows(&format!("SELECT a FROM {}.here", quoted(db, &name))).await?, [[Some(name)]]);
            }
        }
        Ok(())
    }

    async fn passwords_are_not_repeated(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Sqlite {
            return Ok(()); // has none
        }
        let (before, after) = db.url().split_once('@').unwrap();
        let (login, _) = before.rsplit_once(':').unwrap();
        for password in some(db.kind(), 30, |text| (4..=500).contains(&text.len()) && !text.trim().is_empty()) {
            let error = one(&format!("{login}:{}@{after}", encoded(&password))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Authentication, "{password:?}: {error}");
            let shown = format!("{error} {error:?}");
            // A short one may be part of an ordinary word.
            assert!(password.len() < 8 || !shown.contains(&password), "{shown}");
            assert!(!shown.contains(&encoded(&password)), "{shown}");
        }
        Ok(())
    }
}
