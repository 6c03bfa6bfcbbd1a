//! Many rows from an iterator: in constant memory, all or none, told as one statement.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::query::Insert;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::models::{Account, Maybe, Post, Sample, Setting, Tag, User};
use covet_tests::proxy::{Bent, Direction, Grain, Proxy};
use covet_tests::{Kind, on_each_database};

use crate::crud::email;
use crate::types::sample;

/// Sizes around those at which something changes: a statement of SQLite's, `COPY`, the rows that are looked
/// at, a command of MariaDB's.
const SIZES: [usize; 12] = [1, 49, 50, 51, 500, 501, 999, 1000, 1001, 1999, 2001, 4001];

fn setting(n: usize) -> Insert<Setting> {
    Setting::create().name(format!("s{n:06}")).value(format!("value {n}")).into()
}

pub(crate) fn given(row: Sample) -> Insert<Sample> {
    let create = Sample::create().a_bool(row.a_bool).an_i8(row.an_i8).an_i16(row.an_i16).an_i32(row.an_i32);
    let create = create.an_i64(row.an_i64).a_u8(row.a_u8).a_u16(row.a_u16).a_u32(row.a_u32).a_u64(row.a_u64);
    let create = create.an_f32(row.an_f32).an_f64(row.an_f64).text(row.text).short(row.short).bytes(row.bytes);
    let create = create.date(row.date).time(row.time).datetime(row.datetime).timestamp(row.timestamp);
    let create = create.uuid(row.uuid).decimal(row.decimal).wide(row.wide).json(row.json).list(row.list);
    create.role(row.role).into()
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it ends")
}

