//! Who has borrowed a connection, where in the program, and since when.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Who borrows: a place in the program, a name, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    location: Option<&'static Location<'static>>,
    name: Option<&'static str>,
}

/// A connection that is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who has borrowed it.
    pub place: Place,
    /// For how long it has been lent.
    pub held: Duration,
}

impl Place {
    /// The place of the caller.
    #[track_caller]
    #[must_use]
    pub fn here() -> Self {
        Place { location: Some(Location::caller()), name: None }
    }

    /// A name alone, where the code that borrows is out of reach.
    #[must_use]
    pub fn called(name: &'static str) -> Self {
        Place { location: None, name: Some(name) }
    }

    /// The same place, with a name.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// File, line and column, where they are known.
    #[must_use]
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    /// The name, where it was given one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.location) {
            (Some(name), Some(location)) => write!(f, "{name} at {location}"),
            (Some(name), None) => f.write_str(name),
            (None, Some(location)) => location.fmt(f),
            (None, None) => f.write_str("somebody"),
        }
    }
}

/// Every connection that is lent.
#[derive(Debug, Default)]
pub(super) struct Holders {
    all: Vec<Option<Lent>>,
    /// The empty ones of them.
    free: Vec<usize>,
    /// How often one was lent so far.
    lent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lent {
    place: Place,
    since: Instant,
    /// It was reported that it is held for too long.
    reported: bool,
}

impl Holders {
    /// A connection is lent. Gives the number under which it is remembered.
    pub(super) fn add(&mut self, place: Place, since: Instant) -> usize {
        self.lent += 1;
        let lent = Some(Lent { place, since, reported: false });
        match self.free.pop() {
            Some(number) => {
                if let Some(room) = self.all.get_mut(number) {
                    *room = lent;
                }
                number
            }
            None => {
                self.all.push(lent);
                self.all.len() - 1
            }
        }
    }

    /// It is not lent any more.
    pub(super) fn remove(&mut self, number: usize) {
        if let Some(room) = self.all.get_mut(number)
            && room.take().is_some()
        {
            self.free.push(number);
        }
    }

    /// Its borrower gives itself a name.
    pub(super) fn rename(&mut self, number: usize, name: &'static str) {
        if let Some(Some(lent)) = self.all.get_mut(number) {
            lent.place = lent.place.named(name);
        }
    }

    /// How many are lent.
    pub(super) fn count(&self) -> usize {
        self.all.len() - self.free.len()
    }

    /// How often one was lent so far.
    pub(super) fn lent(&self) -> u64 {
        self.lent
    }

    /// All of them, in no order.
    pub(super) fn list(&self, now: Instant) -> Vec<Holder> {
        self.all.iter().flatten().map(|lent| lent.holder(now)).collect()
    }

    /// Those that are held for longer than that and were not given before.
    pub(super) fn overdue(&mut self, now: Instant, limit: Duration) -> Vec<Holder> {
        let all = self.all.iter_mut().flatten();
        let overdue = all.filter(|lent| !lent.reported && now.saturating_duration_since(lent.since) > limit);
        overdue
            .map(|lent| {
                lent.reported = true;
                lent.holder(now)
            })
            .collect()
    }
}

impl Lent {
    fn holder(&self, now: Instant) -> Holder {
        Holder { place: self.place, held: now.saturating_duration_since(self.since) }
    }
}

/// The places that are named in one message.
const NAMED: usize = 5;

/// Who holds connections, in words: each place once, those that hold one for longest first.
pub(super) fn in_words(holders: &[Holder]) -> String {
    let mut places: Vec<(Place, Duration, usize)> = Vec::new();
    for holder in holders {
        match places.iter_mut().find(|(place, _, _)| *place == holder.place) {
            Some((_, _, count)) => *count += 1,
            None => places.push((holder.place, holder.held, 1)),
        }
    }
    let mut words: Vec<String> = places
        .iter()
        .take(NAMED)
        .map(|(place, held, count)| match count {
            1 => format!("{place} (for {})", rounded(*held)),
            count => format!("{place} ({count} of them, one for {})", rounded(*held)),
        })
        .collect();
    let others: usize = places.iter().skip(NAMED).map(|(_, _, count)| count).sum();
    if others > 0 {
        words.push(format!("{others} elsewhere"));
    }
    words.join(", ")
}

/// A duration to the millisecond.
fn rounded(duration: Duration) -> String {
    format!("{:?}", Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_once_and_not_without_end() {
        let here = Place::here();
        let millis = Duration::from_millis;
        let holders: Vec<Holder> = (0..3).map(|n| Holder { place: here, held: millis(50 - n) }).collect();
        let words = in_words(&holders);
        assert!(words.contains("holders.rs") && words.ends_with("(3 of them, one for 50ms)"), "{words}");
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let many: Vec<Holder> = names.iter().map(|name| Holder { place: here.named(name), held: millis(1) }).collect();
        assert!(in_words(&many).ends_with(", 2 elsewhere"), "{}", in_words(&many));
    }

    #[test]
    fn numbers_are_used_again() {
        let mut holders = Holders::default();
        let now = Instant::now();
        for _ in 0..100 {
            let (a, b) = (holders.add(Place::here(), now), holders.add(Place::here(), now));
            assert_eq!(holders.count(), 2);
            holders.remove(a);
            holders.remove(b);
            holders.remove(b);
        }
        assert_eq!((holders.count(), holders.all.len(), holders.lent()), (0, 2, 200));
    }

    #[test]
    fn what_is_overdue_is_given_once() {
        let mut holders = Holders::default();
        let (old, limit) = (Instant::now(), Duration::from_secs(1));
        holders.add(Place::here(), old);
        assert_eq!(holders.overdue(old + limit, limit), []);
        assert_eq!(holders.overdue(old + limit * 2, limit).len(), 1);
        assert_eq!(holders.overdue(old + limit * 3, limit), []);
    }
}
