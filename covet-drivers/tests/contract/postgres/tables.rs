//! Schemas: made, read back, changed forth and back, and rows that must not be harmed.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{
    Action, Change, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Schema,
    Table, Term,
};
use covet_drivers::contract::{Connection, Ddl};
use covet_drivers::postgres::PostgresDdl;

use crate::postgres::types::{TEXT, apply, creation, empty, introspect, mood, rich, try_apply};
use crate::postgres::{Place, kind, number, run, text};

#[tokio::test]
async fn a_rich_schema_is_read_as_it_was_asked_for() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let schema = rich();
    PostgresDdl.check(&schema).unwrap();
    apply(connection.as_mut(), &creation(&schema), &Schema::default(), &schema).await;
    assert_eq!(introspect(connection.as_mut()).await, schema);
    run(connection.as_mut(), "CREATE TABLE _covet_migrations (id int)", &[]).await.unwrap();
    assert_eq!(introspect(connection.as_mut()).await, schema);
    let sql = "INSERT INTO users (email, e, f, h, o, p) VALUES ('A@x', 1, 2, 3, '', gen_random_uuid())";
    run(connection.as_mut(), sql, &[]).await.unwrap();
    let sql = "INSERT INTO users (email, e, f, h, o, p) VALUES ('a@X', 1, 2, 3, '', gen_random_uuid())";
    let error = run(connection.as_mut(), sql, &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::Unique, Some("users_email_key")));
    assert_eq!(text(connection.as_mut(), "SELECT m FROM users").await, "a\\b'c\n%日");
}

#[tokio::test]
async fn a_schema_may_have_any_name() {
    let Some(place) = Place::new().await else { return };
    place.connect().await.script("CREATE SCHEMA \"A; \"\"b\"").await.unwrap();
    let mut connection = place.with("schema=A%3B%20%22b").connect().await.unwrap();
    let schema = rich();
    apply(connection.as_mut(), &creation(&schema), &Schema::default(), &schema).await;
    assert_eq!(introspect(connection.as_mut()).await, schema);
    assert_eq!(introspect(place.connect().await.as_mut()).await, Schema::default());
}

#[tokio::test]
async fn what_others_made_is_read_or_named() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    connection
        .script(
            "CREATE TABLE t (id serial PRIMARY KEY, a numeric, b int[], c int DEFAULT 1 + 1, d text DEFAULT upper('x'),
               e int GENERATED ALWAYS AS (c * 2) STORED, u text UNIQUE, CHECK (c > 0));
             CREATE INDEX partial ON t (c) WHERE c > 1; CREATE INDEX expression ON t (lower(d));
             CREATE INDEX covering ON t (c) INCLUDE (d); CREATE VIEW v AS SELECT * FROM t",
        )
        .await
        .unwrap();
    let schema = introspect(connection.as_mut()).await;
    assert_eq!(schema.tables.len(), 1);
    let t = &schema.tables[0];
    let types: Vec<String> = t.columns.iter().map(|column| column.ty.to_string()).collect();
    assert_eq!(types, ["i32", "numeric", "integer[]", "i32", "text", "i32", "text"]);
    assert!(t.columns[0].auto && t.columns[0].default.is_none());
    let default = |name: &str| t.column(name).unwrap().default.clone();
    let expression = |text: &'static str| Some(ColumnDefault::Expression(Expression::new(text)));
    assert_eq!((default("c"), default("d")), (expression("(1 + 1)"), expression("upper('x'::text)")));
    let generated = Generated { expression: Expression::new("(c * 2)"), stored: true };
    assert_eq!(t.column("e").unwrap().generated, Some(generated));
    assert_eq!(t.checks[0].expression, Expression::new("((c > 0))"));
    let covering = Index { include: vec!["d".into()], ..Index::new("covering", ["c"], false) };
    let partial = Index { condition: Some(Expression::new("c > 1")), ..Index::new("partial", ["c"], false) };
    let lower = Term::expression(Expression::new("lower(d)"));
    let over = Index { terms: vec![lower], ..Index::new("expression", [""; 0], false) };
    assert_eq!(t.indexes, [covering, over, partial, Index::new("t_u_key", ["u"], true)]);
}

