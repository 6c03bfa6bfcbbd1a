//! Types: rewritten tables, values that change without a word, and types that are regretted.

use crate::catalog::ColumnType;
use crate::lint::{At, Check, ColumnDef, ConstraintKind, Hit, Rule, Severity, Token, TokenKind, TypeDef, What, same};

pub(super) const PG09: Rule = Rule {
    id: "PG09",
    severity: Severity::Error,
    title: "a change of type that rewrites the table",
    trigger: "`ALTER COLUMN … TYPE`, unless a varchar grows or becomes text, or a numeric gets more digits before the point.",
    effect: "ACCESS EXCLUSIVE lock while the table and all its indexes are written anew.",
    safer: "A new column, filled in batches while both are written, then the switch.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Retype { column, ty, using } = &at.act.what else { return None };
        let before = at.scene.column(at.table(), column).map(|known| known.ty.clone());
        let free = before.as_ref().is_some_and(|before| is_free(before, ty)) && using.is_empty();
        (!free)
            .then(|| format!("the new type of {}.{column} rewrites the table while nobody else may use it", at.table()))
    }),
    fires: &[
        "ALTER TABLE users ALTER COLUMN age TYPE bigint",
        "ALTER TABLE users ALTER COLUMN balance TYPE numeric(12, 4)",
    ],
    silent: &[
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(300)",
        "ALTER TABLE users ALTER COLUMN email TYPE text",
        "ALTER TABLE users ALTER COLUMN balance TYPE numeric(14, 2)",
    ],
};

fn is_free(before: &ColumnType, after: &TypeDef) -> bool {
    match (before, after.column_type()) {
        (ColumnType::Text { .. }, Some(ColumnType::Text { max_len: None })) => true,
        (ColumnType::Text { max_len: Some(from) }, Some(ColumnType::Text { max_len: Some(to) })) => *from <= to,
        (ColumnType::Decimal { precision, scale }, Some(ColumnType::Decimal { precision: to, scale: to_scale })) => {
            *scale == to_scale && *precision <= to
        }
        (before, Some(after)) => *before == after,
        (_, None) => false,
    }
}

pub(super) const PG10: Rule = Rule {
    id: "PG10",
    severity: Severity::Error,
    title: "a new column whose values are computed for every row",
    trigger: "`ADD COLUMN` with a volatile default, `serial`, identity, or a stored generated column.",
    effect: "ACCESS EXCLUSIVE lock while the table is written anew. Constants and `now()` are free.",
    safer: "Add it nullable without default, set the default, fill it in batches.",
    covers: &[],
    check: Check::Act(|at| {
        let What::AddColumn(column) = &at.act.what else { return None };
        let what = computed(column)?;
        Some(format!("{what} of the new column {}.{} rewrites the table", at.table(), column.name))
    }),
    fires: &[
        "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE logs ADD COLUMN id bigserial",
        "ALTER TABLE logs ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE users ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) STORED",
    ],
    silent: &[
        "ALTER TABLE users ADD COLUMN made timestamptz NOT NULL DEFAULT now()",
        "ALTER TABLE users ADD COLUMN n int NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN m timestamp(6) DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
    ],
};

fn computed(column: &ColumnDef) -> Option<&'static str> {
    const STABLE: &[&str] =
        &["now", "current_timestamp", "transaction_timestamp", "statement_timestamp", "localtimestamp"];
    if column.identity || column.ty.name.ends_with("serial") {
        return Some("the numbers");
    }
    if column.generated == Some(true) {
        return Some("the stored values");
    }
    let default = column.default.as_deref()?;
    let calls = default.windows(2).any(|pair| match pair {
        [word, open] => {
            word.kind == TokenKind::Word && open.is_symbol('(') && !word.is_any(STABLE) && word.text.len() > 2
        }
        _ => false,
    });
    calls.then_some("the default")
}

