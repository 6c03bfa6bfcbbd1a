//! Reading the schema of a MySQL or MariaDB database.
//!
//! What Covet has no word for (expression and prefix indexes …) is not part of the schema: [`unmodelled`] tells it.

use std::collections::BTreeMap;

use crate::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Generated, Index, Schema, Table, Term,
    constraint_name,
};
use crate::contract::{
    BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row, Unmodelled, refuse_schemas, written,
};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::defaults::read_default;
use crate::mysql::dialect::{NO_SCHEMAS, quote};
use crate::mysql::server::Product;
use crate::mysql::types::{Described, check as type_check, read, split_comment};
use crate::mysql::unmodelled;

/// Reads schemas.
#[derive(Clone, Copy, Debug)]
pub struct MySqlIntrospect;

impl Introspect for MySqlIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection, schemas: &'a [String]) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(async {
            refuse_schemas(schemas, "MySQL", NO_SCHEMAS)?;
            Ok(schema(connection).await?.0.written())
        })
    }

    fn unmodelled<'a>(
        &'a self,
        connection: &'a mut dyn Connection,
        schemas: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Unmodelled>>> {
        Box::pin(async {
            refuse_schemas(schemas, "MySQL", NO_SCHEMAS)?;
            let (schema, beside) = schema(connection).await?;
            Ok(written(unmodelled::read(connection, &schema, beside).await?))
        })
    }
}

const TABLES: &str = "SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'";

const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, CHARACTER_SET_NAME, \
    COLLATION_NAME, EXTRA, COLUMN_COMMENT, GENERATION_EXPRESSION FROM information_schema.COLUMNS \
    WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION";

const INDEXES: &str = "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, CAST(NON_UNIQUE AS CHAR), CAST(SUB_PART AS CHAR), \
    INDEX_TYPE, COLLATION FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
    ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";

const FOREIGN_KEYS: &str = "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_NAME, \
    k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE, k.REFERENCED_TABLE_SCHEMA = DATABASE() \
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r \
    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME \
    WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL \
    ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

/// MariaDB's names are unique in a table only, and it tells the table.
const CHECKS_MARIADB: &str = "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE, 'YES' \
    FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()";

/// MySQL can switch a check off, and keeps it.
const CHECKS_MYSQL: &str = "SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE, t.ENFORCED \
    FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t \
    ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME \
    WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND t.CONSTRAINT_TYPE = 'CHECK'";

/// Checks by table and name, as the server writes them.
type Checks = BTreeMap<(String, String), String>;

pub(super) type Cells = Vec<Option<String>>;

/// The schema, and what was left out of it.
async fn schema(connection: &mut dyn Connection) -> Result<(Schema, Vec<Unmodelled>)> {
    let mut beside = Vec::new();
    let product = if connection.server().product == "MariaDB" { Product::MariaDb } else { Product::MySql };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in rows(connection, TABLES, 2).await? {
        let name = cell(&row, 0);
        if !OWN_TABLES.contains(&name) {
            let comment = Some(cell(&row, 1).to_owned()).filter(|comment| !comment.is_empty());
            tables.insert(name.to_owned(), Table { comment, ..Table::new(name) });
        }
    }
    let text = if product == Product::MariaDb { CHECKS_MARIADB } else { CHECKS_MYSQL };
    let mut checks = checks(&rows(connection, text, 4).await?, &tables, &mut beside);
    for row in rows(connection, COLUMNS, 10).await? {
        if let Some(table) = tables.get_mut(cell(&row, 0)) {
            let column = column(&row, product, &mut checks);
            table.columns.push(column);
        }
    }
    // What is left stands for no column's type.
    for ((table, name), clause) in checks {
        if let Some(table) = tables.get_mut(&table) {
            table.checks.push(Check { name, expression: Expression::new(clause) });
        }
    }
    foreign_keys(&rows(connection, FOREIGN_KEYS, 8).await?, &mut tables, &mut beside);
    indexes(&rows(connection, INDEXES, 7).await?, &mut tables, &mut beside);
    let mut schema = Schema::of(tables.into_values().collect());
    schema.sort();
    Ok((schema, beside))
}

