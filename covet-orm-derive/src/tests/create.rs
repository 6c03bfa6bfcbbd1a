//! The builder: what is required, and what its type parameters are called.

use quote::quote;

use super::{has, has_not, model, text};

#[test]
fn what_nothing_else_fills_is_required() {
    let written = text(model! {
        #[covet(timestamps)]
        pub struct User {
            #[covet(key)] pub id: i64,
            pub email: String,
            pub name: Option<String>,
            #[covet(default = true)] pub active: bool,
            pub role: Role,
            #[covet(version)] pub version: i64,
            #[covet(default = uuid)] pub token: Uuid,
            pub created_at: DateTime<Utc>,
            pub updated_at: DateTime<Utc>,
            pub posts: HasMany<Post>,
        }
    });
    has(
        &written,
        quote!(
            pub struct CreateUser<email, role>(__Insert<User>, __PhantomData<fn() -> (email, role)>);
        ),
    );
    has(
        &written,
        quote!(
            type Create = CreateUser<__No, __No>;
        ),
    );
    has(
        &written,
        quote! {
            pub fn role(self, value: impl __Input<User, Role>) -> CreateUser<email, __Yes> {
                CreateUser(__given::<User, Role>(self.0, COLUMNS, 4usize, value), __PhantomData)
            }
        },
    );
    has(&written, quote!(pub fn name(self, value: impl __Input<User, Option<String>>) -> Self));
    has(
        &written,
        quote! {
            #[diagnostic::on_unimplemented(
                message = "required column `role` of `User` was not given",
                label = "give `role` a value before this call"
            )]
            pub trait required_role<'a> {
                type On;
            }
            #[diagnostic::do_not_recommend]
            impl<'a> required_role<'a> for __Yes {
                type On = &'a __Executor;
            }
        },
    );
    has(&written, quote!(impl CreateUser<__Yes, __Yes>));
    has(
        &written,
        quote! {
            pub fn exec(self, on: &__Executor) -> impl __Future<Output = __Result<User>> {
                self.0.exec(on)
            }
        },
    );
    // What lacks a column says so at the call, by the type of an argument.
    has(&written, quote!(impl<role> CreateUser<__No, role>));
    has(&written, quote!(pub fn exec<'a>(self, _: <__No as required_email<'a>>::On)));
    has(&written, quote!(impl<> CreateUser<__Yes, __No>));
    has(&written, quote!(pub fn exec<'a>(self, _: <__No as required_role<'a>>::On)));
    has(&written, quote!(pub fn insert_many<'rows, email: required_email<'static>, role: required_role<'static>>));
    has_not(&written, quote!(fn posts));
}

#[test]
fn nothing_required_is_no_parameter() {
    let written = text(model!(
        struct A {
            #[covet(key)]
            id: i64,
        }
    ));
    has(
        &written,
        quote!(
            fn create() -> Self::Create {
                CreateA(__Insert::new(), __PhantomData)
            }
        ),
    );
    has_not(&written, quote!(trait));
}

#[test]
fn a_parameter_does_not_hide_a_type_that_a_field_speaks_of() {
    let written = text(model!(
        struct A {
            #[covet(key)]
            id: i64,
            time: time::Stamp,
            other: i32,
        }
    ));
    has(&written, quote!(struct CreateA<time_, other>));
    has(&written, quote!(fn time(self, value: impl __Input<A, time::Stamp>) -> CreateA<__Yes, other>));
}

#[test]
fn a_setter_is_as_visible_as_its_field() {
    let written = text(model!(
        pub struct A {
            #[covet(key)]
            pub id: i64,
            #[covet(unique)]
            secret: Token,
        }
    ));
    has(&written, quote!(pub fn id));
    has_not(&written, quote!(pub fn secret));
    has_not(&written, quote!(pub fn find_by_secret));
}
