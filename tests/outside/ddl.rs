//! Changes of a schema. Tin keeps what a table was asked to be beside it, so that reading a schema is
//! reading `_tin`; and what SQL cannot say in place is one copy of the table.

use covet_drivers::catalog::{Change, Column, ColumnDefault, ColumnType, ForeignKey, Index, Schema, Table};
use covet_drivers::contract::{
    Batches, BoxFuture, Command, Connection, Ddl, Effect, Flow, Introspect, Leaves, Offline, Reuse, Row, Step,
    Unmodelled,
};
use covet_drivers::render::ansi;
use covet_drivers::{Error, ErrorKind, Result};

use crate::codec::{default, quoted, spelled};
use crate::dialect::PRODUCT;

#[derive(Debug)]
pub(crate) struct TinDdl;

impl Introspect for TinDdl {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection, schemas: &'a [String]) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(async move {
            if let Some(name) = schemas.first() {
                return Err(Error::unsupported(format_args!("the schema {name}"), PRODUCT));
            }
            let mut schema = Schema::default();
            let mut sink = |row: &mut Row<'_>| {
                let text: String = row.get(0, &ColumnType::Text { max_len: None })?;
                let table = serde_json::from_str(&text);
                schema.tables.push(table.map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?);
                Ok(Flow::Continue)
            };
            let sql = "SELECT definition FROM _tin ORDER BY name";
            connection.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut sink).await?;
            schema.sort();
            Ok(schema)
        })
    }

    /// What is not in `_tin` is none of Tin's affairs.
    fn unmodelled<'a>(&'a self, _: &'a mut dyn Connection, _: &'a [String]) -> BoxFuture<'a, Result<Vec<Unmodelled>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Ddl for TinDdl {
    /// Every migration is one transaction, so nothing is ever in doubt.
    fn effect(&self, _: &str) -> Effect {
        Effect::Unknown { atomic: true }
    }

    fn leaves(&self, _: &str) -> Leaves {
        Leaves::Nothing
    }

    fn stays(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self) -> Option<&'static str> {
        None
    }

    fn offline(&self) -> Offline {
        Offline {
            program: "tin SCRIPT",
            head: &[],
            session: Vec::new,
            begin: &["BEGIN IMMEDIATE"],
            commit: &["COMMIT"],
            literal: |text| {
                let mut out = String::new();
                ansi::literal(text, &mut out);
                out
            },
            guard: |count| format!("SELECT CASE WHEN ({count}) > 0 THEN abs(-9223372036854775808) END"),
            statement: Offline::with_semicolon,
        }
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        schema.refuse_schemas(PRODUCT, "leave `schema` away")?;
        for table in &schema.tables {
            let plain = |index: &Index| *index == Index::new(index.name.clone(), index.columns(), index.unique);
            if !table.checks.is_empty() || !table.indexes.iter().all(plain) {
                let what = format!("checks and indexes of other kinds, such as {} has", table.name);
                return Err(Error::unsupported(what, PRODUCT));
            }
            for column in &table.columns {
                let place = format!("{}.{}", table.name, column.name);
                let lacks = |what: &str| Err(Error::unsupported(format_args!("{what}, which {place} is"), PRODUCT));
                match column.ty {
                    ColumnType::Decimal { precision: 19.., .. } => return lacks("a decimal of more than 18 digits"),
                    ColumnType::Other(_) => return lacks("a type of another database"),
                    _ if column.generated.is_some() => return lacks("a generated column"),
                    _ if column.case_insensitive => return lacks("a text without case"),
                    _ if column.auto && table.primary_key.as_slice() != [column.name.clone()] => {
                        return lacks("a numbered column that is not the key");
                    }
                    _ => {}
                }
                if column.default.as_ref().is_some_and(|wanted| default(wanted, &column.ty).is_none()) {
                    return lacks("a column with such a default");
                }
            }
        }
        Ok(())
    }

    fn plan(&self, changes: &[Change], before: &Schema, _: &Schema) -> Result<Vec<Step>> {
        let mut plan = Plan { tables: before.tables.clone(), steps: Vec::new() };
        for change in changes {
            plan.change(change)?;
        }
        Ok(plan.steps)
    }

    /// One writes at a time.
    fn plan_online(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        self.plan(changes, before, after)
    }

    fn has_online(&self) -> bool {
        false
    }

    fn rewrites(&self, _: &Column, _: &Column) -> bool {
        false
    }

    fn next_batch(&self, batches: &Batches, after: Option<&str>, size: u32) -> String {
        let Batches { table, key, .. } = batches;
        let behind = after.map(|after| format!(" WHERE {key} > {after}")).unwrap_or_default();
        format!(
            "SELECT quote(max(k)), count(*) FROM (SELECT {key} AS k FROM {table}{behind} ORDER BY {key} LIMIT {size})"
        )
    }

    fn kept(&self, schema: &Schema) -> Schema {
        schema.clone()
    }
}

