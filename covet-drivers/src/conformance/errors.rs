//! Errors say what they are, where, and nobody's data.

use crate::catalog::{Action, Change, Column, ColumnType, ForeignKey};
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{SHORT, base, delete, index, insert, int, null, row, schema, select, table, text};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::ConnectionState;
use crate::error::{Error, ErrorKind};
use crate::sql::{Node, Statement};
use crate::value::Value;

/// The error of a statement that must fail with this kind, after which the session is as it was.
async fn fails(
    session: &mut Session,
    statement: impl Into<Statement> + Send,
    kind: ErrorKind,
) -> Result<Error, Failure> {
    match session.exec(statement).await {
        Ok(_) => Err(Failure::new(format_args!("it succeeded and was to be {kind:?}"))),
        Err(error) => {
            check!(error.kind() == kind, "{error:?} was to be {kind:?}");
            check!(session.state() == ConnectionState::Idle, "{:?} after {error:?}", session.state());
            Ok(error)
        }
    }
}

/// What the database tells about the place must be the place.
fn names(error: &Error, constraint: &str, table: &str, column: &str) -> Outcome {
    for (told, want) in [(error.table(), table), (error.column(), column)] {
        check!(told.is_none_or(|told| told == want), "{error:?} is about {table}.{column}");
    }
    if !constraint.is_empty() {
        check!(error.constraint().is_none_or(|told| told == constraint), "{error:?} is about {constraint}");
        check!(error.constraint().is_some() || error.table().is_some(), "{error:?} names no place");
    }
    Ok(())
}

/// Unique, foreign key and not null, each with the names that the database tells.
pub async fn of_constraints(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let mut parent = table("parent", [Column::new("c", SHORT)]);
    parent.indexes.push(index("parent_c_key", &["c"], true));
    let mut child = table("child", [Column::new("p", ColumnType::I64)]);
    child.foreign_keys.push(ForeignKey {
        name: "child_p_fkey".into(),
        columns: vec!["p".into()],
        target: "parent".into(),
        target_columns: vec!["id".into()],
        on_delete: Action::NoAction,
        on_update: Action::NoAction,
        ..ForeignKey::default()
    });
    let schema = schema([parent, child]);
    let foreign = match session.try_make(&schema).await? {
        Applied::Done => true,
        Applied::Refused(why) => return Err(Failure::new(why)),
        Applied::Unsupported => false,
    };
    if !foreign {
        return Ok(());
    }
    session.exec(insert("parent", &["id", "c"], [vec![int(1), text("a")]])).await?;
    session.exec(insert("child", &["id", "p"], [vec![int(1), int(1)]])).await?;
    let parent = |id: i64, c: Node| insert("parent", &["id", "c"], [vec![int(id), c]]);
    let error = fails(&mut session, parent(2, text("a")), ErrorKind::Unique).await?;
    names(&error, "parent_c_key", "parent", "c")?;
    check!(!error.is_retryable() && !error.is_connection_lost() && !error.is_transaction_lost(), "{error:?}");
    let error = fails(&mut session, parent(1, text("b")), ErrorKind::Unique).await?;
    names(&error, "", "parent", "id")?;
    let error = fails(&mut session, parent(2, null()), ErrorKind::NotNull).await?;
    names(&error, "", "parent", "c")?;
    check!(error.column() == Some("c"), "{error:?} names no column");
    let error = fails(&mut session, insert("parent", &["id"], [vec![int(2)]]), ErrorKind::NotNull).await?;
    names(&error, "", "parent", "c")?;
    fails(&mut session, insert("child", &["id", "p"], [vec![int(2), int(9)]]), ErrorKind::ForeignKey).await?;
    fails(&mut session, delete("parent", None), ErrorKind::ForeignKey).await?;
    check!(
        session.count("parent").await? == 1 && session.count("child").await? == 1,
        "a refused statement did something"
    );
    Ok(())
}

