//! Measurements of a whole process, each in one of its own: other tests would be seen in it.

use std::process::Command;

use covet_tests::Kind;

/// Names the database in the process that measures.
const DATABASE: &str = "COVET_TEST_APART";

/// The database to measure on, in the process that was begun for it.
pub(crate) fn database() -> Kind {
    let name = std::env::var(DATABASE).unwrap();
    Kind::ALL.into_iter().find(|known| known.name() == name).unwrap()
}

/// Runs a test that is ignored in a process of its own, and gives what it printed.
pub(crate) fn run(test: &str, kind: Kind) -> String {
    let program = std::env::current_exe().unwrap();
    let arguments = [test, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).env(DATABASE, kind.name()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{}: {text}", kind.name());
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}
