//! Tables made again: what is lost on the way.
//!
//! Covet's own rebuild is checked against every one of these by its tests, so they look at what was written or
//! edited by hand.

use crate::lint::{
    Check, Dependent, Hit, Rebuild, Rule, Scene, Severity, Token, What, among, mentions, mentions_table, same,
};

/// Rebuilds that Covet did not write.
fn by_hand<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = &'a Rebuild> {
    scene.rebuilds.iter().filter(|rebuild| {
        let parts = [rebuild.create, rebuild.fill, rebuild.drop, rebuild.rename];
        parts.iter().any(|at| !scene.statements.get(*at).is_some_and(|statement| statement.generated))
    })
}

pub(super) const SL02: Rule = Rule {
    id: "SL02",
    severity: Severity::Error,
    title: "the old table is renamed during a rebuild",
    trigger: "A table renamed away, made anew under its name, filled from the old one, which is then dropped.",
    effect: "Foreign keys, triggers and views of other tables follow the rename, and name a table that is gone. With `legacy_alter_table` on and foreign keys off, as in a migration that Covet runs, they do not; run by hand the same file breaks them.",
    safer: "Create the new one under another name, copy, drop the old one, rename the new one.",
    covers: &["BRK01"],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for (index, act) in scene.acts() {
            let What::RenameTable { to } = &act.what else { continue };
            let made = scene
                .acts_after(index)
                .any(|(_, other)| same(&other.table, &act.table) && matches!(other.what, What::CreateTable(_)));
            let dropped = scene
                .acts_after(index)
                .any(|(_, other)| same(&other.table, to) && matches!(other.what, What::DropTable { .. }));
            if made && dropped {
                hits.push(Hit::new(
                    index,
                    &act.table,
                    format!("what points at {} follows it to {to}, which is then dropped", act.table),
                ));
            }
        }
        hits
    }),
    fires: &["ALTER TABLE users RENAME TO users_old;\nCREATE TABLE users (id integer PRIMARY KEY, age text) STRICT;\n\
         INSERT INTO users (id, age) SELECT id, age FROM users_old;\nDROP TABLE users_old"],
    silent: &["CREATE TABLE users_new (id integer PRIMARY KEY, age text) STRICT;\n\
         INSERT INTO users_new (id, age) SELECT id, age FROM users;\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users"],
};

pub(super) const SL03: Rule = Rule {
    id: "SL03",
    severity: Severity::Error,
    title: "a rebuild under a view or another table's trigger",
    trigger: "A rebuild with `legacy_alter_table` off or in a statement that stands alone, and a view or trigger of an earlier migration that names the table.",
    effect: "`RENAME` reads all views and triggers, finds the table missing, and fails.",
    safer: "Leave pragma and `-- covet:alone` out: in a migration Covet has `legacy_alter_table` on.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for rebuild in by_hand(scene) {
            let modern = scene.acts_before(rebuild.rename).filter_map(|(_, act)| match &act.what {
                What::Set { name, value } if name == "legacy_alter_table" => Some(value == "off" || value == "0"),
                _ => None,
            });
            let alone = scene.statements.get(rebuild.rename).is_some_and(|statement| statement.alone);
            let reads =
                |known: &&Dependent| !same(&known.table, &rebuild.table) && mentions_table(&known.body, &rebuild.table);
            if let Some(known) = scene.earlier.iter().find(reads)
                && (alone || modern.last().unwrap_or(false))
            {
                let message =
                    format!("{} names {}, which is missing when the new table is renamed", known.name, rebuild.table);
                hits.push(Hit::new(rebuild.rename, &rebuild.table, message));
            }
        }
        hits
    }),
    fires: &["-- earlier: CREATE VIEW adults AS SELECT id FROM users WHERE age > 17\n\
         CREATE TABLE users_new (id integer PRIMARY KEY, age integer) STRICT;\n\
         INSERT INTO users_new (id, age) SELECT id, age FROM users;\nDROP TABLE users;\n\
         PRAGMA legacy_alter_table = OFF;\nALTER TABLE users_new RENAME TO users"],
    silent: &["-- earlier: CREATE VIEW adults AS SELECT id FROM users WHERE age > 17\n\
         CREATE TABLE users_new (id integer PRIMARY KEY, age integer) STRICT;\n\
         INSERT INTO users_new (id, age) SELECT id, age FROM users;\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users"],
};

