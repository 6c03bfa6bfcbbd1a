//! The one error type: what went wrong, where in the user's own names, and the way out.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of everything that can fail in Covet.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, one pointer wide.
///
/// Ask [`kind`](Error::kind) to decide what to do; the other questions name the place.
/// No password and no bound value is ever part of an error.
///
/// ```
/// use covet_drivers::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Unique, "this e-mail is taken").with_constraint("users_email_key");
/// assert_eq!(error.kind(), ErrorKind::Unique);
/// assert_eq!(error.constraint(), Some("users_email_key"));
/// assert!(!error.is_retryable());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    help: Option<Cow<'static, str>>,
    model: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    constraint: Option<String>,
    table: Option<String>,
    column: Option<String>,
    code: Option<String>,
    argument: Option<usize>,
    blocker: Option<i64>,
    commit_token: Option<[u8; 16]>,
    transaction_lost: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident, $text:literal, retry = $retry:literal, lost = $lost:literal;)+) => {
        /// The kinds of error, the same on every database.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the reference page.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)+];

            /// The kind in words, lower case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(ErrorKind::$name => $text,)+ }
            }

            /// Whether running the whole transaction again may succeed.
            #[must_use]
            pub fn is_retryable(self) -> bool {
                match self { $(ErrorKind::$name => $retry,)+ }
            }

            /// Whether the connection is gone.
            #[must_use]
            pub fn is_connection_lost(self) -> bool {
                match self { $(ErrorKind::$name => $lost,)+ }
            }
        }
    };
}

