//! The models that all tests share.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use covet_orm::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

/// An enum.
#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The first label.
    Reader,
    /// The second.
    Editor,
    /// The third.
    Admin,
}

/// A newtype.
#[derive(DbNewtype, Clone, Debug, PartialEq, Eq)]
pub struct Email(pub String);

/// The user of a blog.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct User {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Unique.
    #[covet(unique, max_len = 320)]
    pub email: Email,
    /// May be absent.
    pub name: Option<String>,
    /// Has a default.
    #[covet(default = true)]
    pub active: bool,
    /// Has a default that is a label.
    #[covet(default = Role::Reader)]
    pub role: Role,
    /// Counted in the database.
    #[covet(default = 0)]
    pub visits: i32,
    /// Posts that the user wrote.
    #[covet(by = author_id)]
    pub posts: HasMany<Post>,
    /// Posts that the user edited: a second relation between the same tables.
    #[covet(by = editor_id)]
    pub edited: HasMany<Post>,
    /// One, or none.
    pub profile: HasOne<Profile>,
}

/// Has-one.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Profile {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Unique, so that it is one.
    #[covet(references = User, on_delete = cascade, unique)]
    pub user_id: i64,
    /// Text of any length.
    pub bio: String,
    /// Back.
    pub user: BelongsTo<User>,
}

/// A post.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Post {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Who wrote it.
    #[covet(references = User, on_delete = cascade, index)]
    pub author_id: i64,
    /// Who edited it, if anybody did.
    #[covet(references = User, on_delete = set_null, index)]
    pub editor_id: Option<i64>,
    /// The title.
    #[covet(max_len = 200)]
    pub title: String,
    /// Has a default.
    #[covet(default = false)]
    pub published: bool,
    /// Counted in the database.
    #[covet(default = 0)]
    pub views: i64,
    /// By the database's clock.
    #[covet(default = now)]
    pub created_at: DateTime<Utc>,
    /// Who wrote it.
    pub author: BelongsTo<User>,
    /// Who edited it.
    pub editor: BelongsTo<Option<User>>,
    /// Many to many.
    pub tags: ManyToMany<Tag, PostTag>,
}

/// A tag.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Tag {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Unique.
    #[covet(unique, max_len = 50)]
    pub name: String,
    /// Many to many.
    pub posts: ManyToMany<Post, PostTag>,
}

/// Between posts and tags.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct PostTag {
    /// One half of the key.
    #[covet(key, references = Post, on_delete = cascade)]
    pub post_id: i64,
    /// The other half.
    #[covet(key, references = Tag, on_delete = cascade, index)]
    pub tag_id: i64,
}

/// Self-referential.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Category {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// The one above, if there is one.
    #[covet(references = Category, on_delete = restrict, index)]
    pub parent_id: Option<i64>,
    /// The name.
    pub name: String,
    /// Up.
    pub parent: BelongsTo<Option<Category>>,
    /// Down.
    pub children: HasMany<Category>,
}

/// A UUID key, an optimistic lock and times of writing.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(timestamps)]
pub struct Account {
    /// The key.
    #[covet(key)]
    pub id: Uuid,
    /// The owner.
    pub owner: String,
    /// Money.
    #[covet(decimal(20, 4))]
    pub balance: Decimal,
    /// Counted up by every write.
    #[covet(version)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was written last.
    pub updated_at: DateTime<Utc>,
}

/// A natural key.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key.
    #[covet(key, max_len = 100)]
    pub name: String,
    /// The value.
    pub value: String,
}

/// Writes a setting of this name.
///
/// # Errors
/// Those of the database.
pub async fn put(name: impl Into<String>, on: &Executor) -> covet_orm::Result<()> {
    Setting::create().name(name.into()).value("v").exec(on).await.map(drop)
}

/// A composite key, a composite unique and a composite index.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(unique(team, seat), index(team, joined))]
pub struct Member {
    /// Half of the key.
    #[covet(key)]
    pub team: i32,
    /// Half of the key.
    #[covet(key)]
    pub number: i32,
    /// Unique within the team.
    pub seat: i16,
    /// When.
    pub joined: NaiveDate,
}

/// Text that compares without case, beside text that does not.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Word {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// By code point.
    #[covet(unique, max_len = 100)]
    pub exact: String,
    /// Without case.
    #[covet(unique, max_len = 100, case_insensitive)]
    pub folded: String,
}

/// Has a unique column that the database makes from another.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Badge {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Unique.
    #[covet(unique, max_len = 100)]
    pub email: String,
    /// What the other is made from.
    #[covet(max_len = 50)]
    pub name: String,
    /// Unique as well.
    #[covet(unique, max_len = 50, generated = "lower(name)")]
    pub slug: Option<String>,
}

/// Has a unique column that may be NULL, and one that Covet fills.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Handle {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// Unique, where it is there.
    #[covet(unique, max_len = 50)]
    pub nick: Option<String>,
    /// New for each row.
    #[covet(default = uuid)]
    pub token: Uuid,
    /// A number.
    pub visits: i32,
}