/// The table `t` with a number, so that rows can be told apart, and this column.
fn table(column: Column) -> Table {
    Table { primary_key: vec!["id".into()], columns: vec![Column::new("id", ColumnType::I32), column], ..empty("t") }
}

fn schema(tables: impl IntoIterator<Item = Table>) -> Schema {
    let mut schema = Schema::of(tables.into_iter().collect());
    schema.sort();
    schema
}

async fn start(connection: &mut dyn Connection, schema: &Schema, values: &[&str]) {
    apply(connection, &creation(schema), &Schema::default(), schema).await;
    for (id, value) in values.iter().enumerate() {
        let sql = format!("INSERT INTO t (id, c) VALUES ({id}, {value})");
        connection.script(&sql).await.unwrap();
    }
}

/// Column before and after, literals of rows before, and their texts after it and after the way back.
async fn there_and_back(before: Column, after: Column, values: &[&str], then: &[&str], back: &[&str]) {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let title = format!("{} to {}", before.ty, after.ty);
    let (old, new) = (schema([table(before.clone())]), schema([table(after.clone())]));
    start(connection.as_mut(), &old, values).await;
    // The enums of a column come before it and go behind it.
    let without = |of: &Schema, other: &Schema| {
        let gone = |ty: &&EnumType| other.enums().iter().all(|known| known.name != ty.name);
        of.enums().into_iter().filter(gone).cloned().collect::<Vec<EnumType>>()
    };
    let around = |from: &Schema, to: &Schema, change: Change| {
        let come = without(to, from).into_iter().map(|ty| Change::CreateEnum { ty });
        let go = without(from, to).into_iter().map(|ty| Change::DropEnum { ty });
        come.chain([change]).chain(go).collect::<Vec<_>>()
    };
    let change = |before: &Column, after: &Column| Change::AlterColumn {
        table: "t".into(),
        before: before.clone(),
        after: after.clone(),
        backfill: None,
    };
    let changes = around(&old, &new, change(&before, &after));
    try_apply(connection.as_mut(), &changes, &old, &new).await.unwrap_or_else(|error| panic!("{title}: {error}"));
    assert_eq!(introspect(connection.as_mut()).await, new, "{title}");
    let shown = "SELECT coalesce(string_agg(coalesce(c::text, 'NULL'), '|' ORDER BY id), '') FROM t";
    assert_eq!(text(connection.as_mut(), shown).await, then.join("|"), "{title}");
    let changes = around(&new, &old, change(&after, &before));
    try_apply(connection.as_mut(), &changes, &new, &old).await.unwrap_or_else(|error| panic!("{title} back: {error}"));
    assert_eq!(introspect(connection.as_mut()).await, old, "{title} back");
    assert_eq!(text(connection.as_mut(), shown).await, back.join("|"), "{title} back");
}

fn null(ty: ColumnType) -> Column {
    Column { nullable: true, ..Column::new("c", ty) }
}

