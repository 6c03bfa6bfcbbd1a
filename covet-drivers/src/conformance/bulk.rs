//! Many rows in one insert: any number of them, of any columns, all or none.

use std::collections::VecDeque;

use crate::catalog::{Column, ColumnDefault, ColumnType};
use crate::conformance::compare::{refuses, same, show};
use crate::conformance::fixture::{
    SHORT, base, delete, index, insert, int, is, nullable, numbered, row, schema, select, table,
};
use crate::conformance::session::Session;
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::{ConnectionState, Part, RowSupply, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{BinaryOp, Many, Node, Select};
use crate::value::{Value, ValueWriter};

/// Sizes around those at which adapters change their ways.
const SIZES: &[i64] = &[0, 1, 2, 49, 50, 51, 100, 101, 499, 500, 501, 550, 999, 1000, 1001, 2000, 2001, 3001];

/// A number of rows by which every adapter has more than one thing to send.
const MANY: i64 = 2500;

/// Rows in parts, made while they are pulled.
pub(crate) struct Supply<F> {
    /// The columns of the parts to come, and the number of the last row of each.
    parts: VecDeque<(Many<&'static str>, i64)>,
    /// The last row of the part, and the row that comes next.
    last: i64,
    next: i64,
    row: F,
}

impl<F: FnMut(i64) -> Result<Vec<Value>> + Send> Supply<F> {
    /// Rows with the numbers from 1 to this one.
    pub(crate) fn new(columns: &[&'static str], rows: i64, row: F) -> Self {
        let parts = if rows > 0 { vec![(columns.iter().copied().collect(), rows)] } else { Vec::new() };
        Supply { parts: parts.into(), last: 0, next: 1, row }
    }

    /// And then these rows, of other columns.
    fn and(mut self, columns: &[&'static str], rows: i64) -> Self {
        let last = self.parts.back().map_or(0, |(_, last)| *last);
        self.parts.push_back((columns.iter().copied().collect(), last + rows));
        self
    }
}

impl<F: FnMut(i64) -> Result<Vec<Value>> + Send> RowSupply for Supply<F> {
    fn part(&mut self) -> Result<Option<Part>> {
        let Some((columns, last)) = self.parts.pop_front() else { return Ok(None) };
        self.last = last;
        Ok(Some(Part::Rows(columns)))
    }

    fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool> {
        if self.next > self.last {
            return Ok(false);
        }
        // By turns, so that both ways of giving a value are seen.
        for (value, lends) in (self.row)(self.next)?.into_iter().zip([true, false].into_iter().cycle()) {
            if lends { row.lend(value.lend())? } else { row.give(value)? }
        }
        self.next += 1;
        Ok(true)
    }
}

/// A row of `t`: its number, and ten times that.
#[allow(clippy::unnecessary_wraps)] // the shape of a supply's rows
fn tenfold(id: i64) -> Result<Vec<Value>> {
    Ok(vec![Value::Int(id), Value::Int(id * 10)])
}

/// Any number of rows, in the order in which they were given, with NULL here and there.
pub async fn any_number_of_rows(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for &rows in SIZES {
        let odd = |id: i64| {
            let c = if id % 3 == 0 { Value::Null } else { Value::Text(format!("text {id}")) };
            let n = if id % 2 == 0 { Value::Null } else { Value::Int(-id) };
            Ok(vec![Value::Int(id), c, n])
        };
        let inserted = session.insert_rows("t", &mut Supply::new(&["id", "c", "n"], rows, odd)).await?;
        check!(i64::try_from(inserted) == Ok(rows), "{inserted} rows were counted, and {rows} given");
        check!(session.state() == ConnectionState::Idle, "{:?} after {rows} rows", session.state());
        let types = [ColumnType::I64, SHORT, ColumnType::I64];
        let columns = ["id", "c", "n"].map(Node::column).to_vec();
        let all = Select { columns: columns.into(), ..select("t", "id", None) };
        let found = session.rows(all, &types).await?;
        let want = (1..=rows).map(odd).collect::<Result<Vec<_>>>()?;
        check!(found == want, "of {rows} rows {} came back, or others", found.len());
        session.exec(delete("t", None)).await?;
    }
    Ok(())
}

/// Numbers that the database gives, and defaults, where a column is not among those of the rows.
pub async fn columns_that_are_left_out(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let with = Column { default: Some(ColumnDefault::Int(-7)), ..Column::new("d", ColumnType::I64) };
    session.make(&schema([numbered("t", [with, nullable("n", ColumnType::I64)])])).await?;
    for rows in [3, MANY] {
        session.insert_rows("t", &mut Supply::new(&["n"], rows, |id| Ok(vec![Value::Int(id)]))).await?;
        let ids = session.numbers(select("t", "id", None)).await?;
        check!(ids.len() as i64 == rows, "{} numbers for {rows} rows", ids.len());
        let given = session.numbers(select("t", "d", None)).await?;
        check!(given.iter().all(|d| *d == Some(-7)), "a column that was left out has another value than its default");
        session.exec(delete("t", None)).await?;
    }
    let nothing = |_| Ok(Vec::new());
    session.insert_rows("t", &mut Supply::new(&[], 3, nothing)).await?;
    let given = session.numbers(select("t", "d", None)).await?;
    check!(given == [Some(-7); 3], "rows without a value: {given:?}");
    Ok(())
}

/// Parts of other columns, and statements between them, are one insert and keep their order.
pub async fn several_parts(bed: &Bed) -> Outcome {
    struct WithStatement<S>(S, u32);

    impl<S: RowSupply> RowSupply for WithStatement<S> {
        fn part(&mut self) -> Result<Option<Part>> {
            self.1 += 1;
            if self.1 == 2 {
                let sum = Node::binary(BinaryOp::Add, Node::Literal(1), Node::Literal(2));
                return Ok(Some(Part::Insert(Box::new(insert("t", &["id", "n"], [vec![int(100_000), sum]])))));
            }
            self.0.part()
        }

        fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool> {
            self.0.next(row)
        }
    }

    let mut session = bed.ready().await?;
    for (first, second) in [(2, 2), (2, MANY), (MANY, 2), (MANY, MANY)] {
        for fails in [false, true] {
            let row = move |id: i64| {
                if id <= first {
                    return tenfold(id);
                }
                let id = if fails && id == first + second { 1 } else { id };
                Ok(vec![Value::Text(format!("c{id}")), Value::Int(id)])
            };
            let supply = Supply::new(&["id", "n"], first, row).and(&["c", "id"], second);
            let result = session.insert_rows("t", &mut WithStatement(supply, 0)).await;
            check!(session.state() == ConnectionState::Idle, "{:?} after {result:?}", session.state());
            let found = session.count("t").await?;
            if fails {
                let kind = result.err().map(|error| error.kind());
                check!(kind == Some(ErrorKind::Unique), "a row that is there already gave {kind:?}");
                check!(found == 0, "{found} rows of a failed insert are there");
            } else {
                let inserted = result?;
                check!(i64::try_from(inserted) == Ok(first + second + 1), "{inserted} rows were counted");
                check!(found == first + second + 1, "{found} rows are there");
                let filter = is("id", int(100_000));
                check!(session.numbers(select("t", "n", Some(filter))).await? == [Some(3)], "the statement's row");
            }
            session.exec(delete("t", None)).await?;
        }
    }
    Ok(())
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Twice,
    Null,
    Beyond,
    Supply,
}

impl Wrong {
    const ALL: [Wrong; 4] = [Wrong::Twice, Wrong::Null, Wrong::Beyond, Wrong::Supply];

    fn kind(self) -> ErrorKind {
        match self {
            Wrong::Twice => ErrorKind::Unique,
            Wrong::Null => ErrorKind::NotNull,
            Wrong::Beyond => ErrorKind::OutOfRange,
            Wrong::Supply => ErrorKind::NotFound,
        }
    }

    /// A row of `m`.
    fn row(self) -> Result<Vec<Value>> {
        Ok(match self {
            Wrong::Twice => vec![Value::Int(1), Value::Int(0)],
            Wrong::Null => vec![Value::Int(0), Value::Null],
            Wrong::Beyond => vec![Value::Int(0), Value::UInt(u64::MAX)],
            Wrong::Supply => return Err(Error::new(ErrorKind::NotFound, "the supply's own")),
        })
    }

    /// So many rows, of which this one is wrong.
    fn among(self, rows: i64, at: i64) -> Supply<impl FnMut(i64) -> Result<Vec<Value>> + Send> {
        Supply::new(&["id", "n"], rows, move |id| if id == at { self.row() } else { tenfold(id) })
    }
}

async fn strict(bed: &Bed) -> std::result::Result<Session, Failure> {
    let mut session = bed.connect().await?;
    let mut m = table("m", [Column::new("n", ColumnType::I64)]);
    m.indexes.push(index("m_n_key", &["n"], true));
    let mut schema = schema([m, table("one", [])]);
    schema.sort();
    session.make(&schema).await?;
    session.exec(insert("one", &["id"], [vec![int(1)]])).await?;
    Ok(session)
}

/// A row that is refused, by whomever and wherever it stands, is the end of all of them.
pub async fn a_refused_row(bed: &Bed) -> Outcome {
    let mut session = strict(bed).await?;
    for wrong in Wrong::ALL {
        for (rows, at) in [(2, 2), (40, 20), (600, 600), (MANY, 2), (MANY, MANY / 2), (MANY, MANY)] {
            let error = session.insert_rows("m", &mut wrong.among(rows, at)).await.err();
            let what = format!("{wrong:?} in row {at} of {rows}");
            let kind = error.as_ref().map(Error::kind);
            check!(kind == Some(wrong.kind()), "{what}: {error:?}");
            let told = error.as_ref().is_some_and(|error| error.constraint().is_some() || error.table().is_some());
            check!(told || !matches!(wrong, Wrong::Twice), "{what} names no place: {error:?}");
            check!(session.state() == ConnectionState::Idle, "{what}: {:?}", session.state());
            check!(session.echo(46).await? == 46, "{what}: out of step");
            check!(session.count("m").await? == 0, "{what}: rows of a failed insert are there");
        }
    }
    let inserted = session.insert_rows("m", &mut Supply::new(&["id", "n"], MANY, tenfold)).await?;
    check!(i64::try_from(inserted) == Ok(MANY), "{inserted} rows behind the failures");
    Ok(())
}

/// In a transaction the rows go and stay with it; a savepoint around a failure saves the rest.
pub async fn in_a_transaction(bed: &Bed) -> Outcome {
    let mut session = strict(bed).await?;
    for rows in [2, 600, MANY] {
        for keep in [false, true] {
            session.begin(&TransactionOptions::default()).await?;
            session.exec(insert("m", &["id", "n"], [vec![int(0), int(0)]])).await?;
            session.insert_rows("m", &mut Supply::new(&["id", "n"], rows, tenfold)).await?;
            check!(session.state() == ConnectionState::InTransaction, "{:?} behind {rows} rows", session.state());
            check!(session.count("m").await? == rows + 1, "the rows that are there in the transaction");
            if keep {
                session.commit().await?
            } else {
                session.rollback().await?
            }
            let kept = session.count("m").await?;
            check!(kept == if keep { rows + 1 } else { 0 }, "{kept} rows behind the transaction");
            session.exec(delete("m", None)).await?;
        }
        for wrong in Wrong::ALL {
            session.begin(&TransactionOptions::default()).await?;
            session.exec(insert("m", &["id", "n"], [vec![int(-1), int(-1)]])).await?;
            session.savepoint(1).await?;
            let kind = session.insert_rows("m", &mut wrong.among(rows, rows)).await.err().map(|error| error.kind());
            check!(kind == Some(wrong.kind()), "{wrong:?} in row {rows}: {kind:?}");
            let state = session.state();
            if state == ConnectionState::InTransaction {
                let left = session.count("m").await?;
                check!(left == 1, "{wrong:?}: {left} rows are left of a failed insert of {rows}");
            } else {
                check!(state == ConnectionState::Failed, "{state:?} behind {wrong:?}");
            }
            session.rollback_to(1).await?;
            session.insert_rows("m", &mut Supply::new(&["id", "n"], rows, tenfold)).await?;
            session.commit().await?;
            let kept = session.count("m").await?;
            check!(kept == rows + 1, "{wrong:?}: {kept} rows behind the transaction");
            session.exec(delete("m", None)).await?;
        }
    }
    // What takes several statements is undone by itself.
    session.begin(&TransactionOptions::default()).await?;
    session.exec(insert("m", &["id", "n"], [vec![int(-1), int(-1)]])).await?;
    let error = session.insert_rows("m", &mut Wrong::Twice.among(10_000, 9_999)).await.err();
    check!(error.is_some_and(|error| error.kind() == ErrorKind::Unique), "a row that is there already");
    check!(session.state() == ConnectionState::InTransaction, "{:?} behind many rows", session.state());
    session.commit().await?;
    check!(session.count("m").await? == 1, "what was before the failure is gone, or rows of it are there");
    Ok(())
}

/// A value that is refused before it is sent names its row and column.
pub async fn a_refused_value_names_its_row(bed: &Bed) -> Outcome {
    let mut session = strict(bed).await?;
    for (rows, at) in [(3, 2), (MANY, 1_234)] {
        let error = match session.insert_rows("m", &mut Wrong::Beyond.among(rows, at)).await {
            Ok(_) => return Err(Failure::new("a number beyond the column was taken")),
            Err(error) => error,
        };
        // Where the database itself refuses it, or an adapter sends ordinary statements, only it can tell.
        if error.message().contains("row ") {
            check!(error.message().contains(&format!("row {at}")), "{error}");
            check!(error.column().is_none_or(|column| column == "n"), "{error:?}");
        }
        check!(!error.to_string().contains(&u64::MAX.to_string()), "the value is shown: {error}");
    }
    Ok(())
}

/// A row of another length than its part is refused, and not sent with its neighbour's values.
pub async fn a_row_of_another_length(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for rows in [2, MANY] {
        let short = move |id| if id == rows { Ok(vec![Value::Int(id)]) } else { tenfold(id) };
        let error = session.insert_rows("t", &mut Supply::new(&["id", "n"], rows, short)).await.err();
        check!(error.is_some_and(|error| error.kind() == ErrorKind::InvalidInput), "a row that is too short");
        check!(session.count("t").await? == 0, "rows are there");
    }
    Ok(())
}

/// Rows of a megabyte, more of them than are worth holding, and one larger than a packet of ordinary size.
pub async fn large_rows(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    session.make(&schema([table("t", [Column::new("b", ColumnType::Bytes)])])).await?;
    for (rows, bytes) in [(40, 400_000), (3, 2_500_000)] {
        let row = move |id: i64| Ok(vec![Value::Int(id), Value::Bytes(vec![id.unsigned_abs() as u8; bytes])]);
        let inserted = session.insert_rows("t", &mut Supply::new(&["id", "b"], rows, row)).await?;
        check!(i64::try_from(inserted) == Ok(rows), "{inserted} rows");
        let last = Select { columns: vec![Node::column("b")].into(), ..select("t", "id", Some(is("id", int(rows)))) };
        let found = session.rows(last, &[ColumnType::Bytes]).await?;
        check!(found == [row(rows)?.split_off(1)], "the last row is another");
        session.exec(delete("t", None)).await?;
    }
    Ok(())
}

/// A table that has changed since many rows were inserted on this session.
pub async fn a_table_that_changes(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    for rows in [2, MANY] {
        one.insert_rows("t", &mut Supply::new(&["id", "n"], rows, tenfold)).await?;
        two.exec(row(-1, None)).await?;
        one.exec(delete("t", None)).await?;
    }
    two.unmake(&base()).await?;
    let other = table("t", [nullable("n", SHORT), nullable("c", SHORT)]);
    two.make(&schema([other, table("one", [])])).await?;
    for rows in [2, MANY] {
        let words = |id: i64| Ok(vec![Value::Int(id), Value::Text(format!("n{id}"))]);
        let result = one.insert_rows("t", &mut Supply::new(&["id", "n"], rows, words)).await;
        check!(result.is_ok(), "{rows} rows after the change: {result:?}");
        let found = two.texts(select("t", "n", Some(is("id", int(2))))).await?;
        check!(found == ["n2"], "{found:?}");
        two.exec(delete("t", None)).await?;
    }
    Ok(())
}

/// The values of a type in many rows: what it must hold comes back, what is doubtful comes back or is refused.
pub(crate) async fn hold(session: &mut Session, ty: &ColumnType, fits: &[Value], doubtful: &[Value]) -> Outcome {
    let cycle: Vec<&Value> = fits.iter().chain([&Value::Null]).collect();
    let at = |id: i64| cycle.get(usize::try_from(id).unwrap_or(0) % cycle.len()).map_or(Value::Null, |v| (*v).clone());
    for rows in [cycle.len() as i64, 600] {
        session.exec(delete("t", None)).await?;
        let all = &mut Supply::new(&["id", "c"], rows, |id| Ok(vec![Value::Int(id), at(id)]));
        let inserted = session.insert_rows("t", all).await;
        check!(inserted.is_ok(), "{ty} in {rows} rows: {:?}", inserted.err());
        for id in 1..=cycle.len() as i64 {
            came(session, ty, id, &at(id)).await?;
        }
        for value in doubtful {
            session.exec(delete("t", None)).await?;
            let one = |id| Ok(vec![Value::Int(id), if id == rows { value.clone() } else { at(id) }]);
            match session.insert_rows("t", &mut Supply::new(&["id", "c"], rows, one)).await {
                Ok(_) => came(session, ty, rows, value).await?,
                Err(error) => {
                    check!(refuses(&error, ty), "{ty} in {rows} rows: refused as {error:?}");
                    check!(session.count("t").await? == 0, "{ty}: refused, and rows are kept");
                }
            }
        }
    }
    session.exec(delete("t", None)).await?;
    Ok(())
}

async fn came(session: &mut Session, ty: &ColumnType, id: i64, want: &Value) -> Outcome {
    let column = Select { filter: Some(is("id", int(id))), ..Select::new("t", vec![Node::column("c")]) };
    let found = session.rows(column, std::slice::from_ref(ty)).await?;
    let is_same = matches!(found.as_slice(), [row] if matches!(row.as_slice(), [value] if same(want, value)));
    check!(is_same, "{ty}: {} came back from among many rows as another", show(want));
    Ok(())
}