kinds! {
    /// A unique constraint or primary key already holds this value.
    Unique, "unique violation", retry = false, lost = false;
    /// A foreign key points at a row that does not exist, or a row is still pointed at.
    ForeignKey, "foreign key violation", retry = false, lost = false;
    /// NULL for a column that does not allow it.
    NotNull, "not null violation", retry = false, lost = false;
    /// A check constraint refused the row.
    Check, "check violation", retry = false, lost = false;
    /// Concurrent transactions could not be put in an order; run the transaction again.
    Serialization, "serialization failure", retry = true, lost = false;
    /// Two transactions waited for each other; run the transaction again.
    Deadlock, "deadlock", retry = true, lost = false;
    /// A lock was not had in time, or the database is busy; run the transaction again.
    LockTimeout, "lock timeout", retry = true, lost = false;
    /// The statement took longer than its limit.
    StatementTimeout, "statement timeout", retry = false, lost = false;
    /// The statement was cancelled from outside, or somebody who was asked said no.
    Cancelled, "cancelled", retry = false, lost = false;
    /// The connection broke while in use.
    ConnectionLost, "connection lost", retry = false, lost = true;
    /// No connection could be made: host, port, file or socket cannot be reached.
    Unreachable, "unreachable", retry = false, lost = true;
    /// The server has no connection left.
    TooManyConnections, "too many connections", retry = false, lost = true;
    /// User or password was refused.
    Authentication, "authentication failed", retry = false, lost = true;
    /// The server does not know this database.
    UnknownDatabase, "unknown database", retry = false, lost = true;
    /// TLS could not be agreed on, or the certificate was refused.
    Tls, "tls", retry = false, lost = true;
    /// The server is older than Covet supports.
    ServerVersion, "server version", retry = false, lost = true;
    /// The connection URL or an option is wrong.
    Config, "configuration", retry = false, lost = false;
    /// The table does not exist.
    UndefinedTable, "undefined table", retry = false, lost = false;
    /// The column does not exist.
    UndefinedColumn, "undefined column", retry = false, lost = false;
    /// The table, index or constraint exists already.
    AlreadyExists, "already exists", retry = false, lost = false;
    /// The database could not parse the statement.
    Syntax, "syntax", retry = false, lost = false;
    /// A value that the database cannot take: malformed, of another type, NUL in text, not UTF-8.
    InvalidInput, "invalid input", retry = false, lost = false;
    /// A value outside the documented range of its type or column on this database.
    OutOfRange, "out of range", retry = false, lost = false;
    /// A value came back that the field cannot hold.
    Decode, "decode", retry = false, lost = false;
    /// The user of the connection may not do this.
    Permission, "permission denied", retry = false, lost = false;
    /// The database, server or transaction is read-only.
    ReadOnly, "read only", retry = false, lost = false;
    /// Disk or memory of the server is full.
    Resources, "out of resources", retry = false, lost = false;
    /// This database cannot do it; nothing was sent.
    Unsupported, "unsupported", retry = false, lost = false;
    /// A row that must exist does not.
    NotFound, "not found", retry = false, lost = false;
    /// More than one row where at most one was promised.
    TooManyRows, "too many rows", retry = false, lost = false;
    /// The row changed since it was read (optimistic lock).
    StaleWrite, "stale write", retry = false, lost = false;
    /// The relation was not loaded.
    NotLoaded, "not loaded", retry = false, lost = false;
    /// The pool was not switched to another database, and goes on with the one before.
    SwitchRefused, "switch refused", retry = false, lost = false;
    /// The transaction is over or doomed: an earlier statement failed or was dropped.
    TransactionClosed, "transaction closed", retry = false, lost = false;
    /// The transaction was not done within its deadline; it was rolled back.
    Deadline, "deadline passed", retry = false, lost = false;
    /// It is not known whether the commit took effect.
    CommitUnknown, "commit unknown", retry = false, lost = true;
    /// A distributed transaction is committed, and one of its databases has yet to be told: it will be.
    CommitPending, "commit pending", retry = false, lost = false;
    /// A distributed transaction is committed in one database and rolled back in another, because somebody ended a branch
    /// of it by hand.
    CommitMixed, "commit mixed", retry = false, lost = false;
    /// The future of a statement was dropped before its answer came, so whether a write took effect is not known.
    /// Observers are told of it; there is nobody left to get it as an error.
    Dropped, "dropped", retry = false, lost = false;
    /// No connection came free in time.
    PoolTimeout, "pool timeout", retry = false, lost = false;
    /// The pool is closed.
    PoolClosed, "pool closed", retry = false, lost = false;
    /// A migration cannot be made or applied; nothing was lost.
    Migration, "migration", retry = false, lost = false;
    /// A decision is needed before a migration can be made, or somebody has to confirm what destroys.
    Decision, "decision needed", retry = false, lost = false;
    /// The server broke the protocol, or said something Covet does not understand.
    Protocol, "protocol", retry = false, lost = true;
    /// Any other error of the database; see the code.
    Database, "database error", retry = false, lost = false;
    /// A file or stream outside the database could not be read or written.
    Io, "i/o", retry = false, lost = false;
}

