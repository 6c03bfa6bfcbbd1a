//! Edits by chance: from one schema to the next, and which names stand for what.

use std::collections::{BTreeMap, BTreeSet};

use covet_orm::drivers::catalog::{Change, ColumnType, EnumType, Expression, Generated, Index, Over, Schema, Table};
use covet_orm::schema::Decision;
use covet_tests::Kind;

use crate::random::make::Maker;
use crate::random::names::{COLUMNS, Derived, LABELS, TABLES, is_taken, said};
use crate::random::words::{condition, family};

/// A schema on its way, and the names that its tables and columns had at first.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) schema: Schema,
    tables: BTreeMap<String, String>,
    columns: BTreeMap<(String, String), String>,
}

impl Way {
    pub(crate) fn from(schema: &Schema) -> Self {
        let (mut tables, mut columns) = (BTreeMap::new(), BTreeMap::new());
        for table in &schema.tables {
            tables.insert(table.name.clone(), table.name.clone());
            for column in &table.columns {
                columns.insert((table.name.clone(), column.name.clone()), column.name.clone());
            }
        }
        Way { schema: schema.clone(), tables, columns }
    }

    /// The renames that came of the edits, as they are decided.
    pub(crate) fn renames(&self) -> Vec<Decision> {
        let mut renames = Vec::new();
        for (to, from) in self.tables.iter().filter(|(to, from)| to != from && self.schema.table(to).is_some()) {
            renames.push(Decision::RenameTable { from: from.clone(), to: to.clone() });
        }
        for ((table, to), from) in self.columns.iter().filter(|((_, to), from)| to != *from) {
            if self.schema.table(table).is_some_and(|table| table.column(to).is_some()) {
                renames.push(Decision::RenameColumn { table: table.clone(), from: from.clone(), to: to.clone() });
            }
        }
        renames
    }

    /// Forgets what went.
    fn tidy(&mut self) {
        let schema = &self.schema;
        self.tables.retain(|name, _| schema.table(name).is_some());
        self.columns.retain(|(table, name), _| schema.table(table).is_some_and(|table| table.column(name).is_some()));
    }

    fn rename_table(&mut self, from: &str, to: &str) -> Option<()> {
        let derived = Derived::of(self.schema.table(from)?);
        self.schema.apply(&Change::RenameTable { from: from.to_owned(), to: to.to_owned() })?;
        derived.renew(self.schema.tables.iter_mut().find(|table| table.name == to)?, None);
        if let Some(first) = self.tables.remove(from) {
            self.tables.insert(to.to_owned(), first);
        }
        let moved: Vec<_> = self.columns.keys().filter(|(table, _)| table == from).cloned().collect();
        for key in moved {
            let first = self.columns.remove(&key)?;
            self.columns.insert((to.to_owned(), key.1), first);
        }
        Some(())
    }

    fn rename_column(&mut self, kind: Kind, table: &str, from: &str, to: &str) -> Option<()> {
        const BETWEEN: &str = "covet_between_names";
        let derived = Derived::of(self.schema.table(table)?);
        for (from, to) in [(from, BETWEEN), (BETWEEN, to)] {
            if to != BETWEEN {
                // Whoever writes the new name quotes it where that is needed.
                let (quoted, name) = (said(kind, BETWEEN, false), said(kind, to, true));
                let own = self.schema.tables.iter_mut().find(|own| own.name == table)?;
                let mut one = Schema::of(vec![std::mem::take(own)]);
                one.expressions(&mut |expression| {
                    let text = expression.to_string().replace(&quoted, &said(kind, to, false));
                    // A name that stood bare has the quotes of the standard by now, which are not those of every one.
                    let text = text.replace(&format!("\"{BETWEEN}\""), &name).replace(BETWEEN, &name);
                    *expression = Expression::new(text);
                });
                *self.schema.tables.iter_mut().find(|own| own.name.is_empty())? = one.tables.remove(0);
            }
            let (table, from, to) = (table.to_owned(), from.to_owned(), to.to_owned());
            self.schema.apply(&Change::RenameColumn { table, from, to })?;
        }
        let own = self.schema.tables.iter_mut().find(|own| own.name == table)?;
        derived.renew(own, Some((from, to)));
        if let Some(first) = self.columns.remove(&(table.to_owned(), from.to_owned())) {
            self.columns.insert((table.to_owned(), to.to_owned()), first);
        }
        Some(())
    }
}