/// The checks that are looked at. One that is switched off is as good as none, and is told beside the schema.
fn checks(rows: &[Cells], tables: &BTreeMap<String, Table>, beside: &mut Vec<Unmodelled>) -> Checks {
    let mut checks = Checks::new();
    for row in rows {
        let (table, name, clause) = (cell(row, 0), cell(row, 1), cell(row, 2));
        if cell(row, 3) == "YES" {
            checks.insert((table.to_owned(), name.to_owned()), clause.to_owned());
        } else if tables.contains_key(table) {
            beside.push(Unmodelled::of(table, "check", name, "not enforced"));
        }
    }
    checks
}

fn column(row: &Cells, product: Product, checks: &mut Checks) -> Column {
    let (table, name, extra) = (cell(row, 0), cell(row, 1), cell(row, 7).to_ascii_uppercase());
    let length = (table.to_owned(), constraint_name(table, &[name], "check"));
    // MariaDB's `json` is a `longtext` with a check, which keeps its name when the column gets another.
    let json = format!("json_valid({})", quote(name));
    let json = checks.iter().find(|((owner, _), clause)| owner == table && **clause == json);
    let json = json.map(|(place, _)| place.clone());
    let described = Described {
        table: table.to_owned(),
        name: name.to_owned(),
        column_type: cell(row, 2).to_owned(),
        charset: row.get(5).cloned().flatten(),
        comment: cell(row, 8).to_owned(),
        length_check: checks.get(&length).cloned(),
        is_json: json.is_some(),
    };
    let ty = read(&described);
    if let (ColumnType::Json, Some(json)) = (&ty, json) {
        checks.remove(&json);
    }
    if type_check(table, name, &ty).is_some() {
        checks.remove(&length);
    }
    let stored = extra.contains("STORED") || extra.contains("PERSISTENT");
    let generated = Some(cell(row, 9)).filter(|expression| !expression.is_empty());
    let generated = generated.map(|text| Generated { expression: Expression::new(unescaped(product, text)), stored });
    let default = match row.get(4).and_then(Option::as_deref) {
        Some(said) if generated.is_none() => read_default(product, said, extra.contains("DEFAULT_GENERATED"), &ty)
            .unwrap_or_else(|said| Some(ColumnDefault::Expression(Expression::new(unescaped(product, &said))))),
        _ => None,
    };
    Column {
        case_insensitive: ty.is_text() && cell(row, 6).ends_with("_ci"),
        nullable: cell(row, 3) == "YES",
        default,
        auto: extra.contains("AUTO_INCREMENT"),
        generated,
        comment: split_comment(cell(row, 8)).1.map(str::to_owned),
        ..Column::new(name, ty)
    }
}

/// MySQL tells its expressions with a backslash before each quote.
fn unescaped(product: Product, text: &str) -> String {
    if product == Product::MySql { text.replace("\\'", "'") } else { text.to_owned() }
}

fn foreign_keys(rows: &[Cells], tables: &mut BTreeMap<String, Table>, beside: &mut Vec<Unmodelled>) {
    for row in rows {
        let (table, name) = (cell(row, 0), cell(row, 1));
        let Some(table) = tables.get_mut(table) else { continue };
        if cell(row, 7) != "1" {
            let known = beside.last().is_some_and(|last| {
                last.kind == "foreign key" && last.name == name && last.table.as_ref() == Some(&table.name)
            });
            if !known {
                beside.push(Unmodelled::of(&table.name, "foreign key", name, "points into another database"));
            }
            continue;
        }
        if table.foreign_keys.last().is_none_or(|key| key.name != name) {
            table.foreign_keys.push(ForeignKey {
                name: name.to_owned(),
                columns: Vec::new(),
                target: cell(row, 3).to_owned(),
                target_columns: Vec::new(),
                on_delete: action(cell(row, 5)),
                on_update: action(cell(row, 6)),
                ..ForeignKey::default()
            });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(cell(row, 2).to_owned());
            key.target_columns.push(cell(row, 4).to_owned());
        }
    }
}

