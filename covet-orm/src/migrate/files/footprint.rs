//! What a migration touches: two that were made side by side may run in either order when they touch nothing alike.

use std::collections::BTreeSet;
use std::fmt;

use covet_drivers::catalog::{Change, Column, Index, Qualified};

/// A part of a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A table with all that is in it.
    Table(String),
    /// A column of a table.
    Column(String, String),
    /// What begins with a column of a table: indexes and foreign keys, which on some databases lean on each other.
    Keys(String, String),
    /// A name of an index or constraint, which on some databases is the only one of a schema.
    Name(String),
    /// An enum.
    Enum(String),
    /// A schema as such, whatever is in it.
    Schema(String),
    /// Nobody knows what.
    Everything,
}

impl Part {
    fn table(&self) -> Option<&str> {
        match self {
            Part::Table(table) | Part::Column(table, _) | Part::Keys(table, _) => Some(table),
            Part::Name(_) | Part::Enum(_) | Part::Schema(_) | Part::Everything => None,
        }
    }

    /// Whether a change of this part may be a change of that.
    fn overlaps(&self, other: &Part) -> bool {
        match (self, other) {
            (Part::Everything, _) | (_, Part::Everything) => true,
            (Part::Table(table), inner) | (inner, Part::Table(table)) => inner.table() == Some(table),
            (this, that) => this == that,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Table(table) => write!(f, "the table {table}"),
            Part::Column(table, column) => write!(f, "the column {table}.{column}"),
            Part::Keys(table, column) => write!(f, "the indexes and keys that begin with {table}.{column}"),
            Part::Name(name) => write!(f, "the name {name}"),
            Part::Enum(name) => write!(f, "the enum {name}"),
            Part::Schema(name) => write!(f, "the schema {name}"),
            Part::Everything => f.write_str("everything (SQL that was edited by hand, or that no change describes)"),
        }
    }
}

/// The name of what is in the schema of a table.
fn beside(table: &str, name: &str) -> Part {
    Part::Name(Qualified::of(table).beside(name))
}

/// What a migration changes, and what its changes stand on.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprint {
    changes: BTreeSet<Part>,
    uses: BTreeSet<Part>,
}

impl Footprint {
    /// Of a migration of which nothing is known.
    pub(super) fn everything() -> Self {
        Footprint { changes: BTreeSet::from([Part::Everything]), uses: BTreeSet::new() }
    }

    /// Of these changes, where these tables are written anew as a whole.
    pub(super) fn of(changes: &[Change], rebuilds: &[String]) -> Self {
        if changes.is_empty() {
            return Footprint::everything();
        }
        let mut footprint = Footprint::default();
        for change in changes {
            footprint.add(change);
        }
        footprint.changes.extend(rebuilds.iter().cloned().map(Part::Table));
        footprint
    }

