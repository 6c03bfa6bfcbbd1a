pub async fn use___N__(db: &Db) -> covet_orm::Result<Vec<M__N__>> {
    M__N__::create().title("a").body("b").amount(1).owner_id(2).exec(db).await?;
    M__N__::query()
        .filter(M__N__::active.eq(true) & M__N__::title.ne("a"))
        .order_by(M__N__::rank.desc())
        .limit(10)
        .all(db)
        .await
}
