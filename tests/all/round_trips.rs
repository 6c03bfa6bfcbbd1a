//! No round trip that the user did not ask for: how often each function waits for the server.

use std::future::Future;
use std::pin::Pin;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, Result};
use covet_tests::models::{Club, Mate, Post, Setting, User};
use covet_tests::proxy::{Grain, Proxy};
use covet_tests::{Kind, Outcome, TestDb};

use crate::crud::email;

/// Where a function runs.
struct Scene<'a> {
    /// The way through the proxy, over one connection.
    db: &'a Db,
    /// Another way, for what the function needs and is not counted.
    other: &'a Db,
    /// A number of its own for each time.
    time: usize,
    proxy: &'a Proxy,
}

impl Scene<'_> {
    fn name(&self) -> String {
        format!("n{}", self.time)
    }

    /// The round trips that a future takes.
    async fn count<T>(&self, future: impl Future<Output = Result<T>>) -> Result<(usize, T)> {
        self.proxy.count_round_trips();
        let value = future.await?;
        Ok((self.proxy.round_trips(), value))
    }

    async fn setting(&self) -> Result<Setting> {
        Setting::create().name(self.name()).value("v").exec(self.other).await
    }
}

type Counted<'a> = Pin<Box<dyn Future<Output = Result<usize>> + Send + 'a>>;

/// A function, and its round trips once its statements are prepared.
struct Row {
    name: &'static str,
    postgres: usize,
    mysql: usize,
    run: for<'a> fn(&'a Scene<'a>) -> Counted<'a>,
}

macro_rules! table {
    ($($name:ident: $postgres:literal, $mysql:literal, |$scene:ident| $body:block)*) => {
        const TABLE: &[Row] = &[$({
            fn run<'a>($scene: &'a Scene<'a>) -> Counted<'a> {
                Box::pin(async move { $body.map(|(count, _)| count) })
            }
            Row { name: stringify!($name), postgres: $postgres, mysql: $mysql, run }
        },)*];
    };
}

table! {
    acquire: 0, 0, |scene| {
        scene.count(scene.db.acquire()).await
    }

    find: 1, 1, |scene| {
        let row = scene.setting().await?;
        scene.count(Setting::find(row.name.as_str()).one(scene.db)).await
    }

    first: 1, 1, |scene| {
        scene.count(Setting::query().order_by(Setting::name.asc()).first(scene.db)).await
    }

    exists: 1, 1, |scene| {
        scene.count(Setting::query().exists(scene.db)).await
    }

    count: 1, 1, |scene| {
        scene.count(Setting::query().count(scene.db)).await
    }

    include: 2, 2, |scene| {
        let user = User::create().email(email(&scene.name())).exec(scene.other).await?;
        Post::create().author_id(user.id).title("t").exec(scene.other).await?;
        scene.count(User::query().filter(User::id.eq(user.id)).include(User::posts).all(scene.db)).await
    }

    include_by_keys_beyond_ascii: 2, 2, |scene| {
        // Twelve clubs, which two statements load and not one each.
        let codes: Vec<String> = ('а'..='л').map(|letter| format!("{letter}{}", scene.name())).collect();
        Club::insert_many(codes.iter().map(|code| Club::create().code(code.as_str()))).exec(scene.other).await?;
        Mate::insert_many(codes.iter().map(|code| Mate::create().club_code(code.as_str()))).exec(scene.other).await?;
        let clubs = Club::query().filter(Club::code.is_in(codes)).include(Club::mates);
        let (count, found) = scene.count(clubs.all(scene.db)).await?;
        assert_eq!(found.iter().map(|club| club.mates.get().map_or(0, <[_]>::len)).collect::<Vec<_>>(), [1; 12]);
        Ok((count, found))
    }

    insert: 1, 1, |scene| {
        scene.count(Setting::create().name(scene.name()).value("v").exec(scene.db)).await
    }

    insert_of_100_rows: 1, 1, |scene| {
        let rows = (0..100).map(|n| Setting::create().name(format!("{}-{n}", scene.name())).value("v"));
        scene.count(Setting::insert_many(rows).exec(scene.db)).await
    }

    // A COPY carries no types, so a look at the table's goes before it, and the driver waits for its beginning.
    insert_of_1000_rows: 3, 1, |scene| {
        let rows = (0..1000).map(|n| Setting::create().name(format!("{}-{n}", scene.name())).value("v"));
        scene.count(Setting::insert_many(rows).exec(scene.db)).await
    }

    save: 1, 1, |scene| {
        let mut row = scene.setting().await?;
        row.value = "w".to_owned();
        scene.count(row.save(scene.db)).await
    }

    update: 1, 1, |scene| {
        scene.count(Setting::query().update().set(Setting::value, "w").exec(scene.db)).await
    }

    delete: 1, 1, |scene| {
        let row = scene.setting().await?;
        scene.count(row.delete(scene.db)).await
    }

    empty_transaction: 0, 2, |scene| {
        scene.count(scene.db.transaction(async |_| Ok(()))).await
    }

    empty_transaction_rolled_back: 0, 2, |scene| {
        scene.count(async { scene.db.begin().await?.rollback().await }).await
    }

    read_in_a_transaction: 2, 3, |scene| {
        scene.count(scene.db.transaction(async |tx| Setting::query().count(tx).await)).await
    }

    write_in_a_transaction: 2, 3, |scene| {
        let name = scene.name();
        let name = name.as_str();
        scene.count(scene.db.transaction(async |tx| Setting::create().name(name).value("v").exec(tx).await)).await
    }

    two_writes_in_a_transaction: 3, 4, |scene| {
        let (a, b) = (scene.name(), format!("{}b", scene.name()));
        let (a, b) = (a.as_str(), b.as_str());
        scene.count(scene.db.transaction(async |tx| {
            Setting::create().name(a).value("v").exec(tx).await?;
            Setting::create().name(b).value("v").exec(tx).await
        })).await
    }

    write_in_a_savepoint: 4, 5, |scene| {
        let name = scene.name();
        let name = name.as_str();
        scene.count(scene.db.transaction(async |tx| {
            tx.transaction(async |savepoint| Setting::create().name(name).value("v").exec(savepoint).await).await
        })).await
    }
}

/// Each several times over one connection, the last time counted.
async fn case(db: &TestDb) -> Outcome {
    let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
    let mut wrong = Vec::new();
    let mut time = 0;
    for row in TABLE {
        let one = Db::connect_with(proxy.url(), DbOptions::new().max_connections(1)).await?;
        let mut counts = Vec::new();
        for _ in 0..4 {
            time += 1;
            let scene = Scene { db: &one, other: db, time, proxy: &proxy };
            counts.push((row.run)(&scene).await.map_err(|error| format!("{}: {error}", row.name))?);
        }
        one.close();
        let wanted = if db.kind() == Kind::Postgres { row.postgres } else { row.mysql };
        if counts.last() != Some(&wanted) {
            wrong.push(format!("{}: {counts:?}, and {wanted} are wanted", row.name));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

#[test]
fn postgres() {
    covet_tests::run(Kind::Postgres, |db| Box::pin(case(db)));
}

#[test]
fn mysql() {
    covet_tests::run(Kind::Mysql, |db| Box::pin(case(db)));
}
