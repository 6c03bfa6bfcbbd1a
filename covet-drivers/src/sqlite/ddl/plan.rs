//! Follows every table through the changes: what can be said plainly is said in place, and what
//! cannot is gathered into one rebuild after the last change of the table.
//!
//! A rebuild waits for the last rename of the plan as well, of whatever table: SQLite lets triggers follow a rename, but
//! not those that are gone until the migration commits, and they would come back with the old name.

use std::collections::BTreeSet;

use crate::catalog::{
    Change, Column, ColumnDefault, ColumnType, EnumType, ForeignKey, Index, Object, ObjectKind, Schema, Table,
};
use crate::contract::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::ddl::create::{self, quote};
use crate::sqlite::ddl::line::{Line, Source};
use crate::sqlite::ddl::rebuild::Place;
use crate::sqlite::ddl::{literal, rebuild};
use crate::sqlite::dialect::NAME;

/// The statements that make the changes.
pub(super) fn plan(changes: &[Change], before: &Schema) -> Result<Vec<Step>> {
    // The first pass finds out what needs a rebuild, and what goes or is new anyway.
    let mut scout = Planner::new(before, Forecast::default());
    for (number, change) in changes.iter().enumerate() {
        scout.apply(number, change)?;
    }
    let mut planner = Planner::new(before, scout.forecast());
    for (number, change) in changes.iter().enumerate() {
        planner.apply(number, change)?;
        planner.rebuild_after(number)?;
    }
    Ok(planner.steps)
}

/// What the first pass found, by the numbers of the lines.
#[derive(Debug, Default)]
struct Forecast {
    rebuilt: BTreeSet<usize>,
    dropped: BTreeSet<usize>,
    /// The changes after which they are rebuilt.
    last: Vec<usize>,
    tables: Vec<Table>,
}

pub(super) struct Planner {
    lines: Vec<Line>,
    needs_rebuild: BTreeSet<usize>,
    /// What has been rebuilt by now.
    done: BTreeSet<usize>,
    /// The number of the last change that gives a table or a column another name.
    renamed: usize,
    /// What is declared beside the tables, as it is at this point.
    objects: Vec<Object>,
    forecast: Forecast,
    pub(super) steps: Vec<Step>,
}

impl Planner {
    fn new(before: &Schema, forecast: Forecast) -> Self {
        let lines = before.tables.iter().map(|table| Line::new(table, false)).collect();
        Planner {
            lines,
            needs_rebuild: BTreeSet::new(),
            done: BTreeSet::new(),
            renamed: 0,
            objects: before.objects.clone(),
            forecast,
            steps: Vec::new(),
        }
    }

    fn forecast(self) -> Forecast {
        let dropped: BTreeSet<usize> =
            self.lines.iter().enumerate().filter(|(_, line)| line.dropped).map(|(number, _)| number).collect();
        Forecast {
            rebuilt: self.needs_rebuild.difference(&dropped).copied().collect(),
            last: self.lines.iter().map(|line| line.last.max(if line.is_used { 0 } else { self.renamed })).collect(),
            tables: self.lines.into_iter().map(|line| line.table).collect(),
            dropped,
        }
    }