fn indexes(rows: &[Cells], tables: &mut BTreeMap<String, Table>, beside: &mut Vec<Unmodelled>) {
    for row in rows {
        let (name, column) = (cell(row, 1), cell(row, 2));
        let Some(table) = tables.get_mut(cell(row, 0)) else { continue };
        if name == "PRIMARY" {
            table.primary_key.push(column.to_owned());
            continue;
        }
        if table.indexes.last().is_none_or(|index| index.name != name) {
            table.indexes.push(Index { name: name.to_owned(), unique: cell(row, 3) == "0", ..Index::default() });
        }
        if let Some(index) = table.indexes.last_mut() {
            // An expression, a prefix, a full-text index: marked here, taken out below.
            let plain = !column.is_empty() && cell(row, 4).is_empty() && cell(row, 5) == "BTREE";
            let term = Term::column(if plain { column } else { "" });
            index.terms.push(Term { descending: cell(row, 6) == "D", ..term });
        }
    }
    for table in tables.values_mut() {
        let (name, keys) = (&table.name, &table.foreign_keys);
        table.indexes.retain(|index| {
            if index.columns().any(str::is_empty) {
                let unique = if index.unique { "unique, " } else { "" };
                let detail = format!("{unique}over an expression or the beginning of a column, or no B-tree");
                beside.push(Unmodelled::of(name, "index", &index.name, detail));
                return false;
            }
            // What stands behind a foreign key that no other index serves bears the key's name.
            !keys.iter().any(|key| key.name == index.name && !index.unique && index.columns().eq(&key.columns))
        });
    }
}

fn action(rule: &str) -> Action {
    match rule {
        "CASCADE" => Action::Cascade,
        "SET NULL" => Action::SetNull,
        "SET DEFAULT" => Action::SetDefault,
        "RESTRICT" => Action::Restrict,
        _ => Action::NoAction,
    }
}

fn cell(row: &Cells, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}

/// Every row as texts.
pub(super) async fn rows(connection: &mut dyn Connection, sql: &str, columns: usize) -> Result<Vec<Cells>> {
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        let cells = (0..columns).map(|index| {
            use crate::value::ValueRef;
            match row.value(index, &ColumnType::Other("".into()))? {
                ValueRef::Null => Ok(None),
                ValueRef::Text(text) => Ok(Some(text.to_owned())),
                ValueRef::Int(number) => Ok(Some(number.to_string())),
                ValueRef::UInt(number) => Ok(Some(number.to_string())),
                ValueRef::Bytes(bytes) => String::from_utf8(bytes.to_vec()).map(Some).map_err(|_| unreadable()),
                _ => Err(unreadable()),
            }
        });
        rows.push(cells.collect::<Result<Cells>>()?);
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await?;
    Ok(rows)
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Decode, "information_schema holds what cannot be read as text")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{CHECKS_MYSQL, checks};
    use crate::catalog::Table;
    use crate::contract::Unmodelled;

    #[test]
    fn a_check_that_is_switched_off_is_none() {
        let row = |cells: [&str; 4]| cells.map(|cell| Some(cell.to_owned())).to_vec();
        let rows = [row(["t", "on", "`a` > 0", "YES"]), row(["t", "off", "`a` > 1", "NO"]), row(["_", "x", "1", "NO"])];
        let tables = BTreeMap::from([("t".to_owned(), Table::new("t"))]);
        let mut beside = Vec::new();
        let found = checks(&rows, &tables, &mut beside);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(("t".into(), "on".into()), "`a` > 0".into())]);
        assert_eq!(beside, [Unmodelled::of("t", "check", "off", "not enforced")]);
        assert!(CHECKS_MYSQL.contains("t.ENFORCED"));
    }
}
