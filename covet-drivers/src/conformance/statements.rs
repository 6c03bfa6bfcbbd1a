//! Reading: what the printed texts mean on the real database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::catalog::{Change, Column, ColumnDefault, ColumnType};
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{
    ascending, base, count, delete, insert, int, is, nullable, row, rows, select, table,
};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::{Flow, Reuse, Row, TransactionOptions};
use crate::error::ErrorKind;
use crate::render::print;
use crate::sql::{BinaryOp, Count, Function, Join, Many, Node, Nulls, Order, Ref, Select, Statement};
use crate::value::Value;

/// NULL comes first in an ascending order and last in a descending one, and where it was told to be.
pub async fn null_is_smaller_unless_said_otherwise(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for (id, n) in [(1, Some(5)), (2, None), (3, Some(-5)), (4, None)] {
        session.exec(row(id, n)).await?;
    }
    let (low, high) = (Some(-5), Some(5));
    for (descending, nulls, want) in [
        (false, None, [None, None, low, high]),
        (true, None, [high, low, None, None]),
        (false, Some(Nulls::First), [None, None, low, high]),
        (false, Some(Nulls::Last), [low, high, None, None]),
        (true, Some(Nulls::First), [None, None, high, low]),
        (true, Some(Nulls::Last), [high, low, None, None]),
    ] {
        let order = vec![Order { descending, nulls, ..ascending("n") }].into();
        let found = session.numbers(Select { order, ..Select::new("t", vec![Node::column("n")]) }).await?;
        check!(found == want, "descending {descending}, {nulls:?}: {found:?}");
    }
    // NULL is neither equal nor unequal to anything.
    for op in [BinaryOp::Eq, BinaryOp::Ne] {
        let filter = Node::binary(op, Node::column("n"), Node::column("n"));
        let found = session.number(count("t", Some(filter))).await?;
        check!(found == if op == BinaryOp::Eq { 2 } else { 0 }, "{op:?}: {found}");
    }
    Ok(())
}

/// Fixed and bound, each without the other, nothing and beyond the end.
pub async fn limits_and_offsets(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(5)).await?;
    let fixed = |n| Some(Count::Fixed(n));
    let bound = |n| Some(Count::Bound(Node::Value(Value::UInt(n))));
    for (limit, offset, want) in [
        (fixed(2), None, &[1, 2][..]),
        (bound(2), None, &[1, 2]),
        (fixed(0), None, &[]),
        (bound(0), bound(0), &[]),
        (None, fixed(3), &[4, 5]),
        (None, bound(3), &[4, 5]),
        (fixed(2), bound(2), &[3, 4]),
        (bound(9), fixed(4), &[5]),
        (bound(1), bound(9), &[]),
        (Some(Count::Bound(int(1))), Some(Count::Bound(int(1))), &[2]),
    ] {
        let words = format!("limit {limit:?}, offset {offset:?}");
        let found: Vec<i64> =
            session.numbers(Select { limit, offset, ..select("t", "id", None) }).await?.into_iter().flatten().collect();
        check!(found == want, "{words}: {found:?}");
    }
    Ok(())
}

