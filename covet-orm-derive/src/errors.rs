//! Collects the mistakes of one item, so that they are reported together.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::nearest::nearest;

/// The mistakes found so far. Dropping it without [`finish`](Errors::finish) is a bug and panics.
pub(crate) struct Errors {
    list: Option<Vec<syn::Error>>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Errors { list: Some(Vec::new()) }
    }

    /// A mistake at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        if let Some(list) = &mut self.list {
            list.push(syn::Error::new_spanned(tokens, message));
        }
    }

    /// A mistake at these tokens, and the way out of it.
    pub(crate) fn at_with_help(&mut self, tokens: impl ToTokens, message: impl Display, help: impl Display) {
        self.at(tokens, format!("{message}\nhelp: {help}"));
    }

    /// A word that is given twice; the error covers both places.
    pub(crate) fn twice(&mut self, first: &Ident, second: &Ident) {
        self.at(quote!(#first #second), format!("`{second}` is given twice"));
    }

    /// A name that is none of the known ones.
    pub(crate) fn unknown<'a>(
        &mut self,
        word: &Ident,
        message: impl Display,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        match nearest(&word.to_string(), known.clone()) {
            Some(near) => self.at_with_help(word, message, format!("did you mean `{near}`?")),
            None => {
                let known: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
                match known.is_empty() {
                    true => self.at(word, message),
                    false => self.at_with_help(word, message, format!("there are {}", known.join(", "))),
                }
            }
        }
    }

    /// The errors as code, or `None` when there are none.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        let list = self.list.take().unwrap_or_default();
        if list.is_empty() {
            return None;
        }
        Some(list.iter().map(syn::Error::to_compile_error).collect())
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if self.list.is_some() && !std::thread::panicking() {
            panic!("the collected errors were never reported");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Errors;

    #[test]
    #[should_panic(expected = "never reported")]
    fn forgetting_to_finish_is_noticed() {
        let errors = Errors::new();
        drop(errors);
    }

    #[test]
    fn nothing_collected_is_no_code() {
        assert!(Errors::new().finish().is_none());
    }
}
