//! Changes while others read and write: no lock that lasts, and each statement in a transaction of its own.
//!
//! What reads all rows takes a lock that keeps nobody out: an index is built concurrently, a constraint is added
//! without a look at the rows that exist and validated afterwards. What takes a strong lock for a moment waits for it
//! as the runner lets it, and holds it no longer than the statement takes.

use crate::catalog::{Change, Column, ColumnDefault, ColumnType, ForeignKey, Index, constraint_name};
use crate::contract::{Batches, Step};
use crate::error::{Error, Result};
use crate::postgres::ddl::plan::Plan;
use crate::postgres::dialect::NAME;
use crate::postgres::types::{beside, check_name, condition, default, qualified, quoted, spelled};

/// Each statement in a transaction of its own, but for those that [`Plan::swap`] holds together.
pub(super) fn apart(mut steps: Vec<Step>) -> Vec<Step> {
    let mut joins = false;
    for step in &mut steps {
        let own = step.alone || step.batches.is_some();
        step.begins = joins && !own && !std::mem::take(&mut step.begins);
        joins = !own;
    }
    steps
}

/// Whether the type changes in a way in which the server writes the table anew.
pub(super) fn rewrites(before: &Column, after: &Column) -> bool {
    use ColumnType::{Decimal, Enum, Text};
    if spelled(before) == spelled(after) || before.generated.is_some() {
        return false;
    }
    match (&before.ty, &after.ty) {
        (Enum(a), Enum(b)) if a.name == b.name => false,
        (Text { .. }, Text { max_len: None }) => before.case_insensitive != after.case_insensitive,
        (Text { max_len: Some(from) }, Text { max_len: Some(to) }) => {
            from > to || before.case_insensitive != after.case_insensitive
        }
        (Decimal { precision: p, scale: s }, Decimal { precision, scale }) => s != scale || precision < p,
        _ => true,
    }
}

/// As [`Ddl::next_batch`](crate::contract::Ddl::next_batch).
pub(super) fn next_batch(batches: &Batches, after: Option<&str>, size: u32) -> String {
    let Batches { table, key, .. } = batches;
    let behind = after.map(|after| format!(" WHERE {key} > {after}")).unwrap_or_default();
    // A text that the server reads as the type of the key, whatever it is.
    format!(
        "WITH batch AS (SELECT {key} AS k FROM {table}{behind} ORDER BY {key} LIMIT {size}) \
         SELECT (SELECT quote_literal(k::text) FROM batch ORDER BY k DESC LIMIT 1), (SELECT count(*) FROM batch)"
    )
}

impl Plan {
    /// Whether others may be at work on the table, and are not to be kept out.
    pub(super) fn is_online(&self, table: &str) -> bool {
        self.online && !self.made.iter().any(|made| made == table)
    }

    pub(super) fn alone(&mut self, sql: String) {
        self.steps.push(Step { alone: true, ..Step::new(sql) });
    }

    /// Adds a constraint: at once, or first for new rows alone.
    pub(super) fn constrain(&mut self, table: &str, name: &str, definition: &str) {
        let (on, name) = (qualified(table), quoted(name));
        if self.is_online(table) {
            self.sql(format!("ALTER TABLE {on} ADD CONSTRAINT {name} {definition} NOT VALID"));
            self.alone(format!("ALTER TABLE {on} VALIDATE CONSTRAINT {name}"));
        } else {
            self.sql(format!("ALTER TABLE {on} ADD CONSTRAINT {name} {definition}"));
        }
    }

    /// The check of a column's type, where it does not come with the column.
    pub(super) fn constrain_type(&mut self, table: &str, column: &Column) {
        if let Some(condition) = condition(column) {
            self.constrain(table, &check_name(table, &column.name), &format!("CHECK ({condition})"));
        }
    }