/// Unknown tables and columns, what exists already, and what is no statement.
pub async fn of_names_and_syntax(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let error = fails(&mut session, select("nowhere", "id", None), ErrorKind::UndefinedTable).await?;
    check!(error.to_string().contains("nowhere"), "{error:?}");
    let error = fails(&mut session, select("t", "nothing", None), ErrorKind::UndefinedColumn).await?;
    check!(error.to_string().contains("nothing"), "{error:?}");
    fails(&mut session, insert("t", &["id", "nothing"], [vec![int(1), int(1)]]), ErrorKind::UndefinedColumn).await?;
    let ddl = bed.backend.ddl();
    let before = base();
    let t = before.table("t").cloned().ok_or_else(|| Failure::new("t is in the schema"))?;
    let mut again = None;
    for step in ddl.plan(&[Change::CreateTable { table: t }], &schema([]), &before)? {
        again = session.script(&step.sql).await.err().map(|error| error.kind());
        if again.is_some() {
            break;
        }
    }
    check!(again == Some(ErrorKind::AlreadyExists), "a table a second time gave {again:?}");
    session.reset().await?;
    for sql in ["SELEC id FROM one", "SELECT (", "no statement at all"] {
        let kind = session.raw(sql, &[]).await.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Syntax), "{sql:?} gave {kind:?}");
        check!(session.echo(5).await? == 5, "after {sql:?} another answer came");
    }
    Ok(())
}

/// Values without a place and places without a value.
pub async fn of_values_that_do_not_fit_the_statement(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let mut place = String::new();
    bed.backend.dialect().placeholder(1, &mut place);
    let one = session.text_of(select("one", "id", None))?;
    let wanting = session.text_of(row(1, Some(10)))?;
    for (sql, args) in [(&wanting, vec![]), (&wanting, vec![&Value::Int(1)]), (&one, vec![&Value::Int(1)])] {
        let kind = session.raw(sql, &args).await.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::InvalidInput), "{} values for {sql:?} gave {kind:?}", args.len());
        check!(session.state() == ConnectionState::Idle && session.echo(6).await? == 6, "out of step after {sql:?}");
    }
    let word = Value::Text("no number".into());
    match session.exec(insert("t", &["id", "n"], [vec![int(1), Node::Value(word)]])).await {
        Ok(_) => {
            let kept = session.numbers(select("t", "n", None)).await;
            check!(kept.is_err(), "text in a column of numbers came back as a number");
        }
        Err(error) => check!(error.kind() == ErrorKind::InvalidInput, "{error:?}"),
    }
    // What a row holds is not what was asked for.
    let kind = session.texts(select("one", "id", None)).await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::Decode), "a number as text gave {kind:?}");
    check!(session.echo(7).await? == 7, "out of step after a value that could not be read");
    Ok(())
}

/// No bound value is in a message, a `Debug` or a cause.
pub async fn never_show_a_value(bed: &Bed) -> Outcome {
    const SECRET: &str = "hunter2";
    let mut session = bed.connect().await?;
    let short = ColumnType::Text { max_len: Some(20) };
    let mut t = table("t", [Column::new("c", short), Column::new("n", ColumnType::I8)]);
    t.indexes.push(index("t_c_key", &["c"], true));
    session.make(&schema([t])).await?;
    let secret = || text(SECRET);
    let row = |id: i64, c: Node, n: Node| insert("t", &["id", "c", "n"], [vec![int(id), c, n]]);
    session.exec(row(1, secret(), int(1))).await?;
    let mut seen = 0;
    for statement in [
        row(2, secret(), int(1)),
        row(3, text(&format!("{SECRET}{}", "x".repeat(30))), int(1)),
        row(4, secret(), secret()),
        row(5, text(&format!("{SECRET} 5")), null()),
        row(6, text(&format!("{SECRET} 6")), int(300)),
        row(7, text(&format!("{SECRET}\0")), int(7)),
    ] {
        let Err(error) = session.exec(statement).await else { continue };
        seen += 1;
        let mut shown = format!("{error} {error:?} {:?}", session);
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            shown.push_str(&format!("{inner} {inner:?}"));
            cause = inner.source();
        }
        check!(!shown.contains(SECRET), "a value is shown: {shown}");
    }
    check!(seen >= 4, "{seen} of the statements failed");
    if seen < 6 {
        left_out("errors of values that this database holds");
    }
    Ok(())
}
