//! Who waits, in the order of asking. Whoever gives up leaves from the middle at no more cost than from the front, and
//! the room of whoever has left is used again.

use std::task::Waker;
use std::time::Instant;

use crate::pool::holders::Place;
use crate::pool::member::Member;

/// No other.
const NONE: usize = usize::MAX;

/// Those who wait, and those who have been answered and have not come for it yet.
pub(super) struct Queue {
    rooms: Vec<Room>,
    /// The empty ones of them.
    free: Vec<usize>,
    first: usize,
    last: usize,
    /// How many of those who wait want a connection.
    borrowers: usize,
}

struct Room {
    before: usize,
    after: usize,
    guest: Guest,
}

/// Who is in a room.
enum Guest {
    Nobody,
    Waits(Waiter),
    Answered(Answer),
}

/// Somebody who waits.
pub(super) struct Waiter {
    pub(super) waker: Waker,
    /// For whom a connection is wanted; nobody, for a seat alone.
    pub(super) place: Option<Place>,
}

/// What somebody is told who has waited. The seat that goes with it is held from then on.
pub(super) enum Answer {
    /// A connection, the number of its holder, and since when it is lent.
    Lent(Box<Member>, usize, Instant),
    /// A seat: a connection must be tested or opened.
    Seat,
    /// The pool is closed.
    Closed,
}

/// How somebody leaves.
pub(super) enum Left {
    /// Nobody had come to it yet.
    Waiting(Waiter),
    Answered(Answer),
}

impl Queue {
    pub(super) fn new() -> Self {
        Queue { rooms: Vec::new(), free: Vec::new(), first: NONE, last: NONE, borrowers: 0 }
    }

    /// How many wait for a connection; not those who want a seat alone.
    pub(super) fn borrowers(&self) -> usize {
        self.borrowers
    }

    /// Somebody waits from now on. Gives the number of the room.
    pub(super) fn join(&mut self, waiter: Waiter) -> usize {
        self.borrowers += usize::from(waiter.place.is_some());
        let room = Room { before: self.last, after: NONE, guest: Guest::Waits(waiter) };
        let number = match self.free.pop() {
            Some(number) => {
                self.rooms[number] = room;
                number
            }
            None => {
                self.rooms.push(room);
                self.rooms.len() - 1
            }
        };
        match self.rooms.get_mut(self.last) {
            Some(last) => last.after = number,
            None => self.first = number,
        }
        self.last = number;
        number
    }

    /// Who is next.
    pub(super) fn first(&self) -> Option<&Waiter> {
        match &self.rooms.get(self.first)?.guest {
            Guest::Waits(waiter) => Some(waiter),
            Guest::Nobody | Guest::Answered(_) => None,
        }
    }

    /// Tells the first of those who wait. Whoever calls wakes it, without holding a lock.
    pub(super) fn answer(&mut self, answer: Answer) -> Option<Waker> {
        let number = self.first;
        self.rooms.get(number)?;
        self.unlink(number);
        match std::mem::replace(&mut self.rooms[number].guest, Guest::Answered(answer)) {
            Guest::Waits(waiter) => {
                self.borrowers -= usize::from(waiter.place.is_some());
                Some(waiter.waker)
            }
            Guest::Nobody | Guest::Answered(_) => None,
        }
    }

    /// Takes back the connections that nobody has come for yet, with the numbers of their holders: those are told that the
    /// pool is closed.
    pub(super) fn recall(&mut self) -> Vec<(Box<Member>, usize)> {
        let mut recalled = Vec::new();
        for room in &mut self.rooms {
            match std::mem::replace(&mut room.guest, Guest::Nobody) {
                Guest::Answered(Answer::Lent(member, number, _)) => {
                    room.guest = Guest::Answered(Answer::Closed);
                    recalled.push((member, number));
                }
                other => room.guest = other,
            }
        }
        recalled
    }

