//! What a database without `RETURNING` gets instead: MySQL, which cannot be had everywhere, is
//! played by any database that is told to pretend.

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::models::{Account, Member, Role, Setting, Tag, User};
use covet_tests::{Kind, TestDb, on_each_database};

use crate::crud::email;

async fn lesser(db: &TestDb) -> covet_orm::Result<Db> {
    let options = DbOptions::new().assume(|capabilities| {
        capabilities.returning_on_insert = false;
        capabilities.returning_on_update = false;
        capabilities.returning_on_delete = false;
        capabilities.conflict_target = false;
    });
    Db::connect_with(db.url(), options).await
}

on_each_database! {
    async fn an_inserted_row_is_read_back(db: &TestDb) -> Outcome {
        let lesser = lesser(db).await?;
        let setting = Setting::create().name("a").value("v").exec(&lesser).await?;
        assert_eq!(setting, Setting::find("a").one(db).await?);
        let account = Account::create().owner("o").balance(rust_decimal::Decimal::ONE).exec(&lesser).await?;
        assert_eq!(account, Account::find(account.id).one(db).await?);
        let user = User::create().email(email("a@x")).exec(&lesser).await;
        if db.kind() != Kind::Mysql {
            // Told no last id, so a numbered key cannot be read back: refused, and undone.
            assert_eq!(user.unwrap_err().kind(), ErrorKind::Unsupported);
            assert_eq!(User::query().count(db).await?, 0);
        } else {
            assert_eq!(user?, User::query().one(db).await?);
            let tags = Tag::insert_many((0..5).map(|n| Tag::create().name(format!("t{n}")))).returning(&lesser).await?;
            assert_eq!(tags, Tag::query().order_by(Tag::id.asc()).all(db).await?);
        }
        lesser.close();
        Ok(())
    }

    async fn changes_are_read_back(db: &TestDb) -> Outcome {
        let lesser = lesser(db).await?;
        let mut user = User::create().email(email("a@x")).visits(41).exec(db).await?;
        user.update().set(User::visits, User::visits + 1).set(User::role, Role::Admin).exec(&lesser).await?;
        assert_eq!((user.visits, user.role), (42, Role::Admin));
        assert_eq!(user, User::find(user.id).one(db).await?);
        let kept = User::create().email(email("a@x")).visits(7).on_conflict(User::email).exec(&lesser).await?;
        assert_eq!(kept, user);
        let changed = User::create().email(email("a@x")).visits(7).on_conflict(User::email).update().exec(&lesser).await?;
        assert_eq!((changed.id, changed.visits), (user.id, 7));
        let today = chrono::Utc::now().date_naive();
        let error = Member::create().team(1).number(1).seat(1).joined(today)
            .on_conflict((Member::team, Member::number)).update().exec(&lesser).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        lesser.close();
        Ok(())
    }

    async fn deleted_rows_are_read_first(db: &TestDb) -> Outcome {
        Setting::insert_many((0..2_000).map(|n| Setting::create().name(format!("s{n:04}")).value("v"))).exec(db).await?;
        let lesser = lesser(db).await?;
        let result = Setting::query().filter(Setting::name.lt("s1500")).delete().returning(&lesser).await;
        if db.kind() == Kind::Sqlite {
            // It always has RETURNING, and no row locks to do without it.
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
        } else {
            assert_eq!(result?.len(), 1_500);
            assert_eq!(Setting::query().count(db).await?, 500);
        }
        lesser.close();
        Ok(())
    }
}
