//! Deadlocks are counted, and logged with the statements of both sides, without values.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::User;
use covet_tests::{on_each_database, on_each_server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::crud::email;

/// Hears what is logged about deadlocks on this thread.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "covet::deadlock"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let _ = writeln!(self.0.lock().unwrap(), "{}", line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

on_each_server! {
    async fn both_statements_are_logged_and_no_value(db: &TestDb) -> Outcome {
        let ear = Ear::default();
        let _listening = tracing::subscriber::set_default(ear.clone());
        let a = User::create().email(email("a@x")).exec(db).await?;
        let b = User::create().email(email("b@x")).exec(db).await?;
        let (one, two) = (db.begin().await?, db.begin().await?);
        let visits = |id: i64| User::query().filter(User::id.eq(id)).update().set(User::visits, 987_654);
        let name = |id: i64| User::query().filter(User::id.eq(id)).update().set(User::name, "canary");
        visits(a.id).exec(&one).await?;
        name(b.id).exec(&two).await?;
        let (first, second) = tokio::join!(visits(b.id).exec(&one), name(a.id).exec(&two));
        let (victim, winner, error) = match (first, second) {
            (Err(error), Ok(1)) => (one, two, error),
            (Ok(1), Err(error)) => (two, one, error),
            other => panic!("{other:?}"),
        };
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        victim.rollback().await?;
        winner.commit().await?;
        assert_eq!(db.tx_status().deadlocks, 1);
        let heard = ear.0.lock().unwrap().clone();
        assert_eq!(heard.lines().count(), 1, "{heard}");
        assert!(heard.contains("a deadlock ended a transaction"), "{heard}");
        let (sql, others) = heard.split_once("others=").unwrap();
        let sides = [sql, others].map(|side| (side.contains("visits"), side.contains("name")));
        assert!(sides == [(true, false), (false, true)] || sides == [(false, true), (true, false)], "{heard}");
        assert!(!heard.contains("canary") && !heard.contains("987654"), "{heard}");
        Ok(())
    }
}

on_each_database! {
    async fn what_transactions_meet_is_counted(db: &TestDb) -> Outcome {
        assert_eq!(db.tx_status(), covet_orm::TxStatus::default());
        let attempts = std::sync::atomic::AtomicU32::new(0);
        let attempts = &attempts;
        // A write within a transaction waits for the one of another.
        let user = User::create().email(email("a@x")).exec(db).await?;
        let holder = db.begin().await?;
        User::query().filter(User::id.eq(user.id)).update().set(User::visits, 1).exec(&holder).await?;
        let options = covet_orm::TxOptions::new().lock_timeout(std::time::Duration::from_millis(50)).attempts(2);
        let ended = db.transaction_with(options, async |tx| {
            attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            User::query().filter(User::id.eq(user.id)).update().set(User::visits, 2).exec(tx).await
        });
        let error = ended.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
        holder.rollback().await?;
        let met = db.tx_status();
        assert_eq!(met.repetitions, 1, "{met:?}");
        assert_eq!((met.lock_timeouts, met.deadlocks, met.commits_unknown), (2, 0, 0), "{met:?}");
        Ok(())
    }
}
