//! Changes applied to a schema in memory, with an error that says which does not fit.

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::describe;

/// Makes the change on the schema.
///
/// # Errors
/// `Migration` when the schema is not one that the change can be made on: the table is there
/// already, the column is not there …
pub fn apply(schema: &mut Schema, change: &Change) -> Result<()> {
    schema.apply(change).ok_or_else(|| {
        let text = format!("the change `{}` does not fit the schema before it", describe(change));
        Error::new(ErrorKind::Migration, text)
    })
}
