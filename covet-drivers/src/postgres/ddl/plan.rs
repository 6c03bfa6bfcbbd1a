//! One change after the other, with the schema as it stands in between.

use crate::catalog::{
    Change, Check, Column, EnumType, Expression, ForeignKey, Index, Origins, Over, Schema, Table, Term, constraint_name,
};
use crate::contract::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::ddl::ask::misfits;
use crate::postgres::ddl::column::definition;
use crate::postgres::ddl::schemas;
use crate::postgres::dialect::NAME;
use crate::postgres::types::{
    CREATE_NO_CASE, beside, check_name, condition, list, literal, qualified, quoted, sequence_name,
};

/// The steps of the changes; `online` while others write.
pub(super) fn plan(changes: &[Change], before: &Schema, online: bool) -> Result<Vec<Step>> {
    let mut plan = Plan {
        current: before.clone(),
        enums: before.enums().into_iter().cloned().collect(),
        origins: Origins::new(before, NAME, quoted, qualified),
        first: Vec::new(),
        labels: Vec::new(),
        steps: Vec::new(),
        online,
        made: Vec::new(),
        collation: false,
    };
    for (index, change) in changes.iter().enumerate() {
        plan.change(change, changes.get(index + 1..).unwrap_or_default())?;
    }
    if plan.labels.is_empty() {
        // One transaction, or parts whose questions are all asked before the first of them.
        return Ok(plan.steps);
    }
    // What is committed by itself comes first, and what is asked of rows comes before it.
    plan.ask_of_changed();
    Ok([plan.first, plan.labels, plan.steps].concat())
}

/// The steps so far, and the schema behind them.
pub(super) struct Plan {
    pub(super) current: Schema,
    /// The enums that there were before the first change.
    pub(super) enums: Vec<EnumType>,
    /// Where the values of columns come from.
    pub(super) origins: Origins,
    /// What is asked of rows before the first change.
    pub(super) first: Vec<Step>,
    /// Labels that enums get, each committed by itself.
    pub(super) labels: Vec<Step>,
    pub(super) steps: Vec<Step>,
    /// Whether others go on meanwhile.
    pub(super) online: bool,
    /// Tables that were made on the way, and hold no rows yet.
    pub(super) made: Vec<String>,
    collation: bool,
}

impl Plan {
    fn change(&mut self, change: &Change, later: &[Change]) -> Result<()> {
        self.refuse(change)?;
        self.write(change, later)?;
        self.current.apply(change).ok_or_else(|| {
            let error = Error::new(ErrorKind::Migration, format!("a change does not fit the schema: {change:?}"));
            error.with_table(change.table().unwrap_or_default())
        })?;
        self.origins.follow(change);
        Ok(())
    }

