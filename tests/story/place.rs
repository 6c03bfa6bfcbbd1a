//! A database, a folder of migrations, and what is to be known of both; for one test alone.

use std::path::{Path, PathBuf};

use covet_orm::drivers::catalog::{ColumnType, Schema};
use covet_orm::drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::migrate::{Draft, Goal, Migrator, Part, Project, Standing};
use covet_orm::schema::{Decision, Diff, Models, diff};
use covet_orm::{Db, DbOptions, Result};
use covet_tests::{Kind, Url};

use crate::dump::{self, Dump};
use crate::rows::{self, Rows};

pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) db: Db,
    pub(crate) url: Url,
    pub(crate) dir: tempfile::TempDir,
    project: Project,
}

/// All that is known of a schema: as Covet reads it, and as the database itself tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    pub(crate) schema: Schema,
    pub(crate) dump: Option<Dump>,
}

impl Shape {
    /// This is what was wanted, as far as both are told.
    #[track_caller]
    pub(crate) fn is(&self, wanted: &Shape, told: &str) {
        assert_eq!(self.schema, wanted.schema, "{told}");
        if let (Some(found), Some(wanted)) = (&self.dump, &wanted.dump) {
            let differences = dump::differences(found, wanted);
            assert!(differences.is_empty(), "{told}:\n{}", differences.join("\n"));
        }
    }
}

/// In whose words a schema is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Words {
    Covets,
    /// The database's own, too.
    Own,
}

