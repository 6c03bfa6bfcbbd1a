//! Every kind of change, there and back: the schema is what was asked for and the rows are kept.

use crate::catalog::{Action, Change, Column, ColumnDefault, ColumnType, Schema, Table};
use crate::conformance::fixture::{SHORT, index, insert, int, nullable, schema, select, table, text};
use crate::conformance::schemas::{key, mood};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::sql::Node;
use crate::value::Value;

/// Makes the changes and takes them back twice, looking at schema and rows after each.
///
/// A change that the database says it cannot do is left out, and the tables go again.
async fn there_and_back(
    session: &mut Session,
    (before, after): (&Schema, &Schema),
    there: &[Change],
    back: &[Change],
    rows: usize,
) -> Outcome {
    for (changes, from, to) in
        [(there, before, after), (back, after, before), (there, before, after), (back, after, before)]
    {
        match session.apply(changes, from, to).await? {
            Applied::Done => {}
            Applied::Unsupported => {
                check!(session.schema().await? == *from, "a change that was refused did something");
                return Ok(());
            }
            Applied::Refused(why) => return Err(Failure::new(format_args!("{changes:?}\n{why}"))),
        }
        let found = session.schema().await?;
        check!(found == *to, "{changes:?}\nwanted {to:#?}\nread {found:#?}");
    }
    let name = if before.table("t").is_some() { "t" } else { "parent" };
    let left = session.numbers(select(name, "id", None)).await?.len();
    check!(left == rows, "{left} of {rows} rows are left");
    Ok(())
}

/// `t(id, c, n)` with three rows and an index.
fn t() -> Table {
    let mut t = table("t", [Column::new("c", SHORT), nullable("n", ColumnType::I32)]);
    t.indexes.push(index("t_c_idx", &["c"], false));
    t
}

async fn filled(bed: &Bed, schema: &Schema) -> Result<Session, Failure> {
    let mut session = bed.connect().await?;
    session.make(schema).await?;
    let row = |id: i64, c: &str, n| vec![int(id), text(c), n];
    let rows = [row(1, "7", int(1)), row(2, "8", int(-2)), row(3, "9", Node::Value(Value::Null))];
    session.exec(insert("t", &["id", "c", "n"], rows)).await?;
    Ok(session)
}

fn edit(schema: &Schema, edit: impl FnOnce(&mut Table)) -> Schema {
    let mut schema = schema.clone();
    if let Some(t) = schema.tables.iter_mut().find(|table| table.name == "t") {
        edit(t);
    }
    schema.sort();
    schema
}

fn alter(before: &Column, after: &Column) -> Change {
    Change::AlterColumn { table: "t".into(), before: before.clone(), after: after.clone(), backfill: None }
}

/// A table under another name, with what belongs to it and what points at it.
pub async fn tables_are_renamed(bed: &Bed) -> Outcome {
    let before = schema([t()]);
    let mut session = filled(bed, &before).await?;
    let after = edit(&before, |t| t.name = "renamed".into());
    let rename = |from: &str, to: &str| [Change::RenameTable { from: from.into(), to: to.into() }];
    there_and_back(&mut session, (&before, &after), &rename("t", "renamed"), &rename("renamed", "t"), 3).await
}

