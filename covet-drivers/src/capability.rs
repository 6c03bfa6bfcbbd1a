//! What a database can do, as facts. A fact is a field here; a spelling is a [`Dialect`](crate::render::Dialect) method.

/// The facts about one server (or one kind of server) that neutral code asks for.
///
/// There is deliberately no `Default`: an adapter states every fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// `INSERT … RETURNING`.
    pub returning_on_insert: bool,
    /// `UPDATE … RETURNING`.
    pub returning_on_update: bool,
    /// `DELETE … RETURNING`.
    pub returning_on_delete: bool,
    /// `DEFAULT` can stand for a value in a row of an insert.
    pub default_as_value: bool,
    /// An upsert can name the unique key that is meant; where this is false (MySQL, MariaDB) a
    /// conflict with any unique key of the table counts. True on PostgreSQL and SQLite.
    pub conflict_target: bool,
    /// A select can lock the rows that it reads (`FOR UPDATE`).
    pub row_locks: bool,
    /// DDL takes part in a transaction and can be rolled back.
    pub transactional_ddl: bool,
    /// More than one connection can exist to the same data (false for `:memory:`).
    pub many_connections: bool,
    /// The most bound parameters of one statement.
    pub max_parameters: usize,
    /// The most bytes of one identifier.
    pub max_identifier: usize,
    /// `READ UNCOMMITTED`, `READ COMMITTED` and `REPEATABLE READ` can be asked for.
    pub isolation_levels: bool,
    /// A transaction can be declared read-only.
    pub read_only_transactions: bool,
    /// Indexes may have a `WHERE`.
    pub partial_indexes: bool,
    /// Table and column comments are kept.
    pub comments: bool,
    /// `ON DELETE SET DEFAULT` is honoured.
    pub set_default: bool,
    /// A text column of unbounded length can be unique or indexed.
    pub unbounded_text_keys: bool,
    /// An enum is a type of its own in the schema.
    pub enum_types: bool,
}