    fn apply(&mut self, number: usize, change: &Change) -> Result<()> {
        match change {
            // An enum is no object of its own here.
            // What is in a schema is for another database, or was refused.
            Change::CreateEnum { .. }
            | Change::DropEnum { .. }
            | Change::CreateSchema { .. }
            | Change::DropSchema { .. } => Ok(()),
            Change::AlterEnum { before, after, map } => {
                self.alter_enum(number, before, after, map);
                Ok(())
            }
            Change::CreateTable { table } => self.create_table(number, table),
            Change::DropTable { table } => self.drop_table(number, &table.name),
            Change::RenameTable { from, to } => self.rename_table(number, from, to),
            Change::AddColumn { table, column, backfill } => self.add_column(number, table, column, backfill.as_ref()),
            Change::DropColumn { table, column } => self.drop_column(number, table, &column.name),
            Change::RenameColumn { table, from, to } => self.rename_column(number, table, from, to),
            Change::AlterColumn { table, after, backfill, .. } => {
                self.alter_column(number, table, after, backfill.as_ref())
            }
            Change::AddIndex { table, index } => self.add_index(number, table, index),
            Change::DropIndex { table, index } => self.drop_index(number, table, &index.name),
            Change::RenameIndex { table, from, to } => self.rename_index(number, table, from, to),
            Change::RenameConstraint { table, from, to } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                let keys = line.table.foreign_keys.iter_mut().chain(&mut line.new_foreign_keys);
                let checks = line.table.checks.iter_mut().chain(&mut line.new_checks);
                let names = keys.map(|key| &mut key.name).chain(checks.map(|check| &mut check.name));
                names.filter(|name| *name == from).for_each(|name| to.clone_into(name));
                self.must_rebuild(id);
                Ok(())
            }
            Change::AddForeignKey { table, foreign_key } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                line.table.foreign_keys.push(foreign_key.clone());
                line.new_foreign_keys.push(foreign_key.clone());
                self.must_rebuild(id);
                Ok(())
            }
            Change::DropForeignKey { table, foreign_key } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                line.table.foreign_keys.retain(|key| key.name != foreign_key.name);
                line.new_foreign_keys.retain(|key| key.name != foreign_key.name);
                self.must_rebuild(id);
                Ok(())
            }
            Change::AddCheck { table, check } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                line.table.checks.push(check.clone());
                line.new_checks.push(check.clone());
                self.must_rebuild(id);
                Ok(())
            }
            Change::DropCheck { table, check } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                line.table.checks.retain(|known| known.name != check.name);
                line.new_checks.retain(|known| known.name != check.name);
                self.must_rebuild(id);
                Ok(())
            }
            Change::AlterPrimaryKey { table, after, .. } => {
                let id = self.touch(number, table)?;
                let line = self.line(id)?;
                line.table.primary_key.clone_from(after);
                line.new_key = !after.is_empty();
                self.must_rebuild(id);
                Ok(())
            }
            Change::FillColumn { table, column, value } => self.fill_with(table, column, value),
            Change::CopyColumn { table, from, to } => self.copy(table, from, to),
            Change::FollowColumn { table, from, to } => self.follow_column(table, from, to),
            Change::UnfollowColumn { table, from, .. } => {
                self.unfollow_column(table, from);
                Ok(())
            }
            Change::SwapColumn { table, from, to } => self.swap_column(number, table, from, to),
            // SQLite keeps no comments.
            Change::CommentTable { .. } => Ok(()),
            Change::CreateObject { object } => {
                self.objects.push(object.clone());
                self.steps.extend(object.create(NAME, quote).map(Step::new));
                Ok(())
            }
            Change::DropObject { object } => {
                self.objects.retain(|known| !known.is(object));
                self.steps.extend(object.drop(NAME, quote, "").map(Step::new));
                Ok(())
            }
        }
    }

    fn alter_enum(&mut self, number: usize, before: &EnumType, after: &EnumType, map: &[(String, String)]) {
        for id in 0..self.lines.len() {
            let Some(line) = self.lines.get_mut(id).filter(|line| !line.dropped) else { continue };
            let mut touched = false;
            for (column, source) in line.table.columns.iter_mut().zip(&mut line.sources) {
                if matches!(&column.ty, ColumnType::Enum(ty) if ty.name == before.name) {
                    column.ty = ColumnType::Enum(after.clone());
                    source.map = map.to_vec();
                    touched = true;
                }
            }
            if touched {
                line.last = number;
                self.must_rebuild(id);
            }
        }
    }

    fn create_table(&mut self, number: usize, table: &Table) -> Result<()> {
        let id = self.lines.len();
        let mut line = Line::new(table, true);
        line.last = number;
        // Indexes and foreign keys are changes of their own; only that the latter cannot come later.
        line.table.indexes.clear();
        line.table.foreign_keys.clear();
        self.lines.push(line);
        if let Some(last) = self.forecast.tables.get(id) {
            self.steps.push(Step::new(create::table(last, &table.name)?));
        }
        Ok(())
    }

    fn drop_table(&mut self, number: usize, name: &str) -> Result<()> {
        let id = self.touch(number, name)?;
        self.line(id)?.dropped = true;
        self.steps.push(Step::new(format!("DROP TABLE {}", quote(name))));
        Ok(())
    }

    fn rename_table(&mut self, number: usize, from: &str, to: &str) -> Result<()> {
        let id = self.touch(number, from)?;
        self.line(id)?.table.name = to.to_owned();
        for line in &mut self.lines {
            for key in line.keys().filter(|key| key.target == from) {
                key.target = to.to_owned();
            }
        }
        let rename = |from: &str, to: &str| format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to));
        if from.eq_ignore_ascii_case(to) {
            // To SQLite the name is taken, by the table itself.
            let between = format!("_covet_between_{to}");
            self.follow(number, &[rename(from, &between), rename(&between, to)]);
        } else {
            self.follow(number, &[rename(from, to)]);
        }
        Ok(())
    }

    fn add_column(&mut self, number: usize, table: &str, column: &Column, fill: Option<&ColumnDefault>) -> Result<()> {
        let id = self.touch(number, table)?;
        let line = self.line(id)?;
        line.table.columns.push(column.clone());
        line.sources.push(Source { backfill: fill.cloned(), ..Source::default() });
        let constant = column
            .default
            .as_ref()
            .is_none_or(|default| !matches!(default, ColumnDefault::Now | ColumnDefault::Expression(_)));
        let fills_itself =
            column.nullable || (column.default.is_some() && (fill.is_none() || fill == column.default.as_ref()));
        // One that is stored cannot be added, nor one that is NOT NULL, whatever its expression gives.
        let plainly = column.generated.as_ref().is_none_or(|generated| !generated.stored && column.nullable);
        if column.auto || !constant || !fills_itself || !plainly {
            self.must_rebuild(id);
        }
        if self.is_plain(id) {
            let definition = create::column(&self.line(id)?.table.clone(), column)?;
            self.steps.push(Step::new(format!("ALTER TABLE {} ADD COLUMN {definition}", quote(table))));
            if let Some(fill) = fill.filter(|fill| Some(*fill) != column.default.as_ref()) {
                let value = literal::default(table, column, fill)?;
                self.steps.push(Step::new(format!("UPDATE {} SET {} = {value}", quote(table), quote(&column.name))));
            }
            self.settle(id, &column.name)?;
        }
        Ok(())
    }

    pub(super) fn drop_column(&mut self, number: usize, table: &str, name: &str) -> Result<()> {
        let id = self.touch(number, table)?;
        let targeted = self
            .lines
            .iter()
            .flat_map(|line| &line.table.foreign_keys)
            .any(|key| key.target == table && key.target_columns.iter().any(|column| column == name));
        let line = self.line(id)?;
        let at = line.position(name)?;
        line.table.columns.remove(at);
        let source = line.sources.remove(at);
        line.leaving.extend(source.old.map(|old| old.name));
        let has = |columns: &[String]| columns.iter().any(|column| column == name);
        let bound = targeted
                // SQLite keeps one column at least.
                || line.table.columns.is_empty()
                || has(&line.table.primary_key)
                // As the key is stored, which a change of it in the same plan may have left behind.
                || has(&line.old.primary_key)
                || line.table.indexes.iter().any(|index| index.mentions(name))
                || line.old.checks.iter().any(|check| check.expression.mentions(name))
                || line.old.columns.iter().any(|column| {
                    column.generated.as_ref().is_some_and(|generated| generated.expression.mentions(name))
                })
                || line.table.foreign_keys.iter().chain(&line.old.foreign_keys).any(|key| has(&key.columns));
        line.table.primary_key.retain(|column| column != name);
        if bound {
            self.must_rebuild(id);
        }
        if self.is_plain(id) {
            self.line(id)?.leaving.retain(|leaving| leaving != name);
            self.steps.push(Step::new(format!("ALTER TABLE {} DROP COLUMN {}", quote(table), quote(name))));
        }
        Ok(())
    }

    pub(super) fn rename_column(&mut self, number: usize, table: &str, from: &str, to: &str) -> Result<()> {
        let id = self.touch(number, table)?;
        let created = self.line(id)?.created;
        let (mut renames, mut moved) = (Vec::new(), None);
        let rename = |from: &str, to: &str| {
            format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quote(table), quote(from), quote(to))
        };
        let line = self.line(id)?;
        // A column that goes only with the rebuild may still hold the name.
        if let Some(taken) = line.leaving.iter_mut().find(|leaving| leaving.eq_ignore_ascii_case(to)) {
            let away = format!("_covet_old_{taken}");
            renames.push(rename(taken, &away));
            let from = std::mem::replace(taken, away.clone());
            line.old.rename_column(&from, &away);
            moved = Some((from, away));
        }
        let at = line.position(from)?;
        let mut is_stored = false;
        if let (Some(column), Some(source)) = (line.table.columns.get_mut(at), line.sources.get_mut(at)) {
            column.name = to.to_owned();
            if let Some(old) = &mut source.old {
                old.name = to.to_owned();
                is_stored = true;
            }
        }
        line.rename(from, to);
        let follow = |key: &mut ForeignKey, from: &str, to: &str| {
            let columns = key.target_columns.iter_mut().filter(|column| *column == from);
            columns.for_each(|column| to.clone_into(column));
        };
        for line in &mut self.lines {
            if let Some((from, to)) = &moved {
                let old = line.old.foreign_keys.iter_mut().filter(|key| key.target == table);
                old.for_each(|key| follow(key, from, to));
            }
            line.keys().filter(|key| key.target == table).for_each(|key| follow(key, from, to));
        }
        if is_stored && !created {
            renames.push(rename(from, to));
            self.follow(number, &renames);
        }
        Ok(())
    }

    fn alter_column(&mut self, number: usize, table: &str, after: &Column, fill: Option<&ColumnDefault>) -> Result<()> {
        let id = self.touch(number, table)?;
        let line = self.line(id)?;
        let at = line.position(&after.name)?;
        let mut is_written = false;
        if let (Some(column), Some(source)) = (line.table.columns.get_mut(at), line.sources.get_mut(at)) {
            // SQLite keeps no comments.
            is_written = Column { comment: after.comment.clone(), ..column.clone() } != *after;
            *column = after.clone();
            if fill.is_some() {
                source.backfill = fill.cloned();
            }
        }
        if is_written {
            self.must_rebuild(id);
        }
        Ok(())
    }

    fn add_index(&mut self, number: usize, table: &str, index: &Index) -> Result<()> {
        let id = self.touch(number, table)?;
        let line = self.line(id)?;
        line.table.indexes.push(index.clone());
        line.new_indexes.push(index.name.clone());
        if self.is_plain(id) || self.line(id)?.created {
            let line = self.line(id)?;
            line.new_indexes.clear();
            if index.unique && !line.created {
                self.steps.push(create::twice(table, index));
            }
            self.steps.push(Step::new(create::index(table, index)));
        }
        Ok(())
    }

    fn drop_index(&mut self, number: usize, table: &str, name: &str) -> Result<()> {
        let id = self.touch(number, table)?;
        let line = self.line(id)?;
        line.table.indexes.retain(|index| index.name != name);
        if line.new_indexes.iter().any(|new| new == name) {
            line.new_indexes.retain(|new| new != name);
        } else if name.starts_with("sqlite_autoindex_") {
            // It belongs to a UNIQUE in the table's own text, and goes only with that.
            self.must_rebuild(id);
        } else {
            // Also of a table that goes: another index may come by its name before that.
            self.steps.push(Step::new(format!("DROP INDEX {}", quote(name))));
        }
        Ok(())
    }

    /// SQLite has no other name for an index: it is made again, over rows that are known to fit.
    fn rename_index(&mut self, number: usize, table: &str, from: &str, to: &str) -> Result<()> {
        let id = self.touch(number, table)?;
        let known = self.line(id)?.table.indexes.iter().find(|index| index.name == from).cloned();
        let index = Index { name: to.to_owned(), ..known.ok_or_else(|| no_index(table, from))? };
        self.drop_index(number, table, from)?;
        let first = self.steps.len();
        self.add_index(number, table, &index)?;
        let again = self.steps.split_off(first);
        self.steps.extend(again.into_iter().filter(|step| !step.guard));
        Ok(())
    }

    /// Rebuilds the tables that are due after this change, in the order of their own last changes.
    fn rebuild_after(&mut self, number: usize) -> Result<()> {
        let mut due: Vec<usize> =
            self.forecast.rebuilt.iter().copied().filter(|id| self.forecast.last.get(*id) == Some(&number)).collect();
        due.sort_by_key(|id| self.lines.get(*id).map(|line| line.last));
        for id in due {
            let stored = |table: &str, column: &str| self.stored(table, column);
            let line = self.lines.get(id).ok_or_else(lost)?;
            let is_on = |object: &&Object| {
                object.kind == ObjectKind::Trigger && object.table.as_deref() == Some(line.table.name.as_str())
            };
            let triggers: Vec<&Object> = self.objects.iter().filter(is_on).collect();
            let steps = rebuild::steps(line, &stored, &triggers)?;
            self.steps.extend(steps);
            self.done.insert(id);
        }
        Ok(())
    }

    /// Renames which other tables, indexes and triggers have to follow: SQLite sees to that only in
    /// its ordinary mode, and a migration runs in the other, which rebuilds need.
    fn follow(&mut self, number: usize, renames: &[String]) {
        self.renamed = number;
        let mut off = Step::new("PRAGMA legacy_alter_table = OFF");
        off.note = String::from("references to what is renamed follow");
        self.steps.push(off);
        self.steps.extend(renames.iter().map(Step::new));
        self.steps.push(Step::new("PRAGMA legacy_alter_table = ON"));
    }

    /// The line of the table, which this change is now the last of.
    pub(super) fn touch(&mut self, number: usize, name: &str) -> Result<usize> {
        let id = self.find(name)?;
        self.line(id)?.last = number;
        Ok(id)
    }

    /// The line of the table, whose rebuild does not wait for this change.
    pub(super) fn find(&self, name: &str) -> Result<usize> {
        self.lines.iter().rposition(|line| !line.dropped && line.table.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("a change of table {name}, which does not exist at this point"))
                .with_table(name)
        })
    }

    /// The line of the table, whose rows are changed at this point.
    pub(super) fn used(&mut self, name: &str) -> Result<usize> {
        let id = self.find(name)?;
        self.line(id)?.is_used = true;
        Ok(id)
    }

    pub(super) fn line(&mut self, id: usize) -> Result<&mut Line> {
        self.lines.get_mut(id).ok_or_else(|| Error::new(ErrorKind::Migration, "a table was lost while planning"))
    }

    /// Where the values of a column are at this point.
    fn stored(&self, table: &str, column: &str) -> Place {
        let found = self.find(table).ok().and_then(|id| Some((id, self.lines.get(id)?)));
        let Some((id, line)) = found else { return Place::Later };
        let mut columns = line.table.columns.iter().zip(&line.sources);
        let Some((own, source)) = columns.find(|(own, _)| own.name == column) else { return Place::Later };
        let waits = self.forecast.rebuilt.contains(&id) && !self.done.contains(&id);
        match &source.old {
            None if own.auto && !line.created => Place::Numbered,
            None if waits => Place::Later,
            Some(old) if waits => Place::At(old.name.clone()),
            _ => Place::At(column.to_owned()),
        }
    }

    pub(super) fn must_rebuild(&mut self, id: usize) {
        if self.lines.get(id).is_some_and(|line| !line.created) {
            self.needs_rebuild.insert(id);
        }
    }

    /// Whether changes of the table are made in place: it is neither rebuilt nor new nor about to go.
    fn is_plain(&self, id: usize) -> bool {
        let rebuilt = self.forecast.rebuilt.contains(&id) || self.forecast.dropped.contains(&id);
        !rebuilt && self.lines.get(id).is_some_and(|line| !line.created)
    }

    /// A column that was added in place is stored from now on.
    fn settle(&mut self, id: usize, name: &str) -> Result<()> {
        let line = self.line(id)?;
        let at = line.position(name)?;
        let column = line.table.columns.get(at).cloned();
        if let Some(source) = line.sources.get_mut(at) {
            *source = Source { old: column, ..Source::default() };
        }
        Ok(())
    }
}

#[cold]
fn no_index(table: &str, index: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("a change of the index {index} of {table}, which does not exist there"))
        .with_table(table)
}

fn lost() -> Error {
    Error::new(ErrorKind::Migration, "a table was lost while planning")
}
