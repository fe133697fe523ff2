//! Commands by queue: any command method, its request as JSON, the method in the message's type, the actor's token in
//! its `authorization` header, and an answer through the exchange of replies if `reply_to` is given.
//!
//! A command is acknowledged when it is decided and its answer is with the broker; until then it comes again, and its
//! request id makes that harmless. What may pass by itself is tried again in place. What cannot even be read is kept
//! with its bytes. No order is promised: who depends on an answer waits for it.
//!
//! The trap: a token for the queue may expire between a command's commit and its redelivery. Such a command was carried
//! out and must be answered so; therefore an expired token still says whose earlier answer may be looked up.

mod message;
mod replies;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use office::Actor;
use proto::topology::command_queue;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::message::{Told, Unreadable};
use self::replies::Reply;
use crate::backoff::{Backoff, Retry};
use crate::broker::{Broker, Incoming};
use crate::front::{AnyMethod, Front};
use crate::keyring::Keyring;
use crate::refusal::{
    INVALID_REQUEST, Refusal, RefusalKind, TOKEN_EXPIRED, TOKEN_INVALID, UNAVAILABLE,
};
use crate::token::Audience;
use crate::{telemetry, time};

/// Messages that are taken and not yet acknowledged.
const AT_ONCE: u16 = 256;
/// How long a command is tried again in place.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Waits between two tries.
const WAITS: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(15),
};

/// What became of a command: the response, or why not.
type Answer = Result<serde_json::Value, Refusal>;

/// Takes commands from the service's queue until `drain`; returns when those it took are done or left to others.
pub(crate) async fn serve_commands(
    front: Front,
    methods: Arc<BTreeMap<&'static str, Arc<dyn AnyMethod>>>,
    keys: Keyring,
    broker: &Broker,
    service: &'static str,
    drain: CancellationToken,
) {
    let consumption = broker.consume(&command_queue(service), AT_ONCE);
    let stop = consumption.stop_handle();
    let (answers, answered) = mpsc::channel(usize::from(AT_ONCE));
    let replying = tokio::spawn(replies::publish(
        broker.publisher(),
        answered,
        drain.clone(),
    ));
    let counter = Arc::new(Counter {
        front,
        methods,
        keys,
        answers,
        drain: drain.clone(),
    });
    // Bounded here as well: after a lost channel the broker delivers anew while the commands before still run.
    let taking = consumption.for_each_concurrent(usize::from(AT_ONCE), move |incoming| {
        let counter = Arc::clone(&counter);
        async move {
            // A task of its own, so that commands use all processors.
            if let Err(fault) = tokio::spawn(async move { counter.take(incoming).await }).await {
                tracing::error!(%fault, "a command by queue broke off; it comes again");
            }
        }
    });
    let stopping = async {
        drain.cancelled().await;
        stop.stop();
        std::future::pending::<()>().await;
    };
    // The stream ends by itself once it is stopped and what was taken is done.
    tokio::select! {
        () = taking => {}
        () = stopping => {}
    }
    if let Err(fault) = replying.await {
        tracing::error!(%fault, "answers by queue broke off; their commands come again");
    }
}

/// Where commands from the queue are handed in.
struct Counter {
    front: Front,
    methods: Arc<BTreeMap<&'static str, Arc<dyn AnyMethod>>>,
    keys: Keyring,
    answers: mpsc::Sender<Reply>,
    drain: CancellationToken,
}

/// A command that was read from a message.
struct Command<'a> {
    name: &'static str,
    method: &'a dyn AnyMethod,
    body: &'a [u8],
}

impl Counter {
    /// Carries out one message and sees to its acknowledgement; one that is left alone comes again.
    async fn take(&self, incoming: Incoming) {
        let told = Told::of(&incoming);
        let span = telemetry::continue_from(
            told.known_method(&self.methods).unwrap_or("command"),
            told.traceparent.as_deref(),
        );
        let Some(answer) = self.answer(&told, &incoming).instrument(span).await else {
            return;
        };
        let reply = told
            .reply_to
            .map(|reply_to| replies::message(reply_to, told.correlation_id, &answer));
        let Some(message) = reply else {
            incoming.acker.ack().await;
            return;
        };
        let reply = Reply {
            message,
            acker: incoming.acker,
        };
        // Fails only where the other task is gone; then the command comes again.
        let _ = self.answers.send(reply).await;
    }