pub(super) const PG11: Rule = Rule {
    id: "PG11",
    severity: Severity::Error,
    title: "a new enum label is used in the transaction that adds it",
    trigger: "`ALTER TYPE … ADD VALUE` without `-- covet:alone`, and the label in a later statement.",
    effect: "The server refuses the use (55P04), and the migration is rolled back.",
    safer: "Write `-- covet:alone` above `ADD VALUE`: it then has a transaction of its own.",
    covers: &[],
    check: Check::Any(|at| {
        let What::AddLabel { label, .. } = &at.act.what else { return None };
        let is_label = |token: &Token| token.kind == TokenKind::Text && token.text == *label;
        let mut rest = at.scene.rest_of_transaction(at.statement.index).iter();
        let used = rest.any(|statement| statement.read.tokens.iter().any(is_label));
        used.then(|| format!("the label '{label}' is used before it is committed"))
    }),
    fires: &["ALTER TYPE role ADD VALUE 'guest';\nUPDATE users SET role = 'guest' WHERE age IS NULL"],
    silent: &[
        "-- covet:alone\nALTER TYPE role ADD VALUE 'guest';\nUPDATE users SET role = 'guest' WHERE age IS NULL",
        "ALTER TYPE role ADD VALUE 'guest'",
    ],
};

pub(super) const PG12: Rule = Rule {
    id: "PG12",
    severity: Severity::Warn,
    title: "an enum made again",
    trigger: "A new enum under the name of one that was renamed or dropped, or a column cast to an enum by its text.",
    effect: "ACCESS EXCLUSIVE lock and a rewrite of every table that has a column of it.",
    safer: "Only ever add labels; keep what changes often in a table.",
    covers: &["PG09"],
    check: Check::Act(|at| match &at.act.what {
        What::CreateEnum { name, .. } => {
            let replaced = at.scene.acts_before(at.statement.index).any(|(_, act)| match &act.what {
                What::RenameType { from, .. } => same(from, name),
                What::DropType { name: dropped, .. } => same(dropped, name),
                _ => false,
            });
            replaced.then(|| format!("the enum {name} is made again, and every column of it rewritten"))
        }
        What::Retype { column, ty, using } if by_text(using) => {
            let made = at
                .scene
                .acts()
                .any(|(_, act)| matches!(&act.what, What::CreateEnum { name, .. } if same(name, &ty.name)));
            made.then(|| format!("{}.{column} is rewritten to hold the enum made again", at.table()))
        }
        _ => None,
    }),
    fires: &["ALTER TYPE role RENAME TO role_old;\nCREATE TYPE role AS ENUM ('reader', 'owner');\n\
         ALTER TABLE users ALTER COLUMN role TYPE role USING role::text::role;\nDROP TYPE role_old"],
    silent: &["CREATE TYPE mood AS ENUM ('good', 'bad')", "-- covet:alone\nALTER TYPE role ADD VALUE 'guest'"],
};

fn by_text(using: &[Token]) -> bool {
    using.iter().any(|token| token.is("text"))
}

pub(super) const PG16: Rule = Rule {
    id: "PG16",
    severity: Severity::Error,
    title: "USING with a length cuts values without a word",
    trigger: "A cast to `varchar(n)`, `char(n)` or `numeric(p, s)` in `USING`, without a guard before it.",
    effect: "An explicit cast truncates or rounds, where the plain change of type would refuse.",
    safer: "Leave `USING` out, or count the values that do not fit in a `-- covet:guard` first.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Retype { column, using, .. } = &at.act.what else { return None };
        let cuts = using.windows(2).any(|pair| match pair {
            [word, open] => {
                word.is_any(&["varchar", "char", "character", "varying", "bpchar", "bit", "numeric", "decimal"])
                    && open.is_symbol('(')
            }
            _ => false,
        });
        (cuts && !at.is_guarded()).then(|| format!("the cast of {}.{column} cuts what is too long", at.table()))
    }),
    fires: &["ALTER TABLE users ALTER COLUMN bio TYPE varchar(5) USING bio::varchar(5)"],
    silent: &[
        "ALTER TABLE users ALTER COLUMN bio TYPE varchar(5)",
        "-- covet:guard bios are too long\nSELECT count(*) FROM users WHERE char_length(bio) > 5;\n\
         ALTER TABLE users ALTER COLUMN bio TYPE varchar(5) USING bio::varchar(5)",
    ],
};

pub(super) const PG17: Rule = Rule {
    id: "PG17",
    severity: Severity::Warn,
    title: "timestamp and timestamptz exchanged without a zone",
    trigger: "A change between the two without `AT TIME ZONE` in `USING`.",
    effect: "The session's zone decides which instants the values become.",
    safer: "`USING c AT TIME ZONE 'UTC'`.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Retype { column, ty, using } = &at.act.what else { return None };
        let before = &at.scene.column(at.table(), column)?.ty;
        let swapped = matches!(
            (before, ty.column_type()?),
            (ColumnType::DateTime, ColumnType::Timestamp) | (ColumnType::Timestamp, ColumnType::DateTime)
        );
        let zoned = using.iter().any(|token| token.is("zone"));
        (swapped && !zoned)
            .then(|| format!("what {}.{column} means afterwards depends on the session's zone", at.table()))
    }),
    fires: &["ALTER TABLE users ALTER COLUMN created TYPE timestamptz"],
    silent: &["ALTER TABLE users ALTER COLUMN created TYPE timestamptz USING created AT TIME ZONE 'UTC'"],
};

