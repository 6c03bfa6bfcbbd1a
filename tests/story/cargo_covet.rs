//! `cargo covet`, from `init` to the last way back, as a user meets it.

use std::path::{Path, PathBuf};

use covet_orm::Db;
use covet_tests::{Kind, Url};
use serde_json::Value;

use crate::tool::{Terminal, WRONG, run, workspace};

const FIRST: &str = r#"
//! A bookshop.
use covet_orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug)]
enum Role { Reader, Editor }

#[derive(Model, Clone, Debug)]
struct User {
    #[covet(key)]
    id: i64,
    #[covet(unique, max_len = 200)]
    email: String,
    #[covet(max_len = 50)]
    name: String,
    #[covet(default = Role::Reader)]
    role: Role,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[covet(key)]
    id: i64,
    #[covet(references = User, on_delete = cascade, index)]
    user_id: i64,
    text: String,
}

#[derive(Model, Clone, Debug)]
struct Draft {
    #[covet(key)]
    id: i64,
    text: String,
}

fn main() {
    covet_orm::tool!();
    println!("the shop is open");
}
"#;

/// A column has another name, one came, and a table is gone.
fn second() -> String {
    let user = "    #[covet(max_len = 50)]\n    full_name: String,\n    age: i32,\n";
    let text = FIRST.replace("    #[covet(max_len = 50)]\n    name: String,\n", user);
    let at = text.find("#[derive(Model, Clone, Debug)]\nstruct Draft").unwrap();
    let end = text.find("fn main").unwrap();
    format!("{}{}", &text[..at], &text[end..])
}

pub(crate) struct Shop {
    folder: PathBuf,
}

