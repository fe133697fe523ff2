//! What was answered before, for who may no longer ask for a decision: a command by queue that was carried out, and
//! comes again after its token has expired. And when it is forgotten: an answer that left no row in the journal is kept
//! for longer than the token lives under which its command could come again.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::types::Json;
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
    let rows = sqlx::query!(
        "select sequence, type, version, data from journal
          where aggregate = $1 and method = $2 and request_id = $3 and request_hash = $4
          order by sequence",
        aggregate,
        method,
        request_id,
        hash.as_slice()
    )
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    if let Some(last) = rows.last() {
        let version = last.sequence;
        let events = rows.into_iter().map(|row| Written {
            name: row.r#type,
            version: row.version.unsigned_abs(),
            data: row.data,
        });
        let events = events.collect();
        return Ok(Some(Outcome::Written { version, events }));
    }
    let kept = sqlx::query_scalar!(
        r#"select answer as "answer: Json<Kept>" from answers
            where aggregate = $1 and method = $2 and request_id = $3 and request_hash = $4"#,
        aggregate,
        method,
        request_id,
        hash.as_slice()
    )
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    match kept.map(|Json(kept)| kept) {
        None => Ok(None),
        Some(Kept::Refused(refusal)) => Err(refusal),
        Some(Kept::AlreadySo(version)) => Ok(Some(Outcome::AlreadySo { version })),
    }
}

/// Forgets kept answers that are older, in real time. Whatever the desk just works on is left for the next time.
pub(crate) async fn forget_answers(pool: &PgPool, age: Duration) -> sqlx::Result<()> {
    loop {
        let forgotten = sqlx::query!(
            "delete from answers where ctid = any (array(
                 select ctid from answers where at < now() - make_interval(secs => $1)
                 limit $2 for update skip locked))",
            age.as_secs_f64(),
            BATCH
        )
        .execute(pool)
        .await?
        .rows_affected();
        if forgotten < BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}
