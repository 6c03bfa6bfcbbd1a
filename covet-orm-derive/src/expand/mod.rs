//! Tokens: what a description becomes, one file for each thing that is generated. Nothing here can fail.
//!
//! Everything a derive writes stands in one `const _` block; names without a path are that block's.
//! What a model costs to compile is decided here (`cargo xtask bench compile`). Data stands in statics, of which
//! rustc checks the value once and not again in each constant that points into one; everything else names a list
//! and a position, for a borrow of one part would make rustc look through its whole type for cells. Every item is
//! looked at by some thirty queries, also when only a comment has changed, so there are as few as can be, and a
//! description that has nothing special is a call and no literal of a dozen fields. A function that generated code calls is a free one with
//! few bounds, for a method has to be looked for and a bound to be proved. Paths lead to `Record` where
//! they can, of which nothing has to be proved but that it is implemented.

pub(crate) mod checks;
mod columns;
mod constants;
mod create;
mod db_enum;
pub(crate) mod fallback;
mod find_by;
mod meta;
mod newtype;
pub(crate) mod paths;
mod record;
mod relations;
mod sql;

pub(crate) use db_enum::db_enum;
pub(crate) use newtype::db_newtype;

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::create::Builder;
use crate::model::Model;

/// What `#[derive(Model)]` becomes.
pub(crate) fn model(model: &Model) -> TokenStream {
    let columns = columns::list(model);
    let relations = relations::statics(model);
    let meta = meta::statics(model);
    let record = record::implement(model);
    let builder = Builder::of(model);
    let (constants, create) = (constants::inherent(model, &builder), builder.items());
    let checks = checks::constants(model);
    paths::block(&quote!(#columns #relations #meta #constants #record #create #checks))
}
