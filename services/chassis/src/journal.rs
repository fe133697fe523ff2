//! The journal: who, when, what, why, and a hash chain an aggregate.
//!
//! A row's hash is SHA-256 over a version byte and every field but itself, each as a marked, length-prefixed value, so
//! that no two different rows have the same input. [`Entry::hash`] is its definition; the README has test vectors.
//! A chain cannot show that its tail was cut: verifying also compares heads ([`verify`]).

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The aggregate it happened to.
    pub aggregate: Uuid,
    /// Its number in the aggregate, from 1.
    pub sequence: i64,
    /// Its id, UUIDv7; also the id of the public event.
    pub event_id: Uuid,
    /// The aggregate's kind.
    pub kind: String,
    /// The matter it belongs to.
    pub matter: Option<Uuid>,
    /// The event's type.
    pub name: String,
    /// The event's version.
    pub version: i32,
    /// The event, the exact bytes.
    pub data: Vec<u8>,
    /// Who did it, the exact bytes.
    pub actor: Vec<u8>,
    /// When, in domain time, whole microseconds.
    pub at: Timestamp,
    /// The event that caused it.
    pub cause: Option<Uuid>,
    /// The command's method.
    pub method: String,
    /// The command's request id.
    pub request_id: Uuid,
    /// SHA-256 of the request, texts taken by their digests.
    pub request_hash: Vec<u8>,
    /// Its number among the public events of the aggregate; `None` if it is not public.
    pub public_sequence: Option<i64>,
    /// The hash of the row before; 32 zero bytes for the first.
    pub previous: Vec<u8>,
    /// The hash of this row.
    pub hash: Vec<u8>,
}

/// What stands before the first row of a chain.
pub const GENESIS: [u8; 32] = [0; 32];

/// Rows of the journal, asked for by the rest of a checked statement: `entries!("where aggregate = $1", aggregate)`.
macro_rules! entries {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            $crate::journal::Entry,
            "select aggregate, sequence, event_id, kind, matter, type as name, version, data, actor, at, cause,
                    method, request_id, request_hash, public_sequence, previous, hash
               from journal "
                + $rest
            $(, $argument)*
        )
    };
}
pub(crate) use entries;

impl Entry {
    /// The hash that this row must have.
    pub fn expected_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([1u8]);
        let mut field = |value: Option<&[u8]>| match value {
            None => hash.update([0u8]),
            Some(bytes) => {
                hash.update([1u8]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
        };
        field(Some(self.aggregate.as_bytes()));
        field(Some(&self.sequence.to_be_bytes()));
        field(Some(self.event_id.as_bytes()));
        field(Some(self.kind.as_bytes()));
        field(self.matter.as_ref().map(|id| id.as_bytes().as_slice()));
        field(Some(self.name.as_bytes()));
        field(Some(&self.version.to_be_bytes()));
        field(Some(&self.data));
        field(Some(&self.actor));
        field(Some(&self.at.as_microsecond().to_be_bytes()));
        field(self.cause.as_ref().map(|id| id.as_bytes().as_slice()));
        field(Some(self.method.as_bytes()));
        field(Some(self.request_id.as_bytes()));
        field(Some(&self.request_hash));
        let public = self.public_sequence.map(i64::to_be_bytes);
        field(public.as_ref().map(<[u8; 8]>::as_slice));
        field(Some(&self.previous));
        hash.finalize().into()
    }
}

/// The newest version and hash of an aggregate, as kept beside the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The aggregate.
    pub aggregate: Uuid,
    /// Its number of events.
    pub version: i64,
    /// Its number of public events.
    pub public_sequence: i64,
    /// The hash of its last row.
    pub hash: Vec<u8>,
}

/// Something that a whole journal does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The aggregate.
    pub aggregate: Uuid,
    /// The row, or the one that is missing.
    pub sequence: i64,
    /// What is wrong.
    pub what: &'static str,
}

/// Checks chains and heads: every row's hash, every link, the numbering, and that no tail was cut.
#[derive(Default)]
pub struct Verifier {
    last: BTreeMap<Uuid, (i64, i64, Vec<u8>)>,
    faults: Vec<Fault>,
    rows: u64,
}

impl Verifier {
    /// Takes the next row; rows of one aggregate come in order.
    pub fn entry(&mut self, entry: &Entry) {
        self.rows += 1;
        let (sequence, public, hash) =
            self.last
                .entry(entry.aggregate)
                .or_insert((0, 0, GENESIS.to_vec()));
        let mut fault = |what| {
            self.faults.push(Fault {
                aggregate: entry.aggregate,
                sequence: entry.sequence,
                what,
            });
        };
        if entry.sequence != *sequence + 1 {
            fault("rows are missing or out of order before this one");
        }
        if entry.previous != *hash {
            fault("the row does not link to the row before it");
        }
        if entry.expected_hash().as_slice() != entry.hash {
            fault("the row was changed after it was written");
        }
        if let Some(number) = entry.public_sequence {
            if number != *public + 1 {
                fault("the public events are not numbered in a row");
            }
            *public = number;
        }
        *sequence = entry.sequence;
        hash.clone_from(&entry.hash);
    }

