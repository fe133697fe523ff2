//! Checking the journals of all services against themselves and against one another.
//!
//! Each chain is recomputed by the chassis's verifier. Beyond that: no chain without a head, and no follower that has seen
//! of a stream what its source's journal does not hold, or holds otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chassis::journal::{self, Verifier};
use jiff::Timestamp;
use proto::chassis::export_response::Item;
use proto::chassis::{AggregateHead, Entry, FollowedHead};
use serde::Serialize;
use uuid::Uuid;

/// Something wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// In which service's journal.
    pub service: String,
    /// In which chain.
    pub aggregate: String,
    /// At which row; 0 where it is about none of them.
    pub sequence: i64,
    /// What.
    pub what: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.service, self.aggregate)?;
        if self.sequence != 0 {
            write!(f, " row {}", self.sequence)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many rows were checked.
    pub rows: u64,
    /// How many chains they make.
    pub aggregates: u64,
    /// How many cursors of followers were compared.
    pub cursors: u64,
    /// Everything that is wrong.
    pub faults: Vec<Found>,
}

/// One service's journal as it is read.
#[derive(Default)]
struct Book {
    verifier: Verifier,
    /// The ids of each chain's public events, in order.
    public: BTreeMap<Uuid, Vec<Uuid>>,
    /// Chains of which no head came yet.
    headless: BTreeSet<Uuid>,
    aggregates: u64,
}

/// Takes the exports of all services, then says what is wrong.
#[derive(Default)]
pub struct Audit {
    books: BTreeMap<&'static str, Book>,
    followed: Vec<(&'static str, FollowedHead)>,
    faults: Vec<Found>,
}

impl Audit {
    /// Takes the next item of a service's export.
    pub fn take(&mut self, service: &'static str, item: Item) {
        match item {
            Item::Entry(entry) => self.entry(service, &entry),
            Item::Head(head) => self.head(service, &head),
            Item::Followed(head) => self.followed.push((service, head)),
        }
    }

    fn entry(&mut self, service: &'static str, entry: &Entry) {
        let Some(row) = row(entry) else {
            return self.unreadable(service, &entry.aggregate, entry.sequence);
        };
        let book = self.books.entry(service).or_default();
        // Heads come after all rows, so a chain that is new here is new.
        book.aggregates += u64::from(book.headless.insert(row.aggregate));
        if row.public_sequence.is_some() {
            let public = book.public.entry(row.aggregate).or_default();
            public.push(row.event_id);
        }
        book.verifier.entry(&row);
    }

    fn head(&mut self, service: &'static str, head: &AggregateHead) {
        let Ok(aggregate) = Uuid::parse_str(&head.aggregate) else {
            return self.unreadable(service, &head.aggregate, head.version);
        };
        let book = self.books.entry(service).or_default();
        book.headless.remove(&aggregate);
        book.verifier.head(&journal::Head {
            aggregate,
            version: head.version,
            public_sequence: head.public_sequence,
            hash: head.head.clone(),
        });
    }

    fn unreadable(&mut self, service: &str, aggregate: &str, sequence: i64) {
        self.faults.push(Found {
            service: service.to_owned(),
            aggregate: aggregate.to_owned(),
            sequence,
            what: "the row cannot be read: an id is no UUID, or its time is none".to_owned(),
        });
    }

    /// The streams (source, stream) of which a follower has seen more than was read here.
    pub fn unseen(&self) -> BTreeSet<(String, Uuid)> {
        let unseen = self.followed.iter().filter_map(|(_, followed)| {
            let stream = Uuid::parse_str(&followed.stream).ok()?;
            let held = self.held(&followed.source, stream);
            let seen = usize::try_from(followed.sequence).unwrap_or_default();
            (seen > held.len()).then(|| (followed.source.clone(), stream))
        });
        unseen.collect()
    }