/// Joins, `EXISTS` that looks outwards, `IN`, empty lists and truth.
pub async fn joins_and_subqueries(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(insert("t", &["id", "n"], [(1, 2), (2, 3), (3, 9)].map(|(id, n)| vec![int(id), int(n)]))).await?;
    let outer = |name| Node::Column { up: 1, source: 0, name };
    let joined = |source, name| Node::Column { up: 0, source, name };
    let on = Node::binary(BinaryOp::Eq, joined(0, "n"), joined(1, "id"));
    let join = Select {
        joins: vec![Join { table: "t", on }].into(),
        order: vec![Order { node: joined(0, "id"), ..ascending("id") }].into(),
        ..Select::new("t", vec![joined(1, "n")])
    };
    let found = session.numbers(join).await?;
    check!(found == [Some(3), Some(9)], "{found:?}");
    let next =
        Select { filter: Some(Node::binary(BinaryOp::Eq, Node::column("id"), outer("n"))), ..Select::new("t", vec![]) };
    let exists = Node::Exists(Ref::new(next));
    let in_list = |list: &[i64]| Node::In(Ref::new(Node::column("id")), list.iter().map(|id| int(*id)).collect());
    for (filter, want) in [
        (exists.clone(), &[1, 2][..]),
        (exists.negated(), &[3]),
        (in_list(&[1, 3, 7]), &[1, 3]),
        (in_list(&[1, 3, 7]).negated(), &[2]),
        (in_list(&[]), &[]),
        (in_list(&[]).negated(), &[1, 2, 3]),
        (Node::Truth(true), &[1, 2, 3]),
        (Node::Truth(false), &[]),
        (Node::All(Many::EMPTY), &[1, 2, 3]),
        (Node::Any(Many::EMPTY), &[]),
        (is("id", int(1)).or(is("id", int(2)).and(is("n", int(9)))), &[1]),
    ] {
        let words = format!("{filter:?}");
        let found: Vec<i64> = session.numbers(select("t", "id", Some(filter))).await?.into_iter().flatten().collect();
        check!(found == want, "{words}: {found:?}");
    }
    Ok(())
}

/// A delete whose condition reads its own table works, or is refused before anything is sent.
pub async fn its_own_table_in_a_condition(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(3)).await?;
    let larger = Node::binary(BinaryOp::Gt, Node::column("id"), Node::Column { up: 1, source: 0, name: "id" });
    let exists = Node::Exists(Ref::new(Select { filter: Some(larger), ..Select::new("t", vec![]) }));
    let deleted = session.exec(delete("t", Some(exists))).await;
    if bed.backend.dialect().reads_own_table() {
        check!(deleted?.affected == 2, "another number was deleted");
        check!(session.numbers(select("t", "id", None)).await? == [Some(3)], "another row was left");
    } else {
        let kind = deleted.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Unsupported), "{kind:?}");
    }
    Ok(())
}

/// A select can lock its rows, or says that the database locks none.
pub async fn locked_rows(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(2)).await?;
    session.begin(&TransactionOptions::default()).await?;
    match session.numbers(Select { lock: true, ..select("t", "id", Some(is("id", int(1)))) }).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => left_out(error),
        found => check!(found? == [Some(1)], "another row was locked"),
    }
    session.commit().await?;
    Ok(())
}

const TABLE: &str = "se\"le`ct'; DROP TABLE one; --";
const COLUMN: &str = "naïve 日 \\ \"x\" `y` 'z' $1 ?";

/// A name is text: quotes, blanks, key words and other alphabets mean nothing in it.
pub async fn names_of_any_kind(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let mut both = base();
    both.tables.push(table(TABLE, [nullable(COLUMN, ColumnType::I64), nullable("select", ColumnType::I64)]));
    both.sort();
    let created = Change::CreateTable { table: both.table(TABLE).cloned().ok_or_else(|| Failure::new("is there"))? };
    match session.apply(&[created], &base(), &both).await? {
        Applied::Done => {}
        Applied::Unsupported => return Err(Failure::new("a name is refused")),
        Applied::Refused(why) => return Err(Failure::new(why)),
    }
    session.exec(insert(TABLE, &["id", COLUMN, "select"], [vec![int(1), int(2), int(3)]])).await?;
    check!(session.number(select(TABLE, COLUMN, Some(is("select", int(3))))).await? == 2, "another column");
    let found = session.schema().await?;
    check!(found == both, "read as {found:#?}");
    Ok(())
}

