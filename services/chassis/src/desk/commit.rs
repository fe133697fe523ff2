//! What a batch writes, and the one statement that writes it.
//!
//! The order of locks is the same everywhere: cursors (source, stream), then aggregates (id), then journal (aggregate,
//! sequence). Each part of the statement waits for the one before it by counting its rows. The guard is the journal's
//! primary key: the statement returns what it wrote, and any shortfall rolls back.

mod statement;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use office::TextId;
use sqlx::{Acquire, PgConnection};
use uuid::Uuid;

use self::statement::RowsWritten;
use super::batch::{Hit, Kept};
use super::{CursorStep, Item, SaltedText, TimerClaim};
use crate::aggregate::{ClockChange, Consequence};
use crate::journal::Entry;
use crate::kind::{Decided, Kind};
use crate::load::Live;
use crate::relay::Headers;
use crate::time;
use crate::view::AnyView;

/// Why a batch was not written.
pub(super) enum CommitError {
    Shortfall(Hit),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Everything that one command writes.
#[derive(Default)]
struct Part {
    entries: Vec<Entry>,
    touched: Option<(Uuid, Arc<dyn Kind>)>,
    outbox: Vec<Outgoing>,
    timers: Vec<(Uuid, TimerChange)>,
    texts: Vec<(SaltedText, Uuid)>,
    erased: BTreeSet<(TextId, Uuid)>,
    answer: Option<(AnswerKey, AnswerChange)>,
}

type AnswerKey = (Uuid, &'static str, Uuid);
/// The answer to keep; nothing where one is taken back.
type AnswerChange = Option<KeptAnswer>;

struct KeptAnswer {
    request_hash: Vec<u8>,
    answer: serde_json::Value,
    salts: serde_json::Value,
}

struct Outgoing {
    event_id: Uuid,
    stream: Uuid,
    sequence: i64,
    name: &'static str,
    body: Vec<u8>,
    headers: Headers,
    at: Timestamp,
}

enum TimerChange {
    Set(Timer),
    Stop,
    /// Delete if still due then.
    CarriedOut(Timestamp),
}

struct Timer {
    consequence: bool,
    due: Timestamp,
    kind: &'static str,
    aggregate: Uuid,
    method: &'static str,
    command: Vec<u8>,
    actor: Vec<u8>,
    cause: Uuid,
    trace: Option<String>,
}

struct Step {
    from: i64,
    to: i64,
    event_id: Uuid,
}

/// What a batch writes.
#[derive(Default)]
pub(super) struct Commit {
    parts: Vec<Part>,
    steps: BTreeMap<(String, Uuid), Step>,
    held: Vec<i64>,
}

/// A clock's key: a decision replaces or removes what stands under it. The first round's is that of a clock without rounds.
pub(crate) fn clock_key(aggregate: Uuid, clock: &str, round: u32) -> Uuid {
    let round = round.to_be_bytes();
    let mut of: Vec<&[u8]> = vec![aggregate.as_bytes(), clock.as_bytes()];
    if round != 1u32.to_be_bytes() {
        of.push(&round);
    }
    office::natural_id("clock", &of)
}

impl Commit {
    pub(super) fn has_outbox(&self) -> bool {
        self.parts.iter().any(|part| !part.outbox.is_empty())
    }

    pub(super) fn has_consequences(&self) -> bool {
        self.parts
            .iter()
            .flat_map(|part| &part.timers)
            .any(|(_, change)| matches!(change, TimerChange::Set(timer) if timer.consequence))
    }

    /// Where the next command's part begins.
    pub(super) fn mark(&self) -> usize {
        self.parts.len()
    }

    /// Forgets every command since a mark.
    pub(super) fn undo_to(&mut self, mark: usize) {
        self.parts.truncate(mark);
    }

    /// Appends one decided event to its aggregate's chain.
    pub(super) fn event(
        &mut self,
        part: usize,
        service: &str,
        item: &Item,
        live: &mut Live,
        event: Decided,
        now: Timestamp,
    ) {
        while self.parts.len() <= part {
            self.parts.push(Part::default());
        }
        let part = &mut self.parts[part];
        part.touched = Some((item.aggregate, Arc::clone(&item.kind)));
        live.version += 1;
        if event.announcement.is_some() {
            live.public_sequence += 1;
        }
        let mut entry = Entry {
            aggregate: item.aggregate,
            sequence: live.version,
            event_id: time::new_id(),
            kind: item.kind.name().to_owned(),
            matter: live.matter,
            name: event.name.to_owned(),
            version: i32::try_from(event.version).unwrap_or(i32::MAX),
            data: event.data,
            actor: crate::aggregate::encode(&item.actor),
            at: now,
            cause: item.cause,
            method: item.method.to_owned(),
            request_id: item.request_id,
            request_hash: item.request_hash.to_vec(),
            public_sequence: event.announcement.as_ref().map(|_| live.public_sequence),
            previous: live.head.clone(),
            hash: Vec::new(),
        };
        entry.hash = entry.expected_hash().to_vec();
        live.head.clone_from(&entry.hash);
        if let Some(announcement) = event.announcement {
            part.outbox.push(Outgoing {
                event_id: entry.event_id,
                stream: item.aggregate,
                sequence: live.public_sequence,
                name: announcement.name,
                body: announcement.body,
                headers: Headers {
                    matter: live.matter,
                    cause: item.cause,
                    actor: Some(item.actor.behind().unwrap_or(&item.actor.id).to_string()),
                    traceparent: item.trace.clone(),
                },
                at: now,
            });
        }
        let effects = event.effects;
        let actor =
            |on_behalf_of| crate::aggregate::encode(&office::Actor::service(service, on_behalf_of));
        let own = item.actor.behind().cloned();
        for (ordinal, consequence) in effects.consequences.into_iter().enumerate() {
            let Consequence {
                kind,
                aggregate,
                method,
                command,
            } = consequence;
            let key = office::natural_id(
                "consequence",
                &[
                    entry.event_id.as_bytes(),
                    kind.as_bytes(),
                    aggregate.as_bytes(),
                    &(ordinal as u64).to_be_bytes(),
                ],
            );
            part.timers.push((
                key,
                TimerChange::Set(Timer {
                    consequence: true,
                    due: now,
                    kind,
                    aggregate,
                    method,
                    command,
                    actor: actor(own.clone()),
                    cause: entry.event_id,
                    trace: item.trace.clone(),
                }),
            ));
        }
        let erased = effects.erased.into_iter();
        part.erased.extend(erased.map(|id| (id, item.aggregate)));
        for change in effects.clocks {
            part.timers.push(match change {
                ClockChange::Set {
                    clock,
                    round,
                    due,
                    method,
                    command,
                } => (
                    clock_key(item.aggregate, clock, round),
                    TimerChange::Set(Timer {
                        consequence: false,
                        due: time::whole_micros(due),
                        kind: item.kind.name(),
                        aggregate: item.aggregate,
                        method,
                        command,
                        actor: actor(None),
                        cause: entry.event_id,
                        trace: None,
                    }),
                ),
                ClockChange::Stop { clock } => {
                    (clock_key(item.aggregate, clock, 1), TimerChange::Stop)
                }
            });
        }
        part.entries.push(entry);
    }

    /// Writes the texts that came with an accepted command or were made for it, and takes back an answer that was kept before.
    pub(super) fn accepted(&mut self, part: usize, item: &Item) {
        let part = &mut self.parts[part];
        part.texts = item
            .texts
            .iter()
            .chain(&item.made)
            .map(|text| (text.clone(), item.aggregate))
            .collect();
        // What an event caused has a request id that follows from it, and never comes by queue: nothing was kept.
        if item.cause.is_none() {
            part.answer = Some(((item.aggregate, item.method, item.request_id), None));
        }
    }

    /// Keeps the answer of a command that left no journal row.
    pub(super) fn keep_answer(&mut self, item: &Item, kept: &Kept) {
        let answer = serde_json::to_value(kept).expect("an answer is plain data");
        let salts = item.texts.iter().map(|text| {
            let salt = crate::hexadecimal::encode(&text.salt);
            (text.reference.id.to_string(), salt.into())
        });
        self.parts.push(Part {
            answer: Some((
                (item.aggregate, item.method, item.request_id),
                Some(KeptAnswer {
                    request_hash: item.request_hash.to_vec(),
                    answer,
                    salts: salts.collect::<serde_json::Map<_, _>>().into(),
                }),
            )),
            ..Part::default()
        });
    }

    /// The step of a foreign stream.
    pub(super) fn step(&mut self, step: &CursorStep, from: i64) {
        self.steps
            .entry((step.source.clone(), step.stream))
            .and_modify(|so_far| {
                so_far.to = step.sequence;
                so_far.event_id = step.event_id;
            })
            .or_insert(Step {
                from,
                to: step.sequence,
                event_id: step.event_id,
            });
        self.held.extend(step.held);
    }

    /// The row of a timer that was carried out.
    pub(super) fn carried_out(&mut self, claim: TimerClaim) {
        self.parts.push(Part {
            timers: vec![(claim.key, TimerChange::CarriedOut(claim.due))],
            ..Part::default()
        });
    }
}

/// Writes a batch in one transaction: one statement for the engine's tables, one more for each view that is touched.
pub(super) async fn write(
    connection: &mut PgConnection,
    views: &[Arc<dyn AnyView>],
    commit: Commit,
    live: &HashMap<Uuid, Live>,
) -> Result<(), CommitError> {
    let Commit { parts, steps, held } = commit;
    let mut entries = Vec::new();
    let mut touched: BTreeMap<Uuid, Arc<dyn Kind>> = BTreeMap::new();
    let mut outbox = Vec::new();
    let mut timers: BTreeMap<Uuid, TimerChange> = BTreeMap::new();
    let mut texts = Vec::new();
    let mut erased = BTreeSet::new();
    let mut answers = BTreeMap::new();
    for part in parts {
        entries.extend(part.entries);
        touched.extend(part.touched);
        outbox.extend(part.outbox);
        for (key, change) in part.timers {
            // What a decision sets or stops stands, also where the same clock was just carried out.
            let carried_out = matches!(change, TimerChange::CarriedOut(_));
            if !(carried_out && timers.contains_key(&key)) {
                timers.insert(key, change);
            }
        }
        texts.extend(part.texts);
        erased.extend(part.erased);
        if let Some((key, answer)) = part.answer {
            answers.insert(key, answer);
        }
    }
    if entries.is_empty() && steps.is_empty() && timers.is_empty() && answers.is_empty() {
        return Ok(());
    }
    entries.sort_by_key(|entry| (entry.aggregate, entry.sequence));

    let mut transaction = connection.begin().await?;
    let written = statement::write(
        &mut transaction,
        &entries,
        &touched,
        &outbox,
        &timers,
        &texts,
        &erased,
        &answers,
        &steps,
        &held,
        live,
    )
    .await?;
    if let Some(hit) = shortfall(written, &entries, &steps) {
        transaction.rollback().await?;
        return Err(CommitError::Shortfall(hit));
    }
    for view in views {
        let rows: Vec<serde_json::Value> = touched
            .iter()
            .filter(|(_, kind)| kind.name() == view.kind())
            .filter_map(|(id, _)| {
                let live = live.get(id)?;
                view.row(*id, live.version, live.folded.state())
            })
            .collect();
        if !rows.is_empty() {
            sqlx::query(sqlx::AssertSqlSafe(view.statement()))
                .bind(sqlx::types::Json(rows))
                .execute(&mut *transaction)
                .await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Compares what the statement wrote with what it should have written.
fn shortfall(
    written: RowsWritten,
    entries: &[Entry],
    steps: &BTreeMap<(String, Uuid), Step>,
) -> Option<Hit> {
    fn pairs<A: Eq + Hash, B: Eq + Hash>(
        one: Option<Vec<A>>,
        other: Option<Vec<B>>,
    ) -> HashSet<(A, B)> {
        let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
        one.into_iter().zip(other).collect()
    }
    let moved = pairs(written.cursor_sources, written.cursor_streams);
    let written = pairs(written.journal_aggregates, written.journal_sequences);
    let hit = Hit {
        aggregates: entries
            .iter()
            .filter(|entry| !written.contains(&(entry.aggregate, entry.sequence)))
            .map(|entry| entry.aggregate)
            .collect(),
        streams: steps
            .keys()
            .filter(|key| !moved.contains(*key))
            .cloned()
            .collect(),
    };
    (!hit.aggregates.is_empty() || !hit.streams.is_empty()).then_some(hit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_a_clock_of_its_own_and_the_first_that_of_a_clock_without_rounds() {
        let aggregate = Uuid::from_u128(1);
        let keys = [1, 2, 3].map(|round| clock_key(aggregate, "removal", round));
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        let without = office::natural_id("clock", &[aggregate.as_bytes(), b"removal"]);
        assert_eq!(keys[0], without);
    }
}
