//! A mistake does not make every use of the model one more.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(uniqe)]
    pub email: String,
}

pub async fn uses(db: &Db) -> Result<User, covet_orm::Error> {
    let _ = User::query().filter(User::email.eq("a")).all(db).await?;
    User::create().email("a").exec(db).await
}

fn main() {}
