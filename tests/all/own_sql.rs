//! Models that say something in SQL of their own: checks, generated columns, defaults.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Item, Room};
use covet_tests::on_each_database;

on_each_database! {
    async fn a_generated_column_is_read_and_never_written(db: &TestDb) -> Outcome {
        let mut item = Item::create().price(3).amount(4).exec(db).await?;
        assert_eq!((item.total, item.shelf), (Some(12), 42));
        item.amount = 5;
        item.total = Some(-1);
        item.save(db).await?;
        assert_eq!(item.total, Some(15), "it is read back");
        let mut item = Item::find(item.id).one(db).await?;
        assert_eq!(item.total, Some(15));
        item.update().set(Item::price, 7).exec(db).await?;
        assert_eq!(item.total, Some(35), "it is read back");
        item.update().set(Item::price, Item::price + 1).exec(db).await?;
        assert_eq!((item.price, item.total), (8, Some(40)));
        item.update().set(Item::price, 7).exec(db).await?;
        assert_eq!(Item::query().filter(Item::total.eq(35)).count(db).await?, 1);
        let error = item.update().set(Item::total, 1).exec(db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("total")), "{error}");
        let error = Item::query().update().set(Item::total, 1).exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        Ok(())
    }

    async fn many_rows_leave_it_to_the_database(db: &TestDb) -> Outcome {
        let rows = (1..=700).map(|n| Item::create().price(n).amount(2).shelf(n));
        Item::insert_many(rows).exec(db).await?;
        let mut items = Item::query().order_by(Item::id.asc()).all(db).await?;
        assert!(items.len() == 700 && items.iter().all(|item| item.total == Some(item.price * 2)));
        Item::query().delete().exec(db).await?;
        items.iter_mut().for_each(|item| item.total = None);
        Item::insert_all(&items).exec(db).await?;
        let found = Item::query().order_by(Item::id.asc()).all(db).await?;
        assert!(found.len() == 700 && found.iter().all(|item| item.total == Some(item.price * 2)));
        Ok(())
    }

    async fn rows_that_leave_a_default_in_sql_to_the_database_stand_among_others(db: &TestDb) -> Outcome {
        let row = |n: i32| {
            let row = Item::create().price(n + 1).amount(1);
            if n % 5 < 2 { row.shelf(n) } else { row }
        };
        let wanted = |n: i32| if n % 5 < 2 { n } else { 42 };
        assert_eq!(Item::insert_many((0..150).map(row)).exec(db).await?, 150);
        let items = Item::query().order_by(Item::price.asc()).all(db).await?;
        assert!(items.len() == 150 && items.iter().zip(0..).all(|(item, n)| item.shelf == wanted(n)), "{items:?}");
        let items = Item::insert_many((0..7).map(row)).returning(db).await?;
        assert!(items.len() == 7 && items.iter().zip(0..).all(|(item, n)| item.shelf == wanted(n)), "{items:?}");
        Ok(())
    }

    async fn checks_are_errors_with_their_names(db: &TestDb) -> Outcome {
        let error = Item::create().price(1).amount(-1).exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Check, "{error}");
        assert!(error.constraint().is_some_and(|name| name.contains("items_amount_ck")), "{error:?}");
        let error = Item::create().price(0).amount(1).exec(db).await.unwrap_err();
        assert!(error.constraint().is_some_and(|name| name.contains("items_priced_ck")), "{error:?}");
        Ok(())
    }

    async fn two_columns_point_together(db: &TestDb) -> Outcome {
        Room::create().building(1).number(2).exec(db).await?;
        let item = Item::create().price(1).amount(1).building(1).room(2).exec(db).await?;
        let error = Item::create().price(1).amount(1).building(2).room(2).exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignKey, "{error}");
        Room::find((1, 2)).one(db).await?.delete(db).await?;
        assert!(Item::find(item.id).optional(db).await?.is_none());
        Ok(())
    }
}
