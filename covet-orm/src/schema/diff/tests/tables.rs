//! Tables, keys, indexes and foreign keys.

use covet_drivers::catalog::{Action, Change, ColumnDefault, ColumnType, Index, Schema};

use crate::schema::diff::tests::{
    I32, I64, TEXT, asked, column, made, nullable, offered, points, refused, schema, table, unique, walk,
};

#[test]
fn tables_come_parents_first_and_go_children_first() {
    let full = schema([
        points(points(table("a", [column("b_id", I64), column("c_id", I64)]), "b_id", "b", "id"), "c_id", "c", "id"),
        points(table("b", [column("c_id", I64)]), "c_id", "c", "id"),
        unique(table("c", [column("x", TEXT)]), "x"),
    ]);
    assert_eq!(
        walk(&Schema::default(), &full, &[]),
        [
            "create table c",
            "create table b",
            "create table a",
            "add index c_x_key on c",
            "add foreign key b_c_id_fkey on b",
            "add foreign key a_b_id_fkey on a",
            "add foreign key a_c_id_fkey on a",
        ]
    );
    let none = schema([table("z", [])]);
    let mut some = full.clone();
    some.tables.extend(none.tables.clone());
    assert_eq!(
        walk(&some, &none, &["drop table a", "drop table b", "drop table c"]),
        ["drop table a", "drop table b", "drop table c"]
    );
}

#[test]
fn tables_that_point_at_each_other() {
    let circle = schema([
        points(table("a", [column("b_id", I64)]), "b_id", "b", "id"),
        points(table("b", [column("a_id", I64)]), "a_id", "a", "id"),
        points(table("me", [nullable("me_id", I64)]), "me_id", "me", "id"),
    ]);
    assert_eq!(walk(&Schema::default(), &circle, &[]).iter().filter(|c| c.starts_with("add foreign key")).count(), 3);
    let rest = schema([circle.table("me").unwrap().clone()]);
    let changes = walk(&circle, &rest, &["drop table a", "drop table b"]);
    assert_eq!(changes.iter().filter(|change| change.starts_with("drop foreign key")).count(), 1, "{changes:?}");
    assert_eq!(changes.len(), 3);
}

#[test]
fn a_lost_table_asks_and_offers_the_likely_rename_first() {
    let before = schema([table("users", [column("email", TEXT), column("age", I32)]), table("posts", [])]);
    let after =
        schema([table("accounts", [column("email", TEXT), column("age", I32)]), table("logs", []), table("posts", [])]);
    let answers = offered(&before, &after);
    assert_eq!(answers, ["rename table users to accounts", "rename table users to logs", "drop table users"]);
    assert_eq!(
        walk(&before, &after, &["drop table users"]),
        ["create table accounts", "create table logs", "drop table users"]
    );
}

#[test]
fn a_renamed_table_takes_its_names_along() {
    let users = |name: &str| unique(table(name, [column("email", TEXT)]), "email");
    let posts = |target: &str| points(table("posts", [column("user_id", I64)]), "user_id", target, "id");
    let before = schema([users("users"), posts("users")]);
    let to = schema([users("accounts"), posts("accounts")]);
    assert_eq!(
        walk(&before, &to, &["rename table users to accounts"]),
        ["rename table users to accounts", "rename index users_email_key of accounts to accounts_email_key",]
    );
    let (before, to) = (
        schema([table("a", []), posts("a")]),
        schema([table("a", []), {
            let mut posts = posts("a");
            posts.name = "notes".to_owned();
            posts.foreign_keys[0].name = "notes_user_id_fkey".to_owned();
            posts
        }]),
    );
    assert_eq!(
        walk(&before, &to, &["rename table posts to notes"]),
        ["rename table posts to notes", "rename constraint posts_user_id_fkey of notes to notes_user_id_fkey"]
    );
}

#[test]
fn names_that_change_places_are_made_again() {
    let one = |name: &str| unique(table(name, [column("x", TEXT)]), "x");
    let before = schema([one("a"), one("b")]);
    let changes = walk(&before, &before, &["rename table a to b", "rename table b to a"]);
    assert!(changes.iter().all(|change| !change.starts_with("rename index")), "{changes:?}");
    assert_eq!(changes.iter().filter(|change| change.starts_with("add index")).count(), 2, "{changes:?}");
}

#[test]
fn tables_can_swap_their_names() {
    let before = schema([table("a", [column("x", TEXT)]), table("b", [column("y", I64)])]);
    let to = schema([table("b", [column("x", TEXT)]), table("a", [column("y", I64)])]);
    let changes = walk(&before, &to, &["rename table a to b", "rename table b to a"]);
    assert_eq!(changes.len(), 3, "{changes:?}");
}

#[test]
fn a_renamed_key_is_followed_by_those_who_point_at_it() {
    let people = |key: &str| {
        let mut table = table("p", []);
        table.primary_key = vec![key.to_owned()];
        table.columns[0].name = key.to_owned();
        table
    };
    let child = |key: &str| points(table("c", [column("p_id", I64)]), "p_id", "p", key);
    let (before, to) = (schema([people("id"), child("id")]), schema([people("pid"), child("pid")]));
    assert_eq!(walk(&before, &to, &["rename column p.id to pid"]), ["rename column p.id to pid"]);
}

