//! What to look for in PostgreSQL's migrations: locks, rewrites, and values that change without a word.

mod constraints;
mod indexes;
mod live;
mod transaction;
mod types;

use crate::lint::{Lint, Reading, Rule, no_code};
use crate::postgres::connection::CAPABILITIES;
use crate::postgres::dialect::QUOTING;

/// The rules of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostgresLint;

static RULES: &[Rule] = &[
    indexes::PG01,
    indexes::PG02,
    live::PG03,
    indexes::PG04,
    constraints::PG05,
    constraints::PG06,
    constraints::PG07,
    constraints::PG08,
    types::PG09,
    types::PG10,
    types::PG11,
    types::PG12,
    transaction::PG13,
    transaction::PG14,
    constraints::PG15,
    types::PG16,
    types::PG17,
    types::PG18,
    indexes::PG19,
    types::PG20,
    transaction::PG21,
    live::PG22,
];

impl Lint for PostgresLint {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn readings(&self) -> &'static [Reading] {
        &[Reading { quoting: QUOTING, code: no_code }]
    }

    fn max_identifier(&self) -> usize {
        CAPABILITIES.max_identifier
    }

    fn one_transaction(&self) -> bool {
        CAPABILITIES.transactional_ddl
    }
}
