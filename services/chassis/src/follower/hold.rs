//! Events that wait, with their bytes, so that the broker need not keep them.
//!
//! Parking locks the stream's cursor (making it first) and looks again: an event that became next in between is not
//! parked, else nothing would ever look for it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::broker::EventMessage;

/// Why a stream is held whose source has another event where ours was taken.
pub(crate) const OTHER_EVENT: &str =
    "another event took this place in its stream: compare the histories";

/// Why an event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// An earlier one of its stream is missing.
    Ahead,
    /// What it needs is not here yet.
    NotYet,
    /// It was refused; an operator decides.
    Dead,
    /// Another event took its place in the stream.
    Diverged,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::NotYet => "not_yet",
            Self::Dead => "dead",
            Self::Diverged => "diverged",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// What became of an event that should be kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It waits in the table, and the broker may forget it.
    Held,
    /// The cursor has moved: look again.
    NotNeeded,
}

/// A waiting event whose turn came.
pub(crate) struct Held {
    pub(crate) id: i64,
    pub(crate) event: EventMessage,
    pub(crate) attempts: u32,
}

pub(super) async fn keep(
    pool: &PgPool,
    event: &EventMessage,
    status: Status,
    reason: &str,
) -> sqlx::Result<Kept> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "insert into cursors (source, stream, sequence) values ($1, $2, 0) on conflict do nothing",
        event.source,
        event.stream
    )
    .execute(&mut *transaction)
    .await?;
    let at = sqlx::query_scalar!(
        "select sequence from cursors where source = $1 and stream = $2 for update",
        event.source,
        event.stream
    )
    .fetch_one(&mut *transaction)
    .await?;
    let needed = match status {
        Status::Ahead => event.sequence > at + 1,
        Status::NotYet | Status::Dead => event.sequence > at,
        Status::Diverged => true,
    };
    if !needed {
        transaction.rollback().await?;
        return Ok(Kept::NotNeeded);
    }
    let headers = serde_json::json!({
        "matter": event.matter,
        "cause": event.cause,
        "actor": event.actor,
        "traceparent": event.traceparent,
        "at": event.at.as_microsecond(),
    });
    // A diverged one waits for an operator, however long. One of each history is enough to hold its stream: the feed
    // has the others, and whoever skips should decide once.
    sqlx::query!(
        "insert into held (source, stream, sequence, event_id, type, epoch, headers, body, status, reason, not_before)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
                case when $9 = 'diverged' then timestamptz 'infinity' else now() end
          where $9 <> 'diverged'
             or not exists (select from held where source = $1 and stream = $2 and epoch = $6 and status = 'diverged')
         on conflict (source, stream, sequence) where stream is not null and status <> 'diverged' do nothing",
        event.source,
        event.stream,
        event.sequence,
        event.id,
        event.type_,
        event.epoch,
        headers,
        event.body,
        status.word(),
        reason
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Kept::Held)
}

/// Holds a stream of which its source has nothing any more.
pub(crate) async fn keep_vanished(
    pool: &PgPool,
    source: &str,
    stream: Uuid,
    epoch: &str,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into held (source, stream, sequence, epoch, headers, body, status, reason, not_before)
         select $1, $2, 0, $3, '{}', '', 'diverged', $4, 'infinity'
          where not exists (select from held where source = $1 and stream = $2 and epoch = $3 and status = 'diverged')",
        source,
        stream,
        epoch,
        reason
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Ends the wait of an event of another history that is next in its stream: it goes on if the history that is followed
/// has it too; else its stream is held.
pub(crate) async fn settle_foreign(
    pool: &PgPool,
    id: i64,
    epoch: &str,
    shared: bool,
) -> sqlx::Result<()> {
    let settled = if shared {
        sqlx::query!(
            "update held set epoch = $2, status = 'not_yet', not_before = now()
              where id = $1
                and not exists (
                    select from held other
                     where other.source = held.source and other.stream = held.stream
                       and other.sequence = held.sequence and other.id <> held.id and other.status <> 'diverged')",
            id,
            epoch
        )
    } else {
        sqlx::query!(
            "update held
                set status = 'diverged', not_before = 'infinity', attempts = attempts + 1,
                    reason = 'its source no longer has this event: it is of a history that was left (now ' || $2 || ')'
              where id = $1",
            id,
            epoch
        )
    };
    settled.execute(pool).await?;
    Ok(())
}

pub(super) async fn keep_unreadable(
    pool: &PgPool,
    source: &str,
    body: &[u8],
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into held (source, headers, body, status, reason) values ($1, '{}', $2, 'unreadable', $3)",
        source,
        body,
        reason
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Waiting events of a source that are next in their stream, or behind its cursor.
pub(super) async fn next(pool: &PgPool, source: &str) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"select h.id, h.stream as "stream!", h.sequence as "sequence!", h.event_id as "event_id!", h.type as "name!",
                  h.epoch, h.headers, h.body, h.attempts, h.at
             from held h join cursors c using (source, stream)
            where h.source = $1 and h.status in ('ahead', 'not_yet') and h.not_before <= now()
              and h.sequence <= c.sequence + 1
            order by h.id
            limit 256"#,
        source
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let headers = row.headers;
            let id = |name: &str| {
                headers[name]
                    .as_str()
                    .and_then(|text| Uuid::parse_str(text).ok())
            };
            let word = |name: &str| headers[name].as_str().map(str::to_owned);
            Held {
                id: row.id,
                attempts: row.attempts.unsigned_abs(),
                event: EventMessage {
                    id: row.event_id,
                    source: source.to_owned(),
                    type_: row.name,
                    stream: row.stream,
                    sequence: row.sequence,
                    epoch: row.epoch.unwrap_or_default(),
                    matter: id("matter"),
                    cause: id("cause"),
                    actor: word("actor"),
                    traceparent: word("traceparent"),
                    at: headers["at"]
                        .as_i64()
                        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
                        .unwrap_or(row.at.0),
                    body: row.body,
                },
            }
        })
        .collect())
}

/// Whether anything of a source waits.
pub(super) async fn any(pool: &PgPool, source: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from held where source = $1 and status in ('ahead', 'not_yet')) as "any!""#,
        source
    )
    .fetch_one(pool)
    .await
}

/// It took effect, mostly in the transaction that deleted it already; or nothing holds it any more.
pub(crate) async fn forget(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("delete from held where id = $1", id)
        .execute(pool)
        .await?;
    Ok(())
}

/// It waits on, with the newest reason.
pub(super) async fn put_off(
    pool: &PgPool,
    id: i64,
    status: Status,
    reason: &str,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update held
            set status = $2, reason = $3, attempts = attempts + 1,
                not_before = case when $2 = 'diverged' then timestamptz 'infinity'
                                  else now() + make_interval(secs => $4) end
          where id = $1",
        id,
        status.word(),
        reason,
        pause.as_secs_f64()
    )
    .execute(pool)
    .await?;
    Ok(())
}