    /// Writes the change; the schema is as it is before it.
    fn write(&mut self, change: &Change, later: &[Change]) -> Result<()> {
        match change {
            Change::CreateSchema { name } => self.create_schema(name),
            Change::DropSchema { name, if_empty } => self.drop_schema(name, *if_empty),
            Change::CreateEnum { ty } => self.create_enum(ty),
            Change::DropEnum { ty } => self.sql(format!("DROP TYPE {}", qualified(&ty.name))),
            Change::AlterEnum { before, after, map } => self.alter_enum(before, after, map, later)?,
            Change::CreateTable { table } => self.create_table(table)?,
            Change::DropTable { table } => self.sql(format!("DROP TABLE {}", qualified(&table.name))),
            Change::RenameTable { from, to } => self.rename_table(from, to)?,
            Change::AddColumn { table, column, backfill } => self.add_column(table, column, backfill.as_ref()),
            Change::FillColumn { table, column, value } => self.fill_with(table, column, value)?,
            Change::CopyColumn { table, from, to } => self.copy(table, from, to)?,
            Change::FollowColumn { table, from, to } => self.follow(table, from, to),
            Change::UnfollowColumn { table, from, .. } => self.unfollow(table, from),
            Change::SwapColumn { table, from, to } => self.swap(table, from, to),
            Change::DropColumn { table, column } => {
                self.sql(format!("ALTER TABLE {} DROP COLUMN {}", qualified(table), quoted(&column.name)));
            }
            Change::RenameColumn { table, from, to } => self.rename_column(table, from, to)?,
            Change::AlterColumn { table, before, after, backfill } => {
                self.alter_column(table, before, after, backfill.as_ref())?;
            }
            Change::AddIndex { table, index } => self.add_index(table, index)?,
            Change::RenameIndex { table, from, to } => {
                self.sql(format!("ALTER INDEX {} RENAME TO {}", beside(table, from), quoted(to)));
            }
            Change::RenameConstraint { table, from, to } => self.rename_constraint(table, from, to),
            Change::DropIndex { table, index } => self.drop_index(table, index),
            Change::AddForeignKey { table, foreign_key } => {
                self.orphans(table, foreign_key);
                self.add_foreign_key(table, foreign_key);
            }
            Change::DropForeignKey { table, foreign_key } => self.drop_constraint(table, &foreign_key.name),
            Change::AddCheck { table, check } => self.add_check(table, check),
            Change::DropCheck { table, check } => self.drop_constraint(table, &check.name),
            Change::AlterPrimaryKey { table, before, after } => self.alter_primary_key(table, before, after),
            Change::CommentTable { table, after, .. } => self.comment(&format!("TABLE {}", qualified(table)), after),
            Change::CreateObject { object } => {
                self.steps.extend(object.create(NAME, schemas::of_object(object)).map(Step::new))
            }
            Change::DropObject { object } => {
                let on = object.table.as_ref().map(|table| format!(" ON {}", qualified(table))).unwrap_or_default();
                self.steps.extend(object.drop(NAME, schemas::of_object(object), &on).map(Step::new));
            }
        }
        Ok(())
    }

    pub(super) fn sql(&mut self, sql: String) {
        self.steps.push(Step::new(sql));
    }

