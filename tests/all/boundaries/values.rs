//! What a type holds on a database and what it refuses: one line a type in the table.

use covet_orm::ErrorKind;
use covet_tests::Kind;

/// The values of one column on one database.
pub(super) struct Values<T> {
    kind: Kind,
    active: bool,
    /// What is put in, and what comes back.
    pub(super) held: Vec<(T, T)>,
    /// What neither writes nor questions may have.
    pub(super) refused: Vec<(ErrorKind, T)>,
    /// What cannot be written, and of which one may well ask.
    pub(super) unwritable: Vec<(ErrorKind, T)>,
}

impl<T: Clone> Values<T> {
    pub(super) fn of(kind: Kind) -> Self {
        Values { kind, active: true, held: Vec::new(), refused: Vec::new(), unwritable: Vec::new() }
    }

    /// What follows is about these databases only.
    pub(super) fn on(mut self, kinds: &[Kind]) -> Self {
        self.active = kinds.contains(&self.kind);
        self
    }

    pub(super) fn holds(self, values: impl IntoIterator<Item = T>) -> Self {
        self.turns(values.into_iter().map(|value| (value.clone(), value)))
    }

    /// The first is put in, the second comes back.
    pub(super) fn turns(mut self, values: impl IntoIterator<Item = (T, T)>) -> Self {
        self.held.extend(values.into_iter().filter(|_| self.active));
        self
    }

    pub(super) fn refuses(mut self, kind: ErrorKind, values: impl IntoIterator<Item = T>) -> Self {
        self.refused.extend(values.into_iter().filter(|_| self.active).map(|value| (kind, value)));
        self
    }

    pub(super) fn does_not_write(mut self, kind: ErrorKind, values: impl IntoIterator<Item = T>) -> Self {
        self.unwritable.extend(values.into_iter().filter(|_| self.active).map(|value| (kind, value)));
        self
    }
}
