//! Comparing histories: whether the source still says what was followed here.
//!
//! A stream agrees if the source has, at the place of the cursor, the event that the cursor names. One that does not is
//! held, with a row of `held` that stands for where the source's history is to be followed from: the source's own event
//! at that place, or its head where that is below the cursor. An operator has it compared again, or skips it, and
//! thereby follows the source from there.
//!
//! The trap: a head that was listed a moment ago is below a cursor that moved since. Only what the source answers after
//! the cursor was read counts.

use futures::{StreamExt, TryStreamExt, stream};
use proto::chassis::PublicEvent;
use uuid::Uuid;

use super::{events, message, unavailable};
use crate::follower::{Follower, OTHER_EVENT, Status, forget, keep_vanished, settle_foreign};
use crate::refusal::{Refusal, UNAVAILABLE};

/// Cursors that are read at once.
const PAGE: i64 = 500;
/// Questions to the source at once.
const AT_ONCE: usize = 8;

/// How far a stream was followed.
struct Cursor {
    stream: Uuid,
    sequence: i64,
    event_id: Option<Uuid>,
}

/// What the source says of a cursor.
enum Verdict {
    /// The same.
    Agrees,
    /// It has another event at this place.
    Other(PublicEvent),
    /// Its history is shorter, and ends with this event, if it has any.
    Short(Option<PublicEvent>),
}

