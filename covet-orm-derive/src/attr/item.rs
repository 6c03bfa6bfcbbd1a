//! One word of `#[covet(…)]` with what follows it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitBool, LitStr, Meta, Token};

use crate::errors::Errors;
use crate::names::{Place, Word};

/// A word and the tokens up to the next comma.
pub(crate) struct Item {
    /// The word.
    pub(crate) word: Ident,
    rest: TokenStream,
}

/// The items of all `covet` attributes.
pub(crate) fn items(attrs: &[Attribute], errors: &mut Errors) -> Vec<Item> {
    let mut items = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("covet")) {
        match &attr.meta {
            Meta::List(list) => items.extend(split(list.tokens.clone(), errors)),
            other => errors.at(other, "attributes are written `#[covet(…)]`"),
        }
    }
    items
}

/// The items between the commas.
fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<Item> {
    let mut items = Vec::new();
    let mut piece = TokenStream::new();
    let mut flush = |piece: TokenStream| {
        let mut tokens = piece.clone().into_iter();
        match tokens.next() {
            None => {}
            Some(TokenTree::Ident(word)) => items.push(Item { word, rest: tokens.collect() }),
            Some(_) => errors.at(piece, "expected a word such as `key` or `unique`"),
        }
    };
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => flush(std::mem::take(&mut piece)),
            other => piece.extend([other]),
        }
    }
    flush(piece);
    items
}

impl Item {
    /// Whether it is this word.
    pub(crate) fn is(&self, word: Word) -> bool {
        self.word == word.text
    }

    /// Nothing follows the word.
    pub(crate) fn flag(&self, word: Word, errors: &mut Errors) -> Option<()> {
        if self.rest.is_empty() {
            return Some(());
        }
        self.malformed(word, errors);
        None
    }

    /// `= value` follows the word.
    pub(crate) fn value<T: Parse>(&self, word: Word, errors: &mut Errors) -> Option<T> {
        let parser = |input: ParseStream<'_>| {
            input.parse::<Token![=]>()?;
            input.parse()
        };
        self.read(parser, word, errors)
    }

    /// `= "text"` follows the word, and the text says something.
    pub(crate) fn text(&self, word: Word, errors: &mut Errors) -> Option<LitStr> {
        let text: LitStr = self.value(word, errors)?;
        if text.value().trim().is_empty() || text.value().contains('\0') {
            errors.at(&text, format!("`{}` says nothing: leave it out", word.text));
            return None;
        }
        Some(text)
    }

    /// `= true`, `= false` or nothing follows the word.
    pub(crate) fn switch(&self, word: Word, errors: &mut Errors) -> Option<bool> {
        if self.rest.is_empty() {
            return Some(true);
        }
        self.value::<LitBool>(word, errors).map(|value| value.value)
    }

    /// `(a, b, …)` follows the word.
    pub(crate) fn list<T: Parse>(&self, word: Word, errors: &mut Errors) -> Option<Vec<T>> {
        let parser = |input: ParseStream<'_>| {
            let content;
            syn::parenthesized!(content in input);
            Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
        };
        self.read(parser, word, errors)
    }

    /// Words in parentheses follow the word.
    pub(crate) fn nested(&self, word: Word, errors: &mut Errors) -> Option<Vec<Item>> {
        let parser = |input: ParseStream<'_>| {
            let content;
            syn::parenthesized!(content in input);
            content.parse::<TokenStream>()
        };
        let inner = self.read(parser, word, errors)?;
        Some(split(inner, errors))
    }

    /// Whether parentheses follow the word.
    pub(crate) fn begins_with_group(&self) -> bool {
        matches!(self.rest.clone().into_iter().next(), Some(TokenTree::Group(_)))
    }

    /// The texts in parentheses behind the word, if nothing else stands there.
    pub(crate) fn texts(&self) -> Option<Vec<LitStr>> {
        let parser = |input: ParseStream<'_>| {
            let content;
            syn::parenthesized!(content in input);
            Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
        };
        parser.parse2(self.rest.clone()).ok()
    }

    /// Whether nothing follows the word.
    pub(crate) fn is_bare(&self) -> bool {
        self.rest.is_empty()
    }

    /// The word does not belong where it stands.
    pub(crate) fn misplaced(&self, place: Place, errors: &mut Errors) {
        let word = self.word.to_string();
        match place.other(&word) {
            Some(other) => {
                errors.at(&self.word, format!("`{word}` belongs on {}, and this is {}", other.text(), place.text()));
            }
            None => {
                let known = place.words().iter().map(|word| word.text);
                errors.unknown(&self.word, format!("`{word}` is no attribute of {}", place.text()), known);
            }
        }
    }

    /// It is none of the parts that may stand in the parentheses of this word.
    pub(crate) fn no_part_of(&self, whole: &Ident, parts: &[Word], errors: &mut Errors) {
        let known = parts.iter().map(|word| word.text);
        errors.unknown(&self.word, format!("`{}` is no part of `{whole}`", self.word), known);
    }

    /// The word is not followed by what it needs.
    pub(crate) fn malformed(&self, word: Word, errors: &mut Errors) {
        errors.at(self, format!("`{}` is written `{}`", word.text, word.form));
    }

    fn read<T>(
        &self,
        parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
        word: Word,
        errors: &mut Errors,
    ) -> Option<T> {
        let read = parser.parse2(self.rest.clone());
        if read.is_err() {
            self.malformed(word, errors);
        }
        read.ok()
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Item { word, rest } = self;
        tokens.extend(quote!(#word #rest));
    }
}
