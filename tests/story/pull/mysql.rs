// Written by `cargo covet db pull` from a database of mysql.
// It needs the features chrono, rust_decimal, uuid, json of covet-orm, and the crates chrono, rust_decimal, uuid, serde_json.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use covet_orm::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[covet(name = "every_types_m_enum")]
pub enum EveryTypesMEnum {
    Happy,
    #[covet(rename = "so so")]
    SoSo,
    #[covet(rename = "SAD")]
    Sad,
    InReview,
    #[covet(rename = "+")]
    Label,
    #[covet(rename = "-")]
    Label2,
    #[covet(rename = "self")]
    SelfLabel,
    #[covet(rename = "1st")]
    N1st,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "Weird Name's")]
#[covet(unique(r#type, nulls_agree_, name = "type"))]
#[covet(unique(user_name_2, name = "user name"))]
pub struct WeirdNameS {
    #[covet(key, column = "ID")]
    pub id: i32,
    pub r#type: Option<i32>,
    #[covet(column = "self")]
    pub self_: Option<i32>,
    #[covet(column = "create")]
    pub create_: Option<i32>,
    #[covet(column = "find_by_x")]
    pub column_find_by_x: Option<i32>,
    #[covet(column = "2fa")]
    pub _2fa: Option<i32>,
    #[covet(column = "user name")]
    pub user_name_2: Option<i32>,
    #[covet(column = "userName")]
    pub user_name_3: Option<i32>,
    pub user_name: Option<i32>,
    pub größe: Option<i32>,
    #[covet(column = "%")]
    pub column: Option<i32>,
    #[covet(column = "a\"b\\\\")]
    pub a_b: Option<i32>,
    #[covet(column = "nulls_agree")]
    pub nulls_agree_: Option<i32>,
    #[covet(column = "deferred")]
    pub deferred_: Option<i32>,
    pub r#loop: Option<i32>,
}

// The table has more than the model says; migrations leave it as it is:
// - collation authors: email utf8mb4_bin, name utf8mb4_bin
// - index authors_part: over an expression or the beginning of a column, or no B-tree
// - index authors_words: over an expression or the beginning of a column, or no B-tree
#[derive(Model, Clone, Debug)]
#[covet(table = "authors")]
#[covet(index(desc(age), name, name = "authors_age"))]
#[covet(unique(id, name = "authors_key_again"))]
#[covet(unique(email, name = "authors_mail"))]
#[covet(index(email, name = "authors_twice"))]
#[covet(index(mentor_id, name = "mentor_id"))]
#[covet(check(sql("`name` <> ''"), name = "CONSTRAINT_1"))]
#[covet(check(sql("`age` >= 18 and `name` in ('a','b')"), name = "adults"))]
#[covet(check(old = "`age` < 200"))]
pub struct Author {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len = 200)]
    pub email: String,
    #[covet(max_len = 50)]
    pub name: String,
    #[covet(references = Author)]
    #[covet(on_delete = set_null)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "authors_ibfk_1")]
    pub mentor_id: Option<i64>,
    pub age: Option<i32>,
    pub mentor: BelongsTo<Option<Author>>,
    pub authors_by_mentor: HasMany<Author>,
    #[covet(by = author_id)]
    pub posts_by_author: HasMany<Post>,
    #[covet(by = editor)]
    pub posts_by_editor: HasMany<Post>,
    #[covet(by = reviewer_mail)]
    pub posts_by_reviewer_mail: HasMany<Post>,
    pub profile: HasOne<Profile>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "cities")]
pub struct City {
    pub code: i32,
    #[covet(key)]
    pub region: i32,
    #[covet(key)]
    pub name: i32,
}

