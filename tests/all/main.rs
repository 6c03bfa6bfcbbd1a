//! Everything that crosses crates, in one binary: what a user does, on every database.

#![allow(clippy::unwrap_used)] // a test that panics has failed, which is what it is for

mod apart;
mod bad_input;
mod boundaries;
mod buggify;
mod bulk;
mod cancellation;
mod claims;
mod compile_fail;
mod copy;
mod crud;
mod deadlocks;
mod emulated;
mod expressions;
mod faults;
mod graph;
mod health;
mod hostile;
mod insert_all;
mod kills;
mod listen;
mod many;
mod memory;
mod mutants;
mod names;
mod outcomes;
mod own_sql;
mod pool;
mod quickstart;
mod relations;
mod round_trips;
mod scenarios;
mod sizes;
mod sql_text;
mod streams;
mod switch;
mod text;
mod ticker;
mod tidy;
mod transactions;
mod two_phase;
mod types;
mod upkeep;
mod upsert;
