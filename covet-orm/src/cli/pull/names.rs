//! From the names of a database to names in Rust: identifiers, each once, and none that a model cannot have.

use std::collections::BTreeSet;

/// Words of Rust that can be a field's name with `r#` before them.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that can be no name at all.
const NEVER: &[&str] = &["crate", "self", "super", "Self", "_"];

/// What a column or relation would hide: functions of models and of what they are created by, and words with a meaning
/// in the list of an index or a foreign key.
const TAKEN: &[&str] = &[
    "create",
    "query",
    "find",
    "insert_many",
    "insert_all",
    "update",
    "save",
    "delete",
    "decode",
    "get",
    "set",
    "meta",
    "exec",
    "on_conflict",
    "nulls_agree",
    "deferrable",
    "deferred",
];

/// How the functions begin that find a row by a unique index.
const FIND_BY: &str = "find_by_";

/// Types that a file of models names, or that a reader would take a model for.
const TYPES: &[&str] = &[
    "BelongsTo",
    "Box",
    "Clone",
    "Copy",
    "DateTime",
    "Db",
    "DbEnum",
    "DbNewtype",
    "Debug",
    "Decimal",
    "Eq",
    "Err",
    "Executor",
    "Expr",
    "HasMany",
    "HasOne",
    "Json",
    "ManyToMany",
    "Model",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Result",
    "Self",
    "Some",
    "String",
    "Tx",
    "Utc",
    "Uuid",
    "Value",
    "Vec",
];

/// The words of a name, in small letters: `user_id`, `userId`, `USER ID` and `User-ID` are `user` and `id`.
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        if !is_letter_or_digit(*c) {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase().filter(|c| is_letter_or_digit(*c)));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether it can stand in an identifier as it is, in any normal form of Unicode.
fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphabetic() && is_plain_letter(c))
}

/// Letters of scripts whose every letter may stand in an identifier, and is itself in every normal form.
fn is_plain_letter(c: char) -> bool {
    matches!(c,
        'à'..='ö' | 'ø'..='ÿ' | 'À'..='Ö' | 'Ø'..='ß' | 'Ā'..='ſ' | 'Α'..='Ω' | 'α'..='ω' | 'А'..='я' | 'ё' | 'Ё'
        | 'א'..='ת' | '\u{4e00}'..='\u{9fff}' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '가'..='힣')
        // Letters that have a normal form of their own.
        && !matches!(c, 'ŉ' | 'ſ' | 'ĳ' | 'Ĳ' | 'ŀ' | 'Ŀ')
}

/// `user_id`
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// `UserId`
pub(super) fn pascal(name: &str) -> String {
    words(name).iter().map(|word| capital(word)).collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// One of what the word says many of, as far as its ending tells: `categories` → `category`.
fn singular(word: &str) -> String {
    let strip = |end: &str| word.strip_suffix(end).filter(|stem| stem.len() > 1);
    if let Some(stem) = strip("ies") {
        return format!("{stem}y");
    }
    if ["ss", "us", "is", "news"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    if ["sses", "shes", "ches", "xes", "zes"].iter().any(|end| word.ends_with(end)) {
        return strip("es").unwrap_or(word).to_owned();
    }
    strip("s").unwrap_or(word).to_owned()
}

/// Many of what the word says one of.
pub(super) fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    match ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) {
        true => format!("{word}es"),
        false => format!("{word}s"),
    }
}

