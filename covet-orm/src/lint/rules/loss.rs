//! What is lost.

use covet_drivers::catalog::{Change, ColumnType, EnumType};
use covet_drivers::lint::{At, Check, Hit, Rule, Scene, Severity, What, among, same};

use crate::lint::rules::{dropped_columns, is_part_of_rebuild, rebuilt};
use crate::schema::narrows;

pub(super) const DST01: Rule = Rule {
    id: "DST01",
    severity: Severity::Error,
    title: "a table is dropped",
    trigger: "`DROP TABLE` of a table that was there before, without the decision `drop table t`.",
    effect: "All its rows are gone, and no way back brings them back.",
    safer: "Rename it, see that nobody misses it, drop it later; or decide it when the migration is made.",
    covers: &[],
    check: Check::Act(|at| match &at.act.what {
        What::DropTable { .. }
            if !is_part_of_rebuild(at.scene, at.statement.index, at.act)
                && !at.scene.is_decided(&format!("drop table {}", at.table())) =>
        {
            Some(format!("the table {} goes, with its rows", at.table()))
        }
        _ => None,
    }),
    fires: &["DROP TABLE logs", "DROP TABLE IF EXISTS logs, users"],
    silent: &["CREATE TABLE fresh (id bigint PRIMARY KEY);\nDROP TABLE fresh", "DELETE FROM logs WHERE line IS NULL"],
};

pub(super) const DST02: Rule = Rule {
    id: "DST02",
    severity: Severity::Error,
    title: "a column is dropped",
    trigger: "`DROP COLUMN`, or a rebuild without a column, without the decision `drop column t.c`.",
    effect: "Its values are gone; programs that still select or insert it fail.",
    safer: "Take it out of the programs first, and drop it in a later release; or decide it when the migration is made.",
    covers: &[],
    check: Check::Script(|scene| {
        let dropped = dropped_columns(scene).into_iter();
        dropped
            .filter(|(_, table, column)| !scene.is_decided(&format!("drop column {table}.{column}")))
            .filter(|(_, table, column)| !scene.is_swapped(table, column))
            .map(|(index, table, column)| {
                let message = format!("the column {table}.{column} goes, with its values");
                Hit::new(index, table, message)
            })
            .collect()
    }),
    fires: &["ALTER TABLE users DROP COLUMN age"],
    silent: &[
        "ALTER TABLE users RENAME COLUMN age TO years",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a int);\nALTER TABLE fresh DROP COLUMN a",
    ],
};

pub(super) const DST03: Rule = Rule {
    id: "DST03",
    severity: Severity::Error,
    title: "one goes and its like comes: a rename?",
    trigger: "A column dropped and one of the same type added to the table, or a table dropped and one with the same columns created; undecided.",
    effect: "If a rename was meant, the values are gone.",
    safer: "`RENAME COLUMN`, `RENAME TO`: in Covet `--decide \"rename column t.a to t.b\"`.",
    covers: &[],
    check: Check::Script(look_like_renames),
    fires: &[
        "ALTER TABLE users DROP COLUMN name;\nALTER TABLE users ADD COLUMN full_name varchar(100)",
        "DROP TABLE pairs;\nCREATE TABLE couples (a bigint, b bigint, PRIMARY KEY (a, b))",
    ],
    silent: &[
        "ALTER TABLE users DROP COLUMN age;\nALTER TABLE users ADD COLUMN full_name varchar(100)",
        "DROP TABLE pairs;\nCREATE TABLE notes (id bigint PRIMARY KEY, line text)",
    ],
};

fn look_like_renames(scene: &Scene<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (index, table, column) in dropped_columns(scene) {
        if scene.is_decided(&format!("drop column {table}.{column}")) {
            continue;
        }
        let Some(before) = scene.column(&table, &column) else { continue };
        let added = scene.acts().find_map(|(_, act)| match &act.what {
            What::AddColumn(added) if same(&act.table, &table) && !same(&added.name, &column) => {
                let known = scene.after_column(&table, &added.name).map(|known| known.ty.clone());
                let ty = known.or_else(|| added.ty.column_type());
                (ty.as_ref() == Some(&before.ty)).then(|| added.name.clone())
            }
            _ => None,
        });
        if let Some(added) = added {
            hits.push(Hit::new(
                index,
                &table,
                format!("{table}.{column} goes and {table}.{added} of the same type comes"),
            ));
        }
    }
    for (index, act) in scene.acts() {
        if !matches!(act.what, What::DropTable { .. })
            || is_part_of_rebuild(scene, index, act)
            || scene.is_decided(&format!("drop table {}", act.table))
        {
            continue;
        }
        let Some(before) = scene.table(&act.table) else { continue };
        let alike = scene.acts().find(|(_, other)| match &other.what {
            What::CreateTable(made) => {
                !made.columns.is_empty()
                    && made.columns.len() == before.columns.len()
                    && made
                        .columns
                        .iter()
                        .all(|column| before.columns.iter().any(|known| same(&known.name, &column.name)))
            }
            _ => false,
        });
        if let Some((_, other)) = alike {
            hits.push(Hit::new(
                index,
                &act.table,
                format!("{} goes and {} with the same columns comes", act.table, other.table),
            ));
        }
    }
    hits
}

