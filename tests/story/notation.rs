//! Schemas in a line: `users{id auto; email text(200) uq; bio text?} posts{id auto; user_id i64 ->users.id cascade ix}`.
//!
//! A column is its name, its type (`?` allows NULL; `auto` is a numbered key, as a word behind another type too) and words: `pk`, `uq`,
//! `ix`, `ci`, `=default`, `->table.column`, an action on delete, and `on:` an action on update. A
//! table may add `pk(a,b)`, `uq(a,b)`, `ix(a,b)` and `ix:name(a,b)`. `~` stands for a blank.
//!
//! Further words of a column: `=sql:expression`, `stored:expression`, `virtual:expression`, `ck:condition`, `#comment`,
//! `deferrable` and `deferred`. Further items of a table: `ck:name(condition)`, `#comment`, `fk(a,b)->table(x,y) cascade`.
//! An expression may have a text for each database: `@sqlite:a~>~0@mysql:a>0`. Beside tables stand `view name{…}`,
//! `function name{…}`, `extension name{}` and `trigger name on table{…}`; a text of theirs for one database begins with
//! `@postgres`, `@mysql` or `@sqlite`.
//!
//! A table, an enum, a view or a function may stand in a schema: `billing.users{…}`, `->billing.users.id`.
//!
//! In an index `-a` is descending, `a/text_pattern_ops` has an operator class and `<lower(a)>` an expression; behind it `?condition`, `+included`, `!gin` and
//! `!nulls~agree`.

use covet_orm::drivers::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Object,
    ObjectKind, Schema, Table, Term, Timing, constraint_name,
};

pub(crate) fn schema(text: &str) -> Schema {
    let tables = text.split_inclusive('}').filter(|part| !part.trim().is_empty());
    let mut schema = Schema::default();
    for part in tables.map(str::trim) {
        let (head, body) = part.strip_suffix('}').unwrap().split_once('{').unwrap();
        match head.split_once(' ') {
            None => schema.tables.push(table(part)),
            Some((kind, name)) => schema.objects.push(object(kind, name, body)),
        }
    }
    schema.sort();
    schema.find_reads();
    schema
}

fn object(kind: &str, name: &str, body: &str) -> Object {
    let texts = body.split('@').skip(1).map(|part| part.split_once(' ').unwrap_or((part, "")));
    let each = texts.map(|(database, text)| (database.to_owned().into(), text.trim().to_owned().into()));
    let definition =
        if body.contains('@') { Expression::Each(each.collect()) } else { Expression::new(body.trim().to_owned()) };
    let kind = match kind {
        "extension" => ObjectKind::Extension,
        "function" => ObjectKind::Function,
        "view" => ObjectKind::View,
        "trigger" => {
            let (name, table) = name.split_once(" on ").unwrap();
            return Object::trigger(plain(name), plain(table), definition);
        }
        other => panic!("{other}"),
    };
    Object::new(kind, plain(name), definition)
}

fn table(text: &str) -> Table {
    let (name, body) = text.strip_suffix('}').unwrap().split_once('{').unwrap();
    let mut table = Table::new(plain(name));
    for item in body.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        if let Some(comment) = item.strip_prefix('#') {
            table.comment = Some(plain(comment));
        } else if let Some(key) = item.strip_prefix("fk(") {
            foreign_key(&mut table, key);
        } else if let Some(check) = item.strip_prefix("ck:") {
            let (name, condition) = check.strip_suffix(')').unwrap().split_once('(').unwrap();
            self::check(&mut table, name, condition);
        } else if item.contains(' ') {
            column(&mut table, item);
        } else {
            key(&mut table, item);
        }
    }
    table
}

fn check(table: &mut Table, name: &str, condition: &str) {
    let name = constraint_name(&table.name, &[&plain(name)], "ck");
    table.checks.push(Check { name, expression: expression(condition) });
}

