#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct M__N__ {
    pub id: i64,
    pub title: String,
    pub body: String,
    pub amount: i64,
    pub owner_id: i64,
    pub note: Option<String>,
    pub active: bool,
    pub rank: i32,
}
