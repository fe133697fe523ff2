//! What was answered before, for who may no longer ask for a decision: a command by queue that was carried out, and
//! comes again after its token has expired. And when it is forgotten: an answer that left no row in the journal is kept
//! for longer than the token lives under which its command could come again.

use std::time::Duration;

use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::batch::Kept;
use super::{Outcome, Written};
use crate::refusal::{Refusal, UNAVAILABLE};

/// Answers that are forgotten at once.
const BATCH: i64 = 1000;

/// What the journal, then the kept answers, hold about a request with this hash; `None` if nothing.
///
/// # Errors
/// The refusal that was kept; [`UNAVAILABLE`] if the database does not answer.
pub(crate) async fn on_record(
    pool: &PgPool,
    (aggregate, method, request_id): (Uuid, &'static str, Uuid),
    hash: &[u8; 32],
) -> Result<Option<Outcome>, Refusal> {
    let unavailable = |error: sqlx::Error| UNAVAILABLE.with_note(error);
    let rows = sqlx::query(
        "select sequence, type, version, data from journal
          where aggregate = $1 and method = $2 and request_id = $3 and request_hash = $4
          order by sequence",
    )
    .bind(aggregate)
    .bind(method)
    .bind(request_id)
    .bind(hash.as_slice())
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    if let Some(last) = rows.last() {
        let version = last.try_get("sequence").map_err(unavailable)?;
        let events = rows.iter().map(|row| {
            Ok(Written {
                name: row.try_get("type")?,
                version: row.try_get::<i32, _>("version")?.unsigned_abs(),
                data: row.try_get("data")?,
            })
        });
        let events = events.collect::<sqlx::Result<_>>().map_err(unavailable)?;
        return Ok(Some(Outcome::Written { version, events }));
    }
    let kept: Option<sqlx::types::Json<Kept>> = sqlx::query_scalar(
        "select answer from answers
          where aggregate = $1 and method = $2 and request_id = $3 and request_hash = $4",
    )
    .bind(aggregate)
    .bind(method)
    .bind(request_id)
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    match kept.map(|kept| kept.0) {
        None => Ok(None),
        Some(Kept::Refused(refusal)) => Err(refusal),
        Some(Kept::AlreadySo(version)) => Ok(Some(Outcome::AlreadySo { version })),
    }
}

/// Forgets kept answers that are older, in real time. Whatever the desk just works on is left for the next time.
pub(crate) async fn forget_answers(pool: &PgPool, age: Duration) -> sqlx::Result<()> {
    loop {
        let forgotten = sqlx::query(
            "delete from answers where ctid = any (array( \
                 select ctid from answers where at < now() - make_interval(secs => $1) \
                 limit $2 for update skip locked))",
        )
        .bind(age.as_secs_f64())
        .bind(BATCH)
        .execute(pool)
        .await?
        .rows_affected();
        if forgotten < BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}
