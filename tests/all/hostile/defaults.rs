//! Strings that a migration writes into its statements: defaults of columns and labels of enums. Here SQL text
//! must hold them, as literals, and each has to survive quoting, the splitting of scripts, and the server.

use covet_drivers::catalog::{Column, ColumnDefault, ColumnType, EnumType, Schema, Table};
use covet_orm::ErrorKind;
use covet_orm::schema::{Diff, diff};
use covet_tests::{Kind, TestDb, on_each_database};

use super::storable;
use super::strings::listed;

fn column(name: String, ty: ColumnType, default: Option<&String>) -> Column {
    let default = default.map(|text| ColumnDefault::Text(text.clone().into()));
    Column { nullable: true, default, ..Column::new(name, ty) }
}

/// Makes a table as a migration would.
async fn make(db: &TestDb, table: &Table) -> covet_orm::Result<()> {
    let (nothing, schema) = (Schema::default(), Schema::of(vec![table.clone()]));
    let Diff::Changes(changes) = diff(&nothing, &schema, &[])? else { panic!("there is nothing to decide") };
    let ddl = db.backend().ddl();
    ddl.check(&schema)?;
    for step in ddl.plan(&changes, &nothing, &schema)? {
        db.raw(&step.sql).await?;
    }
    Ok(())
}

fn table(name: String, columns: impl Iterator<Item = Column>) -> Table {
    let id = Column { nullable: false, ..column("id".to_owned(), ColumnType::I64, None) };
    let columns = [id].into_iter().chain(columns).collect();
    Table { name, primary_key: vec!["id".to_owned()], columns, ..Table::default() }
}

/// What the one row has beside its key.
async fn only_row(db: &TestDb, table: &Table) -> covet_orm::Result<Vec<Option<String>>> {
    db.raw(&format!("INSERT INTO {} (id) VALUES (1)", table.name)).await?;
    let names: Vec<&str> = table.columns.iter().skip(1).map(|column| column.name.as_str()).collect();
    let mut rows = db.raw_rows(&format!("SELECT {} FROM {}", names.join(", "), table.name)).await?;
    Ok(rows.pop().unwrap_or_default())
}

on_each_database! {
    async fn defaults_of_columns(db: &TestDb) -> Outcome {
        let texts: Vec<String> = storable(db.kind(), listed()).into_iter().filter(|text| text.chars().count() <= 200).collect();
        for (n, texts) in texts.chunks(60).enumerate() {
            let ty = ColumnType::Text { max_len: Some(200) };
            let columns = texts.iter().enumerate().map(|(n, text)| column(format!("c{n}"), ty.clone(), Some(text)));
            let table = table(format!("defaults_{n}"), columns);
            make(db, &table).await?;
            let found = only_row(db, &table).await?;
            for (found, wanted) in found.iter().zip(texts) {
                assert_eq!(found.as_ref(), Some(wanted));
            }
            assert_eq!(found.len(), texts.len());
        }
        Ok(())
    }

    async fn labels_of_enums(db: &TestDb) -> Outcome {
        // PostgreSQL takes labels of up to 63 bytes; MySQL cuts blanks off their ends, and forgets what is above U+FFFF.
        let plain = |text: &str| !text.ends_with(' ') && text.chars().all(|c| c <= '\u{ffff}');
        let fits = |text: &String| (1..=63).contains(&text.len()) && (db.kind() != Kind::Mysql || plain(text));
        let labels: Vec<String> = storable(db.kind(), listed()).into_iter().filter(fits).collect();
        if db.kind() == Kind::Mysql {
            for label in ["\u{1f980}", "blank "] {
                let ty = ColumnType::Enum(EnumType { name: "refused".into(), labels: vec![label.into()].into() });
                let refused = make(db, &table("refused".to_owned(), [column("c".to_owned(), ty, None)].into_iter())).await;
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
            }
        }
        for (n, labels) in labels.chunks(60).enumerate() {
            let all = labels.iter().map(|label| label.clone().into()).collect::<Vec<_>>();
            let ty = ColumnType::Enum(EnumType { name: format!("labels_{n}").into(), labels: all.into() });
            let columns = labels.iter().enumerate().map(|(n, label)| column(format!("c{n}"), ty.clone(), Some(label)));
            let table = table(format!("enums_{n}"), columns);
            make(db, &table).await.map_err(|error| format!("{labels:?}: {error}"))?;
            let mut connection = db.acquire().await?;
            let read = db.backend().introspect().read(&mut *connection, &[]).await?;
            let there = read.tables.iter().find(|there| there.name == table.name).ok_or("the table")?;
            let ColumnType::Enum(found) = &there.columns[1].ty else { panic!("{:?}", there.columns[1].ty) };
            for (found, wanted) in found.labels.iter().zip(labels) {
                assert_eq!(found, wanted, "read back");
            }
            assert_eq!(there.columns[1].ty, ty, "read back");
            drop(connection);
            let found = only_row(db, &table).await?;
            for (found, wanted) in found.iter().zip(labels) {
                assert_eq!(found.as_ref(), Some(wanted));
            }
        }
        Ok(())
    }
}
