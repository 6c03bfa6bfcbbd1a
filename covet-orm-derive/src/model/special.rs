//! Columns with a part to play: the key, the version, the timestamps; and which columns an insert
//! has to name.

use proc_macro2::Ident;

use crate::attr::{Once, Timestamps};
use crate::errors::Errors;
use crate::model::{Column, DefaultValue, Kind, plain};

const CREATED_AT: &str = "created_at";
const UPDATED_AT: &str = "updated_at";

/// The positions of the key's columns; a key of one number or UUID is made when it is not given.
pub(super) fn key(columns: &mut [Column]) -> Vec<usize> {
    let key: Vec<usize> = positions(columns, |column| column.attr.key.is_given());
    for column in columns.iter_mut() {
        let alone = key.len() == 1 && column.attr.key.is_given();
        // A key that points at another row takes that row's key.
        let made = alone && column.references.is_none() && column.default.is_none();
        column.auto = match column.attr.auto.get() {
            Some(auto) => *auto,
            None => made && column.kind.is_int() == Some(true),
        };
        column.new_uuid = matches!(column.default, Some(DefaultValue::Uuid)) || made && column.kind == Kind::Uuid;
    }
    key
}

/// The position of the version column, which begins at 1.
pub(super) fn version(columns: &mut [Column]) -> Option<usize> {
    let version = columns.iter().position(|column| column.attr.version.is_given());
    if let Some(column) = version.and_then(|at| columns.get_mut(at)) {
        column.default = Some(DefaultValue::Int(1));
    }
    version
}

/// The positions of the two columns of `timestamps`.
pub(super) fn timestamps(given: &Once<Timestamps>, columns: &[Column], errors: &mut Errors) -> [Option<usize>; 2] {
    let (Some(word), Some(named)) = (given.word(), given.get()) else { return [None, None] };
    let bare = !named.created.is_given() && !named.updated.is_given();
    if bare && !columns.iter().any(|column| [CREATED_AT, UPDATED_AT].contains(&column.name.as_str())) {
        errors.at_with_help(
            word,
            format!("`timestamps` needs two columns, `{CREATED_AT}` and `{UPDATED_AT}`"),
            "add them as `DateTime<Utc>`, or name others: `timestamps(created = …, updated = …)`",
        );
        return [None, None];
    }
    let mut find = |field: &Once<Ident>, usual: &str, part: &str| {
        let name = match field.get() {
            Some(ident) => plain(ident),
            None if field.is_given() => return None,
            None => usual.to_owned(),
        };
        let found = columns.iter().position(|column| column.name == name);
        let at = field.get().map_or_else(|| word.clone(), Ident::clone);
        match found.and_then(|found| columns.get(found)) {
            None => errors.at_with_help(
                at,
                format!("`timestamps` needs a column `{name}`"),
                format!("add `{name}: DateTime<Utc>`, or name another: `timestamps({part} = …)`"),
            ),
            Some(column) if column.optional || column.kind.is(Kind::Time) == Some(false) => {
                errors.at(&column.ty, format!("`{name}` is a timestamp: make it a `DateTime<Utc>` or `NaiveDateTime`"))
            }
            Some(_) => {}
        }
        found
    };
    let created = find(&named.created, CREATED_AT, "created");
    let updated = find(&named.updated, UPDATED_AT, "updated");
    [created, updated]
}

/// Marks the columns that an insert has to name.
pub(super) fn required(columns: &mut [Column], timestamps: [Option<usize>; 2]) {
    for (at, column) in columns.iter_mut().enumerate() {
        let made = column.auto || column.new_uuid || column.default.is_some() || timestamps.contains(&Some(at));
        let made = made || column.is_generated() || column.attr.default_sql.is_given();
        column.required = !made && !column.optional;
    }
}

fn positions(columns: &[Column], wanted: impl Fn(&Column) -> bool) -> Vec<usize> {
    columns.iter().enumerate().filter(|(_, column)| wanted(column)).map(|(at, _)| at).collect()
}
