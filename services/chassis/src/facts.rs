//! What must be asked before a decision, outside any transaction: other services, similar things, states of others.
//!
//! Every aggregate implements [`Informed`] in its service's `facts.rs`, if only to say that it needs nothing; so no way
//! in can forget a fact, and no batch waits for the network.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use office::{Actor, Profile, TextId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::config::{Equipment, Equipped};
use crate::desk::Settled;
use crate::kind::Kinds;
use crate::peers::Peers;
use crate::refusal::{INTERNAL, Refusal, UNAVAILABLE};
use crate::secrets::Secrets;

/// An aggregate with its facts.
#[async_trait]
pub trait Informed: Aggregate {
    /// Gathers what a decision on this command needs from outside.
    ///
    /// # Errors
    /// A refusal where it cannot be had, mostly [`UNAVAILABLE`].
    async fn gather(
        _asking: &Asking,
        _id: Uuid,
        _command: &Self::Command,
        _actor: &Actor,
    ) -> Result<Self::Facts, Refusal> {
        Ok(Self::Facts::default())
    }
}

/// Whom and what `gather` can ask.
#[derive(Clone)]
pub struct Asking {
    pub(crate) pool: PgPool,
    pub(crate) kinds: Kinds,
    pub(crate) equipment: Equipped,
    /// Other services, over gRPC.
    pub peers: Peers,
    /// The policy in force.
    pub profile: Arc<Profile>,
    /// The service's keys.
    pub secrets: Arc<Secrets>,
    /// Domain time.
    pub now: Timestamp,
}

impl Asking {
    /// The service's own database, for a view's query.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What the service was equipped with at its start ([`Blueprint::equipped`](crate::Blueprint::equipped)).
    ///
    /// # Errors
    /// [`INTERNAL`] if the blueprint does not say that it is.
    pub fn equipment<E: Equipment>(&self) -> Result<Arc<E>, Refusal> {
        let found = self.equipment.get::<E>();
        found.ok_or_else(|| INTERNAL.with_note("the blueprint lists no such equipment"))
    }

    /// The newest state of another aggregate of this service with its version; `None` if there is none.
    ///
    /// # Errors
    /// [`UNAVAILABLE`] if the database does not answer, or a newer binary wrote the aggregate.
    pub async fn state<A: Aggregate>(&self, id: Uuid) -> Result<Option<(i64, A::State)>, Refusal> {
        crate::load::state::<A>(&self.pool, &self.kinds, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error))
    }

    /// A text of this service, for what is made of it by itself; `None` where there is none, or it was erased.
    ///
    /// # Errors
    /// [`UNAVAILABLE`] if the database does not answer.
    pub async fn text(&self, id: TextId) -> Result<Option<String>, Refusal> {
        let text = crate::load::text(&self.pool, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error))?;
        let bytes = text.and_then(|text| text.bytes);
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// How often facts are gathered before whoever waits hears that they stay stale.
const GATHERINGS: u32 = 5;

/// Brings a group to the desk, and again, with facts gathered anew by each attempt, while they are stale. What is still
/// stale after a bounded number of attempts is given back so.
///
/// # Errors
/// Whatever an attempt fails with.
pub(crate) async fn while_stale<E, F: Future<Output = Result<Settled, E>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<Settled, E> {
    for _ in 1..GATHERINGS {
        let settled = attempt().await?;
        if !matches!(settled, Settled::Stale) {
            return Ok(settled);
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it is attempted, and what is given back, where facts are stale so often.
    async fn attempted(mut stale: u32) -> (u32, Settled) {
        let mut attempts = 0;
        let settled = while_stale(|| {
            attempts += 1;
            let settled = if stale == 0 {
                Settled::Duplicate
            } else {
                stale -= 1;
                Settled::Stale
            };
            std::future::ready(Ok::<_, ()>(settled))
        });
        let settled = settled.await.expect("no attempt fails");
        (attempts, settled)
    }

    #[tokio::test]
    async fn facts_are_gathered_again_while_they_are_stale_and_not_for_ever() {
        assert!(matches!(attempted(0).await, (1, Settled::Duplicate)));
        assert!(matches!(attempted(4).await, (5, Settled::Duplicate)));
        assert!(matches!(attempted(5).await, (5, Settled::Stale)));
    }

    #[tokio::test]
    async fn an_attempt_that_fails_is_the_last() {
        let mut attempts = 0;
        let failed = while_stale(|| {
            attempts += 1;
            std::future::ready(Err("no answer"))
        });
        assert_eq!(failed.await.err(), Some("no answer"));
        assert_eq!(attempts, 1);
    }
}
