//! Events in: every public event of a followed source takes effect here exactly once, in the order of its stream.
//!
//! Whatever the broker does (double, reorder, lose), the cursor of a stream decides: the next event is reacted to, one
//! that is not above it is a duplicate, one that is ahead is parked. A reaction's commands and the step of the cursor
//! are one group at the desk. An event ends as done, parked ("not yet", "ahead"), or dead; parked and dead ones hold
//! back their own stream only. [`hold`] keeps them, [`repair`](crate::repair) fetches what is missing, [`history`]
//! knows whether the source's database is still the one that was followed.

mod history;
mod hold;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use office::{Actor, ActorId, natural_id};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::backoff;
use crate::broker::{Acker, Broker, EventMessage, Incoming};
use crate::desk::{CursorStep, Group, Settled};
use crate::facts;
use crate::front::{Front, Order};
use crate::reaction::{Directive, Follows, Foreign, NotYet};
use crate::refusal::{NOT_PERMITTED, Refusal};
use crate::telemetry;

use hold::Kept;
pub(crate) use hold::{Held, OTHER_EVENT, Status, forget, keep_vanished, settle_foreign};

/// Messages taken and not yet acknowledged; the broker's window.
const PREFETCH: u16 = 512;
/// How often parked events that became next are looked for.
const PARKED: Duration = Duration::from_secs(1);
/// How long a doubt waits for what is in hand.
const IN_HAND: Duration = Duration::from_secs(10);

/// Follows one source.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) service: &'static str,
    pub(crate) source: &'static str,
    pub(crate) front: Front,
    lines: BTreeMap<&'static str, Follows>,
    /// Something may be parked whose time could come with the next event.
    parked: AtomicBool,
    look: Notify,
    /// Set when a gap was seen or nothing was ever followed: the feed is asked.
    pub(crate) gap: Notify,
    /// The history that is followed, as this replica knows it; none while it is in doubt.
    epoch: watch::Sender<Option<String>>,
    /// Set when an event was not of that one: the source is asked, and the two are compared.
    pub(crate) foreign: Notify,
    /// Whether the source was asked for its history since this process started, with an answer or in vain.
    asked: watch::Sender<bool>,
    in_hand: Semaphore,
}

/// What became of an event.
#[derive(Debug)]
enum End {
    /// Committed, or committed before.
    Done,
    /// Kept aside.
    Hold(Status, String),
    /// Nothing could be written now; it must come again.
    Again(String),
}

