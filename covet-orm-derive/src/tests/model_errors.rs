//! Mistakes in models: the words of each, and that all are reported at once.

use super::{messages, model};

macro_rules! refused {
    ($($name:ident: { $($fields:tt)* } => $($message:literal),+;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(messages(model!(struct A { $($fields)* })), [$($message),+]);
        }
    )+};
}

refused! {
    misspelt: { #[covet(key)] id: i64, #[covet(uniqe)] a: i32 } =>
        "`uniqe` is no attribute of a column\nhelp: did you mean `unique`?";
    misplaced: { #[covet(key)] id: i64, #[covet(table = "x")] a: i32 } =>
        "`table` belongs on a model's struct, and this is a column";
    relation_word: { #[covet(key)] id: i64, #[covet(by = b)] a: i32 } =>
        "`by` belongs on a relation, and this is a column";
    column_word: { #[covet(key)] id: i64, #[covet(unique)] a: HasMany<B> } =>
        "`unique` belongs on a column, and this is a relation";
    twice: { #[covet(key)] id: i64, #[covet(max_len = 3)] #[covet(max_len = 4)] a: String } => "`max_len` is given twice";
    without_value: { #[covet(key)] id: i64, #[covet(max_len)] a: String } => "`max_len` is written `max_len = 320`";
    with_value: { #[covet(key = true)] id: i64 } => "`key` is written `key`";
    bare: { #[covet(key)] id: i64, #[covet] a: i32 } => "attributes are written `#[covet(…)]`";
    no_word: { #[covet(key)] id: i64, #[covet("unique")] a: i32 } => "expected a word such as `key` or `unique`";
    no_key: { id: i64 } => "`A` has no key\nhelp: mark the field that tells rows apart: `#[covet(key)]` on `id`";
    nullable_key: { #[covet(key)] id: Option<i64> } => "`id` is of the key: it cannot be an `Option`";
    long_key: { #[covet(key)] a: i8, #[covet(key)] b: i8, #[covet(key)] c: i8, #[covet(key)] d: i8, #[covet(key)] e: i8 } =>
        "the key has 5 columns, and may have 4";
    auto_text: { #[covet(key, auto)] id: String } => "`auto` is for numbers, and `id` is not";
    auto_no_key: { #[covet(key)] id: i64, #[covet(auto)] a: i64 } => "`auto` is for the key, and `a` is not";
    auto_default: { #[covet(key, auto, default = 5)] id: i64 } => "`id` is numbered by the database: it takes no default";
    reserved: { #[covet(key)] id: i64, query: String } =>
        "`query` is taken: `A::query` is a function of the model\nhelp: keep the column: `#[covet(column = \"query\")] query_`";
    reserved_find_by: { #[covet(key)] id: i64, find_by_x: String } =>
        "`find_by_x` is taken: `A::find_by_x` is a function of the model\nhelp: keep the column: `#[covet(column = \"find_by_x\")] find_by_x_`";
    reserved_relation: { #[covet(key)] id: i64, update: HasMany<B> } =>
        "`update` is taken: `A::update` is a function of the model\nhelp: give the relation another name";
    reserved_builder: { #[covet(key)] id: i64, exec: String } =>
        "`exec` is taken: `A::create().exec(…)` is a function already\nhelp: keep the column: `#[covet(column = \"exec\")] exec_`";
    same_column: { #[covet(key)] id: i64, a: i32, #[covet(column = "a")] b: i32 } => "`a` and `b` are both the column `a`";
    decimal_missing: { #[covet(key)] id: i64, a: Option<Decimal> } =>
        "`a` needs a number of digits\nhelp: `#[covet(decimal(10, 2))]` keeps ten digits, two of them after the point";
    decimal_precision: { #[covet(key)] id: i64, #[covet(decimal(39, 2))] a: Decimal } => "a decimal has from 1 to 38 digits";
    decimal_scale: { #[covet(key)] id: i64, #[covet(decimal(4, 5))] a: Decimal } =>
        "of 4 digits at most 4 can stand after the point";
    decimal_one: { #[covet(key)] id: i64, #[covet(decimal(4))] a: Decimal } => "`decimal` is written `decimal(10, 2)`";
    decimal_of_text: { #[covet(key)] id: i64, #[covet(decimal(4, 2))] a: String } =>
        "`decimal` is for a `Decimal`, and `a` is not";
    max_len_zero: { #[covet(key)] id: i64, #[covet(max_len = 0)] a: String } =>
        "`max_len` is a number of characters from 1 to 4294967295";
    max_len_of_number: { #[covet(key)] id: i64, #[covet(max_len = 3)] a: i32 } => "`max_len` is for text, and `a` is not";
    case_of_number: { #[covet(key)] id: i64, #[covet(case_insensitive)] a: i32 } =>
        "`case_insensitive` is for text, and `a` is not";
    version_of_text: { #[covet(key)] id: i64, #[covet(version)] a: String } => "`version` is for an integer, and `a` is not";
    two_versions: { #[covet(key)] id: i64, #[covet(version)] a: i64, #[covet(version)] b: i64 } =>
        "`A` has a version already: a model has one";
    version_default: { #[covet(key)] id: i64, #[covet(version, default = 3)] a: i64 } =>
        "`a` is the version and begins at 1: it takes no default";
    version_key: { #[covet(key, version)] a: i64 } => "`a` is the version and counts writes: it cannot have `key`";
    default_bool: { #[covet(key)] id: i64, #[covet(default = true)] a: String } => "the default is a bool, and the column is not";
    default_text: { #[covet(key)] id: i64, #[covet(default = "1")] a: i32 } => "the default is text, and the column is not";
    default_fraction: { #[covet(key)] id: i64, #[covet(default = 1.5)] a: i32 } =>
        "the default is a number with a fraction, and the column is not";
    default_now: { #[covet(key)] id: i64, #[covet(default = now)] a: i32 } => "the default is a time, and the column is not";
    default_range: { #[covet(key)] id: i64, #[covet(default = -1)] a: u8 } => "the default is not between 0 and 255";
    default_digits: { #[covet(key)] id: i64, #[covet(decimal(4, 2), default = 1.125)] a: Decimal } =>
        "the default does not fit `decimal(4, 2)`, written without exponent";
    default_long: { #[covet(key)] id: i64, #[covet(max_len = 2, default = "abc")] a: String } =>
        "the default is longer than `max_len = 2`";
    default_sum: { #[covet(key)] id: i64, #[covet(default = 1 + 1)] a: i32 } =>
        "this cannot be a default\nhelp: a default is a literal, `now`, `uuid`, or a variant with its enum, as in `Role::Reader`";
    default_of_int_by_variant: { #[covet(key)] id: i64, #[covet(default = Role::Reader)] a: i32 } =>
        "the default is a variant of an enum, and the column is not";
    unique_and_index: { #[covet(key)] id: i64, #[covet(unique, index)] a: i32 } =>
        "`unique` makes an index already: leave out `index`";
    unique_key: { #[covet(key, unique)] id: i64 } => "the key is unique already";
    action_alone: { #[covet(key)] id: i64, #[covet(on_delete = cascade)] a: i64 } =>
        "`on_delete` needs `references = …` beside it";
    action_unknown: { #[covet(key)] id: i64, #[covet(references = B, on_delete = casacde)] a: i64 } =>
        "`casacde` is nothing that a foreign key can do\nhelp: did you mean `cascade`?";
    set_null: { #[covet(key)] id: i64, #[covet(references = B, on_delete = set_null)] a: i64 } =>
        "`a` cannot be NULL\nhelp: make it an `Option`, or choose another action for `a`";
    set_default: { #[covet(key)] id: i64, #[covet(references = B, on_delete = set_default)] a: i64 } =>
        "`a` has no default: add `default = …`, or choose another action";
    belongs_to_nothing: { #[covet(key)] id: i64, b: BelongsTo<B> } =>
        "`b` has no foreign key\nhelp: add a column `b_id`, or name it: `#[covet(by = …)]`";
    belongs_to_two: { #[covet(key)] id: i64, #[covet(references = B)] x: i64, #[covet(references = B)] y: i64, b: BelongsTo<B> } =>
        "`b` could go by more than one foreign key\nhelp: say which with `#[covet(…)]`: `by = x` or `by = y`";
    belongs_to_misspelt: { #[covet(key)] id: i64, boss_id: i64, #[covet(by = bos_id)] b: BelongsTo<B> } =>
        "there is no column `bos_id`\nhelp: did you mean `boss_id`?";
    belongs_to_nullable: { #[covet(key)] id: i64, b_id: Option<i64>, b: BelongsTo<B> } =>
        "`b_id` may be NULL: make `b` a `BelongsTo<Option<B>>`";
    belongs_to_never_null: { #[covet(key)] id: i64, b_id: i64, b: BelongsTo<Option<B>> } =>
        "`b_id` is never NULL: make `b` a `BelongsTo<B>`";
    belongs_to_other: { #[covet(key)] id: i64, #[covet(references = C)] b_id: i64, b: BelongsTo<B> } =>
        "`b_id` references `C`, and `b` belongs to `B`";
    has_many_option: { #[covet(key)] id: i64, b: HasMany<Option<B>> } => "`HasMany` takes the model itself, without `Option`";
    has_many_to: { #[covet(key)] id: i64, #[covet(to = x)] b: HasMany<B> } => "`to` is for `ManyToMany`, and `b` is a `HasMany`";
    has_many_of_composite: { #[covet(key)] x: i64, #[covet(key)] y: i64, b: HasMany<B> } =>
        "the key of `A` has 2 columns, and a row points here with one";
    many_to_many_itself: { #[covet(key)] id: i64, #[covet(by = x)] b: ManyToMany<A, L> } =>
        "`b` links `A` with itself, and `L` points at it twice\nhelp: name both columns of `L`: `#[covet(by = …, to = …)]`";
    all_at_once: { id: i64, #[covet(uniqe)] a: i32, #[covet(default = "x", max_len = 3, nothing)] b: i32, c: BelongsTo<C> } =>
        "`uniqe` is no attribute of a column\nhelp: did you mean `unique`?",
        "`nothing` is no attribute of a column\nhelp: there are `key`, `column`, `unique`, `index`, `default`, `max_len`, `decimal`, `references`, `on_delete`, `on_update`, `version`, `case_insensitive`, `auto`, `check`, `generated`, `generated_virtual`, `default_sql`, `comment`, `deferrable`, `deferred`, `constraint`, `renamed_from`, `backfill`",
        "the default is text, and the column is not",
        "`max_len` is for text, and `b` is not",
        "`c` has no foreign key\nhelp: add a column `c_id`, or name it: `#[covet(by = …)]`",
        "`A` has no key\nhelp: mark the field that tells rows apart: `#[covet(key)]` on `id`";
}

macro_rules! refused_at_struct {
    ($($name:ident: [$($attr:tt)*] { $($fields:tt)* } => $($message:literal),+;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(messages(model!(#[covet($($attr)*)] struct A { #[covet(key)] id: i64, $($fields)* })), [$($message),+]);
        }
    )+};
}

refused_at_struct! {
    struct_word: [tabel = "x"] {} => "`tabel` is no attribute of a model's struct\nhelp: did you mean `table`?";
    schema_empty: [schema = ""] {} => "a schema's name cannot be empty or contain NUL";
    schema_no_text: [schema = billing] {} => "`schema` is written `schema = \"billing\"`";
    schema_of_the_server: [schema = "pg_temp"] {} => "the schema `pg_temp` belongs to PostgreSQL itself";
    schema_twice: [schema = "a", schema = "b"] {} => "`schema` is given twice";
    table_empty: [table = ""] {} => "a table's name cannot be empty or contain NUL";
    key_at_struct: [key] {} => "`key` belongs on a column, and this is a model's struct";
    timestamps_both: [timestamps] {} =>
        "`timestamps` needs two columns, `created_at` and `updated_at`\nhelp: add them as `DateTime<Utc>`, or name others: `timestamps(created = …, updated = …)`";
    timestamps_one: [timestamps] { created_at: DateTime<Utc> } =>
        "`timestamps` needs a column `updated_at`\nhelp: add `updated_at: DateTime<Utc>`, or name another: `timestamps(updated = …)`";
    timestamps_type: [timestamps] { created_at: i64, updated_at: Option<DateTime<Utc>> } =>
        "`created_at` is a timestamp: make it a `DateTime<Utc>` or `NaiveDateTime`",
        "`updated_at` is a timestamp: make it a `DateTime<Utc>` or `NaiveDateTime`";
    timestamps_part: [timestamps(creatd = id)] { created_at: DateTime<Utc>, updated_at: DateTime<Utc> } =>
        "`creatd` is no part of `timestamps`\nhelp: did you mean `created`?";
    index_class_elsewhere: [index(a, opclass(b = "x"))] { a: i32, b: i32 } =>
        "`b` has an operator class and is not in this index";
    index_class_unknown: [index(a, opclass(aa = "x"))] { a: i32 } => "there is no column `aa`\nhelp: did you mean `a`?";
    index_class_no_text: [index(a, opclass(a))] { a: i32 } =>
        "`opclass` is written `opclass(name = \"text_pattern_ops\")`";
    index_nulls_agree: [index(a, nulls_agree)] { a: i32 } =>
        "`nulls_agree` is said of an index that is not unique\nhelp: in a unique one two NULLs clash by it; in this one nothing clashes";
    index_unknown: [unique(city, name)] { ctiy: i32, name: i32 } => "there is no column `city`\nhelp: did you mean `ctiy`?";
    index_relation: [index(b)] { b: HasMany<B> } => "`b` is a relation: an index is over columns";
    index_column_twice: [index(a, a)] { a: i32 } => "`a` is in this index twice";
    index_twice: [unique(a, b), index(a, b)] { a: i32, b: i32 } => "there is an index over `a`, `b` already";
    index_empty: [index()] {} => "`index` is written `index(first, second)` or `index(first, second, name = \"…\")`";
    index_bare: [index] {} => "`index` is written `index(first, second)` or `index(first, second, name = \"…\")`";
}