pub(super) const SL04: Rule = Rule {
    id: "SL04",
    severity: Severity::Error,
    title: "a rebuild that loses indexes or triggers",
    trigger: "A rebuild written by hand, after which an index of the table, or a trigger of an earlier migration, is not made again.",
    effect: "`DROP TABLE` takes them along, without a word.",
    safer: "Make each again behind the rename, from its text in `sqlite_schema`. Covet's own rebuild does.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for rebuild in by_hand(scene) {
            let made = |name: &str| {
                scene.acts_after(rebuild.create).any(|(_, act)| match &act.what {
                    What::CreateIndex(index) => same(&index.name, name),
                    What::CreateTrigger { name: trigger, .. } => same(trigger, name),
                    _ => false,
                })
            };
            let dropped = |name: &str| {
                scene.acts().any(|(_, act)| match &act.what {
                    What::DropIndex { name: gone, .. } | What::DropTrigger { name: gone } => same(gone, name),
                    _ => false,
                })
            };
            let indexes =
                scene.table(&rebuild.table).into_iter().flat_map(|table| &table.indexes).map(|index| &index.name);
            let triggers =
                scene.earlier.iter().filter(|known| same(&known.table, &rebuild.table)).map(|known| &known.name);
            let lost: Vec<&str> =
                indexes.chain(triggers).map(String::as_str).filter(|name| !made(name) && !dropped(name)).collect();
            if !lost.is_empty() {
                hits.push(Hit::new(
                    rebuild.drop,
                    &rebuild.table,
                    format!("{} goes with the old table", lost.join(", ")),
                ));
            }
        }
        hits
    }),
    fires: &[
        "CREATE TABLE users_new (id integer PRIMARY KEY, email text) STRICT;\n\
         INSERT INTO users_new (id, email) SELECT id, email FROM users;\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users",
        "-- earlier: CREATE TRIGGER watch AFTER INSERT ON pairs BEGIN SELECT 1; END\n\
         CREATE TABLE pairs_new (a integer, b integer, PRIMARY KEY (a, b)) STRICT;\n\
         INSERT INTO pairs_new (a, b) SELECT a, b FROM pairs;\nDROP TABLE pairs;\nALTER TABLE pairs_new RENAME TO pairs",
    ],
    silent: &["CREATE TABLE users_new (id integer PRIMARY KEY, email text) STRICT;\n\
         INSERT INTO users_new (id, email) SELECT id, email FROM users;\nDROP TABLE users;\n\
         ALTER TABLE users_new RENAME TO users;\nCREATE UNIQUE INDEX users_email_key ON users (email)"],
};

pub(super) const SL05: Rule = Rule {
    id: "SL05",
    severity: Severity::Error,
    title: "INSERT … SELECT *",
    trigger: "Rows copied by `SELECT *`.",
    effect: "Columns are matched by place: one that was added later, or a generated one, shifts all others, without a word.",
    safer: "Name the columns on both sides.",
    covers: &[],
    check: Check::Any(|at| match &at.act.what {
        What::Insert { query, .. } if selects_all(query) => {
            Some(format!("values get into {} by the place of their columns", at.table()))
        }
        _ => None,
    }),
    fires: &["CREATE TABLE copy (id integer PRIMARY KEY, n text) STRICT;\nINSERT INTO copy SELECT * FROM users"],
    silent: &[
        "CREATE TABLE copy (id integer PRIMARY KEY, n text) STRICT;\nINSERT INTO copy (id, n) SELECT id, name FROM users",
    ],
};

fn selects_all(query: &[Token]) -> bool {
    query.windows(2).any(|pair| match pair {
        [a, b] => b.is_symbol('*') && (a.is("select") || a.is_symbol('.') || a.is_any(&["all", "distinct"])),
        _ => false,
    })
}

