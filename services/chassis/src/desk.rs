//! The desk: takes commands from all four ways in, gathers those that arrive together, decides, and commits them in
//! one transaction.
//!
//! An aggregate is in at most one batch in flight per process; other batches run beside it. A [`Group`] is never split:
//! a reaction's commands and its cursor stand or fall together. Callers wait on a channel and may go away; the desk's
//! own tasks own connections and transactions, and answer only after COMMIT.
//!
//! The rooms: [`batch`] loads and decides, [`commit`] writes, [`record`] looks up what was answered before, this file
//! gathers.

mod batch;
mod commit;
mod connections;
mod record;

use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use office::{Actor, Policies, TextId};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub(crate) use self::record::{forget_answers, on_record};
use crate::aggregate::TextRef;
use crate::kind::{AnyCommand, Kind, Kinds};
use crate::refusal::{DESK_FULL, Refusal, UNAVAILABLE};
use crate::secrets::Secrets;
use crate::view::AnyView;

pub(crate) use self::connections::Connections;

/// Most commands in one batch.
pub(crate) const LARGEST_BATCH: usize = 64;
/// Most batches at once.
const BATCHES: usize = 4;
/// Most groups that wait; beyond it callers are told to come again.
const BENCH: usize = 1024;
/// How long a batch that is not full waits for company while another is under way.
const GATHERING: Duration = Duration::from_millis(1);

/// A text with its salt.
#[derive(Clone)]
pub(crate) struct SaltedText {
    pub(crate) reference: TextRef,
    pub(crate) salt: [u8; 32],
    pub(crate) bytes: Vec<u8>,
}

impl SaltedText {
    /// A text, with its digest under this salt.
    pub(crate) fn of(id: TextId, salt: [u8; 32], bytes: Vec<u8>) -> Self {
        let digest = Sha256::new()
            .chain_update(salt)
            .chain_update(&bytes)
            .finalize()
            .to_vec();
        Self {
            reference: TextRef { id, digest },
            salt,
            bytes,
        }
    }
}

/// A command that is ready to be decided.
pub(crate) struct Item {
    pub(crate) kind: Arc<dyn Kind>,
    pub(crate) aggregate: Uuid,
    pub(crate) method: &'static str,
    pub(crate) command: AnyCommand,
    pub(crate) facts: Box<dyn Any + Send + Sync>,
    pub(crate) request_id: Uuid,
    pub(crate) request_hash: [u8; 32],
    pub(crate) actor: Actor,
    pub(crate) cause: Option<Uuid>,
    pub(crate) trace: Option<String>,
    pub(crate) texts: Vec<SaltedText>,
    /// Texts that were made while the facts were gathered.
    pub(crate) made: Vec<SaltedText>,
    /// The salts were drawn, not read: another request hash may only mean that somebody else drew other ones.
    pub(crate) fresh_salts: bool,
    /// By queue: a refusal is kept as the answer to every redelivery.
    pub(crate) keep_answer: bool,
}

/// The step of a foreign stream that a group takes with it.
#[derive(Clone, Debug)]
pub(crate) struct CursorStep {
    pub(crate) source: String,
    pub(crate) stream: Uuid,
    pub(crate) sequence: i64,
    pub(crate) event_id: Uuid,
    /// The row of `held` that this event was parked in.
    pub(crate) held: Option<i64>,
}

/// The row of `timers` that a group carries out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerClaim {
    pub(crate) key: Uuid,
    pub(crate) due: Timestamp,
}

/// Commands that stand or fall together.
pub(crate) struct Group {
    pub(crate) items: Vec<Item>,
    pub(crate) cursor: Option<CursorStep>,
    pub(crate) timer: Option<TimerClaim>,
}

/// A written event, enough to answer with.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) data: Vec<u8>,
}

/// What became of one command.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It wrote these events (now, or when the same request came before).
    Written { version: i64, events: Vec<Written> },
    /// It was so already.
    AlreadySo { version: i64 },
}

/// What became of a group.
#[derive(Clone, Debug)]
pub(crate) enum Settled {
    /// Committed; an outcome for each command.
    Done(Vec<Outcome>),
    /// The cursor stands at or beyond this event: it was taken before.
    Duplicate,
    /// The cursor stands before the event's predecessor.
    Ahead,
    /// The cursor stands at this sequence, but with another event's id.
    Diverged,
    /// One command was refused; nothing of the group was written.
    Refused(Box<Refusal>),
    /// A fact is stale; nothing was written.
    Stale,
    /// What it needs is not here yet; nothing was written.
    NotYet(&'static str),
}

/// What the desk and its batches share.
pub(crate) struct Premises {
    pub(crate) connections: Connections,
    pub(crate) kinds: Kinds,
    pub(crate) views: Vec<Arc<dyn AnyView>>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) service: &'static str,
    /// Called after a commit that left something in the outbox.
    pub(crate) outbox_filled: Box<dyn Fn() + Send + Sync>,
    /// Called after a commit that left a consequence.
    pub(crate) timers_filled: Box<dyn Fn() + Send + Sync>,
}

struct Waiting {
    group: Group,
    keys: Vec<Key>,
    answer: oneshot::Sender<Settled>,
}

/// What two batches in flight must not share.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Aggregate(Uuid),
    Stream(String, Uuid),
}