pub(super) const DST04: Rule = Rule {
    id: "DST04",
    severity: Severity::Error,
    title: "a type that holds less",
    trigger: "A new type that cannot hold every value of the old one, without a guard before it or the decision `narrow t.c`.",
    effect: "Values are cut or rounded, or the migration fails at the first that does not fit.",
    safer: "A `-- covet:guard` that counts what does not fit, which Covet writes on the decision `narrow t.c`; or a new column.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in &statement.read.acts {
                let (column, ty) = match &act.what {
                    What::Retype { column, ty, .. } => (column, ty),
                    What::Redefine { column, def } => (column, &def.ty),
                    _ => continue,
                };
                let before = scene.column(&act.table, column).map(|known| &known.ty);
                let less = match (before, ty.column_type()) {
                    (Some(before), Some(after)) => narrows(before, &after) && !same_to_the_database(before, &after),
                    _ => false,
                };
                if less
                    && !consented(&At { scene, statement, act }, column)
                    && !scene.is_new(&act.table, statement.index)
                {
                    let message = format!("{}.{column} holds less as {}", act.table, ty.name);
                    hits.push(Hit::new(statement.index, &act.table, message));
                }
            }
        }
        for (index, change) in rebuilt(scene) {
            if let Change::AlterColumn { table, before, after, .. } = change
                && narrows(&before.ty, &after.ty)
                && !scene.is_guarded(table, index)
            {
                hits.push(Hit::new(index, table, format!("{table}.{} holds less as {}", after.name, after.ty)));
            }
        }
        hits
    }),
    fires: &[
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(20)",
        "ALTER TABLE users MODIFY COLUMN age smallint NULL",
    ],
    silent: &[
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(300)",
        "-- covet:guard texts are too long\nSELECT count(*) FROM users WHERE char_length(email) > 20;\n\
         ALTER TABLE users ALTER COLUMN email TYPE varchar(20)",
    ],
};

/// An instant and a date and time, bytes and a UUID: some databases store the one as the other.
fn same_to_the_database(before: &ColumnType, after: &ColumnType) -> bool {
    matches!((before, after), (ColumnType::Timestamp, ColumnType::DateTime))
}

fn consented(at: &At<'_>, column: &str) -> bool {
    let decided = at.scene.is_decided(&format!("narrow {}.{column}", at.table()));
    at.is_guarded() || (decided && !at.scene.lacks_guard(at.table()))
}

pub(super) const DST05: Rule = Rule {
    id: "DST05",
    severity: Severity::Error,
    title: "a label of an enum is taken away",
    trigger: "An enum, or a column of one, without a label that it had, and no guard before it.",
    effect: "Rows that hold it become blank, or the migration fails.",
    safer: "Give those rows another label first, and guard against the rest.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in &statement.read.acts {
                let What::Redefine { column, def } = &act.what else { continue };
                let Some(ColumnType::Enum(before)) = scene.column(&act.table, column).map(|known| &known.ty) else {
                    continue;
                };
                let guarded = At { scene, statement, act }.is_guarded();
                if def.ty.name == "enum" && !guarded {
                    hits.extend(lost_label(before, &def.ty.args).map(|label| {
                        Hit::new(
                            statement.index,
                            &act.table,
                            format!("rows of {} may hold '{label}', which goes", act.table),
                        )
                    }));
                }
            }
        }
        for change in scene.changes {
            let Change::AlterEnum { before, after, map } = change else { continue };
            let mapped = map.iter().map(|(from, _)| from.clone());
            let labels: Vec<String> =
                after.labels.iter().map(|label| label.clone().into_owned()).chain(mapped).collect();
            let Some(label) = lost_label(before, &labels) else { continue };
            let tables = scene.before.tables.iter().filter(|table| {
                table.columns.iter().any(|column| column.ty.as_enum().is_some_and(|ty| ty.name == before.name))
            });
            for table in tables {
                let place = scene.place_of(&table.name);
                if !scene.is_guarded(&table.name, usize::MAX) && !hits.iter().any(|hit| same(&hit.table, &table.name)) {
                    hits.push(Hit::new(
                        place,
                        &table.name,
                        format!("rows of {} may hold '{label}', which goes", table.name),
                    ));
                }
            }
        }
        hits
    }),
    fires: &["ALTER TABLE users MODIFY COLUMN role enum('reader','owner') NOT NULL"],
    silent: &[
        "ALTER TABLE users MODIFY COLUMN role enum('reader','editor','owner','guest') NOT NULL",
        "-- covet:guard editors are left\nSELECT count(*) FROM users WHERE role = 'editor';\n\
         ALTER TABLE users MODIFY COLUMN role enum('reader','owner') NOT NULL",
    ],
};

