//! Bad input of every kind gets a clear, typed error, and nothing is lost.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Post, Profile, Sample, Setting, User};
use covet_tests::{Kind, on_each_database};

use crate::crud::email;

async fn connect(url: &str) -> covet_orm::Error {
    match tokio::time::timeout(std::time::Duration::from_secs(40), Db::connect(url)).await {
        Ok(Err(error)) => error,
        Ok(Ok(db)) => panic!("connected: {db:?}"),
        Err(_) => panic!("hung"),
    }
}

on_each_database! {
    async fn constraint_violations_are_told_apart(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let unique = User::create().email(email("a@x")).exec(db).await.unwrap_err();
        assert_eq!((unique.kind(), unique.model()), (ErrorKind::Unique, Some("User")), "{unique}");
        assert!(unique.constraint() == Some("users_email_key") || unique.column() == Some("email"), "{unique:?}");
        assert!(!unique.to_string().contains("a@x"), "no value in an error: {unique}");
        let foreign = Post::create().author_id(ann.id + 1).title("t").exec(db).await.unwrap_err();
        assert_eq!((foreign.kind(), foreign.model()), (ErrorKind::ForeignKey, Some("Post")), "{foreign}");
        let taken = User::create().id(ann.id).email(email("b@x")).exec(db).await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Unique);
        assert_eq!(User::query().count(db).await?, 1);
        Ok(())
    }

    async fn null_where_none_is_allowed(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let error = db.raw(&format!("INSERT INTO posts (author_id, title) VALUES ({}, NULL)", ann.id)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotNull, "{error}");
        assert_eq!(error.column(), Some("title"), "{error:?}");
        Ok(())
    }

    async fn a_missing_table_and_a_missing_column(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        db.raw("DROP TABLE profiles").await?;
        let error = Profile::create().user_id(ann.id).bio("b").exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::UndefinedTable, Some("Profile")), "{error}");
        assert!(error.to_string().contains("profiles"), "{error}");
        db.raw("ALTER TABLE settings DROP COLUMN value").await?;
        let error = Setting::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::UndefinedColumn, Some("Setting")), "{error}");
        assert!(error.to_string().contains("value"), "{error}");
        Ok(())
    }

    async fn a_column_of_another_type_or_nullability(db: &TestDb) -> Outcome {
        db.raw("DROP TABLE settings").await?;
        db.raw("CREATE TABLE settings (name varchar(100) PRIMARY KEY, value integer)").await?;
        db.raw("INSERT INTO settings (name, value) VALUES ('a', NULL)").await?;
        let error = Setting::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Setting"), Some("value")), "{error}");
        assert!(error.to_string().contains("NULL"), "{error}");
        db.raw("UPDATE settings SET value = 42").await?;
        let error = Setting::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Setting"), Some("value")), "{error}");
        Ok(())
    }

    async fn a_number_that_the_field_cannot_hold(db: &TestDb) -> Outcome {
        User::create().email(email("a@x")).exec(db).await?;
        let sql = match db.kind() {
            Kind::Sqlite => "PRAGMA ignore_check_constraints = ON; UPDATE users SET visits = 3000000000; PRAGMA ignore_check_constraints = OFF",
            Kind::Postgres => "ALTER TABLE users ALTER COLUMN visits TYPE bigint; UPDATE users SET visits = 3000000000",
            Kind::Mysql => "ALTER TABLE users MODIFY visits bigint NOT NULL DEFAULT 0; UPDATE users SET visits = 3000000000",
        };
        db.raw(sql).await?;
        let error = User::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("User"), Some("visits")), "{error}");
        Ok(())
    }

    async fn an_overflow_in_the_database_is_an_error(db: &TestDb) -> Outcome {
        User::create().email(email("a@x")).visits(i32::MAX).exec(db).await?;
        let error = User::query().update().set(User::visits, User::visits + 1).exec(db).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfRange | ErrorKind::Check), "{error}: {:?}", error.kind());
        assert_eq!(User::query().one(db).await?.visits, i32::MAX);
        Ok(())
    }

    async fn a_new_row_has_no_columns_to_reckon_with(db: &TestDb) -> Outcome {
        let wanted = (ErrorKind::InvalidInput, Some("User"), Some("visits"));
        for result in [
            User::create().email(email("a@x")).visits(User::visits + 1).exec(db).await.map(drop),
            User::create().email(email("a@x")).visits(User::visits).exec(db).await.map(drop),
            User::insert_many([User::create().email(email("a@x")).visits(User::visits + 1)]).exec(db).await.map(drop),
            User::create().email(email("a@x")).visits(User::visits).on_conflict(User::email).exec(db).await.map(drop),
        ] {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.model(), error.field()), wanted, "{error}");
        }
        assert_eq!(User::query().count(db).await?, 0);
        Ok(())
    }

    async fn an_unknown_label(db: &TestDb) -> Outcome {
        User::create().email(email("a@x")).exec(db).await?;
        let sql = match db.kind() {
            Kind::Sqlite => "PRAGMA ignore_check_constraints = ON; UPDATE users SET role = 'boss'; PRAGMA ignore_check_constraints = OFF",
            Kind::Postgres => "ALTER TABLE users ALTER COLUMN role DROP DEFAULT; ALTER TABLE users ALTER COLUMN role TYPE text USING 'boss'",
            Kind::Mysql => "ALTER TABLE users MODIFY role varchar(20) NOT NULL; UPDATE users SET role = 'boss'",
        };
        db.raw(sql).await?;
        let error = User::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("User"), Some("role")), "{error}");
        Ok(())
    }

    async fn an_unreachable_server(db: &TestDb) -> Outcome {
        let url = match db.kind() {
            Kind::Sqlite => "sqlite:///no/such/folder/x.db".to_owned(),
            Kind::Postgres => "postgres://u:hunter2@127.0.0.1:1/d".to_owned(),
            Kind::Mysql => "mysql://u:hunter2@127.0.0.1:1/d".to_owned(),
        };
        let error = connect(&url).await;
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(error.to_string().contains("127.0.0.1") || error.to_string().contains("/no/such/folder"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        Ok(())
    }

    async fn a_wrong_password_and_an_unknown_database(db: &TestDb) -> Outcome {
        if db.kind() == Kind::Sqlite {
            return Ok(()); // has neither
        }
        let (before, after) = db.url().split_once('@').unwrap();
        let (login, _) = before.rsplit_once(':').unwrap();
        let error = connect(&format!("{login}:hunter2@{after}")).await;
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let (base, parameters) = db.url().split_once('?').unwrap();
        let (base, _) = base.rsplit_once('/').unwrap();
        let error = connect(&format!("{base}/no_such_database?{parameters}")).await;
        assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
        assert!(error.to_string().contains("no_such_database"), "{error}");
        Ok(())
    }

    async fn wrong_parameters_of_the_url(db: &TestDb) -> Outcome {
        let separator = if db.url().contains('?') { '&' } else { '?' };
        for (parameter, meant) in match db.kind() {
            Kind::Sqlite => [("busy_timeot=1", "busy_timeout"), ("journal_mod=wal", "journal_mode"), ("mode=rwx", "mode")],
            Kind::Postgres => [("aplication_name=x", "application_name"), ("conect_timeout=1", "connect_timeout"), ("connect_timeout=soon", "connect_timeout")],
            Kind::Mysql => [("sockt=x", "socket"), ("conect_timeout=1", "connect_timeout"), ("connect_timeout=soon", "connect_timeout")],
        } {
            let error = connect(&format!("{}{separator}{parameter}", db.url())).await;
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().contains(meant), "{parameter}: {error}");
        }
        Ok(())
    }

    async fn a_value_outside_the_types_range_is_never_another_value(db: &TestDb) -> Outcome {
        let row = crate::types::sample();
        let error = crate::types::insert(&Sample { decimal: "0.0000001".parse()?, ..row.clone() }, db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Sample"), Some("decimal")), "{error}");
        let error = crate::types::insert(&Sample { decimal: "1000000000000".parse()?, ..row.clone() }, db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::OutOfRange, Some("decimal")), "{error}");
        let huge = crate::types::insert(&Sample { a_u64: u64::MAX, ..row.clone() }, db).await;
        match db.kind() {
            Kind::Mysql => assert_eq!(huge?.a_u64, u64::MAX),
            _ => assert_eq!(huge.unwrap_err().kind(), ErrorKind::OutOfRange),
        }
        let nan = crate::types::insert(&Sample { an_f64: f64::NAN, ..row }, db).await;
        match db.kind() {
            Kind::Postgres => assert!(nan?.an_f64.is_nan()),
            _ => assert_eq!(nan.unwrap_err().kind(), ErrorKind::OutOfRange),
        }
        Ok(())
    }
}

#[test]
fn urls_that_are_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (url, meant) in [
            ("", "scheme"),
            ("blog.db", "scheme"),
            ("postgre://h/d", "postgres"),
            ("mysq://h/d", "mysql"),
            ("oracle://h/d", "known are"),
            ("postgres://h:port/d", "port"),
            ("postgres://u:p%zz@h/d", "%25"),
            ("postgres://h/d?sslmode", "without a value"),
            ("postgres://u:a/b@h/d", "%2F"),
            ("postgres://u:a?b@h/d", "%3F"),
            ("postgres://h/d?sslmode=requier", "require"),
        ] {
            let error = Db::connect(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error}");
            assert!(error.to_string().contains(meant), "{url}: {error}");
        }
    });
}
