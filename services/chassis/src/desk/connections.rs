//! The desk's own connections, one for each batch in flight.
//!
//! A pool would ask each connection whether it lives, before and after every batch: two more round trips. Here a
//! connection that failed is dropped, and the batch is repeated on a new one, which request ids and cursors make harmless.

use std::sync::{Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use crate::connecting::beside_the_workers;

/// Connections that wait for the next batch.
pub(crate) struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<PgConnection>>,
}

impl Connections {
    /// None yet; each is made when it is first needed.
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            idle: Mutex::default(),
        }
    }

    /// One that is free, or a new one.
    pub(super) async fn take(&self) -> sqlx::Result<PgConnection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => {
                let options = self.options.clone();
                beside_the_workers(async move { PgConnection::connect_with(&options).await }).await
            }
        }
    }

    /// Gives back one whose last transaction ended well.
    pub(super) fn give_back(&self, connection: PgConnection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}
