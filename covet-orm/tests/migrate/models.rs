//! From models to schemas, with models as users write them.

use covet_orm::drivers::catalog::{Action, ColumnDefault, ColumnType, Expression, Term, Timing};
use covet_orm::migrate::create_tables;
use covet_orm::prelude::*;
use covet_orm::schema::{Models, schema_of};

#[derive(DbEnum, Debug, Clone, Copy, PartialEq)]
enum Role {
    Reader,
    Editor,
}

#[derive(Model, Debug, Clone)]
#[covet(table = "people", unique(email, role))]
struct Person {
    #[covet(key)]
    id: i64,
    #[covet(unique, max_len = 320)]
    email: String,
    #[covet(index)]
    name: Option<String>,
    #[covet(default = Role::Reader)]
    role: Role,
}

#[derive(Model, Debug, Clone)]
struct Note {
    #[covet(key)]
    id: i64,
    #[covet(references = Person, on_delete = cascade, index)]
    person_id: i64,
    #[covet(references = Note, on_delete = set_null)]
    parent_id: Option<i64>,
    text: String,
}

#[derive(Model, Debug, Clone)]
#[covet(table = "notes")]
struct OtherNote {
    #[covet(key)]
    id: i64,
}

#[derive(Model, Debug, Clone)]
#[covet(
    table = "paths",
    unique(name, where = "gone IS NULL", name = "paths_alive"),
    unique(id, name),
    unique(sql("lower(name)"), name = "paths_by_name"),
    unique(parent_id, gone, nulls_agree),
    index(gone, include(name), name = "paths_gone"),
    index(payload, using = "gin"),
    foreign_key(parent_id, name, references = Folder(id, name), on_update = cascade, deferred)
)]
struct Folder {
    #[covet(key)]
    id: i64,
    #[covet(unique, max_len = 50)]
    name: String,
    #[covet(references = Folder, deferrable)]
    parent_id: Option<i64>,
    gone: Option<i64>,
    #[covet(generated_virtual(sqlite = "length(name)", mysql = "char_length(name)"))]
    length: Option<i64>,
    #[covet(check(postgres = "payload ~ 'x'", sqlite = "payload GLOB '*x*'", mysql = "payload REGEXP 'x'"))]
    payload: String,
}

mod elsewhere {
    use covet_orm::prelude::*;

    #[derive(DbEnum, Debug, Clone, Copy)]
    #[covet(name = "role")]
    pub(crate) enum Role {
        Owner,
    }

    #[derive(Model, Debug, Clone)]
    pub(crate) struct Account {
        #[covet(key)]
        pub(crate) id: i64,
        pub(crate) role: Role,
    }
}

fn wrong(models: &Models) -> String {
    schema_of(models).unwrap_err().to_string()
}

#[test]
fn every_part_has_its_name() {
    let schema = schema_of(&covet_orm::models![Note, Person]).unwrap();
    assert_eq!(schema, schema_of(&covet_orm::models![Person, Note, Person]).unwrap());
    let [notes, people] = &schema.tables[..] else { panic!("{schema:?}") };
    assert_eq!((notes.name.as_str(), people.name.as_str()), ("notes", "people"));
    let names = |table: &covet_orm::drivers::catalog::Table| -> Vec<String> {
        table
            .indexes
            .iter()
            .map(|index| index.name.clone())
            .chain(table.foreign_keys.iter().map(|key| key.name.clone()))
            .collect()
    };
    assert_eq!(names(people), ["people_email_key", "people_email_role_key", "people_name_idx"]);
    assert_eq!(names(notes), ["notes_person_id_idx", "notes_parent_id_fkey", "notes_person_id_fkey"]);
    assert_eq!(people.primary_key, ["id"]);
    assert!(people.column("id").unwrap().auto && people.column("name").unwrap().nullable);
    assert_eq!(people.column("email").unwrap().ty, ColumnType::Text { max_len: Some(320) });
    assert_eq!(people.column("role").unwrap().default, Some(ColumnDefault::Text("reader".into())));
    let key = &notes.foreign_keys[1];
    assert_eq!(
        (key.target.as_str(), &key.target_columns[..], key.on_delete),
        ("people", &["id".to_owned()][..], Action::Cascade)
    );
}

#[test]
fn sql_of_ones_own_is_handed_on() {
    let schema = schema_of(&covet_orm::models![Folder]).unwrap();
    let paths = schema.table("paths").unwrap();
    let index = |name: &str| paths.indexes.iter().find(|index| index.name == name).unwrap();
    assert_eq!(index("paths_name_key").condition, None, "that of the field");
    assert_eq!(index("paths_alive").condition, Some(Expression::new("gone IS NULL")));
    assert_eq!(index("paths_by_name").terms, [Term::expression(Expression::new("lower(name)"))]);
    assert!(index("paths_parent_id_gone_key").nulls_agree);
    assert_eq!(index("paths_gone").include, ["name"]);
    assert_eq!(index("paths_payload_idx").method.as_deref(), Some("gin"));
    let [single, both] = &paths.foreign_keys[..] else { panic!("{paths:?}") };
    assert_eq!((both.columns.len(), both.timing, both.on_update), (2, Timing::Deferred, Action::Cascade));
    assert_eq!((single.timing, single.on_update), (Timing::Deferrable, Action::NoAction));
    let generated = paths.column("length").unwrap().generated.clone().unwrap();
    assert_eq!((generated.stored, generated.expression.on("mysql")), (false, Some("char_length(name)")));
    assert_eq!(generated.expression.on("postgres"), None);
    assert_eq!(paths.checks[0].name, "paths_payload_ck");
    assert_eq!(paths.checks[0].expression.on("sqlite"), Some("payload GLOB '*x*'"));
}

#[test]
fn what_does_not_fit_together_is_named() {
    let error = wrong(&covet_orm::models![Note]);
    assert!(error.starts_with("Note.person_id: points at the table people"), "{error}");
    let error = wrong(&covet_orm::models![Person, Note, OtherNote]);
    assert!(
        error.contains("models::Note") && error.contains("models::OtherNote") && error.contains("table notes"),
        "{error}"
    );
    let error = wrong(&covet_orm::models![Person, elsewhere::Account]);
    assert!(error.contains("the enum role has other labels than in Account.role"), "{error}");
}

#[test]
fn models_register_themselves() {
    // All models of this test's program, of which two share a table on purpose.
    assert!(wrong(&Models::registered()).contains("table notes"));
}

#[tokio::test]
async fn tables_for_a_first_try() {
    let db = Db::connect("sqlite::memory:").await.unwrap();
    create_tables(&db, &covet_orm::models![Person, Note]).await.unwrap();
    let ann = Person::create().email("a@b").exec(&db).await.unwrap();
    assert_eq!((ann.role, ann.name.as_deref(), ann.email.as_str()), (Role::Reader, None, "a@b"));
    let note = Note::create().person_id(ann.id).text("x").exec(&db).await.unwrap();
    assert_eq!((note.person_id, note.parent_id, note.text.as_str()), (ann.id, None, "x"));
    let error = Note::create().person_id(9).text("y").exec(&db).await.unwrap_err();
    assert_eq!(error.kind(), covet_orm::ErrorKind::ForeignKey);
    let twice = create_tables(&db, &covet_orm::models![Person, Note]).await.unwrap_err();
    assert_eq!(twice.kind(), covet_orm::ErrorKind::AlreadyExists);
}
