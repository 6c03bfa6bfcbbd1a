//! Changes that rows do not fit: nothing is cut, rounded, zeroed or half done.

use crate::catalog::{Change, Column, ColumnDefault, ColumnType, Schema};
use crate::conformance::compare::{same, show};
use crate::conformance::fixture::{SHORT, index, insert, int, nullable, schema, select, table};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::sql::Node;
use crate::value::{Decimal, Value};

fn of(column: &Column) -> Schema {
    schema([table("t", [column.clone()])])
}

fn alter(before: &Column, after: &Column, backfill: Option<ColumnDefault>) -> Change {
    Change::AlterColumn { table: "t".into(), before: before.clone(), after: after.clone(), backfill }
}

/// A row with this value, which the change must not harm.
async fn start(bed: &Bed, column: &Column, value: &Value) -> Result<Option<Session>, Failure> {
    let mut session = bed.connect().await?;
    match session.try_make(&of(column)).await? {
        Applied::Done => {}
        Applied::Unsupported => return Ok(None),
        Applied::Refused(why) => return Err(Failure::new(why)),
    }
    session.exec(insert("t", &["id", "c"], [vec![int(1), Node::Value(value.clone())]])).await?;
    Ok(Some(session))
}

/// The change is refused, by a guard or by the database, and nothing has changed.
async fn refused(bed: &Bed, before: Column, after: Column, value: Value) -> Outcome {
    let Some(mut session) = start(bed, &before, &value).await? else { return Ok(()) };
    let (old, new) = (of(&before), of(&after));
    let applied = session.apply(&[alter(&before, &after, None)], &old, &new).await?;
    if let Applied::Done = applied {
        return Err(Failure::new(format_args!("{} as {} became something as {}", show(&value), before.ty, after.ty)));
    }
    let found = session.schema().await?;
    check!(found == old, "{} to {} was refused, and has changed: {found:#?}", before.ty, after.ty);
    let rows = session.rows(select("t", "c", None), std::slice::from_ref(&before.ty)).await?;
    let kept = rows.len() == 1 && rows.iter().flatten().all(|came| same(&value, came));
    check!(kept, "{} to {} was refused, and {} is no longer there", before.ty, after.ty, show(&value));
    session.unmake(&old).await
}

/// A column that no longer allows NULL.
pub async fn null_where_it_is_no_longer_allowed(bed: &Bed) -> Outcome {
    for ty in [ColumnType::I64, SHORT] {
        refused(bed, nullable("c", ty.clone()), Column::new("c", ty), Value::Null).await?;
    }
    Ok(())
}

/// Narrower integers, fewer digits, whole numbers, and text that is no number.
pub async fn numbers_that_do_not_fit(bed: &Bed) -> Outcome {
    let decimal = |mantissa, precision, scale| Decimal::new(mantissa, precision, scale).map(Value::Decimal);
    let digits = |precision, scale| ColumnType::Decimal { precision, scale };
    for (before, after, value) in [
        (ColumnType::I64, ColumnType::I32, Value::Int(3_000_000_000)),
        (ColumnType::I32, ColumnType::I8, Value::Int(128)),
        (ColumnType::I32, ColumnType::U32, Value::Int(-1)),
        (ColumnType::F64, ColumnType::I64, Value::Float(2.5)),
        (ColumnType::F64, ColumnType::F32, Value::Float(0.1)),
        (ColumnType::I64, ColumnType::F64, Value::Int((1 << 53) + 1)),
        (digits(10, 4), digits(10, 2), decimal(12_355, 10, 4)?),
        (digits(10, 2), digits(4, 2), decimal(10_000, 10, 2)?),
        (digits(10, 2), ColumnType::I32, decimal(150, 10, 2)?),
        (SHORT, ColumnType::I64, Value::Text("x7".into())),
        (SHORT, ColumnType::I8, Value::Text("300".into())),
        (ColumnType::I32, ColumnType::Bool, Value::Int(2)),
    ] {
        refused(bed, Column::new("c", before), Column::new("c", after), value).await?;
    }
    Ok(())
}

