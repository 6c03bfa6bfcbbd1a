//! Joins up: relations between models, as constants of the model, as fields, and as loading.
//!
//! A relation is three things: a constant (`Post::author`), by which queries filter and load; a
//! field (`post.author`), which is either loaded or says by which call it can be; and the static
//! description that both share.

mod field;
mod handle;
mod load;
mod meta;

pub use field::{BelongsTo, Fill, HasMany, HasOne, ManyToMany, Target};
pub use handle::{Links, LinksOf, ToMany, ToOne};
pub(crate) use load::Loads;
pub use load::{Include, Includes};
pub use meta::{RelationKind, RelationMeta, Through};
