//! Enums and newtypes.

use quote::quote;

use super::{has, text};
use crate::derive;

#[test]
fn an_enum_is_its_labels() {
    let written = text(derive::run(
        quote! {
            #[covet(name = "user_role", rename_all = "SCREAMING_SNAKE_CASE")]
            pub enum Role { InReview, #[covet(rename = "ed")] Editor }
        },
        derive::db_enum,
    ));
    has(
        &written,
        quote!(
            pub const fn label(&self) -> &'static str {
                match self {
                    Self::InReview => "IN_REVIEW",
                    Self::Editor => "ed",
                }
            }
        ),
    );
    has(&written, quote!(name: __Cow::Borrowed("user_role")));
    has(&written, quote!(__Cow::Borrowed(&[__Cow::Borrowed("IN_REVIEW"), __Cow::Borrowed("ed")])));
    has(&written, quote!(__Some("ed") => __Ok(Self::Editor), _ => __Err(__unknown_label("Role", value))));
    has(&written, quote!(impl __Field for Role { type Inner = Self; }));
}

#[test]
fn an_enum_without_attributes_is_snake_case() {
    let written = text(derive::run(
        quote!(
            enum UserRole {
                InReview,
            }
        ),
        derive::db_enum,
    ));
    has(&written, quote!(name: __Cow::Borrowed("user_role")));
    has(&written, quote!(Self::InReview => "in_review"));
}

#[test]
fn a_newtype_is_the_type_inside() {
    let written = text(derive::run(
        quote!(
            pub struct UserId(pub i64);
        ),
        derive::db_newtype,
    ));
    has(
        &written,
        quote!(
            const TYPE: __ColumnType = <i64 as __ColumnValue>::TYPE;
        ),
    );
    has(&written, quote!(Ok(Self(<i64 as __ColumnValue>::from_value(value, column)?))));
    has(&written, quote!(impl __Field for UserId { type Inner = Self; }));
}
