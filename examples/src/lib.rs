//! Small programs, each an example of this package: `cargo run --example quickstart`.