fn lost_label(before: &EnumType, after: &[String]) -> Option<String> {
    before.labels.iter().find(|label| !after.iter().any(|kept| kept == *label)).map(|label| label.clone().into_owned())
}

pub(super) const DST06: Rule = Rule {
    id: "DST06",
    severity: Severity::Warn,
    title: "a constraint is dropped",
    trigger: "A foreign key, check or unique index that goes and does not come back in the script.",
    effect: "From here on rows are accepted that it would have refused.",
    safer: "See that nothing relies on it; say why in the file.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in &scene.statements {
            for act in &statement.read.acts {
                let table = scene.table_of(act);
                if table.is_empty() || !scene.is_new(&table, statement.index) {
                    let name = gone(&At { scene, statement, act });
                    hits.extend(
                        name.map(|name| {
                            Hit::new(statement.index, &table, format!("{name} no longer refuses anything"))
                        }),
                    );
                }
            }
        }
        for (index, change) in rebuilt(scene) {
            let name = match change {
                Change::DropForeignKey { foreign_key, .. } => &foreign_key.name,
                // Its own statement says it, unless its text is part of the table's.
                Change::DropIndex { index, .. }
                    if index.unique && !hits.iter().any(|hit| hit.message.starts_with(&index.name)) =>
                {
                    &index.name
                }
                _ => continue,
            };
            let comes_back = scene.changes.iter().any(
                |change| matches!(change, Change::AddForeignKey { foreign_key, .. } if same(&foreign_key.name, name)),
            );
            if !comes_back && !goes_with_more(scene, name) {
                hits.push(Hit::new(
                    index,
                    change.table().unwrap_or_default(),
                    format!("{name} no longer refuses anything"),
                ));
            }
        }
        hits
    }),
    fires: &["ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey", "DROP INDEX users_email_key"],
    silent: &[
        "DROP INDEX posts_title_slug_idx",
        "CREATE UNIQUE INDEX newer ON users (email);\nDROP INDEX users_email_key",
        "DROP INDEX users_email_key;\nALTER TABLE users DROP COLUMN email",
        "ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey;\n\
         ALTER TABLE posts ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
    ],
};

/// The name of the constraint that goes for good.
fn gone<'a>(at: &At<'a>) -> Option<&'a str> {
    let name = match &at.act.what {
        What::DropConstraint { name, .. } if !name.is_empty() => name,
        What::DropIndex { name, .. } if at.scene.index_on(at.table(), name).is_some_and(|(_, index)| index.unique) => {
            name
        }
        _ => return None,
    };
    let comes_back = at.scene.acts().any(|(index, act)| {
        index >= at.statement.index
            && match &act.what {
                What::AddConstraint(found) => found.name.as_deref().is_some_and(|known| same(known, name)),
                What::CreateIndex(found) => same(&found.name, name),
                _ => false,
            }
    });
    // Another like it was built beside it, and takes its place.
    let replaced = at.scene.index_on(at.table(), name).is_some_and(|(table, old)| {
        at.scene.acts_before(at.statement.index).any(|(_, act)| match &act.what {
            What::CreateIndex(new) => {
                new.unique && !new.partial && same(&act.table, &table.name) && new.columns() == old.column_names()
            }
            _ => false,
        })
    });
    // It made NOT NULL cheap, and has done its work.
    let helped = at
        .scene
        .acts_before(at.statement.index)
        .any(|(_, act)| same(&act.table, at.table()) && matches!(act.what, What::NotNull { required: true, .. }));
    // The checks that Covet puts behind a type go and come with it.
    let of_a_type = at.statement.generated
        && !at.scene.before.tables.iter().any(|table| table.foreign_keys.iter().any(|key| same(&key.name, name)))
        && at.scene.index_on(at.table(), name).is_none();
    (!comes_back && !replaced && !helped && !of_a_type && !goes_with_more(at.scene, name)).then_some(name)
}

