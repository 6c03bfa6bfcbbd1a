//! Mistakes in what the derives stand on.

use quote::quote;

use super::{messages, model};
use crate::derive;

macro_rules! refused {
    ($($name:ident: $derive:ident { $($item:tt)* } => $($message:literal),+;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(messages(derive::run(quote!($($item)*), derive::$derive)), [$($message),+]);
        }
    )+};
}

refused! {
    tuple_struct: model { struct A(i64); } =>
        "`A` has no named fields, and a model's columns are named\nhelp: for a type around one value, derive `DbNewtype`";
    model_of_enum: model { enum A { B } } =>
        "`A` is an enum, and a model is a struct\nhelp: for a column that holds one of a list of labels, derive `DbEnum`";
    union: model { union A { a: i64 } } => "`A` is a union, and a model is a struct";
    generic: model { struct A<T> { #[covet(key)] id: T } } => "`A` stands for one table: it cannot have parameters";
    lifetime: model { struct A<'a> { #[covet(key)] id: &'a str } } => "`A` stands for one table: it cannot have parameters";
    empty: model { struct A {} } =>
        "`A` has no key\nhelp: mark the field that tells rows apart, or add one: `#[covet(key)] id: i64`";
    enum_of_struct: db_enum { struct A; } => "`A` is no enum, and `DbEnum` is for enums";
    enum_empty: db_enum { enum A {} } => "`A` has no variants, so a column could hold nothing";
    enum_with_data: db_enum { enum A { B, C(i64), D { x: i64 } } } =>
        "`C` holds data, and a label cannot", "`D` holds data, and a label cannot";
    enum_same_label: db_enum { enum A { B, #[covet(rename = "b")] C } } => "`B` and `C` have the same label `b`";
    enum_empty_label: db_enum { enum A { #[covet(rename = "")] B } } => "a label cannot be empty or contain NUL";
    enum_unknown_spelling: db_enum { #[covet(rename_all = "kebab")] enum A { B } } =>
        "`kebab` is no spelling of labels\nhelp: there are `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `lowercase`, `UPPERCASE`, `camelCase`, `PascalCase`";
    enum_attribute_at_variant: db_enum { enum A { #[covet(name = "b")] B } } =>
        "`name` belongs on an enum, and this is a variant";
    newtype_of_two: db_newtype { struct A(i64, i64); } =>
        "`A` is no struct around one value\nhelp: a newtype is written `struct A(i64);`";
    newtype_of_option: db_newtype { struct A(Option<i64>); } =>
        "a newtype holds a value that is there\nhelp: use `Option<A>` where it may be absent";
    newtype_attribute: db_newtype { #[covet(name = "a")] struct A(i64); } => "`name` is no attribute of a newtype";
    newtype_generic: db_newtype { struct A<T>(T); } => "`A` is one type of column: it cannot have parameters";
}

#[test]
fn a_long_name_is_refused_and_not_cut() {
    let output = model! {
        #[covet(table = "a23456789_123456789_123456789_123456789_123456789_123456789_1234")]
        struct A { #[covet(key)] id: i64 }
    };
    assert_eq!(messages(output), ["a table's name has 64 bytes, and databases keep 63"]);
}

#[test]
fn no_rust_is_an_error_and_no_panic() {
    assert_eq!(
        messages(derive::run(
            quote!(
                fn nothing() {}
            ),
            derive::model
        ))
        .len(),
        1
    );
}
