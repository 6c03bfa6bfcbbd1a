//! Schemas: made, emptied, and tables that move from one to another.

use std::collections::BTreeSet;

use crate::catalog::{Object, ObjectKind, Qualified, Table, constraint_name, shorten};
use crate::error::{Error, Result};
use crate::postgres::ddl::plan::Plan;
use crate::postgres::dialect::NAME;
use crate::postgres::types::{literal, qualified, quoted, sequence_name};

impl Plan {
    pub(super) fn create_schema(&mut self, name: &str) {
        self.sql(format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name)));
    }

    /// Nothing goes with it that Covet does not know of.
    pub(super) fn drop_schema(&mut self, name: &str, if_empty: bool) {
        let drop = format!("DROP SCHEMA {}", quoted(name));
        if !if_empty {
            return self.sql(drop);
        }
        let told = literal(&format!("the schema {name} stays, because there is more in it"));
        self.sql(block(&format!(
            "{drop}; EXCEPTION WHEN dependent_objects_still_exist THEN RAISE NOTICE USING MESSAGE = {told};"
        )));
    }

    /// Gives a table its new name, in its new schema. Names are free when their turn comes, on both sides.
    pub(super) fn place_table(&mut self, from: &str, to: &str) -> Result<()> {
        let table = self.table(from)?.clone();
        let (old, new) = (Qualified::of(from), Qualified::of(to));
        if old.schema == new.schema {
            self.rename_in_place(&table, from, &new.name);
            return Ok(());
        }
        let there = self.occupied(new.schema.as_deref(), from);
        if let Some(index) = table.indexes.iter().find(|index| there.contains(&index.name)) {
            let schema = new.schema.as_deref().unwrap_or("of the search path");
            let what =
                format_args!("a move of {from}, because the schema {schema} has an index {} already", index.name);
            return Err(Error::unsupported(what, NAME)
                .with_table(from)
                .with_help("give one of the two another name in a migration before this one"));
        }
        let here = self.occupied(old.schema.as_deref(), from);
        let free = |taken: &BTreeSet<String>, name: &str| !named_after(&table, name).any(|name| taken.contains(&name));
        let away = shorten(format!("covet_away_{}", old.name));
        // It travels by the first of these names that nothing else has.
        let ways = [(&*old.name, true), (&*new.name, free(&here, &new.name)), (&*away, true)];
        let way = ways.into_iter().find(|(name, could)| *could && free(&there, name)).map_or(&*away, |(name, _)| name);
        let mut now = from.to_owned();
        for name in [Some(way), None, Some(&*new.name)] {
            match name {
                Some(name) if Qualified::of(&now).name == name => {}
                Some(name) => {
                    self.rename_in_place(&table, &now, name);
                    now = Qualified::of(&now).beside(name);
                }
                None => {
                    self.move_table(&now, new.schema.as_deref());
                    now = Qualified::text(new.schema.as_deref(), &Qualified::of(&now).name);
                }
            }
        }
        Ok(())
    }

    /// Names that Covet derived from the table's follow it; indexes and foreign keys have changes of their own.
    fn rename_in_place(&mut self, table: &Table, from: &str, name: &str) {
        let to = Qualified::of(from).beside(name);
        self.sql(format!("ALTER TABLE {} RENAME TO {}", qualified(from), quoted(name)));
        if !table.primary_key.is_empty() {
            self.rename_constraint(&to, &constraint_name(from, &[], "pkey"), &constraint_name(&to, &[], "pkey"));
        }
        for column in &table.columns {
            self.rename_belongings(&to, column, (from, &column.name), (&to, &column.name));
        }
    }

    /// The names that relations have in a schema, but for those of one table.
    fn occupied(&self, schema: Option<&str>, but: &str) -> BTreeSet<String> {
        let is_there = |name: &str| Qualified::of(name).schema.as_deref() == schema;
        let mut names = BTreeSet::new();
        for table in self.current.tables.iter().filter(|table| table.name != but && is_there(&table.name)) {
            names.extend(named_after(table, &Qualified::of(&table.name).name));
            names.extend(table.indexes.iter().map(|index| index.name.clone()));
        }
        let enums = self.current.enums().into_iter().map(|ty| &*ty.name);
        let views = self.current.objects.iter().filter(|object| object.kind == ObjectKind::View);
        let others = enums.chain(views.map(|object| object.name.as_str())).filter(|name| is_there(name));
        names.extend(others.map(|name| Qualified::of(name).name.into_owned()));
        names
    }

    /// Indexes, constraints and sequences go along.
    fn move_table(&mut self, table: &str, to: Option<&str>) {
        let alter = format!("ALTER TABLE {} SET SCHEMA ", qualified(table));
        match to {
            Some(schema) => self.sql(alter + &quoted(schema)),
            // Which one comes first in the search path is known to the session alone.
            None => {
                let alter = literal(&alter);
                self.sql(block(&format!("EXECUTE {alter} || quote_ident(current_schema());")));
            }
        }
    }
}

/// The names of a table's relations that are made of its own, if it is called so.
fn named_after(table: &Table, name: &str) -> impl Iterator<Item = String> {
    let of = Qualified::text(None, name);
    let key = (!table.primary_key.is_empty()).then(|| constraint_name(&of, &[], "pkey"));
    let numbered = table.columns.iter().filter(|column| column.auto);
    let sequences: Vec<String> = numbered.map(|column| sequence_name(&of, &column.name)).collect();
    std::iter::once(name.to_owned()).chain(key).chain(sequences)
}

/// The quotes around the name of an object.
pub(super) fn of_object(object: &Object) -> fn(&str) -> String {
    if object.has_schema() { qualified } else { quoted }
}

/// Statements that the server runs as one. The mark at their ends stands in no name within.
fn block(body: &str) -> String {
    let marks = (0_u64..).map(|number| if number == 0 { "$$".to_owned() } else { format!("$_{number}$") });
    let mark = marks.into_iter().find(|mark| !body.contains(mark.as_str())).unwrap_or_default();
    format!("DO {mark}BEGIN {body} END{mark}")
}