// The table has more than the model says; migrations leave it as it is:
// - collation every_types: short utf8mb4_bin, same utf8mb4_general_ci, own utf8mb4_bin, long utf8mb4_bin
// - value on update changed: on update current_timestamp(6)
#[derive(Model, Clone, Debug)]
#[covet(table = "every_types")]
#[covet(comment = "types; and 'quotes' \"of\" both kinds")]
pub struct EveryType {
    #[covet(key)]
    pub id: u64,
    #[covet(default = true)]
    pub flag: bool,
    #[covet(default = -1)]
    pub i1: Option<i8>,
    pub i2: Option<i16>,
    #[covet(default = 5, comment = "in cents")]
    pub i4: Option<i32>,
    pub i8: Option<i64>,
    pub u1: Option<u8>,
    pub u2: Option<u16>,
    pub u4: Option<u32>,
    #[covet(default_sql = "18446744073709551615")]
    pub u8: Option<u64>,
    #[covet(default = 1.5)]
    pub f4: Option<f32>,
    #[covet(default = 1)]
    pub f8: f64,
    #[covet(max_len = 20, default = "it's \"x\" \\")]
    pub short: String,
    #[covet(max_len = 20, case_insensitive)]
    pub same: Option<String>,
    #[covet(max_len = 20, default_sql = "ucase('a')")]
    pub own: Option<String>,
    pub long: Option<String>,
    pub bytes: Option<Vec<u8>>,
    #[covet(default = "2020-01-02")]
    pub d: Option<NaiveDate>,
    pub t: Option<NaiveTime>,
    #[covet(default = now)]
    pub dt: Option<NaiveDateTime>,
    #[covet(default = now)]
    pub changed: Option<NaiveDateTime>,
    pub u: Option<Uuid>,
    #[covet(decimal(10, 2), default = 1.00)]
    pub price: Option<Decimal>,
    #[covet(decimal(38, 10))]
    pub big: Option<Decimal>,
    pub j: Option<serde_json::Value>,
    #[covet(default = EveryTypesMEnum::SoSo)]
    pub m: Option<EveryTypesMEnum>,
    // `old` is left out: its type is timestamp, for which models have no word. Migrations leave it as it is.
    // pub old: Option<timestamp>,
    // `secs` is left out: its type is datetime, for which models have no word. Migrations leave it as it is.
    // pub secs: Option<datetime>,
    // `y` is left out: its type is year(4), for which models have no word. Migrations leave it as it is.
    // pub y: Option<year(4)>,
    // `s` is left out: its type is set('a','b'), for which models have no word. Migrations leave it as it is.
    // pub s: Option<set('a','b')>,
    // `mid` is left out: its type is mediumint(9), for which models have no word. Migrations leave it as it is.
    // It is NOT NULL and has no default: the model cannot insert rows.
    // pub mid: mediumint(9),
    // `txt` is left out: its type is text, for which models have no word. Migrations leave it as it is.
    // pub txt: Option<text>,
    // `lat` is left out: its type is varchar(10) CHARACTER SET latin1, for which models have no word. Migrations leave it as it is.
    // pub lat: Option<varchar(10) CHARACTER SET latin1>,
    // `fix` is left out: its type is binary(3), for which models have no word. Migrations leave it as it is.
    // pub fix: Option<binary(3)>,
    // `geo` is left out: its type is point, for which models have no word. Migrations leave it as it is.
    // pub geo: Option<point>,
}

// The table `keyless` has no model: it has no primary key. Migrations leave it as it is.
// #[derive(Model, Clone, Debug)]
// #[covet(table = "keyless")]
// pub struct Keyless {
//     pub at: NaiveDateTime,
//     pub what: Option<i32>,
// }

#[derive(Model, Clone, Debug)]
#[covet(table = "option")]
pub struct OptionRow {
    #[covet(key, auto = false)]
    pub id: i64,
    pub option: Option<i32>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "options")]
pub struct OptionRow2 {
    #[covet(key, auto = false)]
    pub id: i64,
}

// The table has more than the model says; migrations leave it as it is:
// - engine other_engine: MyISAM
#[derive(Model, Clone, Debug)]
#[covet(table = "other_engine")]
pub struct OtherEngine {
    #[covet(key, auto = false)]
    pub id: i64,
}

// The table has more than the model says; migrations leave it as it is:
// - partitioning parted: HASH (`id`)
#[derive(Model, Clone, Debug)]
#[covet(table = "parted")]
pub struct Parted {
    #[covet(key, auto = false)]
    pub id: i64,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "post_tags")]
