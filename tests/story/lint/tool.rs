//! `cargo covet migrate lint`.

use serde_json::Value;

use crate::lint::Bench;
use crate::tool::run;

#[test]
fn the_tool_shows_them_and_fails_on_errors() {
    let bench = Bench::new();
    let folder = bench.dir.path();
    let config = "databases = [\"postgres\", \"mysql\", \"sqlite\"]\nmigrations = \".\"\n";
    std::fs::write(folder.join("covet.toml"), config).unwrap();
    let lint = |args: &[&str]| run(folder, &[&["migrate", "lint", "--last", "1"], args].concat());
    lint(&[]).is(0, &["0 errors, 0 warnings"]);

    bench.script("sqlite", "ALTER TABLE users RENAME COLUMN age TO years");
    bench.script("postgres", "SELECT 1");
    let said = lint(&[]);
    said.is(0, &["warn[BRK01]", "up.sqlite.sql:1:", "safer: ", "0 errors, 1 warnings"]);
    lint(&["--deny", "warn"]).is(1, &["lint found 1 of severity warn or above", "covet:allow"]);
    lint(&["--deny", "warn", "--for", "postgres"]).is(0, &["0 warnings"]);

    bench.script("sqlite", "DROP TABLE logs");
    lint(&[]).is(1, &["error[DST01]", "1 errors"]);
    let said = lint(&["--json"]);
    assert_eq!(said.code, 1);
    let value: Value = serde_json::from_str(&said.out).unwrap();
    let found = &value["findings"][0];
    assert_eq!((found["rule"].as_str(), found["severity"].as_str()), (Some("DST01"), Some("error")));
    assert_eq!(
        (found["line"].as_u64(), found["statement"].as_u64(), found["table"].as_str()),
        (Some(1), Some(1), Some("logs"))
    );
    bench.script("sqlite", "-- covet:allow DST01 it was never filled\nDROP TABLE logs");
    lint(&["--deny", "info"]).is(0, &["1 allowed"]);
    lint(&["--all"]).is(0, &["allowed: it was never filled"]);

    lint(&["--explain", "pg01"]).is(0, &["SHARE lock", "CONCURRENTLY"]);
    lint(&["--explain", "PG99"]).is(1, &["there is no rule PG99"]);
    lint(&["--deny", "much"]).is(2, &["it is info, warn or error"]);
    // A database that is asked as well.
    let url = format!("sqlite://{}", folder.join("x.db").display());
    run(folder, &["db", "create", "--url", &url]).is(0, &[]);
    lint(&["--for", "sqlite", "--url", &url]).is(0, &["1 allowed"]);
}
