//! Repair: what the broker lost is fetched from the source's journal.
//!
//! A follower with a gap older than two seconds asks the source's feed for what follows its cursor; one with no cursors
//! starts there; once a minute it compares heads, so that even a lost last event is found. Loss at the broker, a late
//! follower and a restored broker are one mechanism.

use std::time::Duration;

use proto::chassis::feed_service_client::FeedServiceClient;
use proto::chassis::{ListEventsRequest, ListHeadsRequest, PublicEvent};
use sqlx::Row;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::EventMessage;
use crate::follower::Follower;
use crate::refusal::{INTERNAL, Refusal, UNAVAILABLE};

/// A gap this old is not just the broker's disorder.
const GAP: Duration = Duration::from_secs(2);
/// How often heads are compared.
pub(crate) const COMPARE: Duration = Duration::from_secs(60);

/// Repairs one follower until `drain`.
pub(crate) async fn work(follower: Follower, every: Duration, drain: CancellationToken) {
    let mut since = String::new();
    let mut next = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = drain.cancelled() => return,
            () = tokio::time::sleep_until(next) => {
                match compare_heads(&follower, &since).await {
                    Ok(token) => since = token,
                    Err(refusal) => {
                        tracing::debug!(source = follower.inner.source, code = %refusal.code, note = refusal.note.reveal(), "heads cannot be compared now");
                    }
                }
                // A failed comparison is tried again soon.
                let pause = if since.is_empty() { Duration::from_secs(2).min(every) } else { every };
                next = tokio::time::Instant::now() + pause;
            }
            () = follower.inner.gap.notified() => {
                // Give the broker the time to deliver what is merely late.
                if drain.run_until_cancelled(tokio::time::sleep(GAP)).await.is_none() {
                    return;
                }
                if let Err(refusal) = close_gaps(&follower).await {
                    tracing::debug!(source = follower.inner.source, code = %refusal.code, note = refusal.note.reveal(), "gaps cannot be closed now");
                    follower.inner.gap.notify_one();
                }
            }
        }
    }
}

/// Fetches what comes before events that are parked as ahead.
async fn close_gaps(follower: &Follower) -> Result<(), Refusal> {
    let unavailable = |error: sqlx::Error| UNAVAILABLE.with_note(error);
    let rows = sqlx::query(
        "select h.stream, c.sequence from held h join cursors c using (source, stream) \
         where h.source = $1 and h.status = 'ahead' and h.at < now() - make_interval(secs => $2) \
           and not exists (select from held e where e.source = h.source and e.stream = h.stream \
                           and e.sequence = c.sequence + 1) \
         group by h.stream, c.sequence limit 1000",
    )
    .bind(follower.inner.source)
    .bind(GAP.as_secs_f64() / 2.0)
    .fetch_all(follower.inner.front.pool())
    .await
    .map_err(unavailable)?;
    for row in rows {
        let stream: Uuid = row.try_get("stream").map_err(unavailable)?;
        let after: i64 = row.try_get("sequence").map_err(unavailable)?;
        fetch(follower, stream, after).await?;
    }
    Ok(())
}

/// Compares the heads that changed since a token with the cursors; returns the next token.
async fn compare_heads(follower: &Follower, since: &str) -> Result<String, Refusal> {
    let unavailable = |error: sqlx::Error| UNAVAILABLE.with_note(error);
    let source = follower.inner.source;
    let mut page_token = String::new();
    loop {
        let request = ListHeadsRequest {
            since: since.to_owned(),
            page_token: page_token.clone(),
        };
        let page = follower
            .inner
            .front
            .inner
            .peers
            .call(source, None, |call| {
                let request = request.clone();
                async move {
                    FeedServiceClient::new(call.channel())
                        .list_heads(call.request(request))
                        .await
                }
            })
            .await?;
        let heads: Vec<(Uuid, i64)> = page
            .heads
            .iter()
            .filter_map(|head| Some((Uuid::parse_str(&head.stream).ok()?, head.sequence)))
            .collect();
        let (streams, sequences): (Vec<Uuid>, Vec<i64>) = heads.into_iter().unzip();
        let rows = sqlx::query(
            "select h.stream, coalesce(c.sequence, 0) as sequence, h.sequence as head \
             from unnest($2::uuid[], $3::bigint[]) as h(stream, sequence) \
             left join cursors c on c.source = $1 and c.stream = h.stream \
             where coalesce(c.sequence, 0) <> h.sequence",
        )
        .bind(source)
        .bind(streams)
        .bind(sequences)
        .fetch_all(follower.inner.front.pool())
        .await
        .map_err(unavailable)?;
        for row in rows {
            let stream: Uuid = row.try_get("stream").map_err(unavailable)?;
            let cursor: i64 = row.try_get("sequence").map_err(unavailable)?;
            let head: i64 = row.try_get("head").map_err(unavailable)?;
            if head < cursor {
                tracing::error!(source, %stream, head, cursor, "the source's history is shorter than what was followed: compare the histories");
                metrics::counter!("zhengming_dead_total", "what" => "head_below_cursor")
                    .increment(1);
                continue;
            }
            fetch(follower, stream, cursor).await?;
        }
        if page.next_page_token.is_empty() {
            return Ok(page.token);
        }
        page_token = page.next_page_token;
    }
}

/// Fetches the events of a stream after a sequence and reacts to them.
async fn fetch(follower: &Follower, stream: Uuid, after: i64) -> Result<(), Refusal> {
    let source = follower.inner.source;
    let mut after = after;
    loop {
        let request = ListEventsRequest {
            stream: stream.to_string(),
            after,
        };
        let answer = follower
            .inner
            .front
            .inner
            .peers
            .call(source, None, |call| {
                let request = request.clone();
                async move {
                    FeedServiceClient::new(call.channel())
                        .list_events(call.request(request))
                        .await
                }
            })
            .await?;
        let Some(last) = answer.events.last().map(|event| event.sequence) else {
            return Ok(());
        };
        for event in &answer.events {
            let event = message(source, &answer.epoch, event)?;
            metrics::counter!("zhengming_repaired_total", "source" => source).increment(1);
            follower.take_repaired(event).await;
        }
        after = last;
    }
}

fn message(source: &str, epoch: &str, event: &PublicEvent) -> Result<EventMessage, Refusal> {
    let unreadable = || INTERNAL.with_note("the feed gave an event that does not read");
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| unreadable());
    let maybe = |text: &str| Uuid::parse_str(text).ok();
    Ok(EventMessage {
        id: id(&event.event_id)?,
        source: source.to_owned(),
        type_: event.r#type.clone(),
        stream: id(&event.stream)?,
        sequence: event.sequence,
        epoch: epoch.to_owned(),
        matter: maybe(&event.matter_id),
        cause: maybe(&event.cause),
        actor: (!event.actor_id.is_empty()).then(|| event.actor_id.clone()),
        traceparent: None,
        at: jiff::Timestamp::from_microsecond(event.at_micros).map_err(|_| unreadable())?,
        body: event.body.to_vec(),
    })
}
