//! Where the messages of PostgreSQL and MySQL begin and end.

use crate::harness::Kind;
use crate::proxy::{Direction, Grain};

/// The bytes of one direction, cut into messages.
#[derive(Debug)]
pub(crate) struct Frames {
    kind: Kind,
    direction: Direction,
    grain: Grain,
    bytes: Vec<u8>,
    /// PostgreSQL's first messages to the server have no type.
    greeting: bool,
}

/// The protocol version in PostgreSQL's start-up message; other numbers there are requests before it.
const START_UP: u32 = 3 << 16;

impl Frames {
    pub(crate) fn new(kind: Kind, direction: Direction, grain: Grain) -> Self {
        let greeting = kind == Kind::Postgres && direction == Direction::ToServer;
        Frames { kind, direction, grain, bytes: Vec::new(), greeting }
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What is no whole message.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let length = match self.grain {
            Grain::Byte => 1,
            Grain::Message => self.length()?,
        };
        if self.bytes.len() < length {
            return None;
        }
        if self.greeting && self.grain == Grain::Message {
            self.greeting = u32_at(&self.bytes, 4)? != START_UP;
        }
        Some(self.bytes.drain(..length).collect())
    }

    /// How many bytes stand behind, where bytes are no messages.
    pub(crate) fn bytes_behind(&self) -> usize {
        match self.grain {
            Grain::Byte => self.bytes.len(),
            Grain::Message => 0,
        }
    }

    /// The next so many of them.
    pub(crate) fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.bytes.drain(..bytes).collect()
    }

    fn length(&self) -> Option<usize> {
        let bytes = &self.bytes;
        let length = match self.kind {
            Kind::Postgres if self.greeting => u32_at(bytes, 0)?,
            Kind::Postgres => u32_at(bytes, 1)? + 1,
            _ => u32::from_le_bytes([*bytes.first()?, *bytes.get(1)?, *bytes.get(2)?, 0]) + 4,
        };
        usize::try_from(length).ok()
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Frames;
    use crate::harness::Kind;
    use crate::proxy::{Direction, Grain};

    #[test]
    fn messages_are_found_however_they_arrive() {
        let start_up = [0, 0, 0, 9, 0, 3, 0, 0, 0];
        let query = [b'Q', 0, 0, 0, 5, 0];
        let mut frames = Frames::new(Kind::Postgres, Direction::ToServer, Grain::Message);
        let mut found = Vec::new();
        for byte in start_up.iter().chain(&query).chain(&query) {
            frames.add(&[*byte]);
            found.extend(std::iter::from_fn(|| frames.next()));
        }
        assert_eq!(found, [start_up.to_vec(), query.to_vec(), query.to_vec()]);
        let mut frames = Frames::new(Kind::Mysql, Direction::ToClient, Grain::Message);
        frames.add(&[1, 0, 0, 0, 7, 0, 0, 0, 1, 2, 0, 0]);
        assert_eq!(
            (frames.next(), frames.next(), frames.next()),
            (Some(vec![1, 0, 0, 0, 7]), Some(vec![0, 0, 0, 1]), None)
        );
        assert_eq!(frames.rest(), [2, 0, 0]);
    }
}