/// Columns that may be NULL, have a default, get a value for the rows that exist, and go.
pub async fn columns_come_and_go(bed: &Bed) -> Outcome {
    let before = schema([t()]);
    let mut session = filled(bed, &before).await?;
    let with = |ty, default| Column { default: Some(default), ..Column::new("z", ty) };
    let word = |text: &'static str| ColumnDefault::Text(text.into());
    for (column, backfill) in [
        (nullable("z", ColumnType::I64), None),
        (nullable("z", ColumnType::Text { max_len: None }), None),
        (with(ColumnType::I64, ColumnDefault::Int(5)), None),
        (with(SHORT, word("it's \\")), None),
        (with(ColumnType::Bool, ColumnDefault::Bool(false)), None),
        (Column::new("z", ColumnType::I64), Some(ColumnDefault::Int(42))),
        (Column::new("z", SHORT), Some(word("it's \\ \"x\""))),
        (with(ColumnType::I64, ColumnDefault::Int(5)), Some(ColumnDefault::Int(6))),
        (with(ColumnType::Timestamp, ColumnDefault::Now), None),
    ] {
        let after = edit(&before, |t| t.columns.push(column.clone()));
        let there = [Change::AddColumn { table: "t".into(), column: column.clone(), backfill: backfill.clone() }];
        let back = [Change::DropColumn { table: "t".into(), column: column.clone() }];
        there_and_back(&mut session, (&before, &after), &there, &back, 3).await?;
        // What the rows that exist have got.
        let Applied::Done = session.apply(&there, &before, &after).await? else { continue };
        let given = backfill.as_ref().or(column.default.as_ref());
        let rows = session.rows(select("t", "z", None), std::slice::from_ref(&column.ty)).await?;
        for value in rows.iter().flatten() {
            let right = match (given, value) {
                (None, Value::Null) | (Some(ColumnDefault::Now), Value::Timestamp(_)) => true,
                (Some(ColumnDefault::Int(n)), Value::Int(v)) => n == v,
                (Some(ColumnDefault::Text(n)), Value::Text(v)) => n == v,
                (Some(ColumnDefault::Bool(n)), Value::Bool(v)) => n == v,
                _ => false,
            };
            check!(right, "a row that existed got {} for {given:?}", crate::conformance::compare::show(value));
        }
        check!(rows.len() == 3, "{} rows", rows.len());
        let Applied::Done = session.apply(&back, &after, &before).await? else { return Ok(()) };
    }
    Ok(())
}

/// Columns under another name, in keys and indexes too.
pub async fn columns_are_renamed(bed: &Bed) -> Outcome {
    let before = schema([t()]);
    let mut session = filled(bed, &before).await?;
    for (from, to) in [("n", "number"), ("c", "se\"lect"), ("id", "key")] {
        let after = edit(&before, |t| t.rename_column(from, to));
        let rename =
            |from: &str, to: &str| [Change::RenameColumn { table: "t".into(), from: from.into(), to: to.into() }];
        there_and_back(&mut session, (&before, &after), &rename(from, to), &rename(to, from), 3).await?;
    }
    Ok(())
}

/// Another type that holds every value, other nullability, another default, another collation.
pub async fn columns_change(bed: &Bed) -> Outcome {
    let before = schema([t()]);
    let mut session = filled(bed, &before).await?;
    let (c, n) = (Column::new("c", SHORT), nullable("n", ColumnType::I32));
    for (from, to) in [
        (&n, nullable("n", ColumnType::I64)),
        (&n, nullable("n", ColumnType::I8)),
        (&n, nullable("n", ColumnType::F64)),
        (&n, nullable("n", ColumnType::Decimal { precision: 12, scale: 2 })),
        (&n, nullable("n", SHORT)),
        (&n, Column { default: Some(ColumnDefault::Int(5)), ..n.clone() }),
        (&c, nullable("c", SHORT)),
        (&c, Column::new("c", ColumnType::Text { max_len: Some(3) })),
        (&c, Column::new("c", ColumnType::I64)),
        (&c, Column { case_insensitive: true, ..c.clone() }),
        (&c, Column { default: Some(ColumnDefault::Text("x".into())), ..c.clone() }),
    ] {
        let after = edit(&before, |t| {
            for column in t.columns.iter_mut().filter(|column| column.name == to.name) {
                *column = to.clone();
            }
        });
        there_and_back(&mut session, (&before, &after), &[alter(from, &to)], &[alter(&to, from)], 3).await?;
        check!(session.texts(select("t", "c", None)).await? == ["7", "8", "9"], "texts changed by way of {}", to.ty);
        let numbers = session.numbers(select("t", "n", None)).await?;
        check!(numbers == [None, Some(-2), Some(1)], "{numbers:?} by way of {}", to.ty);
    }
    Ok(())
}