pub(super) const SL06: Rule = Rule {
    id: "SL06",
    severity: Severity::Warn,
    title: "a rebuild that forgets the last number",
    trigger: "A rebuild written by hand of a table with AUTOINCREMENT that does not touch `sqlite_sequence`.",
    effect: "Numbers of rows that were deleted at the end are given again.",
    safer: "Carry the row of `sqlite_sequence` over. Covet's own rebuild does.",
    covers: &[],
    check: Check::Script(|scene| {
        let carried = scene.statements.iter().any(|statement| mentions(&statement.read.tokens, "sqlite_sequence"));
        let mut hits = Vec::new();
        for rebuild in by_hand(scene).filter(|_| !carried) {
            let auto = scene.acts().any(|(_, act)| {
                same(&act.table, &rebuild.under)
                    && matches!(&act.what, What::CreateTable(table) if table.columns.iter().any(|column| column.auto))
            });
            if auto {
                hits.push(Hit::new(rebuild.create, &rebuild.table, "numbers that were used are given again"));
            }
        }
        hits
    }),
    fires: &["CREATE TABLE pairs_new (a integer PRIMARY KEY AUTOINCREMENT, b integer) STRICT;\n\
         INSERT INTO pairs_new (a, b) SELECT a, b FROM pairs;\nDROP TABLE pairs;\nALTER TABLE pairs_new RENAME TO pairs"],
    silent: &[
        "CREATE TABLE pairs_new (a integer PRIMARY KEY, b integer) STRICT;\n\
         INSERT INTO pairs_new (a, b) SELECT a, b FROM pairs;\nDROP TABLE pairs;\nALTER TABLE pairs_new RENAME TO pairs",
        "CREATE TABLE pairs_new (a integer PRIMARY KEY AUTOINCREMENT, b integer) STRICT;\n\
         INSERT INTO pairs_new (a, b) SELECT a, b FROM pairs;\n\
         INSERT INTO sqlite_sequence (name, seq) SELECT 'pairs_new', seq FROM sqlite_sequence WHERE name = 'pairs';\n\
         DROP TABLE pairs;\nALTER TABLE pairs_new RENAME TO pairs",
    ],
};

pub(super) const SL07: Rule = Rule {
    id: "SL07",
    severity: Severity::Error,
    title: "a cast that makes a number of anything",
    trigger: "`CAST(… AS INTEGER)` or another numeric type in SQL that writes rows, without a guard before it.",
    effect: "`CAST('abc' AS INTEGER)` is 0: no error, another value.",
    safer: "A `-- covet:guard` that counts what is no number, and a STRICT table.",
    covers: &[],
    check: Check::Any(|at| {
        let writes = matches!(at.act.what, What::Insert { .. } | What::Update { .. });
        let casts = || {
            at.statement.read.tokens.windows(2).any(|pair| match pair {
                [a, b] => {
                    a.is("as")
                        && b.is_any(&["integer", "int", "bigint", "real", "numeric", "double", "float", "decimal"])
                }
                _ => false,
            }) && mentions(&at.statement.read.tokens, "cast")
        };
        let guards = at.scene.statements.iter().take(at.statement.index).any(|statement| statement.guard);
        let guarded = at.is_guarded() || (guards && at.scene.missing_guards.is_empty());
        (writes && !guarded && casts()).then(|| String::from("what is no number becomes 0"))
    }),
    fires: &["UPDATE users SET age = CAST(bio AS INTEGER) WHERE age IS NULL"],
    silent: &[
        "-- covet:guard bios that are no number\nSELECT count(*) FROM users WHERE bio GLOB '*[^0-9]*';\n\
         UPDATE users SET age = CAST(bio AS INTEGER) WHERE age IS NULL",
        "UPDATE users SET bio = CAST(age AS TEXT) WHERE bio IS NULL",
    ],
};

pub(super) const SL14: Rule = Rule {
    id: "SL14",
    severity: Severity::Warn,
    title: "a rebuild of a table without a primary key",
    trigger: "A rebuild of a table that has no primary key.",
    effect: "Every row gets another rowid; whoever kept one finds another row.",
    safer: "Give the table a primary key.",
    covers: &[],
    check: Check::Script(|scene| {
        let keyless = scene.rebuilds.iter().filter(|rebuild| {
            scene.known(&rebuild.table).is_some_and(|table| table.primary_key.is_empty())
                && !copies_rowid(scene, rebuild)
        });
        keyless.map(|rebuild| Hit::new(rebuild.create, &rebuild.table, "its rows get other rowids")).collect()
    }),
    fires: &[
        "CREATE TABLE logs_new (at text, line text) STRICT;\nINSERT INTO logs_new (at, line) SELECT at, line FROM logs;\n\
         DROP TABLE logs;\nALTER TABLE logs_new RENAME TO logs;\nCREATE INDEX logs_user_idx ON logs (at)",
    ],
    silent: &["CREATE TABLE pairs_new (a integer, b integer, PRIMARY KEY (a, b)) STRICT;\n\
         INSERT INTO pairs_new (a, b) SELECT a, b FROM pairs;\nDROP TABLE pairs;\nALTER TABLE pairs_new RENAME TO pairs"],
};

fn copies_rowid(scene: &Scene<'_>, rebuild: &Rebuild) -> bool {
    scene.acts().any(|(index, act)| {
        index == rebuild.fill && matches!(&act.what, What::Insert { columns, .. } if among(columns, "rowid"))
    })
}