#[tokio::test]
async fn types_change_and_values_stay() {
    let decimal = |precision, scale| null(ColumnType::Decimal { precision, scale });
    let varchar = |most| null(ColumnType::Text { max_len: Some(most) });
    let same = [
        (null(ColumnType::I32), null(ColumnType::I64), vec!["2147483647", "-1", "NULL"]),
        (null(ColumnType::I8), null(ColumnType::U8), vec!["0", "127"]),
        (null(ColumnType::I8), null(ColumnType::I16), vec!["-128"]),
        (null(ColumnType::I64), null(ColumnType::U64), vec!["0"]),
        (null(ColumnType::I32), decimal(10, 0), vec!["-7"]),
        (null(ColumnType::I32), null(ColumnType::F64), vec!["-7"]),
        (null(ColumnType::I32), null(TEXT), vec!["-7", "NULL"]),
        (varchar(5), null(TEXT), vec!["abcde"]),
        (varchar(5), varchar(20), vec!["abcde"]),
        (null(TEXT), Column { case_insensitive: true, ..null(TEXT) }, vec!["Ab"]),
        (Column { case_insensitive: true, ..null(TEXT) }, null(ColumnType::I32), vec!["12"]),
        (null(ColumnType::Uuid), null(TEXT), vec!["00000000-0000-0000-0000-000000000001"]),
        (null(ColumnType::Json), null(TEXT), vec!["{\"a\": 1}"]),
        (null(ColumnType::Date), null(TEXT), vec!["2024-02-29"]),
        (null(ColumnType::F32), null(ColumnType::F64), vec!["0.5"]),
        (null(ColumnType::Bool), null(TEXT), vec!["true", "NULL"]),
        (null(ColumnType::Enum(mood(&["a", "b"]))), null(TEXT), vec!["b"]),
    ];
    for (before, after, values) in same {
        let literals: Vec<String> =
            values.iter().map(|v| if *v == "NULL" { "NULL".to_owned() } else { format!("'{v}'") }).collect();
        let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
        there_and_back(before, after, &literals, &values, &values).await;
    }
    there_and_back(decimal(10, 2), decimal(12, 4), &["1.25"], &["1.2500"], &["1.25"]).await;
    there_and_back(null(ColumnType::Bool), null(ColumnType::I16), &["true", "false"], &["1", "0"], &["true", "false"])
        .await;
    let moment = null(ColumnType::DateTime);
    let utc = ["2024-01-01 00:00:00+00"];
    let plain = ["2024-01-01 00:00:00"];
    there_and_back(moment, null(ColumnType::Timestamp), &["'2024-01-01'"], &utc, &plain).await;
    there_and_back(null(ColumnType::Date), null(ColumnType::DateTime), &["'2024-01-01'"], &plain, &["2024-01-01"])
        .await;
    let bytes = ["\\x00000000000000000000000000000001"];
    let uuid = ["00000000-0000-0000-0000-000000000001"];
    there_and_back(
        null(ColumnType::Uuid),
        null(ColumnType::Bytes),
        &["'00000000-0000-0000-0000-000000000001'"],
        &bytes,
        &uuid,
    )
    .await;
    // With a default that goes with it.
    let default = |ty, value| Column { default: Some(value), ..null(ty) };
    let five = default(TEXT, ColumnDefault::Text("5".into()));
    there_and_back(five, default(ColumnType::I32, ColumnDefault::Int(5)), &["'12'"], &["12"], &["12"]).await;
    let label = default(ColumnType::Enum(mood(&["a", "5"])), ColumnDefault::Text("5".into()));
    let word = default(TEXT, ColumnDefault::Text("5".into()));
    there_and_back(label, word, &["'a'"], &["a"], &["a"]).await;
}

/// A change that would harm a row stops, and nothing has changed.
async fn refused(before: Column, after: Column, value: &str) {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let (old, new) = (schema([table(before.clone())]), schema([table(after.clone())]));
    start(connection.as_mut(), &old, &[value]).await;
    let shown = text(connection.as_mut(), "SELECT coalesce(c::text, 'NULL') FROM t").await;
    let title = format!("{value}: {} to {}", before.ty, after.ty);
    let change = Change::AlterColumn { table: "t".into(), before, after, backfill: None };
    let error = try_apply(connection.as_mut(), &[change], &old, &new).await.unwrap_err();
    assert!(error.starts_with("1 rows of t have"), "{title}: {error}");
    assert_eq!(introspect(connection.as_mut()).await, old, "{title}");
    assert_eq!(text(connection.as_mut(), "SELECT coalesce(c::text, 'NULL') FROM t").await, shown, "{title}");
}