impl Maker<'_> {
    /// Some edits, and sometimes another schema altogether.
    pub(crate) fn edits(&mut self, before: &Schema) -> Way {
        let mut way = Way::from(before);
        if self.percent(4) {
            way.schema = self.schema();
        } else {
            let wanted = 1 + self.chance.below(6);
            let mut made = 0;
            for _ in 0..30 {
                made += usize::from(self.edit(&mut way));
                if made == wanted {
                    break;
                }
            }
        }
        way.tidy();
        way.schema.sort();
        way
    }

    /// One edit, if it can be made; seldom one that the database is to refuse.
    fn edit(&mut self, way: &mut Way) -> bool {
        let mut next = way.clone();
        if self.change(&mut next).is_none() {
            return false;
        }
        next.tidy();
        let holds =
            crate::random::names::sound(&next.schema) && (self.ddl.check(&next.schema).is_ok() || self.percent(1));
        if holds {
            *way = next;
        }
        holds
    }

    fn change(&mut self, way: &mut Way) -> Option<()> {
        if way.schema.tables.is_empty() {
            return self.attempt(&mut way.schema, Self::add_table).then_some(());
        }
        let at = self.chance.below(way.schema.tables.len());
        let name = way.schema.tables[at].name.clone();
        let column = (!way.schema.tables[at].columns.is_empty())
            .then(|| self.chance.below(way.schema.tables[at].columns.len()))?;
        let schema = &mut way.schema;
        match self.chance.below(40) {
            0..=3 => self.rename_a_column(way, &name, column)?,
            4..=5 => self.rename_a_table(way, &name)?,
            6..=10 => self.retype(schema, at, column)?,
            11..=13 => self.turn_nullable(schema, at, column)?,
            14..=16 => self.redefault(schema, at, column)?,
            17..=19 => self.add_column(schema, at)?,
            20..=21 => self.drop_a_column(way, &name, column)?,
            22..=23 => self.add_index(schema, at)?,
            24 => remove(self, &mut schema.tables[at].indexes)?,
            25 => self.alter_index(schema, at)?,
            26 => self.add_foreign_key(schema)?,
            27 => remove(self, &mut schema.tables[at].foreign_keys)?,
            28 => {
                let keys = schema.tables[at].foreign_keys.len();
                let key = (keys > 0).then(|| self.chance.below(keys))?;
                self.actions(&mut schema.tables[at].foreign_keys[key]);
            }
            29 => self.add_check(schema, at)?,
            30 => remove(self, &mut schema.tables[at].checks)?,
            31 => self.regenerate(schema, at, column)?,
            32 => self.recomment(schema, at, column),
            33..=34 => self.relabel(schema)?,
            35..=36 => self.rekey(schema, at)?,
            37 => self.reorder(schema, at),
            38 => self.add_table(schema)?,
            _ => {
                schema.tables.remove(at);
            }
        }
        settle(&mut way.schema);
        Some(())
    }

    fn rename_a_column(&mut self, way: &mut Way, table: &str, at: usize) -> Option<()> {
        let own = way.schema.table(table)?.clone();
        let from = own.columns[at].name.clone();
        if self.percent(15) && own.columns.len() > 1 {
            let other = self.chance.pick(&own.columns).name.clone();
            if other == from {
                return None;
            }
            way.rename_column(self.kind, table, &from, "covet swaps")?;
            way.rename_column(self.kind, table, &other, &from)?;
            return way.rename_column(self.kind, table, "covet swaps", &other);
        }
        let to = self.fresh(COLUMNS, |name| own.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)));
        way.rename_column(self.kind, table, &from, &to)
    }

    fn rename_a_table(&mut self, way: &mut Way, table: &str) -> Option<()> {
        if self.percent(20) && way.schema.tables.len() > 1 {
            let other = self.chance.pick(&way.schema.tables).name.clone();
            if other == table {
                return None;
            }
            way.rename_table(table, "covet swaps")?;
            way.rename_table(&other, table)?;
            return way.rename_table("covet swaps", &other);
        }
        let to = self.fresh(TABLES, |name| is_taken(&way.schema, name));
        way.rename_table(table, &to)
    }

    /// Another type, for the column and for all that are bound to it by foreign keys.
    fn retype(&mut self, schema: &mut Schema, at: usize, column: usize) -> Option<()> {
        let table = schema.tables[at].name.clone();
        let was = schema.tables[at].columns[column].clone();
        if was.generated.is_some() {
            return None;
        }
        if was.ty.is_text() && self.percent(15) {
            for (table, name) in bound(schema, &table, &was.name) {
                let own = schema.tables.iter_mut().find(|own| own.name == table)?;
                own.columns.iter_mut().find(|column| column.name == name)?.case_insensitive ^= true;
            }
            return Some(());
        }
        let mut tries = (0..20).map(|_| (self.ty(schema), self.chance.percent(4)));
        let fits = |ty: &ColumnType, far| *ty != was.ty && (far || family(ty) == family(&was.ty));
        let (ty, _) = tries.find(|(ty, far)| fits(ty, *far))?;
        for (table, name) in bound(schema, &table, &was.name) {
            if family(&ty) != family(&was.ty) {
                forget_readers(schema, &table, &name, false);
            }
            let own = schema.tables.iter_mut().find(|own| own.name == table)?;
            let column = own.columns.iter_mut().find(|column| column.name == name)?;
            column.ty = ty.clone();
            column.case_insensitive &= ty.is_text();
            column.auto &= ty.integer_range().is_some();
            if column.default.is_some() {
                column.default = if self.percent(60) { self.default(&ty) } else { None };
            }
        }
        Some(())
    }

    fn turn_nullable(&mut self, schema: &mut Schema, at: usize, column: usize) -> Option<()> {
        let table = &mut schema.tables[at];
        let column = &mut table.columns[column];
        if table.primary_key.contains(&column.name) || column.generated.is_some() {
            return None;
        }
        column.nullable ^= true;
        Some(())
    }

    fn redefault(&mut self, schema: &mut Schema, at: usize, column: usize) -> Option<()> {
        let ty = schema.tables[at].columns[column].ty.clone();
        let column = &mut schema.tables[at].columns[column];
        if column.auto || column.generated.is_some() {
            return None;
        }
        let default = if column.default.is_some() && self.chance.percent(40) { None } else { self.default(&ty) };
        (column.default != default).then(|| column.default = default)
    }

    fn drop_a_column(&mut self, way: &mut Way, table: &str, column: usize) -> Option<()> {
        let own = way.schema.table(table).filter(|own| own.columns.len() > 1)?;
        let name = own.columns[column].name.clone();
        let was_there = way.tables.get(table).is_some_and(|first| first == table)
            && way.columns.get(&(table.to_owned(), name.clone())) == Some(&name);
        let schema = &mut way.schema;
        // Seldom something still reads it, which is to be refused: what has been a column is known to be none any more.
        if self.percent(97) || !was_there {
            forget_readers(schema, table, &name, true);
        }
        schema.tables.iter_mut().find(|own| own.name == table)?.columns.retain(|column| column.name != name);
        Some(())
    }

    fn alter_index(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let table = schema.tables[at].clone();
        let indexes = &mut schema.tables[at].indexes;
        let index = (!indexes.is_empty()).then(|| self.chance.below(indexes.len()))?;
        let index = &mut indexes[index];
        match self.chance.below(4) {
            0 => {
                index.unique ^= true;
                index.nulls_agree &= index.unique;
                index.method = None;
            }
            1 if index.method.is_none() => {
                let term = self.chance.below(index.terms.len());
                index.terms[term].descending ^= true;
            }
            2 if self.kind != Kind::Mysql => {
                let there = index.condition.is_some();
                index.condition = if there { None } else { condition(self, &table, |_| true).map(Expression::new) };
            }
            // Spelled in another way, which is no change.
            _ => {
                let condition = index.condition.as_mut()?;
                *condition = Expression::new(format!("( {condition} )"));
            }
        }
        Some(())
    }

    /// A generated value of another kind; one where there was none, or none where there was one.
    fn regenerate(&mut self, schema: &mut Schema, at: usize, column: usize) -> Option<()> {
        let table = schema.tables[at].clone();
        let was = table.columns[column].clone();
        if was.auto || table.primary_key.contains(&was.name) || bound(schema, &table.name, &was.name).len() > 1 {
            return None;
        }
        let column = &mut schema.tables[at].columns[column];
        match &was.generated {
            Some(_) if self.percent(40) => column.generated = None,
            Some(Generated { expression, stored }) if self.kind != Kind::Postgres && self.percent(40) => {
                column.generated = Some(Generated { expression: expression.clone(), stored: !stored });
            }
            _ => {
                let mut others = table.clone();
                let reads = |g: &Generated| g.expression.mentions(&was.name);
                others.columns.retain(|other| other.name != was.name);
                if table.columns.iter().any(|other| other.generated.as_ref().is_some_and(reads)) {
                    return None;
                }
                let made = self.generated(&others, was.name.clone())?;
                if made.ty != was.ty {
                    forget_readers(schema, &table.name, &was.name, false);
                }
                *schema.tables[at].columns.iter_mut().find(|column| column.name == was.name)? = made;
            }
        }
        Some(())
    }

    fn recomment(&mut self, schema: &mut Schema, at: usize, column: usize) {
        let comment = if self.percent(30) { None } else { Some(self.comment()) };
        let table = &mut schema.tables[at];
        if self.chance.percent(40) {
            table.comment = comment;
        } else {
            table.columns[column].comment = comment;
        }
    }

    /// Labels of an enum come, go, change places or get another name.
    fn relabel(&mut self, schema: &mut Schema) -> Option<()> {
        let known: Vec<EnumType> = schema.enums().into_iter().cloned().collect();
        let before = if known.is_empty() { return None } else { self.chance.pick(&known).clone() };
        let mut labels = before.labels.to_vec();
        let fresh = LABELS.iter().find(|label| !labels.iter().any(|known| known == *label));
        match self.chance.below(4) {
            0 => labels.insert(self.chance.below(labels.len() + 1), (*fresh?).into()),
            1 if labels.len() > 1 => {
                labels.remove(self.chance.below(labels.len()));
            }
            2 => {
                let at = self.chance.below(labels.len());
                labels[at] = (*fresh?).into();
            }
            _ => labels.rotate_left(1),
        }
        let after = EnumType { name: before.name.clone(), labels: labels.into() };
        (after != before).then_some(())?;
        for column in schema.tables.iter_mut().flat_map(|table| &mut table.columns) {
            if column.ty.as_enum().is_some_and(|ty| ty.name == after.name) {
                column.ty = ColumnType::Enum(after.clone());
                if column.default.is_some() {
                    column.default = if self.chance.percent(70) { self.value_default(&column.ty) } else { None };
                }
            }
        }
        Some(())
    }

    /// Another primary key, or none; one that is numbered is so no more, or the other way round.
    fn rekey(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let table = &mut schema.tables[at];
        if let [only] = table.primary_key.as_slice()
            && let Some(column) = table.columns.iter_mut().find(|column| column.name == *only)
            && column.ty.integer_range().is_some()
            && column.default.is_none()
            && self.chance.percent(40)
        {
            column.auto ^= true;
            return Some(());
        }
        for column in &mut table.columns {
            column.auto = false;
        }
        if !table.primary_key.is_empty() && self.percent(25) {
            schema.tables[at].primary_key.clear();
            return Some(());
        }
        self.primary_key(schema, at)
    }

    fn reorder(&mut self, schema: &mut Schema, at: usize) {
        let columns = &mut schema.tables[at].columns;
        let by = self.chance.below(columns.len());
        columns.rotate_left(by);
    }
}