    /// What the one in this room was told, who leaves with it; or nothing yet, and then this wakes it. The waker of before
    /// is to be dropped without holding a lock.
    pub(super) fn ask(&mut self, number: usize, waker: &Waker) -> Result<Answer, Option<Waker>> {
        if let Guest::Waits(waiter) = &mut self.rooms[number].guest {
            let is_new = !waiter.waker.will_wake(waker);
            return Err(is_new.then(|| std::mem::replace(&mut waiter.waker, waker.clone())));
        }
        match self.leave(number) {
            Left::Answered(answer) => Ok(answer),
            Left::Waiting(waiter) => Err(Some(waiter.waker)),
        }
    }

    /// The one in this room leaves.
    pub(super) fn leave(&mut self, number: usize) -> Left {
        let guest = std::mem::replace(&mut self.rooms[number].guest, Guest::Nobody);
        let left = match guest {
            Guest::Waits(waiter) => {
                self.unlink(number);
                self.borrowers -= usize::from(waiter.place.is_some());
                Left::Waiting(waiter)
            }
            Guest::Answered(answer) => Left::Answered(answer),
            Guest::Nobody => unreachable!("nobody leaves twice"),
        };
        self.free.push(number);
        left
    }

    fn unlink(&mut self, number: usize) {
        let Room { before, after, .. } = self.rooms[number];
        match self.rooms.get_mut(before) {
            Some(room) => room.after = after,
            None => self.first = after,
        }
        match self.rooms.get_mut(after) {
            Some(room) => room.before = before,
            None => self.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(queue: &mut Queue, name: &'static str) -> usize {
        queue.join(Waiter { waker: Waker::noop().clone(), place: Some(Place::called(name)) })
    }

    /// The names of those who wait, by serving them all.
    fn served(queue: &mut Queue) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(waiter) = queue.first() {
            names.extend(waiter.place.and_then(|place| place.name()));
            assert!(queue.answer(Answer::Seat).is_some());
        }
        names
    }

    #[test]
    fn who_gives_up_leaves_the_order_of_the_others() {
        let mut queue = Queue::new();
        let rooms = ["a", "b", "c", "d", "e"].map(|name| join(&mut queue, name));
        for gives_up in [2, 0, 4] {
            assert!(matches!(queue.leave(rooms[gives_up]), Left::Waiting(_)));
        }
        join(&mut queue, "f");
        assert_eq!(queue.borrowers(), 3);
        assert_eq!(served(&mut queue), ["b", "d", "f"]);
        assert_eq!(queue.borrowers(), 0);
        assert!(queue.answer(Answer::Closed).is_none(), "nobody is left");
    }

    #[test]
    fn an_answer_waits_for_whoever_was_told_and_rooms_are_used_again() {
        let mut queue = Queue::new();
        for _ in 0..100 {
            let (one, other) = (join(&mut queue, "one"), join(&mut queue, "other"));
            assert!(queue.ask(one, Waker::noop()).is_err(), "not yet");
            assert_eq!(served(&mut queue), ["one", "other"]);
            assert!(matches!(queue.ask(other, Waker::noop()), Ok(Answer::Seat)));
            assert!(matches!(queue.leave(one), Left::Answered(Answer::Seat)), "it gave up too late");
        }
        assert_eq!((queue.rooms.len(), queue.free.len()), (2, 2));
    }

    /// Whoever comes and goes in whatever order: the queue agrees with a list.
    #[test]
    fn it_is_a_list() {
        let mut queue = Queue::new();
        let mut list: Vec<(usize, &'static str)> = Vec::new();
        let mut seed = 42_u32;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (what, which) = (seed >> 24, usize::try_from(seed >> 8 & 0xffff).unwrap_or(0));
            if list.is_empty() || what < 100 {
                let name = if which % 2 == 0 { "even" } else { "odd" };
                list.push((join(&mut queue, name), name));
            } else if what < 180 {
                let (room, _) = list.remove(which % list.len());
                assert!(matches!(queue.leave(room), Left::Waiting(_)));
            } else {
                let (room, name) = list.remove(0);
                assert_eq!(queue.first().and_then(|waiter| waiter.place?.name()), Some(name));
                queue.answer(Answer::Seat);
                assert!(matches!(queue.leave(room), Left::Answered(_)));
            }
            assert_eq!(queue.borrowers(), list.len());
        }
    }
}
