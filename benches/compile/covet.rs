#[derive(Model, Clone, Debug)]
pub struct M__N__ {
    #[covet(key)]
    pub id: i64,
    pub title: String,
    pub body: String,
    pub amount: i64,
    #[covet(references = __OWNER__)]
    pub owner_id: i64,
    pub note: Option<String>,
    #[covet(default = true)]
    pub active: bool,
    #[covet(default = 0)]
    pub rank: i32,
    pub owner: BelongsTo<__OWNER__>,
    #[covet(by = owner_id)]
    pub owned: HasMany<__OWNED__>,
}
