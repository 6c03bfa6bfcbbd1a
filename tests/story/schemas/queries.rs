//! Every kind of statement names a table behind its schema, whatever the search path says.

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::{Kind, Url, create};

use super::models::{Customer, Entry, Invoice, InvoiceLabel, InvoiceState, Label, LogEntry, all};

async fn with(work: impl AsyncFnOnce(&Db) -> covet_orm::Result<()>) {
    let Some(url) = Url::fresh(Kind::Postgres).await else { return };
    let db = Db::connect(&url.url).await.unwrap();
    create(&db, &all()).await;
    work(&db).await.unwrap();
    db.close();
    drop(db);
    url.drop_database().await;
}

async fn invoices(db: &Db) -> covet_orm::Result<(Customer, Vec<Invoice>)> {
    let ann = Customer::create().name("Ann").exec(db).await?;
    let rows = ["a", "b", "c"].map(|number| Invoice::create().customer_id(ann.id).number(number));
    Ok((ann, Invoice::insert_many(rows).returning(db).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_change_and_go() {
    with(async |db| {
        let (ann, made) = invoices(db).await?;
        let mut first = Invoice::find(made[0].id).one(db).await?;
        assert_eq!((first.state, first.cents, first.customer_id), (InvoiceState::Open, 0, ann.id));
        first.cents = 50;
        first.state = InvoiceState::Paid;
        first.save(db).await?;
        first.update().set(Invoice::cents, Invoice::cents + 1).exec(db).await?;
        assert_eq!(Invoice::find_by_number("a").one(db).await?.cents, 51);
        let paid = Invoice::query().filter(Invoice::state.eq(InvoiceState::Paid));
        assert_eq!(paid.clone().count(db).await?, 1);
        assert!(paid.exists(db).await?);
        let changed =
            Invoice::query().filter(Invoice::cents.lt(50)).update().set(Invoice::cents, 7).returning(db).await?;
        assert_eq!(changed.len(), 2);
        first.delete(db).await?;
        assert_eq!(Invoice::query().filter(Invoice::cents.eq(7)).delete().exec(db).await?, 2);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relations_join_across_schemas() {
    with(async |db| {
        let (ann, made) = invoices(db).await?;
        let bob = Customer::create().name("Bob").exec(db).await?;
        Entry::create().invoice_id(made[1].id).text("x").exec(db).await?;
        LogEntry::create().text("y").exec(db).await?;
        let label = Label::create().word("late").exec(db).await?;
        Invoice::labels.of(&made[2]).link([&label], db).await?;

        let of_ann = Invoice::query().filter(Invoice::customer.at(Customer::name).eq("Ann")).count(db).await?;
        assert_eq!(of_ann, 3);
        let with_entries = Customer::query().filter(Customer::invoices.any(Invoice::entries.exists())).all(db).await?;
        assert_eq!(with_entries, std::slice::from_ref(&ann));
        let labelled = Invoice::query().filter(Invoice::labels.any(Label::word.eq("late"))).select(Invoice::number);
        assert_eq!(labelled.all(db).await?, ["c"]);
        let loaded = Invoice::query()
            .include(Invoice::customer)
            .include(Invoice::entries)
            .include(Invoice::labels)
            .order_by(Invoice::number.asc())
            .all(db)
            .await?;
        assert_eq!(loaded[1].entries.get()?.len(), 1);
        assert_eq!(loaded[2].labels.get()?[0].word, "late");
        assert_eq!(Label::invoices.of(&label).query().all(db).await?.len(), 1);
        assert_eq!(Entry::query().count(db).await? + LogEntry::query().count(db).await?, 2);

        // Their conditions are subqueries, in which each table has another name than outside.
        let changed =
            Invoice::query().filter(Invoice::entries.exists()).update().set(Invoice::cents, Invoice::cents + 3);
        assert_eq!(changed.exec(db).await?, 1);
        assert_eq!(Invoice::query().filter(Invoice::labels.any(Label::word.eq("late"))).delete().exec(db).await?, 1);
        assert_eq!(InvoiceLabel::query().count(db).await?, 0);
        assert_eq!(Customer::query().filter(Customer::invoices.is_empty()).delete().exec(db).await?, 1);
        assert!(Customer::find(bob.id).optional(db).await?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rows_files_and_upserts() {
    with(async |db| {
        let (ann, _) = invoices(db).await?;
        // Few go as arrays, many by COPY.
        let row =
            |n: u32| Invoice::create().customer_id(ann.id).number(format!("n{n}")).cents(n).state(InvoiceState::Paid);
        assert_eq!(Invoice::insert_many((0..3).map(row)).exec(db).await?, 3);
        assert_eq!(Invoice::insert_many((3..3000).map(row)).exec(db).await?, 2997);
        let log: Vec<LogEntry> = (1..=2000).map(|id| LogEntry { id, text: format!("t{id}") }).collect();
        assert_eq!(LogEntry::insert_all(&log).exec(db).await?, 2000);

        let mut file = Vec::new();
        LogEntry::copy_to(&mut file).exec(db).await?;
        LogEntry::query().delete().exec(db).await?;
        assert_eq!(LogEntry::copy_from(file.as_slice()).exec(db).await?, 2000);
        assert_eq!(LogEntry::query().order_by(LogEntry::id.asc()).all(db).await?, log);

        let again = Invoice::create().customer_id(ann.id).number("n5").cents(1);
        let changed = again.on_conflict(Invoice::number).set(Invoice::cents, Invoice::cents + 100).exec(db).await?;
        assert_eq!((changed.cents, changed.state), (105, InvoiceState::Paid));
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_know_the_model_and_the_field() {
    with(async |db| {
        let (ann, _) = invoices(db).await?;
        let error = Invoice::create().customer_id(ann.id).number("a").exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Unique, Some("Invoice")), "{error:?}");
        let error = Invoice::create().customer_id(99).number("z").exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKey, Some("Invoice")), "{error:?}");
        db.acquire().await?.script("DROP TABLE billing.entries").await?;
        let error = Entry::query().all(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::UndefinedTable, Some("Entry")), "{error:?}");
        Ok(())
    })
    .await;
}

/// The other databases say so before anything is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_is_refused_by_name_elsewhere() {
    for (kind, why) in [(Kind::Sqlite, "has no schemas"), (Kind::Mysql, "a schema is a database")] {
        let Some(url) = Url::fresh(kind).await else { continue };
        let db = Db::connect_with(&url.url, DbOptions::new().max_connections(1)).await.unwrap();
        let row = || LogEntry::create().text("x");
        let errors = [
            LogEntry::query().all(&db).await.map(drop).unwrap_err(),
            row().exec(&db).await.map(drop).unwrap_err(),
            LogEntry::insert_many([row(), row()]).exec(&db).await.map(drop).unwrap_err(),
            LogEntry::insert_all(&[LogEntry { id: 1, text: String::new() }]).exec(&db).await.map(drop).unwrap_err(),
            LogEntry::query().update().set(LogEntry::text, "y").exec(&db).await.map(drop).unwrap_err(),
            LogEntry::query().delete().exec(&db).await.map(drop).unwrap_err(),
        ];
        for error in errors {
            let told = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{told}");
            assert!(told.contains("the schema The Log of the table entries") && told.contains(why), "{told}");
        }
        db.close();
        drop(db);
        url.drop_database().await;
    }
}
