//! Insert, or change what is there.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Account, Badge, Handle, Member, Post, Role, Setting, Tag, User};
use covet_tests::{Kind, on_each_database};

use crate::crud::email;

on_each_database! {
    async fn update_what_is_there(db: &TestDb) -> Outcome {
        let first = User::create().email(email("a@x")).name("A").on_conflict(User::email).update().exec(db).await?;
        assert_eq!((first.name.as_deref(), first.visits), (Some("A"), 0));
        let second = User::create().email(email("a@x")).name("B").role(Role::Admin).on_conflict(User::email).update().exec(db).await?;
        assert_eq!((second.id, second.name.as_deref(), second.role), (first.id, Some("B"), Role::Admin));
        assert_eq!(User::query().count(db).await?, 1);
        Ok(())
    }

    async fn set_by_an_expression_over_the_row_that_is_there(db: &TestDb) -> Outcome {
        for _ in 0..3 {
            User::create().email(email("a@x")).visits(1).on_conflict(User::email).set(User::visits, User::visits + 10).exec(db).await?;
        }
        assert_eq!(User::query().one(db).await?.visits, 21);
        Ok(())
    }

    async fn keep_what_is_there(db: &TestDb) -> Outcome {
        let first = Tag::create().name("rust").exec(db).await?;
        let again = Tag::create().name("rust").on_conflict(Tag::name).exec(db).await?;
        assert_eq!(first, again);
        Ok(())
    }

    async fn by_the_primary_key_natural_and_composite(db: &TestDb) -> Outcome {
        for value in ["a", "b"] {
            Setting::create().name("k").value(value).on_conflict(Setting::name).update().exec(db).await?;
        }
        assert_eq!(Setting::find("k").one(db).await?.value, "b");
        let today = chrono::Utc::now().date_naive();
        let member = |seat| Member::create().team(1).number(1).seat(seat).joined(today);
        member(1).exec(db).await?;
        let result = member(2).on_conflict((Member::team, Member::number)).set(Member::seat, 2_i16).exec(db).await;
        if db.capabilities().conflict_target {
            assert_eq!(result?.seat, 2);
        } else {
            // (team, seat) is unique too, and this database could take one conflict for the other.
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.model()), (ErrorKind::Unsupported, Some("Member")), "{error}");
        }
        Ok(())
    }

    async fn the_version_counts_up(db: &TestDb) -> Outcome {
        let id = uuid::Uuid::from_u128(7);
        for owner in ["a", "b", "c"] {
            Account::create().id(id).owner(owner).balance(rust_decimal::Decimal::ONE).on_conflict(Account::id).update().exec(db).await?;
        }
        let account = Account::find(id).one(db).await?;
        assert_eq!((account.owner.as_str(), account.version), ("c", 3));
        Ok(())
    }

    async fn an_upsert_is_a_write_like_any_other(db: &TestDb) -> Outcome {
        let id = uuid::Uuid::from_u128(9);
        let first = Account::create().id(id).owner("a").balance(rust_decimal::Decimal::ONE).exec(db).await?;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        let second = Account::create().id(id).owner("b").balance(rust_decimal::Decimal::ONE)
            .on_conflict(Account::id).set(Account::owner, "c").exec(db).await?;
        assert_eq!((second.owner.as_str(), second.version, second.created_at), ("c", 2, first.created_at));
        assert!(second.updated_at > first.updated_at);
        Ok(())
    }

    async fn a_kept_row_is_seen_whatever_the_transaction_has_read(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Sqlite {
            return Ok(()); // one transaction writes at a time
        }
        let tx = db.begin().await?;
        assert_eq!(Tag::query().count(&tx).await?, 0);
        let theirs = Tag::create().name("rust").exec(db).await?;
        let mine = Tag::create().name("rust").on_conflict(Tag::name).exec(&tx).await?;
        assert_eq!(mine, theirs);
        tx.rollback().await?;
        Ok(())
    }

    async fn a_key_that_is_generated_is_a_second_key(db: &TestDb) -> Outcome {
        let first = Badge::create().email("a@x").name("Bob").exec(db).await?;
        let badge = || Badge::create().email("b@x").name("BOB");
        let wanted = match db.capabilities().conflict_target {
            true => ErrorKind::Unique,
            // It could not tell that it is the other key that the row meets.
            false => ErrorKind::Unsupported,
        };
        assert_eq!(badge().on_conflict(Badge::email).update().exec(db).await.unwrap_err().kind(), wanted);
        assert_eq!(badge().on_conflict(Badge::email).exec(db).await.unwrap_err().kind(), wanted);
        assert_eq!(Badge::query().all(db).await?, [first]);
        Ok(())
    }

    async fn what_was_not_given_is_not_changed(db: &TestDb) -> Outcome {
        let handle = |visits| Handle::create().nick("ann").visits(visits);
        let first = handle(1).on_conflict(Handle::nick).update().exec(db).await?;
        let second = handle(2).on_conflict(Handle::nick).update().exec(db).await?;
        assert_eq!((second.id, second.visits, second.token), (first.id, 2, first.token));
        let token = uuid::Uuid::from_u128(3);
        let third = handle(3).token(token).on_conflict(Handle::nick).update().exec(db).await?;
        assert_eq!((third.id, third.visits, third.token), (first.id, 3, token));
        Ok(())
    }

    async fn null_meets_nothing(db: &TestDb) -> Outcome {
        let handle = |visits| Handle::create().nick(None::<String>).visits(visits).on_conflict(Handle::nick);
        let found = [
            handle(1).exec(db).await?,
            handle(2).exec(db).await?,
            handle(3).update().exec(db).await?,
            handle(4).set(Handle::visits, Handle::visits + 1).exec(db).await?,
        ];
        let visits: Vec<i32> = found.iter().map(|handle| handle.visits).collect();
        assert_eq!(visits, [1, 2, 3, 4]);
        assert_eq!(Handle::query().order_by(Handle::id.asc()).all(db).await?, found);
        Ok(())
    }

    async fn a_target_that_is_not_unique_is_refused(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let error = Post::create().author_id(ann.id).title("t").on_conflict(Post::title).update().exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidInput, Some("Post")), "{error}");
        assert_eq!(Post::query().count(db).await?, 0);
        Ok(())
    }
}
