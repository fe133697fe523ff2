//! The outbox as the relay sees it: reading a batch, settling it, measuring what waits.

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::broker::{EventMessage, Outgoing, Published};

/// Rows in a batch.
const BATCH: i64 = 256;

/// From the first failure to the last, doubling: a broken channel or a refusal passes soon.
const FAILED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The same for what no queue takes: somebody must declare one first.
const RETURNED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The depth is counted up to here: beyond, the number only says that it is bad.
const COUNTED: i64 = 100_000;

/// A service's outbox and the history that its events belong to.
pub(super) struct Outbox {
    service: String,
    epoch: String,
}

/// One event that waits.
pub(super) struct Row {
    id: i64,
    event_id: Uuid,
    stream: Uuid,
    sequence: i64,
    type_: String,
    body: Vec<u8>,
    headers: String,
    micros: i64,
    attempts: i32,
}

/// What is needed of a row once it is on its way.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    id: i64,
    attempts: i32,
}

/// What goes into the message's headers beside what has columns of its own: the desk writes it, the relay reads it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Headers {
    pub(crate) matter: Option<Uuid>,
    pub(crate) cause: Option<Uuid>,
    pub(crate) actor: Option<String>,
    pub(crate) traceparent: Option<String>,
}

impl Row {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            id: self.id,
            attempts: self.attempts,
        }
    }
}

impl Outbox {
    pub(super) async fn open(service: &str, connection: &mut PgConnection) -> sqlx::Result<Self> {
        Ok(Self {
            service: service.to_owned(),
            epoch: epoch(connection).await?,
        })
    }

    pub(super) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Settles what is done, and reads the next rows that are due, without those that are on their way.
    pub(super) async fn exchange(
        &self,
        connection: &mut PgConnection,
        done: &[(Ticket, Published)],
        mut under_way: Vec<i64>,
    ) -> sqlx::Result<Vec<Row>> {
        let gone = self.put_off(connection, done).await?;
        // One statement sees one state: the rows that it deletes are still there for its other half.
        under_way.extend(&gone);
        let next = sqlx::query_as!(
            Row,
            r#"with gone as (delete from outbox where id = any ($1))
               select id, event_id, stream, sequence, type as type_, body, headers::text as "headers!", attempts,
                      (extract(epoch from at) * 1000000)::bigint as "micros!"
                 from outbox
                where (not_before is null or not_before <= now())
                  and id <> all ($2)
                order by id
                limit $3"#,
            &gone,
            &under_way,
            BATCH
        )
        .fetch_all(connection)
        .await?;
        self.count(gone.len());
        Ok(next)
    }

    /// Settles what is done: confirmed rows go, the others wait longer each time.
    pub(super) async fn settle(
        &self,
        connection: &mut PgConnection,
        done: &[(Ticket, Published)],
    ) -> sqlx::Result<()> {
        let gone = self.put_off(connection, done).await?;
        sqlx::query!("delete from outbox where id = any ($1)", &gone)
            .execute(connection)
            .await?;
        self.count(gone.len());
        Ok(())
    }

    fn count(&self, gone: usize) {
        if gone > 0 {
            metrics::counter!("zhengming_relay_published_total", "service" => self.service.clone())
                .increment(gone as u64);
        }
    }

    /// The message of a row, or why there is none.
    pub(super) fn message(&self, row: &Row, mandatory: bool) -> Result<Outgoing, String> {
        let headers: Headers =
            serde_json::from_str(&row.headers).map_err(|error| format!("its headers: {error}"))?;
        let at = Timestamp::from_microsecond(row.micros)
            .map_err(|error| format!("its time: {error}"))?;
        let event = EventMessage {
            id: row.event_id,
            source: self.service.clone(),
            type_: row.type_.clone(),
            stream: row.stream,
            sequence: row.sequence,
            epoch: self.epoch.clone(),
            matter: headers.matter,
            cause: headers.cause,
            actor: headers.actor,
            traceparent: headers.traceparent,
            at,
            body: row.body.clone(),
        };
        Ok(event.into_outgoing(mandatory))
    }