#[tokio::test]
async fn nothing_is_cut_rounded_or_zeroed() {
    let c = |ty| null(ty);
    let varchar = |most| ColumnType::Text { max_len: Some(most) };
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    for (before, after, value) in [
        (ColumnType::I64, ColumnType::I32, "3000000000"),
        (ColumnType::I16, ColumnType::I8, "128"),
        (ColumnType::I32, ColumnType::U32, "-1"),
        (varchar(20), varchar(5), "'abcdef'"),
        (varchar(20), varchar(5), "'abcde   '"),
        (TEXT, ColumnType::I32, "'x'"),
        (TEXT, ColumnType::I8, "'128'"),
        (TEXT, ColumnType::Bool, "'maybe'"),
        (TEXT, ColumnType::Date, "'2024-01-01 10:00:00'"),
        (TEXT, ColumnType::Timestamp, "'2024-01-01 10:00:00+02'"),
        (TEXT, ColumnType::DateTime, "'2024-01-01 10:00:00.1234567'"),
        (TEXT, decimal(4, 2), "'1.005'"),
        (decimal(10, 4), decimal(10, 2), "1.2355"),
        (decimal(10, 2), decimal(4, 2), "100"),
        (decimal(10, 2), ColumnType::I32, "1.5"),
        (decimal(30, 0), ColumnType::F64, "123456789012345678901"),
        (ColumnType::F64, ColumnType::I32, "2.7"),
        (ColumnType::F64, ColumnType::F32, "0.1"),
        (ColumnType::F64, ColumnType::F32, "1e300"),
        (ColumnType::F64, ColumnType::I64, "'NaN'"),
        (ColumnType::F64, decimal(10, 2), "0.125"),
        (ColumnType::I64, ColumnType::F64, "9007199254740993"),
        (ColumnType::I16, ColumnType::Bool, "2"),
        (ColumnType::DateTime, ColumnType::Date, "'2024-01-01 10:00:00'"),
        (ColumnType::Bytes, ColumnType::Uuid, "'\\x00'"),
        (ColumnType::I64, varchar(3), "1234"),
    ] {
        refused(c(before), c(after), value).await;
    }
    refused(c(TEXT), Column::new("c", TEXT), "NULL").await;
}

#[tokio::test]
async fn what_has_no_safe_way_is_refused_when_planned() {
    let (before, after) = (Column::new("c", ColumnType::Json), Column::new("c", ColumnType::I32));
    let (old, new) = (schema([table(before.clone())]), schema([table(after.clone())]));
    let change = Change::AlterColumn { table: "t".into(), before, after, backfill: None };
    let error = PostgresDdl.plan(&[change], &old, &new).unwrap_err();
    assert_eq!((error.kind(), error.table(), error.column()), (ErrorKind::Unsupported, Some("t"), Some("c")));
}

/// Changes there, changes back; in between and at the end the schema is what was asked for.
async fn around(old: Schema, new: Schema, there: Vec<Change>, back: Vec<Change>) {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    apply(connection.as_mut(), &creation(&old), &Schema::default(), &old).await;
    apply(connection.as_mut(), &there, &old, &new).await;
    assert_eq!(introspect(connection.as_mut()).await, new);
    apply(connection.as_mut(), &back, &new, &old).await;
    assert_eq!(introspect(connection.as_mut()).await, old);
    apply(connection.as_mut(), &there, &old, &new).await;
    assert_eq!(introspect(connection.as_mut()).await, new);
}

#[tokio::test]
async fn a_table_is_renamed_with_all_that_belongs_to_it() {
    let columns = vec![
        Column { auto: true, ..Column::new("id", ColumnType::I32) },
        Column::new("small", ColumnType::U8),
        Column { nullable: true, ..Column::new("note", TEXT) },
    ];
    let old = Table { primary_key: vec!["id".into()], columns, ..empty("old") };
    let new = Table { name: "new".into(), ..old.clone() };
    let mut renamed = new.clone();
    renamed.columns[0].name = "number".into();
    renamed.columns[1].name = "tiny".into();
    renamed.primary_key = vec!["number".into()];
    let rename = |from: &str, to: &str| Change::RenameTable { from: from.into(), to: to.into() };
    let column = |from: &str, to: &str| Change::RenameColumn { table: "new".into(), from: from.into(), to: to.into() };
    around(
        schema([old]),
        schema([renamed]),
        vec![rename("old", "new"), column("id", "number"), column("small", "tiny")],
        vec![column("tiny", "small"), column("number", "id"), rename("new", "old")],
    )
    .await;
}