/// Names that are taken, in one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// A scope of types.
    pub(super) fn types() -> Self {
        Scope { taken: TYPES.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// The name for the model of a table: one of its rows.
    pub(super) fn model(&mut self, table: &str) -> String {
        let mut words = words(table);
        if let Some(last) = words.last_mut() {
            *last = singular(last);
        }
        let name: String = words.iter().map(|word| capital(word)).collect();
        self.type_name(name, "Table", "Row")
    }

    /// The name for an enum.
    pub(super) fn db_enum(&mut self, name: &str) -> String {
        self.type_name(pascal(name), "Enum", "Enum")
    }

    fn type_name(&mut self, name: String, otherwise: &str, behind: &str) -> String {
        let mut name = begun(name, otherwise, "T");
        if TYPES.contains(&name.as_str()) {
            name.push_str(behind);
        }
        self.once(name, "")
    }

    /// The name for a variant.
    pub(super) fn variant(&mut self, label: &str) -> String {
        let mut name = begun(pascal(label), "Label", "N");
        if NEVER.contains(&name.as_str()) {
            name.push_str("Label");
        }
        self.once(name, "")
    }

    /// The names for columns. One that has its name already keeps it, whatever others would become.
    pub(super) fn columns<'c>(&mut self, columns: &[&'c str]) -> Vec<String> {
        let wanted: Vec<(&'c str, String)> = columns.iter().map(|column| (*column, field(column))).collect();
        let first: Vec<bool> =
            wanted.iter().map(|(column, field)| *column == field && self.taken.insert(field.clone())).collect();
        let rest = wanted.into_iter().zip(first);
        rest.map(|((_, field), has_it)| if has_it { field } else { self.once(field, "_") }).collect()
    }

    /// A name for a relation: the first of these that is free, else the last with a number.
    pub(super) fn relation(&mut self, names: &[String]) -> String {
        let names: Vec<String> = names.iter().map(|name| field(name)).collect();
        if let Some(free) = names.iter().find(|name| !self.taken.contains(*name)) {
            self.taken.insert(free.clone());
            return free.clone();
        }
        self.once(names.into_iter().next_back().unwrap_or_default(), "_")
    }

    /// The name, with a number if it is taken.
    fn once(&mut self, name: String, between: &str) -> String {
        let mut free = name.clone();
        let mut number = 2;
        while !self.taken.insert(free.clone()) {
            free = format!("{name}{between}{number}");
            number += 1;
        }
        free
    }
}

/// A name that is not empty and begins with no digit.
fn begun(name: String, otherwise: &str, before: &str) -> String {
    match name.chars().next() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{before}{name}"),
        Some(_) => name,
    }
}

/// The name of a field, without `r#`.
fn field(name: &str) -> String {
    // `_id` is a name as good as any.
    let under = if name.starts_with('_') { "_" } else { "" };
    let mut field = begun(snake(name), "column", "_");
    if !field.starts_with('_') && name.get(1..).is_some_and(|rest| rest == field) {
        field = format!("{under}{field}");
    }
    if field.starts_with(FIND_BY) {
        field = format!("column_{field}");
    }
    if NEVER.contains(&field.as_str()) || TAKEN.contains(&field.as_str()) {
        field.push('_');
    }
    field
}

/// The field as it is written in Rust.
pub(super) fn written(field: &str) -> String {
    if KEYWORDS.contains(&field) { format!("r#{field}") } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Scope, field, pascal, singular, words, written};

    #[test]
    fn words_of_any_spelling() {
        for name in ["user_id", "userId", "USER ID", "User-ID", "UserID", "__user__id", "user\n\"id"] {
            assert_eq!(words(name), ["user", "id"], "{name}");
        }
        assert_eq!(pascal("http_server2"), "HttpServer2");
        assert_eq!(words("größe"), ["größe"]);
        assert!(words("%$ ²Ⓐ").is_empty());
        // What stands for two characters in one normal form stands for none here.
        assert_eq!(words("e\u{301}tat"), ["e", "tat"]);
    }

    #[test]
    fn one_of_many() {
        for (many, one) in [
            ("users", "user"),
            ("categories", "category"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("houses", "house"),
            ("status", "status"),
            ("news", "news"),
            ("s", "s"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn fields_are_identifiers_that_a_model_can_have() {
        for (column, name) in [
            ("type", "type"),
            ("self", "self_"),
            ("create", "create_"),
            ("find_by_x", "column_find_by_x"),
            ("2fa", "_2fa"),
            ("_id", "_id"),
            ("", "column"),
            ("%", "column"),
            ("nulls_agree", "nulls_agree_"),
        ] {
            assert_eq!(field(column), name);
        }
        assert_eq!((written("type"), written("kind")), ("r#type".to_owned(), "kind".to_owned()));
        let names = Scope::default().columns(&["userName", "USER_NAME", "user_name", "user name"]);
        assert_eq!(names, ["user_name_2", "user_name_3", "user_name", "user_name_4"]);
    }

    #[test]
    fn types_hide_nothing_and_stand_once() {
        let mut types = Scope::types();
        let models: Vec<String> = ["options", "Users", "users", "2x", "", "models"].map(|t| types.model(t)).into();
        assert_eq!(models, ["OptionRow", "User", "User2", "T2x", "Table", "ModelRow"]);
        assert_eq!(types.db_enum("user"), "User3");
        let mut labels = Scope::default();
        let variants: Vec<String> = ["self", "+", "-", "a-b", "a_b", "1"].map(|l| labels.variant(l)).into();
        assert_eq!(variants, ["SelfLabel", "Label", "Label2", "AB", "AB2", "N1"]);
    }
}
