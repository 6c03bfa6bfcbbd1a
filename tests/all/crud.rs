//! One row at a time: create, find, update, save, delete.

use chrono::Utc;
use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Account, Email, Member, Role, Setting, User};
use covet_tests::on_each_database;
use uuid::Uuid;

pub(crate) fn email(text: &str) -> Email {
    Email(text.to_owned())
}

on_each_database! {
    async fn create_gives_the_row_back_with_key_and_defaults(db: &TestDb) -> Outcome {
        let user = User::create().email(email("a@x")).exec(db).await?;
        assert!(user.id > 0);
        assert_eq!((user.email.0.as_str(), user.name.as_deref(), user.active), ("a@x", None, true));
        assert_eq!((user.role, user.visits), (Role::Reader, 0));
        let other = User::create().email(email("b@x")).name("B").active(false).role(Role::Admin).visits(7).exec(db).await?;
        assert_ne!(user.id, other.id);
        assert_eq!((other.name.as_deref(), other.active, other.role, other.visits), (Some("B"), false, Role::Admin, 7));
        assert_eq!(User::find(other.id).one(db).await?, other);
        Ok(())
    }

    async fn a_given_key_is_kept_and_the_next_one_is_free(db: &TestDb) -> Outcome {
        let given = User::create().id(1000).email(email("a@x")).exec(db).await?;
        assert_eq!(given.id, 1000);
        let next = User::create().email(email("b@x")).exec(db).await?;
        assert_ne!(next.id, 1000);
        Ok(())
    }

    async fn find_by_key_and_by_each_unique_key(db: &TestDb) -> Outcome {
        let user = User::create().email(email("a@x")).exec(db).await?;
        assert_eq!(User::find_by_email(email("a@x")).one(db).await?.id, user.id);
        assert!(User::find(user.id).exists(db).await?);
        assert!(User::find_by_email(email("a@x")).exists(db).await?);
        assert!(!User::find(user.id + 1).exists(db).await?);
        assert_eq!(User::find(user.id + 1).optional(db).await?, None);
        let error = User::find_by_email(email("b@x")).one(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::NotFound, Some("User")));
        let member = Member::create().team(1).number(2).seat(3).joined(Utc::now().date_naive()).exec(db).await?;
        assert_eq!(Member::find_by_team_and_seat(1, 3).one(db).await?, member);
        Ok(())
    }

    async fn natural_and_composite_keys(db: &TestDb) -> Outcome {
        Setting::create().name("theme").value("dark").exec(db).await?;
        let mut theme = Setting::find("theme").one(db).await?;
        theme.value = "light".into();
        theme.save(db).await?;
        assert_eq!(Setting::find("theme").one(db).await?.value, "light");
        let today = Utc::now().date_naive();
        for number in 1..=3 {
            Member::create().team(1).number(number).seat(number as i16).joined(today).exec(db).await?;
        }
        let second = Member::find((1, 2)).one(db).await?;
        assert_eq!((second.team, second.number, second.seat), (1, 2, 2));
        second.delete(db).await?;
        assert_eq!(Member::query().count(db).await?, 2);
        Ok(())
    }

    async fn uuid_keys_are_made_and_sort_by_time(db: &TestDb) -> Outcome {
        let first = Account::create().owner("a").balance(rust_decimal::Decimal::ONE).exec(db).await?;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        let second = Account::create().owner("b").balance(rust_decimal::Decimal::TWO).exec(db).await?;
        assert!(first.id < second.id);
        assert_eq!(first.id.get_version_num(), 7);
        let given = Uuid::from_u128(5);
        assert_eq!(Account::create().id(given).owner("c").balance(rust_decimal::Decimal::TEN).exec(db).await?.id, given);
        let order: Vec<String> = Account::query().order_by(Account::id.asc()).select(Account::owner).all(db).await?;
        assert_eq!(order, ["c", "a", "b"]);
        Ok(())
    }

    async fn update_writes_only_the_columns_that_are_named(db: &TestDb) -> Outcome {
        let mut user = User::create().email(email("a@x")).name("A").exec(db).await?;
        User::query().update().set(User::visits, 10).exec(db).await?;
        user.update().set(User::name, "B").exec(db).await?;
        assert_eq!((user.name.as_deref(), user.visits), (Some("B"), 0), "the row in hand knows what it wrote");
        let fresh = User::find(user.id).one(db).await?;
        assert_eq!((fresh.name.as_deref(), fresh.visits), (Some("B"), 10), "nothing else was written");
        user.update().set(User::name, None::<String>).exec(db).await?;
        assert_eq!(User::find(user.id).one(db).await?.name, None);
        Ok(())
    }

    async fn update_by_an_expression_is_read_back(db: &TestDb) -> Outcome {
        let mut user = User::create().email(email("a@x")).exec(db).await?;
        User::query().update().set(User::visits, 41).exec(db).await?;
        user.update().set(User::visits, User::visits + 1).set(User::active, false).exec(db).await?;
        assert_eq!((user.visits, user.active), (42, false));
        Ok(())
    }

    async fn save_writes_every_column(db: &TestDb) -> Outcome {
        let mut user = User::create().email(email("a@x")).exec(db).await?;
        User::query().update().set(User::visits, 10).exec(db).await?;
        user.name = Some("N".into());
        user.role = Role::Editor;
        user.save(db).await?;
        let fresh = User::find(user.id).one(db).await?;
        assert_eq!((fresh.name.as_deref(), fresh.role, fresh.visits), (Some("N"), Role::Editor, 0));
        user.save(db).await?; // nothing differs, and the row is found all the same
        Ok(())
    }

    async fn a_row_that_is_gone_says_so(db: &TestDb) -> Outcome {
        let mut user = User::create().email(email("a@x")).exec(db).await?;
        user.delete(db).await?;
        for error in [
            user.delete(db).await.unwrap_err(),
            user.save(db).await.unwrap_err(),
            user.update().set(User::visits, 1).exec(db).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.model()), (ErrorKind::NotFound, Some("User")), "{error}");
        }
        Ok(())
    }

    async fn a_stale_write_is_refused(db: &TestDb) -> Outcome {
        let mut mine = Account::create().owner("a").balance(rust_decimal::Decimal::ONE).exec(db).await?;
        assert_eq!(mine.version, 1);
        let mut theirs = Account::find(mine.id).one(db).await?;
        theirs.owner = "b".into();
        theirs.save(db).await?;
        assert_eq!(theirs.version, 2);
        theirs.update().set(Account::owner, "c").exec(db).await?;
        assert_eq!(theirs.version, 3);
        mine.owner = "lost".into();
        for error in [
            mine.save(db).await.unwrap_err(),
            mine.update().set(Account::owner, "lost").exec(db).await.unwrap_err(),
            mine.delete(db).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::StaleWrite, "{error}");
            assert!(error.help().is_some());
        }
        let fresh = Account::find(mine.id).one(db).await?;
        assert_eq!((fresh.owner.as_str(), fresh.version), ("c", 3));
        fresh.delete(db).await?;
        assert_eq!(mine.save(db).await.unwrap_err().kind(), ErrorKind::NotFound);
        Ok(())
    }

    async fn a_version_and_a_key_can_be_set_by_hand(db: &TestDb) -> Outcome {
        let mut account = Account::create().owner("a").balance(rust_decimal::Decimal::ONE).exec(db).await?;
        account.update().set(Account::version, 10).exec(db).await?;
        assert_eq!(account.version, 10);
        account.update().set(Account::version, Account::version + 5).exec(db).await?;
        assert_eq!(account.version, 15);
        account.save(db).await?;
        assert_eq!(account, Account::find(account.id).one(db).await?);
        let mut user = User::create().email(email("a@x")).exec(db).await?;
        let moved = user.id + 100;
        user.update().set(User::id, moved).set(User::visits, User::visits + 1).exec(db).await?;
        assert_eq!((user.id, user.visits), (moved, 1));
        assert_eq!(user, User::find(moved).one(db).await?);
        let error = user.update().set(User::id, User::id + 1).exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("id")), "{error}");
        Ok(())
    }

    async fn timestamps_are_kept(db: &TestDb) -> Outcome {
        let before = Utc::now() - chrono::Duration::milliseconds(1);
        let mut account = Account::create().owner("a").balance(rust_decimal::Decimal::ONE).exec(db).await?;
        assert!(account.created_at >= before && account.created_at <= Utc::now());
        assert_eq!(account.created_at, account.updated_at);
        let created = account.created_at;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        account.save(db).await?;
        assert!(account.updated_at > created);
        let fresh = Account::find(account.id).one(db).await?;
        assert_eq!((fresh.created_at, fresh.updated_at), (created, account.updated_at));
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        Account::query().update().set(Account::owner, "b").exec(db).await?;
        assert!(Account::find(account.id).one(db).await?.updated_at > account.updated_at);
        Ok(())
    }
}
