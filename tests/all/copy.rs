//! Tables as files: what goes out comes in again, all of it or nothing, and only where it fits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, Error, ErrorKind};
use covet_tests::models::{Item, Maybe, Sample, Setting, Tag};
use covet_tests::{Kind, on_each_database, on_postgres};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::bulk::given;
use crate::types::sample;

async fn settings(db: &Db, rows: usize) -> covet_orm::Result<()> {
    let rows = (0..rows).map(|n| Setting::create().name(format!("s{n:05}")).value("v".repeat(n % 50)));
    <Setting as Model>::insert_many(rows).exec(db).await.map(drop)
}

async fn all(db: &Executor) -> covet_orm::Result<Vec<Setting>> {
    Setting::query().order_by(Setting::name.asc()).all(db).await
}

async fn file(db: &Executor) -> covet_orm::Result<Vec<u8>> {
    let mut file = Vec::new();
    Setting::copy_to(&mut file).exec(db).await?;
    Ok(file)
}

fn kind<T>(result: covet_orm::Result<T>) -> Option<ErrorKind> {
    result.err().as_ref().map(Error::kind)
}

/// A file that can be read, and written, so many bytes at a time and so far; then it waits or fails.
struct Lame {
    file: Vec<u8>,
    at: usize,
    until: usize,
    waits: bool,
}

impl Lame {
    fn new(file: Vec<u8>, until: usize, waits: bool) -> Self {
        Lame { file, at: 0, until, waits }
    }

    fn stop<T>(&self) -> Poll<io::Result<T>> {
        if self.waits { Poll::Pending } else { Poll::Ready(Err(io::Error::other("lame"))) }
    }
}

