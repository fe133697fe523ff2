//! Repair: what the broker lost is fetched from the source's journal.
//!
//! A follower with a gap older than two seconds asks the source's feed for what follows its cursor; one with no cursors
//! starts there; once a minute it compares heads, so that even a lost last event is found. Loss at the broker, a late
//! follower and a restored broker are one mechanism. A restored source is another one: [`histories`].

mod histories;

use std::time::Duration;

use proto::chassis::feed_service_client::FeedServiceClient;
use proto::chassis::{
    ListEventsRequest, ListEventsResponse, ListHeadsRequest, ListHeadsResponse, PublicEvent,
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::EventMessage;
use crate::follower::Follower;
use crate::refusal::{INTERNAL, Refusal, UNAVAILABLE};

/// A gap this old is not just the broker's disorder.
const GAP: Duration = Duration::from_secs(2);
/// How often heads are compared.
pub(crate) const COMPARE: Duration = Duration::from_secs(60);
/// A failed comparison is tried again after this.
const SOON: Duration = Duration::from_secs(2);
/// How a token begins that belongs to no listing: all heads are compared, at once.
pub(crate) const ANEW: &str = "anew:";

/// How often operators' wishes are looked for.
const WISHES: Duration = Duration::from_secs(1);

/// Repairs one follower until `drain`.
pub(crate) async fn work(follower: Follower, every: Duration, drain: CancellationToken) {
    drain.run_until_cancelled(attend(&follower, every)).await;
}

async fn attend(follower: &Follower, every: Duration) {
    // What was in doubt when the process ended still is; and a restored source is heard before its queue.
    if told(
        follower,
        "histories cannot be compared now",
        compare_histories(follower).await,
    )
    .is_none()
    {
        follower.inner.foreign.notify_one();
    }
    follower.source_was_asked();
    let mut next = Instant::now();
    let mut wishes = Instant::now();
    loop {
        tokio::select! {
            () = sleep_until(next) => {
                let compared = compare_heads(follower).await;
                // A failed comparison is tried again soon.
                let pause = if compared.is_ok() { every } else { SOON.min(every) };
                told(follower, "heads cannot be compared now", compared);
                next = Instant::now() + pause;
            }
            () = sleep_until(wishes) => {
                if told(follower, "histories cannot be compared again now", wished(follower).await) == Some(true) {
                    next = Instant::now();
                }
                wishes = Instant::now() + WISHES;
            }
            () = follower.inner.foreign.notified() => {
                if told(follower, "histories cannot be compared now", compare_histories(follower).await).is_none() {
                    follower.inner.foreign.notify_one();
                    sleep(WISHES).await;
                }
                next = Instant::now();
            }
            () = follower.inner.gap.notified() => {
                // Give the broker the time to deliver what is merely late.
                sleep(GAP).await;
                if told(follower, "gaps cannot be closed now", close_gaps(follower).await).is_none() {
                    follower.inner.gap.notify_one();
                }
            }
        }
    }
}

/// What came of it, and why not, if nothing did.
fn told<T>(follower: &Follower, what: &'static str, came: Result<T, Refusal>) -> Option<T> {
    came.inspect_err(|refusal| {
        tracing::debug!(source = follower.inner.source, code = %refusal.code, note = refusal.note.reveal(), what);
    })
    .ok()
}

/// Fetches what comes before events that are parked as ahead.
async fn close_gaps(follower: &Follower) -> Result<(), Refusal> {
    let gaps = sqlx::query!(
        r#"select h.stream as "stream!", c.sequence
             from held h join cursors c using (source, stream)
            where h.source = $1 and h.status = 'ahead' and h.at < now() - make_interval(secs => $2)
              and not exists (
                  select from held e
                   where e.source = h.source and e.stream = h.stream and e.sequence = c.sequence + 1)
            group by h.stream, c.sequence
            limit 1000"#,
        follower.inner.source,
        GAP.as_secs_f64() / 2.0
    )
    .fetch_all(follower.inner.front.pool())
    .await
    .map_err(unavailable)?;
    for gap in gaps {
        fetch(follower, gap.stream, gap.sequence).await?;
    }
    Ok(())
}

/// Another epoch of the source: everything that was followed is compared, then events of the old one that wait.
async fn compare_histories(follower: &Follower) -> Result<(), Refusal> {
    let epoch = heads(follower, "", "").await?.epoch;
    if remembered(follower).await?.0.as_deref() != Some(&*epoch) {
        histories::compare_all(follower, &epoch).await?;
    }
    histories::settle_foreign_events(follower, &epoch).await
}

/// What operators asked for; says whether all heads are to be compared now.
async fn wished(follower: &Follower) -> Result<bool, Refusal> {
    let wishes = sqlx::query!(
        r#"select s.epoch, s.token like $2 || '%' as anew,
                  exists (
                      select from held h
                       where h.source = s.source and h.status = 'diverged' and h.not_before <= now()
                  ) as "again!"
             from sources s
            where s.source = $1"#,
        follower.inner.source,
        ANEW
    )
    .fetch_optional(follower.inner.front.pool())
    .await
    .map_err(unavailable)?;
    let Some(wishes) = wishes else {
        return Ok(false);
    };
    if wishes.again
        && let Some(epoch) = wishes.epoch
    {
        histories::compare_again(follower, &epoch).await?;
    }
    Ok(wishes.again || wishes.anew == Some(true))
}

/// The epoch and the token of heads that are remembered of the source.
async fn remembered(follower: &Follower) -> Result<(Option<String>, Option<String>), Refusal> {
    let row = sqlx::query!(
        "select epoch, token from sources where source = $1",
        follower.inner.source
    )
    .fetch_optional(follower.inner.front.pool())
    .await
    .map_err(unavailable)?;
    Ok(row.map(|row| (row.epoch, row.token)).unwrap_or_default())
}

/// Compares the heads that changed since the remembered token with the cursors, and remembers the next token.
async fn compare_heads(follower: &Follower) -> Result<(), Refusal> {
    let source = follower.inner.source;
    let (mut epoch, mut since) = remembered(follower).await?;
    let mut page_token = String::new();
    loop {
        let page = heads(follower, since.as_deref().unwrap_or_default(), &page_token).await?;
        if epoch.as_deref() != Some(&*page.epoch) {
            histories::compare_all(follower, &page.epoch).await?;
            // Whatever changed, in either history.
            (epoch, since) = (Some(page.epoch), None);
            page_token.clear();
            continue;
        }
        let heads: Vec<(Uuid, i64)> = page
            .heads
            .iter()
            .filter_map(|head| Some((Uuid::parse_str(&head.stream).ok()?, head.sequence)))
            .collect();
        let (streams, sequences): (Vec<Uuid>, Vec<i64>) = heads.into_iter().unzip();
        let apart = sqlx::query!(
            r#"select h.stream as "stream!", coalesce(c.sequence, 0) as "cursor!", h.sequence as "head!"
                 from unnest($2::uuid[], $3::bigint[]) as h(stream, sequence)
                 left join cursors c on c.source = $1 and c.stream = h.stream
                where coalesce(c.sequence, 0) <> h.sequence"#,
            source,
            &streams,
            &sequences
        )
        .fetch_all(follower.inner.front.pool())
        .await
        .map_err(unavailable)?;
        for row in apart {
            if row.head < row.cursor {
                histories::compare_stream(follower, &page.epoch, row.stream).await?;
            } else {
                fetch(follower, row.stream, row.cursor).await?;
            }
        }
        if page.next_page_token.is_empty() {
            // Unless somebody wants all of them, or another replica was here meanwhile.
            sqlx::query!(
                "update sources set token = $3
                  where source = $1 and epoch = $2 and token is not distinct from $4",
                source,
                page.epoch,
                page.token,
                since
            )
            .execute(follower.inner.front.pool())
            .await
            .map_err(unavailable)?;
            return Ok(());
        }
        page_token = page.next_page_token;
    }
}

async fn heads(
    follower: &Follower,
    since: &str,
    page_token: &str,
) -> Result<ListHeadsResponse, Refusal> {
    let request = ListHeadsRequest {
        since: since.to_owned(),
        page_token: page_token.to_owned(),
    };
    let peers = &follower.inner.front.inner.peers;
    peers
        .call(follower.inner.source, None, |call| {
            let request = request.clone();
            async move {
                FeedServiceClient::new(call.channel())
                    .list_heads(call.request(request))
                    .await
            }
        })
        .await
}

async fn events(
    follower: &Follower,
    stream: Uuid,
    after: i64,
) -> Result<ListEventsResponse, Refusal> {
    let request = ListEventsRequest {
        stream: stream.to_string(),
        after,
    };
    let peers = &follower.inner.front.inner.peers;
    peers
        .call(follower.inner.source, None, |call| {
            let request = request.clone();
            async move {
                FeedServiceClient::new(call.channel())
                    .list_events(call.request(request))
                    .await
            }
        })
        .await
}

/// Fetches the events of a stream after a sequence and reacts to them.
async fn fetch(follower: &Follower, stream: Uuid, after: i64) -> Result<(), Refusal> {
    let source = follower.inner.source;
    let mut after = after;
    loop {
        let answer = events(follower, stream, after).await?;
        let Some(last) = answer.events.last().map(|event| event.sequence) else {
            return Ok(());
        };
        for event in &answer.events {
            let event = message(source, &answer.epoch, event)?;
            metrics::counter!("zhengming_repaired_total", "source" => source).increment(1);
            if !follower.take_repaired(event).await {
                // The token must not move past what was neither taken nor kept.
                return Err(UNAVAILABLE.with_note("an event of the feed could not be taken"));
            }
        }
        after = last;
    }
}

fn unavailable(error: sqlx::Error) -> Refusal {
    UNAVAILABLE.with_note(error)
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
