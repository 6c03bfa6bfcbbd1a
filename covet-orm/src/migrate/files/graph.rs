//! The order of migrations: each after those that it follows, and among those that could run next the oldest first.

use std::collections::{BTreeMap, BTreeSet};

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::Migration;

/// The migrations in order, and who follows whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    /// In the order in which they run.
    pub(super) order: Vec<Migration>,
    /// The place of each, by its id.
    pub(super) places: BTreeMap<String, usize>,
    /// For each, the places of those that it follows.
    parents: Vec<Vec<usize>>,
    /// For each, the places of all that come before it by any way: a bit each.
    before: Vec<Vec<u64>>,
}

impl Graph {
    /// Puts them in order.
    pub(super) fn new(mut by_id: BTreeMap<String, Migration>) -> Result<Self> {
        let names = names(&by_id)?;
        let mut waits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for migration in by_id.values() {
            let mut parents = BTreeSet::new();
            for parent in migration.parents() {
                let Some(known) = names.get(parent) else {
                    return Err(Error::new(
                        ErrorKind::Migration,
                        format!("the migration {} follows {parent}, which is not there", migration.id()),
                    )
                    .with_help("restore the folder of that migration"));
                };
                if let Some(whole) = by_id.get(known).filter(|whole| is_inner(whole, parent)) {
                    return Err(inside(migration, parent, whole));
                }
                next.entry(known.clone()).or_default().push(migration.id().to_owned());
                parents.insert(known.clone());
            }
            waits.insert(migration.id().to_owned(), parents);
        }
        let mut ready: BTreeSet<String> =
            waits.iter().filter(|(_, parents)| parents.is_empty()).map(|(id, _)| id.clone()).collect();
        let mut graph = Graph::default();
        while let Some(id) = ready.pop_first() {
            let Some(migration) = by_id.remove(&id) else { continue };
            let mut parents: Vec<usize> =
                migration.parents().iter().filter_map(|parent| graph.places.get(names.get(parent)?).copied()).collect();
            parents.sort_unstable();
            parents.dedup();
            for follower in next.remove(&id).unwrap_or_default() {
                if let Some(waits) = waits.get_mut(&follower) {
                    waits.remove(&id);
                    if waits.is_empty() {
                        ready.insert(follower);
                    }
                }
            }
            graph.places.insert(id, graph.order.len());
            graph.push(migration, parents);
        }
        match by_id.into_values().next() {
            None => Ok(graph),
            Some(lost) => Err(Error::new(
                ErrorKind::Migration,
                format!("the migration {} follows itself in a circle of parents", lost.id()),
            )),
        }
    }

    fn push(&mut self, migration: Migration, parents: Vec<usize>) {
        let mut before = vec![0_u64; self.order.len() / 64 + 1];
        for parent in &parents {
            for (word, theirs) in before.iter_mut().zip(self.before.get(*parent).into_iter().flatten()) {
                *word |= theirs;
            }
            if let Some(word) = before.get_mut(parent / 64) {
                *word |= 1 << (parent % 64);
            }
        }
        self.order.push(migration);
        self.parents.push(parents);
        self.before.push(before);
    }

    /// Whether one comes before another by any way.
    pub(super) fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.before
            .get(later)
            .and_then(|bits| bits.get(earlier / 64))
            .is_some_and(|word| word >> (earlier % 64) & 1 == 1)
    }

    /// Whether each follows the one before it.
    fn is_line(&self) -> bool {
        self.parents.iter().enumerate().all(|(index, parents)| match parents[..] {
            [] => index == 0,
            [parent] => parent + 1 == index,
            _ => false,
        })
    }

    /// The places of those that one follows, under whatever names it knows them.
    pub(super) fn parents(&self, place: usize) -> &[usize] {
        self.parents.get(place).map_or(&[], Vec::as_slice)
    }

    /// The places of those that nothing follows.
    pub(super) fn heads(&self) -> Vec<usize> {
        let followed: BTreeSet<usize> = self.parents.iter().flatten().copied().collect();
        (0..self.order.len()).filter(|index| !followed.contains(index)).collect()
    }

    /// The pairs of which neither comes before the other.
    pub(super) fn side_by_side(&self) -> Vec<(usize, usize)> {
        if self.is_line() {
            return Vec::new();
        }
        let all = (0..self.order.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        all.filter(|(earlier, later)| !self.is_before(*earlier, *later)).collect()
    }
}

/// Whether the one stands for the other and for what came behind that.
fn is_inner(whole: &Migration, id: &str) -> bool {
    whole.replaces().iter().any(|replaced| replaced == id) && !whole.ends_with(id)
}

#[cold]
fn inside(migration: &Migration, parent: &str, whole: &Migration) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!(
            "the migration {} follows {parent}, from the middle of what was squashed into {}: it knows nothing of the rest",
            migration.id(),
            whole.path().display()
        ),
    )
    .with_help("where it is applied nowhere, remove its folder and make it again")
}

/// Each id, and the id of the migration that stands for it: its own, or one that replaced it.
fn names(by_id: &BTreeMap<String, Migration>) -> Result<BTreeMap<String, String>> {
    let mut names: BTreeMap<String, String> = by_id.keys().map(|id| (id.clone(), id.clone())).collect();
    for migration in by_id.values() {
        for replaced in migration.replaces() {
            if let Some(other) = names.insert(replaced.clone(), migration.id().to_owned()) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the migration {} replaces {replaced}, which is there as {other}", migration.id()),
                )
                .with_help("remove the folder that was replaced"));
            }
        }
    }
    Ok(names)
}