    /// Takes what a source's journal holds of a stream by now.
    pub fn add_later(&mut self, source: &'static str, stream: Uuid, entries: &[Entry]) {
        let mut public: Vec<_> = entries
            .iter()
            .filter(|entry| entry.public_sequence > 0)
            .filter_map(|entry| {
                Some((
                    entry.public_sequence,
                    Uuid::parse_str(&entry.event_id).ok()?,
                ))
            })
            .collect();
        public.sort_unstable();
        let book = self.books.entry(source).or_default();
        let known = book.public.entry(stream).or_default();
        known.extend(public.into_iter().skip(known.len()).map(|(_, id)| id));
    }

    fn held(&self, source: &str, stream: Uuid) -> &[Uuid] {
        let public = self.books.get(source).map(|book| &book.public);
        public
            .and_then(|public| public.get(&stream))
            .map_or(&[], Vec::as_slice)
    }

    /// Everything that is wrong.
    pub fn finish(self) -> Outcome {
        let mut outcome = Outcome {
            cursors: self.followed.len() as u64,
            faults: self.faults.clone(),
            ..Outcome::default()
        };
        let cursors = self.cursor_faults();
        for (service, book) in self.books {
            let (rows, faults) = book.verifier.finish();
            outcome.rows += rows;
            outcome.aggregates += book.aggregates;
            outcome.faults.extend(faults.into_iter().map(|fault| Found {
                service: service.to_owned(),
                aggregate: fault.aggregate.to_string(),
                sequence: fault.sequence,
                what: fault.what.to_owned(),
            }));
            let headless = book.headless.into_iter();
            outcome.faults.extend(headless.map(|aggregate| Found {
                service: service.to_owned(),
                aggregate: aggregate.to_string(),
                sequence: 1,
                what: "the chain has no head: what was kept beside the journal is gone".to_owned(),
            }));
        }
        outcome.faults.extend(cursors);
        outcome
    }

    fn cursor_faults(&self) -> Vec<Found> {
        let faults = self.followed.iter().filter_map(|(follower, followed)| {
            let stream = Uuid::parse_str(&followed.stream).unwrap_or_default();
            let held = self.held(&followed.source, stream);
            let what = match usize::try_from(followed.sequence) {
                Ok(0) => return None,
                Ok(seen) if seen > held.len() => {
                    "which the journal does not hold: its tail was cut"
                }
                Ok(seen) if held[seen - 1].to_string() != followed.event_id => {
                    "which is another one here: the histories part"
                }
                Ok(_) => return None,
                Err(_) => "which is no number of an event",
            };
            Some(Found {
                service: followed.source.clone(),
                aggregate: followed.stream.clone(),
                sequence: 0,
                what: format!(
                    "{follower} has seen public event {}, {what}",
                    followed.sequence
                ),
            })
        });
        faults.collect()
    }
}

/// The row as the chassis checks it.
fn row(entry: &Entry) -> Option<journal::Entry> {
    let optional = |text: &str| match text {
        "" => Some(None),
        id => Uuid::parse_str(id).ok().map(Some),
    };
    Some(journal::Entry {
        aggregate: Uuid::parse_str(&entry.aggregate).ok()?,
        sequence: entry.sequence,
        event_id: Uuid::parse_str(&entry.event_id).ok()?,
        kind: entry.kind.clone(),
        matter: optional(&entry.matter)?,
        name: entry.r#type.clone(),
        version: entry.version,
        data: entry.data.clone(),
        actor: entry.actor.clone(),
        at: Timestamp::from_microsecond(entry.at_micros).ok()?,
        cause: optional(&entry.cause)?,
        method: entry.method.clone(),
        request_id: Uuid::parse_str(&entry.request_id).ok()?,
        request_hash: entry.request_hash.clone(),
        public_sequence: Some(entry.public_sequence).filter(|number| *number != 0),
        previous: entry.previous.clone(),
        hash: entry.hash.clone(),
    })
}

#[cfg(test)]
mod tests {
    use chassis::journal::GENESIS;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// A chain of public events, with its head.
    fn chain(aggregate: u128, length: i64) -> (Vec<Entry>, AggregateHead) {
        let mut previous = GENESIS.to_vec();
        let mut entries = Vec::new();
        for sequence in 1..=length {
            let mut entry = Entry {
                aggregate: id(aggregate).to_string(),
                sequence,
                event_id: id(aggregate * 1000 + sequence as u128).to_string(),
                kind: "toy".to_owned(),
                r#type: "toy_turned".to_owned(),
                version: 1,
                data: b"{}".to_vec(),
                actor: b"{}".to_vec(),
                at_micros: sequence,
                method: "Turn".to_owned(),
                request_id: id(7).to_string(),
                public_sequence: sequence,
                previous,
                ..Entry::default()
            };
            entry.hash = row(&entry).expect("a row").expected_hash().to_vec();
            previous = entry.hash.clone();
            entries.push(entry);
        }
        let head = AggregateHead {
            aggregate: id(aggregate).to_string(),
            version: length,
            public_sequence: length,
            head: previous,
        };
        (entries, head)
    }

