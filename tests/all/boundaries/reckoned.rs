//! Numbers that leave their range inside the database: an error, and never another number.

use covet_drivers::value::Field;
use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_orm::query::{Column, Insert};
use covet_tests::models::{Country, Sample};
use covet_tests::{Kind, on_each_database};
use rust_decimal::Decimal;

use super::models::Edge;
use super::paths::assert_refused;

/// A value of a column, a sum that the column cannot hold, and the column again.
macro_rules! overflows {
    ($db:expr, $($field:ident $from:expr, $sum:expr;)+) => {$(
        let mut row = with(Edge::$field, $from).exec($db).await?;
        let before = row.clone();
        let wanted = (ErrorKind::OutOfRange, "Edge", stringify!($field));
        let this = || Edge::query().filter(Edge::id.eq(before.id));
        let same = || Insert::<Edge>::new().given::<i64>(Edge::id.meta(), before.id);
        assert_refused("query update", this().update().set(Edge::$field, $sum).exec($db).await.map(drop), wanted);
        assert_refused("update", row.update().set(Edge::$field, $sum).exec($db).await, wanted);
        let upsert = same().on_conflict(Edge::id).set(Edge::$field, $sum).exec($db).await;
        assert_refused("upsert", upsert.map(drop), wanted);
        assert_eq!(row, before);
        assert_eq!(this().one($db).await?, before);
    )+};
}

fn with<T: Field>(column: Column<Edge, Option<T>>, value: T) -> Insert<Edge> {
    Insert::new().given::<Option<T>>(column.meta(), Some(value))
}

