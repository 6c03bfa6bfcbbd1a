//! Many rows at a time.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Account, Post, Setting, Tag, User};
use covet_tests::on_each_database;

use crate::crud::email;

on_each_database! {
    async fn insert_many_counts_and_returns_in_order(db: &TestDb) -> Outcome {
        let rows = (0..25).map(|n| Tag::create().name(format!("t{n:02}")));
        assert_eq!(Tag::insert_many(rows).exec(db).await?, 25);
        let more = Tag::insert_many((25..30).map(|n| Tag::create().name(format!("t{n:02}")))).returning(db).await?;
        let names: Vec<&str> = more.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["t25", "t26", "t27", "t28", "t29"]);
        for tag in &more {
            assert_eq!(Tag::find(tag.id).one(db).await?, *tag);
        }
        Ok(())
    }

    async fn rows_may_give_different_columns(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let rows = [
            Post::create().author_id(ann.id).title("a"),
            Post::create().author_id(ann.id).title("b").published(true),
            Post::create().author_id(ann.id).title("c").views(5).editor_id(ann.id),
        ];
        let before = chrono::Utc::now() - chrono::Duration::seconds(60);
        let posts = Post::insert_many(rows).returning(db).await?;
        let seen: Vec<_> = posts.iter().map(|post| (post.published, post.views, post.editor_id)).collect();
        assert_eq!(seen, [(false, 0, None), (true, 0, None), (false, 5, Some(ann.id))]);
        let given = before - chrono::Duration::days(1);
        let given = chrono::DateTime::from_timestamp_micros(given.timestamp_micros()).unwrap();
        let rows = [Post::create().author_id(ann.id).title("d").created_at(given), Post::create().author_id(ann.id).title("e")];
        let posts = Post::insert_many(rows).returning(db).await?;
        assert_eq!(posts[0].created_at, given);
        assert!(posts[1].created_at > before, "a default beside a given value is still the database's time");
        Ok(())
    }

    async fn nothing_to_insert_is_nothing(db: &TestDb) -> Outcome {
        assert_eq!(<Tag as Model>::insert_many(Vec::<covet_orm::query::Insert<Tag>>::new()).exec(db).await?, 0);
        assert_eq!(<Tag as Model>::insert_many(Vec::<covet_orm::query::Insert<Tag>>::new()).returning(db).await?, []);
        Ok(())
    }

    async fn more_rows_than_one_statement_may_bind(db: &TestDb) -> Outcome {
        // 40,000 rows of two values are 80,000 values: over every database's limit.
        let rows = (0..40_000).map(|n| Setting::create().name(format!("s{n}")).value("v"));
        assert_eq!(Setting::insert_many(rows).exec(db).await?, 40_000);
        assert_eq!(Setting::query().count(db).await?, 40_000);
        Ok(())
    }

    async fn all_pieces_or_none(db: &TestDb) -> Outcome {
        let mut rows: Vec<_> = (0..5_000).map(|n| Setting::create().name(format!("s{n}")).value("v")).collect();
        rows.push(Setting::create().name("s0").value("twice"));
        let error = Setting::insert_many(rows).exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Unique, Some("Setting")), "{error}");
        assert_eq!(Setting::query().count(db).await?, 0);
        Ok(())
    }

    async fn all_pieces_that_give_rows_back_or_none(db: &TestDb) -> Outcome {
        // More values than any database takes in one statement; the last statement is the one that fails.
        let most = db.capabilities().max_parameters.max(1_000);
        let mut rows: Vec<_> = (0..most / 2 + 10).map(|n| Setting::create().name(format!("s{n}")).value("v")).collect();
        rows.push(Setting::create().name("s0").value("twice"));
        let error = Setting::insert_many(rows).returning(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Unique, Some("Setting")), "{error}");
        assert_eq!(Setting::query().count(db).await?, 0);
        Ok(())
    }

    async fn all_pieces_or_none_within_a_transaction(db: &TestDb) -> Outcome {
        db.transaction(async |tx| {
            Setting::create().name("kept").value("v").exec(tx).await?;
            let mut rows: Vec<_> = (0..2_500).map(|n| Setting::create().name(format!("s{n}")).value("v")).collect();
            rows.push(Setting::create().name("s0").value("twice"));
            let error = Setting::insert_many(rows).exec(tx).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unique);
            Ok(())
        })
        .await?;
        assert_eq!(Setting::query().select(Setting::name).all(db).await?, ["kept"]);
        Ok(())
    }

    async fn keys_and_times_are_made_for_each_row(db: &TestDb) -> Outcome {
        let rows = (0..3).map(|n| Account::create().owner(format!("o{n}")).balance(rust_decimal::Decimal::from(n)));
        let accounts = Account::insert_many(rows).returning(db).await?;
        assert_eq!(accounts.len(), 3);
        assert!(accounts[0].id != accounts[1].id && accounts[1].id != accounts[2].id);
        assert!(accounts.iter().all(|account| account.version == 1 && account.created_at == account.updated_at));
        Ok(())
    }

    async fn too_many_values_in_one_condition_are_refused_before_sending(db: &TestDb) -> Outcome {
        let error = User::query().filter(User::id.is_in(0..70_000_i64)).all(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("70000"), "{error}");
        let most = db.capabilities().max_parameters as i64;
        assert_eq!(User::query().filter(User::id.is_in(0..most)).count(db).await?, 0);
        assert_eq!(User::query().filter(User::id.is_in(0..=most)).count(db).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    }
}
