//! Columns, types, enums and decisions.

use covet_drivers::catalog::{Change, Column, ColumnDefault, ColumnType};

use crate::schema::diff::tests::{
    I32, I64, TEXT, asked, column, made, nullable, offered, refused, role, schema, table, unique, walk,
};

#[test]
fn a_new_column_may_have_the_name_that_a_rename_freed() {
    let before = schema([table("t", [column("a", TEXT)])]);
    let to = schema([table("t", [nullable("a", TEXT), column("b", TEXT)])]);
    assert_eq!(walk(&before, &to, &["rename column t.a to b"]), ["rename column t.a to b", "add column t.a"]);
    // Without the decision, `a` stays `a`, and `b` is a new column.
    assert_eq!(asked(&before, &to, &[])[0].about, "t.b");
}

#[test]
fn a_lost_column_asks_and_is_never_dropped_by_guess() {
    let before = schema([unique(table("t", [column("name", TEXT), column("age", I32)]), "name")]);
    let to = schema([unique(
        table("t", [column("full_name", TEXT), column("age", I32), nullable("x", TEXT), nullable("n", I32)]),
        "full_name",
    )]);
    let questions = asked(&before, &to, &[]);
    assert_eq!(questions.iter().map(|q| q.about.as_str()).collect::<Vec<_>>(), ["t.name", "t.full_name"]);
    assert_eq!(
        questions[0].answers.iter().map(|answer| answer.decision.as_str()).collect::<Vec<_>>(),
        ["rename column t.name to t.full_name", "rename column t.name to t.x", "drop column t.name"]
    );
    assert!(questions[0].answers[0].similarity > questions[0].answers[1].similarity);
    assert_eq!(
        walk(&before, &to, &["rename column t.name to t.full_name"]),
        [
            "rename column t.name to full_name",
            "rename index t_name_key of t to t_full_name_key",
            "add column t.x",
            "add column t.n",
        ]
    );
    assert_eq!(
        walk(&before, &to, &["drop column t.name", "backfill t.full_name with ''"]),
        [
            "drop index t_name_key on t",
            "add column t.full_name",
            "add column t.x",
            "add column t.n",
            "add index t_full_name_key on t",
            "drop column t.name",
        ]
    );
}

#[test]
fn a_required_column_asks_for_a_value_of_its_type() {
    let before = schema([table("t", [])]);
    let with = |ty: ColumnType| schema([table("t", [column("c", ty)])]);
    assert_eq!(
        offered(&before, &with(I32)),
        ["backfill t.c with <an integer from -2147483648 to 2147483647>", "table t is empty"]
    );
    assert_eq!(offered(&before, &with(ColumnType::Uuid)), ["table t is empty"]);
    let changes = made(&before, &with(I32), &["backfill t.c with 42"]);
    assert!(matches!(&changes[..], [Change::AddColumn { backfill: Some(ColumnDefault::Int(42)), .. }]));
    let changes = made(&before, &with(I32), &["table t is empty"]);
    assert!(matches!(&changes[..], [Change::AddColumn { backfill: None, .. }]));
    let decimal = ColumnType::Decimal { precision: 4, scale: 2 };
    let text = ColumnType::Text { max_len: Some(3) };
    for (ty, good, bad) in [
        (I32, "-1", "2147483648"),
        (ColumnType::U8, "255", "-1"),
        (ColumnType::Bool, "true", "1"),
        (decimal, "12.50", "1.255"),
        (ColumnType::F64, "1", "'1'"),
        (text, "'äöü'", "'four'"),
        (role(&["a", "b"]), "'a'", "'c'"),
        (ColumnType::Timestamp, "now", "'yesterday'"),
        (ColumnType::Json, "'{}'", "'{'"),
    ] {
        let decide = |value: &str| format!("backfill t.c with {value}");
        walk(&before, &with(ty.clone()), &[&decide(good)]);
        let error = refused(&before, &with(ty), &[&decide(bad)]);
        assert!(error.contains("it must be"), "{error}");
    }
}

