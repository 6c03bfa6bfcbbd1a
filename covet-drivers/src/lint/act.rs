//! What a statement does, as far as a rule asks.

use crate::catalog::{ColumnType, Qualified};
use crate::lint::token::{Token, TokenKind};

/// One thing that a statement does. An `ALTER TABLE` can do several.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The table that it is about; empty where it is about none.
    pub table: String,
    /// What it does.
    pub what: What,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A new table.
    CreateTable(TableDef),
    /// A table that goes.
    DropTable {
        /// With whatever stands on it.
        cascade: bool,
    },
    /// A table under another name.
    RenameTable {
        /// The new name.
        to: String,
    },
    /// All rows go.
    Truncate {
        /// With those of tables that point at it.
        cascade: bool,
    },
    /// A new column.
    AddColumn(ColumnDef),
    /// A column that goes.
    DropColumn {
        /// Its name.
        column: String,
        /// With whatever stands on it.
        cascade: bool,
    },
    /// A column under another name.
    RenameColumn {
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A column of another type.
    Retype {
        /// Its name.
        column: String,
        /// The type.
        ty: TypeDef,
        /// The expression behind `USING`; empty when there is none.
        using: Vec<Token>,
    },
    /// A column defined anew, in full (`MODIFY`, `CHANGE`).
    Redefine {
        /// The name it had.
        column: String,
        /// What it is from now on.
        def: ColumnDef,
    },
    /// A column that allows no NULL from now on, or does.
    NotNull {
        /// Its name.
        column: String,
        /// Whether it is required now.
        required: bool,
    },
    /// Another default, or none.
    Default {
        /// The column.
        column: String,
        /// The default; `None` when it goes.
        value: Option<Vec<Token>>,
    },
    /// A column that numbers itself from now on.
    AddIdentity {
        /// Its name.
        column: String,
    },
    /// A new constraint.
    AddConstraint(Constraint),
    /// A constraint that goes.
    DropConstraint {
        /// Its name; empty for a primary key without one.
        name: String,
        /// Its kind, where the statement says it.
        kind: Option<ConstraintKind>,
        /// With whatever stands on it.
        cascade: bool,
    },
    /// A constraint checked against the rows that exist.
    Validate {
        /// Its name.
        name: String,
    },
    /// A new index.
    CreateIndex(IndexDef),
    /// An index that goes. Its table is empty where the statement does not say it.
    DropIndex {
        /// Its name.
        name: String,
        /// While others go on.
        concurrently: bool,
    },
    /// A partition leaves its table.
    Detach {
        /// While others go on.
        concurrently: bool,
    },
    /// A word of an `ALTER TABLE` that says how: `ALGORITHM=INSTANT`, `LOCK=NONE`, `WAIT 5`.
    How {
        /// The word, in lower case.
        word: String,
        /// Its value, in lower case.
        value: String,
    },
    /// A new enum type.
    CreateEnum {
        /// Its name.
        name: String,
        /// Its labels.
        labels: Vec<String>,
    },
    /// A new label of an enum type.
    AddLabel {
        /// The type.
        ty: String,
        /// The label.
        label: String,
    },
    /// A type under another name.
    RenameType {
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A type that goes.
    DropType {
        /// Its name.
        name: String,
        /// With whatever stands on it.
        cascade: bool,
    },
    /// New rows.
    Insert {
        /// The query that they come from; empty for values.
        query: Vec<Token>,
        /// The columns that are named.
        columns: Vec<String>,
    },
    /// Rows that change.
    Update {
        /// The columns that are set.
        columns: Vec<String>,
        /// Whether there is a condition.
        filtered: bool,
    },
    /// Rows that go.
    Delete {
        /// Whether there is a condition.
        filtered: bool,
    },
    /// `BEGIN`, `COMMIT` and their like.
    Transaction(Transaction),
    /// A setting (`SET`, `PRAGMA`).
    Set {
        /// Its name, in lower case, without `session` or `@@`.
        name: String,
        /// Its value, in lower case.
        value: String,
    },
    /// A new view.
    CreateView {
        /// Its name.
        name: String,
        /// Its text.
        body: Vec<Token>,
    },
    /// A view that goes.
    DropView {
        /// Its name.
        name: String,
        /// With whatever stands on it.
        cascade: bool,
    },
    /// A new trigger on the table.
    CreateTrigger {
        /// Its name.
        name: String,
        /// Its text.
        body: Vec<Token>,
    },
    /// A trigger that goes.
    DropTrigger {
        /// Its name.
        name: String,
    },
    /// Upkeep that locks: `VACUUM FULL`, `CLUSTER`, `REINDEX`, `LOCK TABLE` …
    Upkeep {
        /// What, in upper case.
        what: String,
        /// While others go on.
        concurrently: bool,
    },
    /// Something else that goes, with what stands on it.
    DropCascade,
    /// It reads.
    Select,
    /// It is known, and no rule asks for more.
    Other,
}

/// What a statement does to the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// It begins one.
    Begin,
    /// It ends one, for good.
    Commit,
    /// It ends one, as if it had not been.
    Rollback,
    /// It marks a place to go back to, goes back there, or forgets it.
    Savepoint,
}

/// A type as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeDef {
    /// Its words, in lower case, with single blanks: `character varying`, `bigint unsigned`.
    pub name: String,
    /// What stands in parentheses.
    pub args: Vec<String>,
    /// `[]`
    pub array: bool,
}