/// Is pointed at by a text that is compared without case.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Club {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// What members point at.
    #[covet(unique, max_len = 50, case_insensitive)]
    pub code: String,
    /// Its members.
    pub mates: HasMany<Mate>,
}

/// Points by it.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Mate {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// The code of a club, in any case.
    #[covet(references = Club::code, max_len = 50, case_insensitive, index)]
    pub club_code: String,
    /// The club.
    pub club: BelongsTo<Club>,
}

/// Every type.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Sample {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// bool
    pub a_bool: bool,
    /// i8
    pub an_i8: i8,
    /// i16
    pub an_i16: i16,
    /// i32
    pub an_i32: i32,
    /// i64
    pub an_i64: i64,
    /// u8
    pub a_u8: u8,
    /// u16
    pub a_u16: u16,
    /// u32
    pub a_u32: u32,
    /// u64
    pub a_u64: u64,
    /// f32
    pub an_f32: f32,
    /// f64
    pub an_f64: f64,
    /// text
    pub text: String,
    /// text of a bounded length
    #[covet(max_len = 10)]
    pub short: String,
    /// bytes
    pub bytes: Vec<u8>,
    /// date
    pub date: NaiveDate,
    /// time
    pub time: NaiveTime,
    /// datetime
    pub datetime: NaiveDateTime,
    /// timestamp
    pub timestamp: DateTime<Utc>,
    /// uuid
    pub uuid: Uuid,
    /// decimal that fits 64 bits
    #[covet(decimal(18, 6))]
    pub decimal: Decimal,
    /// decimal that does not
    #[covet(decimal(28, 10))]
    pub wide: Decimal,
    /// json
    pub json: serde_json::Value,
    /// a serde type in json
    pub list: Json<Vec<i32>>,
    /// enum
    pub role: Role,
}

/// Every type, nullable.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Maybe {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// bool
    pub a_bool: Option<bool>,
    /// i8
    pub an_i8: Option<i8>,
    /// i16
    pub an_i16: Option<i16>,
    /// i32
    pub an_i32: Option<i32>,
    /// i64
    pub an_i64: Option<i64>,
    /// u8
    pub a_u8: Option<u8>,
    /// u16
    pub a_u16: Option<u16>,
    /// u32
    pub a_u32: Option<u32>,
    /// u64
    pub a_u64: Option<u64>,
    /// f32
    pub an_f32: Option<f32>,
    /// f64
    pub an_f64: Option<f64>,
    /// text
    pub text: Option<String>,
    /// bytes
    pub bytes: Option<Vec<u8>>,
    /// date
    pub date: Option<NaiveDate>,
    /// time
    pub time: Option<NaiveTime>,
    /// datetime
    pub datetime: Option<NaiveDateTime>,
    /// timestamp
    pub timestamp: Option<DateTime<Utc>>,
    /// uuid
    pub uuid: Option<Uuid>,
    /// decimal that fits 64 bits
    #[covet(decimal(18, 6))]
    pub decimal: Option<Decimal>,
    /// decimal that does not
    #[covet(decimal(28, 10))]
    pub wide: Option<Decimal>,
    /// json
    pub json: Option<serde_json::Value>,
    /// enum
    pub role: Option<Role>,
}

/// Pointed at by a unique column that is not its key.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Country {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// What others point at.
    #[covet(unique)]
    pub number: i64,
    /// Those that point here.
    pub cities: HasMany<City>,
}

/// Points at a unique column that is not the key.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct City {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// By number, not by key.
    #[covet(references = Country::number, index)]
    pub country_number: i64,
    /// The name.
    pub name: String,
    /// Where it lies.
    #[covet(by = country_number)]
    pub country: BelongsTo<Country>,
}

/// What a model says in SQL of its own.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(
    comment = "what is in stock",
    check(priced = "price > 0 OR amount = 0"),
    index(shelf, desc(amount)),
    foreign_key(building, room, references = Room(building, number), on_delete = cascade)
)]
pub struct Item {
    /// The key.
    #[covet(key)]
    pub id: i64,
    /// In cents.
    #[covet(comment = "in cents")]
    pub price: i32,
    /// How many.
    #[covet(check = "amount >= 0")]
    pub amount: i32,
    /// Made by the database.
    #[covet(generated = "price * amount")]
    pub total: Option<i32>,
    /// Made by the database when it is not given.
    #[covet(default_sql = "40 + 2")]
    pub shelf: i32,
    /// The building of its room.
    pub building: Option<i32>,
    /// Its room in the building.
    pub room: Option<i32>,
}

/// Pointed at by two columns together.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Room {
    /// The first part of the key.
    #[covet(key)]
    pub building: i32,
    /// The second.
    #[covet(key)]
    pub number: i32,
}