    fn add(&mut self, change: &Change) {
        match change {
            // Two may both make it, and the first that is undone leaves it to the other.
            Change::CreateSchema { name } | Change::DropSchema { name, if_empty: true } => {
                self.used(Part::Schema(name.clone()));
            }
            Change::DropSchema { name, if_empty: false } => self.changed(Part::Schema(name.clone())),
            Change::CreateEnum { ty } | Change::DropEnum { ty } => self.changed(Part::Enum(ty.name.to_string())),
            Change::AlterEnum { before, after, .. } => {
                self.changed(Part::Enum(before.name.to_string()));
                self.changed(Part::Enum(after.name.to_string()));
            }
            Change::CreateTable { table } | Change::DropTable { table } => {
                self.changed(Part::Table(table.name.clone()));
                self.changed(Part::Name(table.name.clone()));
                self.used_schema(&table.name);
                table.columns.iter().for_each(|column| self.used_type(column));
            }
            Change::RenameTable { from, to } => {
                for name in [from, to] {
                    self.changed(Part::Table(name.clone()));
                    self.changed(Part::Name(name.clone()));
                    self.used_schema(name);
                }
            }
            Change::AddColumn { table, column, .. } | Change::DropColumn { table, column } => {
                self.column(table, column)
            }
            Change::AlterColumn { table, before, after, .. } => {
                self.column(table, before);
                self.column(table, after);
            }
            Change::RenameColumn { table, from, to } => {
                for name in [from, to] {
                    self.changed(Part::Column(table.clone(), name.clone()));
                }
            }
            Change::RenameIndex { table, from, to } => {
                for name in [from, to] {
                    self.changed(beside(table, name));
                }
            }
            Change::FillColumn { table, column, .. } => self.column(table, column),
            Change::CopyColumn { table, from, to }
            | Change::FollowColumn { table, from, to }
            | Change::UnfollowColumn { table, from, to }
            | Change::SwapColumn { table, from, to } => {
                self.column(table, from);
                self.column(table, to);
            }
            Change::AddIndex { table, index } | Change::DropIndex { table, index } => self.index(table, index),
            Change::AddForeignKey { table, foreign_key } | Change::DropForeignKey { table, foreign_key } => {
                self.changed(beside(table, &foreign_key.name));
                self.keys(table, &foreign_key.columns);
                for column in &foreign_key.target_columns {
                    self.used(Part::Column(foreign_key.target.clone(), column.clone()));
                }
            }
            Change::CreateObject { object } | Change::DropObject { object } => {
                self.changed(Part::Name(object.name.clone()));
                self.used_schema(&object.name);
                // A view may name a view, which is a name only.
                for name in &object.reads {
                    self.used(Part::Table(name.clone()));
                    self.used(Part::Name(name.clone()));
                }
            }
            // What is not known here may touch all of its table, or more.
            other => self.changed(match other.table() {
                Some(table) => Part::Table(table.to_owned()),
                None => Part::Everything,
            }),
        }
    }

    fn column(&mut self, table: &str, column: &Column) {
        self.changed(Part::Column(table.to_owned(), column.name.clone()));
        if column.generated.is_some() {
            self.used(Part::Table(table.to_owned()));
        }
        self.used_type(column);
    }

    fn index(&mut self, table: &str, index: &Index) {
        self.changed(beside(table, &index.name));
        let columns = index.column_names();
        if index.condition.is_some() || columns.len() < index.terms.len() {
            // Whatever its expressions read.
            self.used(Part::Table(table.to_owned()));
        }
        self.keys(table, &columns);
        for column in &index.include {
            self.used(Part::Column(table.to_owned(), column.clone()));
        }
    }

    fn keys(&mut self, table: &str, columns: &[String]) {
        if let Some(first) = columns.first() {
            self.changed(Part::Keys(table.to_owned(), first.clone()));
        }
        for column in columns {
            self.used(Part::Column(table.to_owned(), column.clone()));
        }
    }

    fn used_schema(&mut self, name: &str) {
        if let Some(schema) = Qualified::of(name).schema {
            self.used(Part::Schema(schema.into_owned()));
        }
    }

    fn used_type(&mut self, column: &Column) {
        if let Some(ty) = column.ty.as_enum() {
            self.used(Part::Enum(ty.name.to_string()));
            self.used_schema(&ty.name);
        }
    }

    fn changed(&mut self, part: Part) {
        self.changes.insert(part);
    }

    fn used(&mut self, part: Part) {
        self.uses.insert(part);
    }

