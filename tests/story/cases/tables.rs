//! Tables: they come, go, and get other names.

use crate::cases::Outcome::{Nothing, Refused};
use crate::cases::{CASE, Case};

const USERS: &[&str] =
    &["INSERT INTO users (email) VALUES ('a@x'), ('b@x'), ('')", "INSERT INTO posts (user_id) VALUES (1), (2), (2)"];

pub(crate) const CASES: &[Case] = &[
    Case { id: "T01 a first table", after: "users{id auto; email text(200) uq; bio text?}", ..CASE },
    Case {
        id: "T03 a table goes",
        before: "a{id auto} b{id auto; x text?}",
        after: "a{id auto}",
        rows: &["INSERT INTO a (id) VALUES (1), (2)", "INSERT INTO b (x) VALUES ('q'), (NULL), ('')"],
        decide: &["drop table b"],
        asks: &["drop table b"],
        ..CASE
    },
    Case {
        id: "T04 a table and the column that pointed at it go",
        before: "pub{id auto} author{id auto; pub_id i64 ->pub.id}",
        after: "author{id auto}",
        rows: &["INSERT INTO pub (id) VALUES (1)", "INSERT INTO author (pub_id) VALUES (1), (1)"],
        decide: &["drop table pub", "drop column author.pub_id"],
        asks: &["drop table pub", "drop column author.pub_id"],
        no_way_back: Some("(2 rows)"),
        ..CASE
    },
    Case {
        id: "T05 tables that point at each other go in order",
        before: "keep{id auto} a{id auto} b{id auto; a_id i64 ->a.id}",
        after: "keep{id auto}",
        rows: &["INSERT INTO a (id) VALUES (1)", "INSERT INTO b (a_id) VALUES (1)"],
        decide: &["drop table a", "drop table b"],
        ..CASE
    },
    Case {
        id: "T05b no table is left",
        before: "a{id auto} b{id auto; a_id i64 ->a.id}",
        after: "",
        decide: &["drop table a", "drop table b"],
        outcome: Refused("there is no model at all, so all 2 tables would be dropped"),
        ..CASE
    },
    Case {
        id: "T07 T08 a table gets another name",
        before: "users{id auto; email text(50) uq} posts{id auto; user_id i64 ->users.id cascade}",
        after: "accounts{id auto; email text(50) uq} posts{id auto; user_id i64 ->accounts.id cascade}",
        rows: USERS,
        decide: &["rename table users to accounts"],
        asks: &["rename table users to accounts", "drop table users"],
        holds: &[("SELECT count(*) FROM accounts", 3), ("SELECT count(*) FROM posts", 3)],
        fails: &["INSERT INTO posts (user_id) VALUES (99)", "INSERT INTO accounts (email) VALUES ('a@x')"],
        works: &["INSERT INTO accounts (email) VALUES ('c@x')", "DELETE FROM accounts WHERE id = 2"],
        sees: &[("SELECT count(*) FROM accounts WHERE id > 3", 1), ("SELECT count(*) FROM posts", 1)],
        ..CASE
    },
    Case {
        id: "T09 no other name, but another table",
        before: "users{id auto; email text(50) uq}",
        after: "accounts{id auto; email text(50) uq}",
        rows: &["INSERT INTO users (email) VALUES ('a@x')"],
        decide: &["drop table users"],
        holds: &[("SELECT count(*) FROM accounts", 0)],
        ..CASE
    },
    Case {
        id: "T13 two tables swap their names",
        before: "a{id auto; x text?} b{id auto; y i32? ix}",
        after: "a{id auto; y i32? ix} b{id auto; x text?}",
        rows: &["INSERT INTO a (x) VALUES ('x'), (NULL)", "INSERT INTO b (y) VALUES (7), (8), (NULL)"],
        decide: &["rename table a to b", "rename table b to a"],
        holds: &[("SELECT count(*) FROM a", 3), ("SELECT count(*) FROM b", 2)],
        ..CASE
    },
    Case {
        id: "T15 fields in another order",
        before: "a{id auto; x text?; y i32}",
        after: "a{y i32; x text?; id auto}",
        outcome: Nothing,
        ..CASE
    },
    Case { id: "T19 a circle comes", after: "a{id auto; b_id i64 ->b.id} b{id auto; a_id i64 ->a.id}", ..CASE },
    Case {
        id: "T19b a circle goes",
        before: "a{id auto; b_id i64? ->b.id} b{id auto; a_id i64? ->a.id} keep{id auto}",
        after: "keep{id auto}",
        rows: &["INSERT INTO a (b_id) VALUES (NULL)", "INSERT INTO b (a_id) VALUES (1)", "UPDATE a SET b_id = 1"],
        decide: &["drop table a", "drop table b"],
        ..CASE
    },
    Case {
        id: "T21 a circle with indexes over its columns",
        before: "keep{id auto}",
        after: "keep{id auto} a{id auto; b_id i64 ->b.id; n i32; uq(b_id,n)} b{id auto; a_id i64 ->a.id ix}",
        ..CASE
    },
    Case {
        id: "T23 names that need quotes",
        before: "order{id auto; select text(10)? ix; a-b i32} a\"b{id auto; a`b i64 ->order.id cascade}",
        after: "order{id auto; select text(20)? uq; a-b~c i64; na\u{ef}ve i32? =5} \
                na\u{ef}ve~t'x{id auto; a`b i64 ->order.id; group text(5)? ix}",
        rows: &[
            "INSERT INTO [order] ([select], [a-b]) VALUES ('x', 1), (NULL, 2)",
            "INSERT INTO [a\"b] ([a`b]) VALUES (1), (2)",
        ],
        decide: &["rename table \"a\"\"b\" to \"na\u{ef}ve t'x\"", "rename column order.\"a-b\" to \"a-b c\""],
        holds: &[("SELECT count(*) FROM [na\u{ef}ve t'x]", 2), ("SELECT sum([a-b c]) FROM [order]", 3)],
        ..CASE
    },
    Case {
        id: "P13 a table with a key of two columns, and one with numbers, get other names",
        before: "a{x i32; y i32; z text(5)?; pk(x,y)} b{id auto; n i32}",
        after: "c{x i32; y i32; z text(5)?; pk(x,y)} d{id auto; n i32}",
        rows: &["INSERT INTO a (x, y) VALUES (1, 2), (2, 1)", "INSERT INTO b (n) VALUES (7), (8)"],
        decide: &["rename table a to c", "rename table b to d"],
        fails: &["INSERT INTO c (x, y) VALUES (1, 2)"],
        works: &["INSERT INTO d (n) VALUES (9)"],
        sees: &[("SELECT max(id) FROM d", 3)],
        ..CASE
    },
    Case {
        id: "M01 many to many",
        before: "books{id auto} tags{id auto}",
        after: "books{id auto} tags{id auto} \
                book_tags{book_id i64 ->books.id cascade; tag_id i64 ->tags.id cascade ix; pk(book_id,tag_id)}",
        rows: &["INSERT INTO books (id) VALUES (1)", "INSERT INTO tags (id) VALUES (1)"],
        works: &["INSERT INTO book_tags (book_id, tag_id) VALUES (1, 1)", "DELETE FROM tags"],
        sees: &[("SELECT count(*) FROM book_tags", 0)],
        ..CASE
    },
    Case {
        id: "M03 one side of many to many gets another name",
        before: "books{id auto} tags{id auto} \
                book_tags{book_id i64 ->books.id cascade; tag_id i64 ->tags.id cascade ix; pk(book_id,tag_id)}",
        after: "books{id auto} labels{id auto} \
                book_labels{book_id i64 ->books.id cascade; label_id i64 ->labels.id cascade ix; pk(book_id,label_id)}",
        rows: &[
            "INSERT INTO books (id) VALUES (1), (2)",
            "INSERT INTO tags (id) VALUES (1), (2)",
            "INSERT INTO book_tags (book_id, tag_id) VALUES (1, 1), (1, 2), (2, 1)",
        ],
        decide: &[
            "rename table tags to labels",
            "rename table book_tags to book_labels",
            "rename column book_labels.tag_id to label_id",
        ],
        fails: &["INSERT INTO book_labels (book_id, label_id) VALUES (2, 9)"],
        works: &["DELETE FROM labels WHERE id = 1"],
        sees: &[("SELECT count(*) FROM book_labels", 1)],
        ..CASE
    },
    Case {
        id: "M07 many to many with itself",
        before: "persons{id auto}",
        after: "persons{id auto} follows{follower_id i64 ->persons.id cascade; followed_id i64 ->persons.id cascade ix; \
                pk(follower_id,followed_id)}",
        rows: &["INSERT INTO persons (id) VALUES (1), (2)"],
        works: &[
            "INSERT INTO follows (follower_id, followed_id) VALUES (1, 2), (2, 1)",
            "DELETE FROM persons WHERE id = 1",
        ],
        sees: &[("SELECT count(*) FROM follows", 0)],
        ..CASE
    },
];
