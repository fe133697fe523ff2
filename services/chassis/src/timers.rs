//! Clocks and consequences: commands that became due.
//!
//! A claim is a lease; the command's own transaction deletes the row, if it is still due then. Consequences have a
//! worker of their own, so that a thousand clocks due at midnight hold up nothing; nor does a command whose facts take
//! long hold up those behind it. A refused command is dead, with an alarm; what may pass is tried again later.

use std::sync::Arc;
use std::time::Duration;

use office::{Actor, natural_id};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::backoff;
use crate::desk::{Group, Settled, TimerClaim};
use crate::facts;
use crate::front::{Front, Order};
use crate::refusal::{FACTS_STALE, NOT_PERMITTED, Refusal, UNAVAILABLE};
use crate::telemetry;
use crate::time::At;

/// The net under all wake-ups.
const POLL: Duration = Duration::from_millis(500);
/// How long a claim holds; longer than a command usually takes. What a killed process had claimed waits for so long, and
/// one that takes longer is carried out twice, which its request id makes harmless.
const LEASE: Duration = Duration::from_secs(30);
/// Consequences under way at once.
const CONSEQUENCES: usize = 128;
/// Clocks under way at once; few, so that other work goes on beside them.
const CLOCKS: usize = 16;

/// What one worker looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Consequences,
    Clocks,
}

impl Due {
    /// How many may be under way at once.
    fn most(self) -> usize {
        match self {
            Self::Consequences => CONSEQUENCES,
            Self::Clocks => CLOCKS,
        }
    }
}

struct Claimed {
    key: Uuid,
    due: At,
    kind: String,
    aggregate: Uuid,
    method: String,
    command: Vec<u8>,
    actor: Vec<u8>,
    cause: Option<Uuid>,
    trace: Option<String>,
    attempts: i32,
}

