use covet_orm::prelude::*;

#[derive(Model)]
pub struct Job {
    #[covet(key)]
    pub id: i64,
    pub title: String,
}

impl Job {
    pub fn title(&self) -> &str {
        "x"
    }
}

fn main() {}