    /// The parts over which the two are at odds, in words.
    pub(super) fn conflicts(&self, other: &Footprint) -> Vec<String> {
        let mut found = BTreeSet::new();
        for (ours, theirs) in
            [(&self.changes, &other.changes), (&self.changes, &other.uses), (&self.uses, &other.changes)]
        {
            for part in ours {
                found.extend(theirs.iter().filter(|other| part.overlaps(other)).map(|other| part.max(other).clone()));
            }
        }
        // The name of a table says no more than the table.
        let tables: BTreeSet<String> = found.iter().filter_map(Part::table).map(str::to_owned).collect();
        found.retain(|part| !matches!(part, Part::Name(name) if tables.contains(name)));
        found.iter().map(Part::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use covet_drivers::catalog::{Change, Column, ColumnType, EnumType, ForeignKey, Index, Table};

    use super::Footprint;

    fn column(table: &str, name: &str) -> Change {
        let column = Column::new(name, ColumnType::I32);
        Change::AddColumn { table: table.into(), column, backfill: None }
    }

    fn role(labels: &'static [&'static str]) -> EnumType {
        EnumType { name: "role".into(), labels: labels.iter().map(|label| (*label).into()).collect() }
    }

    fn index(name: &str, columns: &[&str]) -> Change {
        Change::AddIndex { table: "t".into(), index: Index::new(name, columns.iter().copied(), false) }
    }

    fn key(table: &str, column: &str, target: &str) -> Change {
        let foreign_key = ForeignKey {
            name: format!("{table}_{column}_fkey"),
            columns: vec![column.into()],
            target: target.into(),
            target_columns: vec!["id".into()],
            ..ForeignKey::default()
        };
        Change::AddForeignKey { table: table.into(), foreign_key }
    }

    fn table(name: &str, columns: Vec<Column>) -> Table {
        Table { columns, ..Table::new(name) }
    }

    fn odds(a: &[Change], b: &[Change]) -> Vec<String> {
        let (a, b) = (Footprint::of(a, &[]), Footprint::of(b, &[]));
        assert_eq!(a.conflicts(&b), b.conflicts(&a));
        a.conflicts(&b)
    }

    #[test]
    fn what_touches_nothing_alike_commutes() {
        for (a, b) in [
            (column("t", "a"), column("t", "b")),
            (column("t", "a"), column("u", "a")),
            (column("t", "a"), key("c", "t_id", "t")),
            (index("i", &["a"]), index("j", &["b", "a"])),
            (key("a", "t_id", "t"), key("b", "t_id", "t")),
        ] {
            assert_eq!(odds(&[a], &[b]), Vec::<String>::new());
        }
    }

    #[test]
    fn what_touches_the_same_does_not() {
        let rename = Change::RenameTable { from: "t".into(), to: "u".into() };
        let drop = |name: &str| Change::DropTable { table: table(name, vec![]) };
        let enums = Change::AlterEnum { before: role(&["a"]), after: role(&["a", "b"]), map: vec![] };
        let typed = Column::new("role", ColumnType::Enum(role(&["a"])));
        let typed = Change::AddColumn { table: "x".into(), column: typed, backfill: None };
        let gone = Change::DropColumn { table: "t".into(), column: Column::new("a", ColumnType::I32) };
        for (a, b, word) in [
            (column("t", "a"), column("t", "a"), "the column t.a"),
            (rename.clone(), column("t", "a"), "the column t.a"),
            (drop("t"), key("c", "t_id", "t"), "the column t.id"),
            (drop("t"), drop("t"), "the table t"),
            (enums.clone(), enums.clone(), "the enum role"),
            (enums, typed, "the enum role"),
            (gone, index("i", &["b", "a"]), "the column t.a"),
            (index("i", &["a"]), index("j", &["a"]), "begin with t.a"),
            (index("i", &["a"]), index("i", &["b"]), "the name i"),
            (key("t", "a", "p"), index("i", &["a", "b"]), "begin with t.a"),
            (rename, Change::CreateTable { table: table("u", vec![]) }, "the table u"),
        ] {
            let found = odds(&[a], &[b]);
            assert!(found.iter().any(|part| part.contains(word)), "{word}: {found:?}");
        }
        assert_eq!(odds(&[], &[column("t", "a")]).len(), 1);
        let whole = Footprint::of(&[column("t", "a")], &["t".to_owned()]);
        assert_eq!(whole.conflicts(&Footprint::of(&[column("t", "b")], &[])), ["the column t.b"]);
    }
}
