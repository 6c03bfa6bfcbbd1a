//! A text in SQL: one for all databases, or one for each.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Path, Token};

use crate::attr::Item;
use crate::errors::Errors;
use crate::names::Word;

/// A text in SQL.
#[derive(Clone)]
pub(crate) enum Sql {
    /// For all databases.
    Same(LitStr),
    /// By the names of databases.
    Each(Vec<(String, LitStr)>),
}

impl Sql {
    /// `= "text"` or `(postgres = "text", …)` behind the word.
    pub(crate) fn read(item: &Item, word: Word, errors: &mut Errors) -> Option<Self> {
        if item.begins_with_group() {
            let mut texts = Vec::new();
            for part in item.nested(word, errors)? {
                let text: LitStr = part.value(word, errors)?;
                texts.push((part.word.to_string(), filled(text, errors)?));
            }
            if texts.is_empty() {
                item.malformed(word, errors);
                return None;
            }
            // In the order in which a snapshot has them.
            texts.sort_by(|(a, _), (b, _)| a.cmp(b));
            return Some(Sql::Each(texts));
        }
        Some(Sql::Same(filled(item.value(word, errors)?, errors)?))
    }
}

/// A text that is not empty.
pub(crate) fn filled(text: LitStr, errors: &mut Errors) -> Option<LitStr> {
    let value = text.value();
    if value.trim().is_empty() || value.contains('\0') {
        errors.at(&text, "this text in SQL says nothing");
        return None;
    }
    Some(text)
}

/// `Model(field, field)`: what several columns point at together.
pub(crate) struct Fields {
    pub(crate) model: Path,
    pub(crate) fields: Vec<Ident>,
}

impl Parse for Fields {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let model = input.call(Path::parse_mod_style)?;
        let content;
        syn::parenthesized!(content in input);
        let fields = Punctuated::<_, Token![,]>::parse_terminated(&content)?;
        Ok(Fields { model, fields: fields.into_iter().collect() })
    }
}
