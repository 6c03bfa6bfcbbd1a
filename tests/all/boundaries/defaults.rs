//! Defaults: what a column gets that was not given, in a row alone and in one beside rows that give it.

use covet_orm::prelude::*;
use covet_tests::on_each_database;
use rust_decimal::Decimal;

use super::models::EdgeDefault;

on_each_database! {
    async fn a_default_is_the_same_alone_and_beside_others(db: &TestDb) -> Outcome {
        let alone = EdgeDefault::create().exec(db).await?;
        assert_eq!((alone.tall, alone.fine), (Decimal::from(100_000_000_000_i64), "0.5".parse()?));
        assert_eq!(alone.single, 0.1);
        let given = EdgeDefault::create().tall(alone.tall).fine(alone.fine).single(alone.single);
        assert_eq!(EdgeDefault::insert_many([given, EdgeDefault::create()]).exec(db).await?, 2);
        let rows = EdgeDefault::query().all(db).await?;
        assert_eq!(rows.len(), 3);
        for row in rows {
            assert_eq!(EdgeDefault { id: alone.id, ..row }, alone);
        }
        Ok(())
    }
}
