//! Three hundred models that refer to each other in rings and at random, and functions that spawn what they do.
//!
//! Small models never meet what large programs do: rustc walks the graph of types for drop checks and for
//! `Send`, and gives up at a depth of 128. So a program of many models is written and checked.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use covet_tests::chance::Chance;
use covet_tests::program::{without_cargo, workspace};

const MODELS: usize = 300;
const SEED: u64 = 0x00c0_7e7d;

#[test]
fn three_hundred_models_that_refer_to_each_other_compile_and_spawn() {
    let target = target();
    let folder = target.join("graph");
    write(&folder.join("Cargo.toml"), &manifest());
    write(&folder.join("src/lib.rs"), &program(MODELS, &mut Chance(SEED)));
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut check = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargo(&mut check);
    check.args(["check", "--quiet", "--offline"]).current_dir(&folder).env("CARGO_TARGET_DIR", &target);
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The target folder that this test was built into.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

/// Without a database, so that few dependencies are to be checked.
fn manifest() -> String {
    format!(
        "[package]\nname = \"graph\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         covet-orm = {{ path = {:?}, default-features = false }}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n",
        workspace().canonicalize().unwrap().join("covet-orm"),
    )
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Model `n` belongs to the next one of the ring and, perhaps, to one at random; it has those back that belong
/// to it by the ring, and is linked by the model before it with whatever that one points at.
fn program(models: usize, chance: &mut Chance) -> String {
    let others: Vec<usize> = (0..models).map(|_| chance.below(models)).collect();
    let mut text = String::from("use covet_orm::prelude::*;\nuse covet_orm::Result;\nuse tokio::task::JoinHandle;\n");
    for n in 0..models {
        let (next, before) = ((n + 1) % models, (n + models - 1) % models);
        let (other, linked) = (others[n], others[before]);
        write!(
            text,
            r#"
#[derive(Model, Clone, Debug, PartialEq)]
pub struct M{n} {{
    #[covet(key)]
    pub id: i64,
    pub name: String,
    #[covet(references = M{next}, on_delete = cascade)]
    pub next_id: i64,
    #[covet(references = M{other}, on_delete = set_null)]
    pub other_id: Option<i64>,
    pub next: BelongsTo<M{next}>,
    pub other: BelongsTo<Option<M{other}>>,
    #[covet(by = next_id)]
    pub before: HasMany<M{before}>,
    #[covet(by = next_id, to = other_id)]
    pub linked: ManyToMany<M{linked}, M{before}>,
}}

pub fn spawn_{n}(db: &Db) -> JoinHandle<Result<M{n}>> {{
    let db = db.clone();
    tokio::spawn(async move {{
        let found = M{n}::query()
            .filter(M{n}::next.at(M{next}::name).eq("a") & M{n}::before.any(M{before}::other_id.is_null()))
            .include(M{n}::next)
            .include(M{n}::other)
            .include(M{n}::before)
            .include(M{n}::linked)
            .all(&db)
            .await?;
        db.transaction(async |tx| {{
            let mut made = M{n}::create().name("b").next_id(found.len() as i64).exec(tx).await?;
            M{n}::insert_many([M{n}::create().name("c").next_id(made.id)]).exec(tx).await?;
            M{n}::next.load(&mut made, tx).await?;
            made.name.push_str(&made.next.get()?.name);
            made.save(tx).await?;
            Ok(made)
        }})
        .await
    }})
}}
"#
        )
        .unwrap();
    }
    text
}
