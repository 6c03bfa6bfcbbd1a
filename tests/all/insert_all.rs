//! Rows of structs that are at hand, inserted as they are.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Account, Maybe, Post, Sample, Setting, User};
use covet_tests::{Kind, on_each_database};

use crate::crud::email;
use crate::types::sample;

/// Few, and more than go by one way on each database.
const SIZES: [usize; 3] = [3, 600, 4_100];

fn settings(rows: usize) -> Vec<Setting> {
    (0..rows).map(|n| Setting { name: format!("s{n:06}"), value: format!("value {n}") }).collect()
}

on_each_database! {
    async fn structs_are_written_as_they_are(db: &TestDb) -> Outcome {
        for rows in SIZES {
            let row = |n: usize| Sample { an_i64: n as i64 - 7, a_bool: n.is_multiple_of(2), bytes: vec![0, 255, 10], ..sample() };
            let samples: Vec<Sample> = (0..rows).map(row).collect();
            assert_eq!(Sample::insert_all(&samples).exec(db).await?, rows as u64);
            let found = Sample::query().order_by(Sample::an_i64.asc()).all(db).await?;
            assert_eq!(found.len(), rows);
            for (n, came) in found.iter().enumerate() {
                assert_eq!(*came, Sample { id: came.id, ..row(n) });
            }
            let ids = |rows: &[Sample]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
            assert!(ids(&found).is_sorted(), "rows have their numbers in the order in which they came");
            // A copy that keeps them.
            Sample::query().delete().exec(db).await?;
            assert_eq!(Sample::insert_all(found.iter().rev()).with_keys().exec(db).await?, rows as u64);
            assert_eq!(Sample::query().order_by(Sample::an_i64.asc()).all(db).await?, found);
            let error = Sample::insert_all(&found).with_keys().exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model()), (ErrorKind::Unique, Some("Sample")), "{error}");
            Sample::query().delete().exec(db).await?;
        }
        Ok(())
    }

    async fn null_stays_null(db: &TestDb) -> Outcome {
        for n in 0..20 {
            let maybe = if n % 2 == 0 { Maybe::create() } else { Maybe::create().text("t").a_u64(5).wide(sample().wide).json(sample().json) };
            maybe.exec(db).await?;
        }
        let rows = Maybe::query().order_by(Maybe::id.asc()).all(db).await?;
        Maybe::query().delete().exec(db).await?;
        // Many of them, so that the first is followed by others of other kinds.
        let many = || rows.iter().cycle().take(2_400);
        assert_eq!(Maybe::insert_all(many()).exec(db).await?, 2_400);
        let found = Maybe::query().order_by(Maybe::id.asc()).all(db).await?;
        for (came, wanted) in found.iter().zip(many()) {
            assert_eq!(*came, Maybe { id: came.id, ..wanted.clone() });
        }
        Ok(())
    }

    async fn keys_that_are_not_numbered_are_written(db: &TestDb) -> Outcome {
        let accounts = (0..5).map(|n| Account::create().owner(format!("o{n}")).balance(rust_decimal::Decimal::from(n)));
        let accounts = Account::insert_many(accounts).returning(db).await?;
        Account::query().delete().exec(db).await?;
        assert_eq!(Account::insert_all(&accounts).exec(db).await?, 5);
        let mut found = Account::query().all(db).await?;
        found.sort_by_key(|row| row.balance);
        assert_eq!(found, accounts);
        assert_eq!(Account::insert_all(&[]).exec(db).await?, 0);
        Ok(())
    }

    async fn relations_are_left_alone(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let post = Post::create().author_id(ann.id).title("t").exec(db).await?;
        let loaded = Post::query().include(Post::author).all(db).await?;
        assert_eq!(Post::insert_all(&loaded).exec(db).await?, 1);
        let posts = Post::query().order_by(Post::id.asc()).all(db).await?;
        assert_eq!(posts.len(), 2);
        assert_eq!((posts[0].id, posts[1].author_id, posts[1].created_at), (post.id, ann.id, post.created_at));
        Ok(())
    }

    async fn all_of_them_or_none_in_and_out_of_a_transaction(db: &TestDb) -> Outcome {
        for rows in SIZES {
            let mut twice = settings(rows);
            twice.push(twice[rows / 2].clone());
            let error = Setting::insert_all(&twice).exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model()), (ErrorKind::Unique, Some("Setting")), "{error}");
            assert_eq!(Setting::query().count(db).await?, 0);
            let mut tx = db.begin().await?;
            // One statement that fails dooms PostgreSQL's transaction; several stand in a savepoint. This is for both.
            let failed = tx.transaction(async |tx| Setting::insert_all(&twice).exec(tx).await).await;
            assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unique);
            assert_eq!(Setting::insert_all(&settings(rows)).exec(&tx).await?, rows as u64);
            assert_eq!(Setting::query().count(db).await.ok(), (db.kind() != Kind::Sqlite || !db.url().contains("memory")).then_some(0));
            tx.rollback().await?;
            assert_eq!(Setting::query().count(db).await?, 0);
        }
        Ok(())
    }

    async fn a_refused_value_names_model_field_and_row(db: &TestDb) -> Outcome {
        for (rows, at) in [(5_usize, 3_usize), (5_000, 3_456)] {
            let mut long = settings(rows);
            long[at - 1].name = "x".repeat(101);
            let error = Setting::insert_all(&long).exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Setting"), Some("name")), "{error}");
            assert_eq!(Setting::query().count(db).await?, 0);
            let mut samples = vec![sample(); rows];
            // The type's own conversion refuses it, before a writer sees it.
            samples[at - 1].decimal = "0.0000001".parse()?;
            let error = Sample::insert_all(&samples).exec(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Sample"), Some("decimal")), "{error}");
            assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
            samples[at - 1] = Sample { a_u64: u64::MAX, an_f64: f64::NAN, ..sample() };
            let error = Sample::insert_all(&samples).exec(db).await;
            if db.kind() == Kind::Postgres {
                let error = error.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::OutOfRange, Some("a_u64")), "{error}");
                assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
            } else {
                let field = if db.kind() == Kind::Mysql { "an_f64" } else { "a_u64" };
                let error = error.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::OutOfRange, Some(field)), "{error}");
                assert!(error.to_string().contains(&format!("row {at}:")), "{error}");
            }
            assert_eq!(Sample::query().count(db).await?, 0);
        }
        Ok(())
    }
}
