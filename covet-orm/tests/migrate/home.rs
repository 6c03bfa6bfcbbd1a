//! A folder of migrations and a database, both for one test alone.

use std::path::{Path, PathBuf};

use covet_orm::Db;
use covet_orm::drivers::catalog::{Action, Column, ColumnType, ForeignKey, Index, Schema, Table};
use covet_orm::drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::migrate::{Migrator, Project, Standing};
use covet_orm::schema::Decision;
use tempfile::TempDir;

pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) project: Project,
    pub(crate) db: Db,
    /// The server and the database to drop in the end.
    made: Option<(Db, String)>,
}

impl Home {
    /// With a file of SQLite.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("test.db").display());
        let db = Db::connect(&url).await.unwrap();
        Self::with(dir, db, None)
    }

    /// In memory.
    pub(crate) async fn in_memory() -> Self {
        Self::with(tempfile::tempdir().unwrap(), Db::connect("sqlite::memory:").await.unwrap(), None)
    }

    /// With a new database on the server that the variable names; `None`, and loudly, without one.
    #[allow(dead_code)] // used where a server's feature is on
    pub(crate) async fn on(variable: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
            assert!(required.is_empty(), "{variable} is not set, and COVET_TEST_REQUIRE says {required}");
            eprintln!("LEFT OUT: {variable} is not set");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let name = format!(
            "covet_{}",
            dir.path().file_name().unwrap().to_string_lossy().replace(['.', '-'], "").to_lowercase()
        );
        let admin = Db::connect(&url).await.unwrap();
        admin.acquire().await.unwrap().script(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (before, parameters) = url.split_once('?').unwrap_or((&url, ""));
        let (server, _) = before.rsplit_once('/').unwrap();
        let db = Db::connect(&format!("{server}/{name}?{parameters}")).await.unwrap();
        Some(Self::with(dir, db, Some((admin, name))))
    }

    fn with(dir: TempDir, db: Db, made: Option<(Db, String)>) -> Self {
        let project = Project::new(dir.path().join("migrations"), &[db.backend().dialect().name()]).unwrap();
        Home { dir, project, db, made }
    }

    /// Drops the database.
    #[allow(dead_code)] // used where a server's feature is on
    pub(crate) async fn end(self) {
        self.db.close();
        if let Some((server, name)) = &self.made {
            server.acquire().await.unwrap().script(&format!("DROP DATABASE {name}")).await.unwrap();
        }
    }

    pub(crate) fn make(&self, schema: &Schema, decisions: &[&str]) -> PathBuf {
        let decisions: Vec<Decision> = decisions.iter().map(|text| text.parse().unwrap()).collect();
        self.project.draft(schema, None, &decisions).unwrap().unwrap().write().unwrap()
    }

    /// The file that runs.
    pub(crate) fn file(&self, migration: &Path, way: &str) -> PathBuf {
        migration.join(format!("{way}.{}.sql", self.db.backend().dialect().name()))
    }

    pub(crate) fn migrator(&self) -> Migrator {
        Migrator::from_dir(self.dir.path().join("migrations")).unwrap()
    }

    pub(crate) async fn up(&self) -> Vec<String> {
        self.migrator().up(&self.db).await.unwrap().done.into_iter().map(|done| done.name).collect()
    }

    pub(crate) async fn introspected(&self) -> Schema {
        let mut lease = self.db.acquire().await.unwrap();
        let mut schema = self.db.backend().introspect().read(&mut *lease, &[]).await.unwrap();
        schema.sort();
        schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
        schema
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.db.acquire().await.unwrap().script(sql).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut found = -1;
        let mut take = |row: &mut Row<'_>| {
            found = row.get(0, &ColumnType::I64)?;
            Ok(Flow::Stop)
        };
        let command = Command { sql, args: &[], reuse: Reuse::Once };
        self.db.acquire().await.unwrap().run(command, &mut take).await.unwrap();
        found
    }

    pub(crate) async fn standings(&self) -> Vec<Standing> {
        self.migrator().status(&self.db).await.unwrap().into_iter().map(|status| status.standing).collect()
    }
}

pub(crate) fn table(name: &str, columns: Vec<Column>) -> Table {
    let id = Column { auto: true, ..Column::new("id", ColumnType::I64) };
    Table {
        name: name.to_owned(),
        primary_key: vec!["id".to_owned()],
        columns: [vec![id], columns].concat(),
        ..Table::default()
    }
}

pub(crate) fn text(name: &str) -> Column {
    Column::new(name, ColumnType::Text { max_len: Some(40) })
}

pub(crate) fn users(columns: Vec<Column>) -> Table {
    let mut users = table("users", [vec![text("email")], columns].concat());
    users.indexes = vec![Index::new("users_email_key", ["email"], true)];
    users
}

pub(crate) fn posts() -> Table {
    let mut posts = table("posts", vec![Column::new("user_id", ColumnType::I64)]);
    posts.foreign_keys = vec![ForeignKey {
        name: "posts_user_id_fkey".into(),
        columns: vec!["user_id".into()],
        target: "users".into(),
        target_columns: vec!["id".into()],
        on_delete: Action::Cascade,
        on_update: Action::NoAction,
        ..ForeignKey::default()
    }];
    posts
}

pub(crate) fn schema(tables: Vec<Table>) -> Schema {
    let mut schema = Schema::of(tables);
    schema.sort();
    schema
}

pub(crate) fn normal(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
    schema
}
