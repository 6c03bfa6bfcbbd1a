//! What the tool lets the user's program do, and what the program tells it beside its schema.

use covet_orm::Db;
use covet_tests::{Kind, Url};

use crate::cargo_covet::{Shop, counts};

const STEPPER: &str = r#"
//! Names that become one.
use covet_orm::migrate::Data;
use covet_orm::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[covet(key)]
    id: i64,
    first: String,
    last: String,
}

async fn full_names(mut data: Data<'_>) -> covet_orm::Result<()> {
    for (id, first, last) in data.rows::<(i64, String, String)>("SELECT id, first, last FROM users", ()).await? {
        let full = format!("{first} {last}");
        data.execute("UPDATE users SET full_name = $1 WHERE id = $2", (full, id)).await?;
    }
    Ok(())
}
covet_orm::data_step!(full_names);

#[tokio::main]
async fn main() {
    covet_orm::tool!();
    println!("names are kept");
}
"#;

/// The tool has no step of the user's, and lets the program run it, whose models and functions it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x19_a_step_in_rust_is_run_by_the_program() {
    let shop = Shop::new("stepper", "\"postgres\", \"mysql\", \"sqlite\"", STEPPER);
    let toml = "databases = [\"postgres\", \"mysql\", \"sqlite\"]\nmigrations = \"migrations\"\n";
    shop.write("covet.toml", toml);
    shop.run(&["migrate", "make"]).is(0, &["made"]);
    // What a model says of its own past reaches the tool, and what it says wrongly is told.
    let fields = "    #[covet(renamed_from = \"last\")]\n    family: String,\n    full_name: Option<String>,";
    let program = STEPPER.replace("    last: String,", fields).replace("first, last FROM", "first, family FROM");
    shop.write("src/main.rs", &program.replace("= \"last\"", "= \"lost\""));
    let nothing = "`renamed_from` of User.family names what the last migration does not have";
    shop.run(&["migrate", "make", "full"]).is(3, &[nothing, "rename column users.last to users.family"]);
    shop.write("src/main.rs", &program);
    shop.run(&["migrate", "make", "full"]).is(0, &["made", "rename column users.last to family"]);
    shop.run(&["migrate", "make"]).is(0, &["there is nothing to migrate"]);
    let second = shop.migrations().remove(1);
    for kind in Kind::ALL {
        let file = second.join(format!("up.{}.sql", kind.name()));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n-- covet:rust full_names\n")).unwrap();
    }
    for kind in Kind::ALL {
        let Some(url) = Url::fresh(kind).await else { continue };
        let with = |args: &[&str]| shop.run(&[args, &["--url", &url.url]].concat());
        with(&["db", "create"]).is(0, &[]);
        with(&["migrate", "up", "-n", "1"]).is(0, &["applied"]);
        let db = Db::connect(&url.url).await.unwrap();
        let rows = "INSERT INTO users (first, last) VALUES ('Ada', 'Lovelace'), ('Alan', 'O''Turing')";
        db.acquire().await.unwrap().script(rows).await.unwrap();
        db.close();
        with(&["migrate", "up", "--dry-run"]).is(0, &["-- covet:rust full_names"]);
        with(&["migrate", "up"]).is(0, &["a step is written in Rust", "applied", "_full"]);
        let named = "users WHERE full_name IN ('Ada Lovelace', 'Alan O''Turing')";
        assert_eq!(counts(&url, &[named]).await, [2]);
        with(&["migrate", "status"]).is(0, &["applied"]);
        with(&["migrate", "up"]).is(0, &["nothing to apply"]);
        shop.run(&["migrate", "sql", "..", "--for", kind.name()]).is(1, &["has a step in Rust, `full_names`"]);
        // A step that the program does not know either is refused before anything is run.
        with(&["migrate", "down", "--yes"]).is(0, &["undone", "_full"]);
        let file = second.join(format!("up.{}.sql", kind.name()));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("rust full_names", "rust fullnames")).unwrap();
        with(&["migrate", "up"]).is(1, &["the step `fullnames` is written in Rust", "data_step!(fullnames)"]);
        std::fs::write(&file, text).unwrap();
        with(&["migrate", "status"]).is(0, &["pending"]);
        url.drop_database().await;
    }
    let done = "`renamed_from` of User.family has done its work";
    shop.run(&["migrate", "check"]).is(0, &["not run, because the step `full_names` in Rust", done]);
}
