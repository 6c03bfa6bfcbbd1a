-- What a schema of MySQL and MariaDB can have, as others write it.
CREATE TABLE every_types (
    id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
    flag tinyint(1) NOT NULL DEFAULT 1, i1 tinyint DEFAULT -1, i2 smallint, i4 int DEFAULT 5, i8 bigint,
    u1 tinyint unsigned, u2 smallint unsigned, u4 int unsigned, u8 bigint unsigned DEFAULT 18446744073709551615,
    f4 float DEFAULT 1.5, f8 double NOT NULL DEFAULT 1,
    short varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s "x" \\',
    same varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
    own varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT (upper('a')),
    `long` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    bytes longblob, d date DEFAULT '2020-01-02', t time(6), dt datetime(6) DEFAULT CURRENT_TIMESTAMP(6),
    changed datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    u binary(16), price decimal(10, 2) DEFAULT 1, big decimal(38, 10), j json,
    m enum('happy', 'so so', 'SAD', 'in_review', '+', '-', 'self', '1st') CHARACTER SET utf8mb4 DEFAULT 'so so',
    -- Models have no word for these.
    old timestamp NULL, secs datetime, y year, s set('a', 'b') CHARACTER SET utf8mb4, mid mediumint NOT NULL,
    txt text CHARACTER SET utf8mb4, lat varchar(10) CHARACTER SET latin1, fix binary(3), geo point
) COMMENT = 'types; and ''quotes'' "of" both kinds';
ALTER TABLE every_types MODIFY i4 int DEFAULT 5 COMMENT 'in cents';

CREATE TABLE `Weird Name's` (
    `ID` int AUTO_INCREMENT PRIMARY KEY,
    `type` int, `self` int, `create` int, `find_by_x` int, `2fa` int, `user name` int, `userName` int,
    user_name int, `größe` int, `%` int, `a"b\\` int, `nulls_agree` int, deferred int, `loop` int,
    UNIQUE (`type`, `nulls_agree`), UNIQUE (`user name`)
);
CREATE TABLE `option` (id bigint PRIMARY KEY, `option` int);
CREATE TABLE options (id bigint PRIMARY KEY);

CREATE TABLE authors (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    email varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    name varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    mentor_id bigint, age int,
    CONSTRAINT authors_mail UNIQUE (email),
    CONSTRAINT adults CHECK (age >= 18 AND name IN ('a', 'b')), CONSTRAINT authors_old_ck CHECK (age < 200),
    CHECK (name <> ''),
    FOREIGN KEY (mentor_id) REFERENCES authors (id) ON DELETE SET NULL
);
CREATE INDEX authors_age ON authors (age DESC, name);
CREATE INDEX authors_part ON authors (name(10));
CREATE FULLTEXT INDEX authors_words ON authors (name);
CREATE INDEX authors_twice ON authors (email);
CREATE UNIQUE INDEX authors_key_again ON authors (id);

CREATE TABLE posts (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    author_id bigint NOT NULL, editor bigint, reviewer_mail varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    words int NOT NULL, pages int GENERATED ALWAYS AS (words DIV 300) STORED, halves int GENERATED ALWAYS AS (words * 2) VIRTUAL,
    FOREIGN KEY (author_id) REFERENCES authors (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT edited_by FOREIGN KEY (editor) REFERENCES authors (id),
    FOREIGN KEY (reviewer_mail) REFERENCES authors (email)
);
CREATE TABLE tags (id binary(16) PRIMARY KEY, label varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE);
CREATE TABLE post_tags (
    tag_id binary(16) NOT NULL, post_id bigint NOT NULL, PRIMARY KEY (post_id, tag_id),
    FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE, FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE
);
CREATE TABLE profiles (author_id bigint PRIMARY KEY, bio int, FOREIGN KEY (author_id) REFERENCES authors (id));
CREATE TABLE cities (code int NOT NULL, name int NOT NULL, region int NOT NULL, PRIMARY KEY (region, name));
CREATE TABLE shops (
    id bigint PRIMARY KEY, city_region int, city_name int, serial_number int AUTO_INCREMENT UNIQUE,
    CONSTRAINT shop_city FOREIGN KEY (city_region, city_name) REFERENCES cities (region, name) ON DELETE SET NULL
);
CREATE TABLE wide_key (a int, b int, c int, d int, e int, PRIMARY KEY (a, b, c, d, e));
CREATE TABLE keyless (at datetime(6) NOT NULL, what int);
CREATE TABLE parted (id bigint PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;
CREATE TABLE other_engine (id bigint PRIMARY KEY) ENGINE = MyISAM;

CREATE VIEW adult_authors AS SELECT id FROM authors WHERE age > 17;
CREATE TRIGGER touched BEFORE UPDATE ON authors FOR EACH ROW SET NEW.age = NEW.age;
CREATE TRIGGER capped BEFORE INSERT ON posts FOR EACH ROW IF NEW.words > 999999 THEN SET NEW.words = 999999; END IF;
-- Nobody says what it reads.
CREATE VIEW on_keyless AS SELECT what FROM keyless;
CREATE VIEW on_view AS SELECT what FROM on_keyless;
