//! Which history of the source's database is followed here.
//!
//! `sources.epoch` remembers it. Null while there are cursors means doubt: nothing of the source takes effect until
//! [`repair`](crate::repair) has compared what was followed with what the source says now. So does the first event of a
//! source that was never followed: it may come from a queue that has outlived the history it belongs to. And whoever
//! starts asks the source once before its queue is read, as the source may have been restored meanwhile; if it does not
//! answer, what is remembered holds.
//!
//! The trap: a replica knows only what it read last. It reads again whenever an event says something else than it knows,
//! and once a second, so that another replica's doubt reaches it.

use sqlx::PgPool;
use uuid::Uuid;

use super::hold::{self, Status};
use super::{End, Follower};
use crate::broker::EventMessage;

/// Why events of another history wait.
const FOREIGN: &str =
    "it is not of the history of its source that is followed: the source is asked which one it has";

impl Follower {
    /// Whether an event may be brought to the desk: it is of the history that is followed, or says of none.
    pub(super) async fn recognise(&self, event: &EventMessage) -> Result<(), End> {
        if event.epoch.is_empty() || self.follows(&event.epoch) {
            return Ok(());
        }
        let again = |error: sqlx::Error| End::Again(error.to_string());
        let pool = self.inner.front.pool();
        self.recall().await.map_err(again)?;
        if self.follows(&event.epoch) {
            return Ok(());
        }
        let (at, taken) = cursor(pool, self.inner.source, event.stream)
            .await
            .map_err(again)?;
        if event.sequence == at && taken.is_some_and(|taken| taken != event.id) {
            return Err(End::Hold(Status::Diverged, hold::OTHER_EVENT.to_owned()));
        }
        // What stands at or below the cursor is for the comparison to find.
        if event.sequence <= at {
            return Err(End::Done);
        }
        self.inner.foreign.notify_one();
        Err(End::Hold(Status::NotYet, FOREIGN.to_owned()))
    }

    /// Whether this is the history that is followed.
    pub(crate) fn follows(&self, epoch: &str) -> bool {
        self.inner.epoch.borrow().as_deref() == Some(epoch)
    }

    /// Reads what other replicas may have changed.
    pub(super) async fn recall(&self) -> sqlx::Result<()> {
        let remembered = sqlx::query_scalar!(
            "select epoch from sources where source = $1",
            self.inner.source
        )
        .fetch_optional(self.inner.front.pool())
        .await?
        .flatten();
        self.inner.epoch.send_replace(remembered);
        Ok(())
    }

    /// Doubts what was followed, at all replicas, unless this epoch is the one that is followed.
    pub(crate) async fn doubt(&self, epoch: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into sources (source) values ($1)
             on conflict (source) do update set epoch = null where sources.epoch is distinct from $2",
            self.inner.source,
            epoch
        )
        .execute(self.inner.front.pool())
        .await?;
        self.recall().await
    }

    /// Remembers the epoch with which everything that was followed was compared. What waited for it has its turn, and
    /// without a token the next comparison of heads asks for all of them.
    pub(crate) async fn remember(&self, epoch: &str) -> sqlx::Result<()> {
        let mut transaction = self.inner.front.pool().begin().await?;
        sqlx::query!(
            "insert into sources (source, epoch) values ($1, $2)
             on conflict (source) do update set epoch = excluded.epoch, token = null
              where sources.epoch is distinct from excluded.epoch",
            self.inner.source,
            epoch
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update held set not_before = now() where source = $1 and status in ('ahead', 'not_yet')",
            self.inner.source
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        tracing::info!(
            source = self.inner.source,
            epoch,
            "this history of the source is followed from now on"
        );
        self.recall().await?;
        self.inner.look.notify_one();
        Ok(())
    }
}

/// How far a stream was followed; nothing is known of one that never was.
async fn cursor(pool: &PgPool, source: &str, stream: Uuid) -> sqlx::Result<(i64, Option<Uuid>)> {
    let cursor = sqlx::query!(
        "select sequence, event_id from cursors where source = $1 and stream = $2",
        source,
        stream
    )
    .fetch_optional(pool)
    .await?;
    Ok(cursor.map_or((0, None), |cursor| (cursor.sequence, cursor.event_id)))
}