#[test]
fn forbidding_null_asks_even_when_there_is_a_default() {
    let before = schema([table("t", [nullable("a", I32)])]);
    let to = schema([table("t", [Column { default: Some(ColumnDefault::Int(30)), ..column("a", I32) }])]);
    assert_eq!(offered(&before, &to).last().map(String::as_str), Some("no nulls in t.a"));
    assert_eq!(walk(&before, &to, &["no nulls in t.a"]), ["alter column t.a"]);
    let changes = made(&before, &to, &["backfill t.a with 30"]);
    assert!(matches!(&changes[..], [Change::AlterColumn { backfill: Some(ColumnDefault::Int(30)), .. }]));
    // The other way there is nothing to ask.
    assert_eq!(walk(&to, &before, &[]), ["alter column t.a"]);
}

#[test]
fn a_type_that_cannot_hold_every_value_asks() {
    let with = |ty: ColumnType| schema([table("t", [column("c", ty)])]);
    assert_eq!(walk(&with(I32), &with(I64), &[]), ["alter column t.c"]);
    assert_eq!(offered(&with(I64), &with(I32)), ["narrow t.c"]);
    assert_eq!(walk(&with(TEXT), &with(I32), &["narrow t.c"]), ["alter column t.c"]);
}

#[test]
fn an_enum_gains_labels_and_a_default_uses_one() {
    let with = |labels: &[&str], default: &'static str| {
        let default = Some(ColumnDefault::Text(default.into()));
        schema([table("t", [Column { default, ..column("r", role(labels)) }]), table("u", [column("r", role(labels))])])
    };
    let (one, two) = (with(&["a"], "a"), with(&["x", "a", "b"], "b"));
    assert_eq!(walk(&one, &two, &[]), ["alter enum role", "alter column t.r"]);
    let changes = made(&one, &two, &[]);
    let Change::AlterColumn { before, after, .. } = &changes[1] else { panic!("{changes:?}") };
    assert_eq!(before.ty, after.ty);
    let lost = asked(&two, &one, &[]);
    assert_eq!(lost.len(), 2, "{lost:?}");
    assert_eq!(lost[0].answers[0].decision, "map label 'x' of role to 'a'");
    let decided = ["map label 'x' of role to 'a'", "drop label 'b' of role"];
    assert_eq!(walk(&two, &one, &decided), ["alter enum role", "alter column t.r"]);
    assert!(refused(&two, &one, &["map label 'x' of role to 'y'"]).contains("role has no label 'y'"));
    assert_eq!(walk(&with(&["a", "b"], "a"), &with(&["b", "a"], "a"), &[]), ["alter enum role"]);
    let none = schema([table("t", []), table("u", [])]);
    assert_eq!(
        walk(&one, &none, &["drop column t.r", "drop column u.r"]),
        ["drop column t.r", "drop column u.r", "drop enum role"]
    );
}

#[test]
fn a_decision_that_fits_nothing_is_an_error() {
    let before = schema([table("t", [column("a", TEXT)]), table("u", [])]);
    let to = schema([table("t", [column("b", TEXT)]), table("u", [])]);
    for texts in [
        &["rename column t.a to b", "drop table x"][..],
        &["rename column t.a to b", "backfill t.b with 'x'"],
        &["rename column t.a to c"],
        &["rename column t.x to b"],
        &["rename table t to u"],
        &["rename column t.a to b", "drop column t.a"],
    ] {
        let error = refused(&before, &to, texts);
        assert!(error.contains(texts.last().unwrap()) || error.contains("rename column t."), "{error}");
    }
    let taken = schema([table("t", [column("a", TEXT), column("b", TEXT)])]);
    assert!(
        refused(&taken, &schema([table("t", [column("b", TEXT)])]), &["rename column t.a to b"]).contains("exists")
    );
    let both = ["rename column t.a to b", "rename column t.a to c"];
    let more = schema([table("t", [column("b", TEXT), column("c", TEXT)]), table("u", [])]);
    assert!(refused(&before, &more, &both).contains("contradict"));
}
