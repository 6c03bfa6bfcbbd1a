//! Views and triggers in the way of a migration that nobody declared: they are as they were, or it stops. And a model
//! that reads a view.

use covet_orm::drivers::catalog::{Expression, Object, ObjectKind};
use covet_orm::migrate::{Goal, Standing};
use covet_orm::models;
use covet_orm::prelude::*;
use covet_orm::schema::schema_of;
use covet_tests::Kind;

use crate::dump;
use crate::notation::schema;
use crate::place::{Place, Words, on, on_each};

on_each! { a_model_reads_a_view v01_a_view_stays v02_v03_triggers_stay v05_a_view_is_in_the_way }

#[derive(Model, Clone, Debug)]
#[covet(table = "persons")]
struct Person {
    #[covet(key)]
    id: i64,
    #[covet(max_len = 50)]
    name: String,
    age: i32,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "adults")]
struct Adult {
    #[covet(key)]
    id: i64,
    #[covet(max_len = 50)]
    name: String,
}

async fn a_model_reads_a_view(place: &Place) {
    let view = Object::new(ObjectKind::View, "adults", Expression::new("SELECT id, name FROM persons WHERE age >= 18"));
    let schema = schema_of(&models![Adult, Person].with_object(view)).unwrap();
    assert_eq!((schema.tables.len(), schema.objects[0].reads.clone()), (1, vec!["persons".to_owned()]));
    place.make(&schema, &[]).unwrap().unwrap();
    place.up().await.unwrap();
    assert!(place.make(&schema, &[]).unwrap().is_none());
    for (name, age) in [("a", 17), ("b", 18), ("c", 70)] {
        Person::create().name(name).age(age).exec(&place.db).await.unwrap();
    }
    let adults = Adult::query().order_by(Adult::name.desc()).all(&place.db).await.unwrap();
    assert_eq!(adults.iter().map(|adult| adult.name.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    assert_eq!(Adult::find(adults[1].id).one(&place.db).await.unwrap().name, "b");
    let two = Object::new(ObjectKind::View, "adults", Expression::new("SELECT 1"));
    let error = schema_of(
        &models![Person]
            .with_object(two.clone())
            .with_object(Object { definition: Expression::new("SELECT 2"), ..two }),
    );
    assert!(error.unwrap_err().to_string().contains("two declarations of the view adults"));
}

/// The table of a view is changed as far as that takes a rebuild on SQLite.
async fn v01_a_view_stays(place: &Place) {
    place.make(&schema("p{id auto; a i32?} c{id auto; p_id i64 ->p.id cascade}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO p (a) VALUES (1), (2)").await;
    place.sql("INSERT INTO c (p_id) VALUES (1), (2), (2)").await;
    place.sql("CREATE VIEW v AS SELECT p.id, p.a, c.id AS child FROM p JOIN c ON c.p_id = p.id").await;
    let before = place.shape(Words::Own).await;
    place
        .make(&schema("p{id auto; a i32 ck:a~>~0} c{id auto; p_id i64 ->p.id cascade}"), &["no nulls in p.a"])
        .unwrap();
    place.up().await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM v WHERE a = 2").await, 2);
    assert_eq!(place.number("SELECT count(*) FROM c").await, 3);
    let view = |shape: &crate::place::Shape| {
        let dump = shape.dump.clone().unwrap();
        dump.into_iter().find(|(first, lines)| format!("{first}{lines:?}").to_uppercase().contains("VIEW")).unwrap()
    };
    assert_eq!(view(&place.shape(Words::Own).await), view(&before));
}

/// A trigger of the table, and one of another table that writes to it.
async fn v02_v03_triggers_stay(place: &Place) {
    place.make(&schema("p{id auto; a i32?} q{id auto} log{id auto; a i32}"), &[]).unwrap();
    place.up().await.unwrap();
    let triggers = match place.kind {
        Kind::Postgres => {
            "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO log (a) VALUES (NEW.a); RETURN NEW; END $$;
             CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN UPDATE p SET a = a + 1; RETURN NEW; END $$;
             CREATE TRIGGER own AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION own();
             CREATE TRIGGER other AFTER INSERT ON q FOR EACH ROW EXECUTE FUNCTION other()"
        }
        Kind::Mysql => {
            "CREATE TRIGGER own AFTER INSERT ON p FOR EACH ROW INSERT INTO log (a) VALUES (NEW.a);
             CREATE TRIGGER other AFTER INSERT ON q FOR EACH ROW UPDATE p SET a = a + 1"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER own AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES (NEW.a); END;
             CREATE TRIGGER other AFTER INSERT ON q BEGIN UPDATE p SET a = a + 1; END"
        }
    };
    place.sql(triggers).await;
    place.sql("INSERT INTO p (a) VALUES (5)").await;
    let texts = triggers_of(place).await;
    place.make(&schema("p{id auto; a i32 ck:a~>~0} q{id auto} log{id auto; a i32}"), &["no nulls in p.a"]).unwrap();
    place.up().await.unwrap();
    assert_eq!(triggers_of(place).await, texts);
    assert_eq!(texts.len(), 2);
    place.sql("INSERT INTO p (a) VALUES (7)").await;
    place.sql("INSERT INTO q (id) VALUES (1)").await;
    assert_eq!(place.number("SELECT count(*) FROM log").await, 2);
    assert_eq!(place.number("SELECT sum(a) FROM p").await, 14);
}

/// SQLite lets a trigger follow the table to which it writes, also where its own table is rebuilt: forth and back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v04_a_trigger_follows_on_the_way_back() {
    on(Kind::Sqlite, async |place| {
        place.make(&schema("p{id auto; a i32?} log{id auto; a i32}"), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("CREATE TRIGGER own AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES (NEW.a); END").await;
        place.sql("INSERT INTO p (a) VALUES (5)").await;
        let before = triggers_of(place).await;
        let decisions = ["rename table log to journal", "rename column journal.a to b", "no nulls in p.a"];
        place.make(&schema("p{id auto; a i32 ck:a~>~0} journal{id auto; b i32}"), &decisions).unwrap();
        place.up().await.unwrap();
        place.sql("INSERT INTO p (a) VALUES (6)").await;
        assert_eq!(place.number("SELECT sum(b) FROM journal").await, 11);
        assert_eq!(place.down(Goal::Count(1)).await.unwrap(), 1);
        place.sql("INSERT INTO p (a) VALUES (7)").await;
        assert_eq!(place.number("SELECT sum(a) FROM log").await, 18);
        // It names what it follows in quotes by now.
        let plain = |texts: Vec<String>| texts.iter().map(|text| text.replace('"', "")).collect::<Vec<_>>();
        assert_eq!(plain(triggers_of(place).await), plain(before));
    })
    .await;
}

/// A column goes to which a trigger of another table writes: SQLite would find out with the next row only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v06_a_trigger_is_in_the_way() {
    on(Kind::Sqlite, async |place| {
        place.make(&schema("p{id auto; a i32?} log{id auto; a i32?; b i32?}"), &[]).unwrap();
        place.up().await.unwrap();
        place.sql("CREATE TRIGGER own AFTER INSERT ON p BEGIN INSERT INTO log (a) VALUES (NEW.a); END").await;
        let shape = place.shape(Words::Own).await;
        place.make(&schema("p{id auto; a i32?} log{id auto; b i32?}"), &["drop column log.a"]).unwrap();
        let error = place.up().await.unwrap_err();
        assert!(error.to_string().contains("the trigger own could not run any more"), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("create it anew")), "{error}");
        place.shape(Words::Own).await.is(&shape, "stopped");
        assert_eq!(place.standings().await, [Standing::Applied, Standing::Pending]);
        place.sql("DROP TRIGGER own").await;
        assert_eq!(place.up().await.unwrap(), 1);
    })
    .await;
}

async fn triggers_of(place: &Place) -> Vec<String> {
    let (list, column) = match place.kind {
        Kind::Postgres => ("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1", 0),
        Kind::Mysql => (
            "SELECT CONCAT(TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT) FROM information_schema.TRIGGERS \
             WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1",
            0,
        ),
        Kind::Sqlite => ("SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name", 0),
    };
    dump::texts(&place.db, list, column).await
}

/// A column goes that a view reads: the database stops it where it knows, and nothing has changed.
async fn v05_a_view_is_in_the_way(place: &Place) {
    place.make(&schema("t{id auto; a i32?; b i32?}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO t (a, b) VALUES (1, 2)").await;
    place.sql("CREATE VIEW v AS SELECT id, a FROM t").await;
    let (shape, rows) = (place.shape(Words::Own).await, place.rows().await);
    place.make(&schema("t{id auto; b i32?}"), &["drop column t.a"]).unwrap();
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains('v') && error.contains("view"), "{error}");
    place.shape(Words::Own).await.is(&shape, "stopped");
    assert_eq!(place.rows().await, rows);
    assert_eq!(place.standings().await, [Standing::Applied, Standing::Pending]);
    place.sql("DROP VIEW v").await;
    assert_eq!(place.up().await.unwrap(), 1);
}
