//! The seat: which replica's relay works. A session advisory lock on a connection of its own, which also carries the
//! wake-ups between replicas.
//!
//! The connection is the proof: when it is gone so is the lock, and PostgreSQL gives it to the next. It must reach
//! PostgreSQL directly, because behind a transaction pooler a session is nobody's. Names contain the schema's, as
//! several services may share a database.

use std::time::Duration;

use rand::RngExt;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;
use crate::connecting::beside_the_workers;

/// How often a free seat is looked for, on average; a seat that is handed over is announced.
const LOOK: Duration = Duration::from_secs(1);

/// How often the holder makes sure that its connection lives, and measures the outbox.
const PULSE: Duration = Duration::from_secs(1);

/// A connection that does not answer for so long is given up.
const ANSWER: Duration = Duration::from_secs(5);

/// A replica that waits passes on at most one wake-up in this time.
const APART: Duration = Duration::from_millis(5);

/// PostgreSQL takes names of channels up to 63 bytes.
const NAME: usize = 63;

/// A chair at the door: connected, and perhaps holding the lock.
pub(super) struct Seat {
    listener: PgListener,
    // Keeps the one connection out of everyone else's hands.
    pool: PgPool,
    key: i64,
    work: String,
    free: String,
}

/// How waiting for the seat ended.
pub(super) enum Given {
    /// It is ours.
    Taken,
    /// The service drains.
    Drained,
    /// The connection is gone.
    Lost,
}

impl Seat {
    /// Connects as `of` does. The schema comes from the role's or the address's search path.
    pub(super) async fn connect(of: &PgPool) -> sqlx::Result<Self> {
        let options = of
            .connect_options()
            .as_ref()
            .clone()
            .application_name("zhengming relay");
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ANSWER)
            .connect_with(options);
        let pool = beside_the_workers(pool).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // A connection that came back by itself would look like the one that holds the lock.
        listener.eager_reconnect(false);
        let named = sqlx::query!(
            r#"select current_schema()::text as "schema!",
                      hashtextextended('zhengming relay ' || current_schema(), 0) as "key!""#
        )
        .fetch_one(&mut listener)
        .await?;
        let seat = Self {
            key: named.key,
            work: channel("zhengming_outbox_", &named.schema),
            free: channel("zhengming_seat_", &named.schema),
            listener,
            pool,
        };
        Ok(seat)
    }

    /// Waits until the seat is ours, and passes on the wake-ups of this replica meanwhile.
    pub(super) async fn wait(
        &mut self,
        wake: &Notify,
        drain: &CancellationToken,
    ) -> sqlx::Result<Given> {
        let free = self.free.clone();
        self.listener.listen(&free).await?;
        let mut last = Instant::now();
        loop {
            if self.try_take().await? {
                let work = self.work.clone();
                // Listening starts before the first look at the outbox, so that nothing falls between the two.
                self.listener.listen(&work).await?;
                return Ok(Given::Taken);
            }
            let look = Instant::now() + LOOK.mul_f64(rand::rng().random_range(0.5..=1.0));
            loop {
                tokio::select! {
                    () = drain.cancelled() => return Ok(Given::Drained),
                    () = sleep_until(look) => break,
                    notification = self.listener.try_recv() => match notification? {
                        Some(_) => break,
                        None => return Ok(Given::Lost),
                    },
                    () = async { sleep_until(last + APART).await; wake.notified().await } => {
                        last = Instant::now();
                        self.notify(&self.work.clone()).await?;
                    }
                }
            }
        }
    }

    /// Stays with the held seat until it is lost. Wakes this replica for the others, and measures the outbox.
    pub(super) async fn attend(&mut self, outbox: &Outbox, wake: &Notify) -> sqlx::Result<()> {
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                notification = self.listener.try_recv() => match notification? {
                    Some(notification) => if notification.channel() == self.work { wake.notify_one() },
                    None => return Ok(()),
                },
                _ = pulse.tick() => match timeout(ANSWER, outbox.measure(&mut self.listener)).await {
                    Ok(measured) => measured?,
                    Err(_) => return Ok(()),
                },
            }
        }
    }

    /// Hands the seat over and tells those who wait. Nothing is lost if it fails: the connection ends anyway.
    pub(super) async fn leave(mut self) {
        let left = async {
            sqlx::query!("select pg_advisory_unlock($1)", self.key)
                .fetch_one(&mut self.listener)
                .await?;
            self.notify(&self.free.clone()).await
        };
        match timeout(ANSWER, left).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the seat was not handed over"),
            Err(_) => tracing::debug!("the seat was not handed over in time"),
        }
        drop(self.listener);
        // Bounded, because it waits for the connection to come back.
        drop(timeout(ANSWER, self.pool.close()).await);
    }

    async fn try_take(&mut self) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "taken!""#, self.key)
            .fetch_one(&mut self.listener)
            .await
    }

    async fn notify(&mut self, channel: &str) -> sqlx::Result<()> {
        sqlx::query!("select pg_notify($1, '')", channel)
            .fetch_one(&mut self.listener)
            .await?;
        Ok(())
    }
}

/// The name of a channel of this schema. Two very long names of schemas may share one, which wakes needlessly and
/// does no other harm.
fn channel(prefix: &str, schema: &str) -> String {
    let mut name = format!("{prefix}{schema}");
    while name.len() > NAME {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn a_channel_contains_the_schema_and_fits() {
        assert_eq!(
            channel("zhengming_outbox_", "intake"),
            "zhengming_outbox_intake"
        );
        assert_eq!(channel("zhengming_outbox_", &"正".repeat(30)).len(), 62);
    }
}