/// What is to be dropped, and where it is listed.
const SQLITE_LISTS: [(&str, &str); 2] = [
    ("VIEW", "SELECT name FROM sqlite_schema WHERE type = 'view'"),
    ("TABLE", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"),
];

const MYSQL_LISTS: [(&str, &str); 3] = [
    ("VIEW", "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()"),
    ("FUNCTION", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()"),
    (
        "TABLE",
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
    ),
];

impl Place {
    /// `None`, and loudly, without the server.
    pub(crate) async fn new(kind: Kind) -> Option<Place> {
        let url = Url::fresh(kind).await?;
        let db = Db::connect_with(&url.url, DbOptions::new().max_connections(2)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let project = Project::new(dir.path().join("migrations"), &[kind.name()]).unwrap();
        Some(Place { kind, db, url, dir, project })
    }

    /// The shape of a new database that is given this schema at once; the place is empty before and after.
    pub(crate) async fn fresh(&self, schema: &Schema) -> Shape {
        let Diff::Changes(changes) = diff(&Schema::default(), schema, &[]).unwrap() else {
            panic!("a new database needs no decision")
        };
        let ddl = self.db.backend().ddl();
        ddl.check(schema).unwrap();
        for step in ddl.plan(&changes, &Schema::default(), schema).unwrap() {
            assert!(!step.guard, "a new database needs no guard: {}", step.sql);
            self.sql(&step.sql).await;
        }
        let shape = self.shape(Words::Own).await;
        self.wipe().await;
        shape
    }

    /// Makes database and folder empty again, which costs less than new ones.
    pub(crate) async fn wipe(&self) {
        let folder = self.migrations();
        if folder.exists() {
            std::fs::remove_dir_all(folder).unwrap();
        }
        match self.kind {
            Kind::Postgres => {
                let mut drops = String::from("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
                for name in schemas(&self.db).await {
                    drops.push_str(&format!("; DROP SCHEMA {} CASCADE", quote("postgres", &name)));
                }
                self.sql(&drops).await;
            }
            Kind::Mysql | Kind::Sqlite => {
                let (lists, off, on) = if self.kind == Kind::Sqlite {
                    (&SQLITE_LISTS[..], "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
                } else {
                    (&MYSQL_LISTS[..], "SET foreign_key_checks = 0", "SET foreign_key_checks = 1")
                };
                let mut drops = String::new();
                for (word, list) in lists {
                    for name in dump::texts(&self.db, list, 0).await {
                        drops.push_str(&format!("DROP {word} {}; ", quote(self.kind.name(), &name)));
                    }
                }
                // One script, because what is switched off is so for one connection.
                self.sql(&format!("{off}; {drops}{on}")).await;
            }
        }
        assert_eq!(self.shape(Words::Covets).await.schema, Schema::default());
    }

    pub(crate) async fn end(self) {
        self.db.close();
        drop(self.db);
        self.url.drop_database().await;
    }

    /// Makes and writes a migration to this schema; `None` when nothing changed.
    pub(crate) fn make(&self, schema: &Schema, decisions: &[&str]) -> Result<Option<PathBuf>> {
        let decisions: Vec<Decision> = decisions.iter().map(|text| text.parse()).collect::<Result<_>>()?;
        self.project.draft(schema, None, &decisions)?.map(|draft| draft.write()).transpose()
    }

    /// As [`make`](Place::make), for models, which may say something about their own past.
    pub(crate) fn make_models(&self, models: &Models, decisions: &[&str]) -> Result<Option<PathBuf>> {
        let decisions: Vec<Decision> = decisions.iter().map(|text| text.parse()).collect::<Result<_>>()?;
        self.project.make(models, None, &decisions)
    }

    /// Makes and writes what leads to this schema while others write, for databases of these kinds: the folders of the
    /// parts, and which part each is.
    pub(crate) fn make_online(
        &self,
        kinds: &[Kind],
        schema: &Schema,
        decisions: &[&str],
    ) -> Result<Vec<(Part, PathBuf)>> {
        let decisions: Vec<Decision> = decisions.iter().map(|text| text.parse()).collect::<Result<_>>()?;
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let drafts =
            Project::new(self.migrations(), &names)?.online(true).drafts(schema, Some("change"), &decisions)?;
        let written = Draft::write_all(&drafts)?;
        Ok(drafts.iter().map(|draft| draft.part().unwrap()).zip(written).collect())
    }

    pub(crate) fn migrations(&self) -> PathBuf {
        self.dir.path().join("migrations")
    }

    pub(crate) fn file(&self, migration: &Path, way: &str) -> PathBuf {
        migration.join(format!("{way}.{}.sql", self.kind.name()))
    }

    pub(crate) fn migrator(&self) -> Migrator {
        Migrator::from_dir(self.migrations()).unwrap()
    }

    /// Applies what is pending, and says how many that were.
    pub(crate) async fn up(&self) -> Result<usize> {
        Ok(self.migrator().up(&self.db).await?.done.len())
    }

    pub(crate) async fn down(&self, goal: Goal<'_>) -> Result<usize> {
        Ok(self.migrator().down(&self.db, goal).await?.done.len())
    }

    pub(crate) async fn standings(&self) -> Vec<Standing> {
        self.migrator().status(&self.db).await.unwrap().into_iter().map(|status| status.standing).collect()
    }

    pub(crate) async fn shape(&self, words: Words) -> Shape {
        shape(&self.db, &self.url, words).await
    }

    pub(crate) async fn rows(&self) -> Rows {
        rows::read(&self.db, &introspected(&self.db).await).await
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    pub(crate) async fn try_sql(&self, sql: &str) -> Result<()> {
        self.db.acquire().await?.script(sql).await
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        number(&self.db, sql).await
    }
}

/// The number that a statement gives.
pub(crate) async fn number(db: &Db, sql: &str) -> i64 {
    let mut found = None;
    let mut take = |row: &mut Row<'_>| {
        found = Some(row.get(0, &ColumnType::I64)?);
        Ok(Flow::Continue)
    };
    let command = Command { sql, args: &[], reuse: Reuse::Once };
    db.acquire().await.unwrap().run(command, &mut take).await.unwrap();
    found.unwrap()
}

/// The schema that the database has; its columns by name, because a column that comes later stands last, and its
/// expressions in one spelling.
pub(crate) async fn introspected(db: &Db) -> Schema {
    let schemas = schemas(db).await;
    let mut lease = db.acquire().await.unwrap();
    by_name(&db.backend().introspect().read(&mut *lease, &schemas).await.unwrap())
}

/// The schemas that were made beside the first of the search path.
async fn schemas(db: &Db) -> Vec<String> {
    if db.backend().dialect().name() != "postgres" {
        return Vec::new();
    }
    let list = "SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' \
                AND nspname NOT IN ('public', 'information_schema') ORDER BY 1";
    dump::texts(db, list, 0).await
}

pub(crate) fn by_name(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.sort();
    schema.expressions(&mut |expression| *expression = expression.plain());
    schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
    schema
}

async fn shape(db: &Db, url: &Url, words: Words) -> Shape {
    let dump = if words == Words::Own { Some(dump::read(db, url).await) } else { None };
    Shape { schema: introspected(db).await, dump }
}

/// A name, quoted as the database wants it.
pub(crate) fn quote(dialect: &str, name: &str) -> String {
    if dialect == "mysql" {
        format!("`{}`", name.replace('`', "``"))
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The id of the migration in this folder.
pub(crate) fn id(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.splitn(3, '_').take(2).collect::<Vec<_>>().join("_")
}

/// Runs a case at a new place.
pub(crate) async fn on(kind: Kind, run: impl AsyncFnOnce(&Place)) {
    let Some(place) = Place::new(kind).await else { return };
    run(&place).await;
    place.end().await;
}

/// Tests of these names, each on every database.
macro_rules! on_each {
    ($($name:ident)*) => {$(
        mod $name {
            use covet_tests::Kind;

            use crate::place::on;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(Kind::Sqlite, async |place| super::$name(place).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(Kind::Postgres, async |place| super::$name(place).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                on(Kind::Mysql, async |place| super::$name(place).await).await;
            }
        }
    )*};
}

pub(crate) use on_each;
