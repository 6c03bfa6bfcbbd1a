//! Every word that a user may write in `#[covet(…)]`, once, and where it may stand.

/// A word and how it is written.
#[derive(Clone, Copy)]
pub(crate) struct Word {
    /// The word alone.
    pub(crate) text: &'static str,
    /// An example of the whole form.
    pub(crate) form: &'static str,
}

macro_rules! words {
    ($($name:ident = $text:literal, $form:literal;)+) => {
        $(pub(crate) const $name: Word = Word { text: $text, form: $form };)+
    };
}

words! {
    TABLE = "table", "table = \"users\"";
    SCHEMA = "schema", "schema = \"billing\"";
    TIMESTAMPS = "timestamps", "timestamps` or `timestamps(created = made_at, updated = changed_at)";
    CREATED = "created", "created = made_at";
    UPDATED = "updated", "updated = changed_at";
    KEY = "key", "key";
    COLUMN = "column", "column = \"email\"";
    UNIQUE = "unique", "unique";
    INDEX = "index", "index";
    DEFAULT = "default", "default = …";
    MAX_LEN = "max_len", "max_len = 320";
    DECIMAL = "decimal", "decimal(10, 2)";
    REFERENCES = "references", "references = User` or `references = User::code";
    ON_DELETE = "on_delete", "on_delete = cascade";
    ON_UPDATE = "on_update", "on_update = cascade";
    VERSION = "version", "version";
    CASE_INSENSITIVE = "case_insensitive", "case_insensitive";
    AUTO = "auto", "auto = false";
    CHECK = "check", "check = \"age >= 0\"` or `check(postgres = \"…\", sqlite = \"…\")";
    GENERATED = "generated", "generated = \"price * amount\"";
    GENERATED_VIRTUAL = "generated_virtual", "generated_virtual = \"price * amount\"";
    DEFAULT_SQL = "default_sql", "default_sql = \"lower('A')\"";
    COMMENT = "comment", "comment = \"in cents\"";
    CHECKS = "check", "check(adult = \"age >= 18\")` or `check(sql(\"age >= 18\"), name = \"adults\")";
    CHECK_NAME = "name", "name = \"adults\"";
    FOREIGN_KEY = "foreign_key", "foreign_key(country, city, references = City(country, name))";
    DESCENDING = "desc", "desc(created_at)";
    WHERE = "where", "where = \"deleted_at IS NULL\"";
    INCLUDE = "include", "include(name)";
    USING = "using", "using = \"gin\"";
    OPCLASS = "opclass", "opclass(name = \"text_pattern_ops\")";
    SQL = "sql", "sql(\"lower(email)\")";
    NULLS_AGREE = "nulls_agree", "nulls_agree";
    DEFERRABLE = "deferrable", "deferrable";
    DEFERRED = "deferred", "deferred";
    CONSTRAINT = "constraint", "constraint = \"posts_author\"";
    KEY_NAME = "name", "name = \"posts_author\"";
    RENAMED_FROM = "renamed_from", "renamed_from = \"old_name\"";
    BACKFILL = "backfill", "backfill = 0";
    BY = "by", "by = author_id";
    TO = "to", "to = tag_id";
    NAME = "name", "name = \"user_role\"";
    RENAME_ALL = "rename_all", "rename_all = \"kebab-case\"";
    RENAME = "rename", "rename = \"admin\"";
    UNIQUE_LIST = "unique", "unique(first, second)` or `unique(first, second, name = \"…\")";
    INDEX_LIST = "index", "index(first, second)` or `index(first, second, name = \"…\")";
    INDEX_NAME = "name", "name = \"users_by_name\"";
}

/// What may stand in `index(…)` and `unique(…)` beside columns.
pub(crate) const PARTS_OF_INDEX: &[Word] = &[INDEX_NAME, WHERE, INCLUDE, USING, DESCENDING, SQL];
/// What may stand in a `check(…)` that is given its whole name.
pub(crate) const PARTS_OF_CHECK: &[Word] = &[SQL, CHECK_NAME];
/// What may stand in `foreign_key(…)` beside columns.
pub(crate) const PARTS_OF_FOREIGN_KEY: &[Word] = &[REFERENCES, ON_DELETE, ON_UPDATE, DEFERRABLE, DEFERRED, KEY_NAME];

