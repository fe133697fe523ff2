//! Connecting to the database beside the runtime's workers.
//!
//! The trap that this is here for: sqlx proves its password (SCRAM) in some eight hundred steps and yields after each, and
//! a worker of tokio resumes what has yielded only once it has nothing else to do. Under load a connection was not made
//! within the minute that PostgreSQL gives it, and whoever waited for one was refused.

use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Runs what connects on a thread of its own. The connection then belongs to the runtime like any other.
pub(crate) async fn beside_the_workers<T: Send + 'static>(
    connecting: impl Future<Output = T> + Send + 'static,
) -> T {
    let runtime = Handle::current();
    let connected = spawn_blocking(move || runtime.block_on(connecting)).await;
    match connected.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(connected) => connected,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is being torn down, and whoever waits here with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::{Duration, Instant};

    use sqlx::postgres::PgConnectOptions;
    use sqlx::{Connection, PgConnection};

    use super::*;

    /// Work that is always ready, a millisecond of it at a time.
    async fn toil() {
        poll_fn(|context| -> Poll<()> {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(1) {
                std::hint::spin_loop();
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_connection_is_made_however_busy_the_workers_are() {
        let url = std::env::var("ZHENGMING_ADMIN_DATABASE_URL")
            .expect("ZHENGMING_ADMIN_DATABASE_URL says where PostgreSQL is; tests/run sets it");
        let options: PgConnectOptions = url.parse().expect("it is an address");
        let toiling = tokio::spawn(toil());
        let connecting = tokio::spawn(beside_the_workers(async move {
            PgConnection::connect_with(&options).await
        }));
        let connected = tokio::time::timeout(Duration::from_secs(30), connecting).await;
        toiling.abort();
        let connection = connected
            .expect("it is made within 30 s")
            .expect("the task ends")
            .expect("PostgreSQL answers");
        connection.close().await.expect("it is whole");
    }
}
