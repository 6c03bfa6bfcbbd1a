//! What a rule sees: a script with its statements, the schemas around it, and what it was made for.

use std::collections::HashMap;

use crate::catalog::{Change, Column, Index, Qualified, Schema, Table};
use crate::lint::act::{Act, What, mentions_table};
use crate::lint::read::Read;
use crate::lint::rule::At;
use crate::lint::token::Token;

/// A script, and what is known of it.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// The schema before it.
    pub before: &'a Schema,
    /// The schema after it.
    pub after: &'a Schema,
    /// The changes that it was made for; none when it was written by hand.
    pub changes: &'a [Change],
    /// What was decided when it was made, as it was given.
    pub decisions: &'a [String],
    /// Views and triggers of the scripts before this one.
    pub earlier: Vec<Dependent>,
    /// Why there is no way back, if there is none.
    pub irreversible: Option<String>,
    /// The guards that Covet writes for the changes, and that are not there.
    pub missing_guards: Vec<Vec<Token>>,
    /// The tables that are rebuilt, as [`new`](Scene::new) finds them.
    pub rebuilds: Vec<Rebuild>,
    /// The most bytes of a name.
    pub max_identifier: usize,
    /// Whether it runs in one transaction, except for statements that stand alone.
    pub one_transaction: bool,
    /// Whether it is the last part of a change that is made while others write.
    pub contracts: bool,
    /// The tables that the script makes, in lower case: from which statement to which they hold no rows of before.
    made: HashMap<String, (usize, usize)>,
}

/// A statement of a script.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its place, from 0.
    pub index: usize,
    /// Its text, without the comments before it.
    pub sql: String,
    /// What it does.
    pub read: Read,
    /// It counts rows that are in the way, and stops the migration when there are some.
    pub guard: bool,
    /// It runs outside a transaction.
    pub alone: bool,
    /// It begins a transaction, and does not share that of the statements before it.
    pub begins: bool,
    /// It runs in batches, each in a transaction of its own.
    pub batched: bool,
    /// Covet wrote it so, and nobody edited it.
    pub generated: bool,
}

/// A view or trigger that was made earlier.
#[derive(Clone, Debug)]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// The table of a trigger; empty for a view.
    pub table: String,
    /// Its text.
    pub body: Vec<Token>,
}

/// A table that is made again under another name, filled from the old one, and takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The table.
    pub table: String,
    /// The name of the new one until then.
    pub under: String,
    /// The statements that create, fill, drop and rename.
    pub create: usize,
    /// The `INSERT … SELECT`.
    pub fill: usize,
    /// The `DROP TABLE`.
    pub drop: usize,
    /// The `RENAME`.
    pub rename: usize,
}

/// Whether two names are one.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Whether a name is in a list.
#[must_use]
pub fn among(names: &[String], name: &str) -> bool {
    names.iter().any(|known| same(known, name))
}

impl<'a> Scene<'a> {
    /// A script between two schemas, of which nothing else is known.
    #[must_use]
    pub fn new(statements: Vec<Statement>, before: &'a Schema, after: &'a Schema) -> Self {
        let mut scene = Scene {
            statements,
            before,
            after,
            changes: &[],
            decisions: &[],
            earlier: Vec::new(),
            irreversible: None,
            missing_guards: Vec::new(),
            rebuilds: Vec::new(),
            max_identifier: usize::MAX,
            one_transaction: false,
            contracts: false,
            made: HashMap::new(),
        };
        scene.settle_names();
        scene.rebuilds = scene.find_rebuilds();
        scene.made = scene.find_made();
        scene
    }
}

