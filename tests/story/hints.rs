//! Models that say in attributes what they were called, and what rows get.

use std::fs;

use covet_orm::prelude::*;
use covet_orm::schema::{Models, hints_of, schema_of};
use covet_orm::{ErrorKind, models};
use rust_decimal::Decimal;

use crate::place::{Place, Words, by_name, id, on_each};

/// As it was.
mod before {
    use covet_orm::prelude::*;

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    #[covet(name = "role")]
    pub(super) enum Role {
        Reader,
        Writer,
        Boss,
    }

    #[derive(Model, Clone, Debug)]
    pub(super) struct User {
        #[covet(key)]
        pub(super) id: i64,
        #[covet(unique, max_len = 50)]
        pub(super) name: String,
        pub(super) role: Role,
        pub(super) visits: Option<i32>,
    }

    #[derive(Model, Clone, Debug)]
    pub(super) struct Post {
        #[covet(key)]
        pub(super) id: i64,
        #[covet(references = User, on_delete = cascade, index)]
        pub(super) user_id: i64,
    }
}

/// As it is: every question that this raises is answered beside what raises it.
mod after {
    use covet_orm::prelude::*;
    use rust_decimal::Decimal;

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    #[covet(name = "role")]
    pub(super) enum Role {
        Reader,
        #[covet(renamed_from = "writer")]
        Author,
        #[covet(renamed_from = "boss")]
        Owner,
    }

    #[derive(Model, Clone, Debug)]
    #[covet(renamed_from = "users")]
    pub(super) struct Account {
        #[covet(key)]
        pub(super) id: i64,
        #[covet(unique, max_len = 50, renamed_from = "name")]
        pub(super) login: String,
        /// The old name is taken again, by another column.
        pub(super) name: Option<String>,
        pub(super) role: Role,
        #[covet(backfill = 0)]
        pub(super) visits: i32,
        #[covet(backfill = "it's ün\"known\"")]
        pub(super) city: String,
        #[covet(backfill = Role::Owner)]
        pub(super) second: Role,
        #[covet(decimal(6, 2), backfill = 1.5)]
        pub(super) rate: Decimal,
    }

    #[derive(Model, Clone, Debug)]
    pub(super) struct Post {
        #[covet(key)]
        pub(super) id: i64,
        #[covet(references = Account, on_delete = cascade, index, renamed_from = "user_id")]
        pub(super) account_id: i64,
    }
}

/// What the attributes say, as decisions.
const DECISIONS: [&str; 9] = [
    "rename table users to accounts",
    "rename column accounts.name to accounts.login",
    "rename column posts.user_id to posts.account_id",
    "map label 'writer' of role to 'author'",
    "map label 'boss' of role to 'owner'",
    "backfill accounts.visits with 0",
    "backfill accounts.city with 'it''s ün\"known\"'",
    "backfill accounts.second with 'owner'",
    "backfill accounts.rate with 1.5",
];

fn first() -> Models {
    models![before::User, before::Post]
}

fn second() -> Models {
    models![after::Account, after::Post]
}

on_each! { attributes_answer_what_would_be_asked a_decision_and_an_attribute_contradict }

async fn filled(place: &Place) {
    place.make_models(&first(), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let (db, role) = (&place.db, before::Role::Boss);
    let user = before::User::create().name("ann").role(role).visits(7).exec(db).await.unwrap();
    before::User::create().name("bob").role(before::Role::Writer).exec(db).await.unwrap();
    before::Post::create().user_id(user.id).exec(db).await.unwrap();
}

async fn attributes_answer_what_would_be_asked(place: &Place) {
    filled(place).await;
    let (old, wanted) = (place.shape(Words::Covets).await.schema, by_name(&schema_of(&second()).unwrap()));
    // Without them nothing is decided.
    let error = place.make(&schema_of(&second()).unwrap(), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decision, "{error}");
    let path = place.make_models(&second(), &[]).unwrap().unwrap();
    let migrator = place.migrator();
    let mut kept = migrator.folder().migration(&id(&path)).unwrap().decisions().to_vec();
    let mut said = DECISIONS;
    kept.sort();
    said.sort_unstable();
    assert_eq!(kept, said);
    assert_eq!(place.up().await.unwrap(), 1);
    assert_eq!(place.shape(Words::Covets).await.schema, wanted);
    let accounts = after::Account::query().order_by(after::Account::id.asc()).all(&place.db).await.unwrap();
    let [ann, bob] = &accounts[..] else { panic!("{accounts:?}") };
    assert_eq!((ann.login.as_str(), &ann.name, ann.role, ann.visits), ("ann", &None, after::Role::Owner, 7));
    assert_eq!((bob.login.as_str(), bob.role, bob.visits), ("bob", after::Role::Author, 0));
    assert_eq!(
        (bob.city.as_str(), bob.second, bob.rate),
        ("it's ün\"known\"", after::Role::Owner, Decimal::new(15, 1))
    );
    let post = after::Post::query().one(&place.db).await.unwrap();
    assert_eq!(post.account_id, ann.id);

    // They have done their work, and say nothing any more; it is told which can go.
    assert!(place.make_models(&second(), &[]).unwrap().is_none());
    let stale = hints_of(&second()).unwrap().stale(&schema_of(&second()).unwrap());
    assert_eq!(stale.len(), 5, "{stale:?}");
    assert!(stale.iter().all(|text| text.contains("has done its work")), "{stale:?}");
    assert!(stale.iter().any(|text| text.contains("`renamed_from` of Account has done")), "{stale:?}");
    // And they are no part of the snapshot.
    let snapshot = fs::read_to_string(path.join("schema.toml")).unwrap();
    assert!(!snapshot.contains("users") && !snapshot.contains("writer"), "{snapshot}");

    place.down(covet_orm::migrate::Goal::Count(1)).await.unwrap();
    assert_eq!(place.shape(Words::Covets).await.schema, old);
    let users = before::User::query().order_by(before::User::id.asc()).all(&place.db).await.unwrap();
    let [ann, bob] = &users[..] else { panic!("{users:?}") };
    assert_eq!((ann.name.as_str(), ann.role), ("ann", before::Role::Boss));
    assert_eq!((bob.name.as_str(), bob.role), ("bob", before::Role::Writer));
    assert_eq!(place.up().await.unwrap(), 1);
}

/// What is given may say the same, and not something else.
async fn a_decision_and_an_attribute_contradict(place: &Place) {
    filled(place).await;
    for (decision, place_of) in [
        ("drop table users", "Account"),
        ("rename table users to posts2", "Account"),
        ("drop column accounts.name", "Account.login"),
        ("rename column accounts.name to city", "Account.login"),
        ("backfill accounts.visits with 1", "Account.visits"),
        ("no nulls in accounts.visits", "Account.visits"),
        ("table accounts is empty", "Account.city"),
        ("drop label 'boss' of role", "Account.role"),
        ("map label 'boss' of role to 'reader'", "Account.role"),
    ] {
        let error = place.make_models(&second(), &[decision]).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Migration, "{decision}: {text}");
        assert!(text.contains(&format!("`{decision}")[..15]) && text.contains(place_of), "{decision}: {text}");
    }
    assert!(place.make_models(&second(), &DECISIONS).unwrap().is_some());
    assert_eq!(place.up().await.unwrap(), 1);
}