    /// Takes a head, after all rows of its aggregate.
    pub fn head(&mut self, head: &Head) {
        let (version, public, hash) =
            self.last
                .get(&head.aggregate)
                .cloned()
                .unwrap_or((0, 0, GENESIS.to_vec()));
        if version != head.version || hash != head.hash || public != head.public_sequence {
            self.faults.push(Fault {
                aggregate: head.aggregate,
                sequence: version + 1,
                what: "the journal ends elsewhere than the aggregate's head: its tail was cut or the head changed",
            });
        }
    }

    /// Takes what a follower has seen of a stream of this journal.
    pub fn followed(&mut self, stream: Uuid, sequence: i64) {
        let public = self.last.get(&stream).map_or(0, |(_, public, _)| *public);
        if sequence > public {
            self.faults.push(Fault {
                aggregate: stream,
                sequence: public + 1,
                what: "a follower has seen more public events than the journal holds: its tail was cut",
            });
        }
    }

    /// How many rows were checked, and every fault.
    pub fn finish(self) -> (u64, Vec<Fault>) {
        (self.rows, self.faults)
    }
}

/// The rows of one aggregate, in order.
///
/// # Errors
/// Those of the database.
pub async fn of_aggregate(
    executor: impl sqlx::PgExecutor<'_>,
    aggregate: Uuid,
) -> sqlx::Result<Vec<Entry>> {
    entries!("where aggregate = $1 order by sequence", aggregate)
        .fetch_all(executor)
        .await
}

/// The rows of one matter, by time.
///
/// # Errors
/// Those of the database.
pub async fn of_matter(
    executor: impl sqlx::PgExecutor<'_>,
    matter: Uuid,
) -> sqlx::Result<Vec<Entry>> {
    entries!("where matter = $1 order by at, event_id", matter)
        .fetch_all(executor)
        .await
}

/// Where the next page begins that is read along ids, after a page that ended with this one. Pages include the id that
/// they begin with, so that the first one, from nil, includes nil.
pub(crate) fn after(last: Uuid) -> Uuid {
    Uuid::from_u128(last.as_u128().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            aggregate: Uuid::from_u128(1),
            sequence: 1,
            event_id: Uuid::from_u128(0x7000_8000_0000_0000_0002),
            kind: "toy".to_owned(),
            matter: None,
            name: "Added".to_owned(),
            version: 1,
            data: br#"{"amount":1}"#.to_vec(),
            actor: br#"{"id":"a"}"#.to_vec(),
            at: Timestamp::from_microsecond(1).unwrap(),
            cause: None,
            method: "Add".to_owned(),
            request_id: Uuid::from_u128(0x4000_8000_0000_0000_0003),
            request_hash: vec![0; 32],
            public_sequence: None,
            previous: GENESIS.to_vec(),
            hash: Vec::new(),
        }
    }

    #[test]
    fn the_hash_of_a_row_is_that_of_the_vectors_in_the_readme() {
        let mut first = entry();
        first.hash = first.expected_hash().to_vec();
        assert_eq!(
            crate::hexadecimal::encode(&first.hash),
            "b1c43424492614e25985e34fb799fb38872240510277060d2098d16b81ba9bb2"
        );
        let mut second = Entry {
            sequence: 2,
            event_id: Uuid::from_u128(0x7000_8000_0000_0000_0004),
            matter: Some(Uuid::from_u128(0x4000_8000_0000_0000_0005)),
            version: 2,
            data: r#"{"note":"正名"}"#.as_bytes().to_vec(),
            at: Timestamp::from_microsecond(1_767_225_600_000_000).unwrap(),
            cause: Some(Uuid::from_u128(0x7000_8000_0000_0000_0006)),
            request_id: Uuid::from_u128(0x4000_8000_0000_0000_0007),
            request_hash: vec![0xff; 32],
            public_sequence: Some(1),
            previous: first.hash.clone(),
            ..entry()
        };
        second.hash = second.expected_hash().to_vec();
        assert_eq!(
            crate::hexadecimal::encode(&second.hash),
            "9fbb992fc20fc5e1451cd450f7b153d712d7b2c8a5d17f4dcee5dd89c64e5248"
        );

        let mut verifier = Verifier::default();
        verifier.entry(&first);
        verifier.entry(&second);
        assert_eq!(verifier.finish(), (2, Vec::new()));
    }

    #[test]
    fn null_is_told_apart_from_empty_and_from_another_field() {
        let without = entry();
        let with_nil = Entry {
            cause: Some(Uuid::nil()),
            ..entry()
        };
        let elsewhere = Entry {
            matter: Some(Uuid::nil()),
            ..entry()
        };
        assert_ne!(without.expected_hash(), with_nil.expected_hash());
        assert_ne!(with_nil.expected_hash(), elsewhere.expected_hash());
    }
}