/// A column as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnDef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeDef,
    /// `NOT NULL`
    pub not_null: bool,
    /// `NULL`, said aloud.
    pub null: bool,
    /// The default.
    pub default: Option<Vec<Token>>,
    /// Generated: whether it is stored.
    pub generated: Option<bool>,
    /// `GENERATED … AS IDENTITY`
    pub identity: bool,
    /// `AUTO_INCREMENT`, `AUTOINCREMENT`
    pub auto: bool,
    /// `COMMENT`
    pub comment: bool,
    /// `COLLATE` or `CHARACTER SET`: the last name.
    pub collation: Option<String>,
    /// `ON UPDATE CURRENT_TIMESTAMP`
    pub on_update: bool,
    /// The constraints that stand with it.
    pub constraints: Vec<Constraint>,
}

/// A table as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableDef {
    /// Its columns.
    pub columns: Vec<ColumnDef>,
    /// Its constraints, without those that stand with a column.
    pub constraints: Vec<Constraint>,
    /// Its indexes, where they can stand in it.
    pub indexes: Vec<IndexDef>,
    /// It goes with the session.
    pub temporary: bool,
    /// Its columns come from a query, or from another table.
    pub derived: bool,
    /// The words behind the closing parenthesis.
    pub options: Vec<Token>,
}

/// A constraint as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its kind.
    pub kind: ConstraintKind,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that a foreign key points at.
    pub target: Option<String>,
    /// The columns that it points at.
    pub target_columns: Vec<String>,
    /// The condition of a check.
    pub condition: Vec<Token>,
    /// `NOT VALID`
    pub not_valid: bool,
    /// `USING INDEX`
    pub using_index: bool,
    /// `DEFERRABLE`
    pub deferrable: bool,
    /// `SET DEFAULT` stands among its actions.
    pub set_default: bool,
}

/// The kind of a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY`
    Primary,
    /// `UNIQUE`
    Unique,
    /// `FOREIGN KEY`, `REFERENCES`
    Foreign,
    /// `CHECK`
    Check,
    /// `EXCLUDE`
    Exclude,
}

/// An index as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexDef {
    /// Its name; empty where it has none.
    pub name: String,
    /// No two rows may agree.
    pub unique: bool,
    /// While others go on.
    pub concurrently: bool,
    /// Its terms.
    pub terms: Vec<IndexTerm>,
    /// It has a condition.
    pub partial: bool,
    /// It carries columns that are no part of its key.
    pub include: bool,
    /// `FULLTEXT`, `SPATIAL`: in lower case.
    pub special: Option<String>,
}

/// A term of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexTerm {
    /// The column; `None` for an expression.
    pub column: Option<String>,
    /// How much of it, where it is cut.
    pub prefix: Option<String>,
}

impl IndexDef {
    /// Its columns, without expressions.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.terms.iter().filter_map(|term| term.column.clone()).collect()
    }
}

impl ColumnDef {
    /// Whether one of its own constraints is of this kind.
    #[must_use]
    pub fn has(&self, kind: ConstraintKind) -> bool {
        self.constraints.iter().any(|constraint| constraint.kind == kind)
    }

    /// Whether rows that exist get no value although the column demands one.
    #[must_use]
    pub fn leaves_rows_without(&self) -> bool {
        let numbers = self.auto || self.identity || self.ty.name.ends_with("serial");
        self.not_null && self.default.is_none() && self.generated.is_none() && !numbers
    }
}

impl TypeDef {
    /// It in Covet's words, as far as the databases agree about it.
    #[must_use]
    pub fn column_type(&self) -> Option<ColumnType> {
        if self.array {
            return None;
        }
        let number = |at: usize| self.args.get(at).and_then(|arg| arg.parse::<u32>().ok());
        Some(match self.name.as_str() {
            "bool" | "boolean" => ColumnType::Bool,
            "tinyint" if number(0) == Some(1) => ColumnType::Bool,
            "tinyint" => ColumnType::I8,
            "smallint" | "int2" => ColumnType::I16,
            "int" | "integer" | "int4" | "serial" => ColumnType::I32,
            "bigint" | "int8" | "bigserial" => ColumnType::I64,
            "tinyint unsigned" => ColumnType::U8,
            "smallint unsigned" => ColumnType::U16,
            "int unsigned" => ColumnType::U32,
            "bigint unsigned" => ColumnType::U64,
            "real" | "float4" => ColumnType::F32,
            "double precision" | "float8" | "double" => ColumnType::F64,
            "varchar" | "character varying" => ColumnType::Text { max_len: number(0) },
            "text" | "longtext" => ColumnType::Text { max_len: None },
            "blob" | "bytea" | "longblob" => ColumnType::Bytes,
            "date" => ColumnType::Date,
            "timestamp" | "timestamp without time zone" | "datetime" => ColumnType::DateTime,
            "timestamptz" | "timestamp with time zone" => ColumnType::Timestamp,
            "uuid" => ColumnType::Uuid,
            "json" | "jsonb" => ColumnType::Json,
            "decimal" | "numeric" => ColumnType::Decimal {
                precision: u8::try_from(number(0)?).ok()?,
                scale: u8::try_from(number(1).unwrap_or(0)).ok()?,
            },
            _ => return None,
        })
    }
}

/// Tokens as a text to compare and to show.
#[must_use]
pub fn text(tokens: &[Token]) -> String {
    let mut out = String::new();
    for token in tokens {
        let word = match token.kind {
            TokenKind::Text => format!("'{}'", token.text),
            TokenKind::Word => token.text.to_lowercase(),
            _ => token.text.clone(),
        };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// Whether a name stands in the tokens.
#[must_use]
pub fn mentions(tokens: &[Token], name: &str) -> bool {
    tokens.iter().filter_map(Token::name).any(|word| word.eq_ignore_ascii_case(name))
}

/// Whether the name of a table stands in the tokens, whatever schema they say.
#[must_use]
pub fn mentions_table(tokens: &[Token], table: &str) -> bool {
    mentions(tokens, &Qualified::of(table).name)
}