on_each_database! {
    async fn any_number_of_rows(db: &TestDb) -> Outcome {
        for rows in SIZES {
            assert_eq!(<Setting as Model>::insert_many((0..rows).map(setting)).exec(db).await?, rows as u64);
            let found = Setting::query().order_by(Setting::name.asc()).all(db).await?;
            assert_eq!(found.len(), rows);
            for (n, row) in found.iter().enumerate() {
                assert_eq!((row.name.as_str(), row.value.as_str()), (format!("s{n:06}").as_str(), format!("value {n}").as_str()));
            }
            Setting::query().delete().exec(db).await?;
        }
        Ok(())
    }

    async fn every_type_and_null(db: &TestDb) -> Outcome {
        for rows in [3_usize, 1_500] {
            let row = |n: usize| Sample { an_i64: n as i64 - 7, a_bool: n.is_multiple_of(2), bytes: vec![0, 255, 10], ..sample() };
            assert_eq!(<Sample as Model>::insert_many((0..rows).map(|n| given(row(n)))).exec(db).await?, rows as u64);
            let found = Sample::query().order_by(Sample::an_i64.asc()).all(db).await?;
            for (n, came) in found.iter().enumerate() {
                assert_eq!(*came, Sample { id: came.id, ..row(n) });
            }
            assert_eq!(found.len(), rows);
            Sample::query().delete().exec(db).await?;
            let maybe = |n: usize| match n % 3 {
                0 => Maybe::create(),
                1 => Maybe::create().text("t").a_u64(5).uuid(sample().uuid).decimal(sample().decimal),
                _ => Maybe::create().json(sample().json).role(sample().role).wide(sample().wide).time(sample().time),
            };
            assert_eq!(<Maybe as Model>::insert_many((0..rows).map(maybe)).exec(db).await?, rows as u64);
            let texts = Maybe::query().filter(Maybe::text.eq("t")).count(db).await?;
            let nothing = Maybe::query().filter(Maybe::text.is_null()).filter(Maybe::json.is_null()).count(db).await?;
            assert_eq!((texts, nothing), (((rows + 1) / 3) as u64, rows.div_ceil(3) as u64));
            let json = Maybe::query().filter(Maybe::json.is_not_null()).first(db).await?.and_then(|row| row.json);
            assert_eq!(json, Some(sample().json));
            Maybe::query().delete().exec(db).await?;
        }
        Ok(())
    }

    async fn rows_may_change_their_columns_anywhere(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let given = chrono::DateTime::from_timestamp_micros(1_600_000_000_000_000).unwrap();
        // Far behind those that are looked at; the times of others are the database's own.
        let row = |n: i64| {
            let post = Post::create().author_id(ann.id).title(format!("p{n:05}"));
            match n {
                1_800..=1_801 => post.views(n).created_at(given).into(),
                2_900 => post.created_at(given).into(),
                _ if n > 1_500 => post.views(n).into(),
                _ => Insert::<Post>::from(post),
            }
        };
        for within in [false, true] {
            let tx = if within { Some(db.begin().await?) } else { None };
            let on: &Executor = match &tx {
                Some(tx) => tx,
                None => db,
            };
            assert_eq!(<Post as Model>::insert_many((0..4_000).map(row)).exec(on).await?, 4_000);
            let posts = Post::query().order_by(Post::title.asc()).all(on).await?;
            assert_eq!(posts.len(), 4_000);
            for (post, n) in posts.iter().zip(0..) {
                let views = if n <= 1_500 || n == 2_900 { 0 } else { n };
                assert_eq!((post.title.as_str(), post.views, post.published), (format!("p{n:05}").as_str(), views, false));
                assert_eq!(post.created_at == given, [1_800, 1_801, 2_900].contains(&n), "{n}");
            }
            assert!(posts.is_sorted_by_key(|post| post.id), "rows have their numbers in the order in which they came");
            match tx {
                Some(tx) => tx.rollback().await?,
                None => drop(Post::query().delete().exec(db).await?),
            }
            assert_eq!(Post::query().count(db).await?, 0);
        }
        Ok(())
    }

    async fn a_part_that_fails_takes_the_others_with_it(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let row = |n: i64| {
            let post = Post::create().title(format!("p{n}"));
            match n {
                // Nobody has this number.
                3_000 => Insert::<Post>::from(post.author_id(ann.id + 1_000).views(n)),
                _ if n > 1_200 => post.author_id(ann.id).views(n).into(),
                _ => post.author_id(ann.id).into(),
            }
        };
        let error = <Post as Model>::insert_many((0..3_500).map(row)).exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKey, Some("Post")), "{error}");
        assert_eq!(Post::query().count(db).await?, 0);
        db.transaction(async |tx| {
            Setting::create().name("kept").value("v").exec(tx).await?;
            let error = <Post as Model>::insert_many((0..3_500).map(row)).exec(tx).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ForeignKey);
            assert_eq!(Post::query().count(tx).await?, 0);
            Ok(())
        })
        .await?;
        assert_eq!((Post::query().count(db).await?, Setting::query().count(db).await?), (0, 1));
        Ok(())
    }

    async fn a_refused_value_names_model_field_and_row(db: &TestDb) -> Outcome {
        for (rows, at) in [(5_usize, 3_usize), (5_000, 3_456)] {
            let long = |n: usize| if n == at { Setting::create().name("x".repeat(101)).value("v").into() } else { setting(n) };
            let error = <Setting as Model>::insert_many((1..=rows).map(long)).exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Setting"), Some("name")));
            assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
            assert_eq!(Setting::query().count(db).await?, 0);
            // What the database's own encoding refuses.
            let nan = |n: usize| Sample { a_u64: if n == at { u64::MAX } else { 1 }, ..sample() };
            let result = <Sample as Model>::insert_many((1..=rows).map(|n| given(nan(n)))).exec(db).await;
            if db.kind() == Kind::Mysql {
                result?;
            } else {
                let error = result.unwrap_err();
                assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Sample"), Some("a_u64")));
                assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
                assert!(!error.to_string().contains(&u64::MAX.to_string()), "{error}");
                assert_eq!(Sample::query().count(db).await?, 0);
            }
            let error = <Sample as Model>::insert_many((1..=rows).map(|n| {
                if n == at { Sample::create().decimal("0.0000001".parse::<rust_decimal::Decimal>().unwrap()) } else { Sample::create().decimal(sample().decimal) }
            }).map(|create| {
                let row = sample();
                let create = create.a_bool(true).an_i8(1).an_i16(1).an_i32(1).an_i64(1).a_u8(1).a_u16(1).a_u32(1).a_u64(1);
                let create = create.an_f32(1.0).an_f64(1.0).text("").short("").bytes(vec![]).date(row.date).time(row.time);
                create.datetime(row.datetime).timestamp(row.timestamp).uuid(row.uuid).wide(row.wide).json(row.json).list(row.list).role(row.role)
            })).exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::OutOfRange, Some("decimal")), "{error}");
            assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
        }
        Ok(())
    }

    async fn keys_and_times_are_made_while_rows_are_sent(db: &TestDb) -> Outcome {
        let rows = (0..1_300).map(|n| Account::create().owner(format!("o{n}")).balance(rust_decimal::Decimal::from(n)));
        assert_eq!(<Account as Model>::insert_many(rows).exec(db).await?, 1_300);
        let mut keys: Vec<_> = Account::query().select(Account::id).all(db).await?;
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 1_300);
        assert_eq!(Account::query().filter(Account::version.eq(1)).count(db).await?, 1_300);
        Ok(())
    }

    async fn rows_may_borrow(db: &TestDb) -> Outcome {
        let names: Vec<String> = (0..60).map(|n| format!("n{n}")).collect();
        let rows = names.iter().map(|name| Tag::create().name(name));
        assert_eq!(<Tag as Model>::insert_many(rows).exec(db).await?, 60);
        assert_eq!(<Tag as Model>::insert_many(Vec::<Insert<Tag>>::new()).exec(db).await?, 0);
        Ok(())
    }

    async fn an_observer_is_told_one_statement(db: &TestDb) -> Outcome {
        let told = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&told);
        let options = DbOptions::new().observe(move |event: &covet_orm::Event<'_>| {
            theirs.lock().unwrap().push((event.sql.to_owned(), event.rows, event.error, event.duration));
        });
        let watched = Db::connect_with(db.url(), options).await?;
        for rows in [3_usize, 3_000] {
            <Setting as Model>::insert_many((0..rows).map(setting)).exec(&watched).await?;
            let events = std::mem::take(&mut *told.lock().unwrap());
            let [(sql, seen, None, duration)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(*seen, rows as u64);
            assert!(sql.starts_with("INSERT INTO ") && sql.contains("settings") && sql.len() < 100, "{sql}");
            assert!(!sql.contains("s000") && !duration.is_zero(), "{sql}");
            let error = <Setting as Model>::insert_many((0..rows).map(setting)).exec(&watched).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unique);
            let events = std::mem::take(&mut *told.lock().unwrap());
            let [(_, 0, Some(ErrorKind::Unique), _)] = &events[..] else { panic!("{events:?}") };
            Setting::query().delete().exec(db).await?;
        }
        <Setting as Model>::insert_many(Vec::<Insert<Setting>>::new()).exec(&watched).await?;
        assert!(told.lock().unwrap().is_empty(), "nothing to insert is nothing to tell");
        watched.close();
        Ok(())
    }

    async fn dropped_half_way_nothing_is_inserted(db: &TestDb) -> Outcome {
        let large = "x".repeat(1_000);
        for until in [1, 700, 2_500, 5_000, 9_000] {
            let pulled = AtomicU64::new(0);
            let rows = (0..10_000).map(|n| {
                pulled.fetch_add(1, Ordering::Relaxed);
                Setting::create().name(format!("s{n:06}")).value(&large)
            });
            {
                let mut inserting = pin!(<Setting as Model>::insert_many(rows).exec(db));
                let ended = in_time(poll_fn(|context| match inserting.as_mut().poll(context) {
                    Poll::Ready(result) => Poll::Ready(Some(result)),
                    Poll::Pending if pulled.load(Ordering::Relaxed) >= until => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }))
                .await;
                assert!(ended.is_none_or(|result| result.is_ok()));
            }
            let all = pulled.load(Ordering::Relaxed) == 10_000;
            if all {
                // What is on its way may still arrive.
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            // Whole or not at all, and nobody holds a lock.
            let there = in_time(Setting::query().count(db)).await?;
            assert!(there == 0 || there == 10_000 && all, "{there} after {until}");
            in_time(Setting::query().delete().exec(db)).await?;
            assert_eq!(in_time(<Setting as Model>::insert_many((0..2_000).map(setting)).exec(db)).await?, 2_000);
            in_time(Setting::query().delete().exec(db)).await?;
        }
        Ok(())
    }

    async fn a_panic_of_the_source_inserts_nothing(db: &TestDb) -> Outcome {
        for at in [0, 10, 1_200, 4_000] {
            let db: Db = Db::clone(db);
            let task = tokio::spawn(async move {
                let rows = (0..5_000).map(|n| if n == at { panic!("the source's own") } else { setting(n) });
                <Setting as Model>::insert_many(rows).exec(&db).await
            });
            assert!(in_time(task).await.is_err_and(|error| error.is_panic()));
        }
        assert_eq!(in_time(Setting::query().count(db)).await?, 0);
        assert_eq!(in_time(<Setting as Model>::insert_many((0..2_000).map(setting)).exec(db)).await?, 2_000);
        Ok(())
    }
}

