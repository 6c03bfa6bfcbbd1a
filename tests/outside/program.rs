//! A program on a database that Covet does not ship.

use covet_drivers::catalog::Schema;
use covet_orm::prelude::*;
use covet_orm::schema::{Diff, Models, diff, schema_of};
use covet_orm::{ErrorKind, Isolation, TxOptions};
use covet_tests::Outcome;
use covet_tests::models::{Email, Role, User};

/// Makes the table of `User`, as its first migration would.
async fn prepared(url: &str) -> covet_orm::Result<Db> {
    let db = Db::connect(url).await?;
    let mut schema = schema_of(&Models::registered())?;
    schema.tables.retain(|table| table.name == "users");
    let Diff::Changes(changes) = diff(&Schema::default(), &schema, &[])? else {
        panic!("a first schema needs no decision");
    };
    db.backend().ddl().check(&schema)?;
    let mut connection = db.acquire().await?;
    for step in db.backend().ddl().plan(&changes, &Schema::default(), &schema)? {
        connection.script(&step.sql).await?;
    }
    drop(connection);
    Ok(db)
}

#[tokio::test]
async fn the_program_that_runs_on_every_database() -> Outcome {
    let (url, _folder) = crate::place()?;
    let db = prepared(&url).await?;
    assert_eq!((db.server().product, db.backend().dialect().name()), ("Tin", "tin"));
    let ann = User::create().email(Email("ann@example.org".into())).name("Ann").exec(&db).await?;
    assert_eq!((ann.id, ann.active, ann.role, ann.visits), (1, true, Role::Reader, 0));
    let taken = User::create().email(Email("ann@example.org".into())).exec(&db).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Unique);
    db.transaction(async |tx| {
        for number in 0..20 {
            let mail = Email(format!("{number}@example.org"));
            User::create().email(mail).role(Role::Editor).visits(number).exec(tx).await?;
        }
        Ok(())
    })
    .await?;
    let undone = db
        .transaction(async |tx| {
            User::query().filter(User::role.eq(Role::Editor)).delete().exec(tx).await?;
            User::find(1000).one(tx).await
        })
        .await
        .unwrap_err();
    assert_eq!((undone.kind(), undone.model()), (ErrorKind::NotFound, Some("User")));
    let busy = User::query().filter(User::visits.ge(18)).order_by(User::visits.desc()).limit(5).all(&db).await?;
    assert_eq!(busy.iter().map(|user| user.visits).collect::<Vec<_>>(), [19, 18]);
    let mut ann = User::find_by_email(Email("ann@example.org".into())).one(&db).await?;
    ann.role = Role::Admin;
    ann.save(&db).await?;
    assert_eq!(User::query().filter(User::role.eq(Role::Admin)).count(&db).await?, 1);
    ann.delete(&db).await?;
    assert_eq!(User::query().count(&db).await?, 20);
    // What this database lacks is said, with its name.
    let options = TxOptions::new().isolation(Isolation::ReadCommitted);
    let lacks = db.begin_with(options).await.map(drop).unwrap_err();
    assert!(lacks.kind() == ErrorKind::Unsupported && lacks.to_string().contains("Tin"), "{lacks}");
    db.close();
    Ok(())
}