/// Indexes, unique ones and of several columns.
pub async fn indexes_come_and_go(bed: &Bed) -> Outcome {
    let before = schema([t()]);
    let mut session = filled(bed, &before).await?;
    for new in [
        index("t_n_idx", &["n"], false),
        index("t_n_key", &["n"], true),
        index("t_c_n_key", &["c", "n"], true),
        index("t_n_c_id_idx", &["n", "c", "id"], false),
    ] {
        let after = edit(&before, |t| t.indexes.push(new.clone()));
        let there = [Change::AddIndex { table: "t".into(), index: new.clone() }];
        let back = [Change::DropIndex { table: "t".into(), index: new.clone() }];
        there_and_back(&mut session, (&before, &after), &there, &back, 3).await?;
    }
    Ok(())
}

/// Foreign keys between tables that exist, with rows that fit.
pub async fn foreign_keys_come_and_go(bed: &Bed) -> Outcome {
    let before = schema([t(), table("child", [nullable("p", ColumnType::I64)])]);
    let mut session = filled(bed, &before).await?;
    session.exec(insert("child", &["id", "p"], [vec![int(1), int(2)]])).await?;
    for action in [Action::NoAction, Action::Cascade, Action::SetNull] {
        let new = key("child_p_fkey", "p", "t", action);
        let mut after = before.clone();
        for child in after.tables.iter_mut().filter(|table| table.name == "child") {
            child.foreign_keys.push(new.clone());
        }
        let there = [Change::AddForeignKey { table: "child".into(), foreign_key: new.clone() }];
        let back = [Change::DropForeignKey { table: "child".into(), foreign_key: new }];
        there_and_back(&mut session, (&before, &after), &there, &back, 3).await?;
        check!(session.count("child").await? == 1, "the row that points is gone");
    }
    Ok(())
}

/// Labels that come, go and change their order; a label that a row has is not lost.
pub async fn enums_change(bed: &Bed) -> Outcome {
    let of = |labels: &[&'static str]| schema([table("t", [Column::new("c", ColumnType::Enum(mood(labels)))])]);
    let before = of(&["a", "b"]);
    let mut session = bed.connect().await?;
    let Applied::Done = session.try_make(&before).await? else { return Ok(()) };
    let label = |label: &'static str| Node::Value(Value::Label(label.into()));
    session.exec(insert("t", &["id", "c"], [vec![int(1), label("a")], vec![int(2), label("b")]])).await?;
    let change = |from: &[&'static str], to: &[&'static str]| {
        [Change::AlterEnum { before: mood(from), after: mood(to), map: Vec::new() }]
    };
    for labels in [&["a", "b", "it's"][..], &["z", "a", "b"], &["b", "a"]] {
        let after = of(labels);
        let (there, back) = (change(&["a", "b"], labels), change(labels, &["a", "b"]));
        there_and_back(&mut session, (&before, &after), &there, &back, 2).await?;
        let ty = ColumnType::Enum(mood(&["a", "b"]));
        let found = session.rows(select("t", "id", None), &[ColumnType::I64]).await?.len();
        let kept = session.rows(crate::sql::Select::new("t", vec![Node::column("c")]), &[ty]).await?;
        check!(found == 2 && kept.iter().flatten().all(|value| matches!(value, Value::Label(_))), "labels are lost");
    }
    // A label that a row has cannot go.
    let after = of(&["a"]);
    match session.apply(&change(&["a", "b"], &["a"]), &before, &after).await? {
        Applied::Unsupported => Ok(()),
        Applied::Done => Err(Failure::new("a label went that a row had")),
        Applied::Refused(_) => {
            check!(session.schema().await? == before, "a change that was refused did something");
            check!(session.count("t").await? == 2, "rows are gone");
            Ok(())
        }
    }
}
