//! Migrations from end to end: a project through many revisions, single changes with rows that are
//! in their way, and the command line tool itself.
#![allow(clippy::unwrap_used)]

mod by_the_program;
mod cargo_covet;
mod cases;
mod digits;
mod dump;
mod embedded;
mod hints;
mod history;
mod killed;
mod lint;
mod lost;
mod notation;
mod offline;
mod online;
mod place;
mod pooler;
mod pull;
mod random;
mod revisions;
mod rows;
mod runs;
mod schemas;
mod squashed;
mod steps_in_rust;
mod story;
mod teams;
mod tool;
mod transcript;
mod unmanaged;
mod unsaid;
mod waiting;
