// Written by `cargo covet db pull` from a database of postgres.
// It needs the features chrono, rust_decimal, uuid, json of covet-orm, and the crates chrono, rust_decimal, uuid, serde_json.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
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
// - identity that is always generated ID
// - place of NULL in an index Weird Name's_type_nulls_agree_key: CREATE UNIQUE INDEX "Weird Name's_type_nulls_agree_key" ON public."Weird Name's" USING btree (type,…
// - place of NULL in an index Weird Name's_user name_key: CREATE UNIQUE INDEX "Weird Name's_user name_key" ON public."Weird Name's" USING btree ("user name")
#[derive(Model, Clone, Debug)]
#[covet(table = "Weird Name's")]
#[covet(unique(r#type, nulls_agree_))]
pub struct WeirdNameS {
    #[covet(key, column = "ID")]
    pub id: i32,
    pub r#type: Option<String>,
    #[covet(column = "self")]
    pub self_: Option<String>,
    #[covet(column = "create")]
    pub create_: Option<String>,
    #[covet(column = "find_by_x")]
    pub column_find_by_x: Option<String>,
    #[covet(column = "2fa")]
    pub _2fa: Option<String>,
    #[covet(column = "user name", unique)]
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
// - place of NULL in an index authors_nulls: CREATE UNIQUE INDEX authors_nulls ON public.authors USING btree (age, mentor_id) NULLS NOT DISTINCT
// - policy everybody
// - row level security authors
#[derive(Model, Clone, Debug)]
#[covet(table = "authors")]
#[covet(index(age, include(name)))]
#[covet(index(name, using = "hash", name = "authors_hash"))]
#[covet(unique(id, name = "authors_key_again"))]
#[covet(index(
    sql("lower(email::text)"),
    desc(age),
    where = "age IS NOT NULL",
    name = "authors_lower_age_idx"
))]
#[covet(unique(email, name = "authors_mail"))]
#[covet(unique(age, mentor_id, nulls_agree, name = "authors_nulls"))]
#[covet(index(
    name,
    using = "gin",
    opclass(name = "gin_trgm_ops"),
    name = "authors_trgm"
))]
#[covet(index(email, name = "authors_twice"))]
#[covet(check(
    sql("(((age >= 18) AND (name = ANY (ARRAY['a'::text, 'b'::text]))))"),
    name = "adults"
))]
#[covet(check(sql("((name <> ''::text))"), name = "authors_name_check"))]
#[covet(check(old = "((age < 200))"))]
pub struct Author {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len = 200)]
    pub email: String,
    pub name: String,
    #[covet(references = Author, on_delete = set_null)]
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
    // `country` is left out: its type is character(2), for which models have no word. Migrations leave it as it is.
    // It is NOT NULL and has no default: the model cannot insert rows.
    // pub country: character(2),
    #[covet(key, max_len = 2)]
    pub region: String,
    #[covet(key)]
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "every_types")]
#[covet(comment = "types; and 'quotes' \"of\" both kinds\non two lines")]
pub struct EveryType {
    #[covet(key)]
    pub id: i64,
    #[covet(default = true)]
    pub flag: bool,
    #[covet(default = -1)]
    pub i2: Option<i16>,
    #[covet(default = 5, comment = "in cents")]
    pub i4: Option<i32>,
    #[covet(default = -9000000000)]
    pub i8: Option<i64>,
    #[covet(default = 1.5)]
    pub f4: Option<f32>,
    #[covet(default = 1)]
    pub f8: f64,
    // `nan` is left out: its default is "NaN", which a model cannot say of f64. Migrations leave it as it is.
    // pub nan: Option<f64>,
    #[covet(max_len = 20, default = "it's \"x\" \\")]
    pub short: String,
    #[covet(default = "line\nbreak")]
    pub long: Option<String>,
    #[covet(default_sql = "upper('a'::text)")]
    pub expr: Option<String>,
    #[covet(default_sql = "'\\x00ff'::bytea")]
    pub bytes: Option<Vec<u8>>,
    #[covet(default_sql = "CURRENT_DATE")]
    pub d: Option<NaiveDate>,
    #[covet(default_sql = "'2020-01-02'::date")]
    pub d2: Option<NaiveDate>,
    pub t: Option<NaiveTime>,
    pub ts: Option<NaiveDateTime>,
    #[covet(default = now)]
    pub tz: Option<DateTime<Utc>>,
    #[covet(default_sql = "gen_random_uuid()")]
    pub u: Option<Uuid>,
    #[covet(decimal(10, 2), default = 1)]
    pub price: Option<Decimal>,
    #[covet(decimal(38, 10))]
    pub big: Option<Decimal>,
    #[covet(default_sql = "'{}'::jsonb")]
    pub j: Option<serde_json::Value>,
    #[covet(default = Mood::SoSo)]
    pub m: Option<Mood>,
    // `ip` is left out: its type is inet, for which models have no word. Migrations leave it as it is.
    // pub ip: Option<inet>,
    // `tags` is left out: its type is text[], for which models have no word. Migrations leave it as it is.
    // It is NOT NULL and has no default: the model cannot insert rows.
    // pub tags: text[],
    // `amount` is left out: its type is money, for which models have no word. Migrations leave it as it is.
    // pub amount: Option<money>,
    // `js` is left out: its type is json, for which models have no word. Migrations leave it as it is.
    // pub js: Option<json>,
    // `n` is left out: its type is numeric, for which models have no word. Migrations leave it as it is.
    // pub n: Option<numeric>,
    // `c` is left out: its type is character(3), for which models have no word. Migrations leave it as it is.
    // pub c: Option<character(3)>,
    // `v` is left out: its type is character varying, for which models have no word. Migrations leave it as it is.
    // pub v: Option<character varying>,
    // `pos` is left out: its type is positive, for which models have no word. Migrations leave it as it is.
    // pub pos: Option<positive>,
    // `span` is left out: its type is interval, for which models have no word. Migrations leave it as it is.
    // pub span: Option<interval>,
}

