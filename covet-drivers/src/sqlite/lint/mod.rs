//! What to look for in SQLite's migrations: rebuilds that lose something, and what `ALTER TABLE` refuses.

mod alter;
mod live;
mod pragma;
mod rebuild;
mod tables;

use crate::lint::{Lint, Reading, Rule, no_code};
use crate::sqlite::dialect::QUOTING;

/// The rules of SQLite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqliteLint;

static RULES: &[Rule] = &[
    pragma::SL01,
    rebuild::SL02,
    rebuild::SL03,
    rebuild::SL04,
    rebuild::SL05,
    rebuild::SL06,
    rebuild::SL07,
    tables::SL08,
    alter::SL09,
    alter::SL10,
    alter::SL11,
    live::SL12,
    tables::SL13,
    rebuild::SL14,
    pragma::SL15,
    live::SL16,
];

impl Lint for SqliteLint {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn readings(&self) -> &'static [Reading] {
        &[Reading { quoting: QUOTING, code: no_code }]
    }

    fn max_identifier(&self) -> usize {
        usize::MAX
    }

    fn one_transaction(&self) -> bool {
        true
    }
}
