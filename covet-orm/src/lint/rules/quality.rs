//! Names, keys and indexes that are regretted later.

use covet_drivers::lint::{At, Check, ConstraintKind, Hit, Rule, Scene, Severity, Standing, TableDef, What, same};

pub(super) const SYS01: Rule = Rule {
    id: "SYS01",
    severity: Severity::Warn,
    title: "a name that is too long",
    trigger: "A new name with more bytes than every database keeps (63), or than this one does.",
    effect: "Cut in silence or refused; two names that begin alike become one.",
    safer: "A shorter name. Covet's own are shortened with a hash.",
    covers: &[],
    check: Check::Any(|at| {
        let most = at.scene.max_identifier.min(63);
        let name = new_names(at).into_iter().find(|name| name.len() > most)?;
        let cut = |name: &str| name.as_bytes().get(..most).map(<[u8]>::to_vec);
        let twin = at.scene.acts().any(|(_, act)| {
            let other = At { act, ..*at };
            new_names(&other).iter().any(|known| *known != name && known.len() >= most && cut(known) == cut(&name))
        });
        let more = if twin { ", and another one begins alike" } else { "" };
        Some(format!("{name} has {} bytes, more than {most}{more}", name.len()))
    }),
    fires: &[
        "ALTER TABLE users ADD COLUMN a_name_that_goes_on_and_on_until_nobody_remembers_how_it_began_at_all int",
        "CREATE TABLE a_name_that_goes_on_and_on_until_nobody_remembers_how_it_began_at_all (id bigint PRIMARY KEY)",
    ],
    silent: &["ALTER TABLE users ADD COLUMN a_name_of_some_length int"],
};

fn new_names(at: &At<'_>) -> Vec<String> {
    match &at.act.what {
        What::CreateTable(table) => {
            let columns = table.columns.iter().map(|column| column.name.clone());
            let constraints = table.constraints.iter().filter_map(|constraint| constraint.name.clone());
            std::iter::once(at.act.table.clone()).chain(columns).chain(constraints).collect()
        }
        What::AddColumn(column) => vec![column.name.clone()],
        What::AddConstraint(constraint) => constraint.name.clone().into_iter().collect(),
        What::CreateIndex(index) => vec![index.name.clone()],
        What::RenameTable { to } | What::RenameColumn { to, .. } | What::RenameType { to, .. } => vec![to.clone()],
        What::CreateEnum { name, .. } | What::CreateView { name, .. } | What::CreateTrigger { name, .. } => {
            vec![name.clone()]
        }
        _ => Vec::new(),
    }
}

pub(super) const SYS02: Rule = Rule {
    id: "SYS02",
    severity: Severity::Warn,
    title: "a constraint without a name",
    trigger: "A foreign key, CHECK or UNIQUE without `CONSTRAINT name`, written by hand.",
    effect: "The database makes a name up, each in its own way; a later migration cannot drop it by name.",
    safer: "`CONSTRAINT name …`.",
    covers: &[],
    check: Check::Any(|at| {
        let named = |kind: ConstraintKind, name: Option<&String>| kind == ConstraintKind::Primary || name.is_some();
        let nameless = match &at.act.what {
            _ if at.statement.generated => None,
            What::AddConstraint(found) if !named(found.kind, found.name.as_ref()) => Some(found.columns.join(", ")),
            What::AddColumn(column) => {
                column.constraints.iter().find(|c| !named(c.kind, c.name.as_ref())).map(|_| column.name.clone())
            }
            What::CreateTable(table) if !table.temporary => {
                let own = table.constraints.iter().chain(table.columns.iter().flat_map(|column| &column.constraints));
                own.into_iter().find(|c| !named(c.kind, c.name.as_ref())).map(|found| found.columns.join(", "))
            }
            _ => None,
        }?;
        Some(format!("the constraint of {} ({nameless}) has no name", at.table()))
    }),
    fires: &[
        "ALTER TABLE users ADD CHECK (age > 0)",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a int CHECK (a > 0))",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a bigint, FOREIGN KEY (a) REFERENCES users (id))",
    ],
    silent: &[
        "ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 0)",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a int CONSTRAINT positive CHECK (a > 0))",
    ],
};

