// Written by `cargo covet db pull` from a database of sqlite.
// It needs the features chrono, rust_decimal, uuid, json of covet-orm, and the crates chrono, rust_decimal, uuid, serde_json.

use chrono::NaiveDate;
use covet_orm::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[covet(name = "mood")]
pub enum Mood {
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

// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT Weird Name's: a column may hold values of other types than its own
// - unique constraint Weird Name's_type_nulls_agree_key: its index goes with the table alone
// - unique constraint by_name: its index goes with the table alone
#[derive(Model, Clone, Debug)]
#[covet(table = "Weird Name's")]
#[covet(unique(r#type, nulls_agree_))]
#[covet(unique(user_name_2, name = "by_name"))]
pub struct WeirdNameS {
    #[covet(key, column = "ID")]
    pub id: i64,
    pub r#type: Option<String>,
    #[covet(column = "self")]
    pub self_: Option<String>,
    #[covet(column = "create")]
    pub create_: Option<String>,
    #[covet(column = "find_by_x")]
    pub column_find_by_x: Option<String>,
    #[covet(column = "2fa")]
    pub _2fa: Option<String>,
    #[covet(column = "user name")]
    pub user_name_2: Option<String>,
    #[covet(column = "userName")]
    pub user_name_3: Option<String>,
    pub user_name: Option<String>,
    pub größe: Option<String>,
    #[covet(column = "%")]
    pub column: Option<String>,
    #[covet(column = "a\"b\\")]
    pub a_b: Option<String>,
    #[covet(column = "nulls_agree")]
    pub nulls_agree_: Option<String>,
    #[covet(column = "deferred")]
    pub deferred_: Option<String>,
    pub r#loop: Option<String>,
    #[covet(column = "Evil\n*/ // name")]
    pub evil_name: Option<String>,
}

// The table has more than the model says; migrations leave it as it is:
// - collation nick: NOCASE
// - conflict clause authors
// - index with a collation authors_other: CREATE INDEX authors_other ON authors (name COLLATE NOCASE)
// - table that is not STRICT authors: a column may hold values of other types than its own
// - unique constraint authors_mail: its index goes with the table alone
#[derive(Model, Clone, Debug)]
#[covet(table = "authors")]
#[covet(index(
    sql("lower(email)"),
    desc(age),
    where = "age IS NOT NULL",
    name = "authors_expr"
))]
#[covet(unique(id, name = "authors_key_again"))]
#[covet(unique(email, name = "authors_mail"))]
#[covet(index(email, name = "authors_twice"))]
#[covet(check(sql("age >= 18 AND name IN ('a', 'b')"), name = "adults"))]
#[covet(check(name_1 = "name <> ''"))]
#[covet(check(old = "age < 200"))]
pub struct Author {
    #[covet(key)]
    pub id: i64,
    pub email: String,
    pub name: String,
    pub nick: Option<String>,
    #[covet(references = Author, on_delete = set_null)]
    pub mentor_id: Option<i64>,
    #[covet(index)]
    pub age: Option<i64>,
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

// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT cities: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "cities")]
pub struct City {
    pub country: String,
    #[covet(key)]
    pub region: String,
    #[covet(key)]
    pub name: String,
}

// The table has more than the model says; migrations leave it as it is:
// - declared type float: FLOAT
// - declared type i8: BIGINT
// - declared type really: BOOLEAN
// - declared type short: VARCHAR(20)
// - table that is not STRICT every_types: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "every_types")]
pub struct EveryType {
    #[covet(key)]
    pub id: i64,
    #[covet(default = true)]
    pub flag: bool,
    #[covet(default = 5)]
    pub i4: Option<i32>,
    #[covet(default = -9000000000)]
    pub i8: Option<i64>,
    #[covet(default = 1)]
    pub f8: f64,
    #[covet(default = 1.5)]
    pub float: Option<f64>,
    #[covet(default = true)]
    pub really: Option<bool>,
    #[covet(default = "it's \"x\" \\")]
    pub short: String,
    #[covet(default = "line\nbreak")]
    pub long: Option<String>,
    #[covet(default_sql = "upper('a')")]
    pub expr: Option<String>,
    pub bytes: Option<Vec<u8>>,
    #[covet(default = "2020-01-02")]
    pub day: Option<NaiveDate>,
    #[covet(max_len = 20)]
    pub limited: Option<String>,
    pub u: Option<Uuid>,
    #[covet(decimal(10, 2), default = 1.50)]
    pub price: Option<Decimal>,
    pub j: Option<serde_json::Value>,
    #[covet(default = Mood::SoSo)]
    pub m: Option<Mood>,
    // `at` is left out: its type is DATETIME, for which models have no word. Migrations leave it as it is.
    // pub at: Option<DATETIME>,
    // `amount` is left out: its type is NUMERIC(10,2), for which models have no word. Migrations leave it as it is.
    // It is NOT NULL and has no default: the model cannot insert rows.
    // pub amount: NUMERIC(10,2),
    // `any_thing` is left out: it has no type. Migrations leave it as it is.
    // pub any_thing: Option<>,
}

// The table `keyless` has no model: it has no primary key. Migrations leave it as it is.
// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT keyless: a column may hold values of other types than its own
// #[derive(Model, Clone, Debug)]
// #[covet(table = "keyless")]
// pub struct Keyless {
//     pub at: String,
//     pub what: Option<String>,
// }

#[derive(Model, Clone, Debug)]
#[covet(table = "option")]
pub struct OptionRow {
    #[covet(key)]
    pub id: i64,
    pub option: Option<String>,
}

// The table has more than the model says; migrations leave it as it is:
// - table WITHOUT ROWID options
// - table that is not STRICT options: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "options")]
pub struct OptionRow2 {
    #[covet(key)]
    pub id: String,
}

// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT post_tags: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "post_tags")]
pub struct PostTag {
    #[covet(key, references = Post, on_delete = cascade)]
    pub post_id: i64,
    #[covet(key, references = Tag, on_delete = cascade)]
    pub tag_id: Uuid,
    pub tag: BelongsTo<Tag>,
    pub post: BelongsTo<Post>,
}

// The table has more than the model says; migrations leave it as it is:
// - foreign key posts_label_fkey (label) to authors (id), on delete no action, on update no action: label is text and points at authors.id, which is i64
// - foreign key posts_nowhere_id_fkey (nowhere_id) to nowhere (), on delete no action, on update no action: it points at nowhere, which is not among the tables
// - table that is not STRICT posts: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "posts")]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(index, references = Author, on_delete = cascade, on_update = cascade)]
    pub author_id: i64,
    #[covet(references = Author, deferred, constraint = "edited_by")]
    pub editor: Option<i64>,
    #[covet(references = Author::email)]
    pub reviewer_mail: Option<String>,
    pub words: i64,
    #[covet(generated = "words / 300")]
    pub pages: Option<i64>,
    #[covet(generated_virtual = "words * 2")]
    pub halves: Option<i64>,
    pub nowhere_id: Option<i64>,
    pub label: Option<String>,
    pub author: BelongsTo<Author>,
    #[covet(by = editor)]
    pub author_row: BelongsTo<Option<Author>>,
    #[covet(by = reviewer_mail)]
    pub reviewer_mail_row: BelongsTo<Option<Author>>,
    pub tags: ManyToMany<Tag, PostTag>,
}

// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT profiles: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "profiles")]
pub struct Profile {
    #[covet(key, auto, references = Author)]
    pub author_id: i64,
    pub bio: Option<String>,
    pub author: BelongsTo<Author>,
}

// The table has more than the model says; migrations leave it as it is:
// - table that is not STRICT shops: a column may hold values of other types than its own
#[derive(Model, Clone, Debug)]
#[covet(table = "shops")]
#[covet(foreign_key(city_region, city_name, references = City(region, name), on_delete = set_null, name = "shop_city"))]
pub struct Shop {
    #[covet(key)]
    pub id: i64,
    pub city_region: Option<String>,
    pub city_name: Option<String>,
}

// The table has more than the model says; migrations leave it as it is:
// - key that may be NULL id
// - table that is not STRICT tags: a column may hold values of other types than its own
// - unique constraint tags_label_key: its index goes with the table alone
#[derive(Model, Clone, Debug)]
#[covet(table = "tags")]
pub struct Tag {
    #[covet(key)]
    pub id: Uuid,
    #[covet(unique)]
    pub label: String,
    pub posts: ManyToMany<Post, PostTag>,
}

// The table `wide_key` has no model: its primary key has 5 columns, and a model's has at most 4. Migrations leave it as it is.
// The table has more than the model says; migrations leave it as it is:
// - key that may be NULL a
// - key that may be NULL b
// - key that may be NULL c
// - key that may be NULL d
// - key that may be NULL e
// - table that is not STRICT wide_key: a column may hold values of other types than its own
// #[derive(Model, Clone, Debug)]
// #[covet(table = "wide_key")]
// pub struct WideKey {
//     // `a` is left out: it has no type. Migrations leave it as it is.
//     // It is NOT NULL and has no default: the model cannot insert rows.
//     // pub a: ,
//     // `b` is left out: it has no type. Migrations leave it as it is.
//     // It is NOT NULL and has no default: the model cannot insert rows.
//     // pub b: ,
//     // `c` is left out: it has no type. Migrations leave it as it is.
//     // It is NOT NULL and has no default: the model cannot insert rows.
//     // pub c: ,
//     // `d` is left out: it has no type. Migrations leave it as it is.
//     // It is NOT NULL and has no default: the model cannot insert rows.
//     // pub d: ,
//     // `e` is left out: it has no type. Migrations leave it as it is.
//     // It is NOT NULL and has no default: the model cannot insert rows.
//     // pub e: ,
// }

covet_orm::objects! {
    view "adult_authors" = { sqlite = "SELECT * FROM authors WHERE age > 17" };
    trigger "touched" on "authors" = { sqlite = "AFTER UPDATE ON authors BEGIN SELECT 1; END" };
}

// The database has more, of which models say nothing; migrations leave it as it is:
// - shadow table words_config
// - shadow table words_content
// - shadow table words_data
// - shadow table words_docsize
// - shadow table words_idx
// - view on_keyless
// - view on_view
// - virtual table words
