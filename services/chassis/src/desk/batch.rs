//! One batch: load, decide in order, hand over to be written; and what happens when that does not work.
//!
//! A shortfall (another replica was faster) sends only the groups that it hit back to the load; a fault of data splits
//! the batch so that one command cannot fail its neighbours; a lost connection repeats the whole, which request ids and
//! cursors make harmless.

mod loading;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use office::Profile;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::commit::{self, Commit, CommitError};
use super::{Group, Item, Outcome, Premises, Settled, Written};
use crate::aggregate::{Context, Rejection};
use crate::kind::Decided;
use crate::load::Live;
use crate::refusal::{
    CONTENDED, INTERNAL, REQUEST_ID_REUSED, Refusal, UNAVAILABLE, WRITTEN_BY_NEWER,
};
use crate::time;

/// How often a group is decided again because another replica was faster.
const SHORTFALLS: u32 = 20;
/// How long a batch is repeated while the database does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Entrant {
    group: Group,
    answer: oneshot::Sender<Settled>,
    shortfalls: u32,
}

/// Runs a batch to its end; every group gets its answer.
pub(super) async fn run(
    premises: &Arc<Premises>,
    groups: Vec<Group>,
    answers: Vec<oneshot::Sender<Settled>>,
) {
    let entrants = groups
        .into_iter()
        .zip(answers)
        .map(|(group, answer)| Entrant {
            group,
            answer,
            shortfalls: 0,
        })
        .collect();
    let started = tokio::time::Instant::now();
    let mut stack: Vec<Vec<Entrant>> = vec![entrants];
    let mut failures = 0u32;
    while let Some(batch) = stack.pop() {
        if batch.is_empty() {
            continue;
        }
        metrics::histogram!("zhengming_batch_size").record(batch.len() as f64);
        match attempt(premises, &batch).await {
            Ok(settled) => {
                failures = 0;
                for (entrant, settled) in batch.into_iter().zip(settled) {
                    // The caller may have gone away.
                    let _ = entrant.answer.send(settled);
                }
            }
            Err(Failure::Shortfall(hit)) => {
                let (mut short, rest): (Vec<_>, Vec<_>) = batch
                    .into_iter()
                    .partition(|entrant| hit.touches(&entrant.group));
                if short.is_empty() {
                    // A shortfall that names nobody would go on for ever.
                    settle(rest, &Settled::Refused(Box::new(CONTENDED)));
                    continue;
                }
                for entrant in &mut short {
                    entrant.shortfalls += 1;
                }
                metrics::counter!("zhengming_shortfalls_total").increment(short.len() as u64);
                let (worn, short): (Vec<_>, Vec<_>) = short
                    .into_iter()
                    .partition(|entrant| entrant.shortfalls > SHORTFALLS);
                settle(worn, &Settled::Refused(Box::new(CONTENDED)));
                let rounds = short.iter().map(|entrant| entrant.shortfalls).max();
                stack.push(short);
                if rest.is_empty() {
                    jitter(rounds.unwrap_or(1)).await;
                } else {
                    stack.push(rest);
                }
            }
            Err(Failure::Data(error)) if batch.len() > 1 => {
                tracing::debug!(%error, "a batch is split to find the command that fails it");
                let mut first = batch;
                let second = first.split_off(first.len() / 2);
                stack.push(second);
                stack.push(first);
            }
            Err(Failure::Data(error)) => {
                tracing::error!(%error, "a command does not fit the database");
                let refusal = INTERNAL.with_note(error);
                settle(batch, &Settled::Refused(Box::new(refusal)));
            }
            Err(Failure::Database(error)) => {
                failures += 1;
                if started.elapsed() > PATIENCE {
                    tracing::error!(%error, "the database does not answer");
                    settle(batch, &Settled::Refused(Box::new(UNAVAILABLE)));
                } else {
                    tracing::warn!(%error, failures, "a batch is repeated");
                    jitter(failures).await;
                    stack.push(batch);
                }
            }
        }
    }
}

fn settle(batch: Vec<Entrant>, settled: &Settled) {
    for entrant in batch {
        let _ = entrant.answer.send(settled.clone());
    }
}