    /// The answer to a message; `None` where it is left for later, because this process stops.
    async fn answer(&self, told: &Told, incoming: &Incoming) -> Option<Answer> {
        let command = match self.read(told, &incoming.body) {
            Ok(command) => command,
            Err(fault) => return self.keep(&fault, told, incoming).await,
        };
        let answer = self.carry_out(&command, told).await?;
        let result = answer
            .as_ref()
            .map_or_else(|refusal| &*refusal.code, |_| "ok");
        metrics::counter!(
            "zhengming_commands_total",
            "method" => command.name,
            "result" => result.to_owned()
        )
        .increment(1);
        let Err(refusal) = &answer else {
            return Some(answer);
        };
        // The same refusal that a caller by gRPC would see; its note goes to the log there as here.
        if refusal.kind == RefusalKind::Internal {
            let note = refusal.note.reveal();
            tracing::error!(method = command.name, code = %refusal.code, note, "refused by a fault of ours");
        } else {
            tracing::debug!(method = command.name, code = %refusal.code, "a command by queue was refused");
        }
        if told.reply_to.is_some() {
            return Some(answer);
        }
        // Nobody hears of these, and nothing else would remember them.
        match refusal.kind {
            RefusalKind::Internal => self.keep(&Unreadable::Fault, told, incoming).await,
            _ if refusal.code == INVALID_REQUEST.code => {
                self.keep(&Unreadable::Request, told, incoming).await
            }
            _ => Some(answer),
        }
    }

    fn read<'a>(&'a self, told: &Told, body: &'a [u8]) -> Result<Command<'a>, Unreadable> {
        let method = told.method.as_deref().ok_or(Unreadable::NoMethod)?;
        let (name, method) = self
            .methods
            .get_key_value(method)
            .ok_or(Unreadable::UnknownMethod)?;
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| Unreadable::NoJson)?;
        Ok(Command {
            name,
            method: &**method,
            body,
        })
    }

    /// Who sends the command, and whether their token has expired meanwhile.
    async fn sender(&self, told: &Told) -> Result<(Actor, bool), Refusal> {
        let token = told
            .token
            .as_deref()
            .ok_or_else(|| TOKEN_INVALID.with_note("no `authorization: Bearer …` header"))?;
        let at = |now| self.keys.verify(token, Audience::Queue, now);
        match at(time::real_now()).await {
            Ok(actor) => Ok((actor, false)),
            Err(refusal) if refusal.code == TOKEN_EXPIRED.code => {
                let last = message::last_moment(token).ok_or(refusal)?;
                Ok((at(last).await?, true))
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn carry_out(&self, command: &Command<'_>, told: &Told) -> Option<Answer> {
        let (actor, expired) = match self.sender(told).await {
            Ok(sender) => sender,
            Err(refusal) => return Some(Err(refusal)),
        };
        self.patiently(command.name, || async {
            let (front, body, actor) = (&self.front, command.body, actor.clone());
            if expired {
                let earlier = command.method.earlier_json(front, body, actor).await?;
                earlier.ok_or(TOKEN_EXPIRED)
            } else {
                command.method.handle_json(front, body, actor).await
            }
        })
        .await
    }

    /// Tries until the answer is not one that may pass; `None` where this process stops first.
    async fn patiently<T, F: Future<Output = Result<T, Refusal>>>(
        &self,
        what: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Option<Result<T, Refusal>> {
        let mut retry = Retry::new(WAITS);
        let since = Instant::now();
        loop {
            let refusal = match attempt().await {
                Err(refusal) if refusal.kind.is_passing() => refusal,
                lasting => return Some(lasting),
            };
            let note = refusal.note.reveal();
            if since.elapsed() >= PATIENCE {
                tracing::error!(what, code = %refusal.code, note, "a command by queue is given up");
                return Some(Err(UNAVAILABLE));
            }
            tracing::warn!(what, code = %refusal.code, note, "a command by queue waits");
            if timeout(retry.delay(), self.drain.cancelled()).await.is_ok() {
                return None;
            }
        }
    }

    /// Keeps a message that cannot be read for an operator. Its answer says what is wrong with it.
    async fn keep(&self, fault: &Unreadable, told: &Told, incoming: &Incoming) -> Option<Answer> {
        let kept = self
            .patiently("unreadable", || async {
                message::keep(self.front.pool(), fault, told, incoming)
                    .await
                    .map_err(|error| UNAVAILABLE.with_note(error))
            })
            .await?;
        if kept.is_err() {
            // Not acknowledged: rather twice than lost.
            return None;
        }
        metrics::counter!("zhengming_dead_total", "what" => "unreadable").increment(1);
        tracing::error!(reason = %fault, "a message in the queue of commands is not readable: `zm events` lists it");
        Some(Err(fault.refusal()))
    }
}