#[test]
fn a_table_and_its_column_are_renamed_together() {
    let before = schema([table("users", [column("name", TEXT)])]);
    let to = schema([table("people", [column("full_name", TEXT)])]);
    let texts = ["rename table users to people", "rename column people.name to people.full_name"];
    assert_eq!(walk(&before, &to, &texts), ["rename table users to people", "rename column people.name to full_name"]);
    let questions = asked(&before, &to, &texts[..1]);
    assert_eq!(questions[0].about, "people.name");
}

#[test]
fn foreign_keys_step_aside_while_the_column_under_them_changes() {
    let with = |ty: &ColumnType| {
        schema([
            unique(table("p", [column("code", ty.clone())]), "code"),
            points(table("c", [column("p_code", ty.clone()), column("n", I32)]), "p_code", "p", "code"),
        ])
    };
    assert_eq!(
        walk(&with(&I32), &with(&I64), &[]),
        [
            "drop foreign key c_p_code_fkey on c",
            "alter column c.p_code",
            "alter column p.code",
            "add foreign key c_p_code_fkey on c",
        ]
    );
}

#[test]
fn foreign_keys_step_aside_while_the_unique_index_under_them_is_replaced() {
    let child = || points(table("c", [column("p_code", I32)]), "p_code", "p", "code");
    let before = schema([unique(table("p", [column("code", I32)]), "code"), child()]);
    let mut to = before.clone();
    to.tables[1].indexes[0].name = "p_own_name".to_owned();
    assert_eq!(walk(&before, &to, &[]), ["rename index p_code_key of p to p_own_name"]);
    to.tables[1].indexes[0] = Index { nulls_agree: true, ..to.tables[1].indexes[0].clone() };
    assert_eq!(
        walk(&before, &to, &[]),
        [
            "drop foreign key c_p_code_fkey on c",
            "drop index p_code_key on p",
            "add index p_own_name on p",
            "add foreign key c_p_code_fkey on c",
        ]
    );
}

#[test]
fn only_what_changed_is_changed() {
    let before = schema([
        points(points(table("c", [column("a_id", I64), column("b_id", I64)]), "a_id", "p", "id"), "b_id", "p", "id"),
        table("p", [nullable("x", TEXT), column("y", TEXT)]),
        table("q", [nullable("x", TEXT)]),
    ]);
    let mut to = before.clone();
    to.tables[0].foreign_keys[1].on_delete = Action::Restrict;
    to.tables[1].columns.reverse();
    to.tables[2].columns[1].default = Some(ColumnDefault::Text("it's".into()));
    assert_eq!(
        walk(&before, &to, &[]),
        ["drop foreign key c_b_id_fkey on c", "alter column q.x", "add foreign key c_b_id_fkey on c"]
    );
}

#[test]
fn an_index_becomes_unique() {
    let mut before = schema([table("t", [column("a", I32)])]);
    before.tables[0].indexes = vec![Index::new("t_a_idx", ["a"], false)];
    let to = schema([unique(table("t", [column("a", I32)]), "a")]);
    assert_eq!(walk(&before, &to, &[]), ["drop index t_a_idx on t", "add index t_a_key on t"]);
}

#[test]
fn keys_change() {
    let before = schema([table("t", [column("a", I64)])]);
    let mut to = before.clone();
    to.tables[0].primary_key = vec!["a".into()];
    to.tables[0].columns[0].auto = false;
    assert_eq!(walk(&before, &to, &[]), ["alter column t.id", "alter primary key of t to (a)"]);
    // A column of the old key that is to allow NULL can only do so when it is out of the key.
    to.tables[0].columns[0].nullable = true;
    let both = ["alter primary key of t to ()", "alter column t.id", "alter primary key of t to (a)"];
    assert_eq!(walk(&before, &to, &[]), both);
}

#[test]
fn without_a_single_model_nothing_is_dropped() {
    let before = schema([table("a", []), table("b", [])]);
    let error = refused(&before, &Schema::default(), &["drop table a", "drop table b"]);
    assert!(error.contains("no model at all") && error.contains("all 2 tables"), "{error}");
    assert!(made(&Schema::default(), &Schema::default(), &[]).is_empty());
}

#[test]
fn a_foreign_key_steps_aside_when_a_column_beside_the_one_it_stands_on_becomes_another() {
    let parent = |ty| {
        let mut parent = unique(table("p", [column("code", I32), column("n", ty)]), "code");
        parent.indexes[0].include.push("n".to_owned());
        parent
    };
    let child = points(table("c", [column("code", I32)]), "code", "p", "code");
    let made = made(&schema([parent(I32), child.clone()]), &schema([parent(I64), child]), &[]);
    assert!(matches!(made.first(), Some(Change::DropForeignKey { .. })), "{made:?}");
    assert!(matches!(made.last(), Some(Change::AddForeignKey { .. })), "{made:?}");
}