pub(super) const PG18: Rule =
    Rule {
        id: "PG18",
        severity: Severity::Warn,
        title: "a column numbers itself and begins at 1",
        trigger: "`ADD GENERATED … AS IDENTITY`, or a default that calls `nextval`, without `setval` behind it.",
        effect: "The next inserts meet numbers that are taken.",
        safer: "`SELECT setval(…, max(id) + 1, false)` behind it.",
        covers: &[],
        check: Check::Act(|at| {
            let column = match &at.act.what {
                What::AddIdentity { column } => column,
                What::Default { column, value: Some(value) } if value.iter().any(|token| token.is("nextval")) => column,
                _ => return None,
            };
            let set =
                at.scene.statements.iter().skip(at.statement.index).any(|statement| {
                    statement.read.tokens.iter().any(|token| token.is("setval") || token.is("restart"))
                });
            (!set).then(|| format!("{}.{column} begins to count at 1, whatever rows there are", at.table()))
        }),
        fires: &["ALTER TABLE pairs ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY"],
        silent: &["ALTER TABLE pairs ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY;\n\
         SELECT setval('pairs_a_seq', (SELECT max(a) + 1 FROM pairs), false)"],
    };

pub(super) const PG20: Rule = Rule {
    id: "PG20",
    severity: Severity::Info,
    title: "a type that is often regretted",
    trigger: "`json`, `char(n)`, `timestamp`, `serial`, `money`, an int primary key, or a domain, in SQL written by hand.",
    effect: "No equality or index (json), blanks (char), no zone (timestamp), rights of their own (serial), an end at 2³¹ (int).",
    safer: "jsonb, text, timestamptz, identity, numeric, bigint; a check instead of a domain.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in scene.statements.iter().filter(|statement| !statement.generated) {
            for act in &statement.read.acts {
                let columns: Vec<&ColumnDef> = match &act.what {
                    What::AddColumn(column) => vec![column],
                    What::CreateTable(table) => table.columns.iter().collect(),
                    _ => Vec::new(),
                };
                for column in columns {
                    let better = regretted(column);
                    hits.extend(better.map(|better| {
                        let message = format!("{}.{} is {}: {better}", act.table, column.name, column.ty.name);
                        Hit::new(statement.index, &act.table, message)
                    }));
                }
            }
            if let [create, domain, ..] = &statement.read.tokens[..]
                && create.is("create")
                && domain.is("domain")
            {
                hits.push(Hit::new(
                    statement.index,
                    "",
                    "the constraints of a domain cannot be changed without a scan of all tables",
                ));
            }
        }
        hits
    }),
    fires: &[
        "CREATE TABLE fresh (id serial PRIMARY KEY, doc json, code char(3))",
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    ],
    silent: &["CREATE TABLE fresh (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doc jsonb, made timestamptz)"],
};

fn regretted(column: &ColumnDef) -> Option<&'static str> {
    Some(match column.ty.name.as_str() {
        "json" => "jsonb can be compared and indexed",
        "char" | "character" | "bpchar" if !column.ty.array => "text keeps no blanks that nobody wrote",
        "timestamp" | "timestamp without time zone" => "timestamptz is an instant",
        "serial" | "bigserial" | "smallserial" => "an identity column belongs to its table",
        "money" => "numeric does not depend on the locale",
        "int" | "integer" | "int4" | "smallint" | "int2" if column.has(ConstraintKind::Primary) => {
            "bigint does not run out"
        }
        _ => return None,
    })
}

/// Whether an act rewrites the table or reads all of it.
pub(super) fn is_long(at: &At<'_>) -> bool {
    match &at.act.what {
        What::Retype { .. } => PG09.fires_at(at),
        What::AddColumn(column) => computed(column).is_some(),
        What::AddConstraint(found) => !found.not_valid && !found.using_index,
        What::NotNull { required, .. } => *required,
        What::Validate { .. } | What::Update { .. } | What::Delete { .. } | What::CreateIndex(_) => true,
        What::Insert { query, .. } => !query.is_empty(),
        _ => false,
    }
}
