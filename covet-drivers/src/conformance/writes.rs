//! Writing: counts, numbers that the database gives, defaults, upserts.

use crate::catalog::{Change, Column, ColumnDefault, ColumnType};
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{
    SHORT, base, delete, index, insert, int, is, nullable, numbered, row, rows, schema, select, table, text, update,
};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::ConnectionState;
use crate::error::ErrorKind;
use crate::sql::{Assignment, BinaryOp, Conflict, Insert, Many, Node, OnConflict, Update};

/// Rows inserted, updated and deleted are counted; a row that an update leaves as it was counts too.
pub async fn counts_are_of_rows_found(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    check!(session.exec(rows(3)).await?.affected == 3, "three rows inserted");
    check!(session.exec(update("t", "c", text("x"), None)).await?.affected == 3, "three rows updated");
    check!(
        session.exec(update("t", "c", text("x"), None)).await?.affected == 3,
        "three rows updated to what they were"
    );
    check!(session.exec(update("t", "c", text("y"), Some(is("id", int(2))))).await?.affected == 1, "one row updated");
    check!(session.exec(update("t", "c", text("z"), Some(is("id", int(9))))).await?.affected == 0, "no row updated");
    check!(session.exec(select("t", "id", None)).await?.affected == 0, "a select affects nothing");
    check!(session.exec(delete("t", Some(is("id", int(9))))).await?.affected == 0, "no row deleted");
    check!(session.exec(delete("t", None)).await?.affected == 3, "three rows deleted");
    // A change of the schema affects no row, whatever ran before it.
    let new = table("new", []);
    let mut after = base();
    after.tables.push(new.clone());
    after.sort();
    for step in bed.backend.ddl().plan(&[Change::CreateTable { table: new }], &base(), &after)?.iter().take(1) {
        let affected = session.raw(&step.sql, &[]).await?.affected;
        check!(affected == 0, "{affected} rows are affected by: {}", step.sql);
    }
    Ok(())
}

/// Keys that the database gives are new; where the protocol tells one it is the first of the insert.
pub async fn numbers_given_by_the_database(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    session.make(&schema([numbered("t", [nullable("n", ColumnType::I64)])])).await?;
    let one = |n| insert("t", &["n"], [vec![int(n)]]);
    let mut told = 0;
    for n in 1..=2 {
        let outcome = session.exec(one(n)).await?;
        let id = session.number(select("t", "id", Some(is("n", int(n))))).await?;
        if let Some(first) = outcome.last_insert_id {
            told += 1;
            check!(i64::try_from(first) == Ok(id), "{first} was told and {id} was given");
        }
    }
    let outcome = session.exec(insert("t", &["n"], [3, 4, 5].map(|n| vec![int(n)]))).await?;
    let id = session.number(select("t", "id", Some(is("n", int(3))))).await?;
    if let Some(first) = outcome.last_insert_id {
        check!(i64::try_from(first) == Ok(id), "{first} was told for three rows, and {id} is the first");
    }
    if !session.capabilities().returning_on_insert {
        check!(told == 2, "neither RETURNING nor a number that is told: nobody learns the key");
    }
    let ids = session.numbers(select("t", "id", None)).await?;
    check!(ids.len() == 5, "{ids:?}");
    // A row that goes does not give its number to the next.
    let last = ids.last().copied().flatten().unwrap_or_default();
    session.exec(delete("t", Some(is("id", int(last))))).await?;
    session.exec(one(6)).await?;
    let next = session.number(select("t", "id", Some(is("n", int(6))))).await?;
    check!(next > last, "{next} was given after {last}");
    // A number of the user's own is kept.
    session.exec(insert("t", &["id", "n"], [vec![int(1000), int(7)]])).await?;
    check!(session.number(select("t", "id", Some(is("n", int(7))))).await? == 1000, "another number was kept");
    Ok(())
}

