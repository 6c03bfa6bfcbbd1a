//! Lint: every rule fires where it should and nowhere else, says in its page what it does, and does on the servers
//! what it says.

mod allows;
mod examples;
mod live;
mod locks;
mod made;
mod tool;

use std::path::{Path, PathBuf};

use covet_orm::drivers::catalog::Schema;
use covet_orm::lint::{Finding, lint_last};
use covet_orm::migrate::{Folder, Project, Target};
use covet_orm::schema::Decision;

use crate::notation::schema;

/// The kinds of database, as in files.
const KINDS: [&str; 3] = ["postgres", "mysql", "sqlite"];

/// What the examples of the rules are about.
const FIXTURE: &str = "\
    users{id auto; email text(200) uq; name text(100)?; age i32?; score i32 =0; balance decimal(10,2); bio text?; \
    created datetime; seen timestamp?; role enum(role,reader,editor,owner) ='reader'} \
    posts{id auto; user_id i64 ->users.id; title text(50); slug text(50); body text?; \
    ix:posts_title_slug_idx(title,slug); uq:posts_slug_user_id_key(slug,user_id)} \
    logs{at datetime; line text?; user_id i64? ->users.id; ix:logs_user_idx(user_id)} \
    pairs{a i64; b i64; pk(a,b)}";

/// A folder with a first migration that makes the fixture, and a second one whose scripts a test writes.
struct Bench {
    dir: tempfile::TempDir,
    first: PathBuf,
    second: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        Bench::of(FIXTURE, &format!("{FIXTURE} made_here{{id auto}}"), &[])
    }

    /// The second migration leads from one schema to another.
    fn of(before: &str, after: &str, decisions: &[&str]) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let project = Project::new(dir.path(), &KINDS).unwrap();
        let decisions: Vec<Decision> = decisions.iter().map(|text| text.parse().unwrap()).collect();
        let write = |schema: &Schema, decisions: &[Decision]| {
            project.draft(schema, None, decisions).unwrap().unwrap().write().unwrap()
        };
        let first = write(&schema(before), &[]);
        let second = write(&schema(after), &decisions);
        Bench { dir, first, second }
    }

    /// Writes the way forth of the second migration; a first line `-- earlier: …` is a statement of the first one, and
    /// `-- down: …` the way back.
    fn script(&self, kind: &str, text: &str) {
        let (mut text, mut earlier, mut down) = (text, "", "SELECT 1");
        if let Some(rest) = text.strip_prefix("-- earlier: ") {
            (earlier, text) = rest.split_once('\n').unwrap();
        }
        if let Some(rest) = text.strip_prefix("-- down: ") {
            (down, text) = rest.split_once('\n').unwrap();
        }
        let write = |folder: &Path, way: &str, text: &str| {
            std::fs::write(folder.join(format!("{way}.{kind}.sql")), format!("{text};\n")).unwrap();
        };
        write(&self.first, "up", if earlier.is_empty() { "SELECT 1" } else { earlier });
        write(&self.second, "up", text);
        std::fs::write(self.second.join(format!("down.{kind}.sql")), down).unwrap();
    }

    fn try_lint(&self, kind: &str) -> covet_orm::Result<Vec<Finding>> {
        lint_last(&Folder::read(self.dir.path()).unwrap(), &Target::named(kind).unwrap(), 1)
    }

    fn lint(&self, kind: &str) -> Vec<Finding> {
        self.try_lint(kind).unwrap()
    }
}

/// The rules that count, each once, in the order of their names.
fn ids(findings: &[Finding]) -> Vec<&'static str> {
    let mut ids: Vec<_> = findings.iter().filter(|found| found.allowed.is_none()).map(|found| found.rule).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