/// A task beside the insert is not kept from running, on the one thread of its runtime.
fn beside(kind: Kind) {
    covet_tests::run(kind, |db| {
        Box::pin(async move {
            let url = db.url().to_owned();
            // Optimized code pulls rows a hundred times faster than this test does.
            let worst = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    let db = Db::connect(&url).await?;
                    let done = Arc::new(AtomicU64::new(0));
                    let theirs = Arc::clone(&done);
                    let watching = tokio::spawn(async move {
                        let mut worst = Duration::ZERO;
                        while theirs.load(Ordering::Relaxed) == 0 {
                            let begun = std::time::Instant::now();
                            tokio::task::yield_now().await;
                            worst = worst.max(begun.elapsed());
                        }
                        worst
                    });
                    let inserted = <Setting as Model>::insert_many((0..20_000).map(setting)).exec(&db).await;
                    done.store(1, Ordering::Relaxed);
                    let worst = watching.await.unwrap();
                    db.close();
                    inserted.map(|_| worst)
                })
            });
            let worst = worst.join().unwrap()?;
            assert!(worst < Duration::from_millis(200), "a task waited for {worst:?}");
            Ok(())
        })
    });
}

#[test]
fn other_tasks_run_beside_it() {
    for kind in covet_tests::servers() {
        beside(kind);
    }
}

