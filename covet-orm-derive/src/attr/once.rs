//! An attribute that can be given once.

use proc_macro2::Ident;

use crate::attr::Item;
use crate::errors::Errors;

/// Where it was given, and its value.
pub(crate) struct Once<T> {
    found: Option<(Ident, Option<T>)>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once { found: None }
    }
}

impl<T> Once<T> {
    /// Keeps the value; `None` when it could not be read, which has been reported.
    pub(crate) fn set(&mut self, item: &Item, value: Option<T>, errors: &mut Errors) {
        match &self.found {
            Some((first, _)) => errors.twice(first, &item.word),
            None => self.found = Some((item.word.clone(), value)),
        }
    }

    /// The value, when it was given and could be read.
    pub(crate) fn get(&self) -> Option<&T> {
        self.found.as_ref().and_then(|(_, value)| value.as_ref())
    }

    /// The value, when it was given and could be read, taken out.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.found.as_mut().and_then(|(_, value)| value.take())
    }

    /// The word, when it was given, readable or not.
    pub(crate) fn word(&self) -> Option<&Ident> {
        self.found.as_ref().map(|(word, _)| word)
    }

    /// Whether it was given, readable or not.
    pub(crate) fn is_given(&self) -> bool {
        self.found.is_some()
    }
}