    pub(super) fn table(&mut self, name: &str) -> Result<&mut Table> {
        self.current.tables.iter_mut().find(|table| table.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("a change is about the table {name}, which is not there"))
                .with_table(name)
        })
    }

    pub(super) fn column(&mut self, table: &str, name: &str) -> Result<&mut Column> {
        self.table(table)?.columns.iter_mut().find(|column| column.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("a change is about the column {table}.{name}, which is not there"))
                .with_table(table)
                .with_column(name)
        })
    }

    /// Makes the collation that ignores case, once, when a column needs it.
    pub(super) fn collate(&mut self, column: &Column) {
        if column.case_insensitive && column.ty.is_text() && !self.collation {
            self.collation = true;
            self.sql(CREATE_NO_CASE.to_owned());
        }
    }

    fn create_table(&mut self, table: &Table) -> Result<()> {
        // An enum goes last, when no column has it any more.
        if self.current.enums().iter().any(|ty| ty.name == table.name) {
            let name = &table.name;
            return Err(Error::unsupported(format_args!("a table {name} while there is an enum {name}"), NAME)
                .with_table(name)
                .with_help("let the enum go in a migration before this one, or give the table another name"));
        }
        for column in &table.columns {
            self.collate(column);
        }
        let mut lines: Vec<String> = table.columns.iter().map(|column| definition(&table.name, column)).collect();
        if !table.primary_key.is_empty() {
            let name = quoted(&table.primary_key_name());
            lines.push(format!("CONSTRAINT {name} PRIMARY KEY ({})", list(&table.primary_key)));
        }
        lines.extend(table.checks.iter().map(check));
        let body = if lines.is_empty() { String::new() } else { format!("\n    {}\n", lines.join(",\n    ")) };
        self.sql(format!("CREATE TABLE {} ({body})", qualified(&table.name)));
        self.made.push(table.name.clone());
        if table.comment.is_some() {
            self.comment(&format!("TABLE {}", qualified(&table.name)), &table.comment);
        }
        for column in table.columns.iter().filter(|column| column.comment.is_some()) {
            self.comment_column(&table.name, column);
        }
        Ok(())
    }

    fn add_check(&mut self, table: &str, new: &Check) {
        let (condition, found) = misfits(table, &new.expression);
        self.guard(table, |name| new.expression.mentions(name), &condition, found);
        let expression = new.expression.on(NAME).unwrap_or_default();
        self.constrain(table, &new.name, &format!("CHECK ({expression})"));
    }

    fn alter_primary_key(&mut self, table: &str, before: &[String], after: &[String]) {
        let name = quoted(&constraint_name(table, &[], "pkey"));
        let mut actions = Vec::new();
        if !before.is_empty() {
            actions.push(format!("DROP CONSTRAINT {name}"));
        }
        if !after.is_empty() {
            let nulls: Vec<String> = after.iter().map(|column| format!("{} IS NULL", quoted(column))).collect();
            let columns = after.join(", ");
            self.guard(
                table,
                |name| after.iter().any(|column| column == name),
                &nulls.join(" OR "),
                format!("rows of {table} have NULL in its new primary key ({columns})"),
            );
            self.twice(table, &Index::new("", after, true));
            if self.is_online(table) {
                self.rekey(table, actions.pop(), &name, &list(after));
                return;
            }
            actions.push(format!("ADD CONSTRAINT {name} PRIMARY KEY ({})", list(after)));
        }
        self.sql(format!("ALTER TABLE {} {}", qualified(table), actions.join(", ")));
    }

    fn comment(&mut self, on: &str, comment: &Option<String>) {
        let text = comment.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        self.sql(format!("COMMENT ON {on} IS {text}"));
    }

    pub(super) fn comment_column(&mut self, table: &str, column: &Column) {
        self.comment(&format!("COLUMN {}.{}", qualified(table), quoted(&column.name)), &column.comment);
    }

    fn rename_table(&mut self, from: &str, to: &str) -> Result<()> {
        self.place_table(from, to)?;
        for made in self.made.iter_mut().filter(|made| *made == from) {
            to.clone_into(made);
        }
        Ok(())
    }

    fn rename_column(&mut self, table: &str, from: &str, to: &str) -> Result<()> {
        let column = self.column(table, from)?.clone();
        self.sql(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", qualified(table), quoted(from), quoted(to)));
        self.rename_belongings(table, &column, (table, from), (table, to));
        Ok(())
    }

    /// The check and the sequence of a column get the names of its new place.
    pub(super) fn rename_belongings(&mut self, table: &str, column: &Column, from: (&str, &str), to: (&str, &str)) {
        if condition(column).is_some() {
            self.rename_constraint(table, &check_name(from.0, from.1), &check_name(to.0, to.1));
        }
        let (before, after) = (sequence_name(from.0, from.1), sequence_name(to.0, to.1));
        if column.auto && before != after {
            self.sql(format!("ALTER SEQUENCE {} RENAME TO {}", beside(table, &before), quoted(&after)));
        }
    }

    pub(super) fn rename_constraint(&mut self, table: &str, from: &str, to: &str) {
        if from != to {
            let (from, to) = (quoted(from), quoted(to));
            self.sql(format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", qualified(table)));
        }
    }

    fn add_index(&mut self, table: &str, index: &Index) -> Result<()> {
        if index.unique {
            self.twice(table, index);
        }
        self.create_index(table, index)
    }

    /// Stops the migration when a value in place of NULL would be there more than once where it is to be unique.
    pub(super) fn twice_filled(&mut self, table: &str, column: &str, value: &str) -> Result<()> {
        let known = self.table(table)?.indexes.clone();
        for mut index in known.into_iter().filter(|index| index.unique && index.condition.is_none()) {
            let filled = Expression::new(format!("COALESCE({}, {value})", quoted(column)));
            let mut terms = index.terms.iter_mut().filter(|term| term.as_column() == Some(column));
            if let Some(term) = terms.next() {
                *term = Term::expression(filled);
                self.twice(table, &index);
            }
        }
        Ok(())
    }

    pub(super) fn create_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let mut terms = Vec::new();
        for term in &index.terms {
            let mut text = over(term);
            if let Some(class) = &term.class {
                text.push_str(&format!(" {}", qualified(class)));
            }
            if term.descending {
                text.push_str(" DESC");
            }
            // NULL is the smallest value in Covet's orders; so the index serves them.
            if let Some(name) = term.as_column()
                && index.method.is_none()
                && self.column(table, name)?.nullable
            {
                text.push_str(if term.descending { " NULLS LAST" } else { " NULLS FIRST" });
            }
            terms.push(text);
        }
        let unique = if index.unique { "UNIQUE " } else { "" };
        let online = self.is_online(table);
        let concurrently = if online { "CONCURRENTLY " } else { "" };
        let using = index.method.as_ref().map(|method| format!(" USING {method}")).unwrap_or_default();
        let mut sql = format!(
            "CREATE {unique}INDEX {concurrently}{} ON {}{using} ({})",
            quoted(&index.name),
            qualified(table),
            terms.join(", ")
        );
        if !index.include.is_empty() {
            sql.push_str(&format!(" INCLUDE ({})", list(&index.include)));
        }
        if index.nulls_agree {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        if let Some(condition) = index.condition.as_ref().and_then(|condition| condition.on(NAME)) {
            sql.push_str(&format!(" WHERE ({condition})"));
        }
        if online {
            self.alone(sql);
        } else {
            self.sql(sql);
        }
        Ok(())
    }

    /// Makes the indexes of a column anew, whose order of NULL is another now; foreign keys that stand on
    /// one step aside for the while.
    pub(super) fn reindex(&mut self, table: &str, column: &str) -> Result<()> {
        let known = self.table(table)?.clone();
        for index in known.indexes.iter().filter(|index| index.columns().any(|name| name == column)) {
            let stands_on = |key: &ForeignKey| {
                key.target == table
                    && key.target_columns != known.primary_key
                    && index.keeps_unique(&key.target_columns)
            };
            let owners = self.current.tables.iter().map(|owner| (owner.name.clone(), owner.foreign_keys.clone()));
            let aside: Vec<(String, ForeignKey)> = owners
                .flat_map(|(owner, keys)| keys.into_iter().map(move |key| (owner.clone(), key)))
                .filter(|(_, key)| stands_on(key))
                .collect();
            if self.is_online(table) {
                self.reindex_online(table, index, &aside)?;
                continue;
            }
            for (owner, key) in &aside {
                self.drop_constraint(owner, &key.name);
            }
            let mut step = Step::new(format!("DROP INDEX {}", beside(table, &index.name)));
            step.note = String::from("it is made again, because NULL stands elsewhere in it now");
            self.steps.push(step);
            self.create_index(table, index)?;
            for (owner, key) in &aside {
                self.add_foreign_key(owner, key);
            }
        }
        Ok(())
    }

    pub(super) fn drop_constraint(&mut self, table: &str, name: &str) {
        self.sql(format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(table), quoted(name)));
    }

    fn add_foreign_key(&mut self, table: &str, key: &ForeignKey) {
        let definition = format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}{}",
            list(&key.columns),
            qualified(&key.target),
            list(&key.target_columns),
            key.on_delete.sql(),
            key.on_update.sql(),
            key.timing.sql()
        );
        self.constrain(table, &key.name, &definition);
    }
}

/// A check as it stands in `CREATE TABLE` and behind `ADD`.
pub(super) fn check(check: &Check) -> String {
    let expression = check.expression.on(NAME).unwrap_or_default();
    format!("CONSTRAINT {} CHECK ({expression})", quoted(&check.name))
}

/// What a term of an index is over, in SQL.
pub(super) fn over(term: &Term) -> String {
    match &term.over {
        Over::Column(name) => quoted(name),
        Over::Expression(expression) => format!("({})", expression.on(NAME).unwrap_or_default()),
    }
}

/// The same, for people.
pub(super) fn in_words(term: &Term) -> String {
    match &term.over {
        Over::Column(name) => name.clone(),
        Over::Expression(expression) => expression.on(NAME).unwrap_or_default().to_owned(),
    }
}