/// A column that is not named gets its default, one by one and all together.
pub async fn defaults(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let with = |name, ty, default| Column { default: Some(default), ..Column::new(name, ty) };
    let columns = [
        with("c", SHORT, ColumnDefault::Text("it's \\ \"x\"".into())),
        with("n", ColumnType::I64, ColumnDefault::Int(-7)),
        nullable("z", ColumnType::I64),
    ];
    session.make(&schema([numbered("t", columns)])).await?;
    let empty = Insert { rows: vec![Vec::new()], ..insert("t", &[], []) };
    check!(session.exec(empty).await?.affected == 1, "a row without a value");
    session.exec(insert("t", &["z"], [vec![int(1)]])).await?;
    let inline = insert("t", &["c", "n"], [vec![Node::Default, Node::Default]]);
    let mut want = 3;
    match session.exec(inline).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            left_out(error);
            want = 2;
        }
        done => check!(done?.affected == 1, "a row of defaults"),
    }
    let texts = session.texts(select("t", "c", None)).await?;
    check!(texts == vec!["it's \\ \"x\""; want], "{texts:?}");
    let numbers = session.numbers(select("t", "n", None)).await?;
    check!(numbers == vec![Some(-7); want], "{numbers:?}");
    Ok(())
}

/// `RETURNING` gives the rows that were written, where the database says that it has it.
pub async fn rows_given_back(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let can = *session.capabilities();
    let given = |columns: &[&'static str]| columns.iter().copied().collect::<Many<_>>();
    if can.returning_on_insert {
        let found = session.numbers(Insert { returning: given(&["n"]), ..rows(3) }).await?;
        check!(found == [Some(10), Some(20), Some(30)], "inserted: {found:?}");
        let outcome = session.exec(Insert { returning: given(&["id"]), ..row(4, None) }).await?;
        check!(outcome.affected == 1, "{} rows inserted", outcome.affected);
    } else {
        left_out("RETURNING on insert");
        session.exec(rows(3)).await?;
        session.exec(row(4, None)).await?;
    }
    if can.returning_on_update {
        let add = Node::binary(BinaryOp::Add, Node::column("n"), int(1));
        let statement = Update { returning: given(&["n"]), ..update("t", "n", add, Some(is("id", int(2)))) };
        check!(session.numbers(statement).await? == [Some(21)], "the row after the update");
    } else {
        left_out("RETURNING on update");
    }
    if can.returning_on_delete {
        let mut statement = delete("t", Some(is("id", int(3))));
        statement.returning = given(&["n"]);
        check!(session.numbers(statement).await? == [Some(30)], "the row that was deleted");
    } else {
        left_out("RETURNING on delete");
    }
    Ok(())
}

fn upsert(id: i64, n: i64, c: &str, action: OnConflict) -> Insert {
    Insert {
        conflict: Some(Conflict { target: Many::Static(&["id"]), action }),
        ..insert("t", &["id", "n", "c"], [vec![int(id), int(n), text(c)]])
    }
}

/// A row that is there already is kept, and counts for nothing.
pub async fn conflict_and_nothing(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    check!(session.exec(upsert(1, 10, "a", OnConflict::Nothing)).await?.affected == 1, "a new row");
    check!(session.exec(upsert(1, 11, "b", OnConflict::Nothing)).await?.affected == 0, "a row that is there");
    check!(session.texts(select("t", "c", None)).await? == ["a"], "the row was not kept");
    let mut several = upsert(2, 20, "c", OnConflict::Nothing);
    several.rows.push(vec![int(1), int(99), text("d")]);
    let affected = session.exec(several).await?.affected;
    // A database that writes this as an update to what is there does not tell one from the other.
    let told = affected == 1 || affected == 2 && !session.capabilities().conflict_target;
    check!(told, "one of two rows was new, and {affected} are counted");
    check!(session.texts(select("t", "c", None)).await? == ["a", "c"], "the rows");
    if session.capabilities().conflict_target {
        let kind = session.exec(upsert(4, 10, "f", OnConflict::Nothing)).await.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Unique), "a conflict with the key that is not meant gave {kind:?}");
    }
    Ok(())
}