fn remove<T>(maker: &mut Maker<'_>, from: &mut Vec<T>) -> Option<()> {
    let at = (!from.is_empty()).then(|| maker.chance.below(from.len()))?;
    from.remove(at);
    Some(())
}

/// The columns that foreign keys bind to this one, itself among them.
fn bound(schema: &Schema, table: &str, column: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::from([(table.to_owned(), column.to_owned())]);
    loop {
        let known = found.len();
        for own in &schema.tables {
            for key in &own.foreign_keys {
                for (a, b) in key.columns.iter().zip(&key.target_columns) {
                    let pair = [(own.name.clone(), a.clone()), (key.target.clone(), b.clone())];
                    if pair.iter().any(|place| found.contains(place)) {
                        found.extend(pair);
                    }
                }
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

/// Takes away what reads a column; what only lies on it, such as a key, if it is to go as well.
pub(crate) fn forget_readers(schema: &mut Schema, table: &str, column: &str, goes: bool) {
    let Some(own) = schema.tables.iter_mut().find(|own| own.name == table) else { return };
    let reads = |index: &Index| {
        let terms = index.terms.iter().filter_map(|term| match &term.over {
            Over::Expression(expression) => Some(expression),
            Over::Column(_) => None,
        });
        terms.chain(&index.condition).any(|expression| expression.mentions(column))
            || (index.method.is_some() && index.has(column))
    };
    own.indexes.retain(|index| !(reads(index) || goes && index.has(column)));
    own.checks.retain(|check| !check.expression.mentions(column));
    let readers: Vec<String> = own
        .columns
        .iter()
        .filter(|other| other.name != column && other.generated.as_ref().is_some_and(|g| g.expression.mentions(column)))
        .map(|other| other.name.clone())
        .collect();
    if goes {
        own.primary_key.retain(|name| name != column);
        for own in &mut schema.tables {
            let is_own = own.name == table;
            own.foreign_keys.retain(|key| {
                let has = |columns: &[String]| columns.iter().any(|name| name == column);
                !(is_own && has(&key.columns) || key.target == table && has(&key.target_columns))
            });
        }
    }
    for reader in readers {
        forget_readers(schema, table, &reader, true);
        if let Some(own) = schema.tables.iter_mut().find(|own| own.name == table) {
            own.columns.retain(|column| column.name != reader);
        }
    }
}

/// Takes away foreign keys that have nothing to stand on any more.
pub(crate) fn settle(schema: &mut Schema) {
    let known: Vec<Table> = schema.tables.clone();
    for table in &mut schema.tables {
        table.foreign_keys.retain(|key| {
            known.iter().any(|target| target.name == key.target && target.is_unique(&key.target_columns))
        });
    }
}