impl Follower {
    pub(crate) fn new(
        service: &'static str,
        source: &'static str,
        lines: &[Follows],
        front: Front,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                service,
                source,
                front,
                lines: lines.iter().map(|line| (line.name, *line)).collect(),
                parked: AtomicBool::new(true),
                look: Notify::new(),
                gap: Notify::new(),
                epoch: watch::Sender::new(None),
                foreign: Notify::new(),
                asked: watch::Sender::new(false),
                in_hand: Semaphore::new(usize::from(PREFETCH)),
            }),
        }
    }

    /// Takes events from the queue until `drain`.
    pub(crate) async fn consume(
        self,
        broker: Broker,
        tasks: TaskTracker,
        drain: CancellationToken,
    ) {
        let queue = proto::topology::follower_queue(self.inner.service, self.inner.source);
        let mut consumption = broker.consume(&queue, PREFETCH);
        if drain
            .run_until_cancelled(self.source_asked())
            .await
            .is_none()
        {
            return;
        }
        loop {
            let incoming = tokio::select! {
                () = drain.cancelled() => {
                    consumption.stop_handle().stop();
                    return;
                }
                incoming = consumption.next() => match incoming {
                    Some(incoming) => incoming,
                    None => return,
                },
            };
            self.receive(incoming, &tasks).await;
        }
    }

    /// The source was asked for its history, or does not answer: what waits may be brought.
    pub(crate) fn source_was_asked(&self) {
        self.inner.asked.send_replace(true);
    }

    async fn source_asked(&self) {
        // The sender lives as long as this.
        let _ = self.inner.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// Brings one message to the desk in the order of arrival; its end is awaited elsewhere.
    async fn receive(&self, incoming: Incoming, tasks: &TaskTracker) {
        let event = match EventMessage::from_incoming(&incoming) {
            Ok(event) if event.source == self.inner.source => event,
            Ok(_) => {
                let reason = "the message's source is not the one of this queue".to_owned();
                return self.unreadable(incoming, reason).await;
            }
            Err(fault) => return self.unreadable(incoming, fault.to_string()).await,
        };
        let acker = incoming.acker.clone();
        let Ok(permit) = self.inner.in_hand.acquire().await else {
            return;
        };
        let first = self.bring(&event, None).await;
        permit.forget();
        let follower = self.clone();
        tasks.spawn(async move {
            follower.finish(event, first, Some(acker)).await;
            follower.inner.in_hand.add_permits(1);
        });
    }

    /// Takes an event that the feed gave; says whether it took effect or was kept.
    pub(crate) async fn take_repaired(&self, event: EventMessage) -> bool {
        let first = self.bring(&event, None).await;
        self.finish(event, first, None).await
    }

    /// Waits until what was in hand has ended, so that nothing that was brought before a doubt takes effect after it.
    pub(crate) async fn hands_empty(&self) -> bool {
        let all = self.inner.in_hand.acquire_many(u32::from(PREFETCH));
        matches!(tokio::time::timeout(IN_HAND, all).await, Ok(Ok(_)))
    }

    /// Sees an event to its end; says whether it took effect or was kept.
    async fn finish(&self, event: EventMessage, first: Brought, acker: Option<Acker>) -> bool {
        let mut brought = first;
        let mut attempts = 0;
        loop {
            let end = self.settled(&event, None, brought).await;
            let kept = match end {
                End::Done => true,
                End::Hold(status, reason) => match self.hold(&event, status, &reason).await {
                    Ok(Kept::Held) => true,
                    // The cursor moved in between.
                    Ok(Kept::NotNeeded) => false,
                    Err(error) => {
                        tracing::warn!(%error, "an event cannot be kept aside now");
                        false
                    }
                },
                End::Again(reason) => {
                    tracing::debug!(reason, "an event comes again");
                    false
                }
            };
            if kept {
                if let Some(acker) = &acker {
                    acker.ack().await;
                }
                return true;
            }
            if let Some(acker) = &acker
                && !acker.usable()
            {
                // The broker delivers it again; the cursor makes that harmless.
                return false;
            }
            if acker.is_none() && attempts > 3 {
                // The feed is asked again.
                return false;
            }
            tokio::time::sleep(backoff::PARKED.delay(attempts)).await;
            attempts += 1;
            brought = self.bring(&event, None).await;
        }
    }

    /// Reacts to an event and brings the group to the desk.
    async fn bring(&self, event: &EventMessage, held: Option<i64>) -> Brought {
        let span = telemetry::continue_from(name(event), event.traceparent.as_deref());
        async {
            if let Err(end) = self.recognise(event).await {
                return Brought::Ended(end);
            }
            let orders = match self.react(event) {
                Ok(orders) => orders,
                Err(end) => return Brought::Ended(end),
            };
            let mut items = Vec::with_capacity(orders.len());
            for mut order in orders {
                let span = telemetry::part(order.method);
                let onward = span.in_scope(telemetry::current_traceparent);
                order.trace = onward.or(order.trace);
                match self.inner.front.prepare(&order).instrument(span).await {
                    Ok(item) => items.push(item),
                    Err(refusal) => return Brought::Ended(self.refused(&refusal)),
                }
            }
            let group = Group {
                items,
                cursor: Some(CursorStep {
                    source: self.inner.source.to_owned(),
                    stream: event.stream,
                    sequence: event.sequence,
                    event_id: event.id,
                    held,
                }),
                timer: None,
            };
            match self.inner.front.inner.desk.enqueue(group).await {
                Ok(receiver) => Brought::AtDesk(receiver),
                Err(refusal) => Brought::Ended(self.refused(&refusal)),
            }
        }
        .instrument(span)
        .await
    }

    /// The commands that follow from an event, each with a request id that a repeat has too.
    fn react(&self, event: &EventMessage) -> Result<Vec<Order>, End> {
        let foreign = Foreign {
            source: self.inner.source,
            name: name(event),
            event_id: event.id,
            stream: event.stream,
            sequence: event.sequence,
            body: &event.body,
        };
        let Some(line) = self.inner.lines.get(foreign.name) else {
            let reason = format!(
                "no reaction to {} here; a newer version may have one",
                foreign.name
            );
            return Err(End::Hold(Status::NotYet, reason));
        };
        let Some(react) = line.react else {
            return Ok(Vec::new());
        };
        let directives =
            react(&foreign).map_err(|NotYet(reason)| End::Hold(Status::NotYet, reason))?;
        let on_behalf_of: Option<ActorId> =
            event.actor.as_deref().and_then(|actor| actor.parse().ok());
        let actor = Actor::service(
            self.inner.service,
            on_behalf_of.filter(|actor| !actor.as_str().starts_with("service:")),
        );
        let profile = self.inner.front.profile();
        directives
            .into_iter()
            .enumerate()
            .map(|(ordinal, directive)| {
                let Directive {
                    kind,
                    aggregate,
                    method,
                    command,
                } = directive;
                if !profile.permits(&actor, method) {
                    return Err(End::Hold(Status::Dead, NOT_PERMITTED.code.into_owned()));
                }
                let kind = self.inner.front.inner.kinds.get(kind).ok_or_else(|| {
                    End::Hold(Status::Dead, format!("no aggregate of kind {kind} here"))
                })?;
                let request_id = natural_id(
                    "reaction",
                    &[
                        event.id.as_bytes(),
                        kind.name().as_bytes(),
                        aggregate.as_bytes(),
                        &(ordinal as u64).to_be_bytes(),
                    ],
                );
                Ok(Order {
                    kind: Arc::clone(kind),
                    aggregate,
                    method,
                    command,
                    request_id,
                    texts: Vec::new(),
                    actor: actor.clone(),
                    cause: Some(event.id),
                    trace: event.traceparent.clone(),
                    keep_answer: false,
                })
            })
            .collect()
    }

    /// Waits for the desk, gathering facts again while they are stale.
    async fn settled(&self, event: &EventMessage, held: Option<i64>, first: Brought) -> End {
        let mut first = Some(first);
        let settled = facts::while_stale(|| {
            let brought = first.take();
            async move {
                let brought = match brought {
                    Some(brought) => brought,
                    None => self.bring(event, held).await,
                };
                match brought {
                    Brought::Ended(end) => Err(end),
                    Brought::AtDesk(settled) => settled
                        .await
                        .map_err(|_| End::Again("the desk closed".to_owned())),
                }
            }
        });
        match settled.await {
            Err(end) => end,
            Ok(Settled::Done(_)) => {
                metrics::counter!("zhengming_followed_total", "source" => self.inner.source)
                    .increment(1);
                if self.inner.parked.load(Ordering::Relaxed) {
                    self.inner.look.notify_one();
                }
                End::Done
            }
            Ok(Settled::Duplicate) => End::Done,
            Ok(Settled::Ahead) => {
                let reason = "an earlier event of its stream is missing".to_owned();
                End::Hold(Status::Ahead, reason)
            }
            Ok(Settled::Diverged) => End::Hold(Status::Diverged, hold::OTHER_EVENT.to_owned()),
            Ok(Settled::NotYet(what)) => End::Hold(Status::NotYet, what.to_owned()),
            Ok(Settled::Refused(refusal)) => self.refused(&refusal),
            Ok(Settled::Stale) => End::Hold(Status::NotYet, "facts stayed stale".to_owned()),
        }
    }

    fn refused(&self, refusal: &Refusal) -> End {
        let reason = format!("{}: {}", refusal.code, refusal.message);
        if refusal.kind.is_passing() {
            End::Again(reason)
        } else {
            End::Hold(Status::Dead, reason)
        }
    }

    pub(crate) async fn hold(
        &self,
        event: &EventMessage,
        status: Status,
        reason: &str,
    ) -> sqlx::Result<Kept> {
        if matches!(status, Status::Dead | Status::Diverged) {
            self.alarm(event, status, reason);
        } else {
            metrics::counter!("zhengming_parked_total", "status" => status.word()).increment(1);
        }
        let kept = hold::keep(self.inner.front.pool(), event, status, reason).await?;
        self.inner.parked.store(true, Ordering::Relaxed);
        if status == Status::Ahead {
            self.inner.gap.notify_one();
        }
        Ok(kept)
    }

    fn alarm(&self, event: &EventMessage, status: Status, reason: &str) {
        tracing::error!(
            source = self.inner.source,
            stream = %event.stream,
            sequence = event.sequence,
            event = %event.id,
            reason,
            "an event is {status}: `zm events` lists it"
        );
        metrics::counter!("zhengming_dead_total", "what" => "event").increment(1);
    }

    async fn unreadable(&self, incoming: Incoming, reason: String) {
        tracing::error!(
            source = self.inner.source,
            reason,
            "a message is not readable: `zm events` lists it"
        );
        metrics::counter!("zhengming_dead_total", "what" => "unreadable").increment(1);
        let mut attempts = 0;
        while let Err(error) = hold::keep_unreadable(
            self.inner.front.pool(),
            self.inner.source,
            &incoming.body,
            &reason,
        )
        .await
        {
            tracing::warn!(%error, "an unreadable message cannot be kept now");
            if !incoming.acker.usable() {
                return;
            }
            tokio::time::sleep(backoff::PARKED.delay(attempts)).await;
            attempts += 1;
        }
        incoming.acker.ack().await;
    }

    /// Looks once a second, and after each event, for parked ones that became next.
    pub(crate) async fn watch_parked(self, drain: CancellationToken) {
        if drain
            .run_until_cancelled(self.source_asked())
            .await
            .is_none()
        {
            return;
        }
        loop {
            tokio::select! {
                () = drain.cancelled() => return,
                _ = tokio::time::timeout(PARKED, self.inner.look.notified()) => {}
            }
            if let Err(error) = self.release_parked().await {
                tracing::warn!(%error, "parked events cannot be looked for");
            }
        }
    }

    async fn release_parked(&self) -> sqlx::Result<()> {
        let pool = self.inner.front.pool();
        self.recall().await?;
        loop {
            let held = hold::next(pool, self.inner.source).await?;
            if held.is_empty() {
                let any = hold::any(pool, self.inner.source).await?;
                self.inner.parked.store(any, Ordering::Relaxed);
                return Ok(());
            }
            for Held {
                id,
                event,
                attempts,
            } in held
            {
                let Ok(_in_hand) = self.inner.in_hand.acquire().await else {
                    return Ok(());
                };
                let brought = self.bring(&event, Some(id)).await;
                match self.settled(&event, Some(id), brought).await {
                    End::Done => hold::forget(pool, id).await?,
                    End::Hold(status, reason) => {
                        if matches!(status, Status::Dead | Status::Diverged) {
                            self.alarm(&event, status, &reason);
                        }
                        hold::put_off(pool, id, status, &reason, backoff::PARKED.delay(attempts))
                            .await?;
                    }
                    End::Again(reason) => {
                        hold::put_off(
                            pool,
                            id,
                            Status::NotYet,
                            &reason,
                            backoff::PARKED.delay(attempts),
                        )
                        .await?;
                    }
                }
            }
        }
    }
}

/// The event's message, without its package.
fn name(event: &EventMessage) -> &str {
    event.type_.rsplit('.').next().unwrap_or(&event.type_)
}

/// How far an event came on its way to the desk.
enum Brought {
    AtDesk(tokio::sync::oneshot::Receiver<Settled>),
    Ended(End),
}