    /// Puts off what was not taken; returns the rows that may go.
    async fn put_off(
        &self,
        connection: &mut PgConnection,
        done: &[(Ticket, Published)],
    ) -> sqlx::Result<Vec<i64>> {
        let mut gone = Vec::new();
        let (mut later, mut delays) = (Vec::new(), Vec::new());
        for (ticket, outcome) in done {
            let (reason, bounds, counter) = match outcome {
                Published::Confirmed => {
                    gone.push(ticket.id);
                    continue;
                }
                Published::Returned(reason) => (reason, RETURNED, "zhengming_relay_returned_total"),
                Published::Failed(reason) => (reason, FAILED, "zhengming_relay_failed_total"),
            };
            metrics::counter!(counter, "service" => self.service.clone()).increment(1);
            tracing::debug!(
                service = self.service,
                row = ticket.id,
                reason,
                "an event stays in the outbox"
            );
            later.push(ticket.id);
            delays.push(
                i64::try_from(delay(ticket.attempts, bounds).as_millis()).unwrap_or(i64::MAX),
            );
        }
        if !later.is_empty() {
            tracing::warn!(
                service = self.service,
                count = later.len(),
                "events were not taken by the broker"
            );
            sqlx::query!(
                "update outbox
                    set attempts = attempts + 1,
                        not_before = now() + late.delay * interval '1 millisecond'
                   from unnest ($1::bigint[], $2::bigint[]) as late (row, delay)
                  where id = late.row",
                &later,
                &delays
            )
            .execute(connection)
            .await?;
        }
        Ok(gone)
    }

    /// Sets the gauges of depth and age, by the connection that holds the seat, whose pulse this is.
    pub(super) async fn measure(&self, connection: &mut PgListener) -> sqlx::Result<()> {
        // `at` is domain time, which may be shifted.
        let measured = sqlx::query!(
            r#"select (select count(*) from (select from outbox limit $1) counted) as "depth!",
                      coalesce((select extract(epoch from now() + shift - at)::float8
                                  from outbox, clock order by id limit 1), 0) as "age!""#,
            COUNTED
        )
        .fetch_one(connection)
        .await?;
        gauges(&self.service, measured.depth as f64, measured.age.max(0.0));
        Ok(())
    }
}

/// Without the seat this replica knows nothing of the outbox; the holder's gauges count.
pub(super) fn forget_gauges(service: &str) {
    gauges(service, 0.0, 0.0);
}

fn gauges(service: &str, depth: f64, age: f64) {
    metrics::gauge!("zhengming_outbox_depth", "service" => service.to_owned()).set(depth);
    metrics::gauge!("zhengming_outbox_age_seconds", "service" => service.to_owned()).set(age);
}

/// Doubles with each attempt up to its bound, and is drawn from the upper half of its span.
fn delay(attempts: i32, (first, most): (Duration, Duration)) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
    let span = first.saturating_mul(1 << doublings).min(most);
    span.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Which history a service's events belong to: PostgreSQL's system identifier, its timeline, and an id that a restore
/// draws anew. Two histories never have the same; each of the three changes where the others cannot: another server,
/// a failover that may have lost the newest commits, a dump that was loaded again.
///
/// Any role may call the functions behind it (PostgreSQL 15 to 17). The timeline is the one that is written now: the
/// control file would tell the new one only after the first checkpoint that follows a failover.
pub async fn epoch(of: impl PgExecutor<'_>) -> sqlx::Result<String> {
    sqlx::query_scalar!(
        r#"select system_identifier::text || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.' || drawn
                  as "epoch!"
             from pg_control_system(), history"#
    )
    .fetch_one(of)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_waits_longer_each_time_up_to_a_bound() {
        for (attempts, span) in [(0, 100), (1, 200), (5, 3_200), (40, 10_000)] {
            let waited = delay(attempts, FAILED);
            assert!(
                waited >= Duration::from_millis(span / 2) && waited <= Duration::from_millis(span),
                "{waited:?}"
            );
        }
    }
}