    /// A column that allows no NULL from now on: a check that was validated saves the server a look at the rows.
    pub(super) fn require(&mut self, table: &str, column: &str) {
        let (on, name) = (qualified(table), quoted(column));
        let set = format!("ALTER TABLE {on} ALTER COLUMN {name} SET NOT NULL");
        if self.is_online(table) {
            let check = constraint_name(table, &[column], "not_null");
            self.constrain(table, &check, &format!("CHECK ({name} IS NOT NULL)"));
            self.sql(set);
            self.sql(format!("ALTER TABLE {on} DROP CONSTRAINT {}", quoted(&check)));
        } else {
            self.sql(set);
        }
    }

    /// What an index is dropped by.
    pub(super) fn drop_index(&mut self, table: &str, index: &Index) {
        if self.is_online(table) {
            self.alone(format!("DROP INDEX CONCURRENTLY {}", beside(table, &index.name)));
        } else {
            self.sql(format!("DROP INDEX {}", beside(table, &index.name)));
        }
    }

    /// Makes an index anew beside the old one, and puts it in its place.
    pub(super) fn reindex_online(&mut self, table: &str, index: &Index, aside: &[(String, ForeignKey)]) -> Result<()> {
        if let Some((owner, key)) = aside.first() {
            return Err(refused(
                format_args!(
                    "making the index {} anew, on which the foreign key {} of {owner} stands",
                    index.name, key.name
                ),
                table,
            ));
        }
        let built = Index { name: constraint_name(table, &[&index.name], "new"), ..index.clone() };
        self.create_index(table, &built)?;
        if let Some(step) = self.steps.last_mut() {
            step.note = String::from("NULL stands elsewhere in it now");
        }
        self.drop_index(table, index);
        self.sql(format!("ALTER INDEX {} RENAME TO {}", beside(table, &built.name), quoted(&index.name)));
        Ok(())
    }

    /// Another primary key, whose index is there before the lock is taken.
    pub(super) fn rekey(&mut self, table: &str, drop: Option<String>, name: &str, columns: &str) {
        let index = quoted(&constraint_name(table, &[], "pkey_new"));
        self.alone(format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {} ({columns})", qualified(table)));
        let drop = drop.map(|drop| format!("{drop}, ")).unwrap_or_default();
        self.sql(format!(
            "ALTER TABLE {} {drop}ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {index}",
            qualified(table)
        ));
    }

    /// Refuses what keeps others out for as long as the table is large.
    pub(super) fn refuse(&self, change: &Change) -> Result<()> {
        let Some(table) = change.table().filter(|table| self.is_online(table)) else {
            return match change {
                Change::AlterEnum { before, after, .. }
                    if self.online && !appends(before.labels.as_ref(), after.labels.as_ref()) =>
                {
                    Err(refused(format_args!("labels of {} that go or change places", after.name), &after.name))
                }
                _ => Ok(()),
            };
        };
        match change {
            Change::AddColumn { column, .. } if column.generated.is_some() => {
                Err(refused(format_args!("the stored generated column {table}.{}", column.name), table))
            }
            Change::AddColumn { column, .. } if column.auto => {
                Err(refused(format_args!("the numbered column {table}.{}", column.name), table))
            }
            Change::AddColumn { column, backfill: None, .. }
                if matches!(column.default, Some(ColumnDefault::Expression(_))) =>
            {
                Err(refused(
                    format_args!("the column {table}.{} with a default that is computed for each row", column.name),
                    table,
                ))
            }
            Change::AlterColumn { before, after, .. } if rewrites(before, after) => Err(refused(
                format_args!("the change of {table}.{} from {} to {}", after.name, before.ty, after.ty),
                table,
            )),
            Change::RenameTable { .. } | Change::RenameColumn { .. } => {
                Err(refused(format_args!("another name for {table} or what is in it"), table))
            }
            _ => Ok(()),
        }
    }

    /// Gives rows that have NULL in a column a value, or that of another column.
    pub(super) fn fill(&mut self, table: &str, column: &str, value: &str, condition: &str) -> Result<()> {
        let key = self.table(table)?.primary_key.first().cloned().ok_or_else(|| {
            refused(format_args!("filling {table}.{column} in batches, for which the table has no key"), table)
        })?;
        self.steps.push(Batches::fill(qualified(table), quoted(&key), &quoted(column), value, condition));
        Ok(())
    }

    pub(super) fn fill_with(&mut self, table: &str, column: &Column, value: &ColumnDefault) -> Result<()> {
        self.fill(table, &column.name, &default(value, &column.ty), "")
    }

    pub(super) fn copy(&mut self, table: &str, from: &Column, to: &Column) -> Result<()> {
        let from = quoted(&from.name);
        self.fill(table, &to.name, &from, &format!(" AND {from} IS NOT NULL"))
    }

    /// A trigger writes the one column whenever the other is written.
    pub(super) fn follow(&mut self, table: &str, from: &Column, to: &Column) {
        let (name, on) = (follower(table, from), qualified(table));
        let (trigger, function) = (quoted(&name), beside(table, &name));
        let (from, to) = (quoted(&from.name), quoted(&to.name));
        self.sql(format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.{to} := NEW.{from}; RETURN NEW; END$$"
        ));
        self.sql(format!(
            "CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {function}()"
        ));
    }