/// `a,b)->t(x,y) cascade`
fn foreign_key(table: &mut Table, text: &str) {
    let (columns, rest) = text.split_once(")->").unwrap();
    let (target, rest) = rest.split_once('(').unwrap();
    let (others, words) = rest.split_once(')').unwrap();
    let names = |text: &str| text.split(',').map(plain).collect::<Vec<_>>();
    let columns = names(columns);
    table.foreign_keys.push(ForeignKey {
        name: constraint_name(&table.name, &columns.iter().map(String::as_str).collect::<Vec<_>>(), "fkey"),
        columns,
        target: plain(target),
        target_columns: names(others),
        ..ForeignKey::default()
    });
    for word in words.split_whitespace() {
        of_foreign_key(table.foreign_keys.last_mut().unwrap(), word);
    }
}

/// An action, or when it is checked.
fn of_foreign_key(key: &mut ForeignKey, word: &str) {
    match word {
        "deferrable" => key.timing = Timing::Deferrable,
        "deferred" => key.timing = Timing::Deferred,
        _ => match word.strip_prefix("on:") {
            Some(word) => key.on_update = action(word),
            None => key.on_delete = action(word),
        },
    }
}

fn action(word: &str) -> Action {
    match word {
        "cascade" => Action::Cascade,
        "restrict" => Action::Restrict,
        "setnull" => Action::SetNull,
        "setdefault" => Action::SetDefault,
        other => panic!("{other}"),
    }
}

fn key(table: &mut Table, item: &str) {
    let end = item.find(['?', '+', '!']).unwrap_or(item.len());
    let (item, mut rest) = item.split_at(if item.contains('<') { item.rfind(')').unwrap() + 1 } else { end });
    let (word, columns) = item.strip_suffix(')').unwrap().split_once('(').unwrap();
    let (word, name) = word.split_once(':').map_or((word, None), |(word, name)| (word, Some(plain(name))));
    if word == "pk" {
        table.primary_key = columns.split(',').map(plain).collect();
        return;
    }
    index(table, columns, word == "uq", name);
    let index = table.indexes.last_mut().unwrap();
    while let Some(mark) = rest.chars().next() {
        let text = &rest[1..];
        // A condition may hold the other marks, and comes last.
        let end = if mark == '?' { text.len() } else { text.find(['?', '+', '!']).unwrap_or(text.len()) };
        let (text, left) = text.split_at(end);
        rest = left;
        match mark {
            '?' => index.condition = Some(expression(text)),
            '+' => index.include.push(plain(text)),
            _ if text == "nulls~agree" => index.nulls_agree = true,
            _ => index.method = Some(plain(text)),
        }
    }
}

fn index(table: &mut Table, terms: &str, unique: bool, name: Option<String>) {
    let terms: Vec<Term> = terms
        .split(',')
        .map(|term| match (term.strip_prefix('<'), term.strip_prefix('-')) {
            (Some(text), _) => Term::expression(expression(text.strip_suffix('>').unwrap())),
            (_, Some(column)) => Term { descending: true, ..Term::column(plain(column)) },
            _ => match term.split_once('/') {
                Some((column, class)) => Term { class: Some(plain(class)), ..Term::column(plain(column)) },
                None => Term::column(plain(term)),
            },
        })
        .collect();
    let names: Vec<&str> = terms.iter().map(|term| term.as_column().unwrap_or("expr")).collect();
    let name = name.unwrap_or_else(|| constraint_name(&table.name, &names, if unique { "key" } else { "idx" }));
    table.indexes.push(Index { name, terms, unique, ..Index::default() });
}