/// A row that is there already is changed, from what it was and from what was to be inserted.
pub async fn conflict_and_update(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let action = || {
        let sum = Node::binary(BinaryOp::Add, Node::column("n"), Node::Excluded("n"));
        let set = vec![Assignment { column: "n", value: sum }, Assignment { column: "c", value: Node::Excluded("c") }];
        OnConflict::Update(set.into())
    };
    check!(session.exec(upsert(1, 10, "a", action())).await?.affected == 1, "a new row");
    check!(session.exec(upsert(1, 5, "b", action())).await?.affected == 1, "a row that is there");
    check!(session.number(select("t", "n", None)).await? == 15, "the sum of both");
    check!(session.texts(select("t", "c", None)).await? == ["b"], "the text that was to be inserted");
    check!(session.exec(upsert(1, 0, "b", action())).await?.affected == 1, "a row that is left as it was");
    let mut several = upsert(2, 1, "c", action());
    several.rows.push(vec![int(1), int(1), text("d")]);
    check!(session.exec(several).await?.affected == 2, "one new, one changed");
    check!(session.numbers(select("t", "n", None)).await? == [Some(1), Some(16)], "the numbers");
    Ok(())
}

/// Two columns can change places in one update, or the database says that it cannot.
pub async fn assignments_read_the_row_before(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let mut t = table("t", [Column::new("a", ColumnType::I64), Column::new("b", ColumnType::I64)]);
    t.indexes.push(index("t_a_idx", &["a"], false));
    session.make(&schema([t])).await?;
    session.exec(insert("t", &["id", "a", "b"], [vec![int(1), int(10), int(20)]])).await?;
    let set = vec![
        Assignment { column: "a", value: Node::column("b") },
        Assignment { column: "b", value: Node::column("a") },
    ];
    let swap = Update { table: "t", set: set.into(), filter: None, returning: Many::EMPTY };
    let want = match session.exec(swap).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            left_out(error);
            (10, 20)
        }
        done => {
            done?;
            (20, 10)
        }
    };
    let found = (session.number(select("t", "a", None)).await?, session.number(select("t", "b", None)).await?);
    check!(found == want, "{found:?}");
    // Where order is no matter it always works.
    let sum = Node::binary(BinaryOp::Add, Node::column("a"), Node::column("b"));
    check!(session.exec(update("t", "a", sum, None)).await?.affected == 1, "one row");
    check!(session.number(select("t", "a", None)).await? == 30, "the sum");
    Ok(())
}

/// The statements of a script run in order, and none behind the first that fails.
pub async fn a_script_stops_at_the_first_error(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let line = |session: &Session, id| session.text_of(insert("t", &["id"], [vec![Node::Literal(id)]]));
    let good = format!("{};\n-- ; no statement\n{};", line(&session, 1)?, line(&session, 2)?);
    session.script(&good).await?;
    check!(session.count("t").await? == 2, "both statements ran");
    session.script("").await?;
    session.script(" \n-- nothing\n;").await?;
    let bad = format!("{};{};{}", line(&session, 3)?, line(&session, 3)?, line(&session, 4)?);
    let kind = session.script(&bad).await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::Unique), "{kind:?}");
    check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
    let ids = session.numbers(select("t", "id", Some(is("id", int(4))))).await?;
    check!(ids.is_empty(), "a statement behind the one that failed ran");
    // One statement is one: `run` takes no second.
    let two = format!("{}; {}", line(&session, 5)?, line(&session, 6)?);
    let kind = session.raw(&two, &[]).await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::Syntax), "two statements in one gave {kind:?}");
    let Applied::Done = session.apply(&[], &base(), &base()).await? else {
        return Err(Failure::new("no change is no change"));
    };
    Ok(())
}
