//! Tables of Covet's own, which are made where they are needed.

use covet_drivers::catalog::{Change, Schema, Table};
use covet_drivers::sql::{BinaryOp, Node, Select};
use covet_drivers::{ErrorKind, Result};

use crate::db::Db;

/// Makes a table of Covet's own, unless it is there. `name` is the table's.
pub(crate) async fn ensure(db: &Db, name: &'static str, table: Table) -> Result<()> {
    let mut select = Select::new(name, vec![Node::Literal(1)]);
    select.filter = Some(Node::binary(BinaryOp::Eq, Node::Literal(1), Node::Literal(2)));
    match db.run(&select.into(), &mut ()).await {
        Err(error) if error.kind() == ErrorKind::UndefinedTable => {}
        other => return other.map(drop),
    }
    let after = Schema::of(vec![table.clone()]);
    let mut lease = db.acquire().await?;
    for step in db.backend().ddl().plan(&[Change::CreateTable { table }], &Schema::default(), &after)? {
        match lease.script(&step.sql).await {
            // Another program was faster.
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Unique) => {}
            other => other?,
        }
    }
    Ok(())
}
