//! One story of several revisions, on each database.

use covet_orm::drivers::catalog::{Column, ColumnDefault, ColumnType, EnumType, Schema};
use covet_orm::migrate::{Goal, Standing};

use crate::home::{Home, normal, posts, schema, table, text, users};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    forth_and_back(&Home::new().await).await;
    enums(&Home::new().await).await;
    many_at_once(&Home::new().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    on("COVET_TEST_POSTGRES").await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread")]
async fn mysql() {
    on("COVET_TEST_MYSQL").await;
    if let Some(home) = Home::on("COVET_TEST_MYSQL").await {
        goes_on_at_the_statement(&home).await;
        home.end().await;
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
async fn on(variable: &str) {
    if let Some(home) = Home::on(variable).await {
        forth_and_back(&home).await;
        home.end().await;
    }
    if let Some(home) = Home::on(variable).await {
        enums(&home).await;
        home.end().await;
    }
    if let Some(home) = Home::on(variable).await {
        many_at_once(&home).await;
        home.end().await;
    }
}

async fn forth_and_back(home: &Home) {
    let age = Column::new("age", ColumnType::I32);
    let one = schema(vec![users(Vec::new()), posts()]);
    let two = schema(vec![users(vec![age.clone()]), posts()]);
    let three =
        schema(vec![users(vec![Column { name: "years".into(), ..age }]), posts(), table("tags", vec![text("name")])]);
    home.make(&one, &[]);
    assert_eq!(home.up().await, ["initial"]);
    assert_eq!(home.introspected().await, normal(&one));
    home.sql("INSERT INTO users (email) VALUES ('a'), ('b')").await;
    home.sql("INSERT INTO posts (user_id) VALUES (1), (2), (2)").await;

    home.make(&two, &["backfill users.age with 42"]);
    home.make(&three, &["rename column users.age to years"]);
    assert_eq!(home.standings().await, [Standing::Applied, Standing::Pending, Standing::Pending]);
    assert_eq!(home.up().await, ["add_column_users_age", "rename_column_users_age_to_years"]);
    assert_eq!(home.introspected().await, normal(&three));
    assert_eq!(home.number("SELECT count(*) FROM users WHERE years = 42").await, 2);
    assert_eq!(home.number("SELECT count(*) FROM posts").await, 3);
    assert!(home.up().await.is_empty());
    assert!(home.project.draft(&three, None, &[]).unwrap().is_none());

    let down = home.migrator().down(&home.db, Goal::Count(1)).await.unwrap();
    assert_eq!(down.done.len(), 1);
    assert_eq!(home.introspected().await, normal(&two));
    assert_eq!(home.number("SELECT count(*) FROM users WHERE age = 42").await, 2);
    assert_eq!(home.migrator().up(&home.db).await.unwrap().done.len(), 1);
    assert_eq!(home.introspected().await, normal(&three));

    home.migrator().down(&home.db, Goal::To("initial")).await.unwrap();
    assert_eq!(home.introspected().await, normal(&one));
    assert_eq!(home.number("SELECT count(*) FROM posts").await, 3);
    home.migrator().down(&home.db, Goal::All).await.unwrap();
    assert_eq!(home.introspected().await, Schema::default());
    assert_eq!(home.standings().await, [Standing::Pending; 3]);
    let done = home.migrator().up_to(&home.db, Goal::To("add_column_users_age")).await.unwrap().done;
    assert_eq!(done.len(), 2);
}

/// A label comes, and is a default at once; the way back finds rows that have it.
async fn enums(home: &Home) {
    let role = |labels: &[&'static str], default: &'static str| {
        let labels: Vec<_> = labels.iter().map(|label| (*label).into()).collect();
        let ty = ColumnType::Enum(EnumType { name: "role".into(), labels: labels.into() });
        let default = Some(ColumnDefault::Text(default.into()));
        schema(vec![users(vec![Column { default, ..Column::new("role", ty) }])])
    };
    let (one, two) = (role(&["reader"], "reader"), role(&["guest", "reader", "admin"], "admin"));
    home.make(&one, &[]);
    home.up().await;
    home.sql("INSERT INTO users (email) VALUES ('a')").await;
    home.make(&two, &[]);
    home.up().await;
    assert_eq!(home.introspected().await, normal(&two));
    home.sql("INSERT INTO users (email) VALUES ('b')").await;
    assert_eq!(home.number("SELECT count(*) FROM users WHERE role = 'admin'").await, 1);
    let error = home.migrator().down(&home.db, Goal::Count(1)).await.unwrap_err().to_string();
    assert!(error.contains("1 row"), "{error}");
    assert_eq!(home.introspected().await, normal(&two));
    home.sql("UPDATE users SET role = 'reader'").await;
    home.migrator().down(&home.db, Goal::Count(1)).await.unwrap();
    assert_eq!(home.introspected().await, normal(&one));
    home.up().await;
    assert_eq!(home.introspected().await, normal(&two));
}

/// One runner works, the others wait and find the work done.
async fn many_at_once(home: &Home) {
    let path = home.make(&schema(vec![users(Vec::new())]), &[]);
    let file = home.file(&path, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}\nINSERT INTO users (email) VALUES ('once');\n")).unwrap();
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let (migrator, db) = (home.migrator(), home.db.clone());
            tokio::spawn(async move { migrator.up(&db).await.map(|report| report.done.len()) })
        })
        .collect();
    let mut done = 0;
    for run in runs {
        done += run.await.unwrap().unwrap();
    }
    assert_eq!(done, 1);
    assert_eq!(home.number("SELECT count(*) FROM users").await, 1);
}

/// Without transactional DDL a run that failed goes on at the statement that failed.
#[cfg(feature = "mysql")]
async fn goes_on_at_the_statement(home: &Home) {
    let path = home.make(&schema(vec![users(Vec::new())]), &[]);
    let file = home.file(&path, "up");
    let script = "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n\
        ALTER TABLE missing ADD COLUMN x INT;\nCREATE TABLE c (id INT PRIMARY KEY);\n";
    std::fs::write(&file, script).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("(initial)") && error.contains("statement 3 of 4") && error.contains("missing"), "{error}");
    assert_eq!(home.standings().await, [Standing::Unfinished { done: 2, total: 4 }]);
    std::fs::write(&file, script.replace("TABLE a (", "TABLE aa (")).unwrap();
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("statement 1 was edited"), "{error}");
    std::fs::write(&file, script.replace("ALTER TABLE missing", "ALTER TABLE a")).unwrap();
    assert_eq!(home.migrator().up(&home.db).await.unwrap().done[0].statements, 2);
    assert_eq!(home.standings().await, [Standing::Applied]);

    // The way back that the history keeps does not fit what was made by hand: it stops, and says where.
    let error = home.migrator().down(&home.db, Goal::Count(1)).await.unwrap_err().to_string();
    assert!(error.contains("statement 1 of"), "{error}");
    assert_eq!(home.standings().await, [Standing::Reverting { done: 0 }]);
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("undone half-way"), "{error}");
    home.sql("CREATE TABLE users (id INT PRIMARY KEY)").await;
    assert_eq!(home.migrator().down(&home.db, Goal::Count(1)).await.unwrap().done.len(), 1);
    assert_eq!(home.standings().await, [Standing::Pending]);

    // A guard that stands behind other statements is asked before any of them.
    let guarded = "CREATE TABLE d (id INT PRIMARY KEY);\n-- covet:guard a has rows\nSELECT COUNT(*) FROM a;\n";
    std::fs::write(&file, guarded).unwrap();
    home.sql("INSERT INTO a (id) VALUES (1), (2)").await;
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("a has rows (2 rows)"), "{error}");
    assert_eq!(home.standings().await, [Standing::Pending]);
    assert!(home.introspected().await.table("d").is_none());

    // A statement has taken effect already, by whatever hand: that can be said.
    home.sql("DELETE FROM a").await;
    std::fs::write(&file, "CREATE TABLE e (id INT PRIMARY KEY);\nCREATE TABLE f (id INT PRIMARY KEY);\n").unwrap();
    home.sql("CREATE TABLE e (id INT PRIMARY KEY)").await;
    let error = home.migrator().up(&home.db).await.unwrap_err().to_string();
    assert!(error.contains("statement 1 of 2") && error.contains("exists"), "{error}");
    let id = home.migrator().status(&home.db).await.unwrap().remove(0).id;
    assert!(home.migrator().statement_is_done(&home.db, &id, 2).await.is_err(), "it stopped at the first");
    home.migrator().statement_is_done(&home.db, &id, 1).await.unwrap();
    assert!(home.migrator().statement_is_done(&home.db, &id, 1).await.is_err(), "said twice is not two statements");
    assert_eq!(home.migrator().up(&home.db).await.unwrap().done[0].statements, 1);
    assert!(home.migrator().statement_is_done(&home.db, &id, 3).await.is_err());

    // What no run has begun is run, and nothing else: a statement is noted before it begins.
    home.sql("DELETE FROM _covet_migrations").await;
    home.sql("DROP TABLE e").await;
    home.sql("DROP TABLE f").await;
    let text =
        "CREATE TABLE e (id INT PRIMARY KEY);\nINSERT INTO e VALUES (1);\nUPDATE e SET id = id * 10;\nDO SLEEP(0);\n";
    std::fs::write(&file, text).unwrap();
    assert_eq!(home.migrator().up(&home.db).await.unwrap().done[0].statements, 4);
    home.sql("UPDATE _covet_migrations SET state = 'running', steps_done = 3 WHERE state = 'applied'").await;
    assert_eq!(home.migrator().up(&home.db).await.unwrap().done[0].statements, 1);
}
