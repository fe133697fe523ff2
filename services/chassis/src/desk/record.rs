//! What was answered before, for who may no longer ask for a decision: a command by queue that was carried out, and
//! comes again after its token has expired.

use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::batch::Kept;
use super::{Outcome, Written};
use crate::refusal::{Refusal, UNAVAILABLE};

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
