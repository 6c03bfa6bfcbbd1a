//! Which keys and indexes stand on a table when a statement of a script begins: those of the schema before the script, and
//! what the script has made of them since.

use crate::catalog::{Index, Table, Term};
use crate::lint::act::{Act, ColumnDef, Constraint, ConstraintKind, IndexDef, IndexTerm, TableDef, What};
use crate::lint::scene::{Scene, among, same};

/// A primary key, a unique constraint or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its columns in order, up to the first term that is no whole column.
    pub columns: Vec<String>,
    /// Whether it is over whole columns alone, and over all rows.
    pub plain: bool,
    /// No two rows may agree.
    pub unique: bool,
    /// It is the primary key.
    pub primary: bool,
}

impl Standing {
    /// Whether these columns, in any order, are unique together by it.
    #[must_use]
    pub fn keeps_unique(&self, columns: &[String]) -> bool {
        self.unique
            && self.plain
            && self.columns.len() == columns.len()
            && columns.iter().all(|column| among(&self.columns, column))
    }

    /// Whether it begins with these columns.
    #[must_use]
    pub fn begins_with(&self, columns: &[String]) -> bool {
        self.columns.len() >= columns.len() && self.columns.iter().zip(columns).all(|(own, other)| same(own, other))
    }

    fn of_index(index: &Index) -> Self {
        let columns: Vec<String> = index.terms.iter().map_while(Term::as_column).map(str::to_owned).collect();
        let plain = index.condition.is_none() && columns.len() == index.terms.len();
        Standing { name: index.name.clone(), columns, plain, unique: index.unique, primary: false }
    }

    fn of_new_index(index: &IndexDef) -> Self {
        let whole = |term: &IndexTerm| term.column.clone().filter(|_| term.prefix.is_none());
        let columns: Vec<String> = index.terms.iter().map_while(whole).collect();
        let plain = columns.len() == index.terms.len() && !index.partial && index.special.is_none();
        Standing { name: index.name.clone(), columns, plain, unique: index.unique, primary: false }
    }

    /// What a constraint is kept by: one that stands with a column is over that column.
    fn of_constraint(constraint: &Constraint, column: Option<&str>) -> Option<Self> {
        let primary = constraint.kind == ConstraintKind::Primary;
        // One that takes an index gives it its name, and that is all.
        if !(primary || constraint.kind == ConstraintKind::Unique) || constraint.using_index {
            return None;
        }
        let columns = column.map_or_else(|| constraint.columns.clone(), |column| vec![column.to_owned()]);
        let name = constraint.name.clone().unwrap_or_default();
        Some(Standing { name, columns, plain: true, unique: true, primary })
    }

    fn of_column(column: &ColumnDef) -> impl Iterator<Item = Self> {
        column.constraints.iter().filter_map(|constraint| Standing::of_constraint(constraint, Some(&column.name)))
    }

    fn of_table(table: &Table) -> Vec<Self> {
        let (name, columns) = (table.primary_key_name(), table.primary_key.clone());
        let primary = Standing { name, columns, plain: true, unique: true, primary: true };
        let primary = Some(primary).filter(|primary| !primary.columns.is_empty());
        primary.into_iter().chain(table.indexes.iter().map(Standing::of_index)).collect()
    }

    fn of_new_table(table: &TableDef) -> Vec<Self> {
        let by_columns = table.columns.iter().flat_map(Standing::of_column);
        let by_constraints = table.constraints.iter().filter_map(|found| Standing::of_constraint(found, None));
        by_columns.chain(by_constraints).chain(table.indexes.iter().map(Standing::of_new_index)).collect()
    }
}

impl Scene<'_> {
    /// The keys and indexes of a table when a statement begins; `None` when nothing is known of the table then.
    #[must_use]
    pub fn standing(&self, table: &str, index: usize) -> Option<Vec<Standing>> {
        let acts: Vec<&Act> = self.acts_before(index).map(|(_, act)| act).collect();
        // Back to where the table came from, under whatever name.
        let mut name = table;
        let mut made = None;
        for (at, act) in acts.iter().enumerate().rev() {
            match &act.what {
                What::RenameTable { to } if same(to, name) => name = &act.table,
                What::DropTable { .. } if same(&act.table, name) => return None,
                What::CreateTable(def) if same(&act.table, name) && !self.was_there(name, &acts[..at]) => {
                    made = Some((at + 1, def));
                    break;
                }
                _ => {}
            }
        }
        let (from, mut standing) = match made {
            Some((_, def)) if def.derived => return None,
            Some((from, def)) => (from, Standing::of_new_table(def)),
            None => (0, Standing::of_table(self.table(name)?)),
        };
        for act in &acts[from..] {
            // An index can go without a word of its table.
            let is_meant = same(&act.table, name) || act.table.is_empty();
            match &act.what {
                What::RenameTable { to } if same(&act.table, name) => name = to,
                What::DropConstraint { name: gone, .. } if self.is_foreign_key(gone) => {}
                _ if is_meant => follow(&mut standing, &act.what),
                _ => {}
            }
        }
        Some(standing)
    }

    /// Whether a foreign key has this name. An index can have it too, and stays when the foreign key goes.
    fn is_foreign_key(&self, name: &str) -> bool {
        let is = |found: &Constraint| {
            found.kind == ConstraintKind::Foreign && found.name.as_deref().is_some_and(|known| same(known, name))
        };
        self.before.tables.iter().flat_map(|table| &table.foreign_keys).any(|key| same(&key.name, name))
            || self.acts().any(|(_, act)| matches!(&act.what, What::AddConstraint(found) if is(found)))
    }

    /// Whether the table was there before these acts and none of them took it away: then one that makes it does nothing.
    fn was_there(&self, table: &str, acts: &[&Act]) -> bool {
        let goes = |act: &&Act| {
            same(&act.table, table) && matches!(act.what, What::DropTable { .. } | What::RenameTable { .. })
        };
        self.table(table).is_some() && !acts.iter().any(goes)
    }
}

/// What an act on the table makes of its keys and indexes.
fn follow(standing: &mut Vec<Standing>, what: &What) {
    let rename = |standing: &mut Vec<Standing>, from: &str, to: &str| {
        let columns = standing.iter_mut().flat_map(|key| &mut key.columns);
        columns.filter(|column| same(column, from)).for_each(|column| to.clone_into(column));
    };
    match what {
        What::AddColumn(column) => standing.extend(Standing::of_column(column)),
        What::Redefine { column, def } => {
            rename(standing, column, &def.name);
            standing.extend(Standing::of_column(def));
        }
        What::RenameColumn { from, to } => rename(standing, from, to),
        // MySQL goes on with the columns that are left, which is no index that anybody asked for.
        What::DropColumn { column, .. } => standing.retain(|key| !among(&key.columns, column)),
        What::CreateIndex(made) => standing.push(Standing::of_new_index(made)),
        What::AddConstraint(made) => standing.extend(Standing::of_constraint(made, None)),
        What::DropIndex { name, .. } => standing.retain(|key| !same(&key.name, name)),
        What::DropConstraint { kind: Some(ConstraintKind::Primary), .. } => standing.retain(|key| !key.primary),
        What::DropConstraint { name, .. } => {
            // MySQL's `DROP CONSTRAINT` may mean the primary key, and so does one without a name.
            let is_primary = name.is_empty() || same(name, "PRIMARY");
            standing.retain(|key| if is_primary { !key.primary } else { !same(&key.name, name) });
        }
        _ => {}
    }
}
