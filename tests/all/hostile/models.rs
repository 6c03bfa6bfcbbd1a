//! What hostile strings are put into: plain and bounded text, a key of text, JSON, and rows linked by such keys.

use covet_orm::prelude::*;

/// Text of any length, JSON, and a name that points at another row.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Scroll {
    #[covet(key)]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) note: Option<String>,
    pub(crate) json: Option<serde_json::Value>,
    #[covet(references = Seal, max_len = 100)]
    pub(crate) seal_name: Option<String>,
    pub(crate) seal: BelongsTo<Option<Seal>>,
    pub(crate) seals: ManyToMany<Seal, ScrollSeal>,
}

/// Its name is its key.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Seal {
    #[covet(key, max_len = 100)]
    pub(crate) name: String,
    #[covet(unique, max_len = 100)]
    pub(crate) motto: Option<String>,
    #[covet(max_len = 100, case_insensitive)]
    pub(crate) folded: Option<String>,
    pub(crate) scrolls: HasMany<Scroll>,
}

/// Between both.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct ScrollSeal {
    #[covet(key, references = Scroll, on_delete = cascade)]
    pub(crate) scroll_id: i64,
    #[covet(key, references = Seal, max_len = 100, on_delete = cascade)]
    pub(crate) seal_name: String,
}