    fn seen(aggregate: u128, sequence: i64) -> Item {
        Item::Followed(FollowedHead {
            source: "intake".to_owned(),
            stream: id(aggregate).to_string(),
            sequence,
            event_id: id(aggregate * 1000 + sequence as u128).to_string(),
        })
    }

    fn audit(entries: Vec<Entry>, head: Option<AggregateHead>, followed: Item) -> Audit {
        let mut audit = Audit::default();
        for entry in entries {
            audit.take("intake", Item::Entry(entry));
        }
        if let Some(head) = head {
            audit.take("intake", Item::Head(head));
        }
        audit.take("verification", followed);
        audit
    }

    fn only_fault(audit: Audit) -> String {
        let faults = audit.finish().faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].to_string()
    }

    #[test]
    fn whole_journals_have_no_fault() {
        let (entries, head) = chain(1, 3);
        let outcome = audit(entries, Some(head), seen(1, 2)).finish();
        assert_eq!(outcome.faults, []);
        assert_eq!(
            (outcome.rows, outcome.aggregates, outcome.cursors),
            (3, 1, 1)
        );
    }

    #[test]
    fn tamper_with_one_byte_is_found() {
        let (mut entries, head) = chain(1, 3);
        entries[1].data = b"[]".to_vec();
        assert!(
            only_fault(audit(entries, Some(head), seen(1, 3)))
                .contains("row 2: the row was changed")
        );
    }

    #[test]
    fn cut_tail_is_found_by_the_head_and_by_who_followed() {
        let (mut entries, head) = chain(1, 3);
        entries.pop();
        assert!(
            only_fault(audit(entries.clone(), Some(head), seen(1, 2))).contains("tail was cut")
        );
        // With a head that was cut to fit, the follower remembers.
        let (_, shorter) = chain(1, 2);
        let fault = only_fault(audit(entries, Some(shorter), seen(1, 3)));
        assert!(
            fault.contains("verification has seen public event 3"),
            "{fault}"
        );
    }

    #[test]
    fn a_chain_without_a_head_is_found() {
        let (entries, _) = chain(1, 2);
        assert!(only_fault(audit(entries, None, seen(1, 2))).contains("has no head"));
    }

    #[test]
    fn a_rewritten_history_is_found_by_who_followed() {
        let (entries, head) = chain(1, 3);
        let followed = Item::Followed(FollowedHead {
            source: "intake".to_owned(),
            stream: id(1).to_string(),
            sequence: 2,
            event_id: id(99).to_string(),
        });
        assert!(only_fault(audit(entries, Some(head), followed)).contains("the histories part"));
    }

    #[test]
    fn what_was_written_while_we_read_is_no_fault() {
        let (entries, _) = chain(1, 3);
        let (before, head) = chain(1, 2);
        let mut audit = audit(before, Some(head), seen(1, 3));
        let unseen = audit.unseen();
        assert_eq!(unseen, BTreeSet::from([("intake".to_owned(), id(1))]));
        audit.add_later("intake", id(1), &entries);
        assert_eq!(audit.finish().faults, []);
    }

    #[test]
    fn an_unreadable_row_is_a_fault_and_not_the_end() {
        let (mut entries, head) = chain(1, 1);
        entries.push(Entry {
            aggregate: "x".to_owned(),
            ..Entry::default()
        });
        assert!(only_fault(audit(entries, Some(head), seen(1, 1))).contains("cannot be read"));
    }
}