/// Defaults that are words.
pub(crate) const NOW: &str = "now";
/// A new UUID, version 7, made by Covet.
pub(crate) const UUID: &str = "uuid";

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Model,
    Column,
    Relation,
    Enum,
    Variant,
    Newtype,
}

impl Place {
    /// The words that may stand there.
    pub(crate) fn words(self) -> &'static [Word] {
        match self {
            Place::Model => {
                &[TABLE, SCHEMA, TIMESTAMPS, UNIQUE_LIST, INDEX_LIST, CHECKS, FOREIGN_KEY, COMMENT, RENAMED_FROM]
            }
            Place::Column => &[
                KEY,
                COLUMN,
                UNIQUE,
                INDEX,
                DEFAULT,
                MAX_LEN,
                DECIMAL,
                REFERENCES,
                ON_DELETE,
                ON_UPDATE,
                VERSION,
                CASE_INSENSITIVE,
                AUTO,
                CHECK,
                GENERATED,
                GENERATED_VIRTUAL,
                DEFAULT_SQL,
                COMMENT,
                DEFERRABLE,
                DEFERRED,
                CONSTRAINT,
                RENAMED_FROM,
                BACKFILL,
            ],
            Place::Relation => &[BY, TO],
            Place::Enum => &[NAME, SCHEMA, RENAME_ALL],
            Place::Variant => &[RENAME, RENAMED_FROM],
            Place::Newtype => &[],
        }
    }

    /// The place in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Place::Model => "a model's struct",
            Place::Column => "a column",
            Place::Relation => "a relation",
            Place::Enum => "an enum",
            Place::Variant => "a variant",
            Place::Newtype => "a newtype",
        }
    }

    /// The places of the same derive.
    fn siblings(self) -> &'static [Place] {
        match self {
            Place::Model | Place::Column | Place::Relation => &[Place::Column, Place::Relation, Place::Model],
            Place::Enum | Place::Variant => &[Place::Enum, Place::Variant],
            Place::Newtype => &[],
        }
    }

    /// The other place of the same derive where this word may stand.
    pub(crate) fn other(self, word: &str) -> Option<Place> {
        self.siblings().iter().copied().find(|place| place.words().iter().any(|known| known.text == word))
    }
}

/// What a foreign key can do: the word, and the variant of `Action` that it stands for.
pub(crate) const ACTIONS: &[(&str, &str)] = &[
    ("cascade", "Cascade"),
    ("restrict", "Restrict"),
    (SET_NULL, "SetNull"),
    (SET_DEFAULT, "SetDefault"),
    ("no_action", "NoAction"),
];
/// The action that needs a nullable column.
pub(crate) const SET_NULL: &str = "set_null";
/// The action that needs a default.
pub(crate) const SET_DEFAULT: &str = "set_default";

/// The types of the relation fields.
pub(crate) const RELATIONS: &[&str] = &[BELONGS_TO, HAS_ONE, HAS_MANY, MANY_TO_MANY];
/// `BelongsTo<User>` or `BelongsTo<Option<User>>`
pub(crate) const BELONGS_TO: &str = "BelongsTo";
/// `HasOne<Profile>`
pub(crate) const HAS_ONE: &str = "HasOne";
/// `HasMany<Post>`
pub(crate) const HAS_MANY: &str = "HasMany";
/// `ManyToMany<Tag, PostTag>`
pub(crate) const MANY_TO_MANY: &str = "ManyToMany";

/// Functions that are reached as `User::x` and that a column or relation of that name would hide.
pub(crate) const FUNCTIONS: &[&str] = &[
    "create",
    "query",
    "find",
    "insert_many",
    "insert_all",
    "update",
    "save",
    "delete",
    "decode",
    "get",
    "set",
    "meta",
];
/// How the functions begin that find a row by a unique index.
pub(crate) const FIND_BY: &str = "find_by_";
/// Functions of the builder that `create` gives.
pub(crate) const BUILDER: &[&str] = &["exec", "on_conflict"];

/// The most bytes that every database keeps of an identifier or an enum label.
pub(crate) const MAX_IDENTIFIER: usize = 63;
/// The most columns of a primary key.
pub(crate) const MAX_KEY: usize = 4;

/// The spellings that `rename_all` knows.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Lower,
    Upper,
    Snake,
    ScreamingSnake,
    Kebab,
    Camel,
    Pascal,
}

/// Each spelling's name.
pub(crate) const CASES: &[(&str, Case)] = &[
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
];