impl Shop {
    /// A package of its own, beside no other.
    pub(crate) fn new(name: &str, features: &str, program: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let covet = workspace().join("covet-orm");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             covet-orm = {{ path = {covet:?}, features = [{features}] }}\n\
             tokio = {{ version = \"1\", features = [\"rt-multi-thread\", \"macros\"] }}\n\n\
             # As in the workspace, so that what is built for one is good for the other.\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package]\n\
             postgres-protocol = {{ opt-level = 3 }}\nsha2 = {{ opt-level = 3 }}\n"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let shop = Shop { folder };
        shop.write("src/main.rs", program);
        shop
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> crate::tool::Said {
        run(&self.folder, args)
    }

    pub(crate) fn migrations(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(self.folder.join("migrations"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect())
            .unwrap_or_default();
        found.sort();
        found
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_from_init_to_the_last_way_back() {
    let shop = Shop::new("bookshop", "\"postgres\", \"mysql\", \"sqlite\"", FIRST);
    begins(&shop);
    let mut urls = Vec::new();
    for kind in Kind::ALL {
        urls.extend(Url::fresh(kind).await);
    }
    for url in &urls {
        first(&shop, url).await;
    }
    asks_on_a_terminal(&shop);
    decides(&shop);
    for url in &urls {
        second_revision(&shop, url).await;
        history_and_files(&shop, url);
    }
    urls_and_passwords(&shop, &urls);
    programs_that_do_not_answer(&shop);
    for url in urls {
        url.drop_database().await;
    }
}

/// The README's commands take a newcomer from a package with a model to its table. The installation is the first of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_commands_lead_to_the_first_migration() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let block = readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let commands: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 4, "{block}");
    assert!(commands[0].starts_with("cargo install covet-orm"), "{block}");
    // All databases, because that is what the other test builds as well.
    let program = FIRST.replace("    covet_orm::tool!();\n", "");
    let shop = Shop::new("newcomer", "\"sqlite\", \"postgres\", \"mysql\"", &program);
    for command in &commands[1..] {
        let words: Vec<&str> = command.split('#').next().unwrap().split_whitespace().skip(2).collect();
        shop.run(&words).is(0, &[]);
    }
    let url = format!("sqlite://{}", shop.folder.join("newcomer.db").display());
    let db = Db::connect(&url).await.unwrap();
    assert_eq!(crate::place::number(&db, "SELECT count(*) FROM users").await, 0);
    db.close();
}

fn begins(shop: &Shop) {
    shop.run(&["migrate", "status"]).is(1, &["there is no covet.toml", "cargo covet init"]);
    shop.run(&["migrate", "upp"]).is(2, &["upp"]);
    shop.run(&["init", "--databases", "postgress"]).is(1, &["postgress", "postgres"]);
    shop.run(&["init"]).is(0, &["covet.toml", "cargo covet migrate make"]);
    shop.run(&["init", "--databases", "sqlite"]).is(1, &["exists already"]);
    let toml = std::fs::read_to_string(shop.folder.join("covet.toml")).unwrap();
    assert!(toml.contains("databases = [\"postgres\", \"mysql\", \"sqlite\"]"), "{toml}");
    // The databases of this test are named one by one.
    shop.write("covet.toml", &toml.replace("\n[url]\npostgres", "\n[url]\n# postgres"));
    shop.run(&["migrate", "up", "--url", "sqlite::memory:"]).is(1, &["there is no folder", "migrate make"]);

    shop.run(&["migrate", "make", "--dry-run"]).is(0, &["would make", "up.mysql.sql", "CREATE TABLE"]);
    assert!(shop.migrations().is_empty());
    shop.run(&["migrate", "make"]).is(0, &["made", "create table users", "create enum role"]);
    let made = shop.migrations();
    assert_eq!(made.len(), 1);
    let mut files: Vec<String> =
        std::fs::read_dir(&made[0]).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let wanted = ["down.mysql.sql", "down.postgres.sql", "down.sqlite.sql", "plan.toml", "schema.toml"];
    assert_eq!(files, [&wanted[..], &["up.mysql.sql", "up.postgres.sql", "up.sqlite.sql"]].concat());
    shop.run(&["migrate", "make"]).is(0, &["there is nothing to migrate"]);
}

async fn first(shop: &Shop, url: &Url) {
    let url = url.url.as_str();
    shop.run(&["db", "create", "--url", url]).is(0, &["the database"]);
    shop.run(&["migrate", "status", "--url", url]).is(0, &["pending", "initial"]);
    shop.run(&["migrate", "up", "--dry-run", "--url", url]).is(0, &["CREATE TABLE"]);
    shop.run(&["migrate", "up", "--url", url]).is(0, &["applied", "initial"]);
    shop.run(&["migrate", "up", "--url", url]).is(0, &["nothing to apply"]);
    shop.run(&["migrate", "status", "--url", url]).is(0, &["applied", "initial"]);
    let db = Db::connect(url).await.unwrap();
    for sql in [
        "INSERT INTO users (email, name) VALUES ('a@x', 'Ann'), ('b@x', ''), ('ü@x', 'it''s')",
        "INSERT INTO posts (user_id, text) VALUES (1, 'x'), (1, ''), (2, 'y')",
        "INSERT INTO drafts (text) VALUES ('lost')",
    ] {
        db.acquire().await.unwrap().script(sql).await.unwrap();
    }
    db.close();
}

/// Where somebody sits, each decision is asked for, and the answers are those of a file.
fn asks_on_a_terminal(shop: &Shop) {
    shop.write("src/main.rs", &second());
    let mut terminal = Terminal::open(&shop.folder, &["migrate", "make", "--dry-run"]);
    // The arrow up from the first answer is the last one: none of these.
    terminal.answers("drafts", "\x1b[A\r");
    let said = terminal.end();
    assert!(said.contains("stopped: nothing was done") && said.contains("[exit 1]"), "{said}");

    let mut terminal = Terminal::open(&shop.folder, &["migrate", "make", "--dry-run"]);
    terminal.answers("drafts: ", "\r");
    terminal.answers("% alike", "\r");
    terminal.answers("backfill users.age with <", "\r");
    terminal.answers("an integer from", "forty\r");
    terminal.answers("is no decision", "\r");
    terminal.answers("an integer from", "42\r");
    let said = terminal.end();
    let plan = ["drop table drafts", "rename column users.name to users.full_name", "backfill users.age with 42"];
    for decision in plan {
        assert!(said.contains(&format!("\"{decision}\"")), "{decision} is not in {said}");
    }
    assert!(said.contains("[exit 0]"), "{said}");
    assert_eq!(shop.migrations().len(), 1);
}

/// In parts that programs of two releases bear; a rename has none.
fn online(shop: &Shop, all: &[&str]) {
    let said = shop.run(&[all, &["--online", "--dry-run"]].concat());
    said.is(1, &["a rename is not made online: users.name to full_name", "help: ", "without --online"]);
    let mut args = vec!["migrate", "make", "change", "--dry-run"];
    let decisions = [
        "drop table drafts",
        "drop column users.name",
        "backfill users.full_name with ''",
        "backfill users.age with 42",
    ];
    args.extend(decisions.iter().flat_map(|decision| ["--decide", *decision]));
    let said = shop.run(&[&args[..], &["--online"]].concat());
    said.is(0, &["_change_expand", "_change_contract", "sqlite changes its schema under a lock on all of it"]);
    said.is(0, &["cargo covet migrate up --to 2", "DEFAULT 42, LOCK=NONE", "-- covet:transaction"]);
    let told: Value = serde_json::from_str(&shop.run(&[&args[..], &["--online", "--json"]].concat()).out).unwrap();
    assert_eq!(told["parts"].as_array().unwrap().len(), 2, "{told}");
    // The file says it for every migration, and a flag once for another.
    let toml = std::fs::read_to_string(shop.folder.join("covet.toml")).unwrap();
    shop.write("covet.toml", &format!("online = true\n{toml}"));
    shop.run(&args).is(0, &["_change_expand"]);
    let said = shop.run(&[&args[..], &["--online=false"]].concat());
    said.is(0, &["would make"]);
    assert!(!said.out.contains("_change_expand"), "{}", said.out);
    shop.write("covet.toml", &toml);
    assert_eq!(shop.migrations().len(), 1);
}

/// What changed has more than one meaning, and the tool asks instead of guessing.
fn decides(shop: &Shop) {
    let asked = shop.run(&["migrate", "make"]);
    asked.is(3, &["a decision is needed", "--decide", "rename column users.name to users.full_name"]);
    asked.is(3, &["drop column users.name", "drop table drafts", "backfill users.age with <an integer"]);
    let asked = shop.run(&["migrate", "make", "--json"]);
    let told: Value = serde_json::from_str(&asked.is(3, &[]).out).unwrap();
    let questions = told["missing_decisions"].as_array().unwrap();
    let about: Vec<&str> = questions.iter().map(|question| question["about"].as_str().unwrap()).collect();
    for place in ["drafts", "users.name", "users.age"] {
        assert!(about.contains(&place), "{about:?}");
    }
    assert!(questions[0]["answers"][0]["decision"].is_string());
    assert_eq!(shop.migrations().len(), 1);

    shop.run(&["migrate", "make", "--decide", "be nice"]).is(1, &["`be nice` is no decision", "drop table t"]);
    shop.run(&["migrate", "make", "--decide", "drop table draft"]).is(3, &["drop table drafts"]);
    let rename = "rename column users.name to users.full_name";
    shop.run(&["migrate", "make", "--decide", "drop table drafts", "--decide", rename]).is(3, &["users.age"]);
    let backfill = "backfill users.age with 42";
    let all = ["migrate", "make", "--decide", "drop table drafts", "--decide", rename, "--decide", backfill];
    shop.run(&[&all[..], &["--decide", "drop table nothing"]].concat()).is(1, &["drop table nothing"]);
    shop.run(&[
        "migrate",
        "make",
        "--decide",
        "backfill users.age with 'x'",
        "--decide",
        rename,
        "--decide",
        "drop table drafts",
    ])
    .is(1, &["backfill users.age with 'x'", "an integer"]);
    assert_eq!(shop.migrations().len(), 1);

    online(shop, &all);
    shop.write("answers.toml", &format!("decisions = [{rename:?}, \"drop table drafts\"]"));
    let made = shop.run(&["migrate", "make", "second", "--decide", "@answers.toml", "--decide", backfill]);
    made.is(0, &["made", "_second", "rename column users.name to full_name", "data is lost: drop table drafts"]);
    let made = shop.migrations();
    assert_eq!(made.len(), 2);
    let plan = std::fs::read_to_string(made[1].join("plan.toml")).unwrap();
    assert!(plan.contains(rename) && plan.contains(backfill), "{plan}");
    shop.run(&["migrate", "make"]).is(0, &["there is nothing to migrate"]);
    let nothing = shop.run(&["migrate", "make", "--json"]);
    let told: Value = serde_json::from_str(&nothing.is(0, &[]).out).unwrap();
    assert_eq!(told["migration"], Value::Null);
}

async fn second_revision(shop: &Shop, url: &Url) {
    let at = ["--url", url.url.as_str()];
    let with = |args: &[&str]| shop.run(&[args, &at[..]].concat());
    with(&["migrate", "up"]).is(0, &["applied", "_second"]);
    assert_eq!(counts(url, &["users WHERE age = 42 AND full_name <> 'x'", "posts"]).await, [3, 3]);
    with(&["migrate", "down", "--dry-run"]).is(0, &["-- ", "_second"]);
    with(&["migrate", "down"]).is(3, &["nobody has confirmed", "_second", "--yes"]);
    with(&["migrate", "down", "--yes"]).is(0, &["undone", "_second"]);
    assert_eq!(counts(url, &["users WHERE name <> 'x'", "posts", "drafts"]).await, [3, 3, 0]);
    with(&["migrate", "up", "-n", "1"]).is(0, &["applied", "_second"]);
    with(&["migrate", "down", "--to", "initial", "--yes"]).is(0, &["undone", "_second"]);
    with(&["migrate", "down", "--to", "nowhere"]).is(1, &["there is no migration `nowhere`"]);
    with(&["migrate", "up", "--to", "second"]).is(0, &["applied", "_second"]);
    assert_eq!(counts(url, &["users", "posts"]).await, [3, 3]);
}

pub(crate) async fn counts(url: &Url, tables: &[&str]) -> Vec<i64> {
    let db = Db::connect(&url.url).await.unwrap();
    let mut found = Vec::new();
    for table in tables {
        found.push(crate::place::number(&db, &format!("SELECT count(*) FROM {table}")).await);
    }
    db.close();
    found
}

/// Files that were edited or are gone, a history without an end, and the end of it.
fn history_and_files(shop: &Shop, url: &Url) {
    let at = ["--url", url.url.as_str()];
    let with = |args: &[&str]| shop.run(&[args, &at[..]].concat());
    let last = shop.migrations().remove(1);
    let file = last.join(format!("up.{}.sql", url.kind.name()));
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("\u{feff}{}\r\n", good.replace('\n', "\r\n"))).unwrap();
    with(&["migrate", "up"]).is(0, &["nothing to apply"]);
    std::fs::write(&file, format!("{good}-- a note\n")).unwrap();
    with(&["migrate", "up"]).is(1, &["(second)", "edited after it was applied", "restore the file"]);
    with(&["migrate", "status"]).is(0, &["edited", "_second"]);
    std::fs::write(&file, &good).unwrap();

    let away = shop.folder.join("away");
    std::fs::rename(&last, &away).unwrap();
    with(&["migrate", "up"]).is(1, &["(second) is applied on the database, but its files are not here"]);
    let status = with(&["migrate", "status", "--json"]);
    let told: Value = serde_json::from_str(&status.is(0, &[]).out).unwrap();
    assert_eq!(told["migrations"][1]["standing"], "missing", "{told}");
    std::fs::rename(&away, &last).unwrap();

    with(&["migrate", "repair", "--done", "x", "--statement", "1"]).is(1, &["no migration x is unfinished"]);
    with(&["migrate", "down", "--all", "--yes"]).is(0, &["_second", "_initial"]);
    with(&["migrate", "down"]).is(0, &["nothing to undo"]);
    with(&["migrate", "status"]).is(0, &["pending"]);
    with(&["migrate", "up"]).is(0, &["_initial", "_second"]);
}

fn urls_and_passwords(shop: &Shop, urls: &[Url]) {
    shop.run(&["migrate", "status"]).is(1, &["which database is not said", "DATABASE_URL"]);
    let sqlite = urls.iter().find(|url| url.kind == Kind::Sqlite).unwrap().url.as_str();
    shop.write(".env", &format!("DATABASE_URL={sqlite}\n"));
    shop.run(&["migrate", "status"]).is(0, &["applied"]);
    std::fs::remove_file(shop.folder.join(".env")).unwrap();
    let toml = std::fs::read_to_string(shop.folder.join("covet.toml")).unwrap();
    let urls_of_it = format!("\n[url]\nlocal = \"{sqlite}\"\nother = \"mysql://u:{WRONG}@127.0.0.1:1/d\"\n");
    shop.write("covet.toml", &toml.replace("\n[url]\n", &urls_of_it));
    shop.run(&["migrate", "status"]).is(1, &["more than one URL", "--database local | other"]);
    shop.run(&["migrate", "status", "--database", "local"]).is(0, &["applied"]);
    shop.run(&["migrate", "status", "--database", "nobody"]).is(1, &["no URL for `nobody`"]);
    shop.run(&["migrate", "status", "--database", "other"]).is(1, &["127.0.0.1:1"]);
    shop.write("covet.toml", &format!("url = \"mysql://u:{WRONG}@h/d\"\n{}", toml.replace("\n[url]\n", "\n")));
    shop.run(&["migrate", "status"]).is(1, &["covet.toml:"]);
    shop.write("covet.toml", &toml);

    let unreachable = format!("postgres://u:{WRONG}@127.0.0.1:1/d?sslmode=disable&connect_timeout=2");
    shop.run(&["migrate", "up", "--url", &unreachable]).is(1, &["error[Unreachable]: ", "127.0.0.1:1"]);
    shop.run(&["migrate", "up", "--url", &format!("oracle://u:{WRONG}@h/d")]).is(1, &["oracle"]);
    shop.run(&["migrate", "up", "--url", &format!("u:{WRONG}@h/d")]).is(1, &["error[Config]: "]);
    let nowhere = shop.folder.join("no").join("such.db");
    shop.run(&["migrate", "up", "--url", &format!("sqlite://{}", nowhere.display())]).is(1, &["such.db"]);
    for url in urls.iter().filter(|url| url.kind != Kind::Sqlite) {
        let (before, after) = url.url.split_once('@').unwrap();
        let (user, _) = before.rsplit_once(':').unwrap();
        let wrong = format!("{user}:{WRONG}@{after}");
        shop.run(&["migrate", "up", "--url", &wrong]).is(1, &["error[Authentication]: "]);
        shop.run(&["migrate", "status", "--json", "--url", &wrong]).is(1, &["\"error\""]);
    }
}

fn programs_that_do_not_answer(shop: &Shop) {
    let text = second();
    shop.write("src/main.rs", &text.replace("    covet_orm::tool!();\n", ""));
    shop.run(&["migrate", "make"]).is(1, &["did not say which models it has", "covet_orm::tool!()"]);
    shop.write("src/main.rs", &text.replace("age: i32", "age: i3"));
    shop.run(&["migrate", "make"]).is(1, &["does not build"]);
    // Without a single model there is nothing that could be meant but a mistake.
    shop.write("src/main.rs", "fn main() {\n    covet_orm::tool!();\n}\n");
    shop.run(&["migrate", "make"]).is(1, &["there is no model at all", "linked into the program"]);
    assert_eq!(shop.migrations().len(), 2);
}