#[tokio::test]
async fn columns_indexes_and_keys_come_and_go() {
    let parent =
        Table { primary_key: vec!["id".into()], columns: vec![Column::new("id", ColumnType::I64)], ..empty("parent") };
    let child = Table {
        primary_key: vec!["id".into()],
        columns: vec![Column { auto: true, ..Column::new("id", ColumnType::I64) }],
        ..empty("child")
    };
    let column = Column { nullable: true, ..Column::new("parent_id", ColumnType::I64) };
    let key = ForeignKey {
        name: "child_parent_id_fkey".into(),
        columns: vec!["parent_id".into()],
        target: "parent".into(),
        target_columns: vec!["id".into()],
        on_delete: Action::SetNull,
        on_update: Action::Cascade,
        ..ForeignKey::default()
    };
    let index = Index::new("child_parent_id_key", ["parent_id"], true);
    let mut after = child.clone();
    after.columns.push(column.clone());
    after.foreign_keys.push(key.clone());
    after.indexes.push(index.clone());
    let on = || "child".to_owned();
    around(
        schema([parent.clone(), child]),
        schema([parent, after]),
        vec![
            Change::AddColumn { table: on(), column: column.clone(), backfill: None },
            Change::AddIndex { table: on(), index: index.clone() },
            Change::AddForeignKey { table: on(), foreign_key: key.clone() },
        ],
        vec![
            Change::DropForeignKey { table: on(), foreign_key: key },
            Change::DropIndex { table: on(), index },
            Change::DropColumn { table: on(), column },
        ],
    )
    .await;
}

#[tokio::test]
async fn enums_gain_lose_and_move_labels() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let with = |labels: &[&'static str]| {
        let ty = ColumnType::Enum(mood(labels));
        schema([table(Column { default: Some(ColumnDefault::Text("b".into())), ..null(ty) })])
    };
    let change = |before: &[&'static str], after: &[&'static str]| Change::AlterEnum {
        before: mood(before),
        after: mood(after),
        map: vec![],
    };
    let steps: [&[&'static str]; 5] =
        [&["b", "d"], &["a", "b", "it's", "d", "e"], &["e", "d", "b"], &["b"], &["b", "d"]];
    start(connection.as_mut(), &with(steps[0]), &["'b'", "NULL"]).await;
    for pair in steps.windows(2) {
        let (old, new) = (with(pair[0]), with(pair[1]));
        apply(connection.as_mut(), &[change(pair[0], pair[1])], &old, &new).await;
        assert_eq!(introspect(connection.as_mut()).await, new);
    }
    connection.script("INSERT INTO t (id) VALUES (7)").await.unwrap();
    assert_eq!(number(connection.as_mut(), "SELECT count(*) FROM t WHERE c = 'b'").await, 2);
    // A label that a row has does not go.
    connection.script("INSERT INTO t (id, c) VALUES (8, 'd')").await.unwrap();
    let error = try_apply(connection.as_mut(), &[change(steps[4], &["b"])], &with(steps[4]), &with(&["b"])).await;
    assert!(error.unwrap_err().starts_with("1 rows of t with a label"));
    assert_eq!(introspect(connection.as_mut()).await, with(steps[4]));
}

#[tokio::test]
async fn backfills_and_numbering() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let old = schema([table(null(ColumnType::I32))]);
    start(connection.as_mut(), &old, &["5", "NULL"]).await;
    let filled = Column::new("c", ColumnType::I32);
    let new = schema([table(filled.clone())]);
    let change = Change::AlterColumn {
        table: "t".into(),
        before: null(ColumnType::I32),
        after: filled.clone(),
        backfill: Some(ColumnDefault::Int(30)),
    };
    apply(connection.as_mut(), &[change], &old, &new).await;
    assert_eq!(text(connection.as_mut(), "SELECT string_agg(c::text, '|' ORDER BY id) FROM t").await, "5|30");
    let auto = Column { auto: true, ..filled.clone() };
    let numbered = schema([table(auto.clone())]);
    let forth = Change::AlterColumn { table: "t".into(), before: filled.clone(), after: auto.clone(), backfill: None };
    apply(connection.as_mut(), &[forth], &new, &numbered).await;
    assert_eq!(introspect(connection.as_mut()).await, numbered);
    connection.script("INSERT INTO t (id) VALUES (9)").await.unwrap();
    assert_eq!(number(connection.as_mut(), "SELECT c FROM t WHERE id = 9").await, 31);
    let back = Change::AlterColumn { table: "t".into(), before: auto, after: filled, backfill: None };
    apply(connection.as_mut(), &[back], &numbered, &new).await;
    assert_eq!(introspect(connection.as_mut()).await, new);
    let mut more = new.clone();
    let column = Column { default: Some(ColumnDefault::Int(1)), ..Column::new("extra", ColumnType::U8) };
    more.tables[0].columns.push(column.clone());
    let add = Change::AddColumn { table: "t".into(), column, backfill: Some(ColumnDefault::Int(42)) };
    apply(connection.as_mut(), &[add], &new, &more).await;
    assert_eq!(introspect(connection.as_mut()).await, more);
    connection.script("INSERT INTO t (id, c) VALUES (10, 0)").await.unwrap();
    let sums = text(connection.as_mut(), "SELECT string_agg(extra::text, '|' ORDER BY id) FROM t").await;
    assert_eq!(sums, "42|42|42|1");
}