/// The database's clock agrees with this machine's, in a statement and in a default.
pub async fn the_clock(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let mut with = base();
    with.tables
        .push(table("u", [Column { default: Some(ColumnDefault::Now), ..Column::new("at", ColumnType::Timestamp) }]));
    with.sort();
    let created = Change::CreateTable { table: with.table("u").cloned().ok_or_else(|| Failure::new("is there"))? };
    let Applied::Done = session.apply(&[created], &base(), &with).await? else {
        left_out("a default of now");
        return Ok(());
    };
    session.exec(insert("u", &["id"], [vec![int(1)]])).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut at = None;
    let mut sink = |row: &mut Row<'_>| {
        at = Some(row.value(0, &ColumnType::Timestamp)?.to_owned());
        Ok(Flow::Continue)
    };
    session.feed(select("u", "at", None), Reuse::Keep, &mut sink).await?;
    let Some(Value::Timestamp(at)) = at else { return Err(Failure::new("no timestamp came")) };
    let apart = now.abs_diff(Duration::from_micros(u64::try_from(at).unwrap_or_default()));
    check!(apart < Duration::from_secs(600), "the clocks are {apart:?} apart");
    // The clock of a statement is the same one, and reads as what the column holds.
    let before = Node::binary(BinaryOp::Ge, Node::Call(Function::Now, Many::EMPTY), Node::column("at"));
    check!(session.number(count("u", Some(before))).await? == 1, "now is before what was now");
    let soon = Node::Value(Value::Timestamp(at + 600_000_000));
    let later = Node::binary(BinaryOp::Gt, Node::Call(Function::Now, Many::EMPTY), soon);
    check!(session.number(count("u", Some(later))).await? == 0, "now is far from what was now");
    Ok(())
}

/// As many bound values as the capabilities say, and an error for one more.
pub async fn as_many_parameters_as_said(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(2)).await?;
    let most = session.capabilities().max_parameters;
    check!(most >= 100, "{most} parameters are too few for any use");
    let asked = most.min(100_000);
    let list = |n: usize| -> Select {
        let all = std::iter::repeat_n(7, n.saturating_sub(1)).chain([2]).map(int).collect();
        count("t", Some(Node::In(Ref::new(Node::column("id")), all)))
    };
    let mut sink = ();
    session.feed(list(asked), Reuse::Once, &mut sink).await?;
    check!(session.number(list(asked)).await? == 1, "the last parameter was not seen");
    if asked == most {
        let more = session.feed(list(most + 1), Reuse::Once, &mut sink).await;
        check!(more.is_err(), "{} parameters were taken, and {most} is the most", most + 1);
    }
    check!(session.echo(8).await? == 8, "out of step after too many parameters");
    Ok(())
}

/// Many different statements, most of them seen once: each gets its own answer.
pub async fn a_thousand_texts_on_one_session(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for round in 0..2 {
        for number in 0..1000 {
            let came = session.echo(number).await?;
            check!(came == number, "round {round}: {came} came for {number}");
        }
    }
    Ok(())
}

/// A kept statement means the table as it is now, also when another session changed it.
pub async fn a_statement_outlives_a_change_of_its_table(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    one.exec(rows(2)).await?;
    one.numbers(select("t", "n", None)).await?;
    let mut after = base();
    let new = nullable("z", ColumnType::I64);
    for t in after.tables.iter_mut().filter(|t| t.name == "t") {
        t.columns.push(new.clone());
    }
    let change = Change::AddColumn { table: "t".into(), column: new.clone(), backfill: None };
    let back = Change::DropColumn { table: "t".into(), column: new };
    for (change, from, to) in [(change, base(), after.clone()), (back, after, base())] {
        let Applied::Done = two.apply(&[change], &from, &to).await? else { return Ok(()) };
        for id in [10, 20] {
            one.exec(row(id, None)).await?;
            check!(one.exec(delete("t", Some(is("id", int(id))))).await?.affected == 1, "the row was not there");
        }
        let found = one.numbers(select("t", "n", None)).await?;
        check!(found == [Some(10), Some(20)], "{found:?}");
    }
    same_text(bed, &mut one).await
}

/// The same text with other values is another question.
async fn same_text(bed: &Bed, session: &mut Session) -> Outcome {
    for id in [1, 2, 1] {
        let statement: Statement = select("t", "n", Some(is("id", int(id)))).into();
        let text = print(&statement, bed.backend.dialect())?.sql;
        let found = session.number(statement).await?;
        check!(found == id * 10, "{text}: {found} for {id}");
    }
    Ok(())
}