impl Group {
    fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .items
            .iter()
            .map(|item| Key::Aggregate(item.aggregate))
            .collect();
        if let Some(step) = &self.cursor {
            keys.push(Key::Stream(step.source.clone(), step.stream));
        }
        keys
    }
}

/// The way to the desk.
#[derive(Clone)]
pub(crate) struct Desk {
    bench: mpsc::Sender<Waiting>,
}

impl Desk {
    /// Opens the desk; it closes when `drain` is cancelled and everything on the bench is done.
    pub(crate) fn open(
        premises: Arc<Premises>,
        tasks: &TaskTracker,
        drain: CancellationToken,
    ) -> Self {
        let (bench, queue) = mpsc::channel(BENCH);
        tasks.spawn(gather(premises, queue, tasks.clone(), drain));
        Self { bench }
    }

    /// Hands in a group without waiting for a place; for callers that can come again.
    pub(crate) async fn offer(&self, group: Group) -> Result<Settled, Refusal> {
        let (answer, settled) = oneshot::channel();
        let keys = group.keys();
        match self.bench.try_send(Waiting {
            group,
            keys,
            answer,
        }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return Err(DESK_FULL),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(UNAVAILABLE),
        }
        settled.await.map_err(|_| UNAVAILABLE)
    }

    /// Hands in a group and waits for a place; returns when the place is taken, so that order is kept.
    pub(crate) async fn enqueue(
        &self,
        group: Group,
    ) -> Result<oneshot::Receiver<Settled>, Refusal> {
        let (answer, settled) = oneshot::channel();
        let keys = group.keys();
        self.bench
            .send(Waiting {
                group,
                keys,
                answer,
            })
            .await
            .map_err(|_| UNAVAILABLE)?;
        Ok(settled)
    }
}

async fn gather(
    premises: Arc<Premises>,
    mut queue: mpsc::Receiver<Waiting>,
    tasks: TaskTracker,
    drain: CancellationToken,
) {
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let mut busy: HashSet<Key> = HashSet::new();
    let mut in_flight = 0usize;
    let (done, mut finished) = mpsc::unbounded_channel::<HashSet<Key>>();
    let mut open = true;
    loop {
        while in_flight < BATCHES {
            let batch = take_batch(&mut waiting, &busy);
            if batch.is_empty() {
                break;
            }
            let keys: HashSet<Key> = batch.iter().flat_map(|w| w.keys.iter().cloned()).collect();
            busy.extend(keys.iter().cloned());
            in_flight += 1;
            let premises = Arc::clone(&premises);
            let done = done.clone();
            tasks.spawn(async move {
                let (groups, answers): (Vec<_>, Vec<_>) =
                    batch.into_iter().map(|w| (w.group, w.answer)).unzip();
                batch::run(&premises, groups, answers).await;
                // The gatherer outlives its batches, except when the process is torn down.
                let _ = done.send(keys);
            });
        }
        if !open && waiting.is_empty() && in_flight == 0 {
            return;
        }
        tokio::select! {
            biased;
            Some(keys) = finished.recv(), if in_flight > 0 => {
                in_flight -= 1;
                for key in keys {
                    busy.remove(&key);
                }
            }
            received = queue.recv(), if open && waiting.len() < BENCH => {
                match received {
                    Some(first) => {
                        waiting.push_back(first);
                        take_all(&mut queue, &mut waiting);
                        if in_flight > 0 && waiting.len() < LARGEST_BATCH {
                            let company = tokio::time::timeout(GATHERING, fill(&mut queue, &mut waiting));
                            // Either way the batch goes as it is.
                            let _ = company.await;
                        }
                    }
                    None => open = false,
                }
            }
            () = drain.cancelled(), if open => {
                queue.close();
                take_all(&mut queue, &mut waiting);
                open = false;
            }
        }
    }
}

fn take_all(queue: &mut mpsc::Receiver<Waiting>, waiting: &mut VecDeque<Waiting>) {
    while waiting.len() < BENCH {
        match queue.try_recv() {
            Ok(next) => waiting.push_back(next),
            Err(_) => return,
        }
    }
}

async fn fill(queue: &mut mpsc::Receiver<Waiting>, waiting: &mut VecDeque<Waiting>) {
    while waiting.len() < LARGEST_BATCH {
        match queue.recv().await {
            Some(next) => waiting.push_back(next),
            None => return,
        }
    }
}

/// The next batch in the order of arrival: no group whose aggregates are in flight, and none that would overtake one
/// that waits for the same.
fn take_batch(waiting: &mut VecDeque<Waiting>, busy: &HashSet<Key>) -> Vec<Waiting> {
    let mut batch = Vec::new();
    let mut commands = 0;
    let mut held_back: HashSet<Key> = HashSet::new();
    let mut left = VecDeque::with_capacity(waiting.len());
    while let Some(next) = waiting.pop_front() {
        let size = next.group.items.len().max(1);
        let blocked = next
            .keys
            .iter()
            .any(|key| busy.contains(key) || held_back.contains(key));
        let full = commands > 0 && commands + size > LARGEST_BATCH;
        if blocked || full {
            held_back.extend(next.keys.iter().cloned());
            left.push_back(next);
            if full {
                break;
            }
        } else {
            commands += size;
            batch.push(next);
        }
    }
    left.append(waiting);
    *waiting = left;
    batch
}
