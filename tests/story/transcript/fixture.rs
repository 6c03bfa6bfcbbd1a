//! The migrations that the transcripts work with: checked in, so that no transcript has to build a program.

use std::path::PathBuf;

use covet_orm::migrate::{Folder, Project};
use covet_orm::schema::{Models, schema_of};
use covet_tests::Kind;

use crate::tool::workspace;
use crate::transcript::blesses;

mod first {
    use covet_orm::prelude::*;

    #[derive(Model, Debug)]
    #[covet(table = "users")]
    pub(super) struct User {
        #[covet(key)]
        id: i64,
        #[covet(unique, max_len = 200)]
        email: String,
    }
}

mod second {
    use covet_orm::prelude::*;

    #[derive(Model, Debug)]
    #[covet(table = "users")]
    pub(super) struct User {
        #[covet(key)]
        id: i64,
        #[covet(unique, max_len = 200)]
        email: String,
        age: Option<i32>,
    }

    #[derive(Model, Debug)]
    #[covet(table = "posts")]
    pub(super) struct Post {
        #[covet(key)]
        id: i64,
        #[covet(references = User, on_delete = cascade, index)]
        user_id: i64,
        text: String,
    }
}

fn folder() -> PathBuf {
    workspace().join("tests/story/fixtures/shop/migrations")
}

/// The files are those that are made today, ids aside; `COVET_BLESS=1` makes them.
pub(super) fn is_what_the_models_say() {
    let revisions: [(&str, Models); 2] =
        [("initial", covet_orm::models![first::User]), ("posts", covet_orm::models![second::User, second::Post])];
    let kinds = Kind::ALL.map(Kind::name);
    let today = tempfile::tempdir().unwrap();
    for (name, models) in &revisions {
        let project = Project::new(today.path(), &kinds).unwrap();
        project.draft(&schema_of(models).unwrap(), Some(name), &[]).unwrap().unwrap().write().unwrap();
    }
    let texts = |path: PathBuf| -> Option<Vec<String>> {
        let folder = Folder::read(&path).ok()?;
        let mut texts = Vec::new();
        for migration in folder.migrations() {
            let mut files: Vec<_> =
                std::fs::read_dir(migration.path()).unwrap().map(|file| file.unwrap().path()).collect();
            files.sort();
            for file in files {
                let mut text = std::fs::read_to_string(&file).unwrap();
                for other in folder.migrations() {
                    text = text.replace(other.id(), "[ID]");
                }
                // Of a text that holds an id.
                let mut sums = text.split("sha256:");
                let first = sums.next().unwrap_or_default().to_owned();
                text = sums.fold(first, |text, rest| text + "[SUM]" + rest.get(64..).unwrap_or_default());
                texts.push(format!("{}\n{text}", file.file_name().unwrap().display()));
            }
        }
        Some(texts)
    };
    let (there, wanted) = (texts(folder()), texts(today.path().to_owned()));
    if there != wanted && blesses() {
        if folder().exists() {
            std::fs::remove_dir_all(folder()).unwrap();
        }
        super::copy(today.path(), &folder());
        return;
    }
    assert_eq!(there, wanted, "COVET_BLESS=1 writes tests/story/fixtures/shop/migrations anew");
}