fn column(table: &mut Table, item: &str) {
    let mut words = item.split_whitespace();
    let (name, ty) = (plain(words.next().unwrap()), words.next().unwrap());
    let (ty, nullable) = ty.strip_suffix('?').map_or((ty, false), |ty| (ty, true));
    let auto = ty == "auto";
    let mut column = Column { nullable, auto, ..Column::new(name.clone(), of(if auto { "i64" } else { ty })) };
    if auto {
        table.primary_key = vec![name.clone()];
    }
    for word in words {
        match word {
            "pk" => table.primary_key = vec![name.clone()],
            "uq" | "ix" => index(table, &name.replace(' ', "~"), word == "uq", None),
            "ci" => column.case_insensitive = true,
            "auto" => {
                column.auto = true;
                table.primary_key = vec![name.clone()];
            }
            _ => {
                let rest = |prefix: &str| word.strip_prefix(prefix);
                if let Some(text) = rest("=sql:") {
                    column.default = Some(ColumnDefault::Expression(expression(text)));
                } else if let Some(value) = rest("=") {
                    column.default = Some(value_of(&plain(value)));
                } else if let Some(text) = rest("stored:") {
                    column.generated = Some(Generated { expression: expression(text), stored: true });
                } else if let Some(text) = rest("virtual:") {
                    column.generated = Some(Generated { expression: expression(text), stored: false });
                } else if let Some(condition) = rest("ck:") {
                    check(table, &name, condition);
                } else if let Some(comment) = rest("#") {
                    column.comment = Some(plain(comment));
                } else if let Some((target, other)) = rest("->").and_then(|at| at.rsplit_once('.')) {
                    foreign_key(table, &format!("{})->{target}({other})", name.replace(' ', "~")));
                } else {
                    of_foreign_key(table.foreign_keys.last_mut().unwrap(), word);
                }
            }
        }
    }
    table.columns.push(column);
}

fn of(text: &str) -> ColumnType {
    let (word, inside) = text.strip_suffix(')').and_then(|text| text.split_once('(')).unwrap_or((text, ""));
    let parts: Vec<&str> = inside.split(',').collect();
    match word {
        "bool" => ColumnType::Bool,
        "i8" => ColumnType::I8,
        "i16" => ColumnType::I16,
        "u8" => ColumnType::U8,
        "u16" => ColumnType::U16,
        "u32" => ColumnType::U32,
        "u64" => ColumnType::U64,
        "f32" => ColumnType::F32,
        "date" => ColumnType::Date,
        "time" => ColumnType::Time,
        "uuid" => ColumnType::Uuid,
        "i32" => ColumnType::I32,
        "i64" => ColumnType::I64,
        "f64" => ColumnType::F64,
        "json" => ColumnType::Json,
        "bytes" => ColumnType::Bytes,
        "datetime" => ColumnType::DateTime,
        "timestamp" => ColumnType::Timestamp,
        "text" => ColumnType::Text { max_len: inside.parse().ok() },
        "decimal" => ColumnType::Decimal { precision: parts[0].parse().unwrap(), scale: parts[1].parse().unwrap() },
        "enum" => ColumnType::Enum(EnumType {
            name: plain(parts[0]).into(),
            labels: parts[1..].iter().map(|label| plain(label).into()).collect(),
        }),
        other => panic!("{other}"),
    }
}

fn value_of(text: &str) -> ColumnDefault {
    match text {
        "now" => ColumnDefault::Now,
        "true" | "false" => ColumnDefault::Bool(text == "true"),
        _ => match (text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')), text.parse()) {
            (Some(inside), _) => ColumnDefault::Text(inside.to_owned().into()),
            (None, Ok(number)) => ColumnDefault::Int(number),
            (None, Err(_)) => ColumnDefault::Number(text.to_owned().into()),
        },
    }
}

fn expression(text: &str) -> Expression {
    let Some(texts) = text.strip_prefix('@') else { return Expression::new(plain(text)) };
    let texts = texts.split('@').map(|text| text.split_once(':').unwrap());
    Expression::Each(texts.map(|(name, text)| (plain(name).into(), plain(text).into())).collect())
}

fn plain(name: &str) -> String {
    name.replace('~', " ")
}
