//! Views, triggers, functions and extensions that are declared beside the models.

use covet_drivers::catalog::{Expression, Object, ObjectKind};

/// A declaration of [`objects!`](crate::objects!).
#[derive(Debug)]
pub struct Declared {
    /// What it is.
    pub kind: ObjectKind,
    /// The name in the database.
    pub name: &'static str,
    /// The table of a trigger.
    pub table: Option<&'static str>,
    /// What stands behind its name.
    pub definition: Expression,
    /// The module that it is declared in.
    pub module: &'static str,
}

inventory::collect!(Declared);

/// Every object that is linked into the program, and the module that declares it.
pub(super) fn declared() -> Vec<(Object, Option<&'static str>)> {
    let object = |declared: &Declared| Object {
        table: declared.table.map(str::to_owned),
        ..Object::new(declared.kind, declared.name, declared.definition.clone())
    };
    inventory::iter::<Declared>.into_iter().map(|declared| (object(declared), Some(declared.module))).collect()
}

/// Declares views, triggers, functions and extensions beside the models, so that migrations make and change them.
///
/// What stands behind `=` follows the name in `CREATE … name`, except that a view needs no `AS`. One text serves every
/// database; `{ postgres = "…", sqlite = "…" }` is a text for each, and where there is none, there is no such object.
/// A model whose table is a declared view reads that view, and gets no table.
///
/// ```
/// use covet_orm::prelude::*;
///
/// #[derive(Model)]
/// struct Person {
///     #[covet(key)]
///     id: i64,
///     name: String,
///     age: i32,
/// }
///
/// /// Reads the view.
/// #[derive(Model)]
/// #[covet(table = "adults")]
/// struct Adult {
///     #[covet(key)]
///     id: i64,
///     name: String,
/// }
///
/// covet_orm::objects! {
///     view "adults" = "SELECT id, name FROM persons WHERE age >= 18";
///     trigger "no_ghosts" on "persons" = {
///         sqlite = "BEFORE INSERT ON persons WHEN NEW.age < 0 BEGIN SELECT RAISE(ABORT, 'no ghosts'); END",
///     };
///     extension "citext" = { postgres = "" };
/// }
///
/// let schema = covet_orm::schema::schema_of(&covet_orm::schema::Models::registered())?;
/// assert_eq!(schema.tables.len(), 1);
/// assert_eq!(schema.objects.len(), 3);
/// # Ok::<(), covet_orm::Error>(())
/// ```
#[macro_export]
macro_rules! objects {
    () => {};
    (extension $name:literal = { $($database:ident = $text:expr),* $(,)? }; $($rest:tt)*) => {
        $crate::objects! { @submit Extension, $name, None, $crate::objects!(@each $($database = $text),*) }
        $crate::objects! { $($rest)* }
    };
    (view $name:literal = { $($database:ident = $text:expr),* $(,)? }; $($rest:tt)*) => {
        $crate::objects! { @submit View, $name, None, $crate::objects!(@each $($database = $text),*) }
        $crate::objects! { $($rest)* }
    };
    (view $name:literal = $text:expr; $($rest:tt)*) => {
        $crate::objects! { @submit View, $name, None, $crate::objects!(@same $text) }
        $crate::objects! { $($rest)* }
    };
    (function $name:literal = { $($database:ident = $text:expr),* $(,)? }; $($rest:tt)*) => {
        $crate::objects! { @submit Function, $name, None, $crate::objects!(@each $($database = $text),*) }
        $crate::objects! { $($rest)* }
    };
    (function $name:literal = $text:expr; $($rest:tt)*) => {
        $crate::objects! { @submit Function, $name, None, $crate::objects!(@same $text) }
        $crate::objects! { $($rest)* }
    };
    (trigger $name:literal on $table:literal = { $($database:ident = $text:expr),* $(,)? }; $($rest:tt)*) => {
        $crate::objects! { @submit Trigger, $name, Some($table), $crate::objects!(@each $($database = $text),*) }
        $crate::objects! { $($rest)* }
    };
    (trigger $name:literal on $table:literal = $text:expr; $($rest:tt)*) => {
        $crate::objects! { @submit Trigger, $name, Some($table), $crate::objects!(@same $text) }
        $crate::objects! { $($rest)* }
    };
    (@submit $kind:ident, $name:literal, $table:expr, $definition:expr) => {
        $crate::__private::inventory::submit! {
            $crate::schema::Declared {
                kind: $crate::drivers::catalog::ObjectKind::$kind,
                name: $name,
                table: $table,
                definition: $definition,
                module: ::core::module_path!(),
            }
        }
    };
    (@same $text:expr) => { $crate::drivers::catalog::Expression::Same(::std::borrow::Cow::Borrowed($text)) };
    (@each $($database:ident = $text:expr),*) => {
        $crate::drivers::catalog::Expression::Each(::std::borrow::Cow::Borrowed(&[
            $((::std::borrow::Cow::Borrowed(stringify!($database)), ::std::borrow::Cow::Borrowed($text))),*
        ]))
    };
}