/// Compares everything that was followed with another history of the source, and follows that one from then on.
pub(super) async fn compare_all(follower: &Follower, epoch: &str) -> Result<(), Refusal> {
    let source = follower.inner.source;
    follower.doubt(epoch).await.map_err(unavailable)?;
    // Another replica has compared it meanwhile.
    if follower.follows(epoch) {
        return Ok(());
    }
    tracing::warn!(
        source,
        epoch,
        "what was followed is compared with the source's history"
    );
    if !follower.hands_empty().await {
        return Err(UNAVAILABLE.with_note("events are still in hand"));
    }
    let mut last = Uuid::nil();
    loop {
        let cursors = sqlx::query_as!(
            Cursor,
            "select stream, sequence, event_id
               from cursors
              where source = $1 and stream > $2 and sequence > 0
              order by stream
              limit $3",
            source,
            last,
            PAGE
        )
        .fetch_all(follower.inner.front.pool())
        .await
        .map_err(unavailable)?;
        let Some(end) = cursors.last().map(|cursor| cursor.stream) else {
            break;
        };
        last = end;
        let examined = cursors
            .into_iter()
            .map(|cursor| async move { examine(follower, epoch, &cursor).await });
        stream::iter(examined)
            .buffer_unordered(AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await?;
    }
    follower.remember(epoch).await.map_err(unavailable)
}

/// Compares one stream that seems to be shorter at the source; says whether it agrees.
pub(super) async fn compare_stream(
    follower: &Follower,
    epoch: &str,
    stream: Uuid,
) -> Result<bool, Refusal> {
    let cursor = sqlx::query_as!(
        Cursor,
        "select stream, sequence, event_id
           from cursors
          where source = $1 and stream = $2 and sequence > 0",
        follower.inner.source,
        stream
    )
    .fetch_optional(follower.inner.front.pool())
    .await
    .map_err(unavailable)?;
    match cursor {
        Some(cursor) => examine(follower, epoch, &cursor).await,
        None => Ok(true),
    }
}

/// Holds the stream of a cursor with which the source does not agree.
async fn examine(follower: &Follower, epoch: &str, cursor: &Cursor) -> Result<bool, Refusal> {
    let source = follower.inner.source;
    let (event, reason) = match judge(follower, epoch, cursor).await? {
        Verdict::Agrees => return Ok(true),
        Verdict::Other(event) => (event, OTHER_EVENT.to_owned()),
        Verdict::Short(head) => {
            metrics::counter!("zhengming_dead_total", "what" => "head_below_cursor").increment(1);
            let reason = format!(
                "the source's head is below the cursor: events up to {} were followed, and it has {}",
                cursor.sequence,
                head.as_ref().map_or(0, |head| head.sequence)
            );
            let Some(head) = head else {
                tracing::error!(source, stream = %cursor.stream, reason, "a stream is held: `zm events` lists it");
                keep_vanished(
                    follower.inner.front.pool(),
                    source,
                    cursor.stream,
                    epoch,
                    &reason,
                )
                .await
                .map_err(unavailable)?;
                return Ok(false);
            };
            (head, reason)
        }
    };
    let event = message(source, epoch, &event)?;
    follower
        .hold(&event, Status::Diverged, &reason)
        .await
        .map_err(unavailable)?;
    Ok(false)
}

async fn judge(follower: &Follower, epoch: &str, cursor: &Cursor) -> Result<Verdict, Refusal> {
    let first = place(follower, epoch, cursor.stream, cursor.sequence).await?;
    let Some(event) = first else {
        return Ok(Verdict::Short(head_below(follower, epoch, cursor).await?));
    };
    let same = cursor
        .event_id
        .is_none_or(|id| event.event_id == id.to_string());
    Ok(if same {
        Verdict::Agrees
    } else {
        Verdict::Other(event)
    })
}

/// The source's event at a place.
async fn place(
    follower: &Follower,
    epoch: &str,
    stream: Uuid,
    sequence: i64,
) -> Result<Option<PublicEvent>, Refusal> {
    let answer = of_epoch(follower, epoch, stream, sequence - 1).await?;
    Ok(answer.into_iter().next())
}

/// The last event of a stream that ends below its cursor: from further back each time, then on to the end.
async fn head_below(
    follower: &Follower,
    epoch: &str,
    cursor: &Cursor,
) -> Result<Option<PublicEvent>, Refusal> {
    let mut back = 1;
    let mut head = None;
    while head.is_none() {
        let after = (cursor.sequence - 1 - back).max(0);
        head = of_epoch(follower, epoch, cursor.stream, after).await?.pop();
        if after == 0 {
            break;
        }
        back = back.saturating_mul(2);
    }
    while let Some(last) = &head {
        match of_epoch(follower, epoch, cursor.stream, last.sequence)
            .await?
            .pop()
        {
            Some(further) => head = Some(further),
            None => break,
        }
    }
    Ok(head)
}

/// Events of a stream, if the source still speaks of this history.
async fn of_epoch(
    follower: &Follower,
    epoch: &str,
    stream: Uuid,
    after: i64,
) -> Result<Vec<PublicEvent>, Refusal> {
    let answer = events(follower, stream, after).await?;
    if answer.epoch != epoch {
        return Err(UNAVAILABLE.with_note("the source's history changed while it was compared"));
    }
    Ok(answer.events)
}

/// Ends the wait of events of a history that was left, where they are next in their stream: they go on if the history
/// that is followed has them too.
pub(super) async fn settle_foreign_events(follower: &Follower, epoch: &str) -> Result<(), Refusal> {
    let pool = follower.inner.front.pool();
    loop {
        let foreign = sqlx::query!(
            r#"select h.id, h.stream as "stream!", h.sequence as "sequence!", h.event_id as "event_id!"
                 from held h join cursors c using (source, stream)
                where h.source = $1 and h.status in ('ahead', 'not_yet') and h.epoch <> $2 and h.epoch <> ''
                  and h.sequence = c.sequence + 1
                order by h.id
                limit $3"#,
            follower.inner.source,
            epoch,
            PAGE
        )
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
        if foreign.is_empty() {
            return Ok(());
        }
        for ours in foreign {
            let theirs = place(follower, epoch, ours.stream, ours.sequence).await?;
            let shared = theirs.is_some_and(|event| event.event_id == ours.event_id.to_string());
            if !shared {
                tracing::error!(source = follower.inner.source, stream = %ours.stream, sequence = ours.sequence, event = %ours.event_id, "an event is of a history that its source left: `zm events` lists it");
                metrics::counter!("zhengming_dead_total", "what" => "event").increment(1);
            }
            settle_foreign(pool, ours.id, epoch, shared)
                .await
                .map_err(unavailable)?;
        }
    }
}

/// Compares again what an operator asked for, and lets go where the histories agree.
pub(super) async fn compare_again(follower: &Follower, epoch: &str) -> Result<(), Refusal> {
    let pool = follower.inner.front.pool();
    let diverged = sqlx::query!(
        r#"select h.id, h.stream as "stream!", h.event_id, h.sequence as "sequence!", c.sequence as cursor
             from held h join cursors c using (source, stream)
            where h.source = $1 and h.status = 'diverged' and h.not_before <= now()
            order by h.id
            limit $2"#,
        follower.inner.source,
        PAGE
    )
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    for ours in diverged {
        let stream = ours.stream;
        let agrees = compare_stream(follower, epoch, stream).await?;
        if agrees && ours.sequence > ours.cursor {
            let theirs = place(follower, epoch, stream, ours.sequence).await?;
            let shared = theirs
                .zip(ours.event_id)
                .is_some_and(|(event, id)| event.event_id == id.to_string());
            settle_foreign(pool, ours.id, epoch, shared)
                .await
                .map_err(unavailable)?;
        }
        if agrees && ours.sequence <= ours.cursor {
            forget(pool, ours.id).await.map_err(unavailable)?;
            tracing::info!(source = follower.inner.source, %stream, "the histories agree: the stream goes on");
        } else {
            sqlx::query!(
                "update held set not_before = 'infinity' where id = $1 and status = 'diverged'",
                ours.id
            )
            .execute(pool)
            .await
            .map_err(unavailable)?;
        }
    }
    // What waited behind it has its turn.
    sqlx::query!(
        "update held set not_before = now()
          where source = $1 and status = 'not_yet' and not_before > now()
            and not exists (
                select from held d
                 where d.source = held.source and d.stream = held.stream and d.status = 'diverged')",
        follower.inner.source
    )
    .execute(pool)
    .await
    .map_err(unavailable)?;
    Ok(())
}