// The table `keyless` has no model: it has no primary key. Migrations leave it as it is.
// #[derive(Model, Clone, Debug)]
// #[covet(table = "keyless")]
// pub struct Keyless {
//     pub at: DateTime<Utc>,
//     pub what: Option<String>,
// }

// The table has more than the model says; migrations leave it as it is:
// - partition measured_2020: FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
// - partitioning measured: RANGE (at)
#[derive(Model, Clone, Debug)]
#[covet(table = "measured")]
pub struct Measured {
    #[covet(key)]
    pub id: i64,
    #[covet(key)]
    pub at: NaiveDate,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "option")]
pub struct OptionRow {
    #[covet(key, auto = false)]
    pub id: i64,
    pub option: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "options")]
pub struct OptionRow2 {
    #[covet(key, auto = false)]
    pub id: i64,
}

// The table has more than the model says; migrations leave it as it is:
// - exclusion constraint points_at_keyless_during_excl: EXCLUDE USING gist (during WITH &&)
#[derive(Model, Clone, Debug)]
#[covet(table = "points_at_keyless")]
pub struct PointsAtKeyless {
    #[covet(key, auto = false)]
    pub id: i64,
    // `during` is left out: its type is tsrange, for which models have no word. Migrations leave it as it is.
    // pub during: Option<tsrange>,
}

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
// - foreign key posts_big_author_fkey (big_author) to authors (id), on delete no action, on update no action: big_author is i32 and points at authors.id, which is i…
#[derive(Model, Clone, Debug)]
#[covet(table = "posts")]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(index, references = Author, on_delete = cascade, on_update = cascade)]
    pub author_id: i64,
    #[covet(references = Author, deferred, constraint = "edited_by")]
    pub editor: Option<i64>,
    #[covet(max_len = 200, references = Author::email, deferrable)]
    pub reviewer_mail: Option<String>,
    pub words: i32,
    #[covet(generated = "(words / 300)")]
    pub pages: Option<i32>,
    pub small: Option<i16>,
    pub big_author: Option<i32>,
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
    #[covet(key, references = Author)]
    pub author_id: i64,
    pub bio: Option<String>,
    pub author: BelongsTo<Author>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "shops")]
#[covet(foreign_key(city_region, city_name, references = City(region, name), on_delete = set_null, name = "shop_city"))]
#[covet(foreign_key(city_region, city_name, references = City(region, name)))]
pub struct Shop {
    #[covet(key, auto = false)]
    pub id: i64,
    #[covet(max_len = 2)]
    pub city_region: Option<String>,
    pub city_name: Option<String>,
    // `serial_number` is left out: the database numbers it, and a model can say that of a key of one integer alone. Migrations leave it as it is.
    // pub serial_number: i32,
}

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
    extension "pg_trgm" = { postgres = "" };
    function "touch" = { postgres = r"()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$BEGIN RETURN NEW; END$function$" };
    view "adult_authors" = { postgres = r"SELECT authors.id,
    authors.email,
    authors.name,
    authors.mentor_id,
    authors.age
   FROM authors
  WHERE (authors.age > 17)" };
    trigger "touched" on "authors" = { postgres = "BEFORE UPDATE ON authors FOR EACH ROW EXECUTE FUNCTION touch()" };
}

// The database has more, of which models say nothing; migrations leave it as it is:
// - domain positive: integer
// - enum Unused
// - materialized view author_counts
// - schema audit: tables: 1
// - sequence loose
// - view on_keyless
// - view on_view
