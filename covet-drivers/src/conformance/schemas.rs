//! Schemas are made and read back as they were asked for.

use crate::catalog::{Action, Column, ColumnDefault, ColumnType, EnumType, ForeignKey, Table};
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{
    SHORT, delete, index, insert, int, is, nullable, numbered, schema, select, table, update,
};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::error::ErrorKind;
use crate::sql::Node;
use crate::value::Value;

pub(crate) fn mood(labels: &[&'static str]) -> EnumType {
    let labels: Vec<_> = labels.iter().map(|label| (*label).into()).collect();
    EnumType { name: "mood".into(), labels: labels.into() }
}

pub(crate) fn key(name: &str, column: &str, target: &str, on_delete: Action) -> ForeignKey {
    ForeignKey {
        name: name.into(),
        columns: vec![column.into()],
        target: target.into(),
        target_columns: vec!["id".into()],
        on_delete,
        on_update: Action::NoAction,
        ..ForeignKey::default()
    }
}

/// Makes tables, reads them back, drops them; a table that the database cannot hold is left out.
async fn reads_back(session: &mut Session, tables: Vec<Table>) -> Outcome {
    let schema = schema(tables);
    match session.try_make(&schema).await? {
        Applied::Done => {}
        Applied::Unsupported => return Ok(()),
        Applied::Refused(why) => return Err(Failure::new(why)),
    }
    let found = session.schema().await?;
    check!(found == schema, "made as {schema:#?}\nread as {found:#?}");
    session.unmake(&schema).await?;
    let left = session.schema().await?;
    check!(left.tables.is_empty(), "what was dropped is there: {left:#?}");
    Ok(())
}

/// Every type with and without NULL, keys of several columns, indexes, foreign keys.
pub async fn is_read_as_it_was_made(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    for ty in [
        ColumnType::Bool,
        ColumnType::I8,
        ColumnType::I16,
        ColumnType::I32,
        ColumnType::I64,
        ColumnType::U8,
        ColumnType::U16,
        ColumnType::U32,
        ColumnType::U64,
        ColumnType::F32,
        ColumnType::F64,
        ColumnType::Text { max_len: None },
        ColumnType::Text { max_len: Some(1) },
        ColumnType::Text { max_len: Some(300) },
        ColumnType::Text { max_len: Some(10_000) },
        ColumnType::Bytes,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::DateTime,
        ColumnType::Timestamp,
        ColumnType::Uuid,
        ColumnType::Decimal { precision: 1, scale: 1 },
        ColumnType::Decimal { precision: 18, scale: 0 },
        ColumnType::Decimal { precision: 38, scale: 10 },
        ColumnType::Json,
        ColumnType::Enum(mood(&["fine", "it's", "back\\slash", "com,ma"])),
    ] {
        reads_back(&mut session, vec![table("t", [Column::new("a", ty.clone()), nullable("b", ty)])]).await?;
    }
    reads_back(&mut session, vec![numbered("t", [Column { case_insensitive: true, ..Column::new("c", SHORT) }])])
        .await?;
    let mut parent = numbered("parent", [Column::new("c", SHORT), nullable("n", ColumnType::I32)]);
    parent.indexes = vec![
        index("parent_c_key", &["c"], true),
        index("parent_c_n_idx", &["c", "n"], false),
        index("parent_n_c_key", &["n", "c"], true),
    ];
    let mut pair = table("pair", [Column::new("b", SHORT)]);
    pair.primary_key = vec!["b".into(), "id".into()];
    reads_back(&mut session, vec![parent.clone(), pair]).await?;
    for action in [Action::NoAction, Action::Restrict, Action::Cascade, Action::SetNull] {
        let mut child = table("child", [nullable("p", ColumnType::I64), nullable("q", ColumnType::I64)]);
        child.foreign_keys =
            vec![key("child_p_fkey", "p", "parent", action), key("child_q_fkey", "q", "child", action)];
        child.indexes = vec![index("child_p_q_idx", &["p", "q"], false)];
        reads_back(&mut session, vec![parent.clone(), child]).await?;
    }
    Ok(())
}

/// Defaults of every kind, read back in the words in which they were given.
pub async fn every_default(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let text = |text: &'static str| ColumnDefault::Text(text.into());
    let number = |number: &'static str| ColumnDefault::Number(number.into());
    for (ty, default) in [
        (ColumnType::Bool, ColumnDefault::Bool(true)),
        (ColumnType::Bool, ColumnDefault::Bool(false)),
        (ColumnType::I16, ColumnDefault::Int(-5)),
        (ColumnType::I64, ColumnDefault::Int(i64::MAX)),
        (ColumnType::U32, ColumnDefault::Int(4_294_967_295)),
        (ColumnType::F64, number("-1.5")),
        (ColumnType::Decimal { precision: 10, scale: 2 }, number("1.50")),
        (SHORT, text("it's a \\ \"`%\n日")),
        (SHORT, text("")),
        (SHORT, text("NULL")),
        (SHORT, text("CURRENT_TIMESTAMP")),
        (ColumnType::Enum(mood(&["a", "it's"])), text("it's")),
        (ColumnType::Timestamp, ColumnDefault::Now),
        (ColumnType::DateTime, ColumnDefault::Now),
        (ColumnType::Date, ColumnDefault::Now),
        (ColumnType::Time, ColumnDefault::Now),
    ] {
        let column = Column { default: Some(default), ..Column::new("c", ty) };
        reads_back(&mut session, vec![table("t", [column.clone()])]).await?;
        let nullable = Column { nullable: true, ..column };
        reads_back(&mut session, vec![table("t", [nullable])]).await?;
    }
    // A default that is no value of its type is refused when it is planned or when it is run.
    let wrong = Column { default: Some(text("no number")), ..Column::new("c", ColumnType::I64) };
    let schema = schema([table("t", [wrong])]);
    let planned = bed.backend.ddl().check(&schema).and_then(|()| {
        bed.backend.ddl().plan(&crate::conformance::fixture::creation(&schema), &Default::default(), &schema)
    });
    if let Ok(steps) = planned {
        let mut refused = false;
        for step in steps {
            refused |= session.script(&step.sql).await.is_err();
        }
        check!(refused, "text was taken for the default of a number");
    }
    Ok(())
}

/// A name as long as the capabilities say is kept whole, and a longer one is refused.
pub async fn longest_name(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let most = session.capabilities().max_identifier;
    let name = "n".repeat(most.min(200));
    reads_back(&mut session, vec![table(&name, [Column::new(&name, ColumnType::I64)])]).await?;
    if most > 200 {
        left_out("a name that is too long");
        return Ok(());
    }
    let longer = schema([table(&"n".repeat(most + 1), [])]);
    match session.try_make(&longer).await? {
        Applied::Unsupported | Applied::Refused(_) => Ok(()),
        Applied::Done => Err(Failure::new(format_args!("a name of {} bytes was taken", most + 1))),
    }
}

/// What happens to a row when the row that it points at goes.
pub async fn foreign_keys_act(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    for action in [Action::NoAction, Action::Restrict, Action::Cascade, Action::SetNull] {
        let mut child = table("child", [nullable("p", ColumnType::I64)]);
        child.foreign_keys.push(key("child_p_fkey", "p", "parent", action));
        let schema = schema([table("parent", []), child]);
        let Applied::Done = session.try_make(&schema).await? else { continue };
        session.exec(insert("parent", &["id"], [vec![int(1)], vec![int(2)]])).await?;
        session
            .exec(insert("child", &["id", "p"], [vec![int(1), int(1)], vec![int(2), Node::Value(Value::Null)]]))
            .await?;
        let deleted = session.exec(delete("parent", Some(is("id", int(1))))).await;
        let left = session.numbers(select("child", "p", None)).await?;
        match action {
            Action::Cascade => check!(deleted?.affected == 1 && left == [None], "{action:?}: {left:?}"),
            Action::SetNull => check!(deleted?.affected == 1 && left == [None, None], "{action:?}: {left:?}"),
            _ => {
                let kind = deleted.err().map(|error| error.kind());
                check!(kind == Some(ErrorKind::ForeignKey) && left == [None, Some(1)], "{action:?}: {kind:?} {left:?}");
                session.exec(update("child", "p", int(2), Some(is("id", int(1))))).await?;
                check!(
                    session.exec(delete("parent", Some(is("id", int(1))))).await?.affected == 1,
                    "nobody points at it"
                );
            }
        }
        session.unmake(&schema).await?;
    }
    Ok(())
}

/// An enum goes with the last column that uses it, and can come again with other labels.
pub async fn enums_come_and_go(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    for labels in [&["a", "b"][..], &["b", "c", "a"]] {
        let column = |name| Column::new(name, ColumnType::Enum(mood(labels)));
        reads_back(&mut session, vec![table("t", [column("a"), column("b")]), table("u", [column("c")])]).await?;
    }
    Ok(())
}
