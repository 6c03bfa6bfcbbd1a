//! What a column of MySQL and MariaDB has and no model can say is still there after the column was changed, or the change
//! does not begin.

use covet_orm::drivers::catalog::Schema;
use covet_orm::migrate::Standing;
use covet_tests::Kind;

use crate::notation;
use crate::place::{Place, Words, on};

/// Each with a column `c` of another kind in it.
const BEFORE: &str = "a{id auto; c datetime =now} b{id auto; c text(20) ci} d{id auto; c i32} \
    e{id auto; c enum(e_c_enum,x,y)} k{id auto; c i32; ck:c(c~>~0)}";

const OTHERS: &[&str] = &[
    "ALTER TABLE a MODIFY c datetime(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6)",
    "ALTER TABLE b MODIFY c varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL",
    "ALTER TABLE d MODIFY c int NOT NULL /*M! INVISIBLE */ /*!80023 INVISIBLE */ DEFAULT 0",
    "ALTER TABLE e MODIFY c enum('x','y') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL COMMENT 'enum e_c_enum'",
    "ALTER TABLE k DROP CONSTRAINT c; ALTER TABLE k MODIFY c int NOT NULL CHECK (c > 0)",
];

/// As the notation says, but for the check of `k`: within the definition of its column it has the column's name.
fn schema(text: &str) -> Schema {
    let mut schema = notation::schema(text);
    schema.tables.iter_mut().flat_map(|table| &mut table.checks).for_each(|check| check.name = "c".to_owned());
    schema
}

async fn made(place: &Place) {
    place.make(&schema(BEFORE), &[]).unwrap();
    place.up().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_it_is_lost_in_silence() {
    on(Kind::Mysql, async |place| {
        let changes = [
            ("a.c", "c datetime =now", "c datetime? =now"),
            ("b.c", "c text(20) ci", "c text(30) ci"),
            ("d.c", "d{id auto; c i32}", "d{id auto; c i32 #so~many}"),
            ("e.c", "enum(e_c_enum,x,y)", "enum(e_c_enum,x,y,z)"),
            ("k.c", "c i32; ck:", "c i64; ck:"),
        ];
        for (column, from, to) in changes {
            place.wipe().await;
            made(place).await;
            for sql in OTHERS {
                place.sql(sql).await;
            }
            let before = place.shape(Words::Own).await;
            // Something else comes first, which may not have happened either.
            let after = format!("{} z{{id auto}}", BEFORE.replace(from, to));
            assert_ne!(after, format!("{BEFORE} z{{id auto}}"), "{column}");
            let path = place.make(&schema(&after), &[]).unwrap().unwrap();
            let error = place.up().await.unwrap_err();
            let told = error.to_string();
            assert!(told.contains(column) && told.contains("by hand") && error.help().is_some(), "{column}: {told}");
            place.shape(Words::Own).await.is(&before, column);
            assert_eq!(place.standings().await.last(), Some(&Standing::Pending));
            // The way out that it says.
            let file = place.file(&path, "up");
            let text = std::fs::read_to_string(&file).unwrap();
            let (guard, rest) = text.split_once(";\n").unwrap();
            assert!(guard.contains("covet:guard"), "{text}");
            std::fs::write(&file, rest.trim_start()).unwrap();
            assert_eq!(place.up().await.unwrap(), 1, "{column}");
        }
    })
    .await;
}

/// What is only called otherwise by then is asked for by the name that it had; what comes with the migration has nothing
/// that could be lost; and a collation that is to change may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_before_and_changes_that_are_meant() {
    on(Kind::Mysql, async |place| {
        made(place).await;
        place.sql(OTHERS[0]).await;
        place.sql(OTHERS[1]).await;
        let after = BEFORE.replace("a{id auto; c datetime", "a2{id auto; c2 datetime?");
        let renames = ["rename table a to a2", "rename column a2.c to c2"];
        let path = place.make(&schema(&after), &renames).unwrap().unwrap();
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("a.c has"), "{error}");
        assert_eq!(place.standings().await.last(), Some(&Standing::Pending));
        std::fs::remove_dir_all(path).unwrap();

        let after = BEFORE.replace("c text(20) ci}", "c text(20); n i32}");
        place.make(&schema(&after), &["backfill b.n with 7"]).unwrap();
        assert_eq!(place.up().await.unwrap(), 1);
    })
    .await;
}

/// While others write, the column is another one that takes its place: it would have nothing of the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_copied_is_asked_before_the_first_part() {
    on(Kind::Mysql, async |place| {
        made(place).await;
        place.sql(OTHERS[2]).await;
        let after = BEFORE.replace("d{id auto; c i32}", "d{id auto; c i64}");
        assert_eq!(place.make_online(&[place.kind], &schema(&after), &[]).unwrap().len(), 3);
        let error = place.up().await.unwrap_err().to_string();
        assert!(error.contains("d.c has"), "{error}");
        assert_eq!(place.standings().await[1..], [Standing::Pending; 3]);
    })
    .await;
}