async fn jitter(round: u32) {
    let ceiling = 2u64.saturating_pow(round.min(8)).saturating_mul(1_000);
    let micros = rand::random_range(0..=ceiling);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

/// Why a batch was not committed.
enum Failure {
    /// Another writer was faster at these.
    Shortfall(Hit),
    /// SQLSTATE class 22 or 23: one of the commands.
    Data(sqlx::Error),
    /// Anything else: repeat.
    Database(sqlx::Error),
}

/// What a shortfall hit.
pub(super) struct Hit {
    pub(super) aggregates: HashSet<Uuid>,
    pub(super) streams: HashSet<(String, Uuid)>,
}

impl Hit {
    fn touches(&self, group: &Group) -> bool {
        group
            .items
            .iter()
            .any(|item| self.aggregates.contains(&item.aggregate))
            || group
                .cursor
                .as_ref()
                .is_some_and(|step| self.streams.contains(&(step.source.clone(), step.stream)))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let class = error
            .as_database_error()
            .and_then(|database| database.code())
            .map(|code| code.chars().take(2).collect::<String>());
        match class.as_deref() {
            Some("22" | "23") => Self::Data(error),
            _ => Self::Database(error),
        }
    }
}

/// What was loaded for a batch and changes while it is decided.
struct Table<'a> {
    premises: &'a Premises,
    shift: SignedDuration,
    live: HashMap<Uuid, Live>,
    newer: HashSet<Uuid>,
    kinds: HashMap<Uuid, String>,
    cursors: HashMap<(String, Uuid), (i64, Option<Uuid>)>,
    /// Streams whose history is in doubt; nothing of them takes effect until an operator has compared.
    doubtful: HashSet<(String, Uuid)>,
    earlier: HashMap<(Uuid, &'static str, Uuid), Earlier>,
    commit: Commit,
}

/// What is on record about a request.
#[derive(Clone)]
struct Earlier {
    hash: Vec<u8>,
    what: Recorded,
}

#[derive(Clone)]
enum Recorded {
    Written { version: i64, events: Vec<Written> },
    Answered(Kept),
}

/// An answer as kept for a redelivery.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    Refused(Refusal),
    AlreadySo(i64),
}

async fn attempt(premises: &Arc<Premises>, batch: &[Entrant]) -> Result<Vec<Settled>, Failure> {
    let mut connection = premises.connections.take().await?;
    let mut table = loading::load(premises, &mut connection, batch).await?;
    let settled: Vec<Settled> = batch
        .iter()
        .map(|entrant| table.settle(&entrant.group))
        .collect();
    let Table { live, commit, .. } = table;
    let filled = (commit.has_outbox(), commit.has_consequences());
    let written = commit::write(&mut connection, &premises.views, commit, &live).await;
    // After any other fault its transaction is of unknown end, and it is not used again.
    if matches!(written, Ok(()) | Err(CommitError::Shortfall(_))) {
        premises.connections.give_back(connection);
    }
    match written {
        Ok(()) => {
            if filled.0 {
                (premises.outbox_filled)();
            }
            if filled.1 {
                (premises.timers_filled)();
            }
            Ok(settled)
        }
        Err(CommitError::Shortfall(hit)) => Err(Failure::Shortfall(hit)),
        Err(CommitError::Database(error)) => Err(error.into()),
    }
}

