//! What can go wrong with a migration: rules as data, and what they see.
//!
//! A rule looks at a [`Scene`]: the statements of a script, each [read](read()) into what it does, the schemas
//! before and after, and the changes and decisions that the script was made for. Rules that hold on every
//! database stand in `covet-orm`; each adapter brings its own by [`Lint`].
//!
//! A statement is read by its words and quotes and not by a grammar: enough to see what it is about. What
//! cannot be read says so ([`Read::is_whole`]), so that nothing passes for harmless because nobody understood it.

mod act;
mod alter;
mod cursor;
mod define;
mod read;
mod rule;
mod scene;
mod standing;
mod token;

pub use act::{
    Act, ColumnDef, Constraint, ConstraintKind, IndexDef, IndexTerm, TableDef, Transaction, TypeDef, What, mentions,
    mentions_table, text,
};
pub use read::{Read, read};
pub use rule::{At, Check, Hit, Lint, Live, Rule, Severity};
pub use scene::{Dependent, Rebuild, Scene, Statement, among, same};
pub use standing::Standing;
pub use token::{Reading, Token, TokenKind, no_code, tokens};
