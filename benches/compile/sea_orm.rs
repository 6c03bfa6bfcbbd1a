pub mod m__N__ {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "m__N__s")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        pub body: String,
        pub amount: i64,
        pub owner_id: i64,
        pub note: Option<String>,
        #[sea_orm(default_value = true)]
        pub active: bool,
        #[sea_orm(default_value = 0)]
        pub rank: i32,
        #[sea_orm(belongs_to, from = "owner_id", to = "id")]
        pub owner: BelongsTo<__OWNER__>,
        #[sea_orm(has_many)]
        pub owned: HasMany<__OWNED__>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