impl Error {
    /// An error of this kind; the message is lower case without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            model: None,
            field: None,
            constraint: None,
            table: None,
            column: None,
            code: None,
            argument: None,
            blocker: None,
            commit_token: None,
            transaction_lost: false,
            source: None,
        }))
    }

    /// `Unsupported`, naming the construct and the database.
    pub fn unsupported(construct: impl fmt::Display, database: &str) -> Self {
        Error::new(ErrorKind::Unsupported, format!("{database} cannot do {construct}"))
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds the model, where none is named yet.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<Cow<'static, str>>) -> Self {
        self.0.model.get_or_insert_with(|| model.into());
        self
    }

    /// Adds the field of the model, where none is named yet.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field.get_or_insert_with(|| field.into());
        self
    }

    /// Puts what the error is about in front of the message, where the message does not name it.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        if !self.0.message.contains(what) {
            self.0.message = format!("{what}: {}", self.0.message).into();
        }
        self
    }

    /// Adds the constraint that the database named.
    #[must_use]
    pub fn with_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.0.constraint = Some(constraint.into());
        self
    }

    /// Adds the table that the database named, or in which the refused value was to stand.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.0.table = Some(table.into());
        self
    }

    /// Adds the column that the database named, or for which the refused value was meant.
    #[must_use]
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// Adds the database's own code (SQLSTATE, errno, SQLite result code).
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Says which of the bound values was refused, counted from 0.
    #[must_use]
    pub fn with_argument(mut self, argument: usize) -> Self {
        self.0.argument = Some(argument);
        self
    }

    /// Says which session of the server was in the way.
    #[must_use]
    pub fn with_blocker(mut self, session: i64) -> Self {
        self.0.blocker = Some(session);
        self
    }

    /// Adds the token that was written with the transaction whose commit this is about.
    #[must_use]
    pub fn with_commit_token(mut self, token: [u8; 16]) -> Self {
        self.0.commit_token = Some(token);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says that the database rolled the whole transaction back with this error.
    #[must_use]
    pub fn with_transaction_lost(mut self) -> Self {
        self.0.transaction_lost = true;
        self
    }

    /// The same error once more, without its cause: for an error that is kept and reported on each use.
    #[must_use]
    pub fn again(&self) -> Self {
        let inner = &self.0;
        Error(Box::new(Inner {
            kind: inner.kind,
            message: inner.message.clone(),
            help: inner.help.clone(),
            model: inner.model.clone(),
            field: inner.field.clone(),
            constraint: inner.constraint.clone(),
            table: inner.table.clone(),
            column: inner.column.clone(),
            code: inner.code.clone(),
            argument: inner.argument,
            blocker: inner.blocker,
            commit_token: inner.commit_token,
            transaction_lost: inner.transaction_lost,
            source: None,
        }))
    }

    /// The token that was written with the transaction whose commit this is about.
    #[must_use]
    pub fn commit_token(&self) -> Option<[u8; 16]> {
        self.0.commit_token
    }

    /// The server's number of the session that was in the way, where it tells of a deadlock.
    #[must_use]
    pub fn blocker(&self) -> Option<i64> {
        self.0.blocker
    }

    /// The kind: what to decide by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without model, cause and help.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where Covet knows.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The model, as the user named the struct.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The field of the model.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The constraint, where the database tells.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    /// The table, where the database or the statement tells.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.table.as_deref()
    }

    /// The column, where the database or the statement tells.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The database's own code: SQLSTATE, errno or SQLite's extended result code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Which of the values of the statement was refused, counted from 0, where it was one of them.
    #[must_use]
    pub fn argument(&self) -> Option<usize> {
        self.0.argument
    }

    /// Whether running the whole transaction again may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// Whether the connection is gone.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        self.0.kind.is_connection_lost()
    }

    /// Whether the database rolled the whole transaction back with this error.
    #[must_use]
    pub fn is_transaction_lost(&self) -> bool {
        self.0.transaction_lost || self.is_connection_lost()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        match (&inner.model, &inner.field) {
            (Some(model), Some(field)) => write!(f, "{model}.{field}: ")?,
            (Some(model), None) => write!(f, "{model}: ")?,
            (None, Some(field)) => write!(f, "{field}: ")?,
            (None, None) => {}
        }
        f.write_str(&inner.message)?;
        if let Some(constraint) = &inner.constraint
            && !inner.message.contains(constraint.as_str())
        {
            write!(f, " (constraint {constraint})")?;
        }
        if let (Some(argument), None) = (inner.argument, &inner.field) {
            write!(f, " (value {} of the statement)", argument.saturating_add(1))?;
        }
        if let Some(code) = &inner.code {
            write!(f, " [{code}]")?;
        }
        if let Some(help) = &inner.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind).field("message", &inner.message);
        for (name, value) in [
            ("help", inner.help.as_deref()),
            ("model", inner.model.as_deref()),
            ("field", inner.field.as_deref()),
            ("constraint", inner.constraint.as_deref()),
            ("table", inner.table.as_deref()),
            ("column", inner.column.as_deref()),
            ("code", inner.code.as_deref()),
        ] {
            if let Some(value) = value {
                out.field(name, &value);
            }
        }
        if let Some(argument) = inner.argument {
            out.field("argument", &argument);
        }
        if let Some(source) = &inner.source {
            out.field("source", &format_args!("{source}"));
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
