//! What is known to be wrong and is being mended: pairs that fail for that are counted apart. Empty when all is mended.

use covet_tests::Kind;

/// Database, a part of what is said, and the number of the finding.
const KNOWN: &[(Kind, &str, u8)] = &[
    (Kind::Postgres, "cannot alter type of a column used by a generated column", 7),
    (Kind::Postgres, "because other objects depend on it", 7),
    (Kind::Mysql, "[1054]", 7),
    (Kind::Mysql, "_fkey` (`", 6),
];

/// Whether names in expressions that the generator makes stand in quotes only, for as long as one without them does not
/// follow its column under a name that needs them (finding 8).
pub(crate) const QUOTED_ONLY: bool = true;

/// The finding that a failure is known by.
pub(crate) fn known(kind: Kind, error: &str) -> Option<u8> {
    KNOWN.iter().find(|(on, part, _)| *on == kind && error.contains(part)).map(|(.., number)| *number)
}