struct Plan {
    /// The tables as they are by now.
    tables: Vec<Table>,
    steps: Vec<Step>,
}

impl Plan {
    fn change(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::CreateEnum { .. } | Change::DropEnum { .. } => {}
            Change::CreateTable { table } => {
                let table = table.bare();
                self.say(create(&table, &table.name));
                self.tables.push(table.clone());
                self.note(&table);
            }
            Change::DropTable { table } => {
                self.say(format!("DROP TABLE {}", name(&table.name)));
                self.say(format!("DELETE FROM _tin WHERE name = {}", quoted(&table.name)));
                self.tables.retain(|known| known.name != table.name);
            }
            Change::RenameTable { from, to } => {
                self.say(format!("ALTER TABLE {} RENAME TO {}", name(from), name(to)));
                self.say(format!("DELETE FROM _tin WHERE name = {}", quoted(from)));
                for mut table in self.tables.clone() {
                    let was = table.clone();
                    for target in table.foreign_keys.iter_mut().map(|key| &mut key.target).chain([&mut table.name]) {
                        if target == from {
                            to.clone_into(target);
                        }
                    }
                    if table != was {
                        self.tables.retain(|known| known.name != was.name);
                        self.tables.push(table.clone());
                        self.note(&table);
                    }
                }
            }
            Change::AddColumn { table, column, backfill } => {
                let value = backfill.as_ref().or(column.default.as_ref());
                let value = value.and_then(|value| default(value, &column.ty)).unwrap_or_else(|| "NULL".into());
                self.copy(table, |t| t.columns.push(column.clone()), |_| value.clone())?;
            }
            Change::DropColumn { table, column } => {
                self.copy(table, |t| t.columns.retain(|known| known.name != column.name), name)?;
            }
            Change::RenameColumn { table, from, to } => {
                self.copy(table, |t| t.rename_column(from, to), |_| name(from))?;
            }
            Change::AlterColumn { table, before, after, backfill } => {
                let source = converted(table, before, after, backfill.as_ref())?;
                let alter = |t: &mut Table| {
                    t.columns.iter_mut().filter(|c| c.name == after.name).for_each(|c| after.clone_into(c));
                };
                self.copy(table, alter, |column| if column == after.name { source.clone() } else { name(column) })?;
            }
            Change::AddIndex { table, index } => {
                self.say(create_index(table, index));
                self.edit(table, |t| t.indexes.push(index.clone()))?;
            }
            Change::DropIndex { table, index } => {
                self.say(format!("DROP INDEX {}", name(&index.name)));
                self.edit(table, |t| t.indexes.retain(|known| known.name != index.name))?;
            }
            Change::AddForeignKey { table, foreign_key } => {
                self.copy(table, |t| t.foreign_keys.push(foreign_key.clone()), name)?;
            }
            Change::DropForeignKey { table, foreign_key } => {
                self.copy(table, |t| t.foreign_keys.retain(|known| known.name != foreign_key.name), name)?;
            }
            other => return Err(Error::unsupported(format_args!("the change {other:?}"), PRODUCT)),
        }
        Ok(())
    }

    fn say(&mut self, sql: String) {
        self.steps.push(Step::new(sql));
    }

    fn note(&mut self, table: &Table) {
        let mut sorted = Schema::of(vec![table.clone()]);
        sorted.sort();
        let text = sorted.tables.first().and_then(|table| serde_json::to_string(table).ok()).unwrap_or_default();
        self.say(format!("REPLACE INTO _tin VALUES ({}, {})", quoted(&table.name), quoted(&text)));
    }

    fn edit(&mut self, table: &str, edit: impl FnOnce(&mut Table)) -> Result<(Table, Table)> {
        let known = self.tables.iter_mut().find(|known| known.name == table);
        let known = known.ok_or_else(|| Error::new(ErrorKind::Migration, format!("there is no table {table}")))?;
        let before = known.clone();
        edit(known);
        let after = known.clone();
        self.note(&after);
        Ok((before, after))
    }

    /// The table anew, with every row; `source` says where a column comes from that was not there before.
    fn copy(&mut self, table: &str, edit: impl FnOnce(&mut Table), source: impl Fn(&str) -> String) -> Result<()> {
        let (before, after) = self.edit(table, edit)?;
        let under = format!("_tin {table}");
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for column in &after.columns {
            columns.push(name(&column.name));
            let same = before.columns.contains(column);
            values.push(if same { name(&column.name) } else { source(&column.name) });
        }
        self.say(create(&after, &under));
        let (to, from) = (name(&under), name(table));
        self.say(format!("INSERT INTO {to} ({}) SELECT {} FROM {from}", columns.join(", "), values.join(", ")));
        self.say(format!("DROP TABLE {from}"));
        self.say(format!("ALTER TABLE {to} RENAME TO {from}"));
        for index in &after.indexes {
            self.say(create_index(table, index));
        }
        Ok(())
    }
}

