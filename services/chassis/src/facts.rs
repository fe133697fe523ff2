//! What must be asked before a decision, outside any transaction: other services, similar things, states of others.
//!
//! Every aggregate implements [`Informed`] in its service's `facts.rs`, if only to say that it needs nothing; so no way
//! in can forget a fact, and no batch waits for the network.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use office::{Actor, Profile};
use sqlx::PgPool;
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::kind::Kinds;
use crate::peers::Peers;
use crate::refusal::{Refusal, UNAVAILABLE};
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

    /// The newest state of another aggregate of this service with its version; `None` if there is none.
    ///
    /// # Errors
    /// [`UNAVAILABLE`] if the database does not answer, or a newer binary wrote the aggregate.
    pub async fn state<A: Aggregate>(&self, id: Uuid) -> Result<Option<(i64, A::State)>, Refusal> {
        crate::load::state::<A>(&self.pool, &self.kinds, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error))
    }
}
