-- What a schema of SQLite can have, as others and as Covet write it.
CREATE TABLE every_types (
    id INTEGER PRIMARY KEY,
    flag INTEGER NOT NULL DEFAULT 1 CONSTRAINT every_types_flag_check CHECK (flag IN (0, 1)),
    i4 INTEGER DEFAULT 5 CHECK (i4 BETWEEN -2147483648 AND 2147483647), i8 BIGINT DEFAULT -9000000000,
    f8 REAL NOT NULL DEFAULT 1, float FLOAT DEFAULT 1.5, really BOOLEAN DEFAULT true,
    short VARCHAR(20) NOT NULL DEFAULT 'it''s "x" \', long TEXT DEFAULT 'line
break', expr TEXT DEFAULT (upper('a')), bytes BLOB,
    day TEXT DEFAULT '2020-01-02' CHECK (date(day) IS day), limited TEXT CHECK (length(limited) <= 20),
    u BLOB CHECK (length(u) = 16), price INTEGER DEFAULT 150 CHECK (abs(price) < 100000000 * 100), j TEXT CHECK (json_valid(j)),
    m TEXT DEFAULT 'so so' CHECK ('mood' <> '' AND m IN ('happy', 'so so', 'SAD', 'in_review', '+', '-', 'self', '1st')),
    -- Models have no word for these.
    at DATETIME, amount NUMERIC(10, 2) NOT NULL, any_thing
);

CREATE TABLE "Weird Name's" (
    "ID" INTEGER PRIMARY KEY AUTOINCREMENT,
    "type" TEXT, "self" TEXT, "create" TEXT, "find_by_x" TEXT, "2fa" TEXT, "user name" TEXT, "userName" TEXT,
    user_name TEXT, "größe" TEXT, "%" TEXT, "a""b\" TEXT, "nulls_agree" TEXT, deferred TEXT, [loop] TEXT,
    "Evil
*/ // name" TEXT,
    UNIQUE ("type", "nulls_agree"), CONSTRAINT by_name UNIQUE ("user name")
);
CREATE TABLE option (id INTEGER PRIMARY KEY, "option" TEXT) STRICT;
CREATE TABLE options (id TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE authors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL CONSTRAINT authors_mail UNIQUE ON CONFLICT REPLACE,
    name TEXT NOT NULL CHECK (name <> ''), nick TEXT COLLATE NOCASE,
    mentor_id INTEGER REFERENCES Authors ON DELETE SET NULL,
    age INTEGER, CONSTRAINT adults CHECK (age >= 18 AND name IN ('a', 'b')), CONSTRAINT authors_old_ck CHECK (age < 200)
);
CREATE INDEX authors_expr ON authors (lower(email), age DESC) WHERE age IS NOT NULL;
CREATE INDEX authors_age_idx ON authors (age);
CREATE INDEX authors_other ON authors (name COLLATE NOCASE);
CREATE INDEX authors_twice ON authors (email);
CREATE UNIQUE INDEX authors_key_again ON authors (id);

CREATE TABLE posts (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES authors ON DELETE CASCADE ON UPDATE CASCADE,
    editor INTEGER CONSTRAINT edited_by REFERENCES authors DEFERRABLE INITIALLY DEFERRED,
    reviewer_mail TEXT REFERENCES authors (email),
    words INTEGER NOT NULL, pages INTEGER GENERATED ALWAYS AS (words / 300) STORED, halves INTEGER AS (words * 2),
    nowhere_id INTEGER REFERENCES nowhere, label TEXT REFERENCES authors
);
CREATE INDEX posts_author_id_idx ON posts (author_id);
CREATE TABLE tags (id BLOB PRIMARY KEY CHECK (length(id) = 16), label TEXT NOT NULL UNIQUE);
CREATE TABLE post_tags (
    tag_id BLOB NOT NULL REFERENCES tags ON DELETE CASCADE CHECK (length(tag_id) = 16),
    post_id INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
    PRIMARY KEY (post_id, tag_id)
);
CREATE TABLE profiles (author_id INTEGER PRIMARY KEY REFERENCES authors, bio TEXT);
CREATE TABLE cities (country TEXT NOT NULL, name TEXT NOT NULL, region TEXT NOT NULL, PRIMARY KEY (region, name));
CREATE TABLE shops (
    id INTEGER PRIMARY KEY, city_region TEXT, city_name TEXT,
    CONSTRAINT shop_city FOREIGN KEY (city_region, city_name) REFERENCES cities (region, name) ON DELETE SET NULL
);
CREATE TABLE wide_key (a, b, c, d, e, PRIMARY KEY (a, b, c, d, e));
CREATE TABLE keyless (at TEXT NOT NULL, what TEXT);
CREATE VIRTUAL TABLE words USING fts5(text);

CREATE VIEW adult_authors AS SELECT * FROM authors WHERE age > 17;
CREATE TRIGGER touched AFTER UPDATE ON authors BEGIN SELECT 1; END;
-- Nobody says what it reads.
CREATE VIEW on_keyless AS SELECT what FROM keyless;
CREATE VIEW on_view AS SELECT what FROM on_keyless;
