//! The columns: their description, their constants, decode, and the checks left to rustc.

use quote::quote;

use super::{has, has_not, model, text};

#[test]
fn a_column_is_described_and_named() {
    let written = text(model! {
        pub struct User {
            #[covet(key)]
            id: i64,
            /// Where mail goes.
            #[covet(unique, max_len = 320, case_insensitive, column = "mail")]
            pub email: String,
        }
    });
    has(
        &written,
        quote! {
            __ColumnMeta {
                case_insensitive: true,
                ty: &__ColumnType::Text { max_len: __Some(320u32) },
                ..__column_meta("User", "email", "mail", 1usize, <String as __Stored>::KIND)
            }
        },
    );
    has(
        &written,
        quote! {
            #[doc = r" Where mail goes."]
            pub const email: __Column<User, String> = __column(COLUMNS, 1usize);
        },
    );
    has(&written, quote!(#[doc = "The column `id`."] const id: __Column<User, i64>));
    has(
        &written,
        quote!(
            const TABLE: &'static str = "users";
        ),
    );
    has(
        &written,
        quote!(
            const KEY_FIELD: &'static str = "id";
            const KEY_AT: usize = 0usize;
        ),
    );
    has(
        &written,
        quote!(
            type Key = i64;
        ),
    );
    has(
        &written,
        quote! {
            let [column0, column1] = &LIST;
            __Ok(User {
                id: match <i64 as __Stored>::decode_from(row, at, column0) {
                    __Ok(value) => value,
                    __Err(error) => return __Err(error),
                },
                email: match <String as __Stored>::decode_from(row, at, column1) {
                    __Ok(value) => value,
                    __Err(error) => return __Err(error),
                },
            })
        },
    );
    has(
        &written,
        quote! {
            pub fn find_by_email(email: impl __Operand<User, String>) -> __Find<User> {
                __Find::by_unique(&[1usize], ::std::vec![__compared::<User, String>(email, __at(COLUMNS, 1usize))])
            }
        },
    );
}

#[test]
fn a_key_is_made_by_the_database_or_by_covet_when_it_can_be() {
    let made = |written: &str| (written.contains("auto:true"), written.contains("new_uuid:true"));
    let (auto, uuid, given) = ((true, false), (false, true), (false, false));
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key)]
                id: u32,
            }
        ))),
        auto
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key)]
                id: uuid::Uuid,
            }
        ))),
        uuid
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key)]
                code: String,
            }
        ))),
        given
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key, auto = false)]
                id: i64,
            }
        ))),
        given
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key, auto)]
                id: UserId,
            }
        ))),
        auto
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key, default = uuid)]
                id: UserId,
            }
        ))),
        uuid
    );
    assert_eq!(
        made(&text(model!(
            struct A {
                #[covet(key, references = User)]
                user_id: i64,
            }
        ))),
        given
    );
    let composite = text(model!(
        struct A {
            #[covet(key)]
            x: i64,
            #[covet(key)]
            y: i32,
        }
    ));
    assert_eq!(made(&composite), given);
    has(
        &composite,
        quote!(
            type Key = (i64, i32);
        ),
    );
    has(&composite, quote!(key: &[0usize, 1usize]));
}

#[test]
fn defaults_are_written_in_the_terms_of_the_catalogue() {
    let written = text(model! {
        struct A {
            #[covet(key)] id: i64,
            #[covet(default = true)] a: bool,
            #[covet(default = -7)] b: i32,
            #[covet(default = 1_000.5e0)] c: f64,
            #[covet(default = "x")] d: Option<String>,
            #[covet(default = now)] e: DateTime<Utc>,
            #[covet(default = Role::Reader)] f: Option<Role>,
            #[covet(default = 18446744073709551615)] g: u64,
            #[covet(decimal(6, 2), default = -12.50)] h: Decimal,
        }
    });
    has(&written, quote!(default: __Some(&__ColumnDefault::Bool(true))));
    has(&written, quote!(default: __Some(&__ColumnDefault::Int(-7i64))));
    has(&written, quote!(default: __Some(&__ColumnDefault::Number(__Cow::Borrowed("1000.5e0")))));
    has(&written, quote!(default: __Some(&__ColumnDefault::Text(__Cow::Borrowed("x")))));
    has(&written, quote!(default: __Some(&__ColumnDefault::Now)));
    has(
        &written,
        quote!({
            const DEFAULT: Role = Role::Reader;
            DEFAULT.label()
        }),
    );
    has(&written, quote!(Number(__Cow::Borrowed("18446744073709551615"))));
    has(&written, quote!(ty: &__ColumnType::Decimal { precision: 6u8, scale: 2u8 }));
    has(&written, quote!(Number(__Cow::Borrowed("-12.50"))));
    // Every type is one that the macro knows, or has a constant of its own: nothing is left to check.
    has_not(&written, quote!(__require));
}

#[test]
fn what_only_rustc_can_know_is_left_to_it() {
    let written = text(model! {
        struct A {
            #[covet(key, auto)] id: UserId,
            #[covet(max_len = 5)] a: Slug,
            #[covet(default = 5)] b: Points,
            #[covet(version)] c: Count,
            #[covet(decimal(3, 1))] d: Price,
        }
    });
    has(&written, quote!(__require(__is_integer::<UserId>(), "`auto` is for an integer, and `id` is not")));
    has(&written, quote!(__require(__is_text::<Slug>(), "`max_len` is for text, and `a` is not")));
    has(&written, quote!(__require(__default_fits(__at(COLUMNS, 2usize)), "the default does not fit the type of `b`")));
    has(&written, quote!(__is_integer::<Count>()));
    has(&written, quote!(__is_decimal::<Price>()));
}

