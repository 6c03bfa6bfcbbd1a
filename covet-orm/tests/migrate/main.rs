//! Migrations, from schemas to databases.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod home;
mod models;
mod sqlite;
mod story;
