//! What a service does for itself every few seconds: it reads its gauges, and forgets answers that no redelivery can ask
//! for any more. Every replica does both; neither waits for another.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{desk, gauges};

/// How often the gauges are read.
const EVERY: Duration = Duration::from_secs(10);
/// How often old answers are looked for. Seldom, as looking means reading them all.
const FORGETTING: Duration = Duration::from_secs(60 * 60);

/// Keeps the service in order until `drain`; answers are kept for so long.
pub(crate) async fn work(pool: PgPool, answers_kept: Duration, drain: CancellationToken) {
    drain
        .run_until_cancelled(async {
            let mut forgetting = Instant::now();
            loop {
                if let Err(error) = gauges::read(&pool).await {
                    tracing::debug!(%error, "the gauges cannot be read now");
                }
                if forgetting <= Instant::now() {
                    match desk::forget_answers(&pool, answers_kept).await {
                        Ok(()) => forgetting = Instant::now() + FORGETTING,
                        Err(error) => tracing::warn!(%error, "old answers cannot be forgotten now"),
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        })
        .await;
}
