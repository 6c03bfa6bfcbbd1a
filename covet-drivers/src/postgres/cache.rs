//! Prepared statements of one connection by their text: bounded, the least recently used goes first.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tokio_postgres::Statement;

use crate::postgres::wording::Wording;

/// A statement that is prepared on the server, and what its text tells.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The statement; dropping the last copy closes it on the server.
    pub(crate) statement: Statement,
    /// What its text tells.
    pub(crate) wording: Wording,
}

#[derive(Debug)]
pub(crate) struct Cache {
    most: usize,
    clock: u64,
    entries: HashMap<Box<str>, (u64, Prepared), BuildHasherDefault<TextHasher>>,
}

impl Cache {
    /// A cache of at most so many statements; 0 keeps none.
    pub(crate) fn new(most: usize) -> Self {
        Cache { most, clock: 0, entries: HashMap::default() }
    }

    pub(crate) fn get(&mut self, sql: &str) -> Option<Prepared> {
        self.clock += 1;
        let (used, prepared) = self.entries.get_mut(sql)?;
        *used = self.clock;
        Some(prepared.clone())
    }

    pub(crate) fn put(&mut self, sql: &str, prepared: Prepared) {
        if self.most == 0 {
            return;
        }
        if self.entries.len() >= self.most && !self.entries.contains_key(sql) {
            // A miss costs a round trip; a walk over some hundred numbers is nothing beside it.
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| *used).map(|(sql, _)| sql.clone());
            if let Some(oldest) = oldest {
                self.entries.remove(&oldest);
            }
        }
        self.clock += 1;
        self.entries.insert(sql.into(), (self.clock, prepared));
    }

    pub(crate) fn forget(&mut self, sql: &str) {
        self.entries.remove(sql);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Eight bytes a step. The map holds some hundred texts of one program, so nobody can gain from collisions.
#[derive(Debug, Default)]
pub(crate) struct TextHasher(u64);

impl TextHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.add(chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let rest = chunks.remainder().iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        self.add(rest);
        self.add(bytes.len() as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