/// Shorter text, also where only blanks would go.
pub async fn text_that_is_too_long(bed: &Bed) -> Outcome {
    for value in ["abcdef", "日本語日本語", "abc   "] {
        let shorter = ColumnType::Text { max_len: Some(5) };
        refused(bed, Column::new("c", SHORT), Column::new("c", shorter), Value::Text(value.into())).await?;
    }
    Ok(())
}

/// A value is given for NULL, and only for NULL.
pub async fn a_value_takes_the_place_of_null(bed: &Bed) -> Outcome {
    let (before, after) = (nullable("c", ColumnType::I64), Column::new("c", ColumnType::I64));
    let Some(mut session) = start(bed, &before, &Value::Null).await? else { return Ok(()) };
    session.exec(insert("t", &["id", "c"], [vec![int(2), int(5)]])).await?;
    let change = alter(&before, &after, Some(ColumnDefault::Int(7)));
    match session.apply(&[change], &of(&before), &of(&after)).await? {
        Applied::Unsupported => return Ok(()),
        Applied::Refused(why) => return Err(Failure::new(why)),
        Applied::Done => {}
    }
    let found = session.numbers(select("t", "c", None)).await?;
    check!(found == [Some(5), Some(7)], "{found:?}");
    check!(session.schema().await? == of(&after), "NULL is still allowed");
    Ok(())
}

/// A column that rows cannot do without stops at the first row, and comes when there is none.
pub async fn a_new_column_without_a_value(bed: &Bed) -> Outcome {
    let c = nullable("c", ColumnType::I64);
    let Some(mut session) = start(bed, &c, &Value::Int(1)).await? else { return Ok(()) };
    let new = Column::new("z", ColumnType::I64);
    let after = schema([table("t", [c.clone(), new.clone()])]);
    let change = [Change::AddColumn { table: "t".into(), column: new, backfill: None }];
    match session.apply(&change, &of(&c), &after).await? {
        Applied::Done => return Err(Failure::new("a row got a value that nobody gave")),
        Applied::Unsupported => return Ok(()),
        Applied::Refused(_) => check!(session.schema().await? == of(&c), "a change that was refused did something"),
    }
    session.exec(crate::conformance::fixture::delete("t", None)).await?;
    match session.apply(&change, &of(&c), &after).await? {
        Applied::Refused(why) => Err(Failure::new(why)),
        Applied::Unsupported => Ok(()),
        Applied::Done => {
            check!(session.schema().await? == after, "the column is not there");
            Ok(())
        }
    }
}

/// A unique index over rows that agree is refused, and they stay.
pub async fn rows_that_agree_in_a_new_unique_index(bed: &Bed) -> Outcome {
    let c = nullable("c", ColumnType::I64);
    let Some(mut session) = start(bed, &c, &Value::Int(1)).await? else { return Ok(()) };
    session.exec(insert("t", &["id", "c"], [vec![int(2), int(1)]])).await?;
    let mut after = of(&c);
    let new = index("t_c_key", &["c"], true);
    for t in &mut after.tables {
        t.indexes.push(new.clone());
    }
    let change = [Change::AddIndex { table: "t".into(), index: new }];
    if let Applied::Done = session.apply(&change, &of(&c), &after).await? {
        return Err(Failure::new("a unique index over two rows that agree"));
    }
    check!(session.schema().await? == of(&c), "a change that was refused did something");
    check!(session.count("t").await? == 2, "rows are gone");
    // NULLs never agree.
    session.exec(crate::conformance::fixture::update("t", "c", Node::Value(Value::Null), None)).await?;
    match session.apply(&change, &of(&c), &after).await? {
        Applied::Done | Applied::Unsupported => Ok(()),
        Applied::Refused(why) => Err(Failure::new(why)),
    }
}