    pub(super) fn unfollow(&mut self, table: &str, from: &Column) {
        let name = follower(table, from);
        self.sql(format!("DROP TRIGGER {} ON {}", quoted(&name), qualified(table)));
        self.sql(format!("DROP FUNCTION {}()", beside(table, &name)));
    }

    /// One column in the place of another, in one transaction: there is no moment without it.
    pub(super) fn swap(&mut self, table: &str, from: &Column, to: &Column) {
        let (on, first) = (qualified(table), self.steps.len());
        self.unfollow(table, from);
        self.sql(format!("ALTER TABLE {on} DROP COLUMN {}", quoted(&from.name)));
        self.sql(format!("ALTER TABLE {on} RENAME COLUMN {} TO {}", quoted(&to.name), quoted(&from.name)));
        self.rename_belongings(table, to, (table, &to.name), (table, &from.name));
        if self.online {
            // Read by `apart`: these stay with the one before.
            self.steps.iter_mut().skip(first + 1).for_each(|step| step.begins = true);
        }
    }
}

/// The name of trigger and function by which a column is followed.
fn follower(table: &str, from: &Column) -> String {
    constraint_name(table, &[&from.name], "follow")
}

/// Whether labels only came, and those that were there have their order.
fn appends<T: PartialEq>(before: &[T], after: &[T]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|label| rest.any(|other| other == label))
}

#[cold]
fn refused(what: impl std::fmt::Display, table: &str) -> Error {
    Error::unsupported(format_args!("{what}, while others write"), NAME)
        .with_table(table)
        .with_help("make it in a migration of its own without --online, for a quiet time")
}

#[cfg(test)]
mod tests {
    use super::{appends, next_batch, rewrites};
    use crate::catalog::{Column, ColumnType};
    use crate::contract::Batches;

    #[test]
    fn what_is_written_anew() {
        let text = |max_len| ColumnType::Text { max_len };
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        for (from, to, wanted) in [
            (ColumnType::I32, ColumnType::I64, true),
            (ColumnType::U32, ColumnType::I64, false),
            (text(Some(5)), text(Some(50)), false),
            (text(Some(5)), text(None), false),
            (text(None), text(Some(5)), true),
            (decimal(8, 2), decimal(10, 2), false),
            (decimal(8, 2), decimal(10, 4), true),
            (ColumnType::F32, ColumnType::F64, true),
        ] {
            let column = |ty| Column::new("c", ty);
            assert_eq!(rewrites(&column(from.clone()), &column(to.clone())), wanted, "{from} to {to}");
        }
        assert!(appends(&["a", "b"], &["x", "a", "b", "c"]) && !appends(&["a", "b"], &["b", "a"]));
    }

    #[test]
    fn a_batch_begins_behind_the_last() {
        let batches = Batches { table: "\"t\"".into(), key: "\"id\"".into(), size: 10, pause: None };
        assert!(!next_batch(&batches, None, 10).contains("WHERE"));
        let next = next_batch(&batches, Some("'7'"), 5);
        assert!(next.contains("WHERE \"id\" > '7' ORDER BY \"id\" LIMIT 5"), "{next}");
    }
}