impl AsyncRead for Lame {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.at == self.until {
            return self.stop();
        }
        let end = (self.at + 700).min(self.until).min(self.at + into.remaining());
        into.put_slice(&self.file[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Lame {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        if self.at >= self.until {
            return self.stop();
        }
        let written = from.len().min(700).min(self.until - self.at);
        self.at += written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

on_each_database! {
    async fn whoever_cannot_refuses_by_name(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Postgres {
            return Ok(());
        }
        for error in [file(db).await.unwrap_err(), Setting::copy_from(&b""[..]).exec(db).await.unwrap_err()] {
            assert_eq!((error.kind(), error.model()), (ErrorKind::Unsupported, Some("Setting")));
            assert!(error.to_string().contains(db.server().product) && error.help().is_some(), "{error}");
        }
        Ok(())
    }
}

on_postgres! {
    async fn what_a_trigger_keeps_out_is_neither_counted_nor_an_error(db: &TestDb) -> Outcome {
        settings(db, 10).await?;
        let file = file(db).await?;
        Setting::query().delete().exec(db).await?;
        db.raw(
            "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.name ~ '[13579]$' THEN RETURN NEW; END IF; RETURN NULL; END $$;
             CREATE TRIGGER o BEFORE INSERT ON settings FOR EACH ROW EXECUTE FUNCTION odd()",
        )
        .await?;
        assert_eq!(Setting::copy_from(&mut &file[..]).exec(db).await?, 5);
        assert_eq!(all(db).await?.len(), 5);
        Setting::query().delete().exec(db).await?;
        let tx = db.begin().await?;
        assert_eq!(Setting::copy_from(&mut &file[..]).exec(&tx).await?, 5);
        tx.commit().await?;
        assert_eq!(all(db).await?.len(), 5);
        Ok(())
    }

    async fn a_table_that_was_changed_goes_out_at_once(db: &TestDb) -> Outcome {
        let one = Db::connect_with(db.url(), DbOptions::new().max_connections(1)).await?;
        settings(&one, 3).await?;
        assert_eq!(Setting::copy_to(&mut Vec::new()).exec(&one).await?, 3);
        db.raw("ALTER TABLE settings ALTER COLUMN value TYPE varchar(300)").await?;
        assert_eq!(Setting::copy_to(&mut Vec::new()).exec(&one).await?, 3);
        db.raw("ALTER TABLE settings ALTER COLUMN value TYPE text").await?;
        let tx = one.begin().await?;
        assert_eq!(Setting::copy_to(&mut Vec::new()).exec(&tx).await?, 3);
        tx.commit().await?;
        Ok(())
    }

    async fn what_goes_out_comes_in_again(db: &TestDb) -> Outcome {
        for rows in [0, 1, 1_500] {
            let row = |n: usize| Sample { an_i64: n as i64 - 7, bytes: vec![255; n % 300], ..sample() };
            <Sample as Model>::insert_many((0..rows).map(|n| given(row(n)))).exec(db).await?;
            let maybe = |n: usize| if n.is_multiple_of(2) { Maybe::create() } else { Maybe::create().text("t").json(sample().json) };
            <Maybe as Model>::insert_many((0..rows).map(maybe)).exec(db).await?;
            let before = (Sample::query().order_by(Sample::id.asc()).all(db).await?, Maybe::query().count(db).await?);
            let (mut samples, mut maybes) = (Vec::new(), Vec::new());
            assert_eq!(Sample::copy_to(&mut samples).exec(db).await?, rows as u64);
            assert_eq!(Maybe::copy_to(&mut maybes).exec(db).await?, rows as u64);
            Sample::query().delete().exec(db).await?;
            Maybe::query().delete().exec(db).await?;
            assert_eq!(Sample::copy_from(&samples[..]).exec(db).await?, rows as u64);
            assert_eq!(Maybe::copy_from(&maybes[..]).exec(db).await?, rows as u64);
            assert_eq!(Sample::query().order_by(Sample::id.asc()).all(db).await?, before.0);
            assert_eq!(Maybe::query().count(db).await?, before.1);
            Sample::query().delete().exec(db).await?;
            Maybe::query().delete().exec(db).await?;
        }
        Ok(())
    }

    async fn generated_columns_are_left_to_the_database(db: &TestDb) -> Outcome {
        let rows = (0..50).map(|n| Item::create().price(n + 1).amount(3));
        Item::insert_many(rows).exec(db).await?;
        let mut file = Vec::new();
        assert_eq!(Item::copy_to(&mut file).exec(db).await?, 50);
        Item::query().delete().exec(db).await?;
        assert_eq!(Item::copy_from(&file[..]).exec(db).await?, 50);
        let items = Item::query().all(db).await?;
        assert!(items.len() == 50 && items.iter().all(|item| item.total == Some(item.price * 3)), "{items:?}");
        Ok(())
    }

    async fn a_file_that_is_not_whole_or_not_of_the_table_is_refused(db: &TestDb) -> Outcome {
        settings(db, 600).await?;
        let whole = file(db).await?;
        let rows = all(db).await?;
        Setting::query().delete().exec(db).await?;
        let places = (0..120).chain((120..whole.len()).step_by(613)).chain(whole.len() - 30..whole.len());
        for until in places {
            let refused = Setting::copy_from(&whole[..until]).exec(db).await;
            assert_eq!(kind(refused), Some(ErrorKind::InvalidInput), "cut at {until}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        let tags = { let mut file = Vec::new(); Tag::copy_to(&mut file).exec(db).await?; file };
        let stranger = [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0; 8], &whole[whole.len() - 2..]].concat();
        for (what, file) in [("longer", longer), ("text", b"s00001\tv\n\\.\n".repeat(9)), ("tags", tags), ("stranger", stranger)] {
            assert_eq!(kind(Setting::copy_from(&file[..]).exec(db).await), Some(ErrorKind::InvalidInput), "{what}");
        }
        // What the server finds wrong: a length in the middle that leads nowhere.
        let mut bent = whole.clone();
        let middle = bent.len() / 2;
        bent[middle..middle + 40].fill(0x7f);
        assert!(Setting::copy_from(&bent[..]).exec(db).await.is_err());
        // A column of another type, and one that has the same type under another name.
        db.raw("ALTER TABLE settings ALTER value TYPE bytea USING value::bytea").await?;
        let error = Setting::copy_from(&whole[..]).exec(db).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("\"value\" text"), "{error}");
        db.raw("ALTER TABLE settings ALTER value TYPE text USING convert_from(value, 'UTF8')").await?;
        assert_eq!(all(db).await?.len(), 0);
        assert_eq!(Setting::copy_from(&whole[..]).exec(db).await?, 600);
        assert_eq!(all(db).await?, rows);
        // The same keys once more.
        assert_eq!(kind(Setting::copy_from(&whole[..]).exec(db).await), Some(ErrorKind::Unique));
        assert_eq!(all(db).await?, rows);
        Ok(())
    }

    async fn a_file_that_fails_or_is_dropped_half_way_changes_nothing(db: &TestDb) -> Outcome {
        settings(db, 2_000).await?;
        let whole = file(db).await?;
        let rows = all(db).await?;
        let places = [0, 5, 19, 60, 5_000, whole.len() - 1];
        for until in places {
            assert_eq!(kind(Setting::copy_to(Lame::new(Vec::new(), until, false)).exec(db).await), Some(ErrorKind::Io));
            let copying = Setting::copy_to(Lame::new(Vec::new(), until, true)).exec(db);
            assert!(tokio::time::timeout(Duration::from_millis(60), copying).await.is_err());
        }
        assert_eq!(all(db).await?, rows);
        Setting::query().delete().exec(db).await?;
        for until in places {
            let read = Lame::new(whole.clone(), until, false);
            assert_eq!(kind(Setting::copy_from(read).exec(db).await), Some(ErrorKind::Io), "{until}");
            let read = Lame::new(whole.clone(), until, true);
            assert!(tokio::time::timeout(Duration::from_millis(60), Setting::copy_from(read).exec(db)).await.is_err());
        }
        assert_eq!(all(db).await?.len(), 0);
        assert_eq!(Setting::copy_from(Lame::new(whole.clone(), whole.len(), false)).exec(db).await.map_err(|e| e.kind()), Err(ErrorKind::Io));
        Ok(())
    }

    async fn a_transaction_copies_what_it_sees_and_takes_back_what_it_copied(db: &TestDb) -> Outcome {
        settings(db, 3).await?;
        let three = file(db).await?;
        let tx = db.begin().await?;
        Setting::create().name("t").value("").exec(&tx).await?;
        assert_ne!(file(&tx).await?.len(), three.len());
        Setting::query().delete().exec(&tx).await?;
        assert_eq!(Setting::copy_from(&three[..]).exec(&tx).await?, 3);
        // It is undone by itself, and the transaction goes on.
        assert_eq!(kind(Setting::copy_from(&three[..]).exec(&tx).await), Some(ErrorKind::Unique));
        assert_eq!(kind(Setting::copy_from(&three[..90]).exec(&tx).await), Some(ErrorKind::InvalidInput));
        assert_eq!(all(&tx).await?.len(), 3);
        Setting::create().name("u").value("").exec(&tx).await?;
        tx.rollback().await?;
        assert_eq!(all(db).await?.len(), 3);
        // As the first statement of a transaction, and in one that only reads.
        let tx = db.begin().await?;
        assert_eq!(file(&tx).await?, three);
        tx.commit().await?;
        let reading = covet_orm::TxOptions::new().read_only();
        let tx = db.begin_with(reading).await?;
        assert_eq!(file(&tx).await?, three);
        assert!(Setting::copy_from(&three[..]).exec(&tx).await.is_err());
        Ok(())
    }

    async fn the_database_reads_the_file_itself(db: &TestDb) -> Outcome {
        settings(db, 700).await?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("settings.copy");
        std::fs::write(&path, file(db).await?)?;
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        let rows = all(db).await?;
        Setting::query().delete().exec(db).await?;
        let order = db.raw_rows("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = 'settings'::regclass AND attnum > 0").await?;
        let columns = order[0][0].clone().unwrap();
        db.raw(&format!("COPY settings ({columns}) FROM '{}' (FORMAT BINARY)", path.display())).await?;
        assert_eq!(all(db).await?, rows);
        Ok(())
    }

    async fn a_table_that_would_not_take_it_says_so(db: &TestDb) -> Outcome {
        settings(db, 2).await?;
        let two = file(db).await?;
        db.raw("ALTER TABLE settings RENAME TO s; CREATE VIEW settings AS SELECT * FROM s").await?;
        let error = Setting::copy_from(&two[..]).exec(db).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unsupported && error.help().is_some(), "{error}");
        assert!(file(db).await.is_err());
        assert_eq!(all(db).await?.len(), 2);
        Ok(())
    }
}
