//! A schema as the statements that create it.

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Target;
use crate::schema::{Diff, diff};

pub(super) fn sql(schema: &Schema, target: &Target) -> Result<String> {
    target.ddl.check(schema)?;
    let Diff::Changes(changes) = diff(&Schema::default(), schema, &[])? else {
        return Err(Error::new(ErrorKind::Migration, "creating the schema asks for a decision"));
    };
    let mut text = String::new();
    for step in target.ddl.plan(&changes, &Schema::default(), schema)? {
        for line in step.note.lines() {
            text.push_str(&format!("-- {line}\n"));
        }
        text.push_str(&format!("{};\n\n", step.sql));
    }
    Ok(text)
}