on_each_database! {
    async fn sums_that_do_not_fit(db: &TestDb) -> Outcome {
        let one: Decimal = "0.000001".parse()?;
        overflows! { db,
            an_i8 i8::MAX, Edge::an_i8 + 1_i8;
            an_i16 i16::MIN, Edge::an_i16 - 1_i16;
            an_i32 i32::MAX, Edge::an_i32 + 1_i32;
            an_i64 i64::MAX, Edge::an_i64 + 1_i64;
            an_i64 i64::MIN, Edge::an_i64 - 1_i64;
            an_i64 i64::MAX, Edge::an_i64 * 2_i64;
            an_i64 i64::MAX, Edge::an_i64 + i64::MAX;
            an_i64 i64::MIN, Edge::an_i64 - i64::MAX;
            a_u8 u8::MAX, Edge::a_u8 + 1_u8;
            a_u8 0_u8, Edge::a_u8 - 1_u8;
            a_u16 u16::MAX, Edge::a_u16 + 1_u16;
            a_u32 u32::MAX, Edge::a_u32 + 1_u32;
            a_u64 0_u64, Edge::a_u64 - 1_u64;
            a_u64 i64::MAX as u64, Edge::a_u64 * 3_u64;
            an_f32 f32::MAX, Edge::an_f32 * 2.0_f32;
            an_f32 f32::MIN, Edge::an_f32 - f32::MAX;
            decimal "999999999999.999999".parse::<Decimal>()?, Edge::decimal + one;
        }
        Ok(())
    }

    async fn a_detour_over_the_end_is_no_way(db: &TestDb) -> Outcome {
        // The result fits, but not what comes before it: SQLite would go on in floats, and come back with another number.
        let n = (1_i64 << 62) + 1;
        let row = with(Edge::an_i64, n).exec(db).await?;
        let result = Edge::query().update().set(Edge::an_i64, Edge::an_i64 * 2_i64 - Edge::an_i64).exec(db).await;
        assert_refused("update", result.map(drop), (ErrorKind::OutOfRange, "Edge", "an_i64"));
        assert_eq!(Edge::find(row.id).one(db).await?.an_i64, Some(n));
        Ok(())
    }

    async fn a_question_that_leaves_the_range(db: &TestDb) -> Outcome {
        Country::create().number(i64::MAX).exec(db).await?;
        let n = Country::number;
        for condition in [n.lt(n + i64::MAX), n.is_in([n + i64::MAX]), n.between(0_i64, n + i64::MAX)] {
            let error = Country::query().filter(condition).count(db).await.unwrap_err();
            assert_eq!((error.kind(), error.model()), (ErrorKind::OutOfRange, Some("Country")), "{error}");
        }
        assert_eq!(Country::query().filter(n.eq(n - 1_i64 + 1_i64)).count(db).await?, 1);
        Ok(())
    }

    async fn floats_and_nulls_are_reckoned_as_ever(db: &TestDb) -> Outcome {
        let row = crate::types::insert(&crate::types::sample(), db).await?;
        let sum = (Sample::an_f64 + 1.25) * 2.0;
        Sample::query().filter(Sample::an_f64.lt(sum.clone())).update().set(Sample::an_f64, sum).exec(db).await?;
        assert_eq!(Sample::find(row.id).one(db).await?.an_f64, 5.5);
        let mut row = Insert::<Edge>::new().exec(db).await?;
        row.update().set(Edge::an_i64, (Edge::an_i64 + 1_i64) * 2_i64).exec(db).await?;
        assert_eq!(row.an_i64, None);
        Ok(())
    }

    async fn floats_of_32_bits_stay_such(db: &TestDb) -> Outcome {
        let mut row = with(Edge::an_f32, 0.1_f32).exec(db).await?;
        row.update().set(Edge::an_f32, Edge::an_f32 + 0.2_f32).exec(db).await?;
        assert_eq!(row.an_f32, Some(0.1_f32 + 0.2_f32));
        Edge::query().update().set(Edge::an_f32, (Edge::an_f32 - 0.7_f32) * 3.3_f32).exec(db).await?;
        let found = Edge::find(row.id).one(db).await?.an_f32.unwrap_or_default();
        let wanted = (0.1_f32 + 0.2_f32 - 0.7_f32) * 3.3_f32;
        assert!((found - wanted).abs() <= 4.0 * f32::EPSILON, "{found} {wanted}");
        let same = Edge::query().filter(Edge::an_f32.eq(Edge::an_f32 + 0.0_f32));
        assert_eq!(same.count(db).await?, 1);
        Ok(())
    }

    async fn decimals_of_two_scales(db: &TestDb) -> Outcome {
        let mut row = with(Edge::decimal, "1.5".parse::<Decimal>()?).exec(db).await?;
        row.update().set(Edge::digit, Decimal::from(2)).exec(db).await?;
        let before = row.clone();
        // Rounded, where the database does as it is told.
        let rounded = (ErrorKind::Unsupported, "Edge", "digit");
        assert_refused("update", row.update().set(Edge::digit, Edge::decimal).exec(db).await, rounded);
        for sum in [Edge::digit - Edge::decimal, Edge::decimal - Edge::digit] {
            assert_refused("sum", Edge::query().update().set(Edge::digit, sum).exec(db).await.map(drop), rounded);
        }
        assert_eq!(Edge::find(row.id).one(db).await?, before);
        let mixed = [
            Edge::query().filter(Edge::digit.gt(Edge::decimal)).count(db).await,
            Edge::query().filter(Edge::decimal.lt(Edge::digit)).count(db).await,
            Edge::query().filter(Edge::wide.is_null() & Edge::decimal.between(Decimal::ZERO, Edge::digit)).count(db).await,
            Edge::query().filter(Edge::decimal.gt(Edge::digit - Edge::decimal)).count(db).await,
            Edge::query().update().set(Edge::decimal, Edge::decimal - Edge::digit).exec(db).await,
            Edge::query().update().set(Edge::decimal, Edge::digit + Edge::decimal).exec(db).await,
        ];
        if db.kind() == Kind::Sqlite {
            for result in mixed {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                assert!(error.to_string().contains("digits after the point"), "{error}");
            }
            assert_eq!(Edge::find(row.id).one(db).await?, before);
        } else {
            for result in mixed {
                assert_eq!(result?, 1);
            }
            assert_eq!(Edge::find(row.id).one(db).await?.decimal, Some("1.5".parse()?));
        }
        Ok(())
    }

    async fn a_text_that_might_be_cut_is_refused(db: &TestDb) -> Outcome {
        let row = with(Edge::text, "0123456789 ".to_owned()).exec(db).await?;
        let cut = Edge::query().update().set(Edge::short, Edge::text).exec(db).await;
        assert_refused("update", cut.map(drop), (ErrorKind::Unsupported, "Edge", "short"));
        assert_eq!(Edge::find(row.id).one(db).await?, row);
        let mut row = with(Edge::short, "short".to_owned()).exec(db).await?;
        row.update().set(Edge::text, Edge::short).set(Edge::long, Edge::short).exec(db).await?;
        assert_eq!((row.text.as_deref(), row.long.as_deref()), (Some("short"), Some("short")));
        Ok(())
    }

    async fn integers_stay_integers(db: &TestDb) -> Outcome {
        with(Edge::an_i64, i64::MAX - 1).exec(db).await?;
        Edge::query().update().set(Edge::an_i64, Edge::an_i64 + 1_i64).exec(db).await?;
        assert_eq!(Edge::query().one(db).await?.an_i64, Some(i64::MAX));
        if db.kind() == Kind::Sqlite {
            let found = db.raw_rows("SELECT typeof(an_i64) FROM edges").await?;
            assert_eq!(found, [[Some("integer".to_owned())]]);
        }
        Ok(())
    }
}
