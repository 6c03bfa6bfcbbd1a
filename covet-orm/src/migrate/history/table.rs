//! The table of the history: its columns, and its versions.

use covet_drivers::catalog::{Change, Column, ColumnType, Schema, Table};
use covet_drivers::contract::{Ddl, Step};
use covet_drivers::{Error, ErrorKind, Result};

/// The table.
pub(in crate::migrate) const TABLE: &str = "_covet_migrations";

/// The version that is written. A table of an earlier one gets the columns that it lacks before anything is run, and is
/// read as it is until then.
pub(super) const VERSION: usize = 3;

/// The id of the row that keeps the version. The first version had none.
pub(super) const VERSION_ID: &str = "*";

/// The state of that row.
pub(super) const VERSION_STATE: &str = "version";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

const fn short(most: u32) -> ColumnType {
    ColumnType::Text { max_len: Some(most) }
}

/// A column of the history.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) ty: ColumnType,
    nullable: bool,
    /// The version that it came with; a later one than the first must be nullable.
    since: usize,
    /// Whether a list of all migrations has it.
    pub(super) listed: bool,
}

const fn field(name: &'static str, ty: ColumnType, nullable: bool, since: usize) -> Field {
    Field { name, ty, nullable, since, listed: true }
}

/// One that is long, and of use only to who runs the migration.
const fn unlisted(name: &'static str) -> Field {
    Field { name, ty: TEXT, nullable: false, since: 1, listed: false }
}

pub(super) const FIELDS: &[Field] = &[
    field("id", short(64), false, 1),
    field("position", ColumnType::I32, false, 1),
    field("name", short(100), false, 1),
    field("up_checksum", short(80), false, 1),
    unlisted("down_sql"),
    field("state", short(16), false, 1),
    field("steps_done", ColumnType::I32, false, 1),
    field("steps_total", ColumnType::I32, false, 1),
    unlisted("step_hashes"),
    field("error", TEXT, true, 1),
    field("started_at", ColumnType::Timestamp, false, 1),
    field("finished_at", ColumnType::Timestamp, true, 1),
    field("tool", short(40), false, 1),
    field("parents", TEXT, true, 2),
    field("down_checksum", short(80), true, 2),
    field("plan_checksum", short(80), true, 2),
    field("statement", TEXT, true, 2),
    field("doubt", short(16), true, 2),
    field("replaced_by", short(64), true, 3),
    field("progress", TEXT, true, 3),
];

/// The columns of this version.
pub(super) fn fields(version: usize) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.since <= version)
}

fn table(version: usize) -> Table {
    let columns = fields(version)
        .map(|field| Column { nullable: field.nullable, ..Column::new(field.name, field.ty.clone()) })
        .collect();
    Table { primary_key: vec!["id".to_owned()], columns, ..Table::new(TABLE) }
}

/// The statements that make the table.
pub(super) fn creation(ddl: &dyn Ddl) -> Result<Vec<Step>> {
    let table = table(VERSION);
    let after = Schema::of(vec![table.clone()]);
    ddl.plan(&[Change::CreateTable { table }], &Schema::default(), &after)
}

/// The statements that make the table of an earlier version one of this.
pub(super) fn upgrade(ddl: &dyn Ddl, from: usize) -> Result<Vec<Step>> {
    let (before, after) = (table(from), table(VERSION));
    let lacking = after.columns.iter().filter(|column| before.column(&column.name).is_none());
    let changes: Vec<Change> = lacking
        .map(|column| Change::AddColumn { table: TABLE.to_owned(), column: column.clone(), backfill: None })
        .collect();
    ddl.plan(&changes, &Schema::of(vec![before]), &Schema::of(vec![after.clone()]))
}

#[cold]
pub(super) fn too_new(version: usize) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!("the history {TABLE} is of version {version}, and this Covet knows versions up to {VERSION}"),
    )
    .with_help("a newer version of Covet wrote it: use that version")
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::OWN_TABLES;

    use super::{FIELDS, TABLE, VERSION};

    #[test]
    fn the_table_is_one_of_covets_own() {
        assert!(OWN_TABLES.contains(&TABLE));
    }

    #[test]
    fn what_came_later_may_be_null() {
        assert!(FIELDS.iter().all(|field| field.since == 1 || field.nullable));
        assert!(FIELDS.iter().all(|field| field.since <= VERSION));
    }
}