/// Carries out what is due until `drain`.
pub(crate) async fn work(
    front: Front,
    methods: Arc<std::collections::BTreeSet<&'static str>>,
    which: Due,
    wake: Arc<Notify>,
    drain: CancellationToken,
) {
    let pool = front.pool().clone();
    let mut under_way = JoinSet::new();
    while !drain.is_cancelled() {
        while under_way.try_join_next().is_some() {}
        let room = which.most() - under_way.len();
        // In halves, as a claim for each place that becomes free would be many.
        if room < which.most() / 2 {
            tokio::select! {
                () = drain.cancelled() => break,
                _ = under_way.join_next() => continue,
            }
        }
        let claimed = match claim(&pool, which, room).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "due commands cannot be claimed");
                Vec::new()
            }
        };
        let all = claimed.len() < room;
        for claimed in claimed {
            under_way.spawn(carry_out(
                front.clone(),
                Arc::clone(&methods),
                which,
                claimed,
            ));
        }
        if all {
            tokio::select! {
                () = drain.cancelled() => break,
                // Either way it looks again.
                _ = tokio::time::timeout(POLL, wake.notified()) => {}
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn claim(pool: &PgPool, which: Due, room: usize) -> sqlx::Result<Vec<Claimed>> {
    let consequences = which == Due::Consequences;
    sqlx::query_as!(
        Claimed,
        "update timers
            set claimed_until = now() + make_interval(secs => $3), attempts = attempts + 1
          where key in (
                select key
                  from timers
                 where dead is null and consequence = $1
                   and (consequence or due <= now() + (select shift from clock))
                   and (claimed_until is null or claimed_until < now())
                   and (not_before is null or not_before <= now())
                 order by due
                 limit $2
                   for update skip locked)
         returning key, due, target_kind as kind, aggregate, method, command, actor, cause, trace, attempts",
        consequences,
        i64::try_from(room).unwrap_or(i64::MAX),
        LEASE.as_secs_f64()
    )
    .fetch_all(pool)
    .await
}

async fn carry_out(
    front: Front,
    methods: Arc<std::collections::BTreeSet<&'static str>>,
    which: Due,
    claimed: Claimed,
) {
    let (key, attempts) = (claimed.key, claimed.attempts);
    let span = telemetry::continue_from(&claimed.method, claimed.trace.as_deref());
    let ended = match order(&front, &methods, which, &claimed) {
        Ok(mut order) => {
            let onward = span.in_scope(telemetry::current_traceparent);
            order.trace = onward.or(order.trace);
            run(&front, &order, &claimed).instrument(span).await
        }
        Err(reason) => Err(End::Dead(reason)),
    };
    let written = match ended {
        Ok(()) => return,
        Err(End::Later(reason)) => {
            tracing::debug!(%key, reason, "a due command is put off");
            sqlx::query!(
                "update timers set claimed_until = null, not_before = now() + make_interval(secs => $2) where key = $1",
                key,
                backoff::PARKED.delay(attempts.unsigned_abs()).as_secs_f64()
            )
            .execute(front.pool())
            .await
        }
        Err(End::Dead(reason)) => {
            tracing::error!(%key, kind = claimed.kind, method = claimed.method, reason, "a due command is dead");
            metrics::counter!("zhengming_dead_total", "what" => "timer").increment(1);
            sqlx::query!(
                "update timers set claimed_until = null, dead = $2 where key = $1",
                key,
                reason
            )
            .execute(front.pool())
            .await
        }
    };
    if let Err(error) = written {
        // The lease runs out and the command is tried again.
        tracing::warn!(%key, %error, "the end of a due command could not be noted");
    }
}

enum End {
    Later(String),
    Dead(String),
}

fn order(
    front: &Front,
    methods: &std::collections::BTreeSet<&'static str>,
    which: Due,
    claimed: &Claimed,
) -> Result<Order, String> {
    let kind = front
        .inner
        .kinds
        .get(&claimed.kind)
        .ok_or_else(|| format!("no aggregate of kind {} here", claimed.kind))?;
    let method = methods
        .get(claimed.method.as_str())
        .ok_or_else(|| format!("no method {} here", claimed.method))?;
    let command = kind.read_command(&claimed.command)?;
    let actor: Actor = serde_json::from_slice(&claimed.actor)
        .map_err(|error| format!("the actor does not read: {:?}", error.classify()))?;
    if !front.profile().permits(&actor, method) {
        return Err(NOT_PERMITTED.code.into_owned());
    }
    let request_id = match which {
        Due::Consequences => claimed.key,
        Due::Clocks => natural_id(
            "tick",
            &[
                claimed.key.as_bytes(),
                &claimed.due.0.as_microsecond().to_be_bytes(),
            ],
        ),
    };
    Ok(Order {
        kind: Arc::clone(kind),
        aggregate: claimed.aggregate,
        method,
        command,
        request_id,
        texts: Vec::new(),
        actor,
        cause: claimed.cause,
        trace: claimed.trace.clone(),
        keep_answer: false,
    })
}

async fn run(front: &Front, order: &Order, claimed: &Claimed) -> Result<(), End> {
    let settled = facts::while_stale(|| async {
        let group = Group {
            items: vec![front.prepare(order).await?],
            cursor: None,
            timer: Some(TimerClaim {
                key: claimed.key,
                due: claimed.due.0,
            }),
        };
        let settled = front.inner.desk.enqueue(group).await?;
        settled.await.map_err(|_| UNAVAILABLE)
    });
    match settled.await.map_err(ended)? {
        Settled::Done(_) => Ok(()),
        Settled::Refused(refusal) => Err(ended(*refusal)),
        Settled::NotYet(what) => Err(End::Later(what.to_owned())),
        Settled::Stale => Err(ended(FACTS_STALE)),
        Settled::Duplicate | Settled::Ahead | Settled::Diverged => Err(End::Later(
            "a due command without a cursor met a cursor".to_owned(),
        )),
    }
}

fn ended(refusal: Refusal) -> End {
    let reason = format!("{}: {}", refusal.code, refusal.message);
    if !refusal.note.reveal().is_empty() {
        tracing::warn!(code = %refusal.code, note = refusal.note.reveal(), "a due command is refused");
    }
    if refusal.kind.is_passing() {
        End::Later(reason)
    } else {
        End::Dead(reason)
    }
}
