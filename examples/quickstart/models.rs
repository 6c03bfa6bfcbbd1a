//! A blog in three tables and a half.

use chrono::{DateTime, Utc};
use covet_orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Reader,
    Editor,
}

#[derive(Model, Clone, Debug)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(unique, max_len = 320)]
    pub email: String,
    pub name: Option<String>,
    #[covet(default = true)]
    pub active: bool,
    #[covet(default = Role::Reader)]
    pub role: Role,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug)]
pub struct Post {
    #[covet(key)]
    pub id: i64,
    #[covet(references = User, on_delete = cascade, index)]
    pub author_id: i64,
    #[covet(max_len = 200)]
    pub title: String,
    #[covet(default = false)]
    pub published: bool,
    #[covet(default = 0)]
    pub views: i64,
    #[covet(default = now)]
    pub created_at: DateTime<Utc>,
    pub author: BelongsTo<User>,
    pub tags: ManyToMany<Tag, PostTag>,
}

#[derive(Model, Clone, Debug)]
pub struct Tag {
    #[covet(key)]
    pub id: i64,
    #[covet(unique, max_len = 50)]
    pub name: String,
}

#[derive(Model, Clone, Debug)]
pub struct PostTag {
    #[covet(key, references = Post, on_delete = cascade)]
    pub post_id: i64,
    #[covet(key, references = Tag, on_delete = cascade, index)]
    pub tag_id: i64,
}
