//! Schemas by chance: all that a schema can say, as far as the database takes it.

use covet_orm::drivers::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Schema,
    Table, Term, Timing, constraint_name,
};
use covet_orm::drivers::contract::Ddl;
use covet_tests::Kind;
use covet_tests::chance::Chance;

use crate::random::names::{COLUMNS, ENUMS, LABELS, TABLES, is_taken, sound};
use crate::random::words::{Family, column_of, condition, expression_default, family, term};

/// Makes schemas and parts of them.
pub(crate) struct Maker<'d> {
    pub(crate) kind: Kind,
    pub(crate) chance: Chance,
    pub(crate) ddl: &'d dyn Ddl,
}

impl Maker<'_> {
    pub(crate) fn percent(&mut self, times: usize) -> bool {
        self.chance.percent(times)
    }

    /// Makes a change if what comes of it is sound and can be held.
    pub(crate) fn attempt(
        &mut self,
        schema: &mut Schema,
        change: impl FnOnce(&mut Self, &mut Schema) -> Option<()>,
    ) -> bool {
        let mut changed = schema.clone();
        let fits = change(self, &mut changed).is_some() && sound(&changed) && self.ddl.check(&changed).is_ok();
        if fits {
            *schema = changed;
        }
        fits
    }

    pub(crate) fn schema(&mut self) -> Schema {
        let mut schema = Schema::default();
        let tables = *self.chance.pick(&[0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, 6]);
        for _ in 0..tables {
            self.attempt(&mut schema, Self::add_table);
        }
        for _ in 0..self.chance.below(tables + 1) {
            self.attempt(&mut schema, Self::add_foreign_key);
        }
        schema.sort();
        schema
    }

    pub(crate) fn add_table(&mut self, schema: &mut Schema) -> Option<()> {
        let name = self.fresh(TABLES, |name| is_taken(schema, name));
        schema.tables.push(Table::new(name.clone()));
        let at = schema.tables.len() - 1;
        if self.percent(60) {
            let ty = self.chance.pick(&[ColumnType::I64, ColumnType::I64, ColumnType::I32, ColumnType::U32]).clone();
            schema.tables[at].columns.push(Column { auto: true, ..Column::new("id", ty) });
            schema.tables[at].primary_key = vec!["id".to_owned()];
        }
        let columns = 1 + self.chance.below(6);
        for _ in 0..columns {
            self.attempt(schema, |maker, schema| maker.add_column(schema, at));
        }
        if schema.tables[at].primary_key.is_empty() {
            self.attempt(schema, |maker, schema| maker.primary_key(schema, at));
        }
        for _ in 0..self.chance.below(3) {
            self.attempt(schema, |maker, schema| maker.add_index(schema, at));
        }
        for _ in 0..self.chance.below(3) {
            self.attempt(schema, |maker, schema| maker.add_check(schema, at));
        }
        if self.percent(15) {
            schema.tables[at].comment = Some(self.comment());
        }
        (!schema.tables[at].columns.is_empty()).then_some(())
    }

    pub(crate) fn add_column(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let name = self.column_name(&schema.tables[at]);
        let column = if self.percent(12) {
            self.generated(&schema.tables[at], name)?
        } else {
            let ty = self.ty(schema);
            let mut column = Column { nullable: self.percent(45), ..Column::new(name, ty) };
            column.case_insensitive = column.ty.is_text() && self.percent(15);
            if self.percent(30) {
                column.default = self.default(&column.ty);
            }
            column
        };
        let comment = if self.percent(8) { Some(self.comment()) } else { None };
        schema.tables[at].columns.push(Column { comment, ..column });
        Some(())
    }

    pub(crate) fn column_name(&mut self, table: &Table) -> String {
        self.fresh(COLUMNS, |name| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)))
    }

    /// A name of these that is free, or one with a number.
    pub(crate) fn fresh(&mut self, pool: &[&str], taken: impl Fn(&str) -> bool) -> String {
        for _ in 0..8 {
            let name = *self.chance.pick(pool);
            if !taken(name) {
                return name.to_owned();
            }
        }
        (1..).map(|number| format!("n{number}")).find(|name| !taken(name)).unwrap()
    }

    pub(crate) fn ty(&mut self, schema: &Schema) -> ColumnType {
        use ColumnType::{
            Bool, Bytes, Date, DateTime, Decimal, F32, F64, I8, I16, I32, I64, Json, Text, Time, Timestamp, U8, U16,
            U32, U64, Uuid,
        };
        match self.chance.below(30) {
            0..=9 => self.chance.pick(&[I8, I16, I32, I32, I64, I64, U8, U16, U32, U64]).clone(),
            10..=15 => {
                let most =
                    *self.chance.pick(&[None, None, Some(1), Some(5), Some(20), Some(20), Some(300), Some(20_000)]);
                Text { max_len: most }
            }
            16..=18 => {
                let (precision, scale) =
                    *self.chance.pick(&[(5, 2), (10, 0), (10, 4), (18, 4), (18, 18), (19, 2), (38, 10)]);
                Decimal { precision, scale }
            }
            19..=21 => ColumnType::Enum(self.an_enum(schema)),
            _ => self.chance.pick(&[Bool, Bool, F32, F64, Bytes, Date, Time, DateTime, Timestamp, Uuid, Json]).clone(),
        }
    }

    fn an_enum(&mut self, schema: &Schema) -> EnumType {
        let known = schema.enums();
        if !known.is_empty() && self.percent(50) {
            return (*self.chance.pick(&known)).clone();
        }
        let name = self.fresh(ENUMS, |name| known.iter().any(|ty| ty.name == name));
        let mut labels: Vec<_> = LABELS.iter().map(|label| (*label).into()).collect();
        let wanted = 1 + self.chance.below(4);
        while labels.len() > wanted {
            labels.remove(self.chance.below(labels.len()));
        }
        EnumType { name: name.into(), labels: labels.into() }
    }

    pub(crate) fn default(&mut self, ty: &ColumnType) -> Option<ColumnDefault> {
        if self.percent(25)
            && let Some(text) = expression_default(self.kind, ty)
        {
            return Some(ColumnDefault::Expression(Expression::new(text)));
        }
        self.value_default(ty)
    }

    /// A default that is a value, and so can be a backfill too.
    pub(crate) fn value_default(&mut self, ty: &ColumnType) -> Option<ColumnDefault> {
        Some(match ty {
            ColumnType::Bool => ColumnDefault::Bool(self.percent(50)),
            ColumnType::F32 | ColumnType::F64 => {
                ColumnDefault::Number((*self.chance.pick(&["0", "1.5", "-0.25"])).into())
            }
            ColumnType::Decimal { precision, scale } => {
                let whole = precision > scale;
                let texts: &[&str] = if *scale > 0 && whole { &["0", "1.5", "-0.1"] } else { &["0"] };
                ColumnDefault::Number((*self.chance.pick(texts)).into())
            }
            ColumnType::Text { max_len } => {
                let most = max_len.map_or(usize::MAX, |most| most as usize);
                let texts = ["", "x", "it's", "a\\b", "ü", "null", "50%"];
                let texts: Vec<&str> = texts.into_iter().filter(|text| text.chars().count() <= most).collect();
                ColumnDefault::Text((*self.chance.pick(&texts)).into())
            }
            ColumnType::Enum(ty) => ColumnDefault::Text(self.chance.pick(&ty.labels).clone()),
            ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp => ColumnDefault::Now,
            ColumnType::Json => ColumnDefault::Text("[]".into()),
            other => {
                let (low, high) = other.integer_range()?;
                let numbers = [0, 1, -1, 7, 127, -128, i64::MAX, i64::MIN];
                let fit: Vec<i64> =
                    numbers.into_iter().filter(|number| (low..=high).contains(&i128::from(*number))).collect();
                ColumnDefault::Int(*self.chance.pick(&fit))
            }
        })
    }

    pub(crate) fn generated(&mut self, table: &Table, name: String) -> Option<Column> {
        let base = column_of(&mut self.chance, table, |column| column.generated.is_none() && !column.auto)?;
        let c = self.said(&base.name);
        let length = if self.kind == Kind::Mysql { "CHAR_LENGTH" } else { "length" };
        let choices = match family(&base.ty) {
            Family::Integer => vec![
                (ColumnType::I32, format!("CASE WHEN {c} > 0 THEN 1 ELSE 0 END"), false),
                (base.ty.clone(), format!("coalesce({c}, 0)"), false),
                (base.ty.clone(), c.clone(), base.nullable),
            ],
            Family::Text => vec![
                (base.ty.clone(), format!("lower({c})"), base.nullable),
                (ColumnType::I32, format!("{length}({c})"), base.nullable),
            ],
            _ => vec![(ColumnType::Bool, format!("{c} IS NULL"), false)],
        };
        let (ty, text, nullable) = self.chance.pick(&choices).clone();
        let stored = self.kind == Kind::Postgres || self.percent(50);
        // What is never NULL may be said to be so, or not; on MySQL and MariaDB it cannot be said.
        let nullable = nullable || self.kind == Kind::Mysql || self.percent(60);
        let generated = Some(Generated { expression: Expression::new(text), stored });
        Some(Column { nullable, generated, ..Column::new(name, ty) })
    }

    /// A name in an expression: with quotes, or without where it needs none.
    pub(crate) fn said(&mut self, name: &str) -> String {
        let bare = self.percent(50);
        crate::random::names::said(self.kind, name, bare)
    }

    pub(crate) fn primary_key(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let table = &mut schema.tables[at];
        let mut fit: Vec<String> = table
            .columns
            .iter()
            .filter(|column| !column.nullable && column.generated.is_none() && keyable(&column.ty))
            .map(|column| column.name.clone())
            .collect();
        let wanted = *self.chance.pick(&[1, 1, 2, 2, 3]);
        table.primary_key.clear();
        while table.primary_key.len() < wanted && !fit.is_empty() {
            table.primary_key.push(fit.remove(self.chance.below(fit.len())));
        }
        (!table.primary_key.is_empty()).then_some(())
    }

    pub(crate) fn add_index(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let table = &schema.tables[at];
        let mut terms: Vec<Term> = Vec::new();
        for _ in 0..*self.chance.pick(&[1, 1, 1, 2, 2, 3]) {
            if self.kind != Kind::Mysql && self.percent(15) {
                if let Some(text) = term(self, table) {
                    terms.push(Term::expression(Expression::new(text)));
                }
            } else if let Some(column) = column_of(&mut self.chance, table, |_| true)
                && !terms.iter().any(|term| term.as_column() == Some(&column.name))
            {
                terms.push(Term { descending: self.percent(20), ..Term::column(column.name.clone()) });
            }
        }
        let names: Vec<&str> = terms.iter().map(|term| term.as_column().unwrap_or("expr")).collect();
        let unique = self.percent(35);
        let mut name = constraint_name(&table.name, &names, if unique { "key" } else { "idx" });
        if self.percent(20) || is_taken(schema, &name) {
            name = self.fresh(&["by name", "ix_1", "Ix_2", "look up"], |name| is_taken(schema, name));
        }
        let mut index = Index { name, terms, unique, ..Index::default() };
        if index.terms.is_empty() {
            return None;
        }
        if self.kind != Kind::Mysql && self.percent(15) {
            index.condition = condition(self, table, |_| true).map(Expression::new);
        }
        if self.kind == Kind::Postgres {
            self.postgres_index(table, &mut index);
        }
        schema.tables[at].indexes.push(index);
        Some(())
    }

    fn postgres_index(&mut self, table: &Table, index: &mut Index) {
        if self.percent(15)
            && let Some(column) = column_of(&mut self.chance, table, |column| !index.has(&column.name))
        {
            index.include.push(column.name.clone());
        }
        index.nulls_agree = index.unique && self.percent(15);
        let one = match index.terms.as_slice() {
            [one] if !one.descending && index.include.is_empty() && !index.unique => one.as_column(),
            _ => None,
        };
        if let Some(column) = one.and_then(|name| table.column(name)) {
            match family(&column.ty) {
                Family::Integer if self.percent(20) => index.method = Some("brin".to_owned()),
                Family::Integer | Family::Text if self.percent(15) => index.method = Some("hash".to_owned()),
                Family::Json if self.percent(50) => index.method = Some("gin".to_owned()),
                _ => {}
            }
        }
    }

    pub(crate) fn add_check(&mut self, schema: &mut Schema, at: usize) -> Option<()> {
        let table = &schema.tables[at];
        let is_mysql = self.kind == Kind::Mysql;
        let text = condition(self, table, |column| !(is_mysql && column.auto))?;
        let name = self.fresh(&["c1", "c2", "fits well", "C3"], |word| {
            let name = constraint_name(&table.name, &[word], "ck");
            table.checks.iter().any(|check| check.name == name)
        });
        let name = constraint_name(&table.name, &[&name], "ck");
        schema.tables[at].checks.push(Check { name, expression: Expression::new(text) });
        Some(())
    }

    pub(crate) fn add_foreign_key(&mut self, schema: &mut Schema) -> Option<()> {
        if schema.tables.is_empty() {
            return None;
        }
        let target = self.chance.below(schema.tables.len());
        let child = if self.percent(20) { target } else { self.chance.below(schema.tables.len()) };
        let goal = schema.tables[target].clone();
        let mut keys: Vec<Vec<String>> = goal.indexes.iter().map(Index::column_names).collect();
        keys.retain(|columns| !columns.is_empty() && goal.indexes.iter().any(|index| index.keeps_unique(columns)));
        if !goal.primary_key.is_empty() {
            keys.push(goal.primary_key.clone());
        }
        if keys.is_empty() {
            return None;
        }
        let target_columns = self.chance.pick(&keys).clone();
        let mut columns: Vec<String> = Vec::new();
        let sometimes_null = self.percent(65);
        for name in &target_columns {
            let theirs = goal.column(name)?;
            let table = &schema.tables[child];
            let own = column_of(&mut self.chance, table, |column| {
                column.ty == theirs.ty
                    && column.case_insensitive == theirs.case_insensitive
                    && !column.auto
                    && column.generated.is_none()
                    && !columns.contains(&column.name)
            });
            match own.map(|column| column.name.clone()).filter(|_| self.percent(35)) {
                Some(own) => columns.push(own),
                None => {
                    let name = self.column_name(&schema.tables[child]);
                    columns.push(name.clone());
                    let (auto, nullable, case_insensitive) = (false, sometimes_null, theirs.case_insensitive);
                    let column = Column { auto, nullable, case_insensitive, ..Column::new(name, theirs.ty.clone()) };
                    schema.tables[child].columns.push(column);
                }
            }
        }
        if target_columns.iter().any(|name| goal.column(name).is_some_and(|column| column.generated.is_some())) {
            return None;
        }
        let table = &mut schema.tables[child];
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let name = constraint_name(&table.name, &names, "fkey");
        let mut key = ForeignKey { name, columns, target: goal.name, target_columns, ..ForeignKey::default() };
        self.actions(&mut key);
        table.foreign_keys.push(key);
        Some(())
    }

    pub(crate) fn actions(&mut self, key: &mut ForeignKey) {
        let actions = [Action::NoAction, Action::Restrict, Action::Cascade, Action::SetNull, Action::SetDefault];
        key.on_delete = *self.chance.pick(&actions);
        key.on_update = if self.percent(70) { Action::NoAction } else { *self.chance.pick(&actions) };
        if self.kind != Kind::Mysql && self.percent(30) {
            key.timing = *self.chance.pick(&[Timing::Deferrable, Timing::Deferred]);
        }
    }

    pub(crate) fn comment(&mut self) -> String {
        (*self.chance.pick(&["in years", "it's \"so\"", "[utc]", "enum x", "größer"])).to_owned()
    }
}

fn keyable(ty: &ColumnType) -> bool {
    !matches!(ty, ColumnType::Json | ColumnType::F32 | ColumnType::F64)
}
