-- initial (20261124T233209Z_a4ac)

CREATE TABLE "tags" (
    "id" INTEGER NOT NULL CONSTRAINT "tags_pkey" PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL CONSTRAINT "tags_name_check" CHECK (length("name") <= 50)
) STRICT;

CREATE TABLE "users" (
    "id" INTEGER NOT NULL CONSTRAINT "users_pkey" PRIMARY KEY AUTOINCREMENT,
    "email" TEXT NOT NULL CONSTRAINT "users_email_check" CHECK (length("email") <= 320),
    "name" TEXT,
    "active" INTEGER NOT NULL DEFAULT 1 CONSTRAINT "users_active_check" CHECK ("active" IN (0, 1)),
    "role" TEXT NOT NULL DEFAULT 'reader' CONSTRAINT "users_role_check" CHECK ('role' <> '' AND "role" IN ('reader', 'editor'))
) STRICT;

CREATE TABLE "posts" (
    "id" INTEGER NOT NULL CONSTRAINT "posts_pkey" PRIMARY KEY AUTOINCREMENT,
    "author_id" INTEGER NOT NULL,
    "title" TEXT NOT NULL CONSTRAINT "posts_title_check" CHECK (length("title") <= 200),
    "published" INTEGER NOT NULL DEFAULT 0 CONSTRAINT "posts_published_check" CHECK ("published" IN (0, 1)),
    "views" INTEGER NOT NULL DEFAULT 0,
    "created_at" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) CONSTRAINT "posts_created_at_check" CHECK (datetime(substr("created_at", 1, 19) || 'Z') IS substr("created_at", 1, 19) AND substr("created_at", 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
    CONSTRAINT "posts_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "users" ("id") ON DELETE CASCADE
) STRICT;

CREATE TABLE "post_tags" (
    "post_id" INTEGER NOT NULL,
    "tag_id" INTEGER NOT NULL,
    CONSTRAINT "post_tags_pkey" PRIMARY KEY ("post_id", "tag_id"),
    CONSTRAINT "post_tags_post_id_fkey" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON DELETE CASCADE,
    CONSTRAINT "post_tags_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tags" ("id") ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX "tags_name_key" ON "tags" ("name");

CREATE UNIQUE INDEX "users_email_key" ON "users" ("email");

CREATE INDEX "posts_author_id_idx" ON "posts" ("author_id");

CREATE INDEX "post_tags_tag_id_idx" ON "post_tags" ("tag_id");