impl Scene<'_> {
    /// Every act, with the place of its statement.
    pub fn acts(&self) -> impl Iterator<Item = (usize, &Act)> {
        self.statements.iter().flat_map(|statement| statement.read.acts.iter().map(|act| (statement.index, act)))
    }

    /// Every act before a statement.
    pub fn acts_before(&self, index: usize) -> impl Iterator<Item = (usize, &Act)> {
        self.acts().take_while(move |(at, _)| *at < index)
    }

    /// Every act after a statement.
    pub fn acts_after(&self, index: usize) -> impl Iterator<Item = (usize, &Act)> {
        self.acts().skip_while(move |(at, _)| *at <= index)
    }

    /// The table of this name before the script.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.before.tables.iter().find(|table| same(&table.name, name))
    }

    /// The column before the script, also when table or column got their name in it.
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.known(table)?.columns.iter().find(|known| same(&known.name, &self.old_column(table, column)))
    }

    /// The table before the script, also when it got this name in it.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<&Table> {
        self.table(name).or_else(|| {
            let renamed = self.acts().find_map(|(_, act)| match &act.what {
                What::RenameTable { to } if same(to, name) => Some(&act.table),
                _ => None,
            });
            renamed.and_then(|old| self.table(old))
        })
    }

    /// The column after the script.
    #[must_use]
    pub fn after_column(&self, table: &str, column: &str) -> Option<&Column> {
        let table = self.after.tables.iter().find(|known| same(&known.name, table))?;
        table.columns.iter().find(|known| same(&known.name, column))
    }

    fn old_column(&self, table: &str, column: &str) -> String {
        let renamed = self.acts().find_map(|(_, act)| match &act.what {
            What::RenameColumn { from, to } if same(to, column) && same(&act.table, table) => Some(from.clone()),
            _ => None,
        });
        renamed.unwrap_or_else(|| column.to_owned())
    }

    /// The index of this name before the script, and its table.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<(&Table, &Index)> {
        self.before
            .tables
            .iter()
            .find_map(|table| table.indexes.iter().find(|index| same(&index.name, name)).map(|index| (table, index)))
    }

    /// The same, of a table where it is known.
    #[must_use]
    pub fn index_on(&self, table: &str, name: &str) -> Option<(&Table, &Index)> {
        self.index(name).filter(|(known, _)| table.is_empty() || same(&known.name, table)).or_else(|| {
            let table = self.table(table)?;
            Some((table, table.indexes.iter().find(|index| same(&index.name, name))?))
        })
    }

    /// The table that an act is about; for an index it is looked up where the statement does not say it.
    #[must_use]
    pub fn table_of(&self, act: &Act) -> String {
        match &act.what {
            What::DropIndex { name, .. } if act.table.is_empty() => {
                let made = self.acts().find_map(|(_, other)| match &other.what {
                    What::CreateIndex(index) if same(&index.name, name) => Some(other.table.clone()),
                    _ => None,
                });
                self.index(name).map(|(table, _)| table.name.clone()).or(made).unwrap_or_default()
            }
            _ => act.table.clone(),
        }
    }

    /// Whether the table was made by the script, before this statement, and so holds nothing that could be in the way.
    #[must_use]
    pub fn is_new(&self, table: &str, index: usize) -> bool {
        self.made.get(&table.to_ascii_lowercase()).is_some_and(|(from, until)| (*from..=*until).contains(&index))
    }

    /// Whether the column was added by the script, before this statement.
    #[must_use]
    pub fn is_new_column(&self, table: &str, column: &str, index: usize) -> bool {
        self.acts().take_while(|(at, _)| *at <= index).any(|(_, act)| {
            same(&act.table, table) && matches!(&act.what, What::AddColumn(added) if same(&added.name, column))
        })
    }

    /// Whether a guard on the table stands before the statement, and none that belongs there was taken away.
    #[must_use]
    pub fn is_guarded(&self, table: &str, index: usize) -> bool {
        let guards = self.statements.iter().take(index).filter(|statement| statement.guard);
        !self.lacks_guard(table) && guards.into_iter().any(|guard| mentions_table(&guard.read.tokens, table))
    }

    /// Whether a guard on the table is missing that Covet writes for the changes, and no other one takes its place.
    #[must_use]
    pub fn lacks_guard(&self, table: &str) -> bool {
        let other = |statement: &Statement| {
            statement.guard && !statement.generated && mentions_table(&statement.read.tokens, table)
        };
        self.missing_guards.iter().any(|guard| mentions_table(guard, table)) && !self.statements.iter().any(other)
    }

    /// Whether rows get a value in the column before the statement.
    #[must_use]
    pub fn is_filled(&self, table: &str, column: &str, index: usize) -> bool {
        self.acts_before(index).any(|(_, act)| {
            same(&act.table, table) && matches!(&act.what, What::Update { columns, .. } if among(columns, column))
        })
    }

    /// Whether the statement runs in the transaction of the migration.
    #[must_use]
    pub fn in_transaction(&self, index: usize) -> bool {
        self.one_transaction
            && !self.statements.get(index).is_some_and(|statement| statement.alone || statement.batched)
    }

    /// Whether no other statement shares the transaction of this one.
    #[must_use]
    pub fn is_apart(&self, index: usize) -> bool {
        let ends =
            |index: usize| self.statements.get(index).is_none_or(|next| next.alone || next.batched || next.begins);
        let begins = index == 0
            || self.statements.get(index).is_some_and(|statement| statement.begins)
            || !self.in_transaction(index - 1);
        !self.in_transaction(index) || begins && ends(index + 1)
    }

    /// The statements that share a transaction with this one and come after it.
    #[must_use]
    pub fn rest_of_transaction(&self, index: usize) -> &[Statement] {
        if !self.in_transaction(index) {
            return &[];
        }
        let rest = self.statements.get(index + 1..).unwrap_or_default();
        let ends = |statement: &Statement| statement.alone || statement.batched || statement.begins;
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Whether this column goes, or gets its name, because another takes its place that has its values.
    #[must_use]
    pub fn is_swapped(&self, table: &str, column: &str) -> bool {
        self.changes.iter().any(|change| match change {
            Change::SwapColumn { table: known, from, to } => {
                same(known, table) && (same(&from.name, column) || same(&to.name, column))
            }
            _ => false,
        })
    }

    /// Whether this was decided when the migration was made.
    #[must_use]
    pub fn is_decided(&self, decision: &str) -> bool {
        let plain = |text: &str| text.replace('"', "");
        self.decisions.iter().any(|known| same(&plain(known), &plain(decision)))
    }

    /// A name may say a schema of which the models say nothing, the one in which everything is: it is left away. An index
    /// that goes says its schema and not its table, which is looked up.
    fn settle_names(&mut self) {
        let mut known = self.before.schemas();
        known.extend(self.after.schemas());
        let settle = |text: &mut String| {
            if let Qualified { schema: Some(schema), name } = Qualified::of(text)
                && !known.iter().any(|known| same(known, &schema))
            {
                *text = Qualified::text(None, &name);
            }
        };
        let mut statements = std::mem::take(&mut self.statements);
        for act in statements.iter_mut().flat_map(|statement| &mut statement.read.acts) {
            settle(&mut act.table);
            match &mut act.what {
                What::RenameTable { to } | What::RenameType { to, .. } => settle(to),
                What::CreateView { name, .. } | What::DropView { name, .. } => settle(name),
                What::CreateEnum { name, .. } | What::DropType { name, .. } | What::AddLabel { ty: name, .. } => {
                    settle(name);
                }
                What::AddConstraint(constraint) => constraint.target.iter_mut().for_each(settle),
                What::AddColumn(column) => column.constraints.iter_mut().for_each(|constraint| {
                    constraint.target.iter_mut().for_each(settle);
                }),
                What::CreateTable(table) => {
                    let own = table.columns.iter_mut().flat_map(|column| &mut column.constraints);
                    let all = table.constraints.iter_mut().chain(own);
                    all.for_each(|constraint| constraint.target.iter_mut().for_each(settle));
                }
                What::DropIndex { name, .. } => {
                    settle(name);
                    let of = Qualified::of(name);
                    let owner = of.schema.as_ref().and_then(|schema| {
                        let is_there = |table: &&Table| {
                            let place = Qualified::of(&table.name).schema;
                            place.is_some_and(|place| same(&place, schema))
                                && table.indexes.iter().any(|index| same(&index.name, &of.name))
                        };
                        self.before.tables.iter().chain(&self.after.tables).find(is_there)
                    });
                    if let Some(owner) = owner.filter(|_| act.table.is_empty()) {
                        act.table.clone_from(&owner.name);
                    }
                    *name = of.name.into_owned();
                }
                _ => {}
            }
        }
        self.statements = statements;
    }

    fn find_made(&self) -> HashMap<String, (usize, usize)> {
        let mut made = HashMap::new();
        for (index, act) in self.acts() {
            let name = act.table.to_ascii_lowercase();
            match &act.what {
                // What takes the place of another table has its rows from then on.
                What::CreateTable(def) if !def.derived => {
                    let rebuild = self.rebuilds.iter().find(|rebuild| same(&rebuild.under, &name));
                    if rebuild.is_some() || self.table(&name).is_none() || self.dropped(&name) {
                        made.insert(name, (index, rebuild.map_or(usize::MAX, |rebuild| rebuild.drop)));
                    }
                }
                What::RenameTable { to }
                    if made.contains_key(&name) && !self.rebuilds.iter().any(|rebuild| rebuild.rename == index) =>
                {
                    made.insert(to.to_ascii_lowercase(), (index, usize::MAX));
                }
                _ => {}
            }
        }
        made
    }

    fn dropped(&self, table: &str) -> bool {
        self.acts().any(|(_, act)| same(&act.table, table) && matches!(act.what, What::DropTable { .. }))
    }

    fn find_rebuilds(&self) -> Vec<Rebuild> {
        let mut found = Vec::new();
        for (rename, act) in self.acts() {
            let What::RenameTable { to } = &act.what else { continue };
            let create = self
                .acts_before(rename)
                .find(|(_, other)| same(&other.table, &act.table) && matches!(other.what, What::CreateTable(_)));
            let drop = self
                .acts_before(rename)
                .find(|(_, other)| same(&other.table, to) && matches!(other.what, What::DropTable { .. }));
            let fill = self.acts_before(rename).find(|(_, other)| {
                let from_old = |query: &[Token]| mentions_table(query, to);
                same(&other.table, &act.table) && matches!(&other.what, What::Insert { query, .. } if from_old(query))
            });
            if let (Some((create, _)), Some((fill, _)), Some((drop, _))) = (create, fill, drop) {
                let (table, under) = (to.clone(), act.table.clone());
                found.push(Rebuild { table, under, create, fill, drop, rename });
            }
        }
        found
    }

    /// The rebuild that this statement is a part of.
    #[must_use]
    pub fn rebuild_at(&self, index: usize) -> Option<&Rebuild> {
        self.rebuilds.iter().find(|rebuild| (rebuild.create..=rebuild.rename).contains(&index))
    }

    /// The statement that makes a change of the table, for what only the plan says: a rebuild, else the first that names it.
    #[must_use]
    pub fn place_of(&self, table: &str) -> usize {
        let rebuild = self.rebuilds.iter().find(|rebuild| same(&rebuild.table, table)).map(|found| found.create);
        let named = || {
            self.statements
                .iter()
                .find(|statement| !statement.guard && statement.read.acts.iter().any(|act| same(&act.table, table)))
                .map(|statement| statement.index)
        };
        rebuild.or_else(named).unwrap_or(0)
    }
}

impl At<'_> {
    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.act.table
    }

    /// Whether rows that do not fit stop the migration before anything changes: by a guard, or because Covet wrote the
    /// statement, with the guards that it needs.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        let index = self.statement.index;
        let rebuild = self.scene.rebuild_at(index).filter(|rebuild| same(&rebuild.under, self.table()));
        let table = rebuild.map_or(self.table(), |rebuild| &rebuild.table);
        self.scene.is_guarded(table, index) || (self.statement.generated && !self.scene.lacks_guard(table))
    }
}
