//! Whether a service can take calls: not before its database answers, not without it, and not while it drains.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// How often the database is asked, and how long it may take to answer.
const PULSE: Duration = Duration::from_secs(2);

/// The service's health, as `grpc.health.v1` tells it (under the empty name).
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    database: bool,
    draining: bool,
}

impl State {
    fn status(self) -> ServingStatus {
        if self.database && !self.draining {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }
}

impl Health {
    /// A service whose database has not answered yet: not serving.
    pub async fn new() -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
            state: Arc::default(),
        };
        health.tell(|_| {}).await;
        health
    }

    /// Says whether the database answers.
    pub async fn database(&self, answers: bool) {
        self.tell(|state| state.database = answers).await;
    }

    /// Says that the service stops. Nothing takes that back.
    pub async fn drain(&self) {
        self.tell(|state| state.draining = true).await;
    }

    /// Ends the streams of those who watch, once they have read the last status; else they would hold up the drain.
    pub(super) async fn dismiss_watchers(&self) {
        self.reporter.clone().clear_service_status("").await;
    }

    /// Asks the database regularly, until `stop`.
    pub async fn watch_database(self, pool: PgPool, stop: CancellationToken) {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let watch = async {
            loop {
                pulse.tick().await;
                let asked =
                    tokio::time::timeout(PULSE, sqlx::query!("select").execute(&pool)).await;
                self.database(matches!(asked, Ok(Ok(_)))).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    pub(super) fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }

    async fn tell(&self, change: impl FnOnce(&mut State)) {
        let (before, after) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *state;
            change(&mut state);
            (before, *state)
        };
        if before.database != after.database {
            tracing::info!(
                database = after.database,
                "the database answers or no longer does"
            );
        }
        self.reporter.set_service_status("", after.status()).await;
    }
}
