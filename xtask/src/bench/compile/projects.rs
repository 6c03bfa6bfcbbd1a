//! The projects whose compilation is measured: a template a model, in twenty modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::process::{capture, workspace};

/// How many modules the models of a project are spread over.
const MODULES: usize = 20;

/// How many models refer to each other in a ring. With one ring of all models SeaORM does not compile: rustc's walk
/// over the types overflows.
const RING: usize = 10;

/// A kind of project.
pub(super) struct Kind {
    /// The word for it on the command line.
    pub(super) name: &'static str,
    /// The words for it in the table.
    pub(super) title: &'static str,
    /// What stands in the file of a module for each model of it.
    templates: &'static [&'static str],
    /// What stands at its top.
    imports: &'static str,
    /// How another model is named, its number being `#` and its module's `@`.
    other: &'static str,
    /// The dependencies; `$` is the workspace.
    dependencies: &'static str,
}

const SERDE: &str = "serde = { version = \"1\", features = [\"derive\"] }\n";
const COVET: &str = "covet-orm = { path = \"$/covet-orm\", default-features = false }\n";
const SEA_ORM: &str = "sea-orm = { version = \"2\", default-features = false, features = [\"macros\"] }\n";

/// All kinds.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "plain",
        title: "plain structs (Clone, Debug)",
        templates: &[include_str!("../../../../benches/compile/plain.rs")],
        imports: "",
        other: "",
        dependencies: "",
    },
    Kind {
        name: "serde",
        title: "serde, both derives",
        templates: &[include_str!("../../../../benches/compile/serde.rs")],
        imports: "",
        other: "",
        dependencies: SERDE,
    },
    Kind {
        name: "covet",
        title: "Covet, derive",
        templates: &[include_str!("../../../../benches/compile/covet.rs")],
        imports: "use covet_orm::prelude::*;\n",
        other: "crate::m@::M#",
        dependencies: COVET,
    },
    Kind {
        name: "covet-used",
        title: "Covet, derive, a query, an insert",
        templates: &[
            include_str!("../../../../benches/compile/covet.rs"),
            include_str!("../../../../benches/compile/covet_used.rs"),
        ],
        imports: "use covet_orm::prelude::*;\n",
        other: "crate::m@::M#",
        dependencies: COVET,
    },
    Kind {
        name: "sea-orm",
        title: "SeaORM 2, entities",
        templates: &[include_str!("../../../../benches/compile/sea_orm.rs")],
        imports: "",
        other: "crate::m@::m#::Entity",
        dependencies: SEA_ORM,
    },
];

/// A project that was written and whose dependencies are checked.
pub(super) struct Project {
    name: String,
    folder: PathBuf,
    module: String,
}

impl Project {
    /// Writes the project and checks it once, with everything that it depends on.
    pub(super) fn write(kind: &Kind, models: usize) -> Outcome<Self> {
        let name = format!("bench-{}-{models}", kind.name);
        let folder = root().join(&name);
        let modules: Vec<String> = (0..MODULES).map(|module| text_of(kind, models, module)).collect();
        put(&folder.join("Cargo.toml"), &manifest(kind, &name))?;
        let root = (0..MODULES).map(|module| format!("pub mod m{module};\n")).collect::<String>();
        put(&folder.join("src/lib.rs"), &root)?;
        for (module, text) in modules.iter().enumerate() {
            put(&folder.join(format!("src/m{module}.rs")), text)?;
        }
        // The workspace's lock keeps dependencies at the versions that everything else is built with.
        if kind.dependencies.contains('$') || kind.dependencies == SERDE {
            let lock = workspace().join("Cargo.lock");
            fs::copy(&lock, folder.join("Cargo.lock")).map_err(|error| format!("{}: {error}", lock.display()))?;
        }
        let project = Project { name, folder, module: modules.first().cloned().unwrap_or_default() };
        eprintln!("checking {} and its dependencies", project.name);
        capture(project.cargo().arg("check"))?;
        Ok(project)
    }

    /// A cargo for this project; the target folder is the same for all.
    pub(super) fn cargo(&self) -> Command {
        let mut command = crate::process::cargo();
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", root().join("target")).env("CARGO_INCREMENTAL", "1");
        command.env_remove("RUSTFLAGS");
        command
    }

    /// Makes cargo and rustc forget what they know of the project itself.
    pub(super) fn forget(&self) -> Outcome {
        capture(self.cargo().args(["clean", "--quiet", "--package", &self.name])).map(drop)?;
        put(&self.folder.join("src/m0.rs"), &self.module)
    }

    /// Adds a comment to one module.
    pub(super) fn touch(&self, round: usize) -> Outcome {
        put(&self.folder.join("src/m0.rs"), &format!("// round {round}\n{}", self.module))
    }
}

/// Where everything of this benchmark lies.
pub(super) fn root() -> PathBuf {
    workspace().join("target/bench/compile")
}

fn manifest(kind: &Kind, name: &str) -> String {
    let dependencies = kind.dependencies.replace('$', &workspace().display().to_string());
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n[workspace]\n"
    )
}

/// The file of a module: every twentieth model. A model belongs to the next one of its ring.
fn text_of(kind: &Kind, models: usize, module: usize) -> String {
    let mut text = String::from(kind.imports);
    let other = |model: usize| kind.other.replace('@', &(model % MODULES).to_string()).replace('#', &model.to_string());
    for model in (module..models).step_by(MODULES) {
        let first = model - model % RING;
        let owner = first + (model + 1 - first) % RING;
        let owned = first + (model + RING - 1 - first) % RING;
        for template in kind.templates {
            let filled = template
                .replace("__N__", &model.to_string())
                .replace("__OWNER__", &other(owner))
                .replace("__OWNED__", &other(owned));
            text.push('\n');
            text.push_str(&filled);
        }
    }
    text
}

fn put(path: &Path, text: &str) -> Outcome {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
