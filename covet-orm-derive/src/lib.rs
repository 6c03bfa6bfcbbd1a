//! The macros of Covet: the derives `Model`, `DbEnum` and `DbNewtype`, and `embed_migrations!`; re-exported by
//! `covet-orm`.
//!
//! A derive runs in four steps, each a room of its own: `attr` reads what stands in
//! `#[covet(…)]`, `model` gives it meaning, `check` applies the rules over more than one field, and
//! `expand` writes the code. Only the first three can fail, and all their errors are reported
//! together.

mod attr;
mod check;
mod derive;
mod embed;
mod errors;
mod expand;
mod model;
mod names;
mod nearest;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a struct with named fields stand for the rows of one table.
///
/// On the struct: `table = "…"`, `schema = "…"`, `timestamps`, `unique(a, b)`, `index(a, b)`. On a column: `key`,
/// `column = "…"`, `unique`, `index`, `default = …`, `max_len = n`, `decimal(precision, scale)`,
/// `references = Model`, `on_delete = …`, `on_update = …`, `version`, `case_insensitive`,
/// `auto = false`. On a relation: `by = field`, `to = field`. What is said in SQL (`check`, `generated`, `comment`,
/// `foreign_key(…)` …) and what answers a migration (`renamed_from`, `backfill`) is in `docs/guide.md`.
#[proc_macro_derive(Model, attributes(covet))]
pub fn model(input: TokenStream) -> TokenStream {
    derive::run(input.into(), derive::model).into()
}

/// Makes an enum without data a type that a column can have: one of a list of labels.
///
/// On the enum: `name = "…"`, `schema = "…"`, `rename_all = "…"`. On a variant: `rename = "…"`,
/// `renamed_from = "…"`.
#[proc_macro_derive(DbEnum, attributes(covet))]
pub fn db_enum(input: TokenStream) -> TokenStream {
    derive::run(input.into(), derive::db_enum).into()
}

/// Makes a tuple struct of one field a type that a column can have: the type of that field.
#[proc_macro_derive(DbNewtype, attributes(covet))]
pub fn db_newtype(input: TokenStream) -> TokenStream {
    derive::run(input.into(), derive::db_newtype).into()
}

/// Builds the migrations of a folder into the program; the folder is named from the package's `Cargo.toml`.
///
/// ```ignore
/// static MIGRATIONS: Embedded = covet_orm::embed_migrations!("migrations");
/// ```
///
/// Cargo builds the program again when a file of the folder changes, and when a migration comes or goes: its name is
/// then in `migrations/index`, which `cargo covet migrate make` writes and which belongs into the repository.
#[proc_macro]
pub fn embed_migrations(input: TokenStream) -> TokenStream {
    embed::run(input.into()).unwrap_or_else(|error| error.into_compile_error()).into()
}
