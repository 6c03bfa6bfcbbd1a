//! From the names of Rust items to the names of tables and labels.

use crate::names::Case;

/// The words of `snake_case`, `PascalCase` and of what lies between.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins = *c == '_'
            || c.is_uppercase()
                && before
                    .is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && *c != '_'
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `PostTag` → `post_tag`
pub(crate) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// The simple plural: `category` → `categories`, `box` → `boxes`, `user` → `users`.
pub(crate) fn plural(word: &str) -> String {
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

impl Case {
    /// The variant's name in this spelling.
    pub(crate) fn apply(self, name: &str) -> String {
        let words = words(name);
        match self {
            Case::Lower => words.concat(),
            Case::Upper => words.concat().to_uppercase(),
            Case::Snake => words.join("_"),
            Case::ScreamingSnake => words.join("_").to_uppercase(),
            Case::Kebab => words.join("-"),
            Case::Camel => {
                let mut words = words.iter();
                let first = words.next().cloned().unwrap_or_default();
                words.fold(first, |name, word| name + &capital(word))
            }
            Case::Pascal => words.iter().map(|word| capital(word)).collect(),
        }
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{plural, snake};
    use crate::names::CASES;

    #[test]
    fn tables_are_named_after_their_structs() {
        let table = |name: &str| plural(&snake(name));
        assert_eq!(table("User"), "users");
        assert_eq!(table("Category"), "categories");
        assert_eq!(table("Day"), "days");
        assert_eq!(table("Box"), "boxes");
        assert_eq!(table("Bus"), "buses");
        assert_eq!(table("Branch"), "branches");
        assert_eq!(table("Wish"), "wishes");
        assert_eq!(table("PostTag"), "post_tags");
        assert_eq!(table("HTTPServer"), "http_servers");
        assert_eq!(table("OAuth2Token"), "o_auth2_tokens");
        assert_eq!(table("Y"), "ies");
        assert_eq!(table("Größe"), "größes");
    }

    #[test]
    fn labels_follow_the_spelling_asked_for() {
        let spelt: Vec<(&str, String)> = CASES.iter().map(|(name, case)| (*name, case.apply("InReview2"))).collect();
        let expected = [
            ("snake_case", "in_review2"),
            ("SCREAMING_SNAKE_CASE", "IN_REVIEW2"),
            ("kebab-case", "in-review2"),
            ("lowercase", "inreview2"),
            ("UPPERCASE", "INREVIEW2"),
            ("camelCase", "inReview2"),
            ("PascalCase", "InReview2"),
        ];
        assert_eq!(spelt, expected.map(|(name, label)| (name, label.to_owned())));
    }
}