#[tokio::test]
async fn a_unique_index_over_equal_rows_is_guarded() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let old = schema([table(null(TEXT))]);
    start(connection.as_mut(), &old, &["'a'", "'a'", "NULL", "NULL"]).await;
    let index = Index::new("t_c_key", ["c"], true);
    let mut new = old.clone();
    new.tables[0].indexes.push(index.clone());
    let change = Change::AddIndex { table: "t".into(), index };
    let error = try_apply(connection.as_mut(), std::slice::from_ref(&change), &old, &new).await.unwrap_err();
    assert!(error.starts_with("1 values of t (c)"), "{error}");
    connection.script("DELETE FROM t WHERE id = 1").await.unwrap();
    apply(connection.as_mut(), &[change], &old, &new).await;
    assert_eq!(introspect(connection.as_mut()).await, new);
}

#[tokio::test]
async fn what_cannot_be_held_is_named() {
    let check = |change: fn(&mut Schema)| {
        let mut schema = rich();
        change(&mut schema);
        kind(PostgresDdl.check(&schema))
    };
    assert_eq!(check(|_| {}), None);
    let broken: &[fn(&mut Schema)] = &[
        |s| s.tables[1].name = "x".repeat(64),
        |s| s.tables[1].columns[1].name = String::new(),
        |s| s.tables[1].columns[2].ty = ColumnType::Text { max_len: Some(0) },
        |s| s.tables[1].columns[2].ty = ColumnType::Decimal { precision: 39, scale: 0 },
        |s| s.tables[1].columns[2].default = Some(ColumnDefault::Int(1)),
        |s| s.tables[1].columns[3].default = Some(ColumnDefault::Text("nobody".into())),
        |s| s.tables[1].indexes[0] = Index::new("i", ["nowhere"], true),
        |s| s.tables[0].foreign_keys[0].on_delete = Action::SetNull,
        |s| s.tables[0].foreign_keys[0].target_columns = vec!["a".into()],
        |s| s.tables[0].columns[2].ty = ColumnType::I32,
        |s| s.tables[0].name = "mo\"od".into(),
        |s| s.tables[1].indexes[1].name = "users_email_key".into(),
    ];
    for (number, change) in broken.iter().enumerate() {
        assert_eq!(check(*change), Some(ErrorKind::Unsupported), "case {number}");
    }
}