impl Table<'_> {
    /// Decides a group on what the groups before it left.
    fn settle(&mut self, group: &Group) -> Settled {
        if let Some(step) = &group.cursor {
            let key = (step.source.clone(), step.stream);
            let (at, event) = self.cursors.get(&key).copied().unwrap_or((0, None));
            if step.sequence == at && event.is_some_and(|event| event != step.event_id) {
                return Settled::Diverged;
            }
            // Below the cursor nothing is compared: only the last event's id is kept, and whoever rewrote what is
            // below rewrote what follows, too, which the comparison of histories finds.
            if step.sequence <= at {
                return Settled::Duplicate;
            }
            if step.sequence > at + 1 {
                return Settled::Ahead;
            }
            if self.doubtful.contains(&key) {
                return Settled::NotYet("its stream is held until the histories are compared");
            }
        }
        let mark = self.commit.mark();
        let before: BTreeMap<Uuid, Option<Live>> = if group.items.len() > 1 {
            group
                .items
                .iter()
                .map(|item| {
                    let live = self.live.get(&item.aggregate).map(Live::twin);
                    (item.aggregate, live)
                })
                .collect()
        } else {
            BTreeMap::new()
        };
        let mut outcomes = Vec::with_capacity(group.items.len());
        for item in &group.items {
            match self.decide(item) {
                Ok(outcome) => outcomes.push(outcome),
                Err(rejected) => {
                    self.commit.undo_to(mark);
                    for (id, live) in before {
                        match live {
                            Some(live) => self.live.insert(id, live),
                            None => self.live.remove(&id),
                        };
                    }
                    return self.turn_away(item, rejected);
                }
            }
        }
        if let Some(step) = &group.cursor {
            let key = (step.source.clone(), step.stream);
            let from = self.cursors.get(&key).map_or(0, |(at, _)| *at);
            self.commit.step(step, from);
            self.cursors
                .insert(key, (step.sequence, Some(step.event_id)));
        }
        if let Some(claim) = group.timer {
            self.commit.carried_out(claim);
        }
        Settled::Done(outcomes)
    }

    /// The answer to a group whose command was turned away; a refusal by queue is kept.
    fn turn_away(&mut self, item: &Item, rejected: Rejection) -> Settled {
        match rejected {
            Rejection::Refused(refusal) => {
                if item.keep_answer && !refusal.kind.is_passing() && *refusal != REQUEST_ID_REUSED {
                    self.keep(item, Kept::Refused((*refusal).clone()));
                }
                Settled::Refused(refusal)
            }
            Rejection::Stale => Settled::Stale,
            Rejection::NotYet(what) => Settled::NotYet(what),
        }
    }

    fn keep(&mut self, item: &Item, kept: Kept) {
        self.earlier.insert(
            (item.aggregate, item.method, item.request_id),
            Earlier {
                hash: item.request_hash.to_vec(),
                what: Recorded::Answered(kept.clone()),
            },
        );
        self.commit.keep_answer(item, &kept);
    }

    fn decide(&mut self, item: &Item) -> Result<Outcome, Rejection> {
        if self.newer.contains(&item.aggregate) {
            return Err(WRITTEN_BY_NEWER.into());
        }
        if self
            .kinds
            .get(&item.aggregate)
            .is_some_and(|kind| kind != item.kind.name())
        {
            return Err(crate::refusal::NOT_FOUND.into());
        }
        let key = (item.aggregate, item.method, item.request_id);
        if let Some(earlier) = self.earlier.get(&key) {
            if earlier.hash != item.request_hash {
                return Err(if item.fresh_salts {
                    Rejection::Stale
                } else {
                    REQUEST_ID_REUSED.into()
                });
            }
            match &earlier.what {
                Recorded::Written { version, events } => {
                    return Ok(Outcome::Written {
                        version: *version,
                        events: events.clone(),
                    });
                }
                Recorded::Answered(kept) if item.keep_answer => {
                    return match kept.clone() {
                        Kept::Refused(refusal) => Err(refusal.into()),
                        Kept::AlreadySo(version) => Ok(Outcome::AlreadySo { version }),
                    };
                }
                // By gRPC a refused command is decided anew.
                Recorded::Answered(_) => {}
            }
        }
        let live = self
            .live
            .entry(item.aggregate)
            .or_insert_with(|| Live::fresh(&*item.kind));
        let now = time::domain_now(self.shift).max(live.at);
        let profile: Arc<Profile> = self.premises.policies.in_force(now).clone();
        let context = Context {
            id: item.aggregate,
            now,
            actor: item.actor.clone(),
            profile,
            method: item.method,
            request_id: item.request_id,
            texts: item
                .texts
                .iter()
                .chain(&item.made)
                .map(|text| (text.reference.id, text.reference.clone()))
                .collect(),
            secrets: self.premises.secrets.clone(),
            facts: (),
        };
        let admitted = if live.version > 0 {
            live.folded.admit_to(&item.command, &context.visitor())
        } else {
            Ok(())
        };
        let decided = match admitted {
            Ok(()) => live.folded.decide(&item.command, &context, &*item.facts),
            Err(refusal) => Err(refusal.into()),
        };
        let decided = match decided {
            Ok(decided) => decided,
            Err(rejection) => {
                if live.version == 0 {
                    self.live.remove(&item.aggregate);
                }
                return Err(rejection);
            }
        };
        if decided.is_empty() {
            let version = live.version;
            if version == 0 {
                self.live.remove(&item.aggregate);
            }
            if item.keep_answer {
                self.keep(item, Kept::AlreadySo(version));
            }
            return Ok(Outcome::AlreadySo { version });
        }
        Ok(self.record(item, decided, now))
    }

    /// Puts decided events on the aggregate's chain and into what will be written.
    fn record(&mut self, item: &Item, decided: Vec<Decided>, now: Timestamp) -> Outcome {
        let live = self
            .live
            .get_mut(&item.aggregate)
            .expect("the aggregate was decided on a moment ago");
        live.at = now;
        live.matter = live.folded.matter(item.aggregate);
        let part = self.commit.mark();
        let events: Vec<Written> = decided
            .into_iter()
            .map(|event| {
                let written = Written {
                    name: event.name.to_owned(),
                    version: event.version,
                    data: event.data.clone(),
                };
                self.commit
                    .event(part, self.premises.service, item, live, event, now);
                written
            })
            .collect();
        self.commit.accepted(part, item);
        let outcome = Recorded::Written {
            version: live.version,
            events: events.clone(),
        };
        self.earlier.insert(
            (item.aggregate, item.method, item.request_id),
            Earlier {
                hash: item.request_hash.to_vec(),
                what: outcome,
            },
        );
        Outcome::Written {
            version: live.version,
            events,
        }
    }
}