/// A proxy in front of MariaDB that knows nothing of bulk commands: the driver sends row after row there, and says so to
/// nobody.
#[test]
fn all_or_none_where_no_bulk_command_was_agreed_on_mysql() {
    covet_tests::run(Kind::Mysql, |db| {
        Box::pin(async move {
            let proxy = Proxy::start(Kind::Mysql, db.url(), Grain::Message).await;
            proxy.bend(|passing| match passing.bytes {
                // The greeting: protocol 10, as the first message of a connection.
                [_, _, _, 0, 10, rest @ ..] if passing.direction == Direction::ToClient => {
                    let version = rest.iter().position(|byte| *byte == 0).expect("the version ends");
                    // Behind it number, salt, flags and what is reserved; then MariaDB's own flags.
                    let flags = 5 + version + 1 + 4 + 9 + 2 + 1 + 2 + 2 + 1 + 6;
                    let mut bytes = passing.bytes.to_vec();
                    bytes[flags..flags + 4].fill(0);
                    Bent::Into(bytes)
                }
                _ => Bent::Same,
            });
            let twice = |rows: usize| (0..rows).map(move |n| if n + 1 == rows { setting(0) } else { setting(n) });
            for rows in [3, 2_500] {
                let one = Db::connect_with(proxy.url(), DbOptions::new().max_connections(1)).await?;
                // A connection that has not shown what it does, and one that has.
                for _ in 0..2 {
                    let error = <Setting as Model>::insert_many(twice(rows)).exec(&one).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Unique, "{error}");
                    assert_eq!(Setting::query().count(db).await?, 0);
                    let tx = one.begin().await?;
                    Setting::create().name("kept").value("v").exec(&tx).await?;
                    assert!(<Setting as Model>::insert_many(twice(rows)).exec(&tx).await.is_err());
                    assert_eq!(Setting::query().count(&tx).await?, 1);
                    tx.rollback().await?;
                    assert_eq!(<Setting as Model>::insert_many((0..rows).map(setting)).exec(&one).await?, rows as u64);
                    assert_eq!(Setting::query().count(db).await?, rows as u64);
                    Setting::query().delete().exec(db).await?;
                }
                one.close();
            }
            Ok(())
        })
    });
}