/// Whether its table or one of its columns goes too, which says more.
fn goes_with_more(scene: &Scene<'_>, name: &str) -> bool {
    let columns = dropped_columns(scene);
    let gone = |table: &str| {
        scene.acts().any(|(index, act)| {
            same(&act.table, table)
                && matches!(act.what, What::DropTable { .. })
                && !is_part_of_rebuild(scene, index, act)
        })
    };
    scene.before.tables.iter().any(|table| {
        let keys = table.foreign_keys.iter().map(|key| (&key.name, key.columns.clone()));
        let indexes = table.indexes.iter().map(|index| (&index.name, index.column_names()));
        keys.chain(indexes).filter(|(known, _)| same(known, name)).any(|(_, own)| {
            gone(&table.name)
                || columns.iter().any(|(_, other, column)| same(other, &table.name) && among(&own, column))
        })
    })
}

pub(super) const DST07: Rule = Rule {
    id: "DST07",
    severity: Severity::Error,
    title: "CASCADE takes what nobody named",
    trigger: "`CASCADE` in a `DROP` or `TRUNCATE`.",
    effect: "Whatever stands on it goes too: constraints, views, columns; with `TRUNCATE` the rows of other tables.",
    safer: "Drop by name what is to go, in the order in which it must.",
    covers: &[],
    check: Check::Any(|at| {
        let cascade = match &at.act.what {
            What::DropTable { cascade }
            | What::Truncate { cascade }
            | What::DropColumn { cascade, .. }
            | What::DropConstraint { cascade, .. }
            | What::DropType { cascade, .. }
            | What::DropView { cascade, .. } => *cascade,
            What::DropCascade => true,
            _ => false,
        };
        cascade.then(|| String::from("CASCADE also drops what stands on it"))
    }),
    fires: &[
        "DROP TABLE logs CASCADE",
        "TRUNCATE users CASCADE",
        "ALTER TABLE users DROP COLUMN age CASCADE",
        "DROP SCHEMA old CASCADE",
    ],
    silent: &[
        "DROP TABLE logs",
        "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id) ON DELETE CASCADE",
    ],
};

pub(super) const DST08: Rule = Rule {
    id: "DST08",
    severity: Severity::Error,
    title: "a plain column becomes generated",
    trigger: "A column that is defined anew as stored generated, or dropped and added as generated.",
    effect: "Its values are replaced by computed ones.",
    safer: "A new column beside it.",
    covers: &[],
    check: Check::Act(|at| {
        let column = match &at.act.what {
            What::Redefine { column, def } if def.generated.is_some() => column,
            What::AddColumn(def) if def.generated.is_some() => {
                let dropped = dropped_columns(at.scene);
                let names: Vec<String> = dropped
                    .into_iter()
                    .filter(|(_, table, _)| same(table, at.table()))
                    .map(|(_, _, column)| column)
                    .collect();
                return among(&names, &def.name)
                    .then(|| format!("the values of {}.{} are replaced", at.table(), def.name));
            }
            _ => return None,
        };
        at.scene.column(at.table(), column).map(|_| format!("the values of {}.{column} are replaced", at.table()))
    }),
    fires: &[
        "ALTER TABLE users MODIFY COLUMN score int GENERATED ALWAYS AS (age + 1) STORED",
        "ALTER TABLE users DROP COLUMN score;\nALTER TABLE users ADD COLUMN score int GENERATED ALWAYS AS (age + 1)",
    ],
    silent: &["ALTER TABLE users ADD COLUMN next int GENERATED ALWAYS AS (age + 1) STORED"],
};

pub(super) const DST09: Rule = Rule {
    id: "DST09",
    severity: Severity::Error,
    title: "all rows of a table are changed or deleted",
    trigger: "`UPDATE` or `DELETE` without `WHERE`, or `TRUNCATE`, on a table that was there before.",
    effect: "No row is spared, and no way back brings the values back.",
    safer: "Say which rows are meant. An `UPDATE` that only fills a column of the same script is no finding.",
    covers: &[],
    check: Check::Act(|at| match &at.act.what {
        What::Delete { filtered: false } => Some(format!("every row of {} is deleted", at.table())),
        What::Truncate { .. } => Some(format!("every row of {} goes", at.table())),
        What::Update { columns, filtered: false } => {
            let fills = columns.iter().all(|column| at.scene.is_new_column(at.table(), column, at.statement.index));
            (!fills).then(|| format!("every row of {} is changed", at.table()))
        }
        _ => None,
    }),
    fires: &["DELETE FROM logs", "UPDATE users SET age = 0", "TRUNCATE TABLE logs"],
    silent: &[
        "DELETE FROM logs WHERE line IS NULL",
        "ALTER TABLE users ADD COLUMN a int;\nUPDATE users SET a = 1",
        "CREATE TABLE fresh (id bigint PRIMARY KEY);\nDELETE FROM fresh",
    ],
};