#[covet(index(tag_id, name = "tag_id"))]
pub struct PostTag {
    #[covet(key)]
    #[covet(references = Post)]
    #[covet(on_delete = cascade)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "post_tags_ibfk_2")]
    pub post_id: i64,
    #[covet(key)]
    #[covet(references = Tag)]
    #[covet(on_delete = cascade)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "post_tags_ibfk_1")]
    pub tag_id: Uuid,
    pub tag: BelongsTo<Tag>,
    pub post: BelongsTo<Post>,
}

// The table has more than the model says; migrations leave it as it is:
// - collation posts: reviewer_mail utf8mb4_bin
#[derive(Model, Clone, Debug)]
#[covet(table = "posts")]
#[covet(index(author_id, name = "author_id"))]
#[covet(index(reviewer_mail, name = "reviewer_mail"))]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Author)]
    #[covet(on_delete = cascade)]
    #[covet(on_update = cascade)]
    #[covet(constraint = "posts_ibfk_1")]
    pub author_id: i64,
    #[covet(references = Author)]
    #[covet(on_delete = restrict)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "edited_by")]
    pub editor: Option<i64>,
    #[covet(max_len = 200)]
    #[covet(references = Author::email)]
    #[covet(on_delete = restrict)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "posts_ibfk_2")]
    pub reviewer_mail: Option<String>,
    pub words: i32,
    #[covet(generated = "`words` DIV 300")]
    pub pages: Option<i32>,
    #[covet(generated_virtual = "`words` * 2")]
    pub halves: Option<i32>,
    pub author: BelongsTo<Author>,
    #[covet(by = editor)]
    pub author_row: BelongsTo<Option<Author>>,
    #[covet(by = reviewer_mail)]
    pub reviewer_mail_row: BelongsTo<Option<Author>>,
    pub tags: ManyToMany<Tag, PostTag>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "profiles")]
pub struct Profile {
    #[covet(key)]
    #[covet(references = Author)]
    #[covet(on_delete = restrict)]
    #[covet(on_update = restrict)]
    #[covet(constraint = "profiles_ibfk_1")]
    pub author_id: i64,
    pub bio: Option<i32>,
    pub author: BelongsTo<Author>,
}

// The table has more than the model says; migrations leave it as it is:
// - index serial_number unique (serial_number): it is over serial_number, which is left out
#[derive(Model, Clone, Debug)]
#[covet(table = "shops")]
#[covet(foreign_key(city_region, city_name, references = City(region, name), on_delete = set_null, on_update = restrict, name = "shop_city"))]
pub struct Shop {
    #[covet(key, auto = false)]
    pub id: i64,
    pub city_region: Option<i32>,
    pub city_name: Option<i32>,
    // `serial_number` is left out: the database numbers it, and a model can say that of a key of one integer alone. Migrations leave it as it is.
    // pub serial_number: i32,
}

// The table has more than the model says; migrations leave it as it is:
// - collation tags: label utf8mb4_bin
#[derive(Model, Clone, Debug)]
#[covet(table = "tags")]
#[covet(unique(label, name = "label"))]
pub struct Tag {
    #[covet(key)]
    pub id: Uuid,
    #[covet(max_len = 50)]
    pub label: String,
    pub posts: ManyToMany<Post, PostTag>,
}

// The table `wide_key` has no model: its primary key has 5 columns, and a model's has at most 4. Migrations leave it as it is.
// #[derive(Model, Clone, Debug)]
// #[covet(table = "wide_key")]
// pub struct WideKey {
//     #[covet(key)]
//     pub a: i32,
//     #[covet(key)]
//     pub b: i32,
//     #[covet(key)]
//     pub c: i32,
//     #[covet(key)]
//     pub d: i32,
//     #[covet(key)]
//     pub e: i32,
// }

covet_orm::objects! {
    view "adult_authors" = { mysql = "select `authors`.`id` AS `id` from `authors` where `authors`.`age` > 17" };
    trigger "capped" on "posts" = { mysql = "BEFORE INSERT ON `posts` FOR EACH ROW IF NEW.words > 999999 THEN SET NEW.words = 999999; END IF" };
    trigger "touched" on "authors" = { mysql = "BEFORE UPDATE ON `authors` FOR EACH ROW SET NEW.age = NEW.age" };
}

// The database has more, of which models say nothing; migrations leave it as it is:
// - view on_keyless
// - view on_view