#[test]
fn a_schema_stands_before_the_table_and_the_output_is_as_long_as_without() {
    let table = |attr: proc_macro2::TokenStream| text(model! { #[covet #attr] struct A { #[covet(key)] id: i64 } });
    let written = table(quote!((schema = "billing", table = "invoices")));
    has(&written, quote!(table: "billing.invoices"));
    has(
        &written,
        quote!(
            const TABLE: &'static str = "billing.invoices";
        ),
    );
    has(&table(quote!((schema = "a.b", table = "\"c"))), quote!(table: "\"a.b\".\"\"\"c\""));
    has(&table(quote!((table = "a.b"))), quote!(table: "\"a.b\""));
    let plain = table(quote!((table = "billing_invoices")));
    assert_eq!(written.to_string().len(), plain.to_string().len());
}

#[test]
fn version_timestamps_and_indexes_stand_in_the_model() {
    let written = text(model! {
        #[covet(table = "people", timestamps(created = made), index(a, b, name = "by_both"), unique(b, a))]
        struct A {
            #[covet(key)] id: i64,
            #[covet(index)] a: i32,
            b: String,
            #[covet(version)] rev: i64,
            made: DateTime<Utc>,
            updated_at: NaiveDateTime,
        }
    });
    has(&written, quote!(table: "people"));
    has(&written, quote!(version: __Some(3usize), created_at: __Some(4usize), updated_at: __Some(5usize)));
    has(&written, quote!(__IndexMeta { name: __None, columns: &[1usize], unique: false, more: __None }));
    has(
        &written,
        quote!(__IndexMeta { name: __Some("by_both"), columns: &[1usize, 2usize], unique: false, more: __None }),
    );
    has(&written, quote!(__IndexMeta { name: __None, columns: &[2usize, 1usize], unique: true, more: __None }));
    has(&written, quote!(fn find_by_b_and_a(b: impl __Operand<A, String>, a: impl __Operand<A, i32>)));
    has(&written, quote!(default: __Some(&__ColumnDefault::Int(1i64))));
}

#[test]
fn a_foreign_key_says_where_it_points_and_what_it_does() {
    let written = text(model! {
        struct Post {
            #[covet(key)] id: i64,
            #[covet(references = shop::User, on_delete = cascade)] author_id: i64,
            #[covet(references = User::code, on_update = restrict)] code: String,
        }
    });
    has(
        &written,
        quote! {
            references: __Some(&__References {
                on_delete: __Action::Cascade,
                ..*<shop::User as __Record>::REFERENCES
            })
        },
    );
    has(&written, quote!(__column_named(<User as __Record>::COLUMNS, "code")));
    has(&written, quote!("`author_id` and the key of `shop::User` differ in type"));
}

#[test]
fn constraints_may_be_called_as_they_are() {
    let written = text(model! {
        #[covet(check(sql("a > 0"), name = "positive"), foreign_key(a, b, references = B(x, y), name = "to_b"))]
        #[covet(unique(a, name = "one"), unique(a, name = "two"), unique(id, name = "again"))]
        struct A {
            #[covet(key)] id: i64,
            #[covet(references = B::z, constraint = "z_of_b", on_delete = set_default, default_sql = "1")] a: i32,
            #[covet(default = "2020-01-02")] b: NaiveDate,
        }
    });
    has(&written, quote!((__CheckName::Whole("positive"), __Expression::Same(__Cow::Borrowed("a > 0")))));
    has(&written, quote!(name: __Some("z_of_b")));
    has(&written, quote!(name: __Some("to_b")));
    has(&written, quote!(default: __Some(&__ColumnDefault::Text(__Cow::Borrowed("2020-01-02")))));
    // Two unique indexes over the same column, and one function that finds by it.
    assert_eq!(written.matches("fnfind_by_a(").count(), 1, "{written}");
}

#[test]
fn raw_names_are_plain_in_the_database() {
    let written = text(model!(
        struct A {
            #[covet(key)]
            id: i64,
            #[covet(unique)]
            r#type: u8,
        }
    ));
    has(&written, quote!(__column_meta("A", "type", "type", 1usize, <u8 as __Stored>::KIND)));
    has(&written, quote!(fn find_by_type(r#type: impl __Operand<A, u8>)));
    has(&written, quote!(const r#type: __Column<A, u8>));
}

#[test]
fn sql_of_ones_own_stands_in_statics_of_its_own() {
    let written = text(model! {
        #[covet(check(b = "a > 0"), comment = "x", index(sql("lower(a)"), name = "i"), unique(a, where = "a > 1"),
            index(a, b, opclass(a = "int4_x_ops"), name = "c"))]
        struct A {
            #[covet(key)] id: i64,
            #[covet(check(postgres = "a > 1"), default_sql = "1 + 1")] a: i32,
            #[covet(generated = "a + 1")] b: Option<i32>,
        }
    });
    has(
        &written,
        quote!(comment: __Some("x"), checks: &[
            (__CheckName::Word("b"), __Expression::Same(__Cow::Borrowed("a > 0")))
        ]),
    );
    has(&written, quote!(__TermMeta::Expression(__Expression::Same(__Cow::Borrowed("lower(a)")))));
    has(&written, quote!(condition: __Some(__Expression::Same(__Cow::Borrowed("a > 1")))));
    has(&written, quote!(nulls_agree: false, classes: &[(1usize, "int4_x_ops")]));
    has(
        &written,
        quote!(generated: __Some(__Generated { expression: __Expression::Same(__Cow::Borrowed("a + 1")), stored: true })),
    );
    // No unique index over all rows, so no function that finds the one row; and no setter for what is generated.
    assert!(!written.contains("find_by_a") && !written.contains("fnb("), "{written}");
}