/// The old value as one of the new type. What does not fit is refused by the conditions of the copy.
fn converted(table: &str, before: &Column, after: &Column, backfill: Option<&ColumnDefault>) -> Result<String> {
    let text = |ty: &ColumnType| ty.is_text();
    let integer = |ty: &ColumnType| ty.integer_range().is_some();
    let (a, b) = (&before.ty, &after.ty);
    if a != b && !(text(a) && text(b)) && !(integer(a) && integer(b)) {
        return Err(Error::unsupported(format_args!("a change of {table}.{} from {a} to {b}", after.name), PRODUCT));
    }
    let column = name(&before.name);
    Ok(match backfill.and_then(|value| default(value, b)) {
        Some(value) => format!("coalesce({column}, {value})"),
        None => column,
    })
}

fn create(table: &Table, under: &str) -> String {
    let mut lines = Vec::new();
    let auto = table.columns.iter().any(|column| column.auto);
    for column in &table.columns {
        let c = name(&column.name);
        let (storage, word, condition) = spelled(&column.ty, &c);
        let mut line = format!("{c} {storage}");
        line.push_str(if column.nullable { "" } else { " NOT NULL" });
        line.push_str(if column.auto { " PRIMARY KEY AUTOINCREMENT" } else { "" });
        if let Some(value) = column.default.as_ref().and_then(|value| default(value, &column.ty)) {
            line.push_str(&format!(" DEFAULT {value}"));
        }
        if let Some(condition) = condition {
            let constraint = name(&format!("{}_{}_{word}", table.name, column.name));
            line.push_str(&format!(" CONSTRAINT {constraint} CHECK ({condition})"));
        }
        lines.push(line);
    }
    if !table.primary_key.is_empty() && !auto {
        lines.push(format!("PRIMARY KEY ({})", names(&table.primary_key)));
    }
    lines.extend(table.foreign_keys.iter().map(foreign_key));
    format!("CREATE TABLE {} ({}) STRICT", name(under), lines.join(", "))
}

fn foreign_key(key: &ForeignKey) -> String {
    let (columns, target) = (names(&key.columns), name(&key.target));
    let (delete, update) = (key.on_delete.sql(), key.on_update.sql());
    let points = format!("FOREIGN KEY ({columns}) REFERENCES {target} ({})", names(&key.target_columns));
    format!("{points} ON DELETE {delete} ON UPDATE {update}")
}

fn create_index(table: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let columns: Vec<String> = index.columns().map(name).collect();
    format!("CREATE {unique}INDEX {} ON {} ({})", name(&index.name), name(table), columns.join(", "))
}

fn name(text: &str) -> String {
    let mut out = String::new();
    ansi::identifier(text, &mut out);
    out
}

fn names(all: &[String]) -> String {
    all.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ")
}