/// Words that one of the databases keeps for itself.
const RESERVED: &[&str] = &[
    "all",
    "analyze",
    "and",
    "as",
    "asc",
    "between",
    "both",
    "by",
    "case",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_user",
    "default",
    "delete",
    "desc",
    "distinct",
    "drop",
    "else",
    "end",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "groups",
    "having",
    "in",
    "index",
    "inner",
    "insert",
    "into",
    "is",
    "join",
    "key",
    "keys",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "of",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "primary",
    "range",
    "rank",
    "references",
    "right",
    "row",
    "rows",
    "select",
    "set",
    "some",
    "system",
    "table",
    "then",
    "to",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

pub(super) const SYS07: Rule = Rule {
    id: "SYS07",
    severity: Severity::Warn,
    title: "tables and indexes that are regretted",
    trigger: "A table without a primary key or with a reserved word for a name; an index over more than three columns, or one that another one begins with or equals.",
    effect: "Rows that nobody can name, names that must be quoted for ever, indexes that cost every write and serve nobody.",
    safer: "A key, another name, one index instead of two.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for (index, act) in scene.acts() {
            let generated = scene.statements.get(index).is_some_and(|statement| statement.generated);
            match &act.what {
                What::CreateTable(table) if !table.temporary && !table.derived => {
                    let name = scene.rebuild_at(index).map_or(act.table.as_str(), |rebuild| &rebuild.table);
                    hits.extend(of_table(table, name, generated).map(|message| Hit::new(index, name, message)));
                }
                What::CreateIndex(made) if made.special.is_none() => {
                    let columns = made.columns();
                    if made.terms.len() > 3 && !made.unique {
                        hits.push(Hit::new(
                            index,
                            &act.table,
                            format!("{} has {} columns", made.name, made.terms.len()),
                        ));
                    }
                    let plain = columns.len() == made.terms.len() && !made.partial;
                    if let Some(other) =
                        plain.then(|| twin(scene, index, &act.table, &made.name, &columns, made.unique)).flatten()
                        // It takes the place of one that goes behind it.
                        && !scene.acts_after(index).any(|(_, act)| matches!(&act.what, What::DropIndex { name, .. } if same(name, &other)))
                    {
                        hits.push(Hit::new(
                            index,
                            &act.table,
                            format!("{} serves nothing that {other} does not", made.name),
                        ));
                    }
                }
                _ => {}
            }
        }
        hits
    }),
    fires: &[
        "CREATE TABLE fresh (a int)",
        "CREATE TABLE \"order\" (id bigint PRIMARY KEY)",
        "CREATE INDEX i ON users (name, age, score, balance)",
        "CREATE INDEX i ON posts (title)",
        "CREATE INDEX i ON users (email)",
    ],
    silent: &[
        "CREATE TABLE fresh (id bigint PRIMARY KEY)",
        "CREATE INDEX i ON posts (user_id)",
        "CREATE TEMP TABLE t (a int)",
    ],
};

fn of_table(table: &TableDef, name: &str, generated: bool) -> Option<String> {
    let keyed = table.constraints.iter().any(|constraint| constraint.kind == ConstraintKind::Primary)
        || table.columns.iter().any(|column| column.has(ConstraintKind::Primary));
    if !keyed {
        return Some(format!("{name} has no primary key"));
    }
    let reserved = RESERVED.iter().any(|word| same(word, name));
    // What the models say is quoted wherever Covet writes it.
    (reserved && !generated).then(|| format!("{name} is a reserved word, and must be quoted for ever"))
}

/// An index that makes this one needless.
fn twin(scene: &Scene<'_>, at: usize, table: &str, name: &str, columns: &[String], unique: bool) -> Option<String> {
    if scene.is_new(table, at) || scene.rebuilds.iter().any(|rebuild| same(&rebuild.table, table)) {
        return None;
    }
    let serves = |other: &&Standing| {
        other.plain
            && !same(&other.name, name)
            && other.begins_with(columns)
            && (!unique || (other.unique && other.columns.len() == columns.len()))
    };
    let standing = scene.standing(table, at)?;
    let other = standing.iter().find(serves)?;
    Some(if other.name.is_empty() { format!("({})", other.columns.join(", ")) } else { other.name.clone() })
}
